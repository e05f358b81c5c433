package identity

// How often Wix is asked for an app instance, and what is served when it cannot answer.

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

// fakeElevation answers with what its fields say at the time of the call.
type fakeElevation struct {
	mu       sync.Mutex
	token    wix.AppToken
	tokenErr error
	name     string // of the app, to tell answers apart
	readErr  error
	// readFirst are the errors of the next reads, before readErr's turn.
	readFirst []error
	otherID   string
	slow      time.Duration

	tokens, reads int
	used          []wix.Secret
}

func (f *fakeElevation) AppToken(context.Context, string) (wix.AppToken, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tokens++
	return f.token, f.tokenErr
}

func (f *fakeElevation) AppInstance(ctx context.Context, token wix.Secret) (wix.AppInstance, error) {
	f.mu.Lock()
	f.reads++
	f.used = append(f.used, token)
	app := wix.AppInstance{Instance: wix.Instance{InstanceID: idA, AppName: wix.Some(f.name)}}
	if f.otherID != "" {
		app.Instance.InstanceID = f.otherID
	}
	err, slow := f.readErr, f.slow
	if len(f.readFirst) > 0 {
		err, f.readFirst = f.readFirst[0], f.readFirst[1:]
	}
	f.mu.Unlock()
	time.Sleep(slow)
	if err != nil {
		return wix.AppInstance{}, err
	}
	return app, nil
}

func (f *fakeElevation) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeElevation) calls() (tokens, reads int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tokens, f.reads
}

// elevate runs a test with a fake clock, a healthy Wix and an Elevator.
func elevate(t *testing.T, test func(t *testing.T, w *fakeElevation, e *Elevator)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &fakeElevation{token: wix.AppToken{AccessToken: "app-token", ExpiresIn: 4 * time.Hour}, name: "first"}
		e := NewElevator(ElevatorOptions{Wix: w})
		defer e.Close()
		test(t, w, e)
	})
}

func nameOf(app *wix.AppInstance) string {
	if app == nil {
		return ""
	}
	return app.Instance.AppName.Value
}

// expect reads idA and checks the answer and the calls that were made so far.
func expect(t *testing.T, w *fakeElevation, e *Elevator, when, name string, c instance.Code, tokens, reads int) {
	t.Helper()
	app, err := e.AppInstance(t.Context(), idA)
	if got := nameOf(app); code(err) != c || got != name {
		t.Errorf("%s: got %q, %v; want %q, %q", when, got, err, name, c)
	}
	if gotTokens, gotReads := w.calls(); gotTokens != tokens || gotReads != reads {
		t.Errorf("%s: %d tokens and %d reads, want %d and %d", when, gotTokens, gotReads, tokens, reads)
	}
}

func TestFreshAndAgain(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
		expect(t, w, e, "first", "first", "", 1, 1)
		w.set(func() { w.name = "second" })
		time.Sleep(59 * time.Second)
		expect(t, w, e, "within 60 s", "first", "", 1, 1)
		time.Sleep(2 * time.Second)
		expect(t, w, e, "after 60 s, with the kept token", "second", "", 1, 2)
		time.Sleep(4*time.Hour - tokenMargin - 62*time.Second)
		expect(t, w, e, "just before the token's margin", "second", "", 1, 3)
		time.Sleep(61 * time.Second)
		expect(t, w, e, "within the token's margin", "second", "", 2, 4)
	})
}

func TestAShortLivedTokenIsUsedByHalf(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
		w.token.ExpiresIn = 5 * time.Minute
		expect(t, w, e, "first", "first", "", 1, 1)
		time.Sleep(149 * time.Second)
		expect(t, w, e, "before half of its life", "first", "", 1, 2)
		time.Sleep(61 * time.Second)
		expect(t, w, e, "after half of its life", "first", "", 2, 3)
	})
}

