package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/api"
	"github.com/nametag-dev/nametag/backend/doctor"
	"github.com/nametag-dev/nametag/backend/wix"
	"github.com/nametag-dev/nametag/web"
)

// outside stands for Wix and for the public URL, without a socket.
type outside struct {
	mu       sync.Mutex
	away     bool
	wix, own int    // calls
	read     int    // the status of a read of the app instance
	instance string // an installation
	redirect bool
}

func (o *outside) set(change func(*outside)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change(o)
}

func (o *outside) calls() (wix, own int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.wix, o.own
}

func (o *outside) RoundTrip(r *http.Request) (*http.Response, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	answer := httptest.NewRecorder()
	answer.Header().Set("X-Wix-Request-Id", "1.2")
	switch {
	case r.URL.Host == "app.example":
		o.own++
		if o.redirect {
			answer.Header().Set("Location", "https://elsewhere.example/widget.js")
			answer.WriteHeader(http.StatusFound)
			break
		}
		answer.WriteString("widget.js")
	case o.away:
		o.wix++
		answer.WriteHeader(http.StatusServiceUnavailable)
	case r.URL.Path == instances:
		o.wix++
		answer.WriteHeader(o.read)
		answer.WriteString(`{"instance":{"instanceId":"33333333-3333-4333-8333-333333333333"}}`)
	default:
		o.wix++
		answer.WriteString(`{"access_token":"t","expires_in":14400}`)
	}
	return answer.Result(), nil
}

// watching starts a watch in a bubble of synctest.
func watching(t *testing.T, o *outside) (*watch, *lockedBuffer) {
	t.Helper()
	log := &lockedBuffer{}
	w := newWatch(watchOptions{
		wix:    doctor.WixOptions{BaseURL: wix.DefaultBaseURL, AppID: appID, AppSecret: appSecret, Transport: o},
		public: doctor.PublicOptions{URL: "https://app.example", Widget: []byte("widget.js"), AppID: appID, Transport: o, Webhooks: true},
		lastVisited: func(context.Context) (string, error) {
			o.mu.Lock()
			defer o.mu.Unlock()
			return o.instance, nil
		},
		log: slog.New(slog.NewJSONHandler(log, nil)),
	})
	w.start()
	t.Cleanup(func() { _ = w.close() })
	return w, log
}

// said lists the messages about the set-up, each with its check.
func said(log *lockedBuffer) (lines []string) {
	for line := range strings.SplitSeq(strings.TrimSpace(log.String()), "\n") {
		var l struct{ Msg, Check string }
		if json.Unmarshal([]byte(line), &l) == nil {
			lines = append(lines, l.Check+": "+strings.TrimPrefix(l.Msg, "the set-up is "))
		}
	}
	return lines
}

func wantSaid(t *testing.T, log *lockedBuffer, want ...string) {
	t.Helper()
	if got := said(log); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the log has %q, want %q", got, want)
	}
}

func TestWatch_stopsWhenNothingIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outside{read: 200, instance: foreignID}
		_, log := watching(t, o)
		time.Sleep(24 * time.Hour)
		if wix, own := o.calls(); wix != 3 || own != 1 {
			t.Errorf("in a day %d calls to Wix and %d to itself", wix, own)
		}
		wantSaid(t, log)
	})
}

func TestWatch_isPatientAndDoesNotFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outside{away: true}
		_, log := watching(t, o)
		time.Sleep(10 * time.Second)
		wantSaid(t, log)
		time.Sleep(24 * time.Hour)
		wantSaid(t, log, "wix: wrong")
		// A call is repeated once: two for each probe.
		if wix, own := o.calls(); wix > 240 || own > 120 || own < 90 {
			t.Errorf("in a day without Wix %d calls to it and %d to itself", wix, own)
		}
		o.set(func(o *outside) { o.away = false })
		time.Sleep(time.Hour)
		wantSaid(t, log, "wix: wrong", "wix: right again")
		_, before := o.calls()
		time.Sleep(24 * time.Hour)
		if _, after := o.calls(); after != before {
			t.Errorf("%d more calls once nothing was wrong", after-before)
		}
	})
}

