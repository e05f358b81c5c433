package identity

// What stands between a crowd, or a bad actor, and Wix.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

func TestCallsInFlightAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			mu            sync.Mutex
			running, most int
		)
		w := &fakeWix{answer: func(context.Context, string) (wix.TokenInfo, error) {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(3 * time.Second)
			mu.Lock()
			running--
			mu.Unlock()
			return good(time.Hour), nil
		}}
		i := newIdentifier(t, w)
		counts := map[instance.Code]int{}
		start := time.Now()
		var callers sync.WaitGroup
		for n := range 2000 {
			callers.Go(func() {
				_, err := identify(t, i, strconv.Itoa(n))
				mu.Lock()
				defer mu.Unlock()
				counts[code(err)]++
				if err == nil {
					return
				}
				if retry := instance.AsError(err).RetryAfter; retry != time.Second || time.Since(start) > maxQueuedFor {
					t.Errorf("retry after %v, told after %v", retry, time.Since(start))
				}
			})
		}
		callers.Wait()
		if most != maxInFlight || counts[""] != maxInFlight || counts[instance.CodeWixUnavailable] != 2000-maxInFlight {
			t.Errorf("%d at a time, %v", most, counts)
		}
	})
}

func TestACrowdIsServedInTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeWix{answer: func(context.Context, string) (wix.TokenInfo, error) {
			time.Sleep(50 * time.Millisecond)
			return good(time.Hour), nil
		}}
		i := newIdentifier(t, w)
		var callers sync.WaitGroup
		for n := range 1000 {
			callers.Go(func() {
				if _, err := identify(t, i, strconv.Itoa(n)); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
	})
}

func TestBreaker(t *testing.T) {
	down := failure(wix.Unavailable, 500, 0)
	synctest.Test(t, func(t *testing.T) {
		w := new(fakeWix)
		w.always(good(time.Hour), nil)
		i := newIdentifier(t, w)
		if _, err := identify(t, i, "known"); err != nil {
			t.Fatal(err)
		}
		w.always(wix.TokenInfo{}, down)
		for n := range breakerFailures {
			if _, err := identify(t, i, "new"+strconv.Itoa(n)); !errors.Is(err, down) {
				t.Fatalf("got %v", err)
			}
		}
		calls := w.count()

		time.Sleep(2 * time.Second)
		_, err := identify(t, i, "new")
		if e := instance.AsError(err); e.Code != instance.CodeWixUnavailable || e.RetryAfter != 3*time.Second || w.count() != calls {
			t.Errorf("open: got %v, retry after %v, %d calls", err, e.RetryAfter, w.count()-calls)
		}
		if got, err := identify(t, i, "known"); err != nil || !got.Cached {
			t.Errorf("a known token: %+v, %v", got, err)
		}

		time.Sleep(3*time.Second + time.Millisecond)
		if _, err := identify(t, i, "new"); !errors.Is(err, down) || w.count() != calls+1 {
			t.Errorf("the probe: got %v, %d calls", err, w.count()-calls)
		}
		if _, err := identify(t, i, "new"); code(err) != instance.CodeWixUnavailable || w.count() != calls+1 {
			t.Errorf("open again: got %v, %d calls", err, w.count()-calls)
		}

		w.always(good(time.Hour), nil)
		time.Sleep(breakerOpen + time.Millisecond)
		for n := range 5 {
			if _, err := identify(t, i, "back"+strconv.Itoa(n)); err != nil {
				t.Errorf("Wix is back: %v", err)
			}
		}
	})
	for name, answer := range map[string]error{
		"refusals":    refusal(401),
		"rate limits": failure(wix.RateLimited, 429, time.Second),
	} {
		t.Run(name+" do not open it", func(t *testing.T) {
			w := new(fakeWix)
			w.always(wix.TokenInfo{}, answer)
			i := newIdentifier(t, w)
			for n := range 100 {
				_, _ = i.Identify(t.Context(), strconv.Itoa(n), []string{strconv.Itoa(n)})
			}
			if w.count() != 100 {
				t.Errorf("%d calls", w.count())
			}
		})
	}
	t.Run("failures of every other call open it", func(t *testing.T) {
		w := new(fakeWix)
		n := 0
		w.say(func(context.Context, string) (wix.TokenInfo, error) {
			if n++; n%2 == 0 {
				return wix.TokenInfo{}, down
			}
			return good(time.Hour), nil
		})
		i := newIdentifier(t, w)
		for n := range 100 {
			_, _ = identify(t, i, strconv.Itoa(n))
		}
		if w.count() != breakerSample {
			t.Errorf("%d calls", w.count())
		}
	})
}

