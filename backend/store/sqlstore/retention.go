package sqlstore

// Deleting: instances with everything that is stored about them, and old jobs.

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

const (
	lockSQL = `SELECT id FROM instances WHERE id = ?`

	// Without an order, which would tempt a planner to walk through all instances by id.
	removedSQL = `SELECT id FROM instances WHERE removed_at < ?`

	lockRemovedSQL = `SELECT id FROM instances WHERE id = ? AND removed_at < ?`

	deleteSQL = `DELETE FROM instances WHERE id = ?`

	deleteJobsSQL = `DELETE FROM jobs WHERE instance_id = ?`

	// Only events have a received_at.
	oldDoneSQL = `SELECT id FROM jobs WHERE state = 'done' AND received_at < ? LIMIT ?`

	deleteDoneSQL = `DELETE FROM jobs WHERE state = 'done' AND id IN `
)

// doneBatch is how many old events one transaction deletes.
const doneBatch = 1000

// Delete implements instance.Store. An instance that does not exist is created first, so
// that the lock on it keeps everyone else from adding to what is being deleted.
func (s *Store) Delete(ctx context.Context, id string) error {
	err := s.delete(ctx, id)
	if err == nil {
		s.unerased.Store(true)
		err = s.erase(ctx)
	}
	if err != nil {
		return fmt.Errorf("delete an instance: %w", err)
	}
	return nil
}

func (s *Store) delete(ctx context.Context, id string) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := s.insertUntil(ctx, tx, instance.NewInstance(id, time.Time{}), func() error {
			return s.lock(ctx, tx, lockSQL, id)
		})
		if err != nil {
			return err
		}
		return s.purge(ctx, tx, id)
	})
}

// PurgeRemoved implements instance.Store. Each instance is a transaction of its own, so
// that a long list of them stops no other writer.
func (s *Store) PurgeRemoved(ctx context.Context, before time.Time) ([]string, error) {
	removed, err := s.removed(ctx, before)
	if err != nil {
		return nil, fmt.Errorf("look for removed instances: %w", err)
	}
	var (
		purged []string
		failed error
		more   int
	)
	for _, id := range removed {
		switch err := s.purgeRemoved(ctx, id, before); {
		case err == nil:
			purged = append(purged, id)
		case errors.Is(err, instance.ErrNotFound): // it was revived or deleted just now
		case ctx.Err() != nil:
			return purged, fmt.Errorf("purge the removed instance %s: %w", id, err)
		case failed == nil:
			failed = fmt.Errorf("purge the removed instance %s: %w", id, err)
		default:
			more++
		}
	}
	if more > 0 {
		failed = fmt.Errorf("%w (and %d instances more)", failed, more)
	}
	if len(purged) > 0 {
		s.unerased.Store(true)
		failed = errors.Join(failed, s.erase(ctx))
	}
	return purged, failed
}

// removed lists the instances that were removed before a time.
func (s *Store) removed(ctx context.Context, before time.Time) ([]string, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	ids, err := scanStrings(s.read.QueryContext(ctx, s.dialect.rebind(removedSQL), before.UnixMilli()))
	slices.Sort(ids)
	return ids, err
}

func (s *Store) purgeRemoved(ctx context.Context, id string, before time.Time) error {
	// However long the caller may take for all of them, one gets no more than this.
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := s.lock(ctx, tx, lockRemovedSQL, id, before.UnixMilli()); err != nil {
			return err
		}
		return s.purge(ctx, tx, id)
	})
}

// lock locks the one instance that a query finds, or returns ErrNotFound. It does not read
// the row: one that cannot be read can still be deleted.
func (s *Store) lock(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	var id string
	err := tx.QueryRowContext(ctx, s.dialect.rebind(query+s.dialect.forUpdate), args...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return instance.ErrNotFound
	}
	return err
}

// purge deletes everything about an instance that the transaction has locked: the app's
// rows first, so that they may have foreign keys, then its jobs and the instance itself.
func (s *Store) purge(ctx context.Context, tx *sql.Tx, id string) error {
	for _, t := range s.app.Tables {
		if t.Purge == nil {
			continue
		}
		err := runHook(ctx, "Purge of the table "+t.Name, func(ctx context.Context) error {
			return t.Purge(ctx, s.appTx(ctx, tx), id)
		})
		if err != nil {
			return err
		}
	}
	if err := s.rememberPurge(ctx, tx, id); err != nil {
		return err
	}
	if err := s.exec(ctx, tx, deleteJobsSQL, id); err != nil {
		return err
	}
	if err := s.exec(ctx, tx, deleteSQL, id); err != nil {
		return err
	}
	return s.notify(ctx, tx, id, true)
}

// DeleteDone implements instance.Jobs. It deletes a few at a time and then rests for as long
// as that took, so that no other writer waits for more than one batch. Afterwards nothing of what
// was deleted is left in a SQLite file, this time or before a crash.
func (s *Store) DeleteDone(ctx context.Context, before time.Time) (deleted int, err error) {
	for {
		began := time.Now()
		found, n, err := s.deleteDone(ctx, before)
		deleted += n
		if n > 0 {
			s.unerased.Store(true)
		}
		if err != nil {
			return deleted, fmt.Errorf("delete old events: %w", err)
		}
		if found < doneBatch {
			break
		}
		if err := rest(ctx, time.Since(began)); err != nil {
			return deleted, fmt.Errorf("delete old events: %w", err)
		}
	}
	if err := s.forgetPurges(ctx, before); err != nil {
		return deleted, fmt.Errorf("delete old events: %w", err)
	}
	if err := s.erase(ctx); err != nil {
		return deleted, fmt.Errorf("delete old events: %w", err)
	}
	return deleted, nil
}

// deleteDone deletes one batch, and returns how many events it found and how many it
// deleted: another process may do the same. It looks for them before its transaction, which
// need not pass the events that stay.
func (s *Store) deleteDone(ctx context.Context, before time.Time) (found, deleted int, err error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	ids, err := scanStrings(s.read.QueryContext(ctx, s.dialect.rebind(oldDoneSQL), before.UnixMilli(), doneBatch))
	if err != nil || len(ids) == 0 {
		return 0, 0, err
	}
	n, err := s.execCount(ctx, s.write, deleteDoneSQL+placeholders(len(ids)), anys(ids)...)
	return len(ids), int(n), err
}
