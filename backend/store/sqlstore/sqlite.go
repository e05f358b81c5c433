// SQLite: a file beside the program.

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteOptions are spelt in the driver's long form: it ignores a name that it does
// not know, so each is read back in a test. _error_rc keeps the remains of an earlier
// error out of an error's text.
//
// In WAL mode readers and the writer do not wait for each other. synchronous=FULL
// makes the disk keep a write before it is acknowledged, through a power failure too:
// Wix does not send again what was answered. A transaction begins immediate, because
// one that reads first and then writes may find that it has to start again.
const sqliteOptions = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)&_txlock=immediate&_error_rc=1"

func newSQLite(path string) (dialect, error) {
	switch {
	case path == "":
		return dialect{}, errors.New("the database URL names no file: write sqlite:PATH")
	case strings.HasPrefix(path, ":memory:"):
		return dialect{}, errors.New("a SQLite database in memory belongs to a single connection, and this store uses several: name a file")
	case strings.HasPrefix(path, "file:"):
		return dialect{}, errors.New("the database URL must be sqlite:PATH with a plain path, not a file: URI")
	case strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///"):
		return dialect{}, errors.New("the database URL must be sqlite:PATH without //, for example sqlite:nametag.db or sqlite:/var/lib/nametag.db")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return dialect{}, fmt.Errorf("finding the SQLite database: %w", err)
	}
	file := url.URL{Scheme: "file", Path: path}
	dsn := file.String() + "?" + sqliteOptions
	return dialect{
		target:   path,
		open:     func(dsn string) (*sql.DB, error) { return sql.Open("sqlite", dsn) },
		writeDSN: dsn,
		readDSN:  dsn + "&_pragma=query_only(ON)",
		writers:  1,
		readers:  max(4, runtime.NumCPU()),
		rebind:   func(query string) string { return query },
		again:    func(error) bool { return false },
		prepare: func(ctx context.Context, create bool) error {
			if err := prepareFile(path, create); err != nil {
				return err
			}
			if err := enterWAL(ctx, file.String()); err != nil {
				return fmt.Errorf("opening the SQLite database %s: %w", path, err)
			}
			return nil
		},
		migrations: "migrations/sqlite",
		goose:      goose.DialectSQLite3,
		versionTable: []string{
			`CREATE TABLE IF NOT EXISTS goose_db_version (
				id INTEGER PRIMARY KEY AUTOINCREMENT,
				version_id INTEGER NOT NULL UNIQUE,
				is_applied INTEGER NOT NULL,
				tstamp TIMESTAMP DEFAULT (datetime('now'))
			)`,
			`INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1) ON CONFLICT (version_id) DO NOTHING`,
		},
	}, nil
}

// prepareFile says plainly what SQLite would only call "unable to open", and makes
// a new file readable by its owner alone. It never opens a file that exists: closing
// it again would drop the locks that this process holds on it.
func prepareFile(path string, create bool) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("the SQLite database %s is a directory", path)
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("the SQLite database %s is not a regular file", path)
	case err == nil && info.Mode().Perm()&0o222 == 0:
		return fmt.Errorf("the SQLite database %s is read-only", path)
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("looking for the SQLite database: %w", err)
	case !create:
		return fmt.Errorf("the SQLite database %s does not exist", path)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return fmt.Errorf("the SQLite database %s cannot be made: its directory does not exist", path)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was quicker
	}
	if err != nil {
		return fmt.Errorf("making the SQLite database: %w", err)
	}
	return file.Close()
}

// enterWAL puts the file into WAL mode, where it then stays, before anything else
// opens it. The change needs the file for itself: of several processes that try at
// once, each may hold what another waits for until a timeout ends it, so the waits
// here are short, and repeated.
func enterWAL(ctx context.Context, file string) error {
	db, err := sql.Open("sqlite", file+"?_pragma=busy_timeout(20)&_error_rc=1")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	ctx, cancel := bounded(ctx)
	defer cancel()
	for {
		var mode string
		err := db.QueryRowContext(ctx, "PRAGMA journal_mode(WAL)").Scan(&mode)
		if err == nil && mode != "wal" {
			return fmt.Errorf("it cannot have a write-ahead log where it is; its journal mode stays %q", mode)
		}
		var e *sqlite.Error
		if !errors.As(err, &e) || e.Code()&0xff != sqlite3.SQLITE_BUSY {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(time.Duration(1+rand.IntN(30)) * time.Millisecond):
		}
	}
}
