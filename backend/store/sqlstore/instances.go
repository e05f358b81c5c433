package sqlstore

// The methods of instance.Store, but for those that delete.

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

const (
	columns = `id, site_id, first_seen, last_seen, settings, settings_version, profile, profile_at,
	plan_at, removed_at, last_removed_at, status_at, origin_id`

	findSQL = `SELECT ` + columns + ` FROM instances WHERE id = ?`

	listSQL = `SELECT ` + columns + ` FROM instances WHERE id > ? ORDER BY id LIMIT ?`

	// An instance that has saved no settings stores none, so that it follows the
	// defaults when they change.
	insertSQL = `
INSERT INTO instances (id, site_id, first_seen, last_seen, settings, settings_version, status_at, origin_id)
VALUES (?, ?, ?, ?, '{}', 0, ?, '')
ON CONFLICT (id) DO NOTHING`

	// The settings are left out: they may contain what only a newer program knows.
	updateSQL = `
UPDATE instances SET site_id = ?, last_seen = ?, profile = ?, profile_at = ?,
	plan_at = ?, removed_at = ?, last_removed_at = ?, status_at = ?, origin_id = ?
WHERE id = ?`

	saveSettingsSQL = `UPDATE instances SET settings = ?, settings_version = ? WHERE id = ?`
)

var errNoID = errors.New("an instance needs an id")

// Find implements instance.Store.
func (s *Store) Find(ctx context.Context, id string) (instance.Instance, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return s.findStored(ctx, id)
}

// Seen implements instance.Store. A visit that changes nothing costs one read.
func (s *Store) Seen(ctx context.Context, v instance.Visit) (instance.Instance, error) {
	if v.InstanceID == "" {
		return instance.Instance{}, errNoID
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	v.At, v.IssuedAt = truncate(v.At), truncate(v.IssuedAt)
	row, err := s.findStored(ctx, v.InstanceID)
	if err != nil && !errors.Is(err, instance.ErrNotFound) {
		return instance.Instance{}, err
	}
	if err == nil {
		if changed, _ := row.Visit(v); !changed {
			return row, nil
		}
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		row, err = s.recordVisit(ctx, tx, v)
		return err
	})
	if err != nil {
		return instance.Instance{}, fmt.Errorf("record a visit: %w", err)
	}
	return row, nil
}

func (s *Store) recordVisit(ctx context.Context, tx *sql.Tx, v instance.Visit) (instance.Instance, error) {
	row, created, err := s.getOrCreateForUpdate(ctx, tx, instance.NewVisited(v))
	if err != nil {
		return row, err
	}
	if created {
		known, err := s.purgedAt(ctx, tx, row.ID)
		if err != nil {
			return row, err
		}
		if known.refuses(v) {
			row.RemovedAt, row.LastRemovedAt, row.StatusAt = known.at, known.at, known.at
			return row, s.exec(ctx, tx, deleteSQL, row.ID)
		}
		row.LastRemovedAt = known.removedAt()
		return row, s.update(ctx, tx, row)
	}
	changed, revived := row.Visit(v)
	if !changed {
		return row, nil // another caller has just written the same
	}
	if revived {
		if err := s.addInternalEvent(ctx, tx, instance.EventRevived, row, row.StatusAt, v.At); err != nil {
			return row, err
		}
	}
	return row, s.update(ctx, tx, row)
}

// SaveSettings implements instance.Store.
func (s *Store) SaveSettings(ctx context.Context, id string, settings json.RawMessage, version int64) (instance.Instance, error) {
	return s.change(ctx, "save the settings of an instance", id, func(ctx context.Context, tx *sql.Tx, row *instance.Instance) error {
		if row.Version != version {
			return instance.ErrVersionConflict
		}
		if !json.Valid(settings) {
			return errors.New("they are no valid JSON")
		}
		row.Version++
		s.setSettings(row, settings)
		if err := s.saveSettings(ctx, tx, *row, settings); err != nil {
			return err
		}
		return s.notify(ctx, tx, id, false)
	})
}

// SaveProfile implements instance.Store.
func (s *Store) SaveProfile(ctx context.Context, id string, p instance.Profile, at time.Time) (instance.Instance, error) {
	at = truncate(at)
	return s.change(ctx, "save the profile of an instance", id, func(ctx context.Context, tx *sql.Tx, row *instance.Instance) error {
		changed, planChanged := row.ApplyProfile(p, at)
		if !changed {
			return nil
		}
		if planChanged {
			if err := s.addInternalEvent(ctx, tx, instance.EventPlanRefreshed, *row, at, at); err != nil {
				return err
			}
		}
		return s.update(ctx, tx, *row)
	})
}