func TestStaleIsServed(t *testing.T) {
	for name, err := range map[string]error{
		"while Wix is down":           failure(wix.Unavailable, 500, 0),
		"while Wix is slow":           failure(wix.Timeout, 504, 0),
		"while Wix limits us":         failure(wix.RateLimited, 429, 0),
		"while Wix talks nonsense":    failure(wix.BadResponse, 200, 0),
		"while Wix answers oddly":     refusal(428),
		"while our own deadline ends": context.DeadlineExceeded,
	} {
		t.Run(name, func(t *testing.T) {
			elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
				expect(t, w, e, "first", "first", "", 1, 1)
				w.set(func() { w.readErr, w.name = err, "second" })
				time.Sleep(61 * time.Second)
				expect(t, w, e, "stale", "first", "", 1, 2)
				time.Sleep(9 * time.Second)
				expect(t, w, e, "stale, without asking again so soon", "first", "", 1, 2)
				time.Sleep(2 * time.Second)
				expect(t, w, e, "stale, asked again", "first", "", 1, 3)
				w.set(func() { w.readErr = nil })
				time.Sleep(11 * time.Second)
				expect(t, w, e, "Wix is back", "second", "", 1, 4)
			})
		})
	}
	t.Run("when the answer is another instance's", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
			expect(t, w, e, "first", "first", "", 1, 1)
			w.set(func() { w.otherID, w.name = idB, "other" })
			time.Sleep(61 * time.Second)
			expect(t, w, e, "stale", "first", "", 1, 2)
		})
	})
	t.Run("when no app token can be had", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
			w.token.ExpiresIn = time.Minute
			expect(t, w, e, "first", "first", "", 1, 1)
			w.set(func() { w.tokenErr = failure(wix.Unavailable, 500, 0) })
			time.Sleep(61 * time.Second)
			expect(t, w, e, "stale", "first", "", 2, 1)
		})
	})
	t.Run("for a day and no longer", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
			expect(t, w, e, "first", "first", "", 1, 1)
			w.set(func() { w.readErr, w.tokenErr = failure(wix.Unavailable, 500, 0), failure(wix.Unavailable, 500, 0) })
			time.Sleep(24*time.Hour - time.Second)
			expect(t, w, e, "within a day", "first", "", 2, 1)
			time.Sleep(11 * time.Second)
			expect(t, w, e, "after a day", "", instance.CodeWixUnavailable, 3, 1)
		})
	})
	t.Run("when the budget is spent", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
			expect(t, w, e, "first", "first", "", 1, 1)
			time.Sleep(61 * time.Second)
			for range budgetBurst {
				_ = e.spend(t.Context(), idA, func() error { return nil })
			}
			expect(t, w, e, "stale", "first", "", 1, 1)
		})
	})
}

func TestNothingStale(t *testing.T) {
	tests := []struct {
		name     string
		tokenErr error
		readErr  error
		otherID  string
		code     instance.Code
		retry    time.Duration
	}{
		{"Wix is down", nil, failure(wix.Unavailable, 503, 9*time.Second), "", instance.CodeWixUnavailable, 9 * time.Second},
		{"Wix is slow", nil, failure(wix.Timeout, 504, 0), "", instance.CodeWixTimeout, 0},
		{"Wix limits us", nil, failure(wix.RateLimited, 429, 17*time.Second), "", instance.CodeRateLimited, 17 * time.Second},
		{"Wix talks nonsense", nil, failure(wix.BadResponse, 200, 0), "", instance.CodeWixBadResponse, 0},
		{"the answer is another instance's", nil, nil, idB, instance.CodeWixBadResponse, 0},
		{"no app token", failure(wix.Unavailable, 500, 0), nil, "", instance.CodeWixUnavailable, retryDefault},
		{"elevation refused: 400", refusal(400), nil, "", instance.CodeWixBadResponse, 0},
		{"elevation refused: 401", refusal(401), nil, "", instance.CodeWixBadResponse, 0},
		{"elevation refused: 404", refusal(404), nil, "", instance.CodeWixBadResponse, 0},
		{"reading refused: 403", nil, refusal(403), "", instance.CodeWixBadResponse, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
				w.tokenErr, w.readErr, w.otherID = tt.tokenErr, tt.readErr, tt.otherID
				app, err := e.AppInstance(t.Context(), idA)
				var ours *instance.Error
				if !errors.As(err, &ours) || ours.Code != tt.code || ours.RetryAfter != tt.retry || app != nil {
					t.Errorf("got %+v, %v", app, err)
				}
			})
		})
	}
	t.Run("an instance id that is none is never asked about", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
			for _, id := range []string{"", "x", idA + "a"} {
				if _, err := e.AppInstance(t.Context(), id); code(err) != instance.CodeInternal {
					t.Errorf("%q: %v", id, err)
				}
			}
			if tokens, reads := w.calls(); tokens+reads != 0 {
				t.Error("Wix was asked")
			}
		})
	})
}

