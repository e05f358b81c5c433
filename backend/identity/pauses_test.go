package identity

// Wix's own rate limit is obeyed.

import (
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

func TestTokens_verify_obeysRetryAfter(t *testing.T) {
	const wait = 7 * time.Second
	ofA, ofB := claiming(t, "good", idA), claiming(t, "good", idB)
	one := func(int) string { return "203.0.113.7" }
	few := func(n int) string { return fmt.Sprintf("203.%d.113.7", n%2) }
	for _, tt := range []struct {
		name   string
		source func(int) string
		calls  int // during the pause
		other  apierr.Code
	}{
		{"from one network: the others are asked about", one, 1, accepted},
		{"from two networks", few, 2, accepted},
		{"from many networks: nobody else of the instance", elsewhere, pauseNetworks, apierr.RateLimited},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := new(fakeTokenInfo)
				w.always(wix.TokenInfo{}, failure(wix.RateLimited, 429, wait))
				i := startTokens(t, w, Options{})
				for n := range 200 {
					_, err := i.verify(t.Context(), tt.source(n), []string{ofA(n)})
					if e := apierr.As(err); e.Code != apierr.RateLimited || e.RetryAfter <= 0 || e.RetryAfter > wait {
						t.Fatalf("got %v, retry after %v", err, e.RetryAfter)
					}
					time.Sleep(20 * time.Millisecond)
				}
				if w.count() != tt.calls {
					t.Errorf("Wix is asked %d times, want %d", w.count(), tt.calls)
				}
				w.always(good(time.Hour), nil)
				if _, err := i.verify(t.Context(), "192.0.2.1", []string{ofA(-1)}); code(err) != tt.other {
					t.Errorf("a visitor of the same instance from elsewhere gets %v", err)
				}
				if _, err := i.verify(t.Context(), tt.source(0), []string{ofB(0)}); err != nil {
					t.Errorf("a visitor of another instance gets %v", err)
				}
				time.Sleep(wait)
				for n := range 50 {
					if _, err := i.verify(t.Context(), tt.source(n), []string{ofA(1000 + n)}); err != nil {
						t.Fatalf("after the pause: %v", err)
					}
				}
			})
		})
	}
}

func TestTokens_verify_pauseIsBounded(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{
		0: defaultRetryAfter, time.Second: time.Second, 24 * time.Hour: maxPause,
	} {
		synctest.Test(t, func(t *testing.T) {
			w := new(fakeTokenInfo)
			w.always(wix.TokenInfo{}, failure(wix.RateLimited, 429, asked))
			i := startTokens(t, w, Options{})
			for n := range 3 {
				_, _ = verify(t, i, strconv.Itoa(n))
			}
			time.Sleep(want - time.Millisecond)
			_, _ = verify(t, i, "before")
			if w.count() != 1 {
				t.Errorf("Wix wants %v and is asked %d times before", asked, w.count())
			}
			time.Sleep(time.Millisecond)
			_, _ = verify(t, i, "after")
			if w.count() != 2 {
				t.Errorf("Wix wants %v and is asked %d times in all", asked, w.count())
			}
		})
	}
}
