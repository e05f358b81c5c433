package lifecycle

// What requests do for the record of an instance: they request a refresh of it, and pass
// on what Wix has just reported.

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

const (
	// queueSize bounds the requests that wait to become jobs. A request that finds the
	// queue full is dropped; the next visit makes it again.
	queueSize = 1024
	// requestPause is how long, at least, further requests for an instance are ignored.
	requestPause = time.Minute
	// maxRecent bounds the instances that are remembered for requestPause.
	maxRecent = 16 * queueSize
)

// refreshQueue holds the instances whose refresh was requested, each once in a while.
type refreshQueue struct {
	queue chan string

	mu sync.Mutex
	// recent are the instances of this period, which began at since, and before those
	// of the last.
	recent, before map[string]struct{}
	since          time.Time
}

// RequestRefresh requests that the instance's record is brought up to date soon. It never
// waits.
func (w *Worker) RequestRefresh(instanceID string) {
	w.refreshes.add(instanceID, w.now())
}

func (q *refreshQueue) add(id string, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.recent == nil || now.Sub(q.since) >= requestPause || len(q.recent) >= maxRecent {
		if now.Sub(q.since) >= 2*requestPause {
			q.recent = nil
		}
		q.before, q.recent, q.since = q.recent, make(map[string]struct{}), now
	}
	if _, found := q.before[id]; found {
		return
	}
	if _, found := q.recent[id]; found {
		return
	}
	select {
	case q.queue <- id:
		q.recent[id] = struct{}{}
	default:
	}
}

func (w *Worker) drainRefreshQueue() {
	for {
		select {
		case <-w.ending.Done():
			return
		case id := <-w.refreshes.queue:
			if err := w.enqueueRefresh(id); err != nil {
				w.log.Warn("a refresh could not be requested", "instanceId", id, "cause", err)
			}
		}
	}
}

// enqueueRefresh makes a refresh due, unless one is pending: that one may be resting after
// a failure, and visits must not shorten its rest.
func (w *Worker) enqueueRefresh(id string) error {
	ctx, cancel := context.WithTimeout(w.ending, storeTimeout)
	defer cancel()
	jobs, err := w.jobs.JobsOf(ctx, id)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(jobs, func(j instance.Job) bool { return j.Event == nil && j.State == instance.JobPending }) {
		return nil
	}
	if err := w.jobs.RequestRefresh(ctx, id, w.now()); err != nil {
		return err
	}
	w.Wake()
	return nil
}

// Save stores what Wix has just reported about an instance, if it differs from what is
// stored. The report may come from a cache and be some hours old: a plan that differs from
// ours is not taken over, but a refresh requested. An instance that has been deleted stays
// deleted.
func (w *Worker) Save(ctx context.Context, instanceID string, app *wix.AppInstance) error {
	at := w.now()
	row, err := w.store.Find(ctx, instanceID)
	if errors.Is(err, instance.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	profile := profileOf(app)
	switch {
	case !row.PlanAt.IsZero() && profile.Plan != row.Profile.Plan:
		w.RequestRefresh(instanceID)
		return nil
	case !row.ProfileAt.IsZero() && row.Profile.Equal(profile) && at.Sub(row.ProfileAt) <= instance.SeenEvery:
		return nil
	}
	return w.saveProfile(ctx, instanceID, profile, latest(at, row.ProfileAt))
}

// latest returns the latest of some times.
func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// saveProfile stores what Wix reported at a time.
func (w *Worker) saveProfile(ctx context.Context, instanceID string, p instance.Profile, at time.Time) error {
	_, err := w.store.SaveProfile(ctx, instanceID, p, at)
	if errors.Is(err, instance.ErrNotFound) {
		return nil
	}
	return err
}
