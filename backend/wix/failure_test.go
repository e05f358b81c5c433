package wix_test

// Every way in which a call can fail, and what its error contains and never contains.

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/wix"
)

// calls are the three calls, so that each failure is tried on each.
var calls = map[string]func(context.Context, *wix.Client) error{
	"token info":   func(ctx context.Context, c *wix.Client) error { _, err := c.TokenInfo(ctx, token); return err },
	"app token":    func(ctx context.Context, c *wix.Client) error { _, err := c.AppToken(ctx, instanceID); return err },
	"app instance": func(ctx context.Context, c *wix.Client) error { _, err := c.AppInstance(ctx, token); return err },
}

// checkSilent fails if an error contains a secret or a part of a body.
func checkSilent(t *testing.T, err error) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, secret := range []string{token, "secretpayload", appSecret, "BODY"} {
			if text := fmt.Sprintf("%v %+v", e, e); strings.Contains(text, secret) {
				t.Errorf("the error contains %q: %s", secret, text)
			}
		}
	}
}

// echo repeats the request in every place that an error might quote.
func echo(status int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Wix-Request-Id", "1700000000.123-abc")
		for n := 0; n < len(header); n += 2 {
			w.Header().Set(header[n], header[n+1])
		}
		w.WriteHeader(status)
		message, _ := json.Marshal("BODY " + string(body) + r.Header.Get("Authorization"))
		fmt.Fprintf(w, `{"message":%s,"details":{"applicationError":{"code":"NOT_TODAY","description":%s}}}`, message, message)
	}
}

func TestClient_statuses(t *testing.T) {
	hour := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	tests := []struct {
		name     string
		handler  http.HandlerFunc
		kind     wix.Kind
		attempts int32
		retryMin time.Duration
		retryMax time.Duration
	}{
		{"400 is a refusal", echo(400), wix.Refused, 1, 0, 0},
		{"401 is a refusal", echo(401), wix.Refused, 1, 0, 0},
		{"403 is a refusal", echo(403), wix.Refused, 1, 0, 0},
		{"404 is a refusal", echo(404), wix.Refused, 1, 0, 0},
		{"428 is a refusal", echo(428), wix.Refused, 1, 0, 0},
		{"408 is a timeout", echo(408), wix.Timeout, 1, 0, 0},
		{"429 is a rate limit", echo(429), wix.RateLimited, 1, 0, 0},
		{"429 with seconds", echo(429, "Retry-After", "17"), wix.RateLimited, 1, 17 * time.Second, 17 * time.Second},
		{"429 with a date", echo(429, "Retry-After", hour), wix.RateLimited, 1, 59 * time.Minute, time.Hour},
		{"429 with a date in the past", echo(429, "Retry-After", "Mon, 02 Jan 2006 15:04:05 GMT"), wix.RateLimited, 1, 0, 0},
		{"429 with nonsense", echo(429, "Retry-After", "-3"), wix.RateLimited, 1, 0, 0},
		{"429 with years", echo(429, "Retry-After", "18446744073709551615"), wix.RateLimited, 1, 24 * time.Hour, 24 * time.Hour},
		{"500 is not repeated", echo(500), wix.Unavailable, 1, 0, 0},
		{"501 is not repeated", echo(501), wix.Unavailable, 1, 0, 0},
		{"502 is tried twice", echo(502), wix.Unavailable, 2, 0, 0},
		{"503 is tried twice", echo(503), wix.Unavailable, 2, 0, 0},
		{"503 that asks for a long wait is not repeated", echo(503, "Retry-After", "30"), wix.Unavailable, 1, 30 * time.Second, 30 * time.Second},
		{"504 is a timeout, tried twice", echo(504), wix.Timeout, 2, 0, 0},
		{"201 is a bad response", echo(201), wix.BadResponse, 1, 0, 0},
		{"204 is a bad response", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Wix-Request-Id", "1700000000.123-abc")
			w.WriteHeader(204)
		}, wix.BadResponse, 1, 0, 0},
		{"a redirect is not followed", echo(302, "Location", "/elsewhere"), wix.BadResponse, 1, 0, 0},
		{"a redirect that keeps the method is not followed", echo(307, "Location", "/elsewhere"), wix.BadResponse, 1, 0, 0},
	}
	for _, tt := range tests {
		for op, call := range calls {
			t.Run(tt.name+", "+op, func(t *testing.T) {
				t.Parallel()
				var attempts atomic.Int32
				err := call(t.Context(), serve(t, func(w http.ResponseWriter, r *http.Request) {
					attempts.Add(1)
					tt.handler(w, r)
				}))
				var e *wix.Error
				if !errors.As(err, &e) {
					t.Fatalf("not an *Error: %v", err)
				}
				if e.Kind != tt.kind || e.Op != op || e.RequestID != "1700000000.123-abc" || e.Status == 0 {
					t.Errorf("got %+v", e)
				}
				if want := "NOT_TODAY"; e.Code != want && e.Status != 204 {
					t.Errorf("code %q", e.Code)
				}
				if !strings.Contains(e.Error(), "1700000000.123-abc") {
					t.Errorf("no request id in %q", e)
				}
				if e.RetryAfter < tt.retryMin || e.RetryAfter > tt.retryMax {
					t.Errorf("retry after %v", e.RetryAfter)
				}
				if n := attempts.Load(); n != tt.attempts {
					t.Errorf("%d attempts, want %d", n, tt.attempts)
				}
				checkSilent(t, err)
			})
		}
	}
}

