package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

const (
	appID     = "6f0c1f8e-2f0a-4a6e-9d5a-0d8f3b7a1c11"
	appSecret = "3b1f7c52-8a3e-4a57-b7a0-5c9d1e2f3a44"
	foreignID = "99999999-9999-4999-8999-999999999999"
)

// world is the whole program with a real SQLite file, beside an offline Wix.
type world struct {
	t   *testing.T
	sim *wixsim.Sim
	wix string // its base URL
	url string
	// admin is the address of metrics and profiles.
	admin string
	log   *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// fakeBundles stand in for the built ones, which the end-to-end tests use.
func fakeBundles() Bundles {
	file := func(names ...string) fstest.MapFS {
		fsys := fstest.MapFS{}
		for _, name := range names {
			fsys[name] = &fstest.MapFile{Data: []byte(name)}
		}
		return fsys
	}
	return Bundles{
		Widget: file("widget.js", "thumbnail-0123456789abcdef.svg"),
		Panel:  file("index.html"),
		Web:    file("style.css"),
	}
}

func start(t *testing.T, environ ...string) *world {
	t.Helper()
	sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: appSecret})
	if err != nil {
		t.Fatal(err)
	}
	return startWith(t, sim, environ...)
}

func startWith(t *testing.T, sim *wixsim.Sim, environ ...string) *world {
	t.Helper()
	return startApp(t, newGreeter, sim, environ...)
}

// startApp starts the server with an app of the test's own.
func startApp(t *testing.T, app kit.New, sim *wixsim.Sim, environ ...string) *world {
	t.Helper()
	upstream := httptest.NewServer(sim.REST())
	t.Cleanup(upstream.Close)
	config, err := LoadConfig(append([]string{
		"WIX_API_URL=" + upstream.URL, "WIX_APP_ID=" + appID, "WIX_APP_SECRET=" + appSecret,
		product.EnvPrefix + "ADDR=127.0.0.1:0", product.EnvPrefix + "ADMIN_ADDR=127.0.0.1:0",
		product.EnvPrefix + "DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "app.db"),
	}, environ...))
	if err != nil {
		t.Fatal(err)
	}
	config.unprobed = true
	return runApp(t, app, sim, config, func(*App) {})
}

// runApp serves until the test ends. prepare may change what Serve has built.
func runApp(t *testing.T, app kit.New, sim *wixsim.Sim, config Config, prepare func(*App)) *world {
	t.Helper()
	w := &world{t: t, sim: sim, wix: config.WixURL, log: &lockedBuffer{}}
	a, err := Serve(t.Context(), config, fakeBundles(), app, slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	prepare(a)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, func() time.Duration { return 0 }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the app ended with: %v", err)
		}
	})
	w.url, w.admin = a.URL(), "http://"+a.admin.listener.Addr().String()
	return w
}

