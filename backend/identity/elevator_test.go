package identity

// How often Wix is asked for an app instance, and what is returned when it cannot answer.

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

// fakeElevation answers with the values of its fields at the time of the call.
type fakeElevation struct {
	mu       sync.Mutex
	token    wix.AppToken
	tokenErr error
	name     string // of the app, to tell answers apart
	readErr  error
	// readFirst are the errors of the next reads, before readErr's turn.
	readFirst []error
	otherID   string
	slow      time.Duration // of reads
	slowToken time.Duration
	panics    bool // reads panic

	tokens, reads int
	used          []wix.Secret
}

func (f *fakeElevation) AppToken(context.Context, string) (wix.AppToken, error) {
	f.mu.Lock()
	f.tokens++
	token, err, slow := f.token, f.tokenErr, f.slowToken
	f.mu.Unlock()
	time.Sleep(slow)
	return token, err
}

func (f *fakeElevation) AppInstance(ctx context.Context, token wix.Secret) (wix.AppInstance, error) {
	f.mu.Lock()
	f.reads++
	f.used = append(f.used, token)
	app := wix.AppInstance{Instance: wix.Instance{InstanceID: idA, AppName: wix.Some(f.name)}}
	if f.otherID != "" {
		app.Instance.InstanceID = f.otherID
	}
	err, slow, panics := f.readErr, f.slow, f.panics
	if len(f.readFirst) > 0 {
		err, f.readFirst = f.readFirst[0], f.readFirst[1:]
	}
	f.mu.Unlock()
	time.Sleep(slow)
	if panics {
		panic("odd")
	}
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

// elevate runs a test with a fake clock, a healthy Wix and an elevator.
func elevate(t *testing.T, test func(t *testing.T, w *fakeElevation, e *elevator)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &fakeElevation{token: wix.AppToken{AccessToken: "app-token", ExpiresIn: 4 * time.Hour}, name: "first"}
		e := newElevator(w, complete(t, Options{}))
		defer e.close()
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
func expect(t *testing.T, w *fakeElevation, e *elevator, when, name string, c apierr.Code, tokens, reads int) {
	t.Helper()
	app, err := e.load(t.Context(), idA, false)
	if got := nameOf(app); code(err) != c || got != name {
		t.Errorf("%s: got %q, %v; want %q, %q", when, got, err, name, c)
	}
	if gotTokens, gotReads := w.calls(); gotTokens != tokens || gotReads != reads {
		t.Errorf("%s: %d tokens and %d reads, want %d and %d", when, gotTokens, gotReads, tokens, reads)
	}
}

func TestElevator_load_freshForAMinute(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
		expect(t, w, e, "first", "first", accepted, 1, 1)
		w.set(func() { w.name = "second" })
		time.Sleep(59 * time.Second)
		expect(t, w, e, "within 60 s", "first", accepted, 1, 1)
		time.Sleep(2 * time.Second)
		expect(t, w, e, "after 60 s, with the cached token", "second", accepted, 1, 2)
		time.Sleep(4*time.Hour - tokenMargin - 62*time.Second)
		expect(t, w, e, "just before the token's margin", "second", accepted, 1, 3)
		time.Sleep(61 * time.Second)
		expect(t, w, e, "within the token's margin", "second", accepted, 2, 4)
	})
}

func TestElevator_appToken_shortLifeIsHalved(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
		w.token.ExpiresIn = 5 * time.Minute
		expect(t, w, e, "first", "first", accepted, 1, 1)
		time.Sleep(149 * time.Second)
		expect(t, w, e, "before half of its life", "first", accepted, 1, 2)
		time.Sleep(61 * time.Second)
		expect(t, w, e, "after half of its life", "first", accepted, 2, 3)
	})
}