func TestClient_badResponses(t *testing.T) {
	const half = `{"active":true,"access_token":"BODY","expires_in":14400,"instance":{"instanceId":"i"`
	ten := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, half+`,"appName":"`)
		block := bytes.Repeat([]byte("BODY"), 16<<10)
		for range 160 {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
		_, _ = io.WriteString(w, `"}}`)
	}
	cut := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, half+"}}")
	}
	every := []string{"token info", "app token", "app instance"}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		ops     []string
	}{
		{"10 MB", ten, every},
		{"a body that ends before its length", cut, every},
		{"JSON that ends too early", answer(half), every},
		{"an HTML page", answer("<!doctype html><title>BODY</title>"), every},
		{"nothing", answer(""), every},
		{"null", answer("null"), every},
		{"a list", answer(`[{"active":true}]`), every},
		{"a string", answer(`"BODY"`), every},
		{"two documents", answer(`{"active":true}{"active":true}`), every},
		{"JSON that is too deep", answer(`{"a":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`), every},
		{"active that is a word", answer(`{"active":"BODY"}`), every[:1]},
		{"active that is a number", answer(`{"active":1}`), every[:1]},
		{"no access token", answer(`{"expires_in":14400}`), every[1:2]},
		{"an access token that is empty", answer(`{"access_token":"","expires_in":14400}`), every[1:2]},
		{"an access token that is a number", answer(`{"access_token":5,"expires_in":14400}`), every[1:2]},
		{"an access token that no header can carry", answer(`{"access_token":"BODY\r\nX: y","expires_in":14400}`), every[1:2]},
		{"no expires_in", answer(`{"access_token":"BODY"}`), every[1:2]},
		{"expires_in 0", answer(`{"access_token":"BODY","expires_in":0}`), every[1:2]},
		{"expires_in negative", answer(`{"access_token":"BODY","expires_in":-1}`), every[1:2]},
		{"expires_in of a century", answer(`{"access_token":"BODY","expires_in":3153600000}`), every[1:2]},
		{"expires_in that is a word", answer(`{"access_token":"BODY","expires_in":"BODY"}`), every[1:2]},
		{"no instance", answer(`{"site":{"url":"BODY"}}`), every[2:]},
		{"an instance without an id", answer(`{"instance":{"appName":"BODY"}}`), every[2:]},
		{"an instance id that is a number", answer(`{"instance":{"instanceId":12}}`), every[2:]},
		{"an instance that is a word", answer(`{"instance":"BODY"}`), every[2:]},
	}
	for _, tt := range tests {
		for _, op := range tt.ops {
			t.Run(tt.name+", "+op, func(t *testing.T) {
				var attempts atomic.Int32
				err := calls[op](t.Context(), serve(t, func(w http.ResponseWriter, r *http.Request) {
					attempts.Add(1)
					w.Header().Set("X-Wix-Request-Id", "req-7")
					tt.handler(w, r)
				}))
				var e *wix.Error
				if !errors.As(err, &e) || e.Kind != wix.BadResponse || e.Status != 200 || e.RequestID != "req-7" || e.Op != op {
					t.Fatalf("got %v", err)
				}
				if attempts.Load() != 1 {
					t.Errorf("%d attempts", attempts.Load())
				}
				checkSilent(t, err)
			})
		}
	}
}

