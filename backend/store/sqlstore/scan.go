package sqlstore

// How rows and times are stored.

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// scanOne reads the one instance that a query returns, or none: ErrNotFound.
func (s *Store) scanOne(rows *sql.Rows, err error) (instance.Instance, error) {
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
	row, err := s.scan(rows)
	if err != nil {
		return instance.Instance{}, err
	}
	return row, rows.Close()
}

// scan reads a row. Its settings are complete, and no secret is among them, from here on.
func (s *Store) scan(rows *sql.Rows) (instance.Instance, error) {
	var (
		row                         instance.Instance
		firstSeen, lastSeen         int64
		settings                    string
		profile                     sql.Null[string]
		profileAt, planAt, statusAt sql.Null[int64]
		removedAt, lastRemovedAt    sql.Null[int64]
	)
	err := rows.Scan(&row.ID, &row.SiteID, &firstSeen, &lastSeen, &settings, &row.Version, &profile, &profileAt,
		&planAt, &removedAt, &lastRemovedAt, &statusAt, &row.OriginID)
	if err != nil {
		return instance.Instance{}, err
	}
	row.FirstSeen, row.LastSeen = time.UnixMilli(firstSeen).UTC(), time.UnixMilli(lastSeen).UTC()
	row.ProfileAt, row.PlanAt, row.StatusAt = fromMillis(profileAt), fromMillis(planAt), fromMillis(statusAt)
	row.RemovedAt, row.LastRemovedAt = fromMillis(removedAt), fromMillis(lastRemovedAt)
	if !json.Valid([]byte(settings)) {
		return instance.Instance{}, errors.New("read the stored settings: they are no valid JSON")
	}
	s.setSettings(&row, json.RawMessage(settings))
	if profile.Valid {
		if err := json.Unmarshal([]byte(profile.V), &row.Profile); err != nil {
			return instance.Instance{}, fmt.Errorf("read the stored profile: %w", err)
		}
	}
	if row.PlanAt.IsZero() {
		// The first edition wrote a plan without a kind even where it was unknown.
		row.Profile.Plan = instance.Plan{}
	}
	return row, nil
}

// setSettings gives a row the settings that are stored for it.
func (s *Store) setSettings(row *instance.Instance, stored json.RawMessage) {
	settings, secrets := s.settings(stored)
	row.Settings, row.Secrets = settings, instance.NewSecrets(secrets)
}

// scanStrings reads the one column that a query returns.
func scanStrings(rows *sql.Rows, err error) (texts []string, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, rows.Err()
}

// truncate returns a time as the store stores it. The zero time stays zero.
func truncate(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }

// millis returns a time that may be zero as its column stores it: NULL for zero.
func millis(t time.Time) sql.Null[int64] {
	return sql.Null[int64]{V: t.UnixMilli(), Valid: !t.IsZero()}
}

// fromMillis is the reverse of millis.
func fromMillis(n sql.Null[int64]) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMilli(n.V).UTC()
}
