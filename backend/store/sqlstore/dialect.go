// What differs between one kind of database and another, all in one struct.

package sqlstore

import (
	"context"
	"errors"
	"strings"

	"github.com/pressly/goose/v3"
)

// dialect is one database of one kind. The store's SQL is common to all kinds:
// plain types, ON CONFLICT and RETURNING, and ? for each argument.
type dialect struct {
	// target names the database in messages. It holds no secret.
	target string
	driver string
	// writeDSN and readDSN say how to connect. The lock that a transaction takes
	// when it begins is part of writeDSN.
	writeDSN, readDSN string
	// writers is how many connections may write at once.
	writers int
	// rebind turns ? into the driver's own placeholders.
	rebind func(query string) string
	// prepare does what must be done before connecting, and makes a missing
	// database if create is set.
	prepare func(ctx context.Context, create bool) error

	migrations string // the folder under migrations/
	goose      goose.Dialect
	// versionTable is SQL that makes goose's table if it is not there, such that
	// it can hold a version only once. See migrate for why.
	versionTable []string
}

// newDialect reads a database URL. Its errors do not repeat the URL, which may
// hold a password.
func newDialect(databaseURL string) (dialect, error) {
	scheme, rest, found := strings.Cut(databaseURL, ":")
	if !found || scheme != "sqlite" {
		return dialect{}, errors.New("the database URL must be sqlite:PATH, for example sqlite:nametag.db or sqlite:/var/lib/nametag.db")
	}
	return newSQLite(rest)
}