// counting counts what is read of a body that never ends.
type counting struct {
	read   int
	closed bool
}

func (c *counting) Read(p []byte) (int, error) {
	for n := range p {
		p[n] = ' '
	}
	c.read += len(p)
	return len(p), nil
}

func (c *counting) Close() error { c.closed = true; return nil }

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestClient_endlessBodyIsReadToTheLimit(t *testing.T) {
	for _, status := range []int{200, 500} {
		body := new(counting)
		c := wix.New(wix.Options{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: body}, nil
		})})
		if _, err := c.TokenInfo(t.Context(), token); err == nil {
			t.Fatal("no error")
		}
		if body.read > 1<<20+1 || !body.closed {
			t.Errorf("status %d: read %d bytes, closed %v", status, body.read, body.closed)
		}
	}
}

func TestError_unsafeIDsAreDropped(t *testing.T) {
	for name, id := range map[string]string{"spaces": "a b", "a token's length": strings.Repeat("a", 65), "markup": "<b>"} {
		t.Run(name, func(t *testing.T) {
			_, err := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Wix-Request-Id", id)
				w.WriteHeader(400)
				fmt.Fprintf(w, `{"details":{"applicationError":{"code":%q}}}`, id)
			}).TokenInfo(t.Context(), token)
			var e *wix.Error
			if !errors.As(err, &e) || e.RequestID != "" || e.Code != "" {
				t.Errorf("got %v", err)
			}
		})
	}
}

// hangUp answers every connection with raw bytes, or with nothing.
func hangUp(t *testing.T, raw string) (url string, connections *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections = new(atomic.Int32)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			_, _ = io.WriteString(conn, raw)
			conn.Close()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return "http://" + listener.Addr().String(), connections
}

func TestClient_brokenConnections(t *testing.T) {
	for name, raw := range map[string]string{
		"a hang-up without an answer": "",
		"an answer that is not HTTP":  "BODY " + token + "\r\n\r\n",
		"a header that is not one":    "HTTP/1.1 200 OK\r\nBODY " + token + "\r\n\r\n",
	} {
		for op, call := range calls {
			t.Run(name+", "+op, func(t *testing.T) {
				t.Parallel()
				url, connections := hangUp(t, raw)
				err := call(t.Context(), connect(t, url))
				var e *wix.Error
				if !errors.As(err, &e) || e.Kind != wix.Unavailable || e.Status != 0 {
					t.Fatalf("got %v", err)
				}
				if n := connections.Load(); n != 2 {
					t.Errorf("%d attempts, want 2", n)
				}
				checkSilent(t, err)
			})
		}
	}
	t.Run("no server listens", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listener.Close()
		_, err = connect(t, "http://"+listener.Addr().String()).TokenInfo(t.Context(), token)
		var e *wix.Error
		if !errors.As(err, &e) || e.Kind != wix.Unavailable || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("an invalid base URL", func(t *testing.T) {
		_, err := connect(t, "http://bad host\x7f").TokenInfo(t.Context(), token)
		var e *wix.Error
		if !errors.As(err, &e) || e.Kind != wix.Unavailable {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a certificate of an unknown authority", func(t *testing.T) {
		server := httptest.NewTLSServer(answer(`{"active":true}`))
		t.Cleanup(server.Close)
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
		_, err := connect(t, server.URL).TokenInfo(t.Context(), token)
		var e *wix.Error
		if !errors.As(err, &e) || e.Kind != wix.Unavailable || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("got %v", err)
		}
	})
}

func TestClient_secondAttemptSucceeds(t *testing.T) {
	for _, status := range []int{502, 503, 504} {
		var attempts atomic.Int32
		info, err := serve(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if attempts.Add(1) == 1 {
				w.WriteHeader(status)
				return
			}
			if !bytes.Contains(body, []byte(token)) {
				w.WriteHeader(400)
				return
			}
			_, _ = io.WriteString(w, `{"active":true}`)
		}).TokenInfo(t.Context(), token)
		if err != nil || !info.Active || attempts.Load() != 2 {
			t.Errorf("%d: %v after %d attempts", status, err, attempts.Load())
		}
	}
}

