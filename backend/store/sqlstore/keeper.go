package sqlstore

// The connection to SQLite that stays open as long as a Store.

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// keeper is a connection that stays open while the pools drop and make theirs, as they do
// when a transaction's context ends at the wrong moment. It keeps a database in memory
// alive, and the write-ahead log of a file the same file: the last connection that is closed
// deletes the log.
type keeper struct {
	db   *sql.DB
	conn *sql.Conn
	// path is where the database file is, and files are it and its log as they were opened,
	// by path. A database in memory has none.
	path  string
	files map[string]os.FileInfo
}

func keep(ctx context.Context, d dialect) (_ *keeper, err error) {
	k := &keeper{path: d.file, files: map[string]os.FileInfo{}}
	if k.db, err = d.open(d.keepDSN); err != nil {
		return nil, err
	}
	if k.conn, err = k.db.Conn(ctx); err != nil {
		return nil, errors.Join(err, k.db.Close())
	}
	if d.file == "" {
		return k, nil
	}
	// The log is opened with the first look at the database.
	var n int
	err = k.conn.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&n)
	if err == nil {
		err = k.identify()
	}
	if err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

// identify notes which files are open.
func (k *keeper) identify() error {
	real, err := filepath.EvalSymlinks(k.path)
	if err != nil {
		return err
	}
	for _, path := range []string{k.path, real + "-wal"} {
		if k.files[path], err = os.Stat(path); err != nil {
			return err
		}
	}
	return nil
}

// errMoved says that a write is of no use.
var errMoved = errors.New("it was deleted or replaced while it was open, and what is written now would be lost: restart the program")

// inPlace checks that the files which are open are still those that the next start will
// open. A write that succeeds before it does is one that will be found.
func (k *keeper) inPlace() error {
	if k == nil {
		return nil
	}
	for path, opened := range k.files {
		if found, err := os.Stat(path); err != nil || !os.SameFile(found, opened) {
			return fmt.Errorf("the file %s: %w", path, errors.Join(errMoved, err))
		}
	}
	return nil
}

const (
	// emptyTries is how often the keeper tries to empty the log, and emptyPause the pause
	// after each try, in which others may write. A try waits for 50 ms, with the write lock
	// in its hand (keepDSN).
	emptyTries = 25
	emptyPause = 150 * time.Millisecond
)

// emptyLog moves what is in the write-ahead log to the file and empties the log, which
// still holds what the file no longer does. It waits for those who read from the log.
func (k *keeper) emptyLog(ctx context.Context) error {
	for try := 1; ; try++ {
		var busy, frames, moved int
		err := k.conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved)
		if err == nil && busy == 0 {
			return nil
		}
		if err == nil {
			err = errors.New("another connection is reading it")
		} else if !isSQLiteLocked(err) {
			try = emptyTries
		}
		if try >= emptyTries {
			return fmt.Errorf("empty the write-ahead log: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("empty the write-ahead log: %w", errors.Join(err, ctx.Err()))
		case <-time.After(emptyPause):
		}
	}
}

// Close lets the database go. It may be called twice.
func (k *keeper) Close() error {
	if k == nil {
		return nil
	}
	err := k.conn.Close()
	if errors.Is(err, sql.ErrConnDone) {
		err = nil
	}
	return errors.Join(err, k.db.Close())
}