func TestElevator_load_staleWhileWixIsAway(t *testing.T) {
	for name, err := range map[string]error{
		"while Wix is down":             failure(wix.Unavailable, 500, 0),
		"while Wix is slow":             failure(wix.Timeout, 504, 0),
		"while Wix limits the rate":     failure(wix.RateLimited, 429, 0),
		"while Wix answers nonsense":    failure(wix.BadResponse, 200, 0),
		"while Wix answers oddly":       refusal(428),
		"while the own deadline passes": context.DeadlineExceeded,
	} {
		t.Run(name, func(t *testing.T) {
			elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
				expect(t, w, e, "first", "first", accepted, 1, 1)
				w.set(func() { w.readErr, w.name = err, "second" })
				time.Sleep(61 * time.Second)
				expect(t, w, e, "stale", "first", accepted, 1, 2)
				time.Sleep(9 * time.Second)
				expect(t, w, e, "stale, without asking again so soon", "first", accepted, 1, 2)
				time.Sleep(2 * time.Second)
				expect(t, w, e, "stale, asked again", "first", accepted, 1, 3)
				w.set(func() { w.readErr = nil })
				time.Sleep(11 * time.Second)
				expect(t, w, e, "Wix is back", "second", accepted, 1, 4)
			})
		})
	}
	t.Run("when the answer is another instance's", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
			expect(t, w, e, "first", "first", accepted, 1, 1)
			w.set(func() { w.otherID, w.name = idB, "other" })
			time.Sleep(61 * time.Second)
			expect(t, w, e, "stale", "first", accepted, 1, 2)
		})
	})
	t.Run("when there is no app token", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
			w.token.ExpiresIn = time.Minute
			expect(t, w, e, "first", "first", accepted, 1, 1)
			w.set(func() { w.tokenErr = failure(wix.Unavailable, 500, 0) })
			time.Sleep(61 * time.Second)
			expect(t, w, e, "stale", "first", accepted, 2, 1)
		})
	})
	t.Run("for a day and no longer", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
			expect(t, w, e, "first", "first", accepted, 1, 1)
			w.set(func() { w.readErr, w.tokenErr = failure(wix.Unavailable, 500, 0), failure(wix.Unavailable, 500, 0) })
			time.Sleep(24*time.Hour - time.Second)
			expect(t, w, e, "within a day", "first", accepted, 2, 1)
			time.Sleep(11 * time.Second)
			expect(t, w, e, "after a day", "", apierr.WixUnavailable, 3, 1)
		})
	})
	t.Run("when the budget is spent", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
			expect(t, w, e, "first", "first", accepted, 1, 1)
			time.Sleep(61 * time.Second)
			for range budgetBurst {
				_ = e.spend(t.Context(), e.entry(idA), e.gate, func() error { return nil })
			}
			expect(t, w, e, "stale", "first", accepted, 1, 1)
		})
	})
}

func TestElevator_load_nothingStale(t *testing.T) {
	tests := []struct {
		name     string
		tokenErr error
		readErr  error
		otherID  string
		code     apierr.Code
		retry    time.Duration
	}{
		{"Wix is down", nil, failure(wix.Unavailable, 503, 9*time.Second), "", apierr.WixUnavailable, 9 * time.Second},
		{"Wix is slow", nil, failure(wix.Timeout, 504, 0), "", apierr.WixTimeout, 0},
		{"Wix limits the rate", nil, failure(wix.RateLimited, 429, 17*time.Second), "", apierr.RateLimited, 17 * time.Second},
		{"Wix answers nonsense", nil, failure(wix.BadResponse, 200, 0), "", apierr.WixBadResponse, 0},
		{"the answer is another instance's", nil, nil, idB, apierr.WixBadResponse, 0},
		{"no app token", failure(wix.Unavailable, 500, 0), nil, "", apierr.WixUnavailable, defaultRetryAfter},
		{"elevation refused: 400", refusalOf("app token", 400), nil, "", apierr.WixBadResponse, 0},
		{"elevation refused: 401", refusalOf("app token", 401), nil, "", apierr.AppCredentialsRefused, 0},
		{"elevation refused: 403", refusalOf("app token", 403), nil, "", apierr.AppPermissionMissing, 0},
		{"elevation refused: 404", refusalOf("app token", 404), nil, "", apierr.InstanceUnknown, 0},
		{"reading refused: 403", nil, refusalOf("app instance", 403), "", apierr.AppPermissionMissing, 0},
		{"reading refused: 404", nil, refusalOf("app instance", 404), "", apierr.InstanceUnknown, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
				w.tokenErr, w.readErr, w.otherID = tt.tokenErr, tt.readErr, tt.otherID
				app, err := e.load(t.Context(), idA, false)
				var ours *apierr.Error
				if !errors.As(err, &ours) || ours.Code != tt.code || ours.RetryAfter != tt.retry || app != nil {
					t.Errorf("got %+v, %v", app, err)
				}
			})
		})
	}
	t.Run("Wix is never asked about an id that is not a GUID", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
			for _, id := range []string{"", "x", idA + "a"} {
				if _, err := e.load(t.Context(), id, false); code(err) != apierr.Internal {
					t.Errorf("%q: %v", id, err)
				}
			}
			if tokens, reads := w.calls(); tokens+reads != 0 {
				t.Error("Wix was asked")
			}
		})
	})
}

