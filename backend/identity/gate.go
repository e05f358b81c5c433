package identity

// The gate in front of Wix. It shares the calls in flight fairly, follows with their number
// what Wix can bear, and makes no call while Wix is away.

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

const (
	// The limit of calls in flight: it grows by one with each success while calls wait, so
	// that it doubles in the time that Wix takes for an answer, and shrinks by a quarter,
	// once a second at most, when Wix fails. Failures outside of laneKnown do not count:
	// anyone can make tokens at which Wix fails.
	minLimit   = 64
	firstLimit = 256
	maxLimit   = 512
	// maxQueued is how many more calls of each lane may wait, for queueTimeout each. Just
	// after a start many visitors call at once, and none of their tokens is cached.
	maxQueued    = 2048
	queueTimeout = 8 * time.Second
	// Calls of the suspect lane have an eighth of the limit, and suspectLimit at most. Each
	// uses its part for at least suspectPause: 160 a second, however fast Wix is. Fewer of
	// them may wait.
	suspectShare  = 8
	suspectLimit  = 32
	suspectPause  = 200 * time.Millisecond
	suspectQueued = 256
)

// lane is the topmost level of the queue.
type lane string

const (
	// laneKnown is for calls on behalf of an instance that has been verified.
	laneKnown lane = "known"
	// laneUnknown is for tokens that do not show which instance they are for.
	laneUnknown lane = "unknown"
	// laneSuspect is for tokens from where many have been refused.
	laneSuspect lane = "suspect"
)

// cause is on whose behalf a call is made: its lane, and below that its path in the queue.
type cause struct {
	lane lane
	path []any
}

// errCrowded is the cause of a refusal by the queue.
var errCrowded = errors.New("too many calls to Wix are waiting")

// gate admits calls to Wix.
type gate struct {
	now     func() time.Time
	breaker *breaker

	mu    sync.Mutex // guards the fields below
	queue node       // lane, then the path of the cause
	limit int
	cut   time.Time // when the limit was last reduced
}

// newGate returns a gate. calls names its calls in the log. probe is breaker's.
func newGate(calls string, work *background, probe func(context.Context) error, now func() time.Time, logger *slog.Logger) *gate {
	g := &gate{now: now, limit: firstLimit}
	g.breaker = &breaker{calls: calls, work: work, probe: probe, now: now, logger: logger, opened: g.refuseAll}
	return g
}

// call runs f, which calls Wix, and returns its error. If the gate does not admit the
// call, f does not run and the error is wix_unavailable.
func (g *gate) call(ctx context.Context, by cause, f func() error) error {
	if err := g.breaker.check(); err != nil {
		return err
	}
	t := g.arrive(by)
	if err := g.wait(ctx, t); err != nil {
		return err
	}
	start := g.now()
	defer func() {
		if rest := suspectPause - g.now().Sub(start); by.lane == laneSuspect && rest > 0 {
			time.AfterFunc(rest, func() { g.leave(t) })
			return
		}
		g.leave(t)
	}()
	err := f()
	g.learn(by, err)
	return err
}

// arrive queues a call. If too many wait in its lane, the last one of the branch that
// has the most of them is refused.
func (g *gate) arrive(by cause) *ticket {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.queue.arrive(append([]any{by.lane}, by.path...))
	g.admit()
	queued := maxQueued
	if by.lane == laneSuspect {
		queued = suspectQueued
	}
	if lane := g.queue.children[by.lane]; lane.waiting > queued {
		excess := lane.last()
		excess.remove(false)
		excess.ready <- unavailable(time.Second, errCrowded)
	}
	return t
}

// wait waits for the call's turn.
func (g *gate) wait(ctx context.Context, t *ticket) error {
	timer := time.NewTimer(queueTimeout)
	defer timer.Stop()
	select {
	case err := <-t.ready:
		return err
	case <-timer.C:
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !t.queued { // its turn came just now
		return <-t.ready
	}
	t.remove(false)
	return unavailable(time.Second, errCrowded)
}

// admit lets calls run for which there is room. The caller has locked the gate.
func (g *gate) admit() {
	for g.queue.running < g.limit {
		t := g.queue.next(g.mayRun)
		if t == nil {
			return
		}
		t.remove(true)
		t.ready <- nil
	}
}

// mayRun reports whether one more call at or below a node may run. A node may use a few
// times as much as it leaves free, the fewer the narrower it is, so that the next
// to come never finds everything in use, and a node alone has at most 8/9 of the limit, an
// address 4/5.
func (g *gate) mayRun(n *node) bool {
	if n.key == laneSuspect && n.running >= min(g.limit/suspectShare, suspectLimit) {
		return false
	}
	return n.running < (9-n.depth)*(g.limit-g.queue.running)
}

// leave ends a call.
func (g *gate) leave(t *ticket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t.end()
	g.admit()
}

// learn adapts the limit, and has the breaker record how a call ended.
func (g *gate) learn(by cause, err error) {
	how := outcomeOf(err)
	g.breaker.record(by, how)
	g.mu.Lock()
	defer g.mu.Unlock()
	switch now := g.now(); {
	case how == healthy && by.lane != laneSuspect && g.queue.waiting > g.queue.waitingBelow(laneSuspect):
		g.limit = min(g.limit+1, maxLimit)
		g.admit()
	case how == failing && by.lane == laneKnown && now.Sub(g.cut) >= time.Second:
		g.limit, g.cut = max(g.limit*3/4, minLimit), now
	}
}

// refuseAll refuses the calls that wait.
func (g *gate) refuseAll(reason error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.queue.waiting > 0 {
		t := g.queue.last()
		t.remove(false)
		t.ready <- reason
	}
}

// outcome is what the end of a call says about Wix.
type outcome int

const (
	noOutcome outcome = iota // a caller who left, an error of this side
	healthy                  // Wix is healthy, too, when it refuses a call or limits its rate
	failing
)

func outcomeOf(err error) outcome {
	var ours *apierr.Error
	switch {
	case err == nil, isKind(err, wix.Refused), isKind(err, wix.RateLimited):
		return healthy
	case isKind(err, wix.Canceled), errors.As(err, &ours):
		return noOutcome
	default:
		return failing
	}
}

func unavailable(retryAfter time.Duration, cause error) *apierr.Error {
	return &apierr.Error{Code: apierr.WixUnavailable, RetryAfter: retryAfter, Err: cause}
}
