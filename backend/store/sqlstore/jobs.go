package sqlstore

// The job queue: the methods of instance.Jobs, but for those that claim.

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// maxCause is how many bytes of a failure's cause are stored.
const maxCause = 500

const (
	jobColumns = `id, instance_id, event, payload, event_at, received_at, state, due, attempts, last_error`

	// The order of eventArgs.
	eventColumns = `id, instance_id, event, payload, event_at, received_at, state, due, attempts, last_error, urgent, stamp`

	// An event from before its instance was purged is left out.
	acceptSQL = `
INSERT INTO jobs (` + eventColumns + `)
SELECT ?, ?, ?, ?, ?, ?, ?, 0, 0, '', ?, ?
WHERE NOT EXISTS (SELECT 1 FROM nametag_purged WHERE instance = ? AND known_at >= ?)
ON CONFLICT (id) DO UPDATE SET state = 'pending', due = 0, rest = 0, attempts = 0, last_error = '', stamp = excluded.stamp
WHERE jobs.state = 'dead'`

	finishEventSQL = `
INSERT INTO jobs (` + eventColumns + `)
VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, '', ?, ?)
ON CONFLICT (id) DO UPDATE SET state = excluded.state`

	deleteJobSQL = `DELETE FROM jobs WHERE id = ?`

	// Whether the event is done, and whether the instance has other events that are dead.
	jobStateSQL = `
SELECT (SELECT state FROM jobs WHERE id = ?),
	EXISTS (SELECT 1 FROM jobs WHERE state = 'dead' AND instance_id = ? AND event IS NOT NULL)`

	rearmSet = `UPDATE jobs SET state = 'pending', due = 0, rest = 0, attempts = 0, last_error = '', stamp = ?`

	rearmEventsSQL = rearmSet + ` WHERE state = 'dead' AND instance_id = ? AND event IS NOT NULL`

	rearmAllSQL = rearmSet + `
WHERE state = 'dead' AND id IN (SELECT id FROM jobs WHERE state = 'dead' ORDER BY id LIMIT ?) RETURNING ` + jobColumns

	rearmSQL = rearmSet + `
WHERE state = 'dead' AND id IN (SELECT id FROM jobs WHERE state = 'dead' AND instance_id = ? ORDER BY id LIMIT ?) RETURNING ` + jobColumns

	// While a refresh is being tried, due is the end of its lease; requested again, it is
	// that less 1: by it Finish, Retry and Bury see that the worker began before the request.
	requestRefreshSQL = `
INSERT INTO jobs (id, instance_id, state, due, attempts, last_error, stamp)
VALUES (?, ?, 'pending', 0, 0, '', ?)
ON CONFLICT (id) DO UPDATE SET
	state = 'pending',
	attempts = 0,
	last_error = CASE WHEN jobs.state = 'pending' THEN jobs.last_error ELSE '' END,
	due = CASE
		WHEN jobs.state <> 'pending' THEN 0
		WHEN jobs.due = jobs.lease THEN jobs.due - 1
		WHEN jobs.due = jobs.lease - 1 OR jobs.due <= excluded.stamp + ? THEN jobs.due
		ELSE excluded.stamp + ? END,
	stamp = CASE
		WHEN jobs.state <> 'pending' THEN excluded.stamp
		WHEN jobs.due = jobs.lease OR jobs.due = jobs.lease - 1 OR jobs.due <= excluded.stamp + ? THEN jobs.stamp
		ELSE excluded.stamp END,
	rest = CASE
		WHEN jobs.state <> 'pending' THEN 0
		WHEN jobs.due = jobs.lease OR jobs.due = jobs.lease - 1 OR jobs.due <= excluded.stamp + ? THEN jobs.rest
		ELSE ? END`

	finishSQL = `
UPDATE jobs SET
	state = CASE WHEN event IS NULL AND due <> ? THEN state ELSE 'done' END,
	due = CASE WHEN event IS NULL AND due = ? THEN 0 ELSE due END
WHERE id = ? AND state = 'pending'`

	retrySQL = `
UPDATE jobs SET
	attempts = attempts + ?, last_error = ?,
	due = CASE WHEN due = ? THEN ? WHEN due = ? THEN ? ELSE due END,
	stamp = CASE WHEN due = ? OR due = ? THEN ? ELSE stamp END,
	rest = CASE WHEN due = ? THEN ? WHEN due = ? THEN ? ELSE rest END
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
	args, err := acceptArgs(e)
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

// acceptArgs are the arguments of acceptSQL.
func acceptArgs(e instance.Event) ([]any, error) {
	args, err := eventArgs(e, instance.JobPending)
	return append(args, purgedKey(e.InstanceID), e.At.UnixMilli()), err
}

// eventArgs are the arguments for eventColumns.
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
	urgent, received := 0, e.ReceivedAt.UnixMilli()
	if e.Kind == instance.EventRemoved {
		urgent = 1
	}
	return []any{e.ID, e.InstanceID, string(text), []byte(e.Payload), e.At.UnixMilli(), received, string(state), urgent, received}, nil
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
		var purged bool
		if row, purged, err = s.instanceOf(ctx, tx, e); err != nil || purged {
			return err
		}
		if err := s.endEvent(ctx, tx, e, done, now); err != nil {
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

// instanceOf locks the instance of an event. Only an event from Wix creates it, and only
// one from after its purge: of any other nothing is left.
func (s *Store) instanceOf(ctx context.Context, tx *sql.Tx, e instance.Event) (row instance.Instance, purged bool, err error) {
	if e.Kind.Internal() {
		row, err = s.getForUpdate(ctx, tx, e.InstanceID)
		if errors.Is(err, instance.ErrNotFound) {
			return instance.Instance{}, false, errDone
		}
		return row, false, err
	}
	row, created, err := s.getOrCreateForUpdate(ctx, tx, instance.NewInstance(e.InstanceID, e.ReceivedAt))
	if err != nil || !created {
		return row, false, err
	}
	known, err := s.purgedAt(ctx, tx, e.InstanceID)
	if err != nil || e.At.After(known.at) {
		row.LastRemovedAt = known.removedAt()
		return row, false, err
	}
	if err := s.exec(ctx, tx, deleteJobSQL, e.ID); err != nil {
		return row, false, err
	}
	return instance.Instance{}, true, s.exec(ctx, tx, deleteSQL, e.InstanceID)
}

// endEvent marks the job of an event as done, or returns errDone if it is. The instance's
// dead events start again: what they failed for may have been mended.
func (s *Store) endEvent(ctx context.Context, tx *sql.Tx, e instance.Event, done []any, now time.Time) error {
	var (
		state sql.Null[instance.JobState]
		dead  bool
	)
	if err := tx.QueryRowContext(ctx, s.dialect.rebind(jobStateSQL), e.ID, e.InstanceID).Scan(&state, &dead); err != nil {
		return err
	}
	if state.V == instance.JobDone {
		return errDone
	}
	if err := s.exec(ctx, tx, finishEventSQL, done...); err != nil || !dead {
		return err
	}
	return s.exec(ctx, tx, rearmEventsSQL, now.UnixMilli(), e.InstanceID)
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
func (s *Store) RequestRefresh(ctx context.Context, instanceID string, now time.Time) error {
	if instanceID == "" {
		return errNoID
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := s.requestRefresh(ctx, s.write, instanceID, now); err != nil {
		return fmt.Errorf("request a refresh: %w", err)
	}
	return nil
}

func (s *Store) requestRefresh(ctx context.Context, on execer, instanceID string, now time.Time) error {
	rest := instance.RefreshRest.Milliseconds()
	return s.exec(ctx, on, requestRefreshSQL, instance.RefreshJobID(instanceID), instanceID, now.UnixMilli(), rest, rest, rest, rest, rest)
}

// Finish implements instance.Jobs.
func (s *Store) Finish(ctx context.Context, j instance.Job) error {
	lease := dueMillis(j.Due)
	return s.end(ctx, "finish a job", finishSQL, lease, lease-1, j.ID)
}

// Retry implements instance.Jobs. A job that another worker has claimed since keeps its
// due time.
func (s *Store) Retry(ctx context.Context, j instance.Job, now time.Time, rest time.Duration, cause string) error {
	return s.rest(ctx, j, 1, now, rest, cause)
}

// Defer implements instance.Jobs.
func (s *Store) Defer(ctx context.Context, j instance.Job, now time.Time, rest time.Duration, cause string) error {
	return s.rest(ctx, j, 0, now, rest, cause)
}

func (s *Store) rest(ctx context.Context, j instance.Job, attempts int, now time.Time, rest time.Duration, cause string) error {
	lease, stamp, long := dueMillis(j.Due), now.UnixMilli(), max(rest.Milliseconds(), 0)
	if end := stamp + long; end == lease || end == lease-1 {
		long += 2 // or it would look as if it were still being tried
	}
	short := min(long, instance.RefreshRest.Milliseconds())
	return s.end(ctx, "postpone a job", retrySQL, attempts, clip(cause),
		lease, stamp+long, lease-1, stamp+short,
		lease, lease-1, stamp,
		lease, long, lease-1, short, j.ID)
}

// Bury implements instance.Jobs. A job that has been claimed or requested again stays
// pending.
func (s *Store) Bury(ctx context.Context, j instance.Job, cause string) error {
	return s.end(ctx, "bury a job", burySQL, clip(cause), dueMillis(j.Due), j.ID)
}

func (s *Store) end(ctx context.Context, doing, query string, args ...any) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := s.exec(ctx, s.write, query, args...); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// Rearm implements instance.Jobs.
func (s *Store) Rearm(ctx context.Context, instanceID string, now time.Time, n int) ([]instance.Job, error) {
	query, args := rearmSQL, []any{now.UnixMilli(), instanceID, max(n, 0)}
	if instanceID == "" {
		query, args = rearmAllSQL, []any{now.UnixMilli(), max(n, 0)}
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	jobs, err := scanJobs(s.write.QueryContext(ctx, s.dialect.rebind(query), args...))
	if err != nil {
		return nil, fmt.Errorf("re-arm dead jobs: %w", err)
	}
	slices.SortFunc(jobs, func(a, b instance.Job) int {
		return cmp.Or(strings.Compare(a.InstanceID, b.InstanceID), strings.Compare(a.ID, b.ID))
	})
	return jobs, nil
}

// JobsOf implements instance.Jobs.
func (s *Store) JobsOf(ctx context.Context, instanceID string) ([]instance.Job, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	jobs, err := scanJobs(s.read.QueryContext(ctx, s.dialect.rebind(jobsSQL), instanceID))
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

// dueMillis returns a job's due time as its column stores it: 0 for at once.
func dueMillis(due time.Time) int64 {
	if due.IsZero() {
		return 0
	}
	return due.UnixMilli()
}

// scanJobs reads all jobs that a query of jobColumns returns.
func scanJobs(rows *sql.Rows, err error) (jobs []instance.Job, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			j              instance.Job
			text           sql.Null[string]
			payload        []byte
			at, receivedAt sql.Null[int64]
			due            int64
		)
		if err := rows.Scan(&j.ID, &j.InstanceID, &text, &payload, &at, &receivedAt, &j.State, &due, &j.Attempts, &j.LastError); err != nil {
			return nil, err
		}
		if due != 0 {
			j.Due = time.UnixMilli(due).UTC()
		}
		if text.Valid {
			var stored storedEvent
			if err := json.Unmarshal([]byte(text.V), &stored); err != nil {
				return nil, fmt.Errorf("read a stored event: %w", err)
			}
			j.Event = &instance.Event{
				ID: j.ID, InstanceID: j.InstanceID, Kind: stored.Kind, Type: stored.Type, At: fromMillis(at),
				Plan: stored.Plan, OriginID: stored.OriginID, Payload: payload, ReceivedAt: fromMillis(receivedAt),
			}
		}
		jobs = append(jobs, j)
	}
	return jobs, rows.Err()
}