func TestARefusedInstance(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
		expect(t, w, e, "first", "first", "", 1, 1)
		w.set(func() { w.readErr = refusal(403) })
		time.Sleep(61 * time.Second)
		expect(t, w, e, "refused: nothing stale", "", instance.CodeWixBadResponse, 1, 2)
		time.Sleep(29 * time.Second)
		expect(t, w, e, "refused, without asking again so soon", "", instance.CodeWixBadResponse, 1, 2)
		w.set(func() { w.readErr = failure(wix.Unavailable, 500, 0) })
		time.Sleep(2 * time.Second)
		expect(t, w, e, "the stale one is gone", "", instance.CodeWixUnavailable, 1, 3)
		w.set(func() { w.readErr = nil })
		expect(t, w, e, "installed again", "first", "", 1, 4)
	})
}

func TestAnAppTokenThatWixNoLongerTakes(t *testing.T) {
	t.Run("is replaced, once", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
			expect(t, w, e, "first", "first", "", 1, 1)
			w.set(func() {
				w.token.AccessToken, w.name = "new-token", "second"
				w.readFirst = []error{refusal(401)}
			})
			time.Sleep(61 * time.Second)
			expect(t, w, e, "replaced", "second", "", 2, 3)
			if last := w.used[len(w.used)-1]; last != "new-token" {
				t.Errorf("used %q", string(last))
			}
		})
	})
	t.Run("and the new one neither: no third", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
			expect(t, w, e, "first", "first", "", 1, 1)
			w.set(func() { w.readErr = refusal(401) })
			time.Sleep(61 * time.Second)
			expect(t, w, e, "refused", "", instance.CodeWixBadResponse, 2, 3)
		})
	})
	t.Run("though it is new: no second", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
			w.readErr = refusal(401)
			expect(t, w, e, "refused", "", instance.CodeWixBadResponse, 1, 1)
		})
	})
}

func TestAThousandReadersCostOneCall(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
		w.slow = time.Second
		first, leave := context.WithCancel(t.Context())
		var readers sync.WaitGroup
		readers.Go(func() {
			if _, err := e.AppInstance(first, idA); !errors.Is(err, context.Canceled) {
				t.Errorf("the first reader, who leaves: %v", err)
			}
		})
		synctest.Wait()
		for range 1000 {
			readers.Go(func() {
				if app, err := e.AppInstance(t.Context(), idA); err != nil || app.Instance.InstanceID != idA {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		leave()
		readers.Wait()
		if tokens, reads := w.calls(); tokens != 1 || reads != 1 {
			t.Errorf("%d tokens, %d reads", tokens, reads)
		}
	})
}

func TestTheBudgetOfAnInstance(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
		w.readErr = failure(wix.RateLimited, 429, 0) // an answer that is not kept and opens no breaker
		limited := false
		for range 600 {
			_, err := e.AppInstance(t.Context(), idA)
			if ours := instance.AsError(err); !isKind(err, wix.RateLimited) {
				limited = true
				if ours.Code != instance.CodeRateLimited || ours.RetryAfter != time.Second {
					t.Fatalf("got %v, retry after %v", err, ours.RetryAfter)
				}
			}
			time.Sleep(100 * time.Millisecond)
		}
		if tokens, reads := w.calls(); !limited || tokens+reads > 101 || tokens+reads < 95 {
			t.Errorf("%d calls in a minute", tokens+reads)
		}
	})
}

