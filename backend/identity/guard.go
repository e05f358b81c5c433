package identity

// guard stands before Wix: it bounds the calls in flight, and stops calling for a
// while when Wix fails again and again.

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

const (
	// maxInFlight is how many calls to Wix may run at a time.
	maxInFlight = 64
	// maxQueued is how many more may wait for their turn, for maxQueuedFor each: the
	// visitors of a busy moment just after a start, whose tokens are all new.
	maxQueued    = 1024
	maxQueuedFor = time.Second
	// The breaker opens after so many failures in a row, or when half of the calls
	// of breakerWindow fail.
	breakerFailures = 10
	breakerSample   = 40
	breakerWindow   = 30 * time.Second
	breakerOpen     = 5 * time.Second
	// retryDefault is what a client is told to wait when Wix did not say.
	retryDefault = 5 * time.Second
)

type guard struct {
	now       func() time.Time
	slots     chan struct{}
	queued    atomic.Int64
	breaker   *gobreaker.CircuitBreaker[struct{}]
	openUntil atomic.Int64 // Unix nanoseconds
}

func newGuard(name string, now func() time.Time, logger *slog.Logger) *guard {
	g := &guard{now: now, slots: make(chan struct{}, maxInFlight)}
	g.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:     name,
		Interval: breakerWindow,
		Timeout:  breakerOpen,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			return c.ConsecutiveFailures >= breakerFailures ||
				c.Requests >= breakerSample && c.TotalFailures*2 >= c.Requests
		},
		// A refusal and a rate limit are answers of a Wix in good health.
		IsSuccessful: func(err error) bool {
			return err == nil || isKind(err, wix.Refused) || isKind(err, wix.RateLimited)
		},
		IsExcluded: func(err error) bool { return isKind(err, wix.Canceled) },
		OnStateChange: func(name string, from, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				g.openUntil.Store(g.now().Add(breakerOpen).UnixNano())
			}
			logger.Warn("wix breaker", "calls", name, "from", from.String(), "to", to.String())
		},
	})
	return g
}

// call runs f, which calls Wix, or says with an *instance.Error why it may not.
func (g *guard) call(ctx context.Context, f func() error) error {
	if err := g.enter(ctx); err != nil {
		return err
	}
	defer func() { <-g.slots }()
	_, err := g.breaker.Execute(func() (struct{}, error) { return struct{}{}, f() })
	switch {
	case errors.Is(err, gobreaker.ErrOpenState):
		rest := time.Unix(0, g.openUntil.Load()).Sub(g.now())
		return unavailable(min(max(rest, time.Second), breakerOpen), err)
	case errors.Is(err, gobreaker.ErrTooManyRequests):
		return unavailable(time.Second, err)
	}
	return err
}

func (g *guard) enter(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}:
		return nil
	default:
	}
	defer g.queued.Add(-1)
	if g.queued.Add(1) > maxQueued {
		return unavailable(time.Second, errors.New("too many calls to Wix are waiting"))
	}
	timer := time.NewTimer(maxQueuedFor)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return unavailable(time.Second, errors.New("too many calls to Wix are in flight"))
}

func unavailable(retryAfter time.Duration, cause error) *instance.Error {
	return &instance.Error{Code: instance.CodeWixUnavailable, RetryAfter: retryAfter, Err: cause}
}

// fault says in Nametag's terms what went wrong with a call to Wix.
func fault(err error) *instance.Error {
	var known *instance.Error
	if errors.As(err, &known) {
		return known
	}
	var w *wix.Error
	switch {
	case errors.As(err, &w):
	case errors.Is(err, context.Canceled): // by Close: no caller's context reaches a call
		return unavailable(retryDefault, err)
	case errors.Is(err, context.DeadlineExceeded):
		return &instance.Error{Code: instance.CodeWixTimeout, Err: err}
	default:
		return &instance.Error{Code: instance.CodeInternal, Err: err}
	}
	retryAfter := w.RetryAfter
	if retryAfter == 0 {
		retryAfter = retryDefault
	}
	switch w.Kind {
	case wix.RateLimited:
		return &instance.Error{Code: instance.CodeRateLimited, RetryAfter: retryAfter, Err: w}
	case wix.Timeout:
		return &instance.Error{Code: instance.CodeWixTimeout, Err: w}
	case wix.Unavailable, wix.Canceled:
		return unavailable(retryAfter, w)
	default:
		return &instance.Error{Code: instance.CodeWixBadResponse, Err: w}
	}
}

// callerGone is the fault of a caller whose own context ended: its context.Canceled
// as it is, its deadline as a timeout.
func callerGone(err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return &instance.Error{Code: instance.CodeWixTimeout, Err: err}
}

func isKind(err error, kind wix.Kind) bool {
	var w *wix.Error
	return errors.As(err, &w) && w.Kind == kind
}

// isRefused says that Wix refuses what it was asked with: 400, 401, 403 or 404.
// Another 4xx is an answer that Wix does not document for these calls.
func isRefused(err error) bool {
	var w *wix.Error
	if !errors.As(err, &w) || w.Kind != wix.Refused {
		return false
	}
	switch w.Status {
	case 400, 401, 403, 404:
		return true
	}
	return false
}
