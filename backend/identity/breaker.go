package identity

// The breaker stops the calls to Wix while Wix is away. What callers can bring about does
// not open it: where Wix can be asked something of our own, that is asked first; elsewhere
// the failures must be those of several instances.

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	// The breaker suspects that Wix is away after breakerFailures failures in a row. Without
	// a probe they must have breakerCauses different causes.
	breakerFailures = 10
	breakerCauses   = 5
	// breakerOpen is how long no call is made before Wix is tried again.
	breakerOpen = 5 * time.Second
	// probeEvery is the shortest time between two probes of a breaker that remains closed.
	probeEvery = time.Second
)

var errOpen = errors.New("calls to Wix have failed repeatedly")

// breaker refuses calls while Wix is away.
type breaker struct {
	calls  string // for the log
	work   *background
	now    func() time.Time
	logger *slog.Logger
	// probe asks Wix something that no caller has chosen. It may be nil.
	probe func(context.Context) error
	// opened is called with the reason when calls are refused from now on.
	opened func(error)

	mu        sync.Mutex // guards the fields below
	failures  int        // since the last success
	causes    map[any]bool
	watching  bool
	watched   time.Time // when watching last began
	openUntil time.Time // when Wix is tried again, or zero while calls are made
}

// check returns the reason why no call may be made now, or nil.
func (b *breaker) check() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.openUntil.IsZero() {
		return nil
	}
	return unavailable(max(b.openUntil.Sub(b.now()), time.Second), errOpen)
}

// record takes note of how a call ended.
func (b *breaker) record(by cause, how outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch how {
	case noOutcome:
		return
	case healthy:
		b.failures, b.causes = 0, nil
		return
	case failing:
		b.failures++
	}
	if b.causes == nil {
		b.causes = make(map[any]bool, breakerCauses)
	}
	if len(b.causes) < breakerCauses {
		b.causes[by.path[0]] = true
	}
	suspected := b.failures >= breakerFailures && (b.probe != nil || len(b.causes) >= breakerCauses)
	if suspected && !b.watching && b.now().Sub(b.watched) >= probeEvery {
		b.watching, b.watched = true, b.now()
		launch(b.work, func() (struct{}, error) { b.watch(); return struct{}{}, nil })
	}
}

// watch opens the breaker if Wix is away, and closes it when Wix is back.
func (b *breaker) watch() {
	for b.isAway() {
		b.set(b.now().Add(breakerOpen))
		b.opened(b.check())
		if !b.work.sleep(breakerOpen) {
			return
		}
	}
	b.set(time.Time{})
}

// isAway asks Wix. Without a probe, Wix is away until the breaker has been open for its
// time; the next calls are the probe then.
func (b *breaker) isAway() bool {
	if b.probe == nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.openUntil.IsZero()
	}
	ctx, cancel := context.WithTimeout(b.work.ctx, verifyTimeout)
	defer cancel()
	_, err := recovered(func() (struct{}, error) { return struct{}{}, b.probe(ctx) })
	return outcomeOf(err) == failing
}

// set opens the breaker, or closes it if until is zero.
func (b *breaker) set(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.state()
	b.openUntil = until
	if is := b.state(); is != was {
		b.logger.Warn("wix breaker changed", "calls", b.calls, "from", was, "to", is)
	}
	if until.IsZero() {
		b.failures, b.causes, b.watching = 0, nil, false
	}
}

func (b *breaker) state() string {
	if b.openUntil.IsZero() {
		return "closed"
	}
	return "open"
}
