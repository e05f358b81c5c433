package sqlstore

// Which jobs a worker gets: the methods of instance.Jobs that claim.
//
// A pending job is ready (due is 0), resting or leased (due is a time, and of a leased one
// equal to lease). Only the ready ones are claimed. A rest or a lease that is over makes its
// job ready again.

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

const (
	// clampEvery is how often jobs are looked for whose due time is too far away.
	clampEvery = time.Minute
	// skew is how far the clocks of two processes may be apart without consequences.
	skew = time.Minute
	// maxPromoted bounds the jobs that one statement makes ready.
	maxPromoted = 1000
	// maxClaimed bounds one claim, and so the arguments of a statement.
	maxClaimed = 500
)

const (
	readyEvent   = `state = 'pending' AND due = 0 AND event IS NOT NULL`
	readyRefresh = `state = 'pending' AND due = 0 AND event IS NULL`
	resting      = `state = 'pending' AND due > 0`
	leasedEvent  = `state = 'pending' AND due = lease AND event IS NOT NULL`

	anySQL = `
SELECT EXISTS (SELECT 1 FROM jobs WHERE ` + readyEvent + ` AND urgent = 1),
	EXISTS (SELECT 1 FROM jobs WHERE ` + readyEvent + ` AND urgent = 0),
	EXISTS (SELECT 1 FROM jobs WHERE ` + readyRefresh + `),
	EXISTS (SELECT 1 FROM jobs WHERE ` + resting + ` AND due <= ?)`

	// A clock that runs ahead sees a rest over that has only begun: it looks at when.
	promoteSQL = `
UPDATE jobs SET due = 0, rest = 0, stamp = due
WHERE due > 0 AND id IN (
	SELECT id FROM jobs
	WHERE ` + resting + ` AND due <= ? AND (stamp > ? OR stamp + rest <= ?)
	ORDER BY due LIMIT ?`

	// What was stamped in the future was so by a clock that has been set back, or that runs
	// ahead of ours.
	tooFar = resting + ` AND stamp > ? AND due > ? + rest`

	anyTooFarSQL = `SELECT EXISTS (SELECT 1 FROM jobs WHERE ` + tooFar + `)`

	clampSQL = `UPDATE jobs SET lease = lease - due + ? + rest, due = ? + rest WHERE ` + tooFar

	// The instances after a given one that have ready events and no leased one, and of each
	// the event that was received first, and whether there are more. Each step is one look into the index jobs_events, so
	// that it does not matter how many events an instance has. (Postgres would compute a min
	// over all of them while its statistics are old.)
	headsSQL = `
WITH RECURSIVE heads (n, instance_id) AS (
	SELECT 0, (SELECT instance_id FROM jobs WHERE ` + readyEvent + ` AND urgent = ? AND instance_id > ? ORDER BY instance_id LIMIT 1)
	UNION ALL
	SELECT n + CASE WHEN EXISTS (SELECT 1 FROM jobs WHERE ` + leasedEvent + ` AND jobs.instance_id = heads.instance_id) THEN 0 ELSE 1 END,
		(SELECT jobs.instance_id FROM jobs WHERE ` + readyEvent + ` AND urgent = ? AND jobs.instance_id > heads.instance_id
			ORDER BY jobs.instance_id LIMIT 1)
	FROM heads WHERE heads.instance_id IS NOT NULL AND n < ?
)
SELECT instance_id,
	(SELECT id FROM jobs WHERE ` + readyEvent + ` AND urgent = ? AND jobs.instance_id = heads.instance_id
		ORDER BY received_at, id LIMIT 1),
	EXISTS (SELECT 1 FROM jobs WHERE ` + readyEvent + ` AND urgent = ? AND jobs.instance_id = heads.instance_id
		ORDER BY received_at, id LIMIT 1 OFFSET 1)
FROM heads
WHERE instance_id IS NOT NULL AND n < ?
	AND NOT EXISTS (SELECT 1 FROM jobs WHERE ` + leasedEvent + ` AND jobs.instance_id = heads.instance_id)`

	// The next events of an instance after its first; several of these make one query.
	moreSQL = `
SELECT id, received_at FROM (
	SELECT id, received_at FROM jobs WHERE ` + readyEvent + ` AND urgent = 0 AND instance_id = ?
	ORDER BY received_at, id LIMIT ? OFFSET 1
) AS more`

	refreshesSQL = `SELECT id FROM jobs WHERE ` + readyRefresh + ` ORDER BY stamp, id LIMIT ?`

	backlogSQL = `
SELECT count(*), min(since) FROM (
	SELECT stamp AS since FROM jobs WHERE ` + readyEvent + `
	UNION ALL SELECT stamp FROM jobs WHERE ` + readyRefresh + `
	UNION ALL SELECT due FROM jobs WHERE ` + resting + ` AND due <= ?
) AS waiting`

	// No two leases of a job end together, so that each worker knows its own, and none ends
	// 1 ms after another, which is how a refresh is marked that was requested in between.
	leaseEnd = `CASE WHEN lease >= ? AND lease < ? THEN lease + 2 ELSE ? END`

	leaseSQL = `
UPDATE jobs SET due = ` + leaseEnd + `, lease = ` + leaseEnd + `, stamp = ?, rest = ?
WHERE id IN (
	SELECT id FROM jobs AS ready
	WHERE state = 'pending' AND due = 0
		AND NOT EXISTS (SELECT 1 FROM jobs WHERE ` + leasedEvent + ` AND jobs.instance_id = ready.instance_id AND ready.event IS NOT NULL)
		AND id IN `
)

