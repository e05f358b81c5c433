// Package sqlstore keeps instances in a SQL database: SQLite, a file beside the
// program, or Postgres, which several processes may share. Each call ends after
// CallTimeout if its context sets no deadline, and each error says what was being done.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// CallTimeout bounds a call whose context has no deadline. It is longer than SQLite
// waits for another process's lock (5 s), so that such a wait ends with its own error.
const CallTimeout = 10 * time.Second

// Options are what may be chosen beside the database URL.
type Options struct {
	// Readers is how many reads may run at once. 0 stands for the number of
	// processors, and at least 4; on Postgres it stands for 8.
	Readers int
}

// Store is an instance.Store in a SQL database.
type Store struct {
	dialect dialect
	// SQLite has one writer at a time, so there writes queue for the one connection
	// of their pool, where a wait obeys the caller's context and is fair.
	write, read *sql.DB

	find *sql.Stmt
}

var _ instance.Store = (*Store)(nil)

// Open connects to the database that databaseURL names and brings its schema up to
// date: sqlite:PATH, a file that is made if it is not there, or a database that is there,
// postgres://USER:PASSWORD@HOST/DATABASE with any parameter that pgx knows, such as
// sslmode. Several processes may do so at once. A database that a newer program has
// migrated is refused. No error holds the password.
func Open(ctx context.Context, databaseURL string, o Options) (*Store, error) {
	s, err := connect(ctx, databaseURL, o, true)
	if err != nil {
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	for _, p := range []struct {
		stmt  **sql.Stmt
		db    *sql.DB
		query string
	}{
		{&s.find, s.read, findSQL},
	} {
		if *p.stmt, err = p.db.PrepareContext(ctx, s.dialect.rebind(p.query)); err != nil {
			return nil, errors.Join(fmt.Errorf("preparing a query of %s: %w", s.dialect.target, err), s.Close())
		}
	}
	return s, nil
}

// connect makes the pools, with which nothing has been asked yet but whether the
// database answers.
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
	s := &Store{dialect: d}
	if s.write, err = openPool(d, d.writeDSN, d.writers); err != nil {
		return nil, fmt.Errorf("opening the database %s: %w", d.target, err)
	}
	if s.read, err = openPool(d, d.readDSN, o.Readers); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database %s: %w", d.target, err), s.write.Close())
	}
	if err := s.write.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database %s: %w", d.target, err), s.Close())
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

// Close waits for the calls that are under way and lets the database go. SQLite's
// last connection to a file folds the write-ahead log into it: the writer's, since
// the readers may not write.
func (s *Store) Close() error {
	return errors.Join(s.read.Close(), s.write.Close())
}
