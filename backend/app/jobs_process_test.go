package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/lifecycle"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
	"github.com/nametag-dev/nametag/backend/wix"
)

// databaseOf opens a server's database beside it.
func databaseOf(t *testing.T, database string) *sqlstore.Store {
	t.Helper()
	store, err := OpenStore(t.Context(), database, newGreeter, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func isRemoved(i instance.Instance) bool { return !i.RemovedAt.IsZero() }

// TestServe_clockSetBack kills a server whose clock is an hour ahead in the midst of its
// events, and starts it again with the right one: all of them are applied.
func TestServe_clockSetBack(t *testing.T) {
	s := newSigner(t)
	for name, database := range databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of the time goes by waiting for the leases of the killed
			environ := wixEnviron(t, s, database)
			ahead := spawn(t, append(environ, withClock+"=1h")...)
			var ids []string
			for n := range 100 {
				id := guid()
				if status := post(ahead.url, s.plan(t, id, fmt.Sprint("plan ", n), time.Now())); status != 200 {
					t.Fatalf("event %d: %d", n, status)
				}
				ids = append(ids, id)
			}
			gone := guid()
			if status := post(ahead.url, s.sign(t, gone, "AppRemoved", time.Now(), map[string]any{})); status != 200 {
				t.Fatal(status)
			}
			ahead.kill()
			right := spawn(t, environ...)
			defer right.kill()
			eventually(t, database, gone, isRemoved)
			for n, id := range ids {
				eventually(t, database, id, func(i instance.Instance) bool { return i.Profile.Plan.Name == fmt.Sprint("plan ", n) })
			}
		})
	}
}

// TestServe_lockedRowHoldsUpItsOwnInstance locks the row of one instance, as a transaction
// that hangs does, with 40 of its events due: each waits for the lock for five seconds.
func TestServe_lockedRowHoldsUpItsOwnInstance(t *testing.T) {
	s := newSigner(t)
	database := pgtest.URL(t)
	server := spawn(t, wixEnviron(t, s, database)...)
	store := databaseOf(t, database)
	locked, other := guid(), guid()
	if status := post(server.url, s.plan(t, locked, "gold", time.Now())); status != 200 {
		t.Fatal(status)
	}
	eventually(t, database, locked, func(i instance.Instance) bool { return i.Profile.Plan.Name == "gold" })

	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
	defer cancel()
	held := errors.New("released")
	err := store.Write(ctx, locked, func(kit.Tx) error {
		for n := range 40 {
			if status := post(server.url, s.plan(t, locked, fmt.Sprint("plan ", n), time.Now().Add(time.Duration(n)*time.Millisecond))); status != 200 {
				t.Errorf("an event of the locked instance: %d", status)
			}
		}
		began := time.Now()
		if status := post(server.url, s.sign(t, other, "AppRemoved", time.Now(), map[string]any{})); status != 200 {
			t.Errorf("a removal: %d", status)
		}
		for ctx.Err() == nil {
			row, err := store.Find(ctx, other)
			if err == nil && isRemoved(row) {
				t.Logf("the removal took %v", time.Since(began))
				return held
			}
			time.Sleep(5 * time.Millisecond) // between two looks at the condition
		}
		return ctx.Err()
	})
	if !errors.Is(err, held) {
		t.Fatalf("the removal of another instance was not in force while the row was locked: %v", err)
	}
	eventually(t, database, locked, func(i instance.Instance) bool { return i.Profile.Plan.Name == "plan 39" })
}

// TestServe_deadEventsStartAgain lets a removal that has failed for good start again by Wix's
// repeat of it, by the next event of its instance, and by what the command retry does beside
// a server.
func TestServe_deadEventsStartAgain(t *testing.T) {
	s := newSigner(t)
	for name, database := range databases(t) {
		t.Run(name, func(t *testing.T) {
			store := databaseOf(t, database)
			verifier, err := wix.NewWebhooks([]string{s.public}, appID, nil)
			if err != nil {
				t.Fatal(err)
			}
			receiver := lifecycle.NewReceiver(verifier, store, func() {}, time.Now)
			// bury returns the webhook of an event that is dead.
			bury := func(id string) string {
				body := s.sign(t, id, "AppRemoved", time.Now(), map[string]any{})
				if err := receiver.Receive(t.Context(), []byte(body)); err != nil {
					t.Fatal(err)
				}
				jobs, err := store.JobsOf(t.Context(), id)
				if err != nil || len(jobs) != 1 {
					t.Fatal(jobs, err)
				}
				if err := store.Bury(t.Context(), jobs[0], "broken"); err != nil {
					t.Fatal(err)
				}
				return body
			}
			repeated, related, retried := guid(), guid(), guid()
			repeat := bury(repeated)
			bury(related)
			bury(retried)

			server := spawn(t, wixEnviron(t, s, database)...)
			for _, body := range []string{repeat, s.plan(t, related, "gold", time.Now().Add(-time.Hour))} {
				if status := post(server.url, body); status != 200 {
					t.Errorf("got %d", status)
				}
			}
			eventually(t, database, repeated, isRemoved)
			eventually(t, database, related, isRemoved)
			if n, err := store.DeadLetters(t.Context()); err != nil || n != 1 {
				t.Errorf("%d dead letters are left, %v; want one", n, err)
			}
			if jobs, err := store.Rearm(t.Context(), retried, time.Now(), 10); err != nil || len(jobs) != 1 {
				t.Fatal(jobs, err)
			}
			eventually(t, database, retried, isRemoved)
		})
	}
}