// List implements instance.Store.
func (s *Store) List(ctx context.Context, after string, n int) ([]instance.Instance, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	list, err := s.list(ctx, after, max(n, 0))
	if err != nil {
		return nil, fmt.Errorf("list instances: %w", err)
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
		row, err := s.scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, row)
	}
	return list, rows.Err()
}

// findStored reads a row.
func (s *Store) findStored(ctx context.Context, id string) (instance.Instance, error) {
	row, err := s.scanOne(s.find.QueryContext(ctx, id))
	if err != nil && !errors.Is(err, instance.ErrNotFound) {
		return row, fmt.Errorf("read an instance: %w", err)
	}
	return row, err
}

// change runs f on an existing instance, in a transaction that has locked it. What f makes
// of the row is returned; f has to store it.
func (s *Store) change(ctx context.Context, doing, id string, f func(ctx context.Context, tx *sql.Tx, row *instance.Instance) error) (instance.Instance, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	var row instance.Instance
	err := s.tx(ctx, func(tx *sql.Tx) (err error) {
		if row, err = s.getForUpdate(ctx, tx, id); err != nil {
			return err
		}
		return f(ctx, tx, &row)
	})
	if errors.Is(err, instance.ErrNotFound) {
		return instance.Instance{}, instance.ErrNotFound
	}
	if err != nil {
		return instance.Instance{}, fmt.Errorf("%s: %w", doing, err)
	}
	return row.Clone(), nil
}

// getForUpdate reads a row that the transaction is going to change.
func (s *Store) getForUpdate(ctx context.Context, tx *sql.Tx, id string) (instance.Instance, error) {
	return s.scanOne(tx.QueryContext(ctx, s.dialect.rebind(findSQL+s.dialect.forUpdate), id))
}

// getOrCreateForUpdate is getForUpdate, and inserts fresh if there is no such row.
func (s *Store) getOrCreateForUpdate(ctx context.Context, tx *sql.Tx, fresh instance.Instance) (row instance.Instance, created bool, err error) {
	created, err = s.insertUntil(ctx, tx, fresh, func() (err error) {
		row, err = s.getForUpdate(ctx, tx, fresh.ID)
		return err
	})
	return row, created, err
}

// insertUntil inserts an instance until lock, which locks it, finds it: another
// transaction may create the row at the same moment, and yet another delete it again.
func (s *Store) insertUntil(ctx context.Context, tx *sql.Tx, fresh instance.Instance, lock func() error) (created bool, err error) {
	for {
		if err := lock(); !errors.Is(err, instance.ErrNotFound) {
			return created, err
		}
		n, err := s.execCount(ctx, tx, insertSQL, fresh.ID, fresh.SiteID,
			fresh.FirstSeen.UnixMilli(), fresh.LastSeen.UnixMilli(), millis(fresh.StatusAt))
		if err != nil {
			return false, err
		}
		created = n == 1
	}
}

// update stores a row except its settings, and notifies of it.
func (s *Store) update(ctx context.Context, tx *sql.Tx, row instance.Instance) error {
	profile, err := json.Marshal(row.Profile)
	if err != nil {
		return fmt.Errorf("write a profile as JSON: %w", err)
	}
	err = s.exec(ctx, tx, updateSQL, row.SiteID, row.LastSeen.UnixMilli(), string(profile), millis(row.ProfileAt),
		millis(row.PlanAt), millis(row.RemovedAt), millis(row.LastRemovedAt), millis(row.StatusAt), row.OriginID, row.ID)
	if err != nil {
		return err
	}
	return s.notify(ctx, tx, row.ID, !row.RemovedAt.IsZero())
}

func (s *Store) saveSettings(ctx context.Context, tx *sql.Tx, row instance.Instance, stored json.RawMessage) error {
	return s.exec(ctx, tx, saveSettingsSQL, string(stored), row.Version, row.ID)
}

func (s *Store) exec(ctx context.Context, on execer, query string, args ...any) error {
	_, err := s.execCount(ctx, on, query, args...)
	return err
}

// execCount is exec, and returns how many rows it changed.
func (s *Store) execCount(ctx context.Context, on execer, query string, args ...any) (int64, error) {
	result, err := on.ExecContext(ctx, s.dialect.rebind(query), args...)
	if err == nil && on == execer(s.write) { // and so a transaction by itself
		err = s.keeper.inPlace()
	}
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// bounded gives a context without a deadline one.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, CallTimeout)
}