func TestWatch_publicAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outside{redirect: true}
		w, log := watching(t, o)
		time.Sleep(time.Second)
		wantSaid(t, log) // a balancer may not know us yet
		answered := w.requests(http.NotFoundHandler())
		ask := func(host, authorization string) {
			r := httptest.NewRequest("GET", "/api/get-instance", nil)
			r.Host = host
			r.Header.Set("Authorization", authorization)
			answered.ServeHTTP(httptest.NewRecorder(), r)
		}
		ask("APP.example", "token")
		ask("scanner.example", "")
		ask("a b", "token")
		synctest.Wait()
		wantSaid(t, log)
		ask("real.example", "token")
		synctest.Wait()
		wantSaid(t, log, "public address: wrong")
		if !strings.Contains(log.String(), "real.example") {
			t.Error("the host that is used is not said")
		}
		if text, _ := json.Marshal(w.state()); bytes.Contains(text, []byte("real.example")) {
			t.Errorf("strangers read on /install what a stranger sent: %s", text)
		}
	})
}

func TestWatch_permission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outside{read: 403}
		w, log := watching(t, o)
		time.Sleep(time.Minute)
		wantSaid(t, log)
		o.set(func(o *outside) { o.instance = foreignID })
		for range 100 {
			w.observe(api.Observation{Method: "GET", Route: "/api/get-instance", Status: 200})
		}
		time.Sleep(time.Minute)
		wantSaid(t, log, "permission: wrong")
		before, _ := o.calls()
		time.Sleep(24 * time.Hour)
		if after, _ := o.calls(); after != before {
			t.Errorf("%d more calls", after-before)
		}
	})
}

// TestWatch_asksAgainWhenTheAppIsRefused has a secret that was right at the start.
func TestWatch_asksAgainWhenTheAppIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outside{read: 200, instance: foreignID}
		w, log := watching(t, o)
		time.Sleep(time.Hour)
		wantSaid(t, log)
		o.set(func(o *outside) { o.read = 403 })
		for range 1000 {
			w.observe(api.Observation{Method: "GET", Route: "/api/get-instance-data", Status: 502, Code: "app_permission_missing"})
		}
		time.Sleep(time.Second)
		wantSaid(t, log, "permission: wrong")
		if wix, _ := o.calls(); wix != 6 {
			t.Errorf("%d calls to Wix", wix)
		}
	})
}

func TestWatch_state(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outside{read: 200}
		w, _ := watching(t, o)
		time.Sleep(time.Second)
		// However many look at it, Wix is asked once in ten minutes.
		for range 1000 {
			w.state()
			time.Sleep(time.Second)
		}
		if wix, own := o.calls(); wix != 2 || own != 2 {
			t.Errorf("%d calls to Wix and %d to itself", wix, own)
		}
		w.observe(api.Observation{Method: "POST", Route: "/api/get-instance", Status: 200})
		w.state()
		time.Sleep(90 * time.Minute)
		for _, f := range w.state().Findings {
			if f.Check == doctor.Tokens && (f.State != "ok" || !strings.HasSuffix(f.Saw, "accepted 90 min ago")) {
				t.Errorf("%+v", f)
			}
		}
	})
}

