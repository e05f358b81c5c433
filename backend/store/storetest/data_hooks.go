package storetest

// When the functions of an app's tables are called, and what happens when they fail.

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
)

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