// turns remembers which instance was served last, of those with removals and of those with
// other events.
type turns struct {
	mu     sync.Mutex
	served [2]string
}

func (t *turns) last(urgent int) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.served[urgent]
}

func (t *turns) set(urgent int, instanceID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.served[urgent] = instanceID
}

// Claim implements instance.Jobs. When nothing is due it costs one read.
func (s *Store) Claim(ctx context.Context, now time.Time, lease time.Duration, n int) ([]instance.Job, error) {
	return s.claim(ctx, now, lease, n, s.readyEvents)
}

// ClaimRefreshes implements instance.Jobs. When nothing is due it costs one read.
func (s *Store) ClaimRefreshes(ctx context.Context, now time.Time, lease time.Duration, n int) ([]instance.Job, error) {
	return s.claim(ctx, now, lease, n, func(ctx context.Context, r readiness, n int) ([]string, error) {
		if !r.refreshes {
			return nil, nil
		}
		return scanStrings(s.read.QueryContext(ctx, s.dialect.rebind(refreshesSQL), n))
	})
}

// claim leases those of the jobs that find returns which nobody else has leased just then.
func (s *Store) claim(ctx context.Context, now time.Time, lease time.Duration, n int,
	find func(context.Context, readiness, int) ([]string, error),
) (jobs []instance.Job, err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	defer func() {
		if err != nil {
			err = fmt.Errorf("claim jobs: %w", err)
		}
	}()
	n = min(n, maxClaimed)
	ready, err := s.makeReady(ctx, now.UnixMilli())
	if err != nil || n <= 0 {
		return nil, err
	}
	ids, err := find(ctx, ready, n)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return s.lease(ctx, ids, now.UnixMilli(), lease.Milliseconds())
}

// readiness is what is ready to be claimed, and whether rests or leases are over.
type readiness struct{ removals, events, refreshes, over bool }

// makeReady makes the jobs ready whose rest or lease is over at now.
func (s *Store) makeReady(ctx context.Context, now int64) (r readiness, err error) {
	if err := s.clamp(ctx, now); err != nil {
		return r, err
	}
	look := func() error {
		return s.read.QueryRowContext(ctx, s.dialect.rebind(anySQL), now).Scan(&r.removals, &r.events, &r.refreshes, &r.over)
	}
	if err := look(); err != nil || !r.over {
		return r, err
	}
	if err := s.exec(ctx, s.write, promoteSQL+s.dialect.skipLocked+")", now, now, now, maxPromoted); err != nil {
		return r, err
	}
	return r, look()
}

// clamp shortens, every now and then and when the clock has been set back, what rests or is
// leased for longer than it should.
func (s *Store) clamp(ctx context.Context, now int64) error {
	last := s.clampedAt.Load()
	if now >= last && now-last < clampEvery.Milliseconds() || !s.clampedAt.CompareAndSwap(last, now) {
		return nil
	}
	var found bool
	err := s.read.QueryRowContext(ctx, s.dialect.rebind(anyTooFarSQL), now+skew.Milliseconds(), now).Scan(&found)
	if err == nil && found {
		err = s.exec(ctx, s.write, clampSQL, now, now, now+skew.Milliseconds(), now)
	}
	if err != nil {
		s.clampedAt.CompareAndSwap(now, last)
	}
	return err
}

