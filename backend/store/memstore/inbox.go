// What Wix tells, kept until it has been acted upon.

package memstore

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// maxCause is how many bytes of a failure's cause are kept.
const maxCause = 500

// job is a kept job, and when the lease that was given out last ends.
type job struct {
	instance.Job
	lease time.Time
}

var _ instance.Inbox = (*Store)(nil)

// Accept implements instance.Inbox.
func (s *Store) Accept(ctx context.Context, e instance.Event) (fresh bool, err error) {
	if err := check(e); err != nil {
		return false, err
	}
	if err := s.lock(ctx); err != nil {
		return false, err
	}
	defer s.mu.Unlock()
	if _, known := s.jobs[e.ID]; known {
		return false, nil
	}
	e = keep(e)
	s.jobs[e.ID] = &job{Job: instance.Job{ID: e.ID, InstanceID: e.InstanceID, Event: &e, State: instance.JobPending, Due: e.ReceivedAt}}
	return true, nil
}

// Claim implements instance.Inbox.
func (s *Store) Claim(ctx context.Context, now time.Time, lease time.Duration, n int) ([]instance.Job, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	now = exact(now)
	var due []*job
	for _, j := range s.jobs {
		if j.State == instance.JobPending && !j.Due.After(now) {
			due = append(due, j)
		}
	}
	slices.SortFunc(due, func(a, b *job) int { return cmp.Or(a.Due.Compare(b.Due), strings.Compare(a.ID, b.ID)) })
	var claimed []instance.Job
	for _, j := range due[:min(len(due), max(n, 0))] {
		// No two leases of a job end together, so that each holder knows its own.
		end := exact(now.Add(lease))
		if !end.After(j.lease) {
			end = j.lease.Add(time.Millisecond)
		}
		j.Due, j.lease = end, end
		claimed = append(claimed, ownJob(j))
	}
	return claimed, nil
}

// ApplyEvent implements instance.Inbox. An event that was never accepted is kept as done.
func (s *Store) ApplyEvent(ctx context.Context, e instance.Event, now time.Time) (instance.Instance, instance.Change, error) {
	if err := check(e); err != nil {
		return instance.Instance{}, instance.Change{}, err
	}
	if err := s.lock(ctx); err != nil {
		return instance.Instance{}, instance.Change{}, err
	}
	defer s.mu.Unlock()
	e = keep(e)
	row, known := s.rows[e.InstanceID]
	if !known {
		row = instance.NewInstance(e.InstanceID, e.ReceivedAt)
	}
	var change instance.Change
	held, accepted := s.jobs[e.ID]
	switch {
	case !accepted:
		s.jobs[e.ID] = &job{Job: instance.Job{ID: e.ID, InstanceID: e.InstanceID, Event: &e, State: instance.JobDone, Due: e.ReceivedAt}}
	case held.State == instance.JobDone:
		return own(row), change, nil
	default:
		held.State = instance.JobDone
	}
	change = row.Apply(e)
	if origin := s.rows[row.OriginID]; change.Copy && origin.Version > 0 {
		row.Settings, row.Version = origin.Settings, 1
	}
	s.rows[e.InstanceID] = row
	if change.Reread {
		s.wantReading(e.InstanceID, exact(now))
	}
	return own(row), change, nil
}

