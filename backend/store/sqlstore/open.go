// Package sqlstore stores instances, jobs and the app's own tables in a SQL database:
// SQLite, in a file beside the program or in memory, or Postgres, which several processes
// may share. Each call ends after CallTimeout if its context sets no deadline, and each
// error says what was being done.
package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
)

// CallTimeout bounds a call whose context has no deadline. It is longer than SQLite
// waits for another process's lock (5 s), so that such a wait ends with its own error, and
// shorter than a request of the app's may take (10 s), so that this ends with an answer.
const CallTimeout = 8 * time.Second

// startPatience is how long Open waits for another process that has locked the database,
// and startPause the time from one attempt to the next.
const (
	startPatience = time.Minute
	startPause    = 100 * time.Millisecond
)

// Options may be left zero.
type Options struct {
	// Readers is how many reads may run at once. 0 stands for the number of
	// processors, and at least 4; on Postgres it stands for 8.
	Readers int
	// App is the app's share of the database: its migrations, tables and event hook.
	App kit.Data
	// Settings completes stored settings with their defaults when an instance is read, and
	// parts them from the secrets; an instance that has saved none stores {}. Nil leaves them
	// as they are.
	Settings func(stored json.RawMessage) (settings, secrets json.RawMessage)
	// Logger is where Open says what it waits for. None by default.
	Logger *slog.Logger
}

// Store implements instance.Store, instance.Jobs and kit.DB on a SQL database.
type Store struct {
	dialect dialect
	app     kit.Data
	// SQLite has one writer at a time, so there writes queue for the one connection
	// of their pool, where a wait obeys the caller's context and is fair. A database in
	// memory has one pool for both.
	write, read *sql.DB
	// keeper is nil on Postgres.
	keeper *keeper
	writes writeProof
	// unerased says that traces of what was deleted may be left: see erase.
	unerased atomic.Bool

	// What Claim remembers: see claim.go.
	turns     turns
	clampedAt atomic.Int64

	find     *sql.Stmt
	settings func(stored json.RawMessage) (settings, secrets json.RawMessage)
}

var (
	_ instance.Store = (*Store)(nil)
	_ instance.Jobs  = (*Store)(nil)
	_ kit.DB         = (*Store)(nil)
)

// Open connects to a database and brings its schema up to date, Nametag's first and then
// the app's. databaseURL is sqlite:PATH, a file that is created if it does not exist;
// sqlite::memory:, a database of this Store alone, which ends with it; or
// postgres://USER:PASSWORD@HOST/DATABASE with any parameter that pgx knows, such as
// sslmode. Several processes may open a database at once. One that a newer program has
// migrated is refused. A fault in the declaration of the app's tables is a *DataError. No
// error contains the password. Nothing is written where the schema is up to date. Open waits
// a minute for a database that another process has locked.
func Open(ctx context.Context, databaseURL string, o Options) (*Store, error) {
	s, err := openMigrated(ctx, databaseURL, o)
	if err != nil {
		return nil, err
	}
	if s.find, err = s.read.PrepareContext(ctx, s.dialect.rebind(findSQL)); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare a query of %s: %w", s.dialect.target, err), s.Close())
	}
	return s, nil
}

func openMigrated(ctx context.Context, databaseURL string, o Options) (*Store, error) {
	if err := CheckData(o.App); err != nil {
		return nil, err
	}
	for began, said := time.Now(), false; ; {
		s, err := tryToOpen(ctx, databaseURL, o)
		if err == nil || !isSQLiteLocked(err) || time.Since(began) >= startPatience {
			return s, err
		}
		if !said && o.Logger != nil {
			said = true
			o.Logger.WarnContext(ctx, "waiting for the database: another process has locked it", "cause", err)
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		case <-time.After(startPause):
		}
	}
}

func tryToOpen(ctx context.Context, databaseURL string, o Options) (*Store, error) {
	s, err := connect(ctx, databaseURL, o, true)
	if err != nil {
		return nil, err
	}
	err = s.migrate(ctx)
	if err == nil {
		err = s.checkTables(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// connect opens the pools and checks that the database answers. It runs no migration.
func connect(ctx context.Context, databaseURL string, o Options, create bool) (*Store, error) {
	d, err := newDialect(databaseURL)
	if err != nil {
		return nil, err
	}
	if err := d.prepare(ctx, create); err != nil {
		return nil, err
	}
	if o.Readers <= 0 {
		o.Readers = d.readers
	}
	s := &Store{dialect: d, app: o.App, settings: o.Settings, writes: writeProof{turn: make(chan struct{}, 1)}}
	s.unerased.Store(true) // a process before this one may have been killed
	if s.settings == nil {
		s.settings = func(stored json.RawMessage) (settings, secrets json.RawMessage) { return stored, nil }
	}
	if d.keepDSN != "" {
		if s.keeper, err = keep(ctx, d); err != nil {
			return nil, fmt.Errorf("open the database %s: %w", d.target, explainAccess(err))
		}
	}
	if s.write, err = openPool(d, d.writeDSN, d.writers); err != nil {
		return nil, errors.Join(fmt.Errorf("open the database %s: %w", d.target, err), s.keeper.Close())
	}
	s.read = s.write
	if !d.inMemory {
		if s.read, err = openPool(d, d.readDSN, o.Readers); err != nil {
			return nil, errors.Join(fmt.Errorf("open the database %s: %w", d.target, err), s.write.Close(), s.keeper.Close())
		}
	}
	err = s.write.PingContext(ctx)
	if err == nil && d.accept != nil {
		err = d.accept(ctx, s.write)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the database %s: %w", d.target, connectError{err}), s.Close())
	}
	return s, nil
}

func openPool(d dialect, dsn string, size int) (*sql.DB, error) {
	db, err := d.open(dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxLifetime(d.maxAge)
	db.SetConnMaxIdleTime(d.maxIdle)
	return db, nil
}

// Close waits for running calls and closes the database. SQLite's last connection to a
// file folds the write-ahead log into it: that must be the writer's, since the readers may
// not write.
func (s *Store) Close() error {
	return errors.Join(s.read.Close(), s.keeper.Close(), s.write.Close())
}