func (w *world) mint(r wixsim.TokenRequest) string {
	w.t.Helper()
	if r.Subject == "" {
		r.Subject = "VISITOR"
	}
	token, _, err := w.sim.Mint(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

func (w *world) install() string {
	w.t.Helper()
	i, err := w.sim.Install(wixsim.InstallRequest{SiteDisplayName: "Corner Café", OwnerEmail: "owner.secret@example.com", Plan: "gold", Languages: []string{"de", "en"}, Currency: "EUR"})
	if err != nil {
		w.t.Fatal(err)
	}
	return i.InstanceID
}

type reply struct {
	status int
	header http.Header
	text   string
}

func (r reply) code() string {
	var body struct{ Code string }
	_ = json.Unmarshal([]byte(r.text), &body)
	return body.Code
}

// ask sends a request; each header is "Name: value".
func (w *world) ask(method, path, body string, headers ...string) reply {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(text)}
}

func (w *world) as(token, path string) reply {
	w.t.Helper()
	return w.ask("GET", path, "", "Authorization: "+token)
}

func (w *world) wixCalls(path string) int {
	n := 0
	for _, c := range w.sim.Calls() {
		if path == "" || c.Path == path {
			n++
		}
	}
	return n
}

const (
	tokenInfo = "/oauth2/token-info"
	appToken  = "/oauth2/token"
	instances = "/apps/v1/instance"
)

func TestServe_getInstance(t *testing.T) {
	w := start(t)
	id := w.install()
	visitor, owner := w.mint(wixsim.TokenRequest{InstanceID: id}), w.mint(wixsim.TokenRequest{Subject: "USER", InstanceID: id})

	got := w.as(visitor, "/api/get-instance")
	if got.status != 200 || !strings.Contains(got.text, `"status":"Success"`) || !strings.Contains(got.text, `"greeting":"Hello"`) {
		t.Fatalf("got %d %s", got.status, got.text)
	}
	if strings.Contains(got.text, id) {
		t.Errorf("a visitor sees the instance id: %s", got.text)
	}
	if got := w.as(owner, "/api/get-instance"); !strings.Contains(got.text, id) {
		t.Errorf("the owner does not see the instance id: %s", got.text)
	}
	// Off the request path, our copy of the app instance is filled in.
	w.until("the plan is known", func() bool {
		return strings.Contains(w.as(visitor, "/api/get-instance").text, `"plan":{"name":"gold","isFree":false},"locale":"de","currency":"EUR","siteDisplayName":"Corner Café","languages":["de","en"]`)
	})
	if n := w.wixCalls(tokenInfo); n != 2 {
		t.Errorf("%d calls to token-info for two tokens", n)
	}
}

func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	deadline := time.After(time.Minute)
	for !ok() {
		select {
		case <-deadline:
			w.t.Fatalf("after a minute still not: %s\nlog: %s", what, w.log)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestServe_getInstanceData_byRole(t *testing.T) {
	w := start(t)
	id := w.install()
	for _, subject := range []string{"VISITOR", "MEMBER"} {
		got := w.as(w.mint(wixsim.TokenRequest{Subject: subject, InstanceID: id}), "/api/get-instance-data")
		want := `{"instance":{"isFree":false,"billing":{"packageName":"gold"}},"site":{"siteDisplayName":"Corner Café","locale":"de","paymentCurrency":"EUR","multilingual":`
		if got.status != 200 || !strings.HasPrefix(got.text, want) {
			t.Errorf("%s: got %d %s", subject, got.status, got.text)
		}
		for _, secret := range []string{"owner.secret", id, "ermission", "nvoice", "siteId", "appName", "ownerInfo"} {
			if strings.Contains(got.text, secret) {
				t.Errorf("%s sees %q: %s", subject, secret, got.text)
			}
		}
	}
	for _, subject := range []string{"USER", "APP"} {
		got := w.as(w.mint(wixsim.TokenRequest{Subject: subject, InstanceID: id}), "/api/get-instance-data")
		for _, part := range []string{id, "owner.secret@example.com", "permissions", "siteId"} {
			if !strings.Contains(got.text, part) {
				t.Errorf("%s does not see %q: %s", subject, part, got.text)
			}
		}
	}
	if n := w.wixCalls(appToken); n != 1 {
		t.Errorf("%d elevations of one instance", n)
	}
	if n := w.wixCalls(instances); n != 1 {
		t.Errorf("%d reads of one app instance within a minute", n)
	}
}

func TestServe_settings_ofEachSite(t *testing.T) {
	w := start(t)
	mine, theirs := w.install(), w.install()
	owner := w.mint(wixsim.TokenRequest{Subject: "USER", InstanceID: mine})
	put := func(token, version, body string) reply {
		return w.ask("PUT", "/api/settings", body, "Authorization: "+token, "Content-Type: application/json", "If-Match: "+version)
	}
	if got := put(owner, `"0"`, `{"greeting":"Grüß Gott"}`); got.status != 200 || got.header.Get("ETag") != `"1"` {
		t.Fatalf("got %d %s", got.status, got.text)
	}
	if got := w.as(w.mint(wixsim.TokenRequest{InstanceID: mine}), "/api/get-instance"); !strings.Contains(got.text, "Grüß Gott") {
		t.Errorf("a visitor of the site sees %s", got.text)
	}
	if got := w.as(w.mint(wixsim.TokenRequest{InstanceID: theirs}), "/api/get-instance"); strings.Contains(got.text, "Grüß Gott") {
		t.Errorf("a visitor of another site sees %s", got.text)
	}
	if got := put(owner, `"0"`, `{"greeting":"late"}`); got.status != 412 || got.code() != "version_conflict" {
		t.Errorf("a stale save: %d %s", got.status, got.text)
	}
	if got := put(w.mint(wixsim.TokenRequest{InstanceID: mine}), `"1"`, `{"greeting":"mine now"}`); got.status != 403 || got.code() != "owner_required" {
		t.Errorf("a visitor's save: %d %s", got.status, got.text)
	}
	if got := put(w.mint(wixsim.TokenRequest{Subject: "APP", InstanceID: mine}), `"1"`, `{"greeting":"mine now"}`); got.status != 200 {
		t.Errorf("the app's save: %d %s", got.status, got.text)
	}
	if !strings.Contains(w.log.String(), `"code":"owner_required","status":403,"method":"PUT","route":"/api/settings","instanceId":"`+mine+`","subject":"VISITOR"`) {
		t.Errorf("the log of the refusal: %s", w.log)
	}
	metrics := w.exposition()
	for subject, n := range map[string]int{"USER": 2, "VISITOR": 3, "APP": 1, "MEMBER": 0, "other": 0} {
		if line := fmt.Sprintf("%s{subject=%q} %d\n", metricCallers, subject, n); !strings.Contains(metrics, line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
}

// TestServe_settings_oneSaveOfAVersionWins is the lost update that If-Match prevents.
func TestServe_settings_oneSaveOfAVersionWins(t *testing.T) {
	w := start(t)
	owner := w.mint(wixsim.TokenRequest{Subject: "USER"})
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		by   = map[int]int{}
		many = 20
	)
	for i := range many {
		wg.Go(func() {
			got := w.ask("PUT", "/api/settings", fmt.Sprintf(`{"greeting":"number %d"}`, i),
				"Authorization: "+owner, "Content-Type: application/json", `If-Match: "0"`)
			mu.Lock()
			defer mu.Unlock()
			by[got.status]++
		})
	}
	wg.Wait()
	if by[200] != 1 || by[412] != many-1 {
		t.Errorf("answers by status: %v", by)
	}
}

func TestServe_refusedTokens(t *testing.T) {
	w := start(t)
	no := false
	good := w.mint(wixsim.TokenRequest{})
	forged := good[:strings.LastIndex(good, ".")+1] + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	eight := strings.Repeat("a", 8192)
	for _, tt := range []struct {
		name    string
		headers []string
		status  int
		code    string
	}{
		{"no header", nil, 401, "token_missing"},
		{"an empty header, as Wix's editor sends without a token", []string{"Authorization: "}, 401, "token_missing"},
		{"the word Bearer alone", []string{"Authorization: Bearer "}, 401, "token_missing"},
		{"two headers", []string{"Authorization: " + good, "Authorization: " + good}, 401, "token_malformed"},
		{"8 KB of rubbish is asked about", []string{"Authorization: " + eight}, 401, "token_inactive"},
		{"one byte more is not", []string{"Authorization: " + eight + "a"}, 401, "token_malformed"},
		{"a space inside", []string{"Authorization: a b"}, 401, "token_malformed"},
		{"bytes that are not UTF-8", []string{"Authorization: a\xff\xfeb"}, 401, "token_malformed"},
		{"rubbish", []string{"Authorization: rubbish"}, 401, "token_inactive"},
		{"a forged signature", []string{"Authorization: " + forged}, 401, "token_inactive"},
		{"expired", []string{"Authorization: " + w.mint(wixsim.TokenRequest{TTL: -time.Minute})}, 401, "token_expired"},
		{"inactive", []string{"Authorization: " + w.mint(wixsim.TokenRequest{Active: &no})}, 401, "token_inactive"},
		{"another app's", []string{"Authorization: " + w.mint(wixsim.TokenRequest{AppID: foreignID})}, 403, "token_foreign"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, path := range []string{"/api/get-instance", "/api/get-instance-data", "/api/settings"} {
				got := w.ask("GET", path, "", tt.headers...)
				if got.status != tt.status || got.code() != tt.code {
					t.Errorf("%s: got %d %s, want %d %s", path, got.status, got.text, tt.status, tt.code)
				}
				if got.header.Get("Access-Control-Allow-Origin") != "*" {
					t.Errorf("%s: no CORS header on the error", path)
				}
			}
		})
	}
	for _, bearer := range []string{"Bearer ", "bearer ", "BEARER "} {
		if got := w.as(bearer+good, "/api/get-instance"); got.status != 200 {
			t.Errorf("%q before the token: %d %s", bearer, got.status, got.text)
		}
	}
}

// TestServe_rawHeaders sends what Go's client refuses to send.
func TestServe_rawHeaders(t *testing.T) {
	w := start(t)
	for name, header := range map[string]string{
		"a NUL in the token":            "Authorization: a\x00b\r\n",
		"a newline in the token":        "Authorization: a\n b\r\n",
		"a carriage return in it":       "Authorization: a\rb\r\n",
		"a DEL":                         "Authorization: a\x7fb\r\n",
		"a header without end":          "Authorization: " + strings.Repeat("a", 64<<10) + "\r\n",
		"a tab in the middle of it all": "Authorization: a\tb\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			// The server may answer and hang up before it has read everything.
			_, _ = fmt.Fprintf(conn, "GET /api/get-instance HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", header)
			answer, _ := io.ReadAll(conn)
			status := strings.SplitN(string(answer), " ", 3)
			if len(status) < 2 || !strings.HasPrefix(status[1], "4") {
				t.Errorf("got %q", answer)
			}
		})
	}
	if n := w.wixCalls(""); n != 0 {
		t.Errorf("Wix was asked %d times", n)
	}
}

func TestServe_faultsOfWix(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fault  wixsim.Fault
		status int
		code   string
		retry  string // Retry-After, or "*" for any
	}{
		{"out", wixsim.Fault{Outage: true}, 503, "wix_unavailable", "*"},
		{"500", wixsim.Fault{Status: 500}, 503, "wix_unavailable", "*"},
		{"503", wixsim.Fault{Status: 503}, 503, "wix_unavailable", "*"},
		{"429 is passed on with its delay", wixsim.Fault{Status: 429, RetryAfter: 17 * time.Second}, 429, "rate_limited", "17"},
		{"504", wixsim.Fault{Status: 504}, 504, "wix_timeout", ""},
		{"HTML instead of JSON", wixsim.Fault{Body: "<!doctype html><title>Sign in</title>"}, 502, "wix_bad_response", ""},
		{"a truncated answer", wixsim.Fault{Body: `{"active":true,"clientId":"`}, 502, "wix_bad_response", ""},
		{"10 MB", wixsim.Fault{BodyBytes: 10 << 20}, 502, "wix_bad_response", ""},
		{"a hang-up in the middle", wixsim.Fault{Status: 200, HangUp: true}, 502, "wix_bad_response", ""},
		{"a redirect", wixsim.Fault{Status: 302}, 502, "wix_bad_response", ""},
		{"an empty answer", wixsim.Fault{Status: 200}, 502, "wix_bad_response", ""},
		{`active as the word "false"`, wixsim.Fault{Body: `{"active":"false"}`}, 401, "token_inactive", ""},
		{"no clientId", wixsim.Fault{Body: `{"active":true,"exp":9999999999}`}, 403, "token_foreign", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := start(t)
			known := w.mint(wixsim.TokenRequest{})
			if got := w.as(known, "/api/get-instance"); got.status != 200 {
				t.Fatalf("before the fault: %d %s", got.status, got.text)
			}
			if err := w.sim.SetFault(tt.fault); err != nil {
				t.Fatal(err)
			}
			got := w.as(w.mint(wixsim.TokenRequest{}), "/api/get-instance")
			if got.status != tt.status || got.code() != tt.code {
				t.Errorf("got %d %s, want %d %s", got.status, got.text, tt.status, tt.code)
			}
			switch after := got.header.Get("Retry-After"); {
			case tt.retry == "*" && after == "", tt.retry != "*" && after != tt.retry:
				t.Errorf("Retry-After %q, want %q", after, tt.retry)
			}
			if got := w.as(known, "/api/get-instance"); got.status != 200 {
				t.Errorf("a known token: %d %s", got.status, got.text)
			}
			if got := w.ask("GET", "/readyz", ""); got.status != 200 {
				t.Errorf("readyz: %d", got.status)
			}
		})
	}
}