func TestElevator_load_refusedInstance(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
		expect(t, w, e, "first", "first", accepted, 1, 1)
		w.set(func() { w.readErr = refusalOf("app instance", 403) })
		time.Sleep(61 * time.Second)
		expect(t, w, e, "refused: nothing stale", "", apierr.AppPermissionMissing, 1, 2)
		time.Sleep(29 * time.Second)
		expect(t, w, e, "refused, without asking again so soon", "", apierr.AppPermissionMissing, 1, 2)
		w.set(func() { w.readErr = failure(wix.Unavailable, 500, 0) })
		time.Sleep(2 * time.Second)
		expect(t, w, e, "the stale one is gone", "", apierr.WixUnavailable, 1, 3)
		w.set(func() { w.readErr = nil })
		expect(t, w, e, "installed again", "first", accepted, 1, 4)
	})
}

// TestElevator_load_saysWhatToDo has the line of the log that a refusal of the app makes.
func TestElevator_load_saysWhatToDo(t *testing.T) {
	for name, tt := range map[string]struct {
		tokenErr error
		want     string
	}{
		"a wrong secret":       {refusalOf("app token", 401), "WIX_APP_SECRET"},
		"no permission":        {refusalOf("app token", 403), "the permission Manage Your App"},
		"an unknown instance":  {refusalOf("app token", 404), "removed from that site"},
		"nothing that we know": {refusalOf("app token", 400), ""},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			e := newElevator(&fakeElevation{tokenErr: tt.tokenErr}, complete(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}))
			defer e.close()
			_, _ = e.load(t.Context(), idA, false)
			line := log.String()
			if !strings.Contains(line, "wix refuses the app instance") || !strings.Contains(line, tt.want) || strings.Contains(line, "do=") != (tt.want != "") {
				t.Errorf("the log has %s", line)
			}
		})
	}
}

func TestElevator_withToken_renewsAfter401(t *testing.T) {
	t.Run("is renewed once", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
			expect(t, w, e, "first", "first", accepted, 1, 1)
			w.set(func() {
				w.token.AccessToken, w.name = "new-token", "second"
				w.readFirst = []error{refusalOf("app instance", 401)}
			})
			time.Sleep(61 * time.Second)
			expect(t, w, e, "renewed", "second", accepted, 2, 3)
			if last := w.used[len(w.used)-1]; last != "new-token" {
				t.Errorf("used %q", string(last))
			}
		})
	})
	t.Run("is not renewed a second time", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
			expect(t, w, e, "first", "first", accepted, 1, 1)
			w.set(func() { w.readErr = refusalOf("app instance", 401) })
			time.Sleep(61 * time.Second)
			expect(t, w, e, "refused", "", apierr.AppPermissionMissing, 2, 3)
		})
	})
	t.Run("is not renewed if it is new", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
			w.readErr = refusalOf("app instance", 401)
			expect(t, w, e, "refused", "", apierr.AppPermissionMissing, 1, 1)
		})
	})
}

