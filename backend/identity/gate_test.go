package identity

// The limits between many or malicious callers and Wix.

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

func TestGate_limitsCallsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			mu            sync.Mutex
			running, most int
		)
		w := &fakeTokenInfo{answer: func(context.Context, string) (wix.TokenInfo, error) {
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
		i := startTokens(t, w, Options{})
		counts := map[apierr.Code]int{}
		start := time.Now()
		var callers sync.WaitGroup
		for n := range 2000 {
			callers.Go(func() {
				_, err := verify(t, i, strconv.Itoa(n))
				mu.Lock()
				defer mu.Unlock()
				counts[code(err)]++
				if err == nil {
					return
				}
				if retry := apierr.As(err).RetryAfter; retry != time.Second || time.Since(start) > queueTimeout {
					t.Errorf("retry after %v, refused after %v", retry, time.Since(start))
				}
			})
		}
		callers.Wait()
		if most != maxInFlight || counts[accepted] != maxInFlight || counts[apierr.WixUnavailable] != 2000-maxInFlight {
			t.Errorf("%d at a time, %v", most, counts)
		}
	})
}

func TestGate_queuesCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTokenInfo{answer: func(context.Context, string) (wix.TokenInfo, error) {
			time.Sleep(50 * time.Millisecond)
			return good(time.Hour), nil
		}}
		i := startTokens(t, w, Options{})
		var callers sync.WaitGroup
		for n := range 1000 {
			callers.Go(func() {
				if _, err := verify(t, i, strconv.Itoa(n)); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
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
		if _, err := verify(t, i, "new"); !errors.Is(err, down) || w.count() != calls+1 {
			t.Errorf("the probe: got %v, %d calls", err, w.count()-calls)
		}
		if _, err := verify(t, i, "new"); code(err) != apierr.WixUnavailable || w.count() != calls+1 {
			t.Errorf("open again: got %v, %d calls", err, w.count()-calls)
		}

		w.always(good(time.Hour), nil)
		time.Sleep(breakerOpen + time.Millisecond)
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
			if w.count() != 100 {
				t.Errorf("%d calls", w.count())
			}
		})
	}
	t.Run("failures of every other call open it", func(t *testing.T) {
		w := new(fakeTokenInfo)
		n := 0
		w.answerWith(func(context.Context, string) (wix.TokenInfo, error) {
			if n++; n%2 == 0 {
				return wix.TokenInfo{}, down
			}
			return good(time.Hour), nil
		})
		i := startTokens(t, w, Options{})
		for n := range 100 {
			_, _ = verify(t, i, strconv.Itoa(n))
		}
		if w.count() != breakerSample {
			t.Errorf("%d calls", w.count())
		}
	})
}
