package sqlstore

// What is remembered of a purged instance, so that nothing from before the purge brings it
// back: a webhook that comes late, or a visitor with an old token. Its id is stored as a hash.

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

const (
	// An instance of which no status is known was never heard of in an event or a token.
	rememberPurgeSQL = `
INSERT INTO nametag_purged (instance, known_at, removed)
SELECT ?, status_at, CASE WHEN removed_at IS NULL THEN 0 ELSE 1 END FROM instances WHERE id = ? AND status_at IS NOT NULL
ON CONFLICT (instance) DO UPDATE SET known_at = excluded.known_at, removed = excluded.removed`

	purgedSQL = `SELECT known_at, removed FROM nametag_purged WHERE instance = ?`

	forgetPurgesSQL = `DELETE FROM nametag_purged WHERE known_at < ?`
)

// purged is what is known of an instance that was purged.
type purged struct {
	// at is the time of the last event or token by which its status was known, or zero.
	at time.Time
	// removed means that the app was not installed then.
	removed bool
}

// removedAt returns when the app was removed, if that is the last thing that is known.
func (p purged) removedAt() time.Time {
	if !p.removed {
		return time.Time{}
	}
	return p.at
}

func purgedKey(instanceID string) string {
	sum := sha256.Sum256([]byte(instanceID))
	return hex.EncodeToString(sum[:])
}

func (s *Store) rememberPurge(ctx context.Context, tx *sql.Tx, id string) error {
	return s.exec(ctx, tx, rememberPurgeSQL, purgedKey(id), id)
}

// forgetPurges forgets those of which nothing was heard since before.
func (s *Store) forgetPurges(ctx context.Context, before time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	return s.exec(ctx, s.write, forgetPurgesSQL, before.UnixMilli())
}

// purgedAt returns what is remembered of an instance that does not exist. The zero value
// stands for nothing.
func (s *Store) purgedAt(ctx context.Context, tx *sql.Tx, id string) (p purged, err error) {
	var at sql.Null[int64]
	err = tx.QueryRowContext(ctx, s.dialect.rebind(purgedSQL), purgedKey(id)).Scan(&at, &p.removed)
	if errors.Is(err, sql.ErrNoRows) {
		return purged{}, nil
	}
	p.at = fromMillis(at)
	return p, err
}

// refuses reports whether a visit is one from before the removal: the instance stays as if it
// were still stored, and removed.
func (p purged) refuses(v instance.Visit) bool { return p.removed && !v.IssuedAt.After(p.at) }
