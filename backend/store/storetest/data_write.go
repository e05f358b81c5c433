package storetest

// What reading and writing through kit.DB does for one caller.

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
)

// What Write has committed can be read.
func writeCommits(t *testing.T, open Opener) {
	s := open(t, AppData())
	seen(t, s, "a", "", noon())
	mustAddNotes(t, s, "a", "one", "two")
	wantNotes(t, s, "a", "one", "two")
	wantNotes(t, s, "b")
}

// A write for an instance that does not exist is ErrNotFound, and does not run.
func writeOfMissingInstance(t *testing.T, open Opener) {
	s := open(t, AppData())
	seen(t, s, "deleted", "", noon())
	deleteInstance(t, s, "deleted")
	for _, id := range []string{"deleted", "never seen", ""} {
		err := s.Write(t.Context(), id, func(kit.Tx) error { t.Errorf("%q: the function ran", id); return nil })
		if !errors.Is(err, instance.ErrNotFound) {
			t.Errorf("Write(%q): %v; want ErrNotFound", id, err)
		}
	}
}

// A write for an instance that was removed is ErrRemoved, until it is installed again.
func writeOfRemovedInstance(t *testing.T, open Opener) {
	s := open(t, AppData())
	seen(t, s, "a", "", noon())
	mustAddNotes(t, s, "a", "before")
	apply(t, s, event("1", "a", instance.EventRemoved, after(10)))
	if err := addNote(t.Context(), s, "a", 1, "while removed"); !errors.Is(err, instance.ErrRemoved) {
		t.Errorf("Write: %v; want ErrRemoved", err)
	}
	wantNotes(t, s, "a", "before")
	apply(t, s, event("2", "a", instance.EventInstalled, after(20)))
	if err := addNote(t.Context(), s, "a", 1, "after"); err != nil {
		t.Errorf("Write: %v", err)
	}
	wantNotes(t, s, "a", "before", "after")
}

// WriteEach writes for every instance that is there and installed, in one transaction, and
// leaves the others out.
func writeEachLeavesOthersOut(t *testing.T, open Opener) {
	s := open(t, AppData())
	for _, id := range []string{"a", "b", "removed"} {
		seen(t, s, id, "", noon())
	}
	apply(t, s, event("1", "removed", instance.EventRemoved, after(10)))
	var order []string
	err := s.WriteEach(t.Context(), []string{"removed", "b", "never seen", "a", "b"}, func(tx kit.Tx, id string) error {
		order = append(order, id)
		return insertNote(t.Context(), tx, id, 1, "of "+id)
	})
	if err != nil || !slices.Equal(order, []string{"a", "b"}) {
		t.Errorf("it ran for %q, %v", order, err)
	}
	wantNotes(t, s, "a", "of a")
	wantNotes(t, s, "b", "of b")
	wantNotes(t, s, "removed")

	failed := errors.New("the app says no")
	err = s.WriteEach(t.Context(), []string{"a", "b"}, func(tx kit.Tx, id string) error {
		if id == "b" {
			return failed
		}
		return insertNote(t.Context(), tx, id, 2, "lost")
	})
	if err != failed {
		t.Errorf("WriteEach: %v; want the function's own error", err)
	}
	wantNotes(t, s, "a", "of a")
}

// An error of the function rolls the write back, and comes back as it is.
func writeRollsBackOnError(t *testing.T, open Opener) {
	s := open(t, AppData())
	seen(t, s, "a", "", noon())
	failed := errors.New("the app says no")
	for name, write := range map[string]func(func(kit.Tx) error) error{
		"Write":       func(f func(kit.Tx) error) error { return s.Write(t.Context(), "a", f) },
		"WriteShared": func(f func(kit.Tx) error) error { return s.WriteShared(t.Context(), f) },
	} {
		err := write(func(tx kit.Tx) error {
			if err := insertNote(t.Context(), tx, "a", 1, "lost"); err != nil {
				t.Error(err)
			}
			return failed
		})
		if err != failed {
			t.Errorf("%s: %v; want the function's own error", name, err)
		}
	}
	wantNotes(t, s, "a")
}

// A panic of the function rolls the write back and reaches the caller; the store goes on.
func writeRollsBackOnPanic(t *testing.T, open Opener) {
	s := open(t, AppData())
	seen(t, s, "a", "", noon())
	func() {
		defer func() {
			if p := recover(); p != "boom" {
				t.Errorf("recovered %v", p)
			}
		}()
		s.Write(t.Context(), "a", func(tx kit.Tx) error {
			if err := insertNote(t.Context(), tx, "a", 1, "lost"); err != nil {
				t.Error(err)
			}
			panic("boom")
		})
	}()
	wantNotes(t, s, "a")
	mustAddNotes(t, s, "a", "next")
}

