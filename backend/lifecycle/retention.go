package lifecycle

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

const (
	// sweepEvery is how often there is a look for what is to be deleted.
	sweepEvery = time.Hour
	// sweepTimeout bounds the deleting of one kind of thing.
	sweepTimeout = time.Minute
	// doneKept is how long an event is kept after it was applied. Wix repeats a
	// delivery for about 48 hours ("Webhook Resend Policy"); later a repeat is not
	// recognised, and still harmless (instance.Apply).
	doneKept = 7 * 24 * time.Hour
)

// RetentionOptions are what a Retention needs. Inbox and Keep are required.
type RetentionOptions struct {
	Inbox instance.Inbox
	// Keep is how long the data of a removed instance is kept.
	Keep time.Duration
	// Purged hears of the instances that were deleted. Nil for nobody.
	Purged func(instanceIDs []string)
	Logger *slog.Logger     // none
	Now    func() time.Time // time.Now
}

// Retention deletes, now and every hour, the removed instances whose time is up and
// the events that were applied long ago. One process needs to do it; when many do,
// no harm is done.
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
	purged, err := within(ctx, func(ctx context.Context) ([]string, error) {
		return r.o.Inbox.PurgeRemoved(ctx, now.Add(-r.o.Keep))
	})
	r.report(ctx, "removed instances purged", len(purged), err)
	if len(purged) > 0 {
		r.o.Purged(purged)
	}
	forgotten, err := within(ctx, func(ctx context.Context) (int, error) {
		return r.o.Inbox.ForgetDone(ctx, now.Add(-doneKept))
	})
	r.report(ctx, "old events forgotten", forgotten, err)
}

func within[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	return f(ctx)
}

func (r *Retention) report(ctx context.Context, what string, count int, err error) {
	switch {
	case ctx.Err() != nil: // it is made up for at the next start
	case err != nil:
		r.o.Logger.Error("what is to be deleted is still there", "what", what, "cause", err)
	case count > 0:
		r.o.Logger.Info(what, "count", count)
	}
}