func TestNews(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
		fresh := func(when, name string, c instance.Code) {
			t.Helper()
			app, err := e.Fresh(t.Context(), idA)
			if got := nameOf(app); code(err) != c || got != name {
				t.Errorf("%s: got %q, %v; want %q, %q", when, got, err, name, c)
			}
		}
		expect(t, w, e, "first", "first", "", 1, 1)
		w.set(func() { w.name = "second" })
		e.Expire(idB)
		expect(t, w, e, "there was news of another", "first", "", 1, 1)
		e.Expire(idA)
		expect(t, w, e, "there was news, and the token is kept", "second", "", 1, 2)
		w.set(func() { w.name = "third" })
		fresh("asked for fresh", "third", "")
		expect(t, w, e, "what was read fresh is answered", "third", "", 1, 3)
		w.set(func() { w.readErr = failure(wix.Unavailable, 500, 0) })
		fresh("fresh with Wix down", "", instance.CodeWixUnavailable)
		e.Expire(idA)
		expect(t, w, e, "news with Wix down: the last answer is still there", "third", "", 1, 5)
		w.set(func() { w.readErr = failure(wix.Refused, 403, 0) })
		fresh("fresh and refused", "", instance.CodeWixBadResponse)
	})
	e := NewElevator(ElevatorOptions{Wix: &fakeElevation{}})
	defer e.Close()
	if _, err := e.Fresh(t.Context(), "no GUID"); code(err) != instance.CodeInternal {
		t.Errorf("an id that is no GUID: %v", err)
	}
}

func TestElevatorPurge(t *testing.T) {
	t.Run("forgets the answer, the stale one and the token", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
			expect(t, w, e, "first", "first", "", 1, 1)
			e.Purge(idB)
			expect(t, w, e, "another was purged", "first", "", 1, 1)
			e.Purge(idA)
			w.set(func() { w.readErr = failure(wix.Unavailable, 500, 0) })
			expect(t, w, e, "Wix down", "", instance.CodeWixUnavailable, 2, 2)
			w.set(func() { w.readErr, w.name = nil, "second" })
			expect(t, w, e, "Wix back", "second", "", 2, 3)
		})
	})
	t.Run("makes a read that is under way be made again", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
			w.slow = time.Second
			done := make(chan *wix.AppInstance)
			go func() {
				app, err := e.AppInstance(t.Context(), idA)
				if err != nil {
					t.Error(err)
				}
				done <- app
			}()
			synctest.Wait()
			w.set(func() { w.name = "second" })
			e.Purge(idA)
			if got := nameOf(<-done); got != "second" {
				t.Errorf("got %q", got)
			}
		})
	})
	t.Run("leaves nothing stale behind a read that is under way", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
			w.slow = time.Second
			done := make(chan error)
			go func() { _, err := e.AppInstance(t.Context(), idA); done <- err }()
			synctest.Wait()
			w.set(func() { w.readErr = failure(wix.Unavailable, 500, 0) })
			e.Purge(idA)
			if err := <-done; code(err) != instance.CodeWixUnavailable {
				t.Errorf("got %v", err)
			}
		})
	})
}

func TestElevatorCloseEndsWhatIsUnderWay(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *Elevator) {
		e.Close()
		e.Close()
		if _, err := e.AppInstance(t.Context(), idA); code(err) != instance.CodeWixUnavailable {
			t.Errorf("got %v", err)
		}
	})
}