func TestElevator_load_thousandCallersMakeOneCall(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
		w.slow = time.Second
		first, leave := context.WithCancel(t.Context())
		var readers sync.WaitGroup
		readers.Go(func() {
			if _, err := e.load(first, idA, false); !errors.Is(err, context.Canceled) {
				t.Errorf("the first reader, who leaves: %v", err)
			}
		})
		synctest.Wait()
		for range 1000 {
			readers.Go(func() {
				if app, err := e.load(t.Context(), idA, false); err != nil || app.Instance.InstanceID != idA {
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

func TestElevator_spend_budget(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
		w.readErr = failure(wix.Unavailable, 500, 0) // an answer that is not cached; one instance opens no breaker
		limited := false
		for range 600 {
			_, err := e.load(t.Context(), idA, false)
			if ours := apierr.As(err); !isKind(err, wix.Unavailable) {
				limited = true
				if ours.Code != apierr.RateLimited || ours.RetryAfter != time.Second || !errors.Is(err, ErrBudgetSpent) {
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

func TestElevator_load_refreshAndExpire(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
		refresh := func(when, name string, c apierr.Code) {
			t.Helper()
			app, err := e.load(t.Context(), idA, true)
			if got := nameOf(app); code(err) != c || got != name {
				t.Errorf("%s: got %q, %v; want %q, %q", when, got, err, name, c)
			}
		}
		expect(t, w, e, "first", "first", accepted, 1, 1)
		w.set(func() { w.name = "second" })
		e.expire(idB)
		expect(t, w, e, "another instance has changed", "first", accepted, 1, 1)
		e.expire(idA)
		expect(t, w, e, "the instance has changed, and the token is still cached", "second", accepted, 1, 2)
		w.set(func() { w.name = "third" })
		refresh("refreshed", "third", accepted)
		expect(t, w, e, "the refreshed one is cached", "third", accepted, 1, 3)
		w.set(func() { w.readErr = failure(wix.Unavailable, 500, 0) })
		refresh("refreshed with Wix down", "", apierr.WixUnavailable)
		e.expire(idA)
		expect(t, w, e, "changed with Wix down: the last answer is still there", "third", accepted, 1, 5)
		w.set(func() { w.readErr = refusalOf("app instance", 403) })
		refresh("refreshed and refused", "", apierr.AppPermissionMissing)
		w.set(func() { w.readErr = failure(wix.Unavailable, 500, 0) })
		e.expire(idA)
		expect(t, w, e, "Wix is down after the refusal: nothing stale", "", apierr.WixUnavailable, 1, 7)
	})
	e := newElevator(&fakeElevation{}, complete(t, Options{}))
	defer e.close()
	if _, err := e.load(t.Context(), "no GUID", true); code(err) != apierr.Internal {
		t.Errorf("an id that is not a GUID: %v", err)
	}
}

func TestElevator_load_expiredWhileReading(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
		w.slow = time.Second
		var readers sync.WaitGroup
		read := func(name string, mustBeFresh bool) {
			readers.Go(func() {
				if app, err := e.load(t.Context(), idA, mustBeFresh); err != nil || nameOf(app) != name {
					t.Errorf("got %q, %v; want %q", nameOf(app), err, name)
				}
			})
			synctest.Wait()
		}
		read("first", false)
		w.set(func() { w.name = "second" })
		read("second", true)
		w.set(func() { w.name = "third" })
		read("second", false) // it joins the refresh
		readers.Wait()
		expect(t, w, e, "only the read that began last is cached", "second", accepted, 1, 2)
	})
}

func TestElevator_load_idInAnyCase(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
		expect(t, w, e, "first", "first", accepted, 1, 1)
		if app, err := e.load(t.Context(), strings.ToUpper(idA), false); nameOf(app) != "first" || err != nil {
			t.Errorf("got %q, %v", nameOf(app), err)
		}
		w.set(func() { w.name = "second" })
		e.expire(strings.ToUpper(idA))
		expect(t, w, e, "expired", "second", accepted, 1, 2)
		e.purge(strings.ToUpper(idA))
		expect(t, w, e, "purged", "second", accepted, 2, 3)
	})
}

func TestElevator_load_panicIsInternal(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
		w.panics = true
		for range 2 {
			if _, err := e.load(t.Context(), idA, false); code(err) != apierr.Internal {
				t.Errorf("got %v", err)
			}
		}
		w.set(func() { w.panics = false })
		if app, err := e.load(t.Context(), idA, false); nameOf(app) != "first" || err != nil {
			t.Errorf("after the panics: got %q, %v", nameOf(app), err)
		}
	})
}

func TestElevator_purge_keepsTheBudget(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
		for range budgetBurst / 2 {
			if _, err := e.load(t.Context(), idA, false); err != nil {
				t.Fatal(err)
			}
			e.purge(idA)
		}
		expect(t, w, e, "the budget is spent", "", apierr.RateLimited, budgetBurst/2, budgetBurst/2)
	})
}

