package identity

// What is cached, for how long, and what is never cached.

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

func verify(t *testing.T, i *tokens, token string) (Identification, error) {
	t.Helper()
	return i.verify(t.Context(), "192.0.2.1", []string{token})
}

func TestTokens_verify_lifetimes(t *testing.T) {
	owner := func(life time.Duration) wix.TokenInfo {
		return with(good(life), func(i *wix.TokenInfo) { i.SubjectType = wix.SubjectUser })
	}
	app := func(life time.Duration) wix.TokenInfo {
		return with(good(life), func(i *wix.TokenInfo) { i.SubjectType = wix.SubjectApp })
	}
	tests := []struct {
		name  string
		info  func() wix.TokenInfo
		err   error
		after time.Duration
		calls int
		code  apierr.Code
	}{
		{"a visitor is cached until just before exp", func() wix.TokenInfo { return good(4 * time.Hour) }, nil, 4*time.Hour - time.Second, 1, accepted},
		{"a visitor is not cached beyond a day", func() wix.TokenInfo { return good(48 * time.Hour) }, nil, 24*time.Hour + time.Second, 2, accepted},
		{"an owner is cached for just under 5 minutes", func() wix.TokenInfo { return owner(4 * time.Hour) }, nil, 5*time.Minute - time.Second, 1, accepted},
		{"an owner is asked about again after 5 minutes", func() wix.TokenInfo { return owner(4 * time.Hour) }, nil, 5*time.Minute + time.Second, 2, accepted},
		{"nor is the app, which may be an owner's browser", func() wix.TokenInfo { return app(4 * time.Hour) }, nil, 5*time.Minute + time.Second, 2, accepted},
		{"an owner is not cached beyond exp", func() wix.TokenInfo { return owner(time.Minute) }, nil, time.Minute + time.Second, 2, apierr.TokenExpired},
		{"a refusal is cached for just under 30 s", func() wix.TokenInfo { return wix.TokenInfo{} }, refusal(401), 29 * time.Second, 1, apierr.TokenInactive},
		{"a refused token is asked about again after 30 s", func() wix.TokenInfo { return wix.TokenInfo{} }, refusal(401), 31 * time.Second, 2, apierr.TokenInactive},
		{"an inactive token is cached as one", func() wix.TokenInfo { return wix.TokenInfo{} }, nil, 29 * time.Second, 1, apierr.TokenInactive},
		{"a foreign token is cached as one", func() wix.TokenInfo {
			return with(good(time.Hour), func(i *wix.TokenInfo) { i.ClientID = otherApp })
		}, nil, 29 * time.Second, 1, apierr.TokenForeign},
		{"an expired token is cached as one", func() wix.TokenInfo { return good(-time.Second) }, nil, 29 * time.Second, 1, apierr.TokenExpired},
		{"an undocumented refusal is cached like any other", func() wix.TokenInfo { return wix.TokenInfo{} }, refusal(418), 29 * time.Second, 1, apierr.WixBadResponse},
		{"a failure is cached for a moment", func() wix.TokenInfo { return wix.TokenInfo{} }, failure(wix.Unavailable, 500, 0), 999 * time.Millisecond, 1, apierr.WixUnavailable},
		{"an outage is not cached", func() wix.TokenInfo { return wix.TokenInfo{} }, failure(wix.Unavailable, 500, 0), time.Second, 2, apierr.WixUnavailable},
		{"a rate limit is obeyed", func() wix.TokenInfo { return wix.TokenInfo{} }, failure(wix.RateLimited, 429, time.Minute), 59 * time.Second, 1, apierr.RateLimited},
		{"a rate limit is not cached beyond its time", func() wix.TokenInfo { return wix.TokenInfo{} }, failure(wix.RateLimited, 429, time.Minute), time.Minute, 2, apierr.RateLimited},
		{"a timeout is not cached", func() wix.TokenInfo { return wix.TokenInfo{} }, failure(wix.Timeout, 504, 0), time.Second, 2, apierr.WixTimeout},
		{"a bad response is not cached", func() wix.TokenInfo { return wix.TokenInfo{} }, failure(wix.BadResponse, 200, 0), time.Second, 2, apierr.WixBadResponse},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := new(fakeTokenInfo)
				w.always(tt.info(), tt.err)
				i := startTokens(t, w, Options{})
				_, _ = verify(t, i, "tok")
				time.Sleep(tt.after)
				_, err := verify(t, i, "tok")
				if w.count() != tt.calls || code(err) != tt.code {
					t.Errorf("%d calls, want %d; %v", w.count(), tt.calls, err)
				}
			})
		})
	}
}

