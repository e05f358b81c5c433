package storetest

// The app whose tables the checks of data_*.go use, and what those checks share.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/fstest"

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
