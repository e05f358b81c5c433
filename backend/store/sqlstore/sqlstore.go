// The calls of instance.Store.

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

const (
	columns = `id, site_id, first_seen, last_seen, settings, settings_version, profile, profile_at,
	plan_at, removed_at, status_at, origin_id`

	findSQL = `SELECT ` + columns + ` FROM instances WHERE id = ?`

	// An instance that has saved no settings holds none, so that it follows the
	// defaults when they change.
	insertSQL = `
INSERT INTO instances (id, site_id, first_seen, last_seen, settings, settings_version, status_at, origin_id)
VALUES (?, ?, ?, ?, '{}', 0, ?, '')
ON CONFLICT (id) DO NOTHING`

	// The settings are left out: they may hold what only a newer program knows.
	updateSQL = `
UPDATE instances SET site_id = ?, last_seen = ?, profile = ?, profile_at = ?,
	plan_at = ?, removed_at = ?, status_at = ?, origin_id = ?
WHERE id = ?`

	saveSettingsSQL = `UPDATE instances SET settings = ?, settings_version = ? WHERE id = ?`

	deleteSQL = `DELETE FROM instances WHERE id = ?`
)

var errNoID = errors.New("an instance needs an id")

// Find implements instance.Store.
func (s *Store) Find(ctx context.Context, id string) (instance.Instance, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return s.row(ctx, id)
}

// Seen implements instance.Store. A caller who causes no change costs one read.
func (s *Store) Seen(ctx context.Context, v instance.Visit) (instance.Instance, error) {
	if v.InstanceID == "" {
		return instance.Instance{}, errNoID
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	v.At, v.IssuedAt = exact(v.At), exact(v.IssuedAt)
	row, err := s.row(ctx, v.InstanceID)
	if err == nil && !row.Record(v) || err != nil && !errors.Is(err, instance.ErrNotFound) {
		return row, err
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		fresh := instance.NewInstance(v.InstanceID, v.At)
		fresh.SiteID, fresh.StatusAt = v.SiteID, v.IssuedAt
		var created bool
		if row, created, err = s.hold(ctx, tx, fresh); err != nil {
			return err
		}
		if created {
			return s.notify(ctx, tx, row.ID, false)
		}
		if !row.Record(v) {
			return nil // another caller has just written the same
		}
		return s.put(ctx, tx, row)
	})
	if err != nil {
		return instance.Instance{}, fmt.Errorf("recording that an instance was seen: %w", err)
	}
	return row, nil
}

// SaveSettings implements instance.Store.
func (s *Store) SaveSettings(ctx context.Context, id string, settings instance.Settings, version int64) (instance.Instance, error) {
	text, err := json.Marshal(settings)
	if err != nil {
		return instance.Instance{}, fmt.Errorf("writing settings as JSON: %w", err)
	}
	return s.change(ctx, "saving the settings of an instance", id, func(ctx context.Context, tx *sql.Tx, row *instance.Instance) error {
		if row.Version != version {
			return &instance.Error{Code: instance.CodeVersionConflict}
		}
		row.Settings, row.Version = settings, version+1
		if err := s.exec(ctx, tx, saveSettingsSQL, string(text), row.Version, id); err != nil {
			return err
		}
		return s.notify(ctx, tx, id, false)
	})
}

// SaveProfile implements instance.Store.
func (s *Store) SaveProfile(ctx context.Context, id string, p instance.Profile, at time.Time) (instance.Instance, error) {
	at = exact(at)
	p.Languages = slices.Clone(p.Languages)
	return s.change(ctx, "saving the profile of an instance", id, func(ctx context.Context, tx *sql.Tx, row *instance.Instance) error {
		if at.Before(row.ProfileAt) {
			return nil
		}
		plan := row.Profile.Plan
		row.Profile, row.ProfileAt = p, at
		if row.PlanAt.After(at) {
			row.Profile.Plan = plan
		} else {
			row.PlanAt = at
		}
		return s.put(ctx, tx, *row)
	})
}

// Delete implements instance.Store.
func (s *Store) Delete(ctx context.Context, id string) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if err := s.exec(ctx, tx, deleteSQL, id); err != nil {
			return err
		}
		return s.forgetJobs(ctx, tx, id)
	})
	if err != nil {
		return fmt.Errorf("deleting an instance: %w", err)
	}
	return nil
}

// Ping reads from the table, because SQLite answers a bare ping without its file.
func (s *Store) Ping(ctx context.Context) error {
	if _, err := s.Find(ctx, ""); !errors.Is(err, instance.ErrNotFound) {
		return err
	}
	return nil
}

func (s *Store) row(ctx context.Context, id string) (instance.Instance, error) {
	row, err := one(s.find.QueryContext(ctx, id))
	if err != nil && !errors.Is(err, instance.ErrNotFound) {
		return row, fmt.Errorf("reading an instance: %w", err)
	}
	return row, err
}