// slow never answers, until the attempt is given up.
var slow = roundTripper(func(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
})

func TestClient_deadlines(t *testing.T) {
	status := func(attempts *int, code int, header string) http.RoundTripper {
		return roundTripper(func(*http.Request) (*http.Response, error) {
			*attempts++
			return &http.Response{StatusCode: code, Header: http.Header{"Retry-After": {header}}, Body: http.NoBody}, nil
		})
	}
	t.Run("a Wix that never answers takes one attempt's timeout", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			_, err := wix.New(wix.Options{Transport: slow, Timeout: 3 * time.Second}).TokenInfo(t.Context(), token)
			var e *wix.Error
			if !errors.As(err, &e) || e.Kind != wix.Timeout || time.Since(start) != 3*time.Second {
				t.Errorf("got %v after %v", err, time.Since(start))
			}
		})
	})
	t.Run("a body that never ends takes one attempt's timeout", func(t *testing.T) {
		c := serveWith(t, 50*time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"active":`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		_, err := c.TokenInfo(t.Context(), token)
		var e *wix.Error
		if !errors.As(err, &e) || e.Kind != wix.Timeout || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the caller's deadline is a timeout", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			_, err := wix.New(wix.Options{Transport: slow}).TokenInfo(ctx, token)
			var e *wix.Error
			if !errors.As(err, &e) || e.Kind != wix.Timeout || time.Since(start) != time.Second {
				t.Errorf("got %v after %v", err, time.Since(start))
			}
		})
	})
	t.Run("the caller's cancellation is returned", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			_, err := wix.New(wix.Options{Transport: slow}).TokenInfo(ctx, token)
			var e *wix.Error
			if !errors.Is(err, context.Canceled) || !errors.As(err, &e) || e.Kind != wix.Canceled {
				t.Errorf("got %v", err)
			}
		})
	})
	t.Run("a cancellation between the attempts is returned", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			attempts := 0
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(900*time.Millisecond, cancel)
			_, err := wix.New(wix.Options{Transport: status(&attempts, 503, "1")}).TokenInfo(ctx, token)
			if !errors.Is(err, context.Canceled) || attempts != 1 {
				t.Errorf("got %v after %d attempts", err, attempts)
			}
		})
	})
	t.Run("a short Retry-After is waited for", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			attempts, start := 0, time.Now()
			_, err := wix.New(wix.Options{Transport: status(&attempts, 503, "1")}).TokenInfo(t.Context(), token)
			if took := time.Since(start); err == nil || attempts != 2 || took < time.Second || took > 1300*time.Millisecond {
				t.Errorf("%d attempts in %v: %v", attempts, took, err)
			}
		})
	})
	t.Run("a wait beyond the caller's deadline is not begun", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			attempts, start := 0, time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
			defer cancel()
			_, err := wix.New(wix.Options{Transport: status(&attempts, 503, "1")}).TokenInfo(ctx, token)
			var e *wix.Error
			if !errors.As(err, &e) || e.Kind != wix.Unavailable || attempts != 1 || time.Since(start) != 0 {
				t.Errorf("%d attempts in %v: %v", attempts, time.Since(start), err)
			}
		})
	})
	t.Run("the pause is random", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			pauses := map[time.Duration]bool{}
			for range 20 {
				attempts, start := 0, time.Now()
				_, _ = wix.New(wix.Options{Transport: status(&attempts, 502, "")}).TokenInfo(t.Context(), token)
				pause := time.Since(start)
				if pause > 300*time.Millisecond {
					t.Errorf("paused for %v", pause)
				}
				pauses[pause] = true
			}
			if len(pauses) < 2 {
				t.Errorf("always the same pause: %v", pauses)
			}
		})
	})
}

func serveWith(t *testing.T, timeout time.Duration, h http.HandlerFunc) *wix.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c := wix.New(wix.Options{BaseURL: server.URL, Timeout: timeout})
	t.Cleanup(c.Close)
	return c
}

func TestSecret_isNotPrinted(t *testing.T) {
	o := wix.Options{AppID: "app-1", AppSecret: appSecret}
	c := wix.New(o)
	appToken := wix.AppToken{AccessToken: appSecret, ExpiresIn: time.Hour}
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("x", "options", o, "client", c, "value", *c, "secret", o.AppSecret, "token", appToken)
	marshalled, err := json.Marshal([]any{o.AppSecret, appToken})
	if err != nil {
		t.Fatal(err)
	}
	printed := log.String() + string(marshalled)
	for _, v := range []any{o, &o, c, *c, o.AppSecret, &o.AppSecret, appToken, []wix.Secret{o.AppSecret}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			printed += fmt.Sprintf(verb, v)
		}
	}
	hex := fmt.Sprintf("%x", appSecret)
	if strings.Contains(printed, appSecret) || strings.Contains(printed, hex) {
		t.Errorf("the secret was printed: %s", printed)
	}
	if !strings.Contains(printed, "[redacted]") {
		t.Error("nothing was redacted: the test looks in the wrong place")
	}
}

func TestError_Refusal(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  wix.Error
		want wix.Refusal
	}{
		{"a wrong secret", wix.Error{Op: "app token", Kind: wix.Refused, Status: 401, RequestID: "r"}, wix.CredentialsRefused},
		{"a wrong secret, by 400", wix.Error{Op: "app token", Kind: wix.Refused, Status: 400, Code: "invalid_client"}, wix.CredentialsRefused},
		{"a token without permission", wix.Error{Op: "app token", Kind: wix.Refused, Status: 403}, wix.PermissionMissing},
		{"an instance that is not there", wix.Error{Op: "app token", Kind: wix.Refused, Status: 404, RequestID: "r"}, wix.InstanceUnknown},
		{"one that is no longer there", wix.Error{Op: "app token", Kind: wix.Refused, Status: 400, Code: "invalid_grant"}, wix.InstanceUnknown},
		{"a server that is not Wix", wix.Error{Op: "app token", Kind: wix.Refused, Status: 404}, ""},
		{"a request that Wix does not take", wix.Error{Op: "app token", Kind: wix.Refused, Status: 400, Code: "invalid_request"}, ""},
		{"a read without permission", wix.Error{Op: "app instance", Kind: wix.Refused, Status: 403}, wix.PermissionMissing},
		{"the same, by 401", wix.Error{Op: "app instance", Kind: wix.Refused, Status: 401}, wix.PermissionMissing},
		{"a read of what is gone", wix.Error{Op: "app instance", Kind: wix.Refused, Status: 404, RequestID: "r"}, wix.InstanceUnknown},
		{"a token that Wix refuses", wix.Error{Op: "token info", Kind: wix.Refused, Status: 401}, ""},
		{"a request of the app", wix.Error{Op: "request", Kind: wix.Refused, Status: 403}, ""},
		{"an outage", wix.Error{Op: "app token", Kind: wix.Unavailable, Status: 503}, ""},
	} {
		if got := tt.err.Refusal(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
