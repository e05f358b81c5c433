package sqlstore

// The job queue: the methods of instance.Jobs.

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

// maxCause is how many bytes of a failure's cause are stored.
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

	// The worker that has leased a refresh began it before it was requested again. Its
	// lease then ends at another time than the worker knows, by which Finish sees that
	// the refresh has to be done once more.
	requestRefreshSQL = `
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

	jobsSQL = `SELECT ` + jobColumns + ` FROM jobs WHERE instance_id = ? ORDER BY event_at IS NULL, event_at, id`

	deadSQL = `SELECT count(*) FROM jobs WHERE state = 'dead'`
)

// storedEvent is the column "event": what no query looks at, as JSON, so that it can grow
// without a migration.
type storedEvent struct {
	Kind     instance.EventKind `json:"kind"`
	Type     string             `json:"type"`
	Plan     string             `json:"plan,omitempty"`
	OriginID string             `json:"originId,omitempty"`
}

// Accept implements instance.Jobs. It is one statement, and durable when it returns.
func (s *Store) Accept(ctx context.Context, e instance.Event) (fresh bool, err error) {
	args, err := eventArgs(e, instance.JobPending)
	if err != nil {
		return false, err
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	n, err := s.execCount(ctx, s.write, acceptSQL, args...)
	if err != nil {
		return false, fmt.Errorf("accept an event: %w", err)
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
	text, err := json.Marshal(storedEvent{e.Kind, e.Type, e.Plan, e.OriginID})
	if err != nil {
		return nil, fmt.Errorf("write an event as JSON: %w", err)
	}
	received := e.ReceivedAt.UnixMilli()
	return []any{e.ID, e.InstanceID, string(text), []byte(e.Payload), e.At.UnixMilli(), received, string(state), received}, nil
}

// Claim implements instance.Jobs. When nothing is due it costs one read.
func (s *Store) Claim(ctx context.Context, now time.Time, lease time.Duration, n int) ([]instance.Job, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	jobs, err := s.claim(ctx, now.UnixMilli(), now.Add(lease).UnixMilli(), max(n, 0))
	if err != nil {
		return nil, fmt.Errorf("claim jobs: %w", err)
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
			// No two leases of a job end together, so that each worker knows its own.
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

// errDone rolls back a transaction whose event turned out to be done already.
var errDone = errors.New("the event is done")

// ApplyEvent implements instance.Jobs. An event that was never accepted is stored as done.
// What the app does about the event is part of the transaction: see react.
func (s *Store) ApplyEvent(ctx context.Context, e instance.Event, now time.Time) (instance.Instance, instance.Change, error) {
	done, err := eventArgs(e, instance.JobDone)
	if err != nil {
		return instance.Instance{}, instance.Change{}, err
	}
	e.At, e.ReceivedAt = truncate(e.At), truncate(e.ReceivedAt)
	ctx, cancel := bounded(ctx)
	defer cancel()
	var (
		row    instance.Instance
		change instance.Change
	)
	err = s.tx(ctx, func(tx *sql.Tx) (err error) {
		change = instance.Change{}
		// The instance is locked first, here as in Delete, so that no two transactions
		// wait for each other.
		if row, err = s.instanceOf(ctx, tx, e); err != nil {
			return err
		}
		if err := s.endEvent(ctx, tx, e.ID, done); err != nil {
			return err
		}
		change = row.Apply(e)
		if err := s.applyChange(ctx, tx, &row, change, now); err != nil {
			return err
		}
		return s.react(ctx, tx, e, change, row)
	})
	if err != nil && !errors.Is(err, errDone) {
		return instance.Instance{}, instance.Change{}, fmt.Errorf("apply an event: %w", err)
	}
	return row, change, nil
}

// instanceOf locks the instance of an event. Only an event from Wix creates it.
func (s *Store) instanceOf(ctx context.Context, tx *sql.Tx, e instance.Event) (row instance.Instance, err error) {
	if !e.Kind.Internal() {
		row, _, err = s.getOrCreateForUpdate(ctx, tx, instance.NewInstance(e.InstanceID, e.ReceivedAt))
		return row, err
	}
	row, err = s.getForUpdate(ctx, tx, e.InstanceID)
	if errors.Is(err, instance.ErrNotFound) {
		return instance.Instance{}, errDone
	}
	return row, err
}

// endEvent marks the job of an event as done, or returns errDone if it is.
func (s *Store) endEvent(ctx context.Context, tx *sql.Tx, id string, done []any) error {
	var state instance.JobState
	err := tx.QueryRowContext(ctx, s.dialect.rebind(jobStateSQL), id).Scan(&state)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if state == instance.JobDone {
		return errDone
	}
	return s.exec(ctx, tx, finishEventSQL, done...)
}

// applyChange stores what an event did to an instance.
func (s *Store) applyChange(ctx context.Context, tx *sql.Tx, row *instance.Instance, change instance.Change, now time.Time) error {
	if err := s.update(ctx, tx, *row); err != nil {
		return err
	}
	if change.CopySettings {
		// The origin is not locked, because two sites may be copies of each other.
		origin, err := s.scanOne(tx.QueryContext(ctx, s.dialect.rebind(findSQL), row.OriginID))
		if err != nil && !errors.Is(err, instance.ErrNotFound) {
			return err
		}
		if row.CopySettings(origin) {
			if err := s.saveSettings(ctx, tx, *row, row.Settings); err != nil {
				return err
			}
		}
	}
	if change.Refresh {
		return s.requestRefresh(ctx, tx, row.ID, now)
	}
	return nil
}

// RequestRefresh implements instance.Jobs.
func (s *Store) RequestRefresh(ctx context.Context, instanceID string, due time.Time) error {
	if instanceID == "" {
		return errNoID
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := s.requestRefresh(ctx, s.write, instanceID, due); err != nil {
		return fmt.Errorf("request a refresh: %w", err)
	}
	return nil
}

func (s *Store) requestRefresh(ctx context.Context, on execer, instanceID string, due time.Time) error {
	return s.exec(ctx, on, requestRefreshSQL, instance.RefreshJobID(instanceID), instanceID, due.UnixMilli())
}

// Finish implements instance.Jobs.
func (s *Store) Finish(ctx context.Context, j instance.Job) error {
	return s.end(ctx, "finish a job", finishSQL, j.ID, j.Due.UnixMilli())
}

// Retry implements instance.Jobs. A job that has been claimed or requested again keeps its
// due time.
func (s *Store) Retry(ctx context.Context, j instance.Job, due time.Time, cause string) error {
	return s.end(ctx, "postpone a job", retrySQL, clip(cause), j.Due.UnixMilli(), due.UnixMilli(), j.ID)
}

// Bury implements instance.Jobs. A job that has been claimed or requested again stays
// pending.
func (s *Store) Bury(ctx context.Context, j instance.Job, cause string) error {
	return s.end(ctx, "bury a job", burySQL, clip(cause), j.Due.UnixMilli(), j.ID)
}

func (s *Store) end(ctx context.Context, doing, query string, args ...any) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := s.exec(ctx, s.write, query, args...); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// JobsOf implements instance.Jobs.
func (s *Store) JobsOf(ctx context.Context, instanceID string) ([]instance.Job, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	jobs, _, err := scanJobs(s.read.QueryContext(ctx, s.dialect.rebind(jobsSQL), instanceID))
	if err != nil {
		return nil, fmt.Errorf("read the jobs of an instance: %w", err)
	}
	return jobs, nil
}

// DeadLetters implements instance.Jobs.
func (s *Store) DeadLetters(ctx context.Context) (int, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	var n int
	if err := s.read.QueryRowContext(ctx, deadSQL).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the dead letters: %w", err)
	}
	return n, nil
}

// clip makes text short, and valid in every database.
func clip(cause string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(cause[:min(len(cause), maxCause)], ""), "\x00", "")
}

// scanJobs reads all jobs that a query of jobColumns returns, and the end of the latest
// lease of each.
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
			var stored storedEvent
			if err := json.Unmarshal([]byte(text.V), &stored); err != nil {
				return nil, nil, fmt.Errorf("read a stored event: %w", err)
			}
			j.Event = &instance.Event{
				ID: j.ID, InstanceID: j.InstanceID, Kind: stored.Kind, Type: stored.Type, At: fromMillis(at),
				Plan: stored.Plan, OriginID: stored.OriginID, Payload: payload, ReceivedAt: fromMillis(receivedAt),
			}
		}
		jobs, leases = append(jobs, j), append(leases, l)
	}
	return jobs, leases, rows.Err()
}