// change runs f on an instance that is there, in a transaction that nobody else can
// change it in. What f makes of the row is returned; to store it is for f.
func (s *Store) change(ctx context.Context, doing, id string, f func(ctx context.Context, tx *sql.Tx, row *instance.Instance) error) (instance.Instance, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	var row instance.Instance
	err := s.tx(ctx, func(tx *sql.Tx) (err error) {
		if row, err = s.locked(ctx, tx, id); err != nil {
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
	return row, nil
}

// locked reads a row that the transaction is going to change.
func (s *Store) locked(ctx context.Context, tx *sql.Tx, id string) (instance.Instance, error) {
	return one(tx.QueryContext(ctx, s.dialect.rebind(findSQL+s.dialect.forUpdate), id))
}

// hold is locked, and makes the row if it is not there.
func (s *Store) hold(ctx context.Context, tx *sql.Tx, fresh instance.Instance) (row instance.Instance, created bool, err error) {
	for {
		row, err = s.locked(ctx, tx, fresh.ID)
		if !errors.Is(err, instance.ErrNotFound) {
			return row, created, err
		}
		result, err := tx.ExecContext(ctx, s.dialect.rebind(insertSQL), fresh.ID, fresh.SiteID,
			fresh.FirstSeen.UnixMilli(), fresh.LastSeen.UnixMilli(), millis(fresh.StatusAt))
		if err != nil {
			return row, false, err
		}
		// Another transaction may have made the row just now, and yet another have
		// deleted it again.
		n, err := result.RowsAffected()
		if err != nil {
			return row, false, err
		}
		created = n == 1
	}
}

// put stores a row, but for its settings, and tells of it.
func (s *Store) put(ctx context.Context, tx *sql.Tx, row instance.Instance) error {
	profile, err := json.Marshal(row.Profile)
	if err != nil {
		return fmt.Errorf("writing a profile as JSON: %w", err)
	}
	err = s.exec(ctx, tx, updateSQL, row.SiteID, row.LastSeen.UnixMilli(), string(profile), millis(row.ProfileAt),
		millis(row.PlanAt), millis(row.RemovedAt), millis(row.StatusAt), row.OriginID, row.ID)
	if err != nil {
		return err
	}
	return s.notify(ctx, tx, row.ID, !row.RemovedAt.IsZero())
}

func (s *Store) exec(ctx context.Context, on execer, query string, args ...any) error {
	_, err := on.ExecContext(ctx, s.dialect.rebind(query), args...)
	return err
}

// bounded gives a context without a deadline one.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, CallTimeout)
}

// one reads the one instance that a query returns, or none: ErrNotFound.
func one(rows *sql.Rows, err error) (instance.Instance, error) {
	if err != nil {
		return instance.Instance{}, err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return instance.Instance{}, err
		}
		return instance.Instance{}, instance.ErrNotFound
	}
	row, err := scan(rows)
	if err != nil {
		return instance.Instance{}, err
	}
	return row, rows.Close()
}

func scan(rows *sql.Rows) (instance.Instance, error) {
	var (
		row                                    instance.Instance
		firstSeen, lastSeen                    int64
		settings                               string
		profile                                sql.Null[string]
		profileAt, planAt, removedAt, statusAt sql.Null[int64]
	)
	err := rows.Scan(&row.ID, &row.SiteID, &firstSeen, &lastSeen, &settings, &row.Version, &profile, &profileAt,
		&planAt, &removedAt, &statusAt, &row.OriginID)
	if err != nil {
		return instance.Instance{}, err
	}
	row.FirstSeen, row.LastSeen = time.UnixMilli(firstSeen).UTC(), time.UnixMilli(lastSeen).UTC()
	row.ProfileAt, row.PlanAt, row.RemovedAt, row.StatusAt = moment(profileAt), moment(planAt), moment(removedAt), moment(statusAt)
	// What an older program has not stored keeps its default.
	row.Settings = instance.DefaultSettings()
	if err := json.Unmarshal([]byte(settings), &row.Settings); err != nil {
		return instance.Instance{}, fmt.Errorf("reading stored settings: %w", err)
	}
	if profile.Valid {
		if err := json.Unmarshal([]byte(profile.V), &row.Profile); err != nil {
			return instance.Instance{}, fmt.Errorf("reading a stored profile: %w", err)
		}
	}
	return row, nil
}

// exact is a time as the store keeps it. The zero time stays zero.
func exact(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }

// millis is a time that may be zero as its column holds it: then it is NULL.
func millis(t time.Time) sql.Null[int64] {
	return sql.Null[int64]{V: t.UnixMilli(), Valid: !t.IsZero()}
}

// moment undoes millis.
func moment(n sql.Null[int64]) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMilli(n.V).UTC()
}