func TestTokens_checkPolicy_appliesToCachedFacts(t *testing.T) {
	for name, tt := range map[string]struct {
		clientID string
		after    time.Duration
		code     apierr.Code
	}{
		"facts in order": {app, time.Hour - time.Second, accepted},
		"another app's":  {otherApp, 0, apierr.TokenForeign},
		"expired since":  {app, time.Hour, apierr.TokenExpired},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := new(fakeTokenInfo)
				i := startTokens(t, w, Options{})
				key := tokenHash(sha256.Sum256([]byte("tok")))
				i.verified.Set(key, facts{clientID: tt.clientID, expires: time.Now().Add(time.Hour).Unix()})
				i.verified.SetExpiresAfter(key, 2*time.Hour) // longer than the cache would keep it
				time.Sleep(tt.after)
				if _, err := verify(t, i, "tok"); code(err) != tt.code || w.count() != 0 {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestTokens_load_thousandCallersMakeOneCall(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		code apierr.Code
	}{
		"accepted":    {nil, accepted},
		"refused":     {refusal(401), apierr.TokenInactive},
		"unavailable": {failure(wix.Unavailable, 500, 0), apierr.WixUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &fakeTokenInfo{answer: func(context.Context, string) (wix.TokenInfo, error) {
					time.Sleep(time.Second) // until all others are waiting
					return good(time.Hour), tt.err
				}}
				i := startTokens(t, w, Options{})
				var callers sync.WaitGroup
				for range 1000 {
					callers.Go(func() {
						got, err := verify(t, i, "tok")
						if code(err) != tt.code || err == nil && got.Caller.InstanceID != idA {
							t.Errorf("got %+v, %v", got, err)
						}
					})
				}
				callers.Wait()
				if w.count() != 1 {
					t.Errorf("%d calls", w.count())
				}
				if wait := i.standings.suspect("", networksOf("192.0.2.1"), time.Now()); wait != 0 {
					t.Errorf("one refused token was counted more than once: %v", wait)
				}
			})
		})
	}
}

func TestTokens_load_callersThatLeave(t *testing.T) {
	slowly := &fakeTokenInfo{answer: func(ctx context.Context, _ string) (wix.TokenInfo, error) {
		select {
		case <-time.After(2 * time.Second):
			return good(time.Hour), nil
		case <-ctx.Done():
			return wix.TokenInfo{}, &wix.Error{Kind: wix.Canceled, Err: ctx.Err()}
		}
	}}
	synctest.Test(t, func(t *testing.T) {
		i := startTokens(t, slowly, Options{})
		var callers sync.WaitGroup
		defer callers.Wait()
		first, leave := context.WithCancel(t.Context())
		callers.Go(func() {
			start := time.Now()
			_, err := i.verify(first, "192.0.2.1", []string{"tok"})
			var e *apierr.Error
			if !errors.Is(err, context.Canceled) || errors.As(err, &e) || time.Since(start) != time.Second {
				t.Errorf("the first caller got %v after %v", err, time.Since(start))
			}
		})
		synctest.Wait()
		callers.Go(func() {
			short, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := i.verify(short, "192.0.2.1", []string{"tok"}); code(err) != apierr.WixTimeout {
				t.Errorf("the caller with a deadline got %v", err)
			}
		})
		callers.Go(func() {
			if _, err := i.verify(t.Context(), "192.0.2.1", []string{"tok"}); err != nil || slowly.count() != 1 {
				t.Errorf("the second caller got %v, after %d calls", err, slowly.count())
			}
		})
		time.Sleep(time.Second)
		leave()
	})
}

func TestTokens_ask_timesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTokenInfo{answer: func(ctx context.Context, _ string) (wix.TokenInfo, error) {
			<-ctx.Done()
			return wix.TokenInfo{}, &wix.Error{Kind: wix.Timeout, Err: ctx.Err()}
		}}
		i := startTokens(t, w, Options{})
		start := time.Now()
		if _, err := verify(t, i, "tok"); code(err) != apierr.WixTimeout || time.Since(start) != verifyTimeout {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

func TestTokens_ask_panicIsInternal(t *testing.T) {
	w := &fakeTokenInfo{answer: func(context.Context, string) (wix.TokenInfo, error) { panic("odd") }}
	i := startTokens(t, w, Options{})
	for range 2 {
		if _, err := verify(t, i, "tok"); code(err) != apierr.Internal {
			t.Errorf("got %v", err)
		}
	}
}

func TestTokens_close_endsCallsInProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTokenInfo{answer: func(ctx context.Context, _ string) (wix.TokenInfo, error) {
			<-ctx.Done()
			return wix.TokenInfo{}, &wix.Error{Kind: wix.Canceled, Err: ctx.Err()}
		}}
		i := startTokens(t, w, Options{})
		done := make(chan error)
		go func() { _, err := verify(t, i, "tok"); done <- err }()
		synctest.Wait()
		i.close()
		if err := <-done; code(err) != apierr.WixUnavailable {
			t.Errorf("got %v", err)
		}
	})
}

