// The calls of instance.Inbox that look at what is held, and forget it in its time.

package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

const (
	jobsSQL = `SELECT ` + jobColumns + ` FROM jobs WHERE instance_id = ? ORDER BY event_at IS NULL, event_at, id`

	deadSQL = `SELECT count(*) FROM jobs WHERE state = 'dead'`

	// Only events have a received_at.
	forgetDoneSQL = `DELETE FROM jobs WHERE state = 'done' AND received_at < ?`

	forgetJobsSQL = `DELETE FROM jobs WHERE instance_id = ?`

	// Without an order, which would tempt a planner to walk through all instances by id.
	removedSQL = `SELECT id FROM instances WHERE removed_at < ?`

	purgeSQL = `DELETE FROM instances WHERE id = ? AND removed_at < ?`

	listSQL = `SELECT ` + columns + ` FROM instances WHERE id > ? ORDER BY id LIMIT ?`
)

// Jobs implements instance.Inbox.
func (s *Store) Jobs(ctx context.Context, instanceID string) ([]instance.Job, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	jobs, _, err := scanJobs(s.read.QueryContext(ctx, s.dialect.rebind(jobsSQL), instanceID))
	if err != nil {
		return nil, fmt.Errorf("reading the jobs of an instance: %w", err)
	}
	return jobs, nil
}

// DeadLetters implements instance.Inbox.
func (s *Store) DeadLetters(ctx context.Context) (int, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	var n int
	if err := s.read.QueryRowContext(ctx, deadSQL).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting the dead letters: %w", err)
	}
	return n, nil
}

// ForgetDone implements instance.Inbox.
func (s *Store) ForgetDone(ctx context.Context, before time.Time) (int, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	result, err := s.write.ExecContext(ctx, s.dialect.rebind(forgetDoneSQL), before.UnixMilli())
	if err != nil {
		return 0, fmt.Errorf("forgetting old events: %w", err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("forgetting old events: %w", err)
	}
	return int(n), nil
}

// PurgeRemoved implements instance.Inbox. Each instance is a transaction of its own,
// so that a long list of them stops no other writer; after an error, the ids are those
// that were purged before it.
func (s *Store) PurgeRemoved(ctx context.Context, before time.Time) ([]string, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	removed, err := s.removed(ctx, before)
	if err != nil {
		return nil, fmt.Errorf("looking for removed instances: %w", err)
	}
	var purged []string
	for _, id := range removed {
		gone := false
		err := s.tx(ctx, func(tx *sql.Tx) error {
			result, err := tx.ExecContext(ctx, s.dialect.rebind(purgeSQL), id, before.UnixMilli())
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if gone = n == 1; err != nil || !gone {
				return err
			}
			return s.forgetJobs(ctx, tx, id)
		})
		if err != nil {
			return purged, fmt.Errorf("purging a removed instance: %w", err)
		}
		if gone {
			purged = append(purged, id)
		}
	}
	return purged, nil
}

func (s *Store) removed(ctx context.Context, before time.Time) (ids []string, err error) {
	rows, err := s.read.QueryContext(ctx, s.dialect.rebind(removedSQL), before.UnixMilli())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, rows.Err()
}

// forgetJobs forgets the jobs of an instance that has been deleted, and tells of that.
func (s *Store) forgetJobs(ctx context.Context, tx *sql.Tx, id string) error {
	if err := s.exec(ctx, tx, forgetJobsSQL, id); err != nil {
		return err
	}
	return s.notify(ctx, tx, id, true)
}

// List implements instance.Inbox.
func (s *Store) List(ctx context.Context, after string, n int) ([]instance.Instance, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	list, err := s.list(ctx, after, max(n, 0))
	if err != nil {
		return nil, fmt.Errorf("listing instances: %w", err)
	}
	return list, nil
}

func (s *Store) list(ctx context.Context, after string, n int) (list []instance.Instance, err error) {
	rows, err := s.read.QueryContext(ctx, s.dialect.rebind(listSQL), after, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, row)
	}
	return list, rows.Err()
}