// readyEvents returns at most n ready events, removals first, and of as many instances as
// possible. Where these are fewer than n, the rest are further events of them in their order.
func (s *Store) readyEvents(ctx context.Context, r readiness, n int) (ids []string, err error) {
	chosen := map[string]bool{}
	var crowded []string // the instances that have more
	choose := func(urgent int) error {
		heads, err := s.heads(ctx, urgent, n-len(ids))
		for _, h := range heads {
			if chosen[h.instanceID] {
				continue
			}
			chosen[h.instanceID] = true
			ids = append(ids, h.jobID)
			if h.more && urgent == 0 {
				crowded = append(crowded, h.instanceID)
			}
		}
		return err
	}
	if r.removals {
		if err := choose(1); err != nil {
			return nil, err
		}
	}
	if r.events && len(ids) < n {
		if err := choose(0); err != nil {
			return nil, err
		}
	}
	if room := n - len(ids); room > 0 && len(crowded) > 0 {
		more, err := s.more(ctx, crowded[:min(room, len(crowded))], max(room/len(crowded), 1))
		return append(ids, more...), err
	}
	return ids, nil
}

// more returns the next ready events of each of the instances, after the first.
func (s *Store) more(ctx context.Context, instanceIDs []string, each int) (ids []string, err error) {
	var args []any
	for _, id := range instanceIDs {
		args = append(args, id, each)
	}
	query := `SELECT id FROM (` + strings.Join(slices.Repeat([]string{moreSQL}, len(instanceIDs)), " UNION ALL") + `) AS more ORDER BY received_at, id`
	return scanStrings(s.read.QueryContext(ctx, s.dialect.rebind(query), args...))
}

// head is the ready event of an instance that was received first.
type head struct {
	instanceID, jobID string
	more              bool
}

// heads returns the heads of the next n instances.
func (s *Store) heads(ctx context.Context, urgent, n int) ([]head, error) {
	after := s.turns.last(urgent)
	heads, err := s.headsAfter(ctx, urgent, after, n)
	if err == nil && len(heads) == 0 && after != "" {
		heads, err = s.headsAfter(ctx, urgent, "", n)
	}
	if err != nil {
		return nil, err
	}
	if len(heads) < n {
		s.turns.set(urgent, "") // that was the last of them
	} else {
		s.turns.set(urgent, heads[n-1].instanceID)
	}
	return heads, nil
}

func (s *Store) headsAfter(ctx context.Context, urgent int, after string, n int) (heads []head, err error) {
	rows, err := s.read.QueryContext(ctx, s.dialect.rebind(headsSQL), urgent, after, urgent, n, urgent, urgent, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			h     head
			jobID sql.Null[string]
		)
		if err := rows.Scan(&h.instanceID, &jobID, &h.more); err != nil {
			return nil, err
		}
		if h.jobID = jobID.V; jobID.Valid {
			heads = append(heads, h)
		}
	}
	return heads, rows.Err()
}

// lease leases the jobs with those ids that are still ready, and returns them in the order
// of the ids. Where others claim at the same moment, a job of an instance that they are
// looking at is left out.
func (s *Store) lease(ctx context.Context, ids []string, now, rest int64) (jobs []instance.Job, err error) {
	until := now + rest
	end := []any{until - 1, until + time.Second.Milliseconds(), until}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		mine := ids
		if s.dialect.lockInstances != "" {
			mine, err = scanStrings(tx.QueryContext(ctx, s.dialect.rebind(s.dialect.lockInstances+placeholders(len(ids))), anys(ids)...))
			if err != nil || len(mine) == 0 {
				return err
			}
		}
		query := leaseSQL + placeholders(len(mine)) + s.dialect.skipLocked + `) RETURNING ` + jobColumns
		args := slices.Concat(end, end, []any{now, rest}, anys(mine))
		jobs, err = scanJobs(tx.QueryContext(ctx, s.dialect.rebind(query), args...))
		return err
	})
	slices.SortFunc(jobs, func(a, b instance.Job) int {
		return cmp.Compare(slices.Index(ids, a.ID), slices.Index(ids, b.ID))
	})
	return jobs, err
}

// placeholders is a list of n of them.
func placeholders(n int) string { return "(" + strings.Repeat("?, ", n-1) + "?)" }

func anys(texts []string) (all []any) {
	for _, text := range texts {
		all = append(all, text)
	}
	return all
}

// Backlog implements instance.Jobs.
func (s *Store) Backlog(ctx context.Context, now time.Time) (instance.Backlog, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	var (
		b      instance.Backlog
		oldest sql.Null[int64]
	)
	err := s.read.QueryRowContext(ctx, s.dialect.rebind(backlogSQL), now.UnixMilli()).Scan(&b.Jobs, &oldest)
	if err != nil {
		return instance.Backlog{}, fmt.Errorf("count the jobs that are due: %w", err)
	}
	b.Oldest = fromMillis(oldest)
	return b, nil
}