func TestTokens_purge(t *testing.T) {
	byToken := func(_ context.Context, token string) (wix.TokenInfo, error) {
		return with(good(time.Hour), func(i *wix.TokenInfo) { i.InstanceID = map[byte]string{'a': idA, 'b': idB}[token[0]] }), nil
	}
	t.Run("drops every token of the instance and no other", func(t *testing.T) {
		w := &fakeTokenInfo{answer: byToken}
		i := startTokens(t, w, Options{})
		for n := range 100 {
			for _, letter := range "ab" {
				if _, err := verify(t, i, fmt.Sprint(string(letter), n)); err != nil {
					t.Fatal(err)
				}
			}
		}
		i.purge(idA)
		for n := range 100 {
			for letter, cached := range map[string]bool{"a": false, "b": true} {
				if got, err := verify(t, i, fmt.Sprint(letter, n)); err != nil || got.Cached != cached {
					t.Fatalf("%s%d: cached %v, %v", letter, n, got.Cached, err)
				}
			}
		}
	})
	t.Run("an answer from before it is not cached after it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := &fakeTokenInfo{answer: func(ctx context.Context, token string) (wix.TokenInfo, error) {
				time.Sleep(time.Second)
				return byToken(ctx, token)
			}}
			i := startTokens(t, w, Options{})
			done := make(chan struct{})
			go func() { defer close(done); _, _ = verify(t, i, "a") }()
			synctest.Wait()
			i.purge(idA)
			<-done
			if got, err := verify(t, i, "a"); err != nil || got.Cached {
				t.Errorf("cached %v, %v", got.Cached, err)
			}
		})
	})
}

func TestTokens_sizeIsBounded(t *testing.T) {
	w := &fakeTokenInfo{answer: func(_ context.Context, token string) (wix.TokenInfo, error) {
		if token[0] == 'r' {
			return wix.TokenInfo{}, nil
		}
		return good(time.Hour), nil
	}}
	i := startTokens(t, w, Options{Size: 1000})
	for n := range 5_000 {
		source := "198.51." + strconv.Itoa(n/250) + "." + strconv.Itoa(n%250)
		_, _ = i.verify(t.Context(), source, []string{"k" + strconv.Itoa(n)})
		_, _ = i.verify(t.Context(), source, []string{"r" + strconv.Itoa(n)})
	}
	i.verified.CleanUp()
	i.refused.CleanUp()
	i.standings.of.CleanUp()
	if known, refused := i.verified.EstimatedSize(), i.refused.EstimatedSize(); known > 1000 || refused > 500 || known < 500 || refused < 250 {
		t.Errorf("%d known, %d refused", known, refused)
	}
	if sources := i.standings.of.EstimatedSize(); sources > maxStandings {
		t.Errorf("%d sources", sources)
	}
}

func TestTokens_refusedDoNotEvictVerified(t *testing.T) {
	w := &fakeTokenInfo{answer: func(_ context.Context, token string) (wix.TokenInfo, error) {
		if token[0] == 'r' {
			return wix.TokenInfo{}, nil
		}
		return good(time.Hour), nil
	}}
	i := startTokens(t, w, Options{Size: 100})
	for n := range 50 {
		_, _ = verify(t, i, "k"+strconv.Itoa(n))
	}
	for n := range 2000 {
		_, _ = i.verify(t.Context(), strconv.Itoa(n), []string{"r" + strconv.Itoa(n)})
	}
	for n := range 50 {
		if got, err := verify(t, i, "k"+strconv.Itoa(n)); err != nil || !got.Cached {
			t.Fatalf("k%d: %+v, %v", n, got, err)
		}
	}
}

func cachedToken(t testing.TB) (*tokens, []string) {
	w := new(fakeTokenInfo)
	w.always(good(time.Hour), nil)
	i := startTokens(t, w, Options{})
	header := []string{jws(t, claims(app, time.Now().Add(time.Hour).Unix()))}
	if _, err := i.verify(t.Context(), "192.0.2.1", header); err != nil {
		t.Fatal(err)
	}
	return i, header
}

func TestTokens_verify_cachedAllocatesOnce(t *testing.T) {
	i, header := cachedToken(t)
	if n := testing.AllocsPerRun(1000, func() { _, _ = i.verify(t.Context(), "192.0.2.1", header) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkVerify_known(b *testing.B) {
	i, header := cachedToken(b)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := i.verify(ctx, "192.0.2.1", header); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify_new(b *testing.B) {
	w := new(fakeTokenInfo)
	w.always(good(time.Hour), nil)
	i := startTokens(b, w, Options{})
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		if _, err := i.verify(b.Context(), "192.0.2.1", []string{strconv.Itoa(n)}); err != nil {
			b.Fatal(err)
		}
	}
}
