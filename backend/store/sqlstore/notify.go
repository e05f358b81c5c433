// News of a change, told to the other processes on the same database.

package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

// notify tells every process that listens (see Listen), once tx is committed, that
// an instance has changed. removed says that it is gone or has become removed. Where
// the database serves one process there is nobody to tell.
func (s *Store) notify(ctx context.Context, tx execer, id string, removed bool) error {
	if s.dialect.notifySQL == "" {
		return nil
	}
	if _, err := tx.ExecContext(ctx, s.dialect.notifySQL, payload(id, removed)); err != nil {
		return fmt.Errorf("telling of a changed instance: %w", err)
	}
	return nil
}

// execer is a *sql.Tx or a *sql.Conn.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// A payload is one of these signs and the instance's id. Postgres takes less than
// 8,000 bytes: news of a longer id names nobody, and is about everybody.
const (
	changedSign = "+"
	removedSign = "-"
	longestID   = 7900
)

func payload(id string, removed bool) string {
	switch {
	case len(id) > longestID:
		return ""
	case removed:
		return removedSign + id
	}
	return changedSign + id
}
