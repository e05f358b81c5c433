// Package lifecycle keeps our record of an installation true to what Wix says of it.
package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"nametag/backend/instance"
	"nametag/backend/wix"
)

// queueSize bounds how many instances may wait to be read. One that finds the
// queue full is asked for again by its next visit.
const queueSize = 1024

// readTimeout bounds one read from Wix and one write to the store.
const readTimeout = 15 * time.Second

// retryAfter is how long a failed read rests, whatever visits come meanwhile.
const retryAfter = time.Minute

// Elevator reads an app instance from Wix with the app's own identity.
type Elevator interface {
	AppInstance(ctx context.Context, instanceID string) (wix.AppInstance, error)
}

// Learner reads app instances from Wix off the request path, one at a time, and
// writes what it learns into the store.
type Learner struct {
	elevator Elevator
	store    instance.Store
	log      *slog.Logger
	now      func() time.Time

	queue chan string
	stop  context.CancelFunc
	done  chan struct{}

	mu sync.Mutex
	// waiting holds the instances that are queued, being read, or resting after a
	// failure, with the time until which they are not to be queued again.
	waiting map[string]time.Time
}

// NewLearner starts a Learner. Close ends it.
func NewLearner(e Elevator, s instance.Store, log *slog.Logger, now func() time.Time) *Learner {
	ctx, stop := context.WithCancel(context.Background())
	l := &Learner{
		elevator: e, store: s, log: log, now: now,
		queue: make(chan string, queueSize), stop: stop, done: make(chan struct{}),
		waiting: make(map[string]time.Time),
	}
	go l.run(ctx)
	return l
}

// Want asks for the instance's record to be brought up to date soon. It never waits.
func (l *Learner) Want(instanceID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if until, ok := l.waiting[instanceID]; ok && now.Before(until) {
		return
	}
	select {
	case l.queue <- instanceID:
		l.forgetRested(now)
		l.waiting[instanceID] = now.Add(retryAfter)
	default:
	}
}

// forgetRested keeps the map no larger than the queue and a minute's failures.
func (l *Learner) forgetRested(now time.Time) {
	if len(l.waiting) < queueSize {
		return
	}
	for id, until := range l.waiting {
		if !now.Before(until) {
			delete(l.waiting, id)
		}
	}
}

func (l *Learner) run(ctx context.Context) {
	defer close(l.done)
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-l.queue:
			err := l.learn(ctx, id)
			switch {
			case err == nil:
				l.mu.Lock()
				delete(l.waiting, id)
				l.mu.Unlock()
			case ctx.Err() == nil:
				l.log.Warn("could not read the app instance from Wix", "instanceId", id, "cause", err)
			}
		}
	}
}

func (l *Learner) learn(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	said, err := l.elevator.AppInstance(ctx, id)
	if err != nil {
		return err
	}
	return l.Record(ctx, id, said)
}

// Record takes over what Wix has just said of an instance. An instance that has
// been deleted meanwhile stays deleted.
func (l *Learner) Record(ctx context.Context, instanceID string, said wix.AppInstance) error {
	row, err := l.store.Find(ctx, instanceID)
	if errors.Is(err, instance.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	profile := profileOf(said)
	if now := l.now(); !same(row.Profile, profile) || now.Sub(row.ProfileAt) > instance.SeenEvery {
		_, err = l.store.SaveProfile(ctx, instanceID, profile, now)
	}
	return err
}

// Close stops the reading and waits for it to end.
func (l *Learner) Close() {
	l.stop()
	<-l.done
}

func same(a, b instance.Profile) bool {
	return a.Plan == b.Plan && a.Locale == b.Locale && a.Currency == b.Currency &&
		a.SiteDisplayName == b.SiteDisplayName && slices.Equal(a.Languages, b.Languages)
}