func TestASourceOfRefusedTokensIsStopped(t *testing.T) {
	mixed := func(_ context.Context, token string) (wix.TokenInfo, error) {
		if strings.HasPrefix(token, "good") {
			return good(time.Hour), nil
		}
		return wix.TokenInfo{}, nil
	}
	const source, other = "192.0.2.1", "192.0.2.2"
	synctest.Test(t, func(t *testing.T) {
		w := &fakeWix{answer: mixed}
		i := newIdentifier(t, w)
		from := func(source, token string) error {
			_, err := i.Identify(t.Context(), source, []string{token})
			return err
		}
		for n := range 100 {
			if err := from(source, "good"+strconv.Itoa(n)); err != nil {
				t.Fatalf("good tokens cost nothing: %v", err)
			}
		}
		for n := range refusalBurst {
			if err := from(source, strconv.Itoa(n)); code(err) != instance.CodeTokenInactive {
				t.Fatalf("refusal %d: %v", n, err)
			}
		}
		calls := w.count()
		rows := []struct {
			name, source, token string
			code                instance.Code
			asked               int
		}{
			{"a new token of the source", source, "31", instance.CodeRateLimited, 0},
			{"a new good one as well: nobody can tell", source, "goodnew", instance.CodeRateLimited, 0},
			{"a known good one still works", source, "good1", "", 0},
			{"a known bad one is told what it is", source, "29", instance.CodeTokenInactive, 0},
			{"a malformed one is told so", source, "a b", instance.CodeTokenMalformed, 0},
			{"one that says itself that it has expired is told so", source, jws(t, claims(app, 1)), instance.CodeTokenExpired, 0},
			{"another source", other, "goodnew", "", 1},
			{"the same address in IPv6 clothes", "::ffff:" + source, "32", instance.CodeRateLimited, 0},
		}
		for _, row := range rows {
			err := from(row.source, row.token)
			if code(err) != row.code || w.count() != calls+row.asked {
				t.Errorf("%s: got %v, %d calls", row.name, err, w.count()-calls)
			}
			if e := instance.AsError(err); row.code == instance.CodeRateLimited && (e.RetryAfter <= 0 || e.RetryAfter > refusalEvery) {
				t.Errorf("%s: retry after %v", row.name, e.RetryAfter)
			}
			calls = w.count()
		}
		time.Sleep(refusalEvery)
		if err := from(source, "33"); code(err) != instance.CodeTokenInactive {
			t.Errorf("after the wait: %v", err)
		}
		if err := from(source, "34"); code(err) != instance.CodeRateLimited {
			t.Errorf("after one more: %v", err)
		}
	})
	t.Run("an IPv6 network is one source", func(t *testing.T) {
		w := &fakeWix{answer: mixed}
		i := newIdentifier(t, w)
		for n := range 100 {
			_, _ = i.Identify(t.Context(), fmt.Sprintf("2001:db8::%x", n), []string{strconv.Itoa(n)})
		}
		if w.count() != refusalBurst {
			t.Errorf("%d calls", w.count())
		}
		if _, err := i.Identify(t.Context(), "2001:db8:0:1::1", []string{"x"}); code(err) != instance.CodeTokenInactive {
			t.Errorf("its neighbour got %v", err)
		}
	})
	t.Run("outages are not the source's fault", func(t *testing.T) {
		w := new(fakeWix)
		w.always(wix.TokenInfo{}, failure(wix.RateLimited, 429, 0))
		i := newIdentifier(t, w)
		for n := range 100 {
			_, _ = identify(t, i, strconv.Itoa(n))
		}
		if w.count() != 100 {
			t.Errorf("%d calls", w.count())
		}
	})
	t.Run("many at the same time are paid back", func(t *testing.T) {
		r := newRefusals(time.Now)
		t.Cleanup(func() { r.limits.StopAllGoroutines() })
		now := time.Now()
		for range 60 {
			r.charge(source, now)
		}
		if wait := r.wait(source, now); wait < 60*time.Second || wait > 62*time.Second {
			t.Errorf("wait %v", wait)
		}
	})
}

