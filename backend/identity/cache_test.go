package identity

// What is kept, for how long, for whom, and what is never kept.

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

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

func identify(t *testing.T, i *Identifier, token string) (Identification, error) {
	t.Helper()
	return i.Identify(t.Context(), "192.0.2.1", []string{token})
}

func TestLives(t *testing.T) {
	owner := func(life time.Duration) wix.TokenInfo {
		return with(good(life), func(i *wix.TokenInfo) { i.SubjectType = wix.SubjectUser })
	}
	tests := []struct {
		name  string
		info  func() wix.TokenInfo
		err   error
		after time.Duration
		calls int
		code  instance.Code
	}{
		{"a visitor is kept until just before exp", func() wix.TokenInfo { return good(4 * time.Hour) }, nil, 4*time.Hour - time.Second, 1, ""},
		{"a visitor is not kept beyond a day", func() wix.TokenInfo { return good(48 * time.Hour) }, nil, 24*time.Hour + time.Second, 2, ""},
		{"an owner is kept for just under 5 minutes", func() wix.TokenInfo { return owner(4 * time.Hour) }, nil, 5*time.Minute - time.Second, 1, ""},
		{"an owner is asked about again after 5 minutes", func() wix.TokenInfo { return owner(4 * time.Hour) }, nil, 5*time.Minute + time.Second, 2, ""},
		{"an owner is not kept beyond exp", func() wix.TokenInfo { return owner(time.Minute) }, nil, time.Minute + time.Second, 2, instance.CodeTokenExpired},
		{"a refusal is kept for just under 30 s", func() wix.TokenInfo { return wix.TokenInfo{} }, refusal(401), 29 * time.Second, 1, instance.CodeTokenInactive},
		{"a refused token is asked about again after 30 s", func() wix.TokenInfo { return wix.TokenInfo{} }, refusal(401), 31 * time.Second, 2, instance.CodeTokenInactive},
		{"an inactive token is kept as one", func() wix.TokenInfo { return wix.TokenInfo{} }, nil, 29 * time.Second, 1, instance.CodeTokenInactive},
		{"a foreign token is kept as one", func() wix.TokenInfo {
			return with(good(time.Hour), func(i *wix.TokenInfo) { i.ClientID = otherApp })
		}, nil, 29 * time.Second, 1, instance.CodeTokenForeign},
		{"an expired token is kept as one", func() wix.TokenInfo { return good(-time.Second) }, nil, 29 * time.Second, 1, instance.CodeTokenExpired},
		{"an outage is not kept", func() wix.TokenInfo { return wix.TokenInfo{} }, failure(wix.Unavailable, 500, 0), 0, 2, instance.CodeWixUnavailable},
		{"a rate limit is not kept", func() wix.TokenInfo { return wix.TokenInfo{} }, failure(wix.RateLimited, 429, 0), 0, 2, instance.CodeRateLimited},
		{"a timeout is not kept", func() wix.TokenInfo { return wix.TokenInfo{} }, failure(wix.Timeout, 504, 0), 0, 2, instance.CodeWixTimeout},
		{"a bad response is not kept", func() wix.TokenInfo { return wix.TokenInfo{} }, failure(wix.BadResponse, 200, 0), 0, 2, instance.CodeWixBadResponse},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := new(fakeWix)
				w.always(tt.info(), tt.err)
				i := newIdentifier(t, w)
				_, _ = identify(t, i, "tok")
				time.Sleep(tt.after)
				_, err := identify(t, i, "tok")
				if w.count() != tt.calls || code(err) != tt.code {
					t.Errorf("%d calls, want %d; %v", w.count(), tt.calls, err)
				}
			})
		})
	}
}

