package lifecycle

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

const (
	// sweepEvery is how often a Retention looks for what is to be deleted.
	sweepEvery = time.Hour
	// sweepTimeout bounds each kind of deletion. The store deletes a little at a time and rests
	// in between, so that a backlog may take long and stops nobody.
	sweepTimeout = 30 * time.Minute
	// doneRetention is how long an event stays stored after it was applied. Wix repeats a
	// delivery for about 48 hours ("Webhook Resend Policy"); a repeat that comes later
	// is not recognized, and still harmless (instance.Apply).
	doneRetention = 7 * 24 * time.Hour
)

// RetentionOptions are what a Retention needs. Store, Jobs and Keep are required.
type RetentionOptions struct {
	Store instance.Store
	Jobs  instance.Jobs
	// Keep is how long the data of a removed instance stays stored.
	Keep time.Duration
	// Purged, if any, is called with the instances that were deleted.
	Purged func(instanceIDs []string)
	Logger *slog.Logger     // none
	Now    func() time.Time // time.Now
}

// Retention deletes, now and every hour, the removed instances whose time is up and
// the events that were applied long ago. One process needs to do it; several do no harm.
type Retention struct {
	o     RetentionOptions
	end   context.CancelFunc
	tasks sync.WaitGroup
}

// NewRetention starts a Retention. Close ends it.
func NewRetention(o RetentionOptions) *Retention {
	o.Logger = orDiscard(o.Logger)
	if o.Purged == nil {
		o.Purged = func([]string) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	ctx, end := context.WithCancel(context.Background())
	r := &Retention{o: o, end: end}
	r.tasks.Go(func() {
		for ctx.Err() == nil {
			r.sweep(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(sweepEvery):
			}
		}
	})
	return r
}

// Close stops the deleting and waits for it to end.
func (r *Retention) Close() {
	r.end()
	r.tasks.Wait()
}

func (r *Retention) sweep(ctx context.Context) {
	now := r.o.Now()
	purged, err := withTimeout(ctx, func(ctx context.Context) ([]string, error) {
		return r.o.Store.PurgeRemoved(ctx, now.Add(-r.o.Keep))
	})
	r.report(ctx, "purge of removed instances", "removed instances were purged", len(purged), err)
	if len(purged) > 0 {
		r.o.Purged(purged)
	}
	deleted, err := withTimeout(ctx, func(ctx context.Context) (int, error) {
		return r.o.Jobs.DeleteDone(ctx, now.Add(-doneRetention))
	})
	r.report(ctx, "deletion of old events", "old events were deleted", deleted, err)
}

func withTimeout[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	return f(ctx)
}

// report logs the outcome of a task: its name where it failed, a sentence where it
// deleted something. Some of it may have been done before it failed.
func (r *Retention) report(ctx context.Context, task, success string, count int, err error) {
	if ctx.Err() != nil {
		return // Close has ended it; the next start makes up for it
	}
	if err != nil {
		r.o.Logger.Error("data retention failed", "task", task, "cause", err)
	}
	if count > 0 {
		r.o.Logger.Info(success, "count", count)
	}
}
