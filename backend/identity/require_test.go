package identity

// The middleware: who reaches the handler, and what everyone else is answered.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
)

// callThrough sends a request with a token through middleware, and returns the answer and
// the caller that the handler saw.
func callThrough(t *testing.T, middleware func(http.Handler) http.Handler, token string) (*httptest.ResponseRecorder, Caller) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/orders", http.NoBody)
	if token != "" {
		r.Header.Set("Authorization", token)
	}
	return callWith(t, middleware, r)
}

func callWith(t *testing.T, middleware func(http.Handler) http.Handler, r *http.Request) (*httptest.ResponseRecorder, Caller) {
	t.Helper()
	var caller Caller
	w := httptest.NewRecorder()
	middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var ok bool
		if caller, ok = CallerFrom(r.Context()); !ok {
			t.Error("no caller in the context")
		}
	})).ServeHTTP(w, r)
	return w, caller
}

func TestVerifier_Require_roles(t *testing.T) {
	v, _ := startVerifier(t, Options{})
	for _, tt := range []struct {
		role  Role
		token string
		want  apierr.Code
	}{
		{Visitor, "visitor", accepted},
		{Visitor, "owner", accepted},
		{Visitor, "app", accepted},
		{Owner, "visitor", apierr.OwnerRequired},
		{Owner, "owner", accepted},
		{Owner, "app", accepted},
		{App, "visitor", apierr.AppRequired},
		{App, "owner", apierr.AppRequired},
		{App, "app", accepted},
		{Visitor, "none", apierr.InstanceRequired},
		{Owner, "none", apierr.InstanceRequired},
		{App, "none", apierr.InstanceRequired},
		{Visitor, "", apierr.TokenMissing},
		{Visitor, "a b", apierr.TokenMalformed},
		{Visitor, "unknown", apierr.TokenInactive},
	} {
		t.Run(string(tt.role)+" by "+tt.token, func(t *testing.T) {
			w, caller := callThrough(t, v.Require(tt.role), tt.token)
			if vary := w.Header().Values("Vary"); len(vary) != 1 || vary[0] != "Authorization" {
				t.Errorf("Vary %q", vary)
			}
			if tt.want == accepted {
				if w.Code != http.StatusOK || caller.InstanceID != idA || caller.SiteID != site {
					t.Errorf("got %d, %+v", w.Code, caller)
				}
				return
			}
			checkRefusal(t, w, tt.want)
			if caller != (Caller{}) {
				t.Errorf("the handler was called by %+v", caller)
			}
		})
	}
}

// checkRefusal checks status, body and headers of the HTTP contract.
func checkRefusal(t *testing.T, w *httptest.ResponseRecorder, want apierr.Code) {
	t.Helper()
	var body apierr.Body
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	h := w.Header()
	if w.Code != want.Status || body.Code != want.Name || body.Error != want.Message {
		t.Errorf("got %d, %+v; want %+v", w.Code, body, want)
	}
	if body.RequestID == "" || h.Get("X-Request-Id") != body.RequestID {
		t.Errorf("request id %q in the body, %q in the header", body.RequestID, h.Get("X-Request-Id"))
	}
	if h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", h)
	}
	if challenge := h.Get("WWW-Authenticate"); (challenge != "") != (w.Code == http.StatusUnauthorized) {
		t.Errorf("WWW-Authenticate %q", challenge)
	}
}

func TestVerifier_Require_rateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _ := startVerifier(t, Options{ClientIP: func(r *http.Request) string { return r.Header.Get("X-Real-Ip") }})
		send := func(ip string, n int) *httptest.ResponseRecorder {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			r.Header.Set("Authorization", strings.Repeat("x", n+1))
			r.Header.Set("X-Real-Ip", ip)
			w, _ := callWith(t, v.Require(Visitor), r)
			return w
		}
		for n := range standingBest {
			checkRefusal(t, send("192.0.2.1", n), apierr.TokenInactive)
		}
		// From now on its tokens wait in a short queue.
		var (
			mu      sync.Mutex
			limited []*httptest.ResponseRecorder
			callers sync.WaitGroup
		)
		for n := range suspectLimit + suspectQueued + 5 {
			callers.Go(func() {
				w := send("192.0.2.1", standingBest+n)
				mu.Lock()
				defer mu.Unlock()
				if w.Code == http.StatusTooManyRequests {
					limited = append(limited, w)
				}
			})
		}
		synctest.Wait()
		checkRefusal(t, send("192.0.2.2", standingBest), apierr.TokenInactive)
		callers.Wait()
		if len(limited) != 5 {
			t.Fatalf("%d are limited, want 5", len(limited))
		}
		checkRefusal(t, limited[0], apierr.RateLimited)
		if got := limited[0].Header().Get("Retry-After"); got != "5" {
			t.Errorf("Retry-After %q", got)
		}
	})
}

func TestVerifier_Require_remoteAddr(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:1234": "192.0.2.1", "[2001:db8::1]:1234": "2001:db8::1", "@": "@", "": "",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.RemoteAddr = remote
		if got := remoteHost(r); got != want {
			t.Errorf("%q: got %q, want %q", remote, got, want)
		}
	}
}

func TestVerifier_Require_log(t *testing.T) {
	var log bytes.Buffer
	v, _ := startVerifier(t, Options{Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	w, _ := callThrough(t, v.Require(Visitor), "unknown")
	for _, part := range []string{
		`"level":"INFO","msg":"request refused"`, `"code":"token_inactive"`, `"status":401`, `"client":"192.0.2.0/24"`,
		`"requestId":"` + w.Header().Get("X-Request-Id") + `"`, `"cause":"`,
	} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("no %s in %s", part, &log)
		}
	}
	log.Reset()
	callThrough(t, v.Require(Owner), "visitor")
	for _, part := range []string{`"level":"INFO"`, `"code":"owner_required"`, `"instanceId":"` + idA + `"`, `"subject":"VISITOR"`} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("no %s in %s", part, &log)
		}
	}
	log.Reset()
	down := roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, errors.New("down") })
	v, _ = startVerifier(t, Options{Transport: down, Logger: slog.New(slog.NewJSONHandler(&log, nil))})
	w, _ = callThrough(t, v.Require(Visitor), "visitor")
	checkRefusal(t, w, apierr.WixUnavailable)
	if !strings.Contains(log.String(), `"level":"ERROR","msg":"request failed"`) {
		t.Errorf("no error in %s", &log)
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestVerifier_Require_clientGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := roundTripFunc(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		v, _ := startVerifier(t, Options{Transport: slow})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody)
		r.Header.Set("Authorization", "visitor")
		if w, _ := callWith(t, v.Require(Visitor), r); w.Code != apierr.StatusClientGone || w.Body.Len() != 0 {
			t.Errorf("got %d, %s", w.Code, w.Body)
		}
	})
}

func TestVerifier_Require_unknownRolePanics(t *testing.T) {
	v, _ := startVerifier(t, Options{})
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	v.Require("editor")
}

func TestCallerFrom(t *testing.T) {
	if c, ok := CallerFrom(t.Context()); ok || c != (Caller{}) {
		t.Errorf("got %+v, %v", c, ok)
	}
	want := Caller{InstanceID: idA, Role: Owner}
	if c, ok := CallerFrom(WithCaller(t.Context(), want)); !ok || c != want {
		t.Errorf("got %+v, %v", c, ok)
	}
}