func TestPolicyIsAppliedToKeptFacts(t *testing.T) {
	for name, tt := range map[string]struct {
		clientID string
		after    time.Duration
		code     instance.Code
	}{
		"facts in order":    {app, time.Hour - time.Second, ""},
		"another app's":     {otherApp, 0, instance.CodeTokenForeign},
		"expired meanwhile": {app, time.Hour, instance.CodeTokenExpired},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := new(fakeWix)
				i := newIdentifier(t, w)
				key := tokenHash(sha256.Sum256([]byte("tok")))
				i.known.Set(key, facts{clientID: tt.clientID, expires: time.Now().Add(time.Hour).Unix()})
				i.known.SetExpiresAfter(key, 2*time.Hour) // whatever the cache thinks of its life
				time.Sleep(tt.after)
				if _, err := identify(t, i, "tok"); code(err) != tt.code || w.count() != 0 {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestAThousandCallersOfOneNewTokenCostOneCall(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		code instance.Code
	}{
		"accepted":    {nil, ""},
		"refused":     {refusal(401), instance.CodeTokenInactive},
		"unavailable": {failure(wix.Unavailable, 500, 0), instance.CodeWixUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &fakeWix{answer: func(context.Context, string) (wix.TokenInfo, error) {
					time.Sleep(time.Second) // until all others wait
					return good(time.Hour), tt.err
				}}
				i := newIdentifier(t, w)
				var callers sync.WaitGroup
				for range 1000 {
					callers.Go(func() {
						got, err := identify(t, i, "tok")
						if code(err) != tt.code || err == nil && got.Caller.InstanceID != idA {
							t.Errorf("got %+v, %v", got, err)
						}
					})
				}
				callers.Wait()
				if w.count() != 1 {
					t.Errorf("%d calls", w.count())
				}
				if wait := i.refusals.wait("192.0.2.1", time.Now()); wait != 0 {
					t.Errorf("one refused token cost more than one: %v", wait)
				}
			})
		})
	}
}

func TestCallersWhoLeave(t *testing.T) {
	slowly := &fakeWix{answer: func(ctx context.Context, _ string) (wix.TokenInfo, error) {
		select {
		case <-time.After(2 * time.Second):
			return good(time.Hour), nil
		case <-ctx.Done():
			return wix.TokenInfo{}, &wix.Error{Kind: wix.Canceled, Err: ctx.Err()}
		}
	}}
	synctest.Test(t, func(t *testing.T) {
		i := newIdentifier(t, slowly)
		var callers sync.WaitGroup
		defer callers.Wait()
		first, leave := context.WithCancel(t.Context())
		callers.Go(func() {
			start := time.Now()
			_, err := i.Identify(first, "192.0.2.1", []string{"tok"})
			var e *instance.Error
			if !errors.Is(err, context.Canceled) || errors.As(err, &e) || time.Since(start) != time.Second {
				t.Errorf("the first caller got %v after %v", err, time.Since(start))
			}
		})
		synctest.Wait()
		callers.Go(func() {
			short, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := i.Identify(short, "192.0.2.1", []string{"tok"}); code(err) != instance.CodeWixTimeout {
				t.Errorf("the caller with a deadline got %v", err)
			}
		})
		callers.Go(func() {
			if _, err := i.Identify(t.Context(), "192.0.2.1", []string{"tok"}); err != nil || slowly.count() != 1 {
				t.Errorf("the second caller got %v, after %d calls", err, slowly.count())
			}
		})
		time.Sleep(time.Second)
		leave()
	})
}

func TestAWixThatNeverAnswersIsATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeWix{answer: func(ctx context.Context, _ string) (wix.TokenInfo, error) {
			<-ctx.Done()
			return wix.TokenInfo{}, &wix.Error{Kind: wix.Timeout, Err: ctx.Err()}
		}}
		i := newIdentifier(t, w)
		start := time.Now()
		if _, err := identify(t, i, "tok"); code(err) != instance.CodeWixTimeout || time.Since(start) != loadTimeout {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

func TestAPanicInACallToWixIsAnError(t *testing.T) {
	w := &fakeWix{answer: func(context.Context, string) (wix.TokenInfo, error) { panic("odd") }}
	i := newIdentifier(t, w)
	for range 2 {
		if _, err := identify(t, i, "tok"); code(err) != instance.CodeInternal {
			t.Errorf("got %v", err)
		}
	}
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeWix{answer: func(ctx context.Context, _ string) (wix.TokenInfo, error) {
			<-ctx.Done()
			return wix.TokenInfo{}, &wix.Error{Kind: wix.Canceled, Err: ctx.Err()}
		}}
		i := newIdentifier(t, w)
		done := make(chan error)
		go func() { _, err := identify(t, i, "tok"); done <- err }()
		synctest.Wait()
		i.Close()
		if err := <-done; code(err) != instance.CodeWixUnavailable {
			t.Errorf("got %v", err)
		}
	})
}