func TestWatch_observe(t *testing.T) {
	for _, tt := range []struct {
		name  string
		o     api.Observation
		times int
		check string
		want  doctor.State
	}{
		{"a token", api.Observation{Method: "GET", Route: "/app/api/get-instance", Status: 304}, 1, doctor.Tokens, doctor.OK},
		{"a preflight", api.Observation{Method: "OPTIONS", Route: "/app/api/get-instance", Status: 204}, 1, doctor.Tokens, doctor.Skipped},
		{"a token of the demo", api.Observation{Method: "GET", Route: "/app/demo/api/get-instance", Status: 200}, 1, doctor.Tokens, doctor.Skipped},
		{"a foreign token", api.Observation{Method: "GET", Route: "/app/api/get-instance", Status: 403, Code: "token_foreign"}, 1, doctor.Tokens, doctor.Fault},
		{"a foreign token in the demo", api.Observation{Method: "GET", Route: "/app/demo/api/get-instance", Status: 403, Code: "token_foreign"}, 9, doctor.Tokens, doctor.Skipped},
		{"tokens that Wix does not know", api.Observation{Method: "GET", Route: "/app/api/get-instance", Status: 401, Code: "token_inactive"}, burst, doctor.Tokens, doctor.Skipped},
		{"a webhook", api.Observation{Method: "POST", Route: "/app/webhooks/wix/", Status: 200}, 1, doctor.Webhooks, doctor.OK},
		{"a refused webhook", api.Observation{Method: "POST", Route: "/app/webhooks/wix", Status: 401, Code: "webhook_refused"}, 1, doctor.Webhooks, doctor.Fault},
		{"no webhook at all", api.Observation{Method: "POST", Route: "/app/webhooks/wix", Status: 400, Code: "webhook_malformed"}, 9, doctor.Webhooks, doctor.Skipped},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWatch(watchOptions{
				basePath: "/app", log: slog.New(slog.DiscardHandler),
				wix: doctor.WixOptions{BaseURL: wix.DefaultBaseURL}, public: doctor.PublicOptions{Webhooks: true},
			})
			for range tt.times {
				w.observe(tt.o)
			}
			for _, f := range w.state().Findings {
				if f.Check == tt.check && f.State != string(tt.want) {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

func TestWatch_classicScript(t *testing.T) {
	w := newWatch(watchOptions{basePath: "/app", log: slog.New(slog.DiscardHandler)})
	h := w.requests(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, tt := range []struct {
		path, dest, mode string
		classic          bool
	}{
		{"/app/widget.js", "script", "cors", false},
		{"/app/panel/", "script", "no-cors", false},
		{"/app/widget.js", "empty", "no-cors", false},
		{"/app/widget.js", "script", "no-cors", true},
		{"/app/widget.js", "", "", true}, // no browser
		{"/app/widget.js", "script", "cors", false},
	} {
		r := httptest.NewRequest("GET", tt.path, http.NoBody)
		r.Header.Set("Sec-Fetch-Dest", tt.dest)
		r.Header.Set("Sec-Fetch-Mode", tt.mode)
		h.ServeHTTP(httptest.NewRecorder(), r)
		warned := slices.ContainsFunc(w.state().Findings, func(f web.Finding) bool { return f.Check == doctor.ScriptType && f.State == "warning" })
		if warned != tt.classic {
			t.Errorf("after %+v: warned %v", tt, warned)
		}
	}
}

func TestWatch_misplacedWebhook(t *testing.T) {
	const jwt = "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"
	for _, tt := range []struct {
		name, path, body string
		webhooks         bool
		want             doctor.State
		variables        int
	}{
		{"the right path", "/app/webhooks/wix", jwt, true, doctor.Skipped, 0},
		{"the right path with a slash", "/app/webhooks/wix/", jwt, true, doctor.Skipped, 0},
		{"without a key", "/app/webhooks/wix", jwt, false, doctor.Fault, 1},
		{"without the base path", "/webhooks/wix", jwt, true, doctor.Fault, 0},
		{"two slashes", "//app/webhooks/wix", jwt, true, doctor.Fault, 0},
		{"mistyped", "/app/webhook/wix", jwt, true, doctor.Fault, 0},
		{"a scanner", "/webhook/x", `{"a":1}`, true, doctor.Skipped, 0},
		{"a scanner's odd path", "/webhooks/<b>", jwt, true, doctor.Skipped, 0},
		{"another path", "/login", jwt, true, doctor.Skipped, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWatch(watchOptions{basePath: "/app", public: doctor.PublicOptions{Webhooks: tt.webhooks}, log: slog.New(slog.DiscardHandler)})
			var read []byte
			handler := w.requests(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { read, _ = io.ReadAll(r.Body) }))
			r := httptest.NewRequest("POST", "http://app.example/", strings.NewReader(tt.body))
			r.URL.Path = tt.path
			handler.ServeHTTP(httptest.NewRecorder(), r)
			if string(read) != tt.body {
				t.Errorf("the body is %q", read)
			}
			if f := w.ofWebhooks(time.Now()); f.State != tt.want || len(f.Variables) != tt.variables || strings.Contains(f.Saw, tt.path) {
				t.Errorf("%+v", f)
			}
		})
	}
}