// TestServe_thousandCallersAskWixOnce is the budget of design and of Wix's quota.
func TestServe_thousandCallersAskWixOnce(t *testing.T) {
	w := start(t)
	if err := w.sim.SetFault(wixsim.Fault{Endpoint: "token-info", Latency: 100 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	token := w.mint(wixsim.TokenRequest{})
	transport := &http.Transport{MaxConnsPerHost: 200}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			r, _ := http.NewRequestWithContext(t.Context(), "GET", w.url+"/api/get-instance", nil)
			r.Header.Set("Authorization", token)
			res, err := client.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != 200 {
				t.Errorf("%d, %v", res.StatusCode, err)
			}
		})
	}
	wg.Wait()
	if n := w.wixCalls(tokenInfo); n != 1 {
		t.Errorf("%d calls to token-info", n)
	}
}

func TestServe_logHoldsNoSecret(t *testing.T) {
	w := start(t)
	id := w.install()
	no := false
	tokens := []string{
		w.mint(wixsim.TokenRequest{InstanceID: id}), w.mint(wixsim.TokenRequest{Subject: "USER", InstanceID: id}),
		w.mint(wixsim.TokenRequest{TTL: -time.Hour}), w.mint(wixsim.TokenRequest{Active: &no}), w.mint(wixsim.TokenRequest{AppID: foreignID}),
	}
	faults := []wixsim.Fault{{Status: 500}, {Outage: true}, {Body: "<html>"}, {Status: 403}, {Status: 429}}
	for i := range len(faults) + 1 {
		if i > 0 {
			if err := w.sim.SetFault(faults[i-1]); err != nil {
				t.Fatal(err)
			}
		}
		tokens = append(tokens, w.mint(wixsim.TokenRequest{InstanceID: id}))
		for _, token := range tokens {
			for _, path := range []string{"/api/get-instance", "/api/get-instance-data", "/api/settings"} {
				w.as(token, path)
			}
		}
	}
	log := w.log.String()
	if !strings.Contains(log, "request failed") {
		t.Fatalf("the faults are not in the log, so this test proves nothing:\n%s", log)
	}
	for _, token := range tokens {
		parts := strings.Split(token, ".")
		if strings.Contains(log, parts[3]) || strings.Contains(log, parts[4]) {
			t.Fatal("a token is in the log")
		}
	}
	for _, secret := range []string{appSecret, "owner.secret", "OauthNG"} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}
