package cachestore

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
)

// replica is a cache over a shared Postgres that listens for the others' changes as a
// program does.
func replica(t *testing.T, databaseURL string) *Store {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), databaseURL, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := New(db, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	listening := make(chan struct{}, 10)
	var done sync.WaitGroup
	done.Go(func() {
		err := sqlstore.Listen(ctx, databaseURL, sqlstore.Handlers{
			Changed:  func(id string, _ bool) { s.Invalidate(id) },
			Lost:     func(since time.Time, _ error) { s.Disconnected(since) },
			Regained: func() { s.InvalidateAll(); s.Connected(); listening <- struct{}{} },
		}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Errorf("Listen: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); done.Wait(); s.Close() })
	<-listening
	return s
}

func TestStore_replicasSeeChanges(t *testing.T) {
	databaseURL := pgtest.URL(t)
	a, b, c := replica(t, databaseURL), replica(t, databaseURL), replica(t, databaseURL)
	at := noon().Add(time.Hour)
	removal := instance.Event{ID: "removal", InstanceID: "a", Kind: instance.EventRemoved, At: at, ReceivedAt: at}
	must(t)(a.Seen(t.Context(), visit("a", "site", noon())))
	for _, row := range []struct {
		name   string
		change func() error
		shows  func(instance.Instance, error) bool
	}{
		{"a setting", func() error {
			_, err := a.SaveSettings(t.Context(), "a", greeting("Hi"), 0)
			return err
		}, func(i instance.Instance, err error) bool {
			return err == nil && string(i.Settings) == string(greeting("Hi"))
		}},
		{"a removal", func() error {
			_, _, err := b.ApplyEvent(t.Context(), removal, at)
			return err
		}, func(i instance.Instance, err error) bool { return err == nil && !i.Admits(at) }},
		{"a revival", func() error {
			_, err := c.Seen(t.Context(), instance.Visit{InstanceID: "a", IssuedAt: at.Add(time.Second), At: at.Add(time.Second)})
			return err
		}, func(i instance.Instance, err error) bool { return err == nil && i.RemovedAt.IsZero() }},
		{"a deletion", func() error { return a.Delete(t.Context(), "a") },
			func(_ instance.Instance, err error) bool { return errors.Is(err, instance.ErrNotFound) }},
	} {
		all := []*Store{a, b, c}
		for _, s := range all {
			s.Find(t.Context(), "a") // and cache it
		}
		if err := row.change(); err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		for i, s := range all {
			for deadline := time.After(20 * time.Second); !row.shows(s.Find(t.Context(), "a")); {
				select {
				case <-deadline:
					t.Fatalf("%s never showed at replica %d", row.name, i)
				case <-time.After(time.Millisecond):
				}
			}
		}
	}
}
