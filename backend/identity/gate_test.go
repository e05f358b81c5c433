package identity

// The gate between many callers and Wix.

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

// startGate returns a gate without a probe. It is for tests in a bubble.
func startGate(t *testing.T) *gate {
	t.Helper()
	work := newBackground()
	t.Cleanup(work.close)
	return newGate("test", work, nil, time.Now, complete(t, Options{}).Logger)
}

// crowdGate makes n calls at once that take a time each, and returns how many were refused
// and when the last one ended.
func crowdGate(t *testing.T, g *gate, by cause, n int, took time.Duration) (refused int, last time.Duration) {
	t.Helper()
	var (
		mu    sync.Mutex
		calls sync.WaitGroup
		start = time.Now()
	)
	for range n {
		calls.Go(func() {
			err := g.call(t.Context(), by, func() error { time.Sleep(took); return nil })
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				refused++
				if e := apierr.As(err); e.Code != apierr.WixUnavailable || e.RetryAfter != time.Second || !errors.Is(err, errCrowded) {
					t.Errorf("refused with %v, retry after %v", err, e.RetryAfter)
				}
			}
			last = max(last, time.Since(start))
		})
	}
	calls.Wait()
	return refused, last
}

// runningNow returns how many calls run when nothing can go on by itself.
func runningNow(g *gate) int {
	synctest.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.queue.running
}

func by(l lane, path ...any) cause { return cause{lane: l, path: path} }

func TestGate_limits(t *testing.T) {
	tests := []struct {
		name             string
		by               cause
		calls            int
		took             time.Duration
		running, refused int
	}{
		{"one cause leaves room for others", by(laneKnown, "a"), firstLimit, time.Second, firstLimit * 7 / 8, 0},
		{"the narrower, the more", by(laneKnown, "a", 1, 2, 3), firstLimit, time.Second, (firstLimit*4 + 4) / 5, 0},
		{"suspects have a few places", by(laneSuspect, "a"), 100, time.Second, suspectLimit, 0},
		{"suspects have a short queue", by(laneSuspect, "a"), 1000, time.Second / 10, suspectLimit, 1000 - suspectLimit - suspectQueued},
		{"nobody waits for ever", by(laneSuspect, "a"), 200, 6 * time.Second, suspectLimit, 200 - 2*suspectLimit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := startGate(t)
				var calls sync.WaitGroup
				calls.Go(func() {
					if refused, _ := crowdGate(t, g, tt.by, tt.calls, tt.took); refused != tt.refused {
						t.Errorf("%d refused, want %d", refused, tt.refused)
					}
				})
				if running := runningNow(g); running != tt.running {
					t.Errorf("%d run at first, want %d", running, tt.running)
				}
				calls.Wait()
			})
		})
	}
}

func TestGate_limitFollowsWix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := startGate(t)
		crowdGate(t, g, by(laneKnown, "a"), 2000, 100*time.Millisecond)
		if g.limit != maxLimit {
			t.Errorf("the limit is %d while calls waited, want %d", g.limit, maxLimit)
		}
		fail := func() {
			_ = g.call(t.Context(), by(laneKnown, "a"), func() error { return failure(wix.Timeout, 504, 0) })
		}
		for range 5 {
			fail()
		}
		if g.limit != maxLimit*3/4 {
			t.Errorf("the limit is %d after failures at the same time, want %d", g.limit, maxLimit*3/4)
		}
		for range 20 {
			time.Sleep(time.Second)
			fail()
		}
		if g.limit != minLimit {
			t.Errorf("the limit is %d after failures for a while, want %d", g.limit, minLimit)
		}
		for _, err := range []error{nil, refusal(401), failure(wix.RateLimited, 429, 0)} {
			_ = g.call(t.Context(), by(laneKnown, "a"), func() error { return err })
		}
		if g.limit != minLimit {
			t.Errorf("the limit is %d though nothing waited, want %d", g.limit, minLimit)
		}
	})
}

func TestGate_suspectsAreSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused, last := crowdGate(t, startGate(t), by(laneSuspect, "a"), 4*suspectLimit, 0)
		if refused != 0 || last != 3*suspectPause {
			t.Errorf("%d refused, the last after %v; want none and %v", refused, last, 3*suspectPause)
		}
	})
}

