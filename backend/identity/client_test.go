package identity

// The HTTP client that calls Wix as the app.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
)

// withClient runs a test with a fake clock, a healthy Wix and a Client of idA.
func withClient(t *testing.T, test func(t *testing.T, w *fakeWix, c *http.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		v, w := startVerifier(t, Options{})
		defer v.Close()
		test(t, w, v.Client(idA))
	})
}

// send makes a request and returns its status and body.
func send(t *testing.T, c *http.Client, method, target string, body io.Reader) (int, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(content), nil
}

const productsURL = "https://www.wixapis.com/stores/v1/products?limit=1"

func checkCounts(t *testing.T, w *fakeWix, tokens, requests int) {
	t.Helper()
	if gotTokens, gotRequests := w.counts(); gotTokens != tokens || gotRequests != requests {
		t.Errorf("%d app tokens and %d requests, want %d and %d: %v", gotTokens, gotRequests, tokens, requests, w.requests)
	}
}

func TestVerifier_Client_cachesToken(t *testing.T) {
	withClient(t, func(t *testing.T, w *fakeWix, c *http.Client) {
		for range 3 {
			status, body, err := send(t, c, http.MethodPost, productsURL, strings.NewReader("order"))
			if status != 200 || body != "order" || err != nil {
				t.Errorf("got %d, %q, %v", status, body, err)
			}
		}
		checkCounts(t, w, 1, 3)
		time.Sleep(4*time.Hour - tokenMargin + time.Second)
		if status, _, err := send(t, c, http.MethodGet, productsURL, nil); status != 200 || err != nil {
			t.Errorf("got %d, %v", status, err)
		}
		checkCounts(t, w, 2, 4)
	})
}

