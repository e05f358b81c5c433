// What differs between one kind of database and another, all in one struct.

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
)

// dialect is one database of one kind. The store's SQL is common to all kinds:
// plain types, ON CONFLICT and RETURNING, and ? for each argument.
type dialect struct {
	// target names the database in messages. It holds no secret.
	target string
	// open makes a pool of one of the two DSNs, which say how to connect. The lock
	// that a transaction takes when it begins is part of writeDSN.
	open              func(dsn string) (*sql.DB, error)
	writeDSN, readDSN string
	// writers is how many connections may write at once.
	writers int
	// readers is how many reads may run at once unless Options says otherwise.
	readers int
	// maxAge and maxIdle are how long a connection is kept, and how long unused. 0
	// is without end.
	maxAge, maxIdle time.Duration
	// rebind turns ? into the driver's own placeholders.
	rebind func(query string) string
	// forUpdate ends a SELECT whose rows the transaction is going to change, and
	// skipLocked one that leaves out rows which another transaction holds so. Both
	// begin with a space, or are "" where a transaction is alone anyhow.
	forUpdate, skipLocked string
	// again says whether a transaction that failed with this error may succeed when
	// it is run again from its beginning.
	again func(error) bool
	// notifySQL tells listeners its one argument when the transaction is committed. ""
	// is for a database that serves one process.
	notifySQL string
	// prepare does what must be done before connecting, and makes a missing
	// database if create is set.
	prepare func(ctx context.Context, create bool) error

	migrations string // the folder under migrations/
	goose      goose.Dialect
	// gooseOptions add the lock under which several processes migrate one by one, where
	// the database has one.
	gooseOptions []goose.ProviderOption
	// versionTable is SQL that makes goose's table if it is not there, such that
	// it can hold a version only once. See migrate for why.
	versionTable []string
}

// newDialect reads a database URL. Its errors do not repeat the URL, which may
// hold a password.
func newDialect(databaseURL string) (dialect, error) {
	if isPostgres(databaseURL) {
		return newPostgres(databaseURL)
	}
	path, found := strings.CutPrefix(databaseURL, "sqlite:")
	if !found {
		return dialect{}, errors.New("the database URL must be sqlite:PATH, for example sqlite:nametag.db or sqlite:/var/lib/nametag.db, or postgres://USER:PASSWORD@HOST/DATABASE")
	}
	return newSQLite(path)
}