func TestGate_takesTurns(t *testing.T) {
	// The narrow paths of an address alone, of its neighbours, and of others.
	const busy = 1000
	tests := []struct {
		name string
		by   cause
	}{
		{"another lane", by(laneUnknown, "a", 1, 1, 1)},
		{"another instance", by(laneKnown, "b", 1, 1, 1)},
		{"another wide network", by(laneKnown, "a", 2, 1, 1)},
		{"a network nearby", by(laneKnown, "a", 1, 2, 1)},
		{"an address nearby", by(laneKnown, "a", 1, 1, 2)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := startGate(t)
				var flood sync.WaitGroup
				defer flood.Wait()
				flood.Go(func() { crowdGate(t, g, by(laneKnown, "a", 1, 1, 1), busy, 2*time.Second) })
				synctest.Wait()
				if refused, last := crowdGate(t, g, tt.by, 5, time.Second); refused != 0 || last != time.Second {
					t.Errorf("%d of 5 refused, the last after %v, want none to wait", refused, last)
				}
			})
		})
	}
}

func TestGate_callEndsWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := startGate(t)
		var flood sync.WaitGroup
		defer flood.Wait()
		flood.Go(func() { crowdGate(t, g, by(laneKnown, "a"), firstLimit, 2*time.Second) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := g.call(ctx, by(laneKnown, "a"), func() error { t.Error("the call ran"); return nil })
		if !errors.Is(err, errCrowded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestGate_panicFreesItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := startGate(t)
		for range 2 * maxLimit {
			_, _ = recovered(func() (int, error) {
				return 0, g.call(t.Context(), by(laneKnown, "a"), func() error { panic("odd") })
			})
		}
		if g.queue.running != 0 || len(g.queue.children) != 0 {
			t.Errorf("%d calls are counted as running", g.queue.running)
		}
	})
}

// TestGate_forgets holds the queue to its bound of memory.
func TestGate_forgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := startGate(t)
		var calls sync.WaitGroup
		for n := range 10_000 {
			calls.Go(func() {
				_ = g.call(t.Context(), by(laneUnknown, "", n/100, n/10, n), func() error { time.Sleep(time.Second); return nil })
			})
		}
		synctest.Wait()
		if waiting := g.queue.waiting; waiting != maxQueued {
			t.Errorf("%d calls wait, want %d", waiting, maxQueued)
		}
		calls.Wait()
		if len(g.queue.children) != 0 || len(g.queue.turn) != 0 || g.queue.waiting != 0 || g.queue.running != 0 {
			t.Errorf("the queue is not empty: %+v", g.queue)
		}
	})
}

func TestGate_tooManyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := startGate(t)
		var calls sync.WaitGroup
		defer calls.Wait()
		for _, of := range []cause{by(laneKnown, "many"), by(laneKnown, "few")} {
			n := 5
			if of.path[0] == "many" {
				n = maxQueued + firstLimit
			}
			calls.Go(func() {
				refused, _ := crowdGate(t, g, of, n, time.Second)
				if (refused > 0) != (of.path[0] == "many") {
					t.Errorf("%d of %d calls of %q are refused", refused, n, of.path[0])
				}
			})
			synctest.Wait()
		}
	})
}

