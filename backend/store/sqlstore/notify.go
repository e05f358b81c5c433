package sqlstore

// Change notifications for the other processes on the same database.

import (
	"context"
	"database/sql"
	"fmt"
)

// notify sends every listening process (see Listen), once tx is committed, a notification
// that an instance has changed. removed means that it was deleted or has become removed. A
// database that serves one process needs none.
func (s *Store) notify(ctx context.Context, tx execer, id string, removed bool) error {
	if s.dialect.notifySQL == "" {
		return nil
	}
	if _, err := tx.ExecContext(ctx, s.dialect.notifySQL, payload(id, removed)); err != nil {
		return fmt.Errorf("notify of a changed instance: %w", err)
	}
	return nil
}

// execer is a *sql.Tx or a *sql.DB.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// A payload is one of these signs and the instance's id. Postgres takes less than
// 8,000 bytes: for a longer id the payload is empty, which stands for any instance.
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
