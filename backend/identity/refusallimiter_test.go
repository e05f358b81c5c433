package identity

// A client network whose tokens are refused is limited, and no other one.

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

func TestRefusalLimiter(t *testing.T) {
	mixed := func(_ context.Context, token string) (wix.TokenInfo, error) {
		if strings.HasPrefix(token, "good") {
			return good(time.Hour), nil
		}
		return wix.TokenInfo{}, nil
	}
	const source, other = "192.0.2.1", "192.0.2.2"
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTokenInfo{answer: mixed}
		i := startTokens(t, w, Options{})
		from := func(source, token string) error {
			_, err := i.verify(t.Context(), source, []string{token})
			return err
		}
		for n := range 100 {
			if err := from(source, "good"+strconv.Itoa(n)); err != nil {
				t.Fatalf("good tokens cost nothing: %v", err)
			}
		}
		for n := range refusalBurst {
			if err := from(source, strconv.Itoa(n)); code(err) != apierr.TokenInactive {
				t.Fatalf("refusal %d: %v", n, err)
			}
		}
		calls := w.count()
		rows := []struct {
			name, source, token string
			code                apierr.Code
			asked               int
		}{
			{"a new token of the source", source, "31", apierr.RateLimited, 0},
			{"a new good one as well: it cannot be told apart", source, "goodnew", apierr.RateLimited, 0},
			{"a cached good one still works", source, "good1", accepted, 0},
			{"a cached bad one has its own code", source, "29", apierr.TokenInactive, 0},
			{"a malformed one has its own code", source, "a b", apierr.TokenMalformed, 0},
			{"one that has expired by its claims has its own code", source, jws(t, claims(app, 1)), apierr.TokenExpired, 0},
			{"another source", other, "goodnew", accepted, 1},
			{"the same address mapped to IPv6", "::ffff:" + source, "32", apierr.RateLimited, 0},
		}
		for _, row := range rows {
			err := from(row.source, row.token)
			if code(err) != row.code || w.count() != calls+row.asked {
				t.Errorf("%s: got %v, %d calls", row.name, err, w.count()-calls)
			}
			if e := apierr.As(err); row.code == apierr.RateLimited && (e.RetryAfter <= 0 || e.RetryAfter > refusalEvery) {
				t.Errorf("%s: retry after %v", row.name, e.RetryAfter)
			}
			calls = w.count()
		}
		time.Sleep(refusalEvery)
		if err := from(source, "33"); code(err) != apierr.TokenInactive {
			t.Errorf("after the wait: %v", err)
		}
		if err := from(source, "34"); code(err) != apierr.RateLimited {
			t.Errorf("after one more: %v", err)
		}
	})
	t.Run("an IPv6 network is one source", func(t *testing.T) {
		w := &fakeTokenInfo{answer: mixed}
		i := startTokens(t, w, Options{})
		for n := range 100 {
			_, _ = i.verify(t.Context(), fmt.Sprintf("2001:db8::%x", n), []string{strconv.Itoa(n)})
		}
		if w.count() != refusalBurst {
			t.Errorf("%d calls", w.count())
		}
		if _, err := i.verify(t.Context(), "2001:db8:0:1::1", []string{"x"}); code(err) != apierr.TokenInactive {
			t.Errorf("its neighbour got %v", err)
		}
	})
	t.Run("outages are not counted against the source", func(t *testing.T) {
		w := new(fakeTokenInfo)
		w.always(wix.TokenInfo{}, failure(wix.RateLimited, 429, 0))
		i := startTokens(t, w, Options{})
		for n := range 100 {
			_, _ = verify(t, i, strconv.Itoa(n))
		}
		if w.count() != 100 {
			t.Errorf("%d calls", w.count())
		}
	})
	t.Run("many at the same time lengthen the wait", func(t *testing.T) {
		r := newRefusalLimiter(time.Now)
		t.Cleanup(func() { r.limiters.StopAllGoroutines() })
		now := time.Now()
		for range 60 {
			r.Penalize(source, now)
		}
		if wait := r.RetryIn(source, now); wait < 60*time.Second || wait > 62*time.Second {
			t.Errorf("wait %v", wait)
		}
	})
}
