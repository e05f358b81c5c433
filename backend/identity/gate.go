package identity

// The gate in front of Wix: it limits the calls in flight, and stops calling for a while
// when Wix fails repeatedly.

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

const (
	// maxInFlight is the largest number of calls at a time.
	maxInFlight = 64
	// maxQueued is how many more calls may wait, for queueTimeout each. Just after a start
	// many visitors call at once, and none of their tokens is cached.
	maxQueued    = 1024
	queueTimeout = time.Second
	// The breaker opens after breakerFailures failures in a row, or when half of at least
	// breakerSample calls within breakerWindow fail.
	breakerFailures = 10
	breakerSample   = 40
	breakerWindow   = 30 * time.Second
	breakerOpen     = 5 * time.Second
)

// gate admits calls to Wix.
type gate struct {
	now       func() time.Time
	slots     chan struct{}
	queued    atomic.Int64
	breaker   *gobreaker.CircuitBreaker[struct{}]
	openUntil atomic.Int64 // Unix nanoseconds
}

// newGate returns a gate. calls names its calls in the log.
func newGate(calls string, now func() time.Time, logger *slog.Logger) *gate {
	g := &gate{now: now, slots: make(chan struct{}, maxInFlight)}
	g.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:     calls,
		Interval: breakerWindow,
		Timeout:  breakerOpen,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			return c.ConsecutiveFailures >= breakerFailures ||
				c.Requests >= breakerSample && c.TotalFailures*2 >= c.Requests
		},
		// Wix is in good health when it refuses a call or limits its rate.
		IsSuccessful: func(err error) bool {
			return err == nil || isKind(err, wix.Refused) || isKind(err, wix.RateLimited)
		},
		// Neither says anything about Wix: a caller who left, an error of this side.
		IsExcluded: func(err error) bool {
			var ours *apierr.Error
			return isKind(err, wix.Canceled) || errors.As(err, &ours)
		},
		OnStateChange: func(name string, from, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				g.openUntil.Store(g.now().Add(breakerOpen).UnixNano())
			}
			logger.Warn("wix breaker changed", "calls", name, "from", from.String(), "to", to.String())
		},
	})
	return g
}

// call runs f, which calls Wix, and returns its error. If the gate does not admit the
// call, f does not run and the error is wix_unavailable.
func (g *gate) call(ctx context.Context, f func() error) error {
	if err := g.enter(ctx); err != nil {
		return err
	}
	defer func() { <-g.slots }()
	_, err := g.breaker.Execute(func() (struct{}, error) { return struct{}{}, f() })
	switch {
	case errors.Is(err, gobreaker.ErrOpenState):
		remaining := time.Unix(0, g.openUntil.Load()).Sub(g.now())
		return unavailable(min(max(remaining, time.Second), breakerOpen), err)
	case errors.Is(err, gobreaker.ErrTooManyRequests):
		return unavailable(time.Second, err)
	}
	return err
}

// enter takes a slot, and waits for one if necessary.
func (g *gate) enter(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}:
		return nil
	default:
	}
	defer g.queued.Add(-1)
	if g.queued.Add(1) > maxQueued {
		return unavailable(time.Second, errors.New("too many calls to Wix are queued"))
	}
	timer := time.NewTimer(queueTimeout)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return unavailable(time.Second, errors.New("too many calls to Wix are in flight"))
}

func unavailable(retryAfter time.Duration, cause error) *apierr.Error {
	return &apierr.Error{Code: apierr.WixUnavailable, RetryAfter: retryAfter, Err: cause}
}