func TestVerifier_Client_sharesTokenWithAppInstance(t *testing.T) {
	v, w := startVerifier(t, Options{})
	w.api = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"instance":{"instanceId":%q}}`, idA)
	})
	if _, err := v.AppInstance(t.Context(), idA); err != nil {
		t.Fatal(err)
	}
	if _, _, err := send(t, v.Client(strings.ToUpper(idA)), http.MethodGet, productsURL, nil); err != nil {
		t.Error(err)
	}
	checkCounts(t, w, 1, 2)
}

func TestVerifier_Client_renewsTokenAfter401(t *testing.T) {
	for name, tt := range map[string]struct {
		body     io.Reader
		status   int
		requests int
	}{
		"without a body":              {nil, 200, 3},
		"a body that can be replayed": {strings.NewReader("order"), 200, 3},
		"http.NoBody":                 {http.NoBody, 200, 3},
		"a body that cannot":          {io.MultiReader(strings.NewReader("order")), 401, 2},
	} {
		t.Run(name, func(t *testing.T) {
			withClient(t, func(t *testing.T, w *fakeWix, c *http.Client) {
				if _, _, err := send(t, c, http.MethodGet, productsURL, nil); err != nil {
					t.Fatal(err)
				}
				w.set(func() { w.appToken = "app-token-2" })
				status, body, err := send(t, c, http.MethodPost, productsURL, tt.body)
				if status != tt.status || err != nil {
					t.Errorf("got %d, %v", status, err)
				}
				if _, isText := tt.body.(*strings.Reader); isText && body != "order" {
					t.Errorf("the body was sent as %q", body)
				}
				if _, requests := w.counts(); requests != tt.requests {
					t.Errorf("%d requests", requests)
				}
				if status, _, err := send(t, c, http.MethodGet, productsURL, nil); status != 200 || err != nil {
					t.Errorf("the next request: got %d, %v", status, err)
				}
				checkCounts(t, w, 2, tt.requests+1)
			})
		})
	}
}

func TestVerifier_Client_renewsTokenOnce(t *testing.T) {
	withClient(t, func(t *testing.T, w *fakeWix, c *http.Client) {
		w.api = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, "never")
		})
		for _, want := range []struct{ tokens, requests int }{{1, 1}, {2, 3}} {
			status, body, err := send(t, c, http.MethodGet, productsURL, nil)
			if status != 401 || body != "never" || err != nil {
				t.Errorf("got %d, %q, %v", status, body, err)
			}
			checkCounts(t, w, want.tokens, want.requests)
		}
	})
}

func TestVerifier_Client_hosts(t *testing.T) {
	const base = "https://wix.test:8443/offline"
	for _, tt := range []struct {
		url  string
		sent string // "" if it is refused
	}{
		{"https://www.wixapis.com/a/b%2Fc?d=e#f", base + "/a/b%2Fc?d=e"},
		{"https://WWW.wixapis.com/a", base + "/a"},
		{"https://www.wixapis.com", base},
		{base + "/a/b?c", base + "/a/b?c"},
		{base, base},
		{"http://www.wixapis.com/a", ""},
		{"https://www.wixapis.com:444/a", ""},
		{"https://wixapis.com/a", ""},
		{"https://www.wixapis.com.evil.example/a", ""},
		{"https://www.wixapis.com@evil.example/a", ""},
		{"https://user:pass@www.wixapis.com/a", ""},
		{"https://www.wixapis.com/../../a", ""},
		{"https://www.wixapis.com/%2e%2e/a", ""},
		{"https://wix.test:8443/other", ""},
		{"https://wix.test:8443/offlineish", ""},
		{base + "/../other", ""},
		{"https://wix.test/offline/a", ""},
		{"http://127.0.0.1/a", ""},
		{"ftp://www.wixapis.com/a", ""},
	} {
		t.Run(tt.url, func(t *testing.T) {
			sent := ""
			transport := roundTripFunc(func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/oauth2/token") {
					return respond(200, `{"access_token":"t","expires_in":14400}`), nil
				}
				sent = r.URL.Scheme + "://" + r.URL.Host + r.URL.RequestURI()
				if r.Host != "" && r.Host != r.URL.Host || r.Header.Get("Authorization") != "t" {
					t.Errorf("host %q, headers %v", r.Host, r.Header)
				}
				return respond(200, ""), nil
			})
			v, _ := startVerifier(t, Options{Transport: transport, WixURL: base + "/"})
			_, _, err := send(t, v.Client(idA), http.MethodGet, tt.url, nil)
			if sent != tt.sent {
				t.Errorf("sent to %q", sent)
			}
			if want := map[bool]apierr.Code{true: apierr.Internal, false: accepted}[tt.sent == ""]; code(err) != want {
				t.Errorf("got %v", err)
			}
		})
	}
}

func respond(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func TestVerifier_Client_refusedHostCostsNothing(t *testing.T) {
	withClient(t, func(t *testing.T, w *fakeWix, c *http.Client) {
		body := &closing{Reader: strings.NewReader("order")}
		_, _, err := send(t, c, http.MethodPost, "https://evil.example/", body)
		var urlErr *url.Error
		if !errors.As(err, &urlErr) || code(err) != apierr.Internal || !body.closed {
			t.Errorf("got %v, body closed: %v", err, body.closed)
		}
		checkCounts(t, w, 0, 0)
	})
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

func TestVerifier_Client_invalidInstance(t *testing.T) {
	v, w := startVerifier(t, Options{})
	for _, id := range []string{"", "x", idA + "a"} {
		if _, _, err := send(t, v.Client(id), http.MethodGet, productsURL, nil); code(err) != apierr.Internal {
			t.Errorf("%q: %v", id, err)
		}
	}
	checkCounts(t, w, 0, 0)
}

func TestVerifier_Client_redirectsAreReturned(t *testing.T) {
	withClient(t, func(t *testing.T, w *fakeWix, c *http.Client) {
		for _, location := range []string{"https://evil.example/", "/elsewhere"} {
			w.api = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, location, http.StatusTemporaryRedirect)
			})
			if status, _, err := send(t, c, http.MethodGet, productsURL, nil); status != 307 || err != nil {
				t.Errorf("got %d, %v", status, err)
			}
		}
		checkCounts(t, w, 1, 2)
	})
}

func TestVerifier_Client_requestIsNotChanged(t *testing.T) {
	withClient(t, func(t *testing.T, w *fakeWix, c *http.Client) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, productsURL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "of the caller")
		for range 2 {
			resp, err := c.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		if r.URL.String() != productsURL || r.Header.Get("Authorization") != "of the caller" || r.Context() != t.Context() {
			t.Errorf("changed: %v %v", r.URL, r.Header)
		}
	})
}

func TestVerifier_Client_statusesAreReturned(t *testing.T) {
	for _, status := range []int{200, 201, 204, 400, 403, 404, 409, 428, 429, 500, 502, 503, 504} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			withClient(t, func(t *testing.T, w *fakeWix, c *http.Client) {
				w.api = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
				if got, _, err := send(t, c, http.MethodGet, productsURL, nil); got != status || err != nil {
					t.Errorf("got %d, %v", got, err)
				}
				checkCounts(t, w, 1, 1)
			})
		})
	}
}

func TestVerifier_Client_breaker(t *testing.T) {
	for status, opens := range map[int]bool{400: false, 404: false, 500: true, 503: true} {
		for _, instances := range []int{1, breakerCauses} {
			t.Run(fmt.Sprintf("%d to %d", status, instances), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					v, w := startVerifier(t, Options{})
					defer v.Close()
					w.api = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
					c := func(n int) *http.Client { return v.Client(idA[:35] + strconv.Itoa(n%instances)) }
					for n := range breakerFailures {
						if got, _, err := send(t, c(n), http.MethodGet, productsURL, nil); got != status || err != nil {
							t.Fatalf("got %d, %v", got, err)
						}
					}
					synctest.Wait()
					_, _, err := send(t, c(0), http.MethodGet, productsURL, nil)
					if opens := opens && instances > 1; opens && (code(err) != apierr.WixUnavailable || apierr.As(err).RetryAfter != breakerOpen) || !opens && err != nil {
						t.Errorf("got %v, retry after %v", err, apierr.As(err).RetryAfter)
					}
					w.set(func() { w.api = http.HandlerFunc(echoBody) })
					time.Sleep(breakerOpen + time.Millisecond)
					if got, _, err := send(t, c(0), http.MethodGet, productsURL, nil); got != 200 || err != nil {
						t.Errorf("Wix is back: got %d, %v", got, err)
					}
				})
			})
		}
	}
}

func TestVerifier_Client_obeysRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, w := startVerifier(t, Options{})
		defer v.Close()
		w.api = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		})
		if got, _, err := send(t, v.Client(idA), http.MethodGet, productsURL, nil); got != http.StatusTooManyRequests || err != nil {
			t.Errorf("Wix's own answer: got %d, %v", got, err)
		}
		w.set(func() { w.api = http.HandlerFunc(echoBody) })
		time.Sleep(5 * time.Second)
		_, _, err := send(t, v.Client(idA), http.MethodGet, productsURL, nil)
		if e := apierr.As(err); e.Code != apierr.RateLimited || e.RetryAfter != 2*time.Second || !errors.Is(err, ErrBudgetSpent) {
			t.Errorf("during the pause: got %v, retry after %v", err, e.RetryAfter)
		}
		v.Purge(idA)
		if _, err := v.AppInstance(t.Context(), idA); code(err) != apierr.RateLimited {
			t.Errorf("the app instance, after a purge: got %v", err)
		}
		if got, _, err := send(t, v.Client(idB), http.MethodGet, productsURL, nil); got != 200 || err != nil {
			t.Errorf("another instance: got %d, %v", got, err)
		}
		time.Sleep(2 * time.Second)
		if got, _, err := send(t, v.Client(idA), http.MethodGet, productsURL, nil); got != 200 || err != nil {
			t.Errorf("after the pause: got %d, %v", got, err)
		}
	})
}

func TestVerifier_Client_breakerIsItsOwn(t *testing.T) {
	withClient(t, func(t *testing.T, w *fakeWix, c *http.Client) {
		w.api = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/apps/v1/instance" {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			_, _ = fmt.Fprintf(w, `{"instance":{"instanceId":%q}}`, idA)
		})
		for range breakerFailures + 1 {
			_, _, _ = send(t, c, http.MethodGet, productsURL, nil)
		}
		tr, ok := c.Transport.(*elevated)
		if !ok {
			t.Fatalf("transport %T", c.Transport)
		}
		if _, err := tr.elevator.load(t.Context(), idA, false); err != nil {
			t.Errorf("the app instance: %v", err)
		}
	})
}

func TestVerifier_Client_budget(t *testing.T) {
	withClient(t, func(t *testing.T, w *fakeWix, c *http.Client) {
		for range budgetBurst - 1 { // the app token is one call
			if _, _, err := send(t, c, http.MethodGet, productsURL, nil); err != nil {
				t.Fatal(err)
			}
		}
		body := &closing{Reader: strings.NewReader("order")}
		_, _, err := send(t, c, http.MethodPost, productsURL, body)
		if e := apierr.As(err); e.Code != apierr.RateLimited || e.RetryAfter != time.Second || !errors.Is(err, ErrBudgetSpent) || !body.closed {
			t.Errorf("got %v, retry after %v, body closed: %v", err, e.RetryAfter, body.closed)
		}
		checkCounts(t, w, 1, budgetBurst-1)
		time.Sleep(time.Second)
		if _, _, err := send(t, c, http.MethodGet, productsURL, nil); err != nil {
			t.Errorf("after the wait: %v", err)
		}
	})
}

func TestVerifier_Client_elevationRefused(t *testing.T) {
	refuse := roundTripFunc(func(r *http.Request) (*http.Response, error) { return respond(401, "{}"), nil })
	v, _ := startVerifier(t, Options{Transport: refuse})
	if _, _, err := send(t, v.Client(idA), http.MethodGet, productsURL, nil); code(err) != apierr.AppCredentialsRefused {
		t.Errorf("got %v", err)
	}
}

func TestVerifier_Client_noConnection(t *testing.T) {
	v, w := startVerifier(t, Options{})
	if _, _, err := send(t, v.Client(idA), http.MethodGet, productsURL, nil); err != nil {
		t.Fatal(err)
	}
	w.api = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	v, _ = startVerifier(t, Options{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/oauth2/token" {
			return w.RoundTrip(r)
		}
		return nil, io.ErrUnexpectedEOF
	})})
	_, _, err := send(t, v.Client(idA), http.MethodGet, productsURL, nil)
	var urlErr *url.Error
	if !errors.As(err, &urlErr) || code(err) != apierr.WixUnavailable {
		t.Errorf("got %v", err)
	}
}

func TestVerifier_Client_callerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, w := startVerifier(t, Options{})
		w.api = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		client := v.Client(idA)
		get := func(ctx context.Context) error {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, productsURL, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(r)
			if err == nil {
				resp.Body.Close()
			}
			return err
		}
		for range breakerFailures {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			if err := get(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("canceled: got %v", err)
			}
		}
		time.Sleep(time.Minute) // for the budget
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := get(ctx); code(err) != apierr.WixTimeout {
			t.Errorf("its own deadline: got %v", err)
		}
		start := time.Now()
		if err := get(t.Context()); code(err) != apierr.WixTimeout || time.Since(start) != apiTimeout {
			t.Errorf("no deadline: got %v after %v", err, time.Since(start))
		}
	})
}

func TestVerifier_Client_bodyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := false
		v, _ := startVerifier(t, Options{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/oauth2/token" {
				return respond(200, `{"access_token":"t","expires_in":14400}`), nil
			}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: &endless{r.Context(), &closed}}, nil
		})})
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, productsURL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := v.Client(idA).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := io.ReadAll(resp.Body); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != apiTimeout {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		if err := resp.Body.Close(); err != nil || !closed {
			t.Errorf("closed %v, %v", closed, err)
		}
	})
}

// endless is a body of which nothing arrives.
type endless struct {
	ctx    context.Context
	closed *bool
}

func (e *endless) Read([]byte) (int, error) { <-e.ctx.Done(); return 0, e.ctx.Err() }
func (e *endless) Close() error             { *e.closed = true; return nil }

func TestVerifier_Client_getBodyFails(t *testing.T) {
	withClient(t, func(t *testing.T, w *fakeWix, c *http.Client) {
		if _, _, err := send(t, c, http.MethodGet, productsURL, nil); err != nil {
			t.Fatal(err)
		}
		w.set(func() { w.appToken = "app-token-2" })
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, productsURL, bytes.NewReader([]byte("order")))
		if err != nil {
			t.Fatal(err)
		}
		odd := errors.New("odd")
		r.GetBody = func() (io.ReadCloser, error) { return nil, odd }
		resp, err := c.Do(r)
		if err == nil {
			resp.Body.Close()
		}
		if !errors.Is(err, odd) || code(err) != apierr.Internal {
			t.Errorf("got %v", err)
		}
	})
}
