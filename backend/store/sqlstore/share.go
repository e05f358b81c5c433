package sqlstore

// Servers on one SQLite file know of each other.

import (
	"errors"
	"fmt"

	"github.com/gofrs/flock"
)

// Share says that this process serves from a database, until release is called, and whether
// it is the only one that does. It is a lock on a file beside a SQLite file, with the suffix
// -lock, which stays; a lock on the file itself would end SQLite's own. Of other databases a
// process is always alone: Postgres is meant to be shared.
func Share(databaseURL string) (alone bool, release func() error, err error) {
	d, err := newDialect(databaseURL)
	if err != nil || d.file == "" {
		return true, func() error { return nil }, nil // Open says what is wrong with the URL
	}
	lock := flock.New(d.file+"-lock", flock.SetPermissions(0o600))
	// A process that is alone can lock it for a moment against all others.
	alone, err = lock.TryLock()
	if alone {
		err = lock.Unlock()
	}
	if err == nil {
		_, err = lock.TryRLock()
	}
	if err != nil {
		return false, nil, fmt.Errorf("look for other servers on the SQLite file: %w", errors.Join(err, lock.Close()))
	}
	return alone, lock.Close, nil
}
