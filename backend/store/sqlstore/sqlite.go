package sqlstore

// SQLite in a file beside the program.

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

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteOptions are in the driver's long form: it ignores a name that it does not know,
// so a test reads each of them back. _error_rc keeps the remains of an earlier error out
// of an error's text.
//
// In WAL mode readers and the writer do not wait for each other. synchronous=FULL
// makes a write durable before it is acknowledged, through a power failure too: Wix does
// not send again what was answered. secure_delete=ON overwrites what is deleted.
// journal_size_limit is what is left of the log in bytes when a long reader had made it
// grow; it is twice of what the log has as a rule. A transaction begins immediate, because one that reads first and then writes may find that
// it has to start again.
const sqliteOptions = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)&_pragma=secure_delete(ON)&_pragma=journal_size_limit(8388608)&_txlock=immediate&_error_rc=1"

func newSQLite(path string) (dialect, error) {
	switch {
	case path == "":
		return dialect{}, errors.New("the database URL names no file: write sqlite:PATH")
	case path == ":memory:":
		return newMemory(), nil
	case strings.HasPrefix(path, ":memory:"):
		return dialect{}, errors.New("a SQLite database in memory, sqlite::memory:, takes no options")
	case strings.HasPrefix(path, "file:"):
		return dialect{}, errors.New("the database URL must be sqlite:PATH with a plain path, not a file: URI")
	case strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///"):
		return dialect{}, errors.New("the database URL must be sqlite:PATH without //, for example sqlite:app.db or sqlite:/var/lib/app.db")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return dialect{}, fmt.Errorf("find the SQLite database: %w", err)
	}
	file := url.URL{Scheme: "file", Path: path}
	dsn := file.String() + "?" + sqliteOptions
	d := newSQLiteDialect(path, dsn)
	d.readDSN = dsn + "&_pragma=query_only(ON)"
	d.readers = max(4, runtime.NumCPU())
	d.file = path
	d.keepDSN = strings.Replace(dsn, "busy_timeout(5000)", "busy_timeout(50)", 1)
	d.prepare = func(ctx context.Context, create bool) error {
		if err := prepareFile(path, create); err != nil {
			return err
		}
		if err := enterWAL(ctx, file.String()); err != nil {
			return fmt.Errorf("open the SQLite database %s: %w", path, explainAccess(err))
		}
		return nil
	}
	return d, nil
}

// explainAccess says what must be writable where SQLite only says that something is not.
func explainAccess(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
			return fmt.Errorf("the file and its directory must be writable for the user who runs this program, because SQLite keeps its write-ahead log beside the file: %w", err)
		}
	}
	return err
}

// prepareFile explains what SQLite would only call "unable to open", and creates a new
// file that only its owner can read. It never opens an existing file: closing it again
// would drop the locks that this process holds on it.
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
		return fmt.Errorf("look for the SQLite database: %w", err)
	case !create:
		return fmt.Errorf("the SQLite database %s does not exist", path)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return fmt.Errorf("the SQLite database %s cannot be created: its directory does not exist", path)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was faster
	}
	if err != nil {
		return fmt.Errorf("create the SQLite database: %w", err)
	}
	return file.Close()
}

// enterWAL puts the file into WAL mode, where it then stays, before anything else opens
// it. The change needs exclusive access: of several processes that try at once, each may
// hold what another waits for until a timeout ends it, so the waits here are short, and
// repeated.
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
		if !isSQLiteLocked(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(time.Duration(1+rand.IntN(30)) * time.Millisecond):
		}
	}
}
