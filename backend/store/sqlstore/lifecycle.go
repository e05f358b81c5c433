// The calls of instance.Inbox that a job passes through, from being accepted to its end.

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// maxCause is how many bytes of a failure's cause are kept.
const maxCause = 500

const (
	jobColumns = `id, instance_id, event, payload, event_at, received_at, state, due, attempts, last_error, lease`

	insertJobSQL = `
INSERT INTO jobs (` + jobColumns + `)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, '', NULL)`

	acceptSQL = insertJobSQL + ` ON CONFLICT (id) DO NOTHING`

	finishEventSQL = insertJobSQL + ` ON CONFLICT (id) DO UPDATE SET state = excluded.state`

	anyDueSQL = `SELECT EXISTS (SELECT 1 FROM jobs WHERE state = 'pending' AND due <= ?)`

	dueSQL = `SELECT ` + jobColumns + ` FROM jobs WHERE state = 'pending' AND due <= ? ORDER BY due, id LIMIT ?`

	leaseSQL = `UPDATE jobs SET due = ?, lease = ? WHERE id = ?`

	jobStateSQL = `SELECT state FROM jobs WHERE id = ?`

	copySettingsSQL = `
UPDATE instances SET settings_version = 1,
	settings = (SELECT origin.settings FROM instances AS origin WHERE origin.id = ?)
WHERE id = ? AND EXISTS (SELECT 1 FROM instances AS origin WHERE origin.id = ? AND origin.settings_version > 0)`

	// Whoever holds a lease has begun to read before the reading was wanted again, and
	// sees by its end, which is another one then, that it has to be done once more.
	wantReadingSQL = `
INSERT INTO jobs (id, instance_id, state, due, attempts, last_error)
VALUES (?, ?, 'pending', ?, 0, '')
ON CONFLICT (id) DO UPDATE SET
	state = 'pending',
	due = CASE
		WHEN jobs.state <> 'pending' OR excluded.due < jobs.due THEN excluded.due
		WHEN jobs.due = jobs.lease THEN jobs.due - 1
		ELSE jobs.due END,
	attempts = CASE WHEN jobs.state = 'pending' THEN jobs.attempts ELSE 0 END,
	last_error = CASE WHEN jobs.state = 'pending' THEN jobs.last_error ELSE '' END`

	finishSQL = `UPDATE jobs SET state = 'done' WHERE id = ? AND state = 'pending' AND (event IS NOT NULL OR due = ?)`

	retrySQL = `
UPDATE jobs SET attempts = attempts + 1, last_error = ?, due = CASE WHEN due = ? THEN ? ELSE due END
WHERE id = ? AND state = 'pending'`

	burySQL = `
UPDATE jobs SET attempts = attempts + 1, last_error = ?, state = CASE WHEN due = ? THEN 'dead' ELSE state END
WHERE id = ? AND state = 'pending'`
)

var _ instance.Inbox = (*Store)(nil)

// keptEvent is the column "event": what no query looks at, as JSON, so that it can grow
// without a migration.
type keptEvent struct {
	Kind     instance.EventKind `json:"kind"`
	Type     string             `json:"type"`
	Plan     string             `json:"plan,omitempty"`
	OriginID string             `json:"originId,omitempty"`
}