// TestNothingIsGivenAway drives every failure there is and looks for the tokens in
// all that was logged and said.
func TestNothingIsGivenAway(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	synctest.Test(t, func(t *testing.T) {
		w := new(fakeWix)
		i := New(Options{Wix: w, AppID: app, Logger: logger})
		defer i.Close()
		answers := []error{
			nil, refusal(401), refusal(418), failure(wix.RateLimited, 429, 1), failure(wix.Unavailable, 503, 1), failure(wix.Timeout, 504, 0),
			failure(wix.BadResponse, 200, 0), errors.New("odd"), context.DeadlineExceeded,
		}
		infos := []wix.TokenInfo{{}, good(time.Hour), good(-1), with(good(time.Hour), func(i *wix.TokenInfo) { i.ClientID = otherApp })}
		n := 0
		say := func(token ...string) {
			n++
			_, err := i.Identify(t.Context(), strconv.Itoa(n), token)
			logger.Error("identify", "err", err, "err2", fmt.Sprintf("%+v", err))
		}
		for _, err := range answers {
			for _, info := range infos {
				w.always(info, err)
				for range 3 {
					say("OauthNG.JWS.TOKENPART" + strconv.Itoa(n))
				}
				say("Bearer TOKENPART" + strconv.Itoa(n))
			}
			for range breakerFailures {
				say("TOKENPART" + strconv.Itoa(n))
			}
		}
		say("TOKENPART", "TOKENPART")
		say("TOKENPART x")
		say("TOKENPART\x00")
		say("TOKENPART" + strings.Repeat("x", 9000))
		say(jws(t, claims("TOKENPART", 1)))
		say(jws(t, claims("TOKENPART", 1<<40)))

		e := NewElevator(ElevatorOptions{Wix: &fakeElevation{
			token:    wix.AppToken{AccessToken: "TOKENPART", ExpiresIn: time.Hour},
			tokenErr: nil,
			readErr:  refusal(401),
		}, Logger: logger})
		defer e.Close()
		_, err := e.AppInstance(t.Context(), idA)
		logger.Error("elevate", "err", err, "elevator", fmt.Sprintf("%v", err))
	})
	for _, must := range []string{"token_inactive", "token refused", "wix breaker", "wix refuses the app instance"} {
		if !strings.Contains(log.String(), must) {
			t.Errorf("%q was never logged: the test looks in the wrong place", must)
		}
	}
	for _, secret := range []string{"TOKENPART", "OauthNG", "secretsignature"} {
		if at := strings.Index(log.String(), secret); at >= 0 {
			t.Errorf("the log gives %q away: %s", secret, log.String()[max(at-200, 0):at+50])
		}
	}
}

func FuzzGlance(f *testing.F) {
	f.Add(jws(f, claims(app, 1)))
	f.Add(jws(f, claims(otherApp, "99999999999")))
	f.Add("OauthNG.JWS.a.e30.c")
	f.Add("OauthNG.JWS..bnVsbA.")
	f.Fuzz(func(t *testing.T, token string) {
		switch c := glance(token, app, time.Now()); c {
		case "", instance.CodeTokenExpired, instance.CodeTokenForeign:
		default:
			t.Errorf("%q", c)
		}
	})
}
