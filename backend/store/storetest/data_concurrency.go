package storetest

// What many callers of kit.DB see at once.

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
)

// Two writes for one instance run one after the other, so that a limit holds that counts
// rows before it adds one.
func writesOfOneInstanceTakeTurns(t *testing.T, open Opener) {
	const limit, writers = 3, 12
	s := open(t, AppData())
	seen(t, s, "a", "", noon())
	var wg sync.WaitGroup
	for n := range writers {
		wg.Go(func() {
			err := s.Write(t.Context(), "a", func(tx kit.Tx) error {
				var count int
				if err := tx.QueryRow(t.Context(), `SELECT count(*) FROM notes WHERE instance_id = ?`, "a").Scan(&count); err != nil {
					return err
				}
				if count >= limit {
					return nil
				}
				return insertNote(t.Context(), tx, "a", n, "one of a few")
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := countNotes(t, s); n != limit {
		t.Errorf("%d notes were written, %d are allowed", n, limit)
	}
}

// No write of many at once is lost.
func concurrentWritesLoseNone(t *testing.T, open Opener) {
	s := open(t, AppData())
	for i := range 3 {
		seen(t, s, fmt.Sprint(i), "", noon())
	}
	together(crowd, func(i int) {
		for n := range 5 {
			if err := addNote(t.Context(), s, fmt.Sprint(i%3), i*100+n, "x"); err != nil {
				t.Errorf("Write: %v", err)
			}
			err := s.WriteShared(t.Context(), func(tx kit.Tx) error {
				_, err := tx.Exec(t.Context(), `INSERT INTO counters (name, n) VALUES ('notes', 1)
					ON CONFLICT (name) DO UPDATE SET n = counters.n + 1`)
				return err
			})
			if err != nil {
				t.Errorf("WriteShared: %v", err)
			}
			var text string
			if err := s.QueryRow(t.Context(), `SELECT text FROM notes WHERE n = ?`, i*100+n).Scan(&text); err != nil || text != "x" {
				t.Errorf("QueryRow = %q, %v", text, err)
			}
		}
	})
	var n int
	if err := s.QueryRow(t.Context(), `SELECT n FROM counters`).Scan(&n); err != nil || n != crowd*5 || countNotes(t, s) != crowd*5 {
		t.Errorf("%d were counted, %v; %d are stored", n, err, countNotes(t, s))
	}
}

// An instance that is deleted while the app writes leaves no row of it, and no writer sees
// another error than ErrNotFound.
func concurrentWritesAndDelete(t *testing.T, open Opener) {
	s := open(t, AppData())
	together(12, func(i int) {
		for n := range 8 {
			var err error
			switch i % 3 {
			case 0:
				_, err = s.Seen(t.Context(), visit("a", "", noon()))
			case 1:
				err = addNote(t.Context(), s, "a", i*100+n, "x")
			case 2:
				err = s.Delete(t.Context(), "a")
			}
			if err != nil && !errors.Is(err, instance.ErrNotFound) && !strings.Contains(err.Error(), "UNIQUE") {
				t.Errorf("kind %d: %v", i%3, err)
			}
		}
	})
	deleteInstance(t, s, "a")
	wantMissing(t, s, "a")
	if n := countNotes(t, s); n != 0 {
		t.Errorf("%d notes are left", n)
	}
}

// What the app writes while an instance is removed is either stored before the removal or
// refused.
func concurrentWritesAndRemoval(t *testing.T, open Opener) {
	s := open(t, AppData())
	seen(t, s, "a", "", noon())
	var stored atomic.Int64
	together(crowd, func(i int) {
		if i == crowd/2 {
			if _, _, err := s.ApplyEvent(t.Context(), event("1", "a", instance.EventRemoved, noon()), noon()); err != nil {
				t.Errorf("ApplyEvent: %v", err)
			}
			if err := addNote(t.Context(), s, "a", 1000, "late"); !errors.Is(err, instance.ErrRemoved) {
				t.Errorf("Write after the removal: %v", err)
			}
			return
		}
		switch err := addNote(t.Context(), s, "a", i, "x"); {
		case err == nil:
			stored.Add(1)
		case !errors.Is(err, instance.ErrRemoved):
			t.Errorf("Write: %v", err)
		}
	})
	if n := countNotes(t, s); n != int(stored.Load()) {
		t.Errorf("%d notes are stored, %d writes succeeded", n, stored.Load())
	}
}

// A deletion that comes while a write is under way waits for it, and then deletes what it
// has written.
func concurrentWritesAndPurge(t *testing.T, open Opener) {
	s := open(t, AppData())
	seen(t, s, "a", "", noon())
	deleted := make(chan error, 1)
	err := s.Write(t.Context(), "a", func(tx kit.Tx) error {
		begun := make(chan struct{})
		go func() {
			close(begun)
			deleted <- s.Delete(t.Context(), "a")
		}()
		<-begun
		return insertNote(t.Context(), tx, "a", 1, "x")
	})
	if err != nil {
		t.Errorf("Write: %v", err)
	}
	if err := <-deleted; err != nil {
		t.Errorf("Delete: %v", err)
	}
	wantMissing(t, s, "a")
	if n := countNotes(t, s); n != 0 {
		t.Errorf("%d notes are left", n)
	}
}
