package storetest

// What kit.DB promises of the app's own tables, and what the store does with them when it
// deletes or copies an instance.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
)

// AppData declares an app with two tables: notes, which belong to instances, and counters,
// which are shared.
func AppData() kit.Data {
	const tables = `-- +goose Up
CREATE TABLE notes (
    instance_id TEXT    NOT NULL REFERENCES instances (id),
    n           INTEGER NOT NULL,
    text        TEXT    NOT NULL,
    data        %s,
    PRIMARY KEY (instance_id, n)
);
CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, n INTEGER NOT NULL);

-- +goose Down
DROP TABLE counters;
DROP TABLE notes;
`
	notes := kit.Owned("notes", "instance_id")
	notes.Copy = func(ctx context.Context, tx kit.Tx, originID, instanceID string) error {
		_, err := tx.Exec(ctx, `INSERT INTO notes (instance_id, n, text, data)
			SELECT ?, n, text, data FROM notes WHERE instance_id = ?`, instanceID, originID)
		return err
	}
	return kit.Data{
		Migrations: fstest.MapFS{
			"sqlite/00001_notes.sql":   {Data: fmt.Appendf(nil, tables, "BLOB")},
			"postgres/00001_notes.sql": {Data: fmt.Appendf(nil, tables, "BYTEA")},
		},
		Tables: []kit.Table{notes, {Name: "counters", Shared: true}},
	}
}

// addNote writes a note of an instance.
func addNote(ctx context.Context, s Storage, instanceID string, n int, text string) error {
	return s.Write(ctx, instanceID, func(tx kit.Tx) error { return insertNote(ctx, tx, instanceID, n, text) })
}

func insertNote(ctx context.Context, tx kit.Tx, instanceID string, n int, text string) error {
	_, err := tx.Exec(ctx, `INSERT INTO notes (instance_id, n, text) VALUES (?, ?, ?)`, instanceID, n, text)
	return err
}

// mustAddNotes writes notes numbered from 0.
func mustAddNotes(t *testing.T, s Storage, instanceID string, texts ...string) {
	t.Helper()
	for n, text := range texts {
		if err := addNote(t.Context(), s, instanceID, n, text); err != nil {
			t.Fatalf("add a note: %v", err)
		}
	}
}