func TestGate_breaker(t *testing.T) {
	down := failure(wix.Unavailable, 500, 0)
	synctest.Test(t, func(t *testing.T) {
		w := new(fakeTokenInfo)
		w.always(good(time.Hour), nil)
		i := startTokens(t, w, Options{})
		if _, err := verify(t, i, "known"); err != nil {
			t.Fatal(err)
		}
		w.always(wix.TokenInfo{}, down)
		for n := range breakerFailures {
			if _, err := verify(t, i, "new"+strconv.Itoa(n)); !errors.Is(err, down) {
				t.Fatalf("got %v", err)
			}
		}
		synctest.Wait()
		calls := w.count()

		time.Sleep(2 * time.Second)
		_, err := verify(t, i, "new")
		if e := apierr.As(err); e.Code != apierr.WixUnavailable || e.RetryAfter != 3*time.Second || w.count() != calls {
			t.Errorf("open: got %v, retry after %v, %d calls", err, e.RetryAfter, w.count()-calls)
		}
		if got, err := verify(t, i, "known"); err != nil || !got.Cached {
			t.Errorf("a cached token: %+v, %v", got, err)
		}

		time.Sleep(3*time.Second + time.Millisecond)
		if _, err := verify(t, i, "new"); code(err) != apierr.WixUnavailable || w.count() != calls+1 {
			t.Errorf("after the probe: got %v, %d calls", err, w.count()-calls)
		}

		w.always(good(time.Hour), nil)
		time.Sleep(breakerOpen)
		for n := range 5 {
			if _, err := verify(t, i, "back"+strconv.Itoa(n)); err != nil {
				t.Errorf("Wix is back: %v", err)
			}
		}
	})
	for name, answer := range map[string]error{
		"refusals":    refusal(401),
		"rate limits": failure(wix.RateLimited, 429, time.Second),
	} {
		t.Run(name+" do not open it", func(t *testing.T) {
			w := new(fakeTokenInfo)
			w.always(wix.TokenInfo{}, answer)
			i := startTokens(t, w, Options{})
			for n := range 100 {
				_, _ = i.verify(t.Context(), strconv.Itoa(n), []string{strconv.Itoa(n)})
			}
			if err := i.gate.breaker.check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestGate_breakerByTokens: whatever Wix answers to some tokens, it is not away while it
// answers to others.
func TestGate_breakerByTokens(t *testing.T) {
	answers := map[string]error{
		"408": failure(wix.Timeout, 408, 0), "500": failure(wix.Unavailable, 500, 0), "502": failure(wix.Unavailable, 502, 0),
		"503": failure(wix.Unavailable, 503, 0), "504": failure(wix.Timeout, 504, 0), "520": failure(wix.Unavailable, 520, 0),
		"301": failure(wix.BadResponse, 301, 0), "302": failure(wix.BadResponse, 302, 0), "307": failure(wix.BadResponse, 307, 0),
		"no JSON": failure(wix.BadResponse, 200, 0), "time-out": context.DeadlineExceeded, "no answer": failure(wix.Unavailable, 0, 0),
		"405": refusal(405), "409": refusal(409), "413": refusal(413), "414": refusal(414), "418": refusal(418),
		"422": refusal(422), "428": refusal(428), "431": refusal(431), "451": refusal(451),
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := slowWix(0, answer)
				i := startTokens(t, w, Options{})
				for n := range 3 * breakerFailures {
					_, _ = i.verify(t.Context(), everywhere(n), []string{"fail" + strconv.Itoa(n)})
				}
				synctest.Wait()
				if _, err := i.verify(t.Context(), elsewhere(1), []string{"good"}); err != nil {
					t.Errorf("another visitor gets %v", err)
				}

				calls := w.count()
				for range 40 {
					if _, err := i.verify(t.Context(), oneAddress(0), []string{"failing"}); err == nil {
						t.Error("the token is accepted")
					}
				}
				if asked := w.count() - calls; asked != 1 {
					t.Errorf("Wix is asked %d times about one token", asked)
				}
				for n := range standingBest {
					_, _ = i.verify(t.Context(), oneAddress(0), []string{"fail.." + strconv.Itoa(n)})
				}
				if i.standings.suspect("", networksOf(oneAddress(0)), time.Now()) == 0 {
					t.Error("the source of the tokens is not suspect")
				}
			})
		})
	}
}

func TestGate_breakerByInstances(t *testing.T) {
	down := func() error { return failure(wix.Unavailable, 500, 0) }
	up := func() error { return nil }
	instance := func(n int) cause { return by(laneKnown, strconv.Itoa(n)) }
	tests := []struct {
		name  string
		calls func(*testing.T, *gate)
		open  bool
	}{
		{"one instance fails", func(t *testing.T, g *gate) {
			for range 10 * breakerFailures {
				_ = g.call(t.Context(), instance(1), down)
			}
		}, false},
		{"several instances fail", func(t *testing.T, g *gate) {
			for n := range breakerFailures {
				_ = g.call(t.Context(), instance(n%breakerCauses), down)
			}
		}, true},
		{"several instances fail, others do not", func(t *testing.T, g *gate) {
			for n := range 10 * breakerFailures {
				_ = g.call(t.Context(), instance(n), down)
				if n%5 == 0 {
					_ = g.call(t.Context(), instance(-1), up)
				}
			}
		}, false},
		{"callers leave", func(t *testing.T, g *gate) {
			for n := range 10 * breakerFailures {
				_ = g.call(t.Context(), instance(n), func() error { return failure(wix.Canceled, 0, 0) })
			}
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := startGate(t)
				tt.calls(t, g)
				synctest.Wait()
				if err := g.call(t.Context(), instance(-1), up); (code(err) == apierr.WixUnavailable) != tt.open {
					t.Errorf("got %v", err)
				}
				if tt.open {
					time.Sleep(breakerOpen + time.Millisecond)
					if err := g.call(t.Context(), instance(-1), up); err != nil {
						t.Errorf("later: %v", err)
					}
				}
			})
		})
	}
}

func TestGate_breakerRefusesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := startGate(t)
		var calls sync.WaitGroup
		for n := range 2 * firstLimit {
			calls.Go(func() {
				start := time.Now()
				err := g.call(t.Context(), by(laneKnown, n), func() error { time.Sleep(time.Second); return failure(wix.Timeout, 504, 0) })
				if code(err) == apierr.WixUnavailable && time.Since(start) > time.Second {
					t.Errorf("refused after %v", time.Since(start))
				}
			})
		}
		calls.Wait()
		if g.breaker.check() == nil {
			t.Error("the breaker is closed")
		}
	})
}
