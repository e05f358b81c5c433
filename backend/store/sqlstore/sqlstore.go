// The calls of instance.Store.

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"nametag/backend/instance"
)

const (
	columns = `id, site_id, first_seen, last_seen, settings, settings_version, profile, profile_at`

	findSQL = `SELECT ` + columns + ` FROM instances WHERE id = ?`

	// An instance that has saved no settings holds none, so that it follows the
	// defaults when they change. The last argument is SeenEvery: a row for which
	// there is nothing to change is not written and not returned.
	seenSQL = `
INSERT INTO instances (id, site_id, first_seen, last_seen, settings, settings_version)
VALUES (?, ?, ?, ?, '{}', 0)
ON CONFLICT (id) DO UPDATE SET
	site_id = CASE WHEN excluded.site_id <> '' THEN excluded.site_id ELSE instances.site_id END,
	last_seen = CASE WHEN excluded.last_seen > instances.last_seen THEN excluded.last_seen ELSE instances.last_seen END
WHERE (excluded.site_id <> '' AND excluded.site_id <> instances.site_id)
	OR excluded.last_seen - instances.last_seen >= ?
RETURNING ` + columns

	saveSettingsSQL = `
UPDATE instances SET settings = ?, settings_version = settings_version + 1
WHERE id = ? AND settings_version = ?
RETURNING ` + columns

	saveProfileSQL = `
UPDATE instances SET profile = ?, profile_at = ?
WHERE id = ? AND (profile_at IS NULL OR profile_at <= ?)
RETURNING ` + columns

	removeSQL = `DELETE FROM instances WHERE id = ?`
)

// Find implements instance.Store.
func (s *Store) Find(ctx context.Context, id string) (instance.Instance, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return s.row(ctx, id)
}

// Seen implements instance.Store. A caller who causes no change costs one read.
func (s *Store) Seen(ctx context.Context, id, siteID string, at time.Time) (instance.Instance, error) {
	if id == "" {
		return instance.Instance{}, errors.New("an instance needs an id")
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	row, err := s.row(ctx, id)
	for {
		current := err == nil && at.Sub(row.LastSeen) < instance.SeenEvery && (siteID == "" || siteID == row.SiteID)
		if current || err != nil && !errors.Is(err, instance.ErrNotFound) {
			return row, err
		}
		ms := at.UnixMilli()
		row, err = one(ctx, s.seen, id, siteID, ms, ms, instance.SeenEvery.Milliseconds())
		if err == nil {
			return row, nil
		}
		if !errors.Is(err, instance.ErrNotFound) {
			return row, fmt.Errorf("recording that an instance was seen: %w", err)
		}
		// Another caller has just written the same. Should the row be gone again by
		// now, it is made in the next round.
		row, err = s.row(ctx, id)
	}
}

// SaveSettings implements instance.Store.
func (s *Store) SaveSettings(ctx context.Context, id string, settings instance.Settings, version int64) (instance.Instance, error) {
	text, err := json.Marshal(settings)
	if err != nil {
		return instance.Instance{}, fmt.Errorf("writing settings as JSON: %w", err)
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	row, err := one(ctx, s.saveSettings, string(text), id, version)
	if errors.Is(err, instance.ErrNotFound) {
		if _, err := s.row(ctx, id); err != nil {
			return instance.Instance{}, err
		}
		return instance.Instance{}, &instance.Error{Code: instance.CodeVersionConflict}
	}
	if err != nil {
		return instance.Instance{}, fmt.Errorf("saving the settings of an instance: %w", err)
	}
	return row, nil
}

// SaveProfile implements instance.Store.
func (s *Store) SaveProfile(ctx context.Context, id string, p instance.Profile, at time.Time) (instance.Instance, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return instance.Instance{}, fmt.Errorf("writing a profile as JSON: %w", err)
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	row, err := one(ctx, s.saveProfile, string(text), at.UnixMilli(), id, at.UnixMilli())
	if errors.Is(err, instance.ErrNotFound) {
		return s.row(ctx, id)
	}
	if err != nil {
		return instance.Instance{}, fmt.Errorf("saving the profile of an instance: %w", err)
	}
	return row, nil
}

// Delete implements instance.Store.
func (s *Store) Delete(ctx context.Context, id string) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if _, err := s.remove.ExecContext(ctx, id); err != nil {
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
	row, err := one(ctx, s.find, id)
	if err != nil && !errors.Is(err, instance.ErrNotFound) {
		return row, fmt.Errorf("reading an instance: %w", err)
	}
	return row, err
}

// bounded gives a context without a deadline one.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, CallTimeout)
}

// one runs a query that returns one instance, or none: ErrNotFound.
func one(ctx context.Context, query *sql.Stmt, args ...any) (instance.Instance, error) {
	rows, err := query.QueryContext(ctx, args...)
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
	// A write is committed once its last row has been passed, and only here does a
	// full disk show.
	for rows.Next() {
	}
	if err := rows.Err(); err != nil {
		return instance.Instance{}, err
	}
	if err := rows.Close(); err != nil {
		return instance.Instance{}, err
	}
	return row, nil
}

func scan(rows *sql.Rows) (instance.Instance, error) {
	var (
		row                 instance.Instance
		firstSeen, lastSeen int64
		settings            string
		profile             sql.Null[string]
		profileAt           sql.Null[int64]
	)
	if err := rows.Scan(&row.ID, &row.SiteID, &firstSeen, &lastSeen, &settings, &row.Version, &profile, &profileAt); err != nil {
		return instance.Instance{}, err
	}
	row.FirstSeen, row.LastSeen = time.UnixMilli(firstSeen).UTC(), time.UnixMilli(lastSeen).UTC()
	// What an older program has not stored keeps its default.
	row.Settings = instance.DefaultSettings()
	if err := json.Unmarshal([]byte(settings), &row.Settings); err != nil {
		return instance.Instance{}, fmt.Errorf("reading stored settings: %w", err)
	}
	if profileAt.Valid {
		if err := json.Unmarshal([]byte(profile.V), &row.Profile); err != nil {
			return instance.Instance{}, fmt.Errorf("reading a stored profile: %w", err)
		}
		row.ProfileAt = time.UnixMilli(profileAt.V).UTC()
	}
	return row, nil
}