// Accept implements instance.Inbox. It is one statement, and durable when it returns.
func (s *Store) Accept(ctx context.Context, e instance.Event) (fresh bool, err error) {
	args, err := eventArgs(e, instance.JobPending)
	if err != nil {
		return false, err
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	result, err := s.write.ExecContext(ctx, s.dialect.rebind(acceptSQL), args...)
	if err != nil {
		return false, fmt.Errorf("accepting an event: %w", err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("accepting an event: %w", err)
	}
	return n == 1, nil
}

// eventArgs are the arguments of insertJobSQL.
func eventArgs(e instance.Event, state instance.JobState) ([]any, error) {
	if e.ID == "" {
		return nil, errors.New("an event needs an id")
	}
	if e.InstanceID == "" {
		return nil, errNoID
	}
	text, err := json.Marshal(keptEvent{e.Kind, e.Type, e.Plan, e.OriginID})
	if err != nil {
		return nil, fmt.Errorf("writing an event as JSON: %w", err)
	}
	received := e.ReceivedAt.UnixMilli()
	return []any{e.ID, e.InstanceID, string(text), []byte(e.Payload), e.At.UnixMilli(), received, string(state), received}, nil
}

// Claim implements instance.Inbox. When nothing is due it costs one read.
func (s *Store) Claim(ctx context.Context, now time.Time, lease time.Duration, n int) ([]instance.Job, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	jobs, err := s.claim(ctx, now.UnixMilli(), now.Add(lease).UnixMilli(), max(n, 0))
	if err != nil {
		return nil, fmt.Errorf("claiming jobs: %w", err)
	}
	return jobs, nil
}

func (s *Store) claim(ctx context.Context, now, until int64, n int) ([]instance.Job, error) {
	var due bool
	if err := s.read.QueryRowContext(ctx, s.dialect.rebind(anyDueSQL), now).Scan(&due); err != nil || !due || n == 0 {
		return nil, err
	}
	var jobs []instance.Job
	err := s.tx(ctx, func(tx *sql.Tx) (err error) {
		var leases []sql.Null[int64]
		jobs, leases, err = scanJobs(tx.QueryContext(ctx, s.dialect.rebind(dueSQL+s.dialect.skipLocked), now, n))
		if err != nil {
			return err
		}
		for i := range jobs {
			// No two leases of a job end together, so that each holder knows its own.
			end := until
			if leases[i].Valid {
				end = max(end, leases[i].V+1)
			}
			jobs[i].Due = time.UnixMilli(end).UTC()
			if err := s.exec(ctx, tx, leaseSQL, end, end, jobs[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return jobs, nil
}

// errDone undoes a transaction that found its event applied already.
var errDone = errors.New("the event is done")

// ApplyEvent implements instance.Inbox. An event that was never accepted is kept as done.
func (s *Store) ApplyEvent(ctx context.Context, e instance.Event, now time.Time) (instance.Instance, instance.Change, error) {
	done, err := eventArgs(e, instance.JobDone)
	if err != nil {
		return instance.Instance{}, instance.Change{}, err
	}
	e.At, e.ReceivedAt = exact(e.At), exact(e.ReceivedAt)
	ctx, cancel := bounded(ctx)
	defer cancel()
	var (
		row    instance.Instance
		change instance.Change
	)
	err = s.tx(ctx, func(tx *sql.Tx) (err error) {
		row, change = instance.Instance{}, instance.Change{}
		// The instance first, here as in Delete, so that no two transactions wait for
		// each other.
		if row, _, err = s.hold(ctx, tx, instance.NewInstance(e.InstanceID, e.ReceivedAt)); err != nil {
			return err
		}
		var state instance.JobState
		err = tx.QueryRowContext(ctx, s.dialect.rebind(jobStateSQL), e.ID).Scan(&state)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if state == instance.JobDone {
			return errDone
		}
		if err := s.exec(ctx, tx, finishEventSQL, done...); err != nil {
			return err
		}
		change = row.Apply(e)
		if err := s.put(ctx, tx, row); err != nil {
			return err
		}
		if change.Copy {
			if err := s.exec(ctx, tx, copySettingsSQL, row.OriginID, row.ID, row.OriginID); err != nil {
				return err
			}
			if row, err = s.locked(ctx, tx, row.ID); err != nil {
				return err
			}
		}
		if change.Reread {
			return s.wantReading(ctx, tx, e.InstanceID, now)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDone) {
		return instance.Instance{}, instance.Change{}, fmt.Errorf("applying an event: %w", err)
	}
	return row, change, nil
}

// WantReading implements instance.Inbox.
func (s *Store) WantReading(ctx context.Context, instanceID string, due time.Time) error {
	if instanceID == "" {
		return errNoID
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := s.wantReading(ctx, s.write, instanceID, due); err != nil {
		return fmt.Errorf("wanting a reading: %w", err)
	}
	return nil
}

func (s *Store) wantReading(ctx context.Context, on execer, instanceID string, due time.Time) error {
	return s.exec(ctx, on, wantReadingSQL, "reread:"+instanceID, instanceID, due.UnixMilli())
}

// Finish implements instance.Inbox.
func (s *Store) Finish(ctx context.Context, j instance.Job) error {
	return s.end(ctx, "finishing a job", finishSQL, j.ID, j.Due.UnixMilli())
}

// Retry implements instance.Inbox. A job that was claimed or wanted anew since keeps
// its due time.
func (s *Store) Retry(ctx context.Context, j instance.Job, due time.Time, cause string) error {
	return s.end(ctx, "putting a job off", retrySQL, clip(cause), j.Due.UnixMilli(), due.UnixMilli(), j.ID)
}

// Bury implements instance.Inbox. A job that was claimed or wanted anew since stays pending.
func (s *Store) Bury(ctx context.Context, j instance.Job, cause string) error {
	return s.end(ctx, "burying a job", burySQL, clip(cause), j.Due.UnixMilli(), j.ID)
}

func (s *Store) end(ctx context.Context, doing, query string, args ...any) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := s.exec(ctx, s.write, query, args...); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// clip makes text short and such that every database takes it.
func clip(cause string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(cause[:min(len(cause), maxCause)], ""), "\x00", "")
}

// scanJobs reads all jobs that a query of jobColumns returns, and the end of the
// latest lease of each.
func scanJobs(rows *sql.Rows, err error) (jobs []instance.Job, leases []sql.Null[int64], _ error) {
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			j                 instance.Job
			text              sql.Null[string]
			payload           []byte
			at, receivedAt, l sql.Null[int64]
			due               int64
		)
		if err := rows.Scan(&j.ID, &j.InstanceID, &text, &payload, &at, &receivedAt, &j.State, &due, &j.Attempts, &j.LastError, &l); err != nil {
			return nil, nil, err
		}
		j.Due = time.UnixMilli(due).UTC()
		if text.Valid {
			var kept keptEvent
			if err := json.Unmarshal([]byte(text.V), &kept); err != nil {
				return nil, nil, fmt.Errorf("reading a stored event: %w", err)
			}
			j.Event = &instance.Event{
				ID: j.ID, InstanceID: j.InstanceID, Kind: kept.Kind, Type: kept.Type, At: moment(at),
				Plan: kept.Plan, OriginID: kept.OriginID, Payload: payload, ReceivedAt: moment(receivedAt),
			}
		}
		jobs, leases = append(jobs, j), append(leases, l)
	}
	return jobs, leases, rows.Err()
}
