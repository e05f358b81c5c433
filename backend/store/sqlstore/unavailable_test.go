package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/nametag-dev/nametag/backend/store/pgtest"
)

// openOn opens a store on an empty database.
func openOn(t *testing.T, databaseURL string) *Store {
	t.Helper()
	s, err := Open(t.Context(), databaseURL, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestStore_IsUnavailable(t *testing.T) {
	for name, databaseURL := range map[string]string{
		"SQLite": "sqlite:" + filepath.Join(t.TempDir(), "a.db"), "memory": "sqlite::memory:", "Postgres": pgtest.URL(t),
	} {
		t.Run(name, func(t *testing.T) {
			s := openOn(t, databaseURL)
			if _, err := s.Query(t.Context(), `SELECT nothing FROM nowhere`); err == nil || s.IsUnavailable(err) {
				t.Errorf("a wrong statement: %v", err)
			}
			if s.IsUnavailable(errors.New("the app says no")) || s.IsUnavailable(nil) {
				t.Error("any error counts")
			}
			late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
			defer cancel()
			var n int
			if err := s.QueryRow(late, `SELECT count(*) FROM instances`).Scan(&n); !s.IsUnavailable(fmt.Errorf("count: %w", err)) {
				t.Errorf("a call that was too late: %v", err)
			}
		})
	}
}

func TestStore_IsUnavailable_lockedFile(t *testing.T) {
	path := "sqlite:" + filepath.Join(t.TempDir(), "a.db")
	s, other := openOn(t, path), openOn(t, path)
	tx, err := other.write.BeginTx(t.Context(), nil) // immediate: it has the file's one write lock
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := s.write.ExecContext(t.Context(), `PRAGMA busy_timeout = 0`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.write.ExecContext(t.Context(), `DELETE FROM jobs`); !s.IsUnavailable(err) {
		t.Errorf("a lock that is not to be had: %v", err)
	}
}

func TestIsPostgresUnavailable(t *testing.T) {
	for code, want := range map[string]bool{
		"08006": true, "53300": true, "57P01": true, "58030": true, "25006": true, "55P03": true,
		"23505": false, "42P01": false, "40001": false, "25P02": false,
	} {
		if got := isPostgresUnavailable(fmt.Errorf("query: %w", &pgconn.PgError{Code: code})); got != want {
			t.Errorf("%s: %v, want %v", code, got, want)
		}
	}
}