func TestPurge(t *testing.T) {
	byToken := func(_ context.Context, token string) (wix.TokenInfo, error) {
		return with(good(time.Hour), func(i *wix.TokenInfo) { i.InstanceID = map[byte]string{'a': idA, 'b': idB}[token[0]] }), nil
	}
	t.Run("drops every token of the instance and no other", func(t *testing.T) {
		w := &fakeWix{answer: byToken}
		i := newIdentifier(t, w)
		for n := range 100 {
			for _, letter := range "ab" {
				if _, err := identify(t, i, fmt.Sprint(string(letter), n)); err != nil {
					t.Fatal(err)
				}
			}
		}
		i.Purge(idA)
		for n := range 100 {
			for letter, cached := range map[string]bool{"a": false, "b": true} {
				if got, err := identify(t, i, fmt.Sprint(letter, n)); err != nil || got.Cached != cached {
					t.Fatalf("%s%d: cached %v, %v", letter, n, got.Cached, err)
				}
			}
		}
	})
	t.Run("an answer from before it is not kept after it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := &fakeWix{answer: func(ctx context.Context, token string) (wix.TokenInfo, error) {
				time.Sleep(time.Second)
				return byToken(ctx, token)
			}}
			i := newIdentifier(t, w)
			done := make(chan struct{})
			go func() { defer close(done); _, _ = identify(t, i, "a") }()
			synctest.Wait()
			i.Purge(idA)
			<-done
			if got, err := identify(t, i, "a"); err != nil || got.Cached {
				t.Errorf("cached %v, %v", got.Cached, err)
			}
		})
	})
}

func TestSizeIsBounded(t *testing.T) {
	w := &fakeWix{answer: func(_ context.Context, token string) (wix.TokenInfo, error) {
		if token[0] == 'r' {
			return wix.TokenInfo{}, nil
		}
		return good(time.Hour), nil
	}}
	i := New(Options{Wix: w, AppID: app, Size: 1000})
	t.Cleanup(i.Close)
	for n := range 5_000 {
		source := "198.51." + strconv.Itoa(n/250) + "." + strconv.Itoa(n%250)
		_, _ = i.Identify(t.Context(), source, []string{"k" + strconv.Itoa(n)})
		_, _ = i.Identify(t.Context(), source, []string{"r" + strconv.Itoa(n)})
	}
	i.known.CleanUp()
	i.refused.CleanUp()
	i.refusals.limits.CleanUp()
	if known, refused := i.known.EstimatedSize(), i.refused.EstimatedSize(); known > 1000 || refused > 500 || known < 500 || refused < 250 {
		t.Errorf("%d known, %d refused", known, refused)
	}
	if sources := i.refusals.limits.EstimatedSize(); sources > maxSources {
		t.Errorf("%d sources", sources)
	}
}

func TestGarbageDoesNotPushOutTheGood(t *testing.T) {
	w := &fakeWix{answer: func(_ context.Context, token string) (wix.TokenInfo, error) {
		if token[0] == 'r' {
			return wix.TokenInfo{}, nil
		}
		return good(time.Hour), nil
	}}
	i := New(Options{Wix: w, AppID: app, Size: 100})
	t.Cleanup(i.Close)
	for n := range 50 {
		_, _ = identify(t, i, "k"+strconv.Itoa(n))
	}
	for n := range 2000 {
		_, _ = i.Identify(t.Context(), strconv.Itoa(n), []string{"r" + strconv.Itoa(n)})
	}
	for n := range 50 {
		if got, err := identify(t, i, "k"+strconv.Itoa(n)); err != nil || !got.Cached {
			t.Fatalf("k%d: %+v, %v", n, got, err)
		}
	}
}

func knownToken(t testing.TB) (*Identifier, []string) {
	w := new(fakeWix)
	w.always(good(time.Hour), nil)
	i := New(Options{Wix: w, AppID: app})
	t.Cleanup(i.Close)
	header := []string{jws(t, claims(app, time.Now().Add(time.Hour).Unix()))}
	if _, err := i.Identify(t.Context(), "192.0.2.1", header); err != nil {
		t.Fatal(err)
	}
	return i, header
}

func TestAKnownTokenCostsFewAllocations(t *testing.T) {
	i, header := knownToken(t)
	if n := testing.AllocsPerRun(1000, func() { _, _ = i.Identify(t.Context(), "192.0.2.1", header) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkIdentifyKnown(b *testing.B) {
	i, header := knownToken(b)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := i.Identify(ctx, "192.0.2.1", header); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIdentifyNew(b *testing.B) {
	w := new(fakeWix)
	w.always(good(time.Hour), nil)
	i := New(Options{Wix: w, AppID: app})
	b.Cleanup(i.Close)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		if _, err := i.Identify(b.Context(), "192.0.2.1", []string{strconv.Itoa(n)}); err != nil {
			b.Fatal(err)
		}
	}
}
