package lifecycle

// What requests give to the record: a wish that it be read anew, and what Wix has
// just said.

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
	// queueSize bounds the wishes that wait to be written down. One that finds the
	// queue full is made again by the next visit.
	queueSize = 1024
	// wishRest is how long, at least, an instance is not wished for again.
	wishRest = time.Minute
	// wishesKept bounds the instances that are remembered for a rest.
	wishesKept = 16 * queueSize
)

// wishes are the instances that visits want to be read, each once in a while.
type wishes struct {
	queue chan string

	mu sync.Mutex
	// recent are those of this rest, since a time, and before those of the last.
	recent, before map[string]struct{}
	since          time.Time
}

// Want asks for the instance's record to be brought up to date soon. It never waits.
func (w *Worker) Want(instanceID string) {
	w.wishes.add(instanceID, w.now())
}

func (w *wishes) add(id string, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.recent == nil || now.Sub(w.since) >= wishRest || len(w.recent) >= wishesKept {
		if now.Sub(w.since) >= 2*wishRest {
			w.recent = nil
		}
		w.before, w.recent, w.since = w.recent, make(map[string]struct{}), now
	}
	if _, known := w.before[id]; known {
		return
	}
	if _, known := w.recent[id]; known {
		return
	}
	select {
	case w.queue <- id:
		w.recent[id] = struct{}{}
	default:
	}
}

func (w *Worker) grantWishes() {
	for {
		select {
		case <-w.ending.Done():
			return
		case id := <-w.wishes.queue:
			if err := w.grant(id); err != nil {
				w.log.Warn("a reading cannot be asked for", "instanceId", id, "cause", err)
			}
		}
	}
}

// grant makes a reading due, unless one is pending: that one may be resting after a
// failure, and visits must not shorten its rest.
func (w *Worker) grant(id string) error {
	ctx, cancel := context.WithTimeout(w.ending, storeTimeout)
	defer cancel()
	jobs, err := w.inbox.Jobs(ctx, id)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(jobs, func(j instance.Job) bool { return j.Event == nil && j.State == instance.JobPending }) {
		return nil
	}
	if err := w.inbox.WantReading(ctx, id, w.now()); err != nil {
		return err
	}
	w.Wake()
	return nil
}

// Record takes over what Wix has just said of an instance, if that is news. It may
// have been said up to some hours ago, for all that is known here: a plan that differs
// from ours is not taken over but read anew. An instance that has been deleted
// meanwhile stays deleted.
func (w *Worker) Record(ctx context.Context, instanceID string, said *wix.AppInstance) error {
	at := w.now()
	row, err := w.store.Find(ctx, instanceID)
	if errors.Is(err, instance.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	profile := profileOf(said)
	switch {
	case !row.PlanAt.IsZero() && profile.Plan != row.Profile.Plan:
		w.Want(instanceID)
		return nil
	case !row.ProfileAt.IsZero() && row.Profile.Equal(profile) && at.Sub(row.ProfileAt) <= instance.SeenEvery:
		return nil
	}
	return w.save(ctx, instanceID, profile, at)
}

// save writes down what Wix said at a time.
func (w *Worker) save(ctx context.Context, instanceID string, p instance.Profile, at time.Time) error {
	_, err := w.store.SaveProfile(ctx, instanceID, p, at)
	if errors.Is(err, instance.ErrNotFound) {
		return nil
	}
	return err
}