// WantReading implements instance.Inbox.
func (s *Store) WantReading(ctx context.Context, instanceID string, due time.Time) error {
	if instanceID == "" {
		return errNoID
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.wantReading(instanceID, exact(due))
	return nil
}

func (s *Store) wantReading(instanceID string, due time.Time) {
	id := "reread:" + instanceID
	j, known := s.jobs[id]
	if !known {
		j = &job{}
		s.jobs[id] = j
	}
	switch {
	case j.State != instance.JobPending:
		j.Job = instance.Job{ID: id, InstanceID: instanceID, State: instance.JobPending, Due: due}
	case due.Before(j.Due):
		j.Due = due
	case j.Due.Equal(j.lease):
		// Whoever holds the lease has begun to read before now, and sees by this that
		// it has to be done again.
		j.Due = j.Due.Add(-time.Millisecond)
	}
}

// Finish implements instance.Inbox.
func (s *Store) Finish(ctx context.Context, j instance.Job) error {
	return s.change(ctx, j, func(held *job, current bool) {
		if current || held.Event != nil {
			held.State = instance.JobDone
		}
	})
}

// Retry implements instance.Inbox. A job that was claimed or wanted anew since keeps
// its due time.
func (s *Store) Retry(ctx context.Context, j instance.Job, due time.Time, cause string) error {
	return s.change(ctx, j, func(held *job, current bool) {
		held.fail(cause)
		if current {
			held.Due = exact(due)
		}
	})
}

// Bury implements instance.Inbox. A job that was claimed or wanted anew since stays pending.
func (s *Store) Bury(ctx context.Context, j instance.Job, cause string) error {
	return s.change(ctx, j, func(held *job, current bool) {
		held.fail(cause)
		if current {
			held.State = instance.JobDead
		}
	})
}

// change changes a job if it is still pending. It is current if nobody has claimed or
// wanted it since j was.
func (s *Store) change(ctx context.Context, j instance.Job, f func(held *job, current bool)) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if held, known := s.jobs[j.ID]; known && held.State == instance.JobPending {
		f(held, held.Due.Equal(exact(j.Due)))
	}
	return nil
}

func (j *job) fail(cause string) {
	j.Attempts++
	j.LastError = strings.ReplaceAll(strings.ToValidUTF8(cause[:min(len(cause), maxCause)], ""), "\x00", "")
}

// Jobs implements instance.Inbox.
func (s *Store) Jobs(ctx context.Context, instanceID string) ([]instance.Job, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var jobs []instance.Job
	for _, j := range s.jobs {
		if j.InstanceID == instanceID {
			jobs = append(jobs, ownJob(j))
		}
	}
	slices.SortFunc(jobs, func(a, b instance.Job) int {
		switch {
		case a.Event == nil:
			return 1 // there is only one reading
		case b.Event == nil:
			return -1
		}
		return cmp.Or(a.Event.At.Compare(b.Event.At), strings.Compare(a.ID, b.ID))
	})
	return jobs, nil
}

// DeadLetters implements instance.Inbox.
func (s *Store) DeadLetters(ctx context.Context) (int, error) {
	if err := s.lock(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	dead := 0
	for _, j := range s.jobs {
		if j.State == instance.JobDead {
			dead++
		}
	}
	return dead, nil
}

// ForgetDone implements instance.Inbox.
func (s *Store) ForgetDone(ctx context.Context, before time.Time) (int, error) {
	if err := s.lock(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	held := len(s.jobs)
	before = exact(before)
	maps.DeleteFunc(s.jobs, func(_ string, j *job) bool {
		return j.Event != nil && j.State == instance.JobDone && j.Event.ReceivedAt.Before(before)
	})
	return held - len(s.jobs), nil
}

// PurgeRemoved implements instance.Inbox.
func (s *Store) PurgeRemoved(ctx context.Context, before time.Time) ([]string, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	before = exact(before)
	var purged []string
	for id, row := range s.rows {
		if !row.RemovedAt.IsZero() && row.RemovedAt.Before(before) {
			purged = append(purged, id)
		}
	}
	for _, id := range purged {
		s.forget(id)
	}
	slices.Sort(purged)
	return purged, nil
}

// List implements instance.Inbox.
func (s *Store) List(ctx context.Context, after string, n int) ([]instance.Instance, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var rows []instance.Instance
	for _, id := range slices.Sorted(maps.Keys(s.rows)) {
		if id > after && len(rows) < n {
			rows = append(rows, own(s.rows[id]))
		}
	}
	return rows, nil
}

func check(e instance.Event) error {
	if e.ID == "" {
		return errors.New("an event needs an id")
	}
	if e.InstanceID == "" {
		return errNoID
	}
	return nil
}

// keep is an event as the store keeps it: the store's own, with exact times.
func keep(e instance.Event) instance.Event {
	e.At, e.ReceivedAt = exact(e.At), exact(e.ReceivedAt)
	e.Payload = slices.Clone(e.Payload)
	return e
}

// ownJob returns a job that shares nothing with the stored one.
func ownJob(j *job) instance.Job {
	out := j.Job
	if out.Event != nil {
		e := *out.Event
		e.Payload = slices.Clone(e.Payload)
		out.Event = &e
	}
	return out
}
