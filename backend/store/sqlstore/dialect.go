package sqlstore

// What differs between one kind of database and another, all in one struct.

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
)

// dialect describes one database of one kind. The store's SQL is common to all kinds:
// plain types, ON CONFLICT and RETURNING, and ? for each argument.
type dialect struct {
	// name is "sqlite" or "postgres": kit.DB.Dialect, and the folder of migrations.
	name string
	// target names the database in messages. It contains no secret.
	target string
	// inMemory is a database with one pool for reads and writes.
	inMemory bool
	// file is the path of a SQLite file, or "".
	file string
	// open makes a pool of one of the two DSNs, which say how to connect. The lock
	// that a transaction takes when it begins is part of writeDSN.
	open              func(dsn string) (*sql.DB, error)
	writeDSN, readDSN string
	// keepDSN is for a connection that stays open as long as the Store (keeper), or "".
	keepDSN string
	// writers is how many connections may write at once.
	writers int
	// readers is how many reads may run at once unless Options says otherwise.
	readers int
	// maxAge and maxIdle bound how long a connection lives, and how long unused. 0
	// is without end.
	maxAge, maxIdle time.Duration
	// rebind turns ? into the driver's own placeholders.
	rebind func(query string) string
	// forUpdate ends a SELECT whose rows the transaction is going to change, and skipLocked
	// one that leaves out rows which another transaction has locked. They begin with a
	// space, or are "" where a transaction is alone anyhow.
	forUpdate, skipLocked string
	// lockInstances begins a query for the ids of the given jobs whose instances nobody else
	// is about to lease a job of; "" where a transaction is alone anyhow.
	lockInstances string
	// isUnavailable reports whether an error of the driver says that the database cannot be
	// used now.
	isUnavailable func(error) bool
	// isRetryable reports whether a transaction that failed with this error may succeed
	// when it is run again from its beginning.
	isRetryable func(error) bool
	// snapshot are the options of a transaction that reads one state of the database.
	snapshot *sql.TxOptions
	// tablesSQL lists the tables of the schema by name.
	tablesSQL string
	// notifySQL sends its one argument to all listeners when the transaction is committed.
	// "" is for a database that serves one process.
	notifySQL string
	// prepare does what must be done before connecting, and creates a missing database if
	// create is set.
	prepare func(ctx context.Context, create bool) error
	// accept refuses a database that answers but cannot be used. Nil accepts any.
	accept func(ctx context.Context, db *sql.DB) error

	goose goose.Dialect
	// lockMigrations takes the lock under which several processes migrate one by one.
	// Nil where the database has none: see migrate.
	lockMigrations func(ctx context.Context, db *sql.DB) (unlock func() error, err error)
	// versionTable returns SQL that creates goose's table of that name if it does not
	// exist, such that it can store a version only once. Nil leaves it to goose.
	versionTable func(table string) []string
}

// newDialect reads a database URL. Its errors do not repeat the URL, which may contain a
// password.
func newDialect(databaseURL string) (dialect, error) {
	if isPostgres(databaseURL) {
		return newPostgres(databaseURL)
	}
	path, found := strings.CutPrefix(databaseURL, "sqlite:")
	if !found {
		return dialect{}, errors.New("the database URL must be sqlite:PATH, for example sqlite:app.db or sqlite:/var/lib/app.db, or postgres://USER:PASSWORD@HOST/DATABASE")
	}
	return newSQLite(path)
}