// wantNotes compares the notes of an instance.
func wantNotes(t *testing.T, s Storage, instanceID string, want ...string) {
	t.Helper()
	rows, err := s.Query(t.Context(), `SELECT text FROM notes WHERE instance_id = ? ORDER BY n`, instanceID)
	if err != nil {
		t.Fatalf("Query: %v", err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		got = append(got, text)
	}
	if err := rows.Err(); err != nil || !slices.Equal(got, want) {
		t.Errorf("the notes of %q are %q, %v; want %q", instanceID, got, err, want)
	}
}

func countNotes(t *testing.T, s Storage) (n int) {
	t.Helper()
	if err := s.QueryRow(t.Context(), `SELECT count(*) FROM notes`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// broken are ways in which a function of the app fails. release ends what is still
// running.
func broken() (hooks map[string]func(cancel context.CancelFunc) error, release func()) {
	blocked := make(chan struct{})
	return map[string]func(context.CancelFunc) error{
		"an error": func(context.CancelFunc) error { return errors.New("the app says no") },
		"a panic":  func(context.CancelFunc) error { panic("the app panics") },
		"a block": func(cancel context.CancelFunc) error {
			cancel() // as if the time were up
			<-blocked
			return nil
		},
	}, func() { close(blocked) }
}

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

// A purge leaves no row of a purged instance in the app's tables, and every row of others.
func purgeDeletesOwnRows(t *testing.T, open Opener) {
	s := open(t, AppData())
	for _, id := range []string{"a", "b", "stays"} {
		seen(t, s, id, "", noon())
		mustAddNotes(t, s, id, "one of "+id, "two of "+id)
	}
	apply(t, s, event("1", "a", instance.EventRemoved, after(10)))
	apply(t, s, event("2", "b", instance.EventRemoved, after(10)))
	if purged := purge(t, s, after(20)); !slices.Equal(purged, []string{"a", "b"}) {
		t.Errorf("PurgeRemoved = %q", purged)
	}
	wantNotes(t, s, "stays", "one of stays", "two of stays")
	if n := countNotes(t, s); n != 2 {
		t.Errorf("%d notes are left", n)
	}
}

// An instance whose purge fails stays whole, does not keep the others from being purged,
// and is purged as soon as it can be.
func purgeGoesOnAfterBrokenHook(t *testing.T, open Opener) {
	for name, fail := range map[string]func() error{
		"an error": func() error { return errors.New("the app says no") },
		"a panic":  func() error { panic("the app says no") },
	} {
		var failing atomic.Bool
		failing.Store(true)
		data := AppData()
		purgeNotes := data.Tables[0].Purge
		data.Tables[0].Purge = func(ctx context.Context, tx kit.Tx, id string) error {
			err := purgeNotes(ctx, tx, id)
			if err == nil && id == "b" && failing.Load() {
				return fail()
			}
			return err
		}
		s := open(t, data)
		for _, id := range []string{"a", "b", "c"} {
			seen(t, s, id, "", noon())
			mustAddNotes(t, s, id, "of "+id)
			apply(t, s, event("removal of "+id, id, instance.EventRemoved, after(10)))
		}
		purged, err := s.PurgeRemoved(t.Context(), after(20))
		if !slices.Equal(purged, []string{"a", "c"}) || err == nil || !strings.Contains(err.Error(), "the app says no") || !strings.Contains(err.Error(), " b:") {
			t.Errorf("%s: PurgeRemoved = %q, %v", name, purged, err)
		}
		find(t, s, "b")
		wantNotes(t, s, "b", "of b")
		if len(jobs(t, s, "b")) == 0 {
			t.Errorf("%s: the jobs of b are deleted", name)
		}
		failing.Store(false)
		if purged := purge(t, s, after(20)); !slices.Equal(purged, []string{"b"}) {
			t.Errorf("%s: PurgeRemoved = %q", name, purged)
		}
		if n := countNotes(t, s); n != 0 {
			t.Errorf("%s: %d notes are left", name, n)
		}
	}
}

// Deleting an instance deletes its rows of the app's tables, even those that were left
// without an instance.
func deleteDeletesOwnRows(t *testing.T, open Opener) {
	s := open(t, AppData())
	for _, id := range []string{"a", "stays"} {
		seen(t, s, id, "", noon())
		mustAddNotes(t, s, id, "of "+id)
	}
	deleteInstance(t, s, "a")
	deleteInstance(t, s, "never there")
	wantMissing(t, s, "a")
	wantMissing(t, s, "never there")
	wantNotes(t, s, "a")
	wantNotes(t, s, "stays", "of stays")
}

// Where a Purge fails, nothing is deleted, and the store goes on.
func deleteWithBrokenHookDeletesNothing(t *testing.T, open Opener) {
	hooks, release := broken()
	defer release()
	for name, fail := range hooks {
		ctx, cancel := context.WithCancel(t.Context())
		data := AppData()
		purgeNotes := data.Tables[0].Purge
		data.Tables[0].Purge = func(ctx context.Context, tx kit.Tx, id string) error {
			if err := purgeNotes(ctx, tx, id); err != nil {
				return err
			}
			return fail(cancel)
		}
		s := open(t, data)
		want := full(t, s, "a")
		mustAddNotes(t, s, "a", "one")
		if err := s.Delete(ctx, "a"); err == nil || !strings.Contains(err.Error(), "Purge of the table notes") {
			t.Errorf("%s: Delete: %v", name, err)
		}
		cancel()
		wantRow(t, "Find", find(t, s, "a"), want)
		wantNotes(t, s, "a", "one")
		if err := addNote(t.Context(), s, "a", 1, "two"); err != nil {
			t.Errorf("%s: Write afterwards: %v", name, err)
		}
	}
}

// A Purge that blocks ends with the call's context.
func purgeHookThatBlocks(t *testing.T, open Opener) {
	ctx, cancel := context.WithCancel(t.Context())
	blocked := make(chan struct{})
	defer close(blocked)
	data := AppData()
	data.Tables[0].Purge = func(context.Context, kit.Tx, string) error { cancel(); <-blocked; return nil }
	s := open(t, data)
	seen(t, s, "a", "", noon())
	apply(t, s, event("1", "a", instance.EventRemoved, after(10)))
	if purged, err := s.PurgeRemoved(ctx, after(20)); len(purged) != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("PurgeRemoved = %q, %v", purged, err)
	}
	find(t, s, "a")
	seen(t, s, "b", "", noon())
}

// The rows of the origin are copied once, when it is first reported, with settings of its
// own or without; they belong to the copy then.
func copyDataOnce(t *testing.T, open Opener) {
	s := open(t, AppData())
	seen(t, s, "origin", "", noon())
	mustAddNotes(t, s, "origin", "one", "two")
	full(t, s, "copy")
	mustAddNotes(t, s, "origin")
	apply(t, s, copied("1", "copy", "origin", noon()))
	wantNotes(t, s, "copy", "one", "two")
	if err := addNote(t.Context(), s, "origin", 2, "three"); err != nil {
		t.Fatal(err)
	}
	apply(t, s, copied("1", "copy", "origin", noon()))
	apply(t, s, copied("2", "copy", "origin", after(1)))
	apply(t, s, copied("3", "copy", "another", after(2)))
	deleteInstance(t, s, "origin")
	wantNotes(t, s, "copy", "one", "two")
	wantNotes(t, s, "origin")
}

// Where a Copy fails, the event stays to be applied, and nothing of it is stored.
func copyDataFails(t *testing.T, open Opener) {
	hooks, release := broken()
	defer release()
	for name, fail := range hooks {
		ctx, cancel := context.WithCancel(t.Context())
		var failing atomic.Bool
		failing.Store(true)
		data := AppData()
		copyNotes := data.Tables[0].Copy
		data.Tables[0].Copy = func(ctx context.Context, tx kit.Tx, originID, instanceID string) error {
			err := copyNotes(ctx, tx, originID, instanceID)
			if err == nil && failing.Load() {
				return fail(cancel)
			}
			return err
		}
		s := open(t, data)
		full(t, s, "origin")
		mustAddNotes(t, s, "origin", "one")
		e := copied("1", "copy", "origin", noon())
		accept(t, s, e)
		if _, _, err := s.ApplyEvent(ctx, e, noon()); err == nil || !strings.Contains(err.Error(), "Copy of the table notes") {
			t.Errorf("%s: ApplyEvent: %v", name, err)
		}
		cancel()
		wantMissing(t, s, "copy")
		wantNotes(t, s, "copy")
		if j := job(t, s, "copy", "1"); j.State != instance.JobPending {
			t.Errorf("%s: the job is %+v", name, j)
		}
		failing.Store(false)
		apply(t, s, e)
		wantNotes(t, s, "copy", "one")
		if row := find(t, s, "copy"); row.Version != 1 {
			t.Errorf("%s: the copy is %+v", name, row)
		}
	}
}

// An instance that names itself as its origin copies nothing.
func copyDataOfItself(t *testing.T, open Opener) {
	s := open(t, AppData())
	seen(t, s, "a", "", noon())
	mustAddNotes(t, s, "a", "one")
	apply(t, s, copied("1", "a", "a", noon()))
	wantNotes(t, s, "a", "one")
}

// Tables are purged in the order of their declaration and copied in the reverse one, as
// foreign keys between them need it.
func dataInOrderOfForeignKeys(t *testing.T, open Opener) {
	const tables = `-- +goose Up
CREATE TABLE albums (owner TEXT NOT NULL REFERENCES instances (id), name TEXT NOT NULL, PRIMARY KEY (owner, name));
CREATE TABLE photos (
    owner TEXT NOT NULL,
    album TEXT NOT NULL,
    FOREIGN KEY (owner, album) REFERENCES albums (owner, name)
);
`
	copyRows := func(query string) func(context.Context, kit.Tx, string, string) error {
		return func(ctx context.Context, tx kit.Tx, originID, instanceID string) error {
			_, err := tx.Exec(ctx, query, instanceID, originID)
			return err
		}
	}
	photos, albums := kit.Owned("photos", "owner"), kit.Owned("albums", "owner")
	photos.Copy = copyRows(`INSERT INTO photos (owner, album) SELECT ?, album FROM photos WHERE owner = ?`)
	albums.Copy = copyRows(`INSERT INTO albums (owner, name) SELECT ?, name FROM albums WHERE owner = ?`)
	s := open(t, kit.Data{
		Migrations: fstest.MapFS{"sqlite/00001_albums.sql": {Data: []byte(tables)}, "postgres/00001_albums.sql": {Data: []byte(tables)}},
		Tables:     []kit.Table{photos, albums},
	})
	seen(t, s, "origin", "", noon())
	err := s.Write(t.Context(), "origin", func(tx kit.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO albums (owner, name) VALUES ('origin', 'one')`)
		if err == nil {
			_, err = tx.Exec(t.Context(), `INSERT INTO photos (owner, album) VALUES ('origin', 'one')`)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	apply(t, s, copied("1", "copy", "origin", noon()))
	deleteInstance(t, s, "origin")
	for table, want := range map[string]int{"albums": 1, "photos": 1} {
		var n int
		if err := s.QueryRow(t.Context(), `SELECT count(*) FROM `+table+` WHERE owner = ?`, "copy").Scan(&n); err != nil || n != want {
			t.Errorf("the copy has %d %s, %v", n, table, err)
		}
	}
	deleteInstance(t, s, "copy")
	var n int
	if err := s.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM albums) + (SELECT count(*) FROM photos)`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows are left, %v", n, err)
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