// Every operation at once, for the race detector. Afterwards the last answer is returned.
func TestElevator_concurrentUse(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
		var callers sync.WaitGroup
		for n := range 64 {
			callers.Go(func() {
				for range 50 {
					switch n % 4 {
					case 0, 1:
						if _, err := e.load(t.Context(), idA, n%4 == 1); err != nil && code(err) != apierr.RateLimited {
							t.Error(err)
						}
					case 2:
						e.expire(idA)
					case 3:
						e.purge(idA)
					}
				}
			})
		}
		callers.Wait()
		time.Sleep(time.Minute) // for the budget
		w.set(func() { w.name = "last" })
		if app, err := e.load(t.Context(), idA, true); nameOf(app) != "last" || err != nil {
			t.Errorf("got %q, %v", nameOf(app), err)
		}
		if app, err := e.load(t.Context(), idA, false); nameOf(app) != "last" || err != nil {
			t.Errorf("cached: got %q, %v", nameOf(app), err)
		}
	})
}

func TestElevator_appToken_coalesces(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
		w.slowToken = time.Second
		var callers sync.WaitGroup
		for range 1000 {
			callers.Go(func() {
				if token, _, err := e.appToken(t.Context(), e.entry(idA), idA); err != nil || token != "app-token" {
					t.Errorf("got %v", err)
				}
			})
		}
		callers.Wait()
		if tokens, _ := w.calls(); tokens != 1 {
			t.Errorf("%d tokens", tokens)
		}
	})
}

func TestElevator_purge(t *testing.T) {
	t.Run("removes the answer, the stale one and the token", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
			expect(t, w, e, "first", "first", accepted, 1, 1)
			e.purge(idB)
			expect(t, w, e, "another was purged", "first", accepted, 1, 1)
			e.purge(idA)
			w.set(func() { w.readErr = failure(wix.Unavailable, 500, 0) })
			expect(t, w, e, "Wix down", "", apierr.WixUnavailable, 2, 2)
			w.set(func() { w.readErr, w.name = nil, "second" })
			expect(t, w, e, "Wix back", "second", accepted, 2, 3)
		})
	})
	t.Run("repeats a read that is in progress", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
			w.slow = time.Second
			done := make(chan *wix.AppInstance)
			go func() {
				app, err := e.load(t.Context(), idA, false)
				if err != nil {
					t.Error(err)
				}
				done <- app
			}()
			synctest.Wait()
			w.set(func() { w.name = "second" })
			e.purge(idA)
			if got := nameOf(<-done); got != "second" {
				t.Errorf("got %q", got)
			}
		})
	})
	t.Run("leaves nothing stale behind a read in progress", func(t *testing.T) {
		elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
			w.slow = time.Second
			done := make(chan error)
			go func() { _, err := e.load(t.Context(), idA, false); done <- err }()
			synctest.Wait()
			w.set(func() { w.readErr = failure(wix.Unavailable, 500, 0) })
			e.purge(idA)
			if err := <-done; code(err) != apierr.WixUnavailable {
				t.Errorf("got %v", err)
			}
		})
	})
}

func TestElevator_close_refusesLoads(t *testing.T) {
	elevate(t, func(t *testing.T, w *fakeElevation, e *elevator) {
		e.close()
		if _, err := e.load(t.Context(), idA, false); code(err) != apierr.WixUnavailable {
			t.Errorf("got %v", err)
		}
	})
}