// WriteShared needs no instance.
func writeSharedNeedsNoInstance(t *testing.T, open Opener) {
	s := open(t, AppData())
	for range 3 {
		err := s.WriteShared(t.Context(), func(tx kit.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO counters (name, n) VALUES (?, 1)
				ON CONFLICT (name) DO UPDATE SET n = counters.n + 1`, "visits")
			return err
		})
		if err != nil {
			t.Fatalf("WriteShared: %v", err)
		}
	}
	var n int
	if err := s.QueryRow(t.Context(), `SELECT n FROM counters WHERE name = ?`, "visits").Scan(&n); err != nil || n != 3 {
		t.Errorf("the counter is %d, %v", n, err)
	}
}

// A ? is an argument on both databases, except in literals, quoted names and comments.
func writePlaceholders(t *testing.T, open Opener) {
	s := open(t, AppData())
	seen(t, s, "a", "", noon())
	const query = `SELECT '?' || CAST(? AS TEXT) || 'it''s ?' AS "what?", CAST(? AS INTEGER) -- really?
/* or not? */`
	scan := func(row interface{ Scan(...any) error }) {
		t.Helper()
		var text string
		var n int
		if err := row.Scan(&text, &n); err != nil || text != "?oneit's ?" || n != 2 {
			t.Errorf("got %q, %d, %v", text, n, err)
		}
	}
	scan(s.QueryRow(t.Context(), query, "one", 2))
	err := s.Write(t.Context(), "a", func(tx kit.Tx) error {
		scan(tx.QueryRow(t.Context(), query, "one", 2))
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if d := s.Dialect(); d != "sqlite" && d != "postgres" {
		t.Errorf("the dialect is %q", d)
	}
}

// A transaction reads what it has written.
func writeSeesItsOwnRows(t *testing.T, open Opener) {
	s := open(t, AppData())
	seen(t, s, "a", "", noon())
	err := s.Write(t.Context(), "a", func(tx kit.Tx) error {
		if err := insertNote(t.Context(), tx, "a", 1, "one"); err != nil {
			return err
		}
		rows, err := tx.Query(t.Context(), `SELECT text FROM notes WHERE instance_id = ?`, "a")
		if err != nil {
			return err
		}
		defer rows.Close()
		n := 0
		for rows.Next() {
			n++
		}
		if n != 1 {
			t.Errorf("the transaction reads %d rows of its own", n)
		}
		return rows.Err()
	})
	if err != nil {
		t.Error(err)
	}
}

// Blobs and text come back as they were written, whatever the text.
func queryReadsRows(t *testing.T, open Opener) {
	s := open(t, AppData())
	seen(t, s, "a", "", noon())
	blob := []byte{0, 255, '?', '\'', 10}
	for n, text := range texts() {
		err := s.Write(t.Context(), "a", func(tx kit.Tx) error {
			result, err := tx.Exec(t.Context(), `INSERT INTO notes (instance_id, n, text, data) VALUES (?, ?, ?, ?)`, "a", n, text, blob)
			if err == nil {
				if changed, err := result.RowsAffected(); err != nil || changed != 1 {
					t.Errorf("RowsAffected = %d, %v", changed, err)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var gotText string
		var gotBlob []byte
		err = s.QueryRow(t.Context(), `SELECT text, data FROM notes WHERE n = ?`, n).Scan(&gotText, &gotBlob)
		if err != nil || gotText != text || !bytes.Equal(gotBlob, blob) {
			t.Errorf("%q came back as %q, %v, %v", text, gotText, gotBlob, err)
		}
	}
}

// dataCalls are the calls of kit.DB, each as one that would succeed and change something
// if it can.
func dataCalls(s Storage) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Query": func(ctx context.Context) error {
			rows, err := s.Query(ctx, `SELECT text FROM notes`)
			if err == nil {
				err = errors.Join(rows.Err(), rows.Close())
			}
			return err
		},
		"QueryRow": func(ctx context.Context) error {
			var n int
			return s.QueryRow(ctx, `SELECT count(*) FROM notes`).Scan(&n)
		},
		"Write": func(ctx context.Context) error { return addNote(ctx, s, "a", 7, "late") },
		"WriteShared": func(ctx context.Context) error {
			return s.WriteShared(ctx, func(tx kit.Tx) error { return insertNote(ctx, tx, "a", 8, "late") })
		},
	}
}

// A call whose context has ended fails with the context's error and writes nothing.
func dataFaults(t *testing.T, open Opener) {
	s := open(t, AppData())
	seen(t, s, "a", "", noon())
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancelLate := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancelLate()
	for name, call := range dataCalls(s) {
		if err := call(cancelled); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v; want context.Canceled", name, err)
		}
		if err := call(late); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v; want context.DeadlineExceeded", name, err)
		}
	}
	wantNotes(t, s, "a")
	for name, call := range dataCalls(s) {
		if err := call(t.Context()); err != nil {
			t.Errorf("%s afterwards: %v", name, err)
		}
	}
}

// A closed store answers every call with an error.
func dataClosedStore(t *testing.T, open Opener) {
	s := open(t, AppData())
	seen(t, s, "a", "", noon())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, call := range dataCalls(s) {
		if err := call(t.Context()); err == nil || errors.Is(err, instance.ErrNotFound) {
			t.Errorf("%s on a closed store: %v", name, err)
		}
	}
}
