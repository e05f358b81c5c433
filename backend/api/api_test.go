package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/assets"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/settings"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
	"github.com/nametag-dev/nametag/backend/wix"
)

const (
	site1   = "11111111-1111-4111-8111-111111111111"
	visitor = "visitor-token"
	owner   = "owner-token"
	// elevated is the app's own.
	elevated = "app-token"
	nobody   = "token-without-instance"
)

// callers stands in for identity: package identity's own tests and the tests of
// the whole program hold it to Wix.
type callers struct {
	err error
	// at and expires are now and an hour later when they are zero.
	issued, at, expires time.Time
	// app is what Wix reports, or nil for nothing.
	app *wix.AppInstance
	// role is of the token without an instance: Visitor when it is "".
	role identity.Role
}

func (c callers) VerifyToken(ctx context.Context, source, token string) (identity.Identification, error) {
	return c.Verify(ctx, source, []string{token})
}

func (c callers) SignedInstance(string) (wix.SignedInstance, error) {
	return wix.SignedInstance{}, &apierr.Error{Code: apierr.TokenMissing}
}

func (c callers) AppInstance(context.Context, string) (*wix.AppInstance, error) {
	return cmp.Or(c.app, new(wix.AppInstance)), nil
}

func (c callers) Verify(_ context.Context, _ string, authorization []string) (identity.Identification, error) {
	if c.err != nil {
		return identity.Identification{}, c.err
	}
	if c.at.IsZero() {
		c.at = time.Now()
	}
	if c.expires.IsZero() {
		c.expires = c.at.Add(time.Hour)
	}
	caller := identity.Caller{InstanceID: site1, SiteID: "site-1", Role: identity.Visitor, Subject: wix.SubjectVisitor, IssuedAt: c.issued, Expires: c.expires}
	switch strings.Join(authorization, ",") {
	case owner:
		caller.Role, caller.Subject = identity.Owner, wix.SubjectUser
	case elevated:
		caller.Role, caller.Subject = identity.App, wix.SubjectApp
	case nobody:
		caller.InstanceID = ""
		caller.Role = cmp.Or(c.role, identity.Visitor)
	case visitor:
	default:
		return identity.Identification{}, &apierr.Error{Code: apierr.TokenMissing}
	}
	return identity.Identification{Caller: caller, Cached: true, At: c.at}, nil
}

type refresher struct{}

func (refresher) RequestRefresh(string)                                {}
func (refresher) Save(context.Context, string, *wix.AppInstance) error { return nil }

type setup struct {
	identity callers
	store    instance.Store
	webhooks Webhooks
	app      func(*kit.App)
	options  func(*Options)
}

// site is what an owner sets in these tests.
type site struct {
	Greeting string `json:"greeting" setting:"text" default:"Hello" min:"1" max:"80"`
}

// testApp answers like the app that ships.
func testApp(t testing.TB) kit.App {
	t.Helper()
	schema, err := settings.For[site]()
	if err != nil {
		t.Fatal(err)
	}
	return kit.App{Settings: schema, Answer: func(_ context.Context, c kit.Call) (any, error) {
		return kit.Reply{OfInstance: func(c kit.Call) any {
			return struct {
				Status   string          `json:"status"`
				Settings json.RawMessage `json:"settings"`
				Instance instance.View   `json:"instance"`
			}{"Success", c.Instance.Settings, c.View()}
		}}, nil
	}}
}

// newStore is an empty database in memory.
func newStore(t testing.TB) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), "sqlite::memory:", sqlstore.Options{Settings: testApp(t).Settings.Complete})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// lockedBuffer is a log that functions of the app may write to at any time.
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

func newLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewJSONHandler(w, nil)) }

func newServer(t testing.TB, s setup) (*Server, *lockedBuffer) {
	t.Helper()
	bundle := func(files ...string) *assets.Assets {
		fsys := fstest.MapFS{}
		for _, name := range files {
			fsys[name] = &fstest.MapFile{Data: []byte("content of " + name)}
		}
		a, err := assets.New(fsys)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if s.store == nil {
		s.store = newStore(t)
	}
	app := testApp(t)
	if s.app != nil {
		s.app(&app)
	}
	if err := Check(app); err != nil {
		t.Fatal(err)
	}
	var log lockedBuffer
	logger := newLogger(&log)
	o := Options{
		Production: &Composition{Identity: s.identity, Refresher: refresher{}, Store: s.store, App: app, Webhooks: s.webhooks, Logger: logger},
		Widget:     bundle("widget.js", "widget-0123456789abcdef.js"),
		Panel:      bundle("index.html", "assets/index-0123456789abcdef.js"),
		Web:        bundle("style.css"),
		Logger:     logger,
	}
	if s.options != nil {
		s.options(&o)
	}
	return New(o), &log
}

// ask sends one request to the server. Each header is "Name: value".
func ask(s http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestServer_errors(t *testing.T) {
	for _, tt := range []struct {
		code   apierr.Code
		status int
		header string // that must be there
	}{
		{apierr.InstanceRequired, 403, ""},
		{apierr.AppRequired, 403, ""},
		{apierr.BodyMalformed, 400, ""},
		{apierr.InvalidBody, 422, ""},
		{apierr.TokenMissing, 401, "Www-Authenticate"},
		{apierr.TokenMalformed, 401, "Www-Authenticate"},
		{apierr.TokenInactive, 401, "Www-Authenticate"},
		{apierr.TokenExpired, 401, "Www-Authenticate"},
		{apierr.TokenForeign, 403, ""},
		{apierr.OwnerRequired, 403, ""},
		{apierr.NotFound, 404, ""},
		{apierr.MethodNotAllowed, 405, ""},
		{apierr.RequestTimeout, 408, "Connection"},
		{apierr.VersionConflict, 412, ""},
		{apierr.VersionRequired, 428, ""},
		{apierr.BodyTooLarge, 413, ""},
		{apierr.UnsupportedMediaType, 415, ""},
		{apierr.InvalidSettings, 422, ""},
		{apierr.RateLimited, 429, "Retry-After"},
		{apierr.WixBadResponse, 502, ""},
		{apierr.AppCredentialsRefused, 502, ""},
		{apierr.AppPermissionMissing, 502, ""},
		{apierr.InstanceUnknown, 404, ""},
		{apierr.WixUnavailable, 503, "Retry-After"},
		{apierr.WixTimeout, 504, ""},
		{apierr.Internal, 500, ""},
		{apierr.WebhookMalformed, 400, ""},
		{apierr.WebhookRefused, 401, "Www-Authenticate"},
		{apierr.StoreUnavailable, 503, "Retry-After"},
	} {
		t.Run(tt.code.Name, func(t *testing.T) {
			cause := errors.New("the cause, for the log alone")
			s, _ := newServer(t, setup{identity: callers{err: &apierr.Error{Code: tt.code, Err: cause}}})
			w := ask(s, "GET", "/api/get-instance", "", "Authorization: x")
			var body apierr.Body
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Fatalf("%v: %s", err, w.Body)
			}
			if w.Code != tt.status || body.Code != tt.code.Name || body.Error == "" {
				t.Errorf("got %d %+v, want %d %s", w.Code, body, tt.status, tt.code)
			}
			if strings.Contains(w.Body.String(), "cause") {
				t.Errorf("the client sees the cause: %s", w.Body)
			}
			if body.RequestID == "" || body.RequestID != w.Header().Get("X-Request-Id") {
				t.Errorf("request id %q in the body, %q in the header", body.RequestID, w.Header().Get("X-Request-Id"))
			}
			if tt.header != "" && w.Header().Get(tt.header) == "" {
				t.Errorf("no %s header", tt.header)
			}
			if w.Header().Get("Access-Control-Allow-Origin") != "*" {
				t.Error("no CORS header: the widget would see a bare network error")
			}
		})
	}
	if n := len(apierr.Codes()); n != 29 {
		t.Errorf("there are %d codes, this table lists 29", n)
	}
}

func TestServer_RetryAfter_roundsWixsDelayUp(t *testing.T) {
	s, _ := newServer(t, setup{identity: callers{err: &apierr.Error{Code: apierr.RateLimited, RetryAfter: 6100 * time.Millisecond}}})
	if got := ask(s, "GET", "/api/get-instance", "").Header().Get("Retry-After"); got != "7" {
		t.Errorf("got %q, want 7", got)
	}
}

func TestGetInstance_answers(t *testing.T) {
	s, _ := newServer(t, setup{})
	for _, tt := range []struct {
		name, path, token, want string
	}{
		{"a visitor gets the settings and no id", "/api/get-instance", visitor, `{"status":"Success","settings":{"greeting":"Hello"},"instance":{}}`},
		{"a token without an instance", "/api/get-instance", nobody, `{"status":"No instance ID."}`},
		{"a token without an instance has no data", "/api/get-instance-data", nobody, `{"status":"No instance ID."}`},
		{"a token without an instance has no settings", "/api/settings", nobody, `{"status":"No instance ID."}`},
		{"settings carry their version", "/api/settings", visitor, `{"settings":{"greeting":"Hello"},"version":0}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := ask(s, "GET", tt.path, "", "Authorization: "+tt.token)
			if w.Code != 200 || strings.TrimSpace(w.Body.String()) != tt.want {
				t.Errorf("got %d %s\nwant %s", w.Code, w.Body, tt.want)
			}
			if w.Header().Get("Set-Cookie") != "" {
				t.Error("a cookie was set")
			}
		})
	}
	w := ask(s, "GET", "/api/get-instance", "", "Authorization: "+owner)
	if !strings.Contains(w.Body.String(), site1) {
		t.Errorf("the owner does not get the instance id: %s", w.Body)
	}
	if timing := w.Header().Get("Server-Timing"); !strings.Contains(timing, `identify;desc="known"`) {
		t.Errorf("Server-Timing: %q", timing)
	}
}

func TestSaveSettings(t *testing.T) {
	const (
		isJSON  = "Content-Type: application/json"
		ifMatch = `If-Match: "0"`
		good    = `{"greeting":"Welcome"}`
	)
	for _, tt := range []struct {
		name    string
		body    string
		headers []string
		status  int
		want    string // part of the answer
	}{
		{"the owner saves", good, []string{"Authorization: " + owner, isJSON, ifMatch}, 200, `{"settings":{"greeting":"Welcome"},"version":1}`},
		{"a charset is no other type", good, []string{"Authorization: " + owner, "Content-Type: application/json; charset=utf-8", ifMatch}, 200, `"version":1`},
		{"a list of versions that holds the right one", good, []string{"Authorization: " + owner, isJSON, `If-Match: "7", "0"`}, 200, `"version":1`},
		{"any version", good, []string{"Authorization: " + owner, isJSON, `If-Match: *`}, 200, `"version":1`},

		{"a visitor may not", good, []string{"Authorization: " + visitor, isJSON, ifMatch}, 403, "owner_required"},
		{"no token", good, []string{isJSON, ifMatch}, 401, "token_missing"},
		{"a token without an instance may not", good, []string{"Authorization: " + nobody, isJSON, ifMatch}, 403, "instance_required"},
		{"a form", "greeting=Welcome", []string{"Authorization: " + owner, "Content-Type: application/x-www-form-urlencoded", ifMatch}, 415, "unsupported_media_type"},
		{"no type", good, []string{"Authorization: " + owner, ifMatch}, 415, "unsupported_media_type"},
		{"a compressed body", good, []string{"Authorization: " + owner, isJSON, "Content-Encoding: gzip", ifMatch}, 415, "unsupported_media_type"},
		{"no version", good, []string{"Authorization: " + owner, isJSON}, 428, "version_required"},
		{"a stale version", good, []string{"Authorization: " + owner, isJSON, `If-Match: "3"`}, 412, "version_conflict"},
		{"a weak version", good, []string{"Authorization: " + owner, isJSON, `If-Match: W/"0"`}, 412, "version_conflict"},
		{"a version without quotes", good, []string{"Authorization: " + owner, isJSON, `If-Match: 0`}, 412, "version_conflict"},
		{"a body over 16 KB", `{"greeting":"` + strings.Repeat("x", 16<<10) + `"}`, []string{"Authorization: " + owner, isJSON, ifMatch}, 413, "body_too_large"},
		{"broken JSON", `{`, []string{"Authorization: " + owner, isJSON, ifMatch}, 422, `"fields":[{"name":"","reason":"must be one JSON object"}]`},
		{"every fault of every field", `{"greeting":"","x":1}`, []string{"Authorization: " + owner, isJSON, ifMatch}, 422, `"fields":[{"name":"greeting","reason":"must not be empty"},{"name":"x","reason":"is not a known setting"}]`},
	} {
		for _, method := range []string{"PUT", "PATCH"} {
			t.Run(method+" "+tt.name, func(t *testing.T) {
				store := newStore(t)
				s, _ := newServer(t, setup{store: store})
				w := ask(s, method, "/api/settings", tt.body, tt.headers...)
				if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
					t.Errorf("got %d %s\nwant %d %s", w.Code, w.Body, tt.status, tt.want)
				}
				row, err := store.Find(t.Context(), site1)
				if tt.status == 200 {
					if err != nil || string(row.Settings) != `{"greeting":"Welcome"}` || w.Header().Get("ETag") != `"1"` {
						t.Errorf("stored %+v, %v; ETag %s", row, err, w.Header().Get("ETag"))
					}
				} else if row.Version != 0 {
					t.Errorf("a refused save was written: %+v", row)
				}
			})
		}
	}
}

func TestServer_routes(t *testing.T) {
	s, _ := newServer(t, setup{})
	for _, tt := range []struct {
		name, method, path string
		headers            []string
		status             int
		want               string
	}{
		{"an unknown API route", "GET", "/api/nothing", nil, 404, `"code":"not_found"`},
		{"a person who is lost gets a page", "GET", "/nothing", []string{"Accept: text/html,*/*"}, 404, "<!doctype html>"},
		{"a script that is lost gets JSON", "GET", "/nothing", []string{"Accept: */*"}, 404, `"code":"not_found"`},
		{"an API route never answers with a page", "GET", "/api/nothing", []string{"Accept: text/html"}, 404, `"code":"not_found"`},
		{"a wrong method", "DELETE", "/api/settings", nil, 405, `"code":"method_not_allowed"`},
		{"a write to get-instance", "PUT", "/api/get-instance", nil, 405, `"code":"method_not_allowed"`},
		{"a slash behind the webhook route", "POST", "/webhooks/wix/", nil, 404, `"code":"not_found"`},
		{"HEAD works where GET does", "HEAD", "/api/get-instance", []string{"Authorization: " + visitor}, 200, ""},
		{"HEAD of a file", "HEAD", "/widget.js", nil, 200, ""},
		{"HEAD of health", "HEAD", "/healthz", nil, 200, ""},
		{"the stable script", "GET", "/widget.js", nil, 200, "content of widget.js"},
		{"a hashed script", "GET", "/widget/widget-0123456789abcdef.js", nil, 200, "content of widget-"},
		{"the panel", "GET", "/panel/", nil, 200, "content of index.html"},
		{"the panel without its slash", "GET", "/panel", nil, 308, ""},
		{"the panel's files", "GET", "/panel/assets/index-0123456789abcdef.js", nil, 200, "content of assets/"},
		{"a file that is not there", "GET", "/widget/nothing.js", nil, 404, `"code":"not_found"`},
		{"a way out of the folder", "GET", "/widget/../panel/index.html", nil, 404, `"code":"not_found"`},
		{"an encoded way out", "GET", "/widget/%2e%2e%2fpanel%2findex.html", nil, 404, `"code":"not_found"`},
		{"ready", "GET", "/readyz", nil, 200, `"status":"ok"`},
		{"no demo, no demo routes", "GET", "/demo/api/get-instance", nil, 404, `"code":"not_found"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := ask(s, tt.method, tt.path, "", tt.headers...)
			if w.Code != tt.status || !strings.Contains(strings.ToLower(w.Body.String()), strings.ToLower(tt.want)) {
				t.Errorf("got %d %s\nwant %d %s", w.Code, w.Body, tt.status, tt.want)
			}
			if tt.status == 405 && w.Header().Get("Allow") == "" {
				t.Error("405 without Allow")
			}
		})
	}
}

func TestServer_BasePath(t *testing.T) {
	s, _ := newServer(t, setup{options: func(o *Options) { o.BasePath = "/app" }})
	for path, status := range map[string]int{
		"/app": 308, "/app/": 200, "/app/install": 200, "/app/widget.js": 200, "/app/panel/": 200, "/app/healthz": 200,
		"/app/web/style.css": 200, "/app/api/get-instance": 200,
		"/": 307, "/healthz": 200, "/readyz": 200, "/widget.js": 404, "/api/get-instance": 404, "/application": 404,
	} {
		if got := ask(s, "GET", path, "", "Authorization: "+visitor).Code; got != status {
			t.Errorf("%s answers %d, want %d", path, got, status)
		}
	}
	if ask(s, "GET", "/app/api/nothing", "").Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Error("no CORS under the base path")
	}
}

func TestServer_preflight(t *testing.T) {
	s, _ := newServer(t, setup{identity: callers{err: errors.New("a preflight must not be identified")}})
	w := ask(s, "OPTIONS", "/api/settings", "",
		"Origin: https://shop.example", "Access-Control-Request-Method: PUT",
		"Access-Control-Request-Headers: authorization,content-type,x-wix-linguist")
	want := map[string]string{
		"Access-Control-Allow-Origin":      "*",
		"Access-Control-Allow-Headers":     "authorization,content-type,x-wix-linguist",
		"Access-Control-Max-Age":           "7200",
		"Access-Control-Allow-Credentials": "",
	}
	if w.Code != 204 || !strings.Contains(w.Header().Get("Access-Control-Allow-Methods"), "PUT") {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
	for name, value := range want {
		if got := w.Header().Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
}

func TestPanel_FrameAncestors(t *testing.T) {
	s, _ := newServer(t, setup{})
	h := ask(s, "GET", "/panel/", "").Header()
	if h.Get("X-Frame-Options") != "" || strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors") {
		t.Errorf("the editor could not frame the panel: %v", h)
	}
	s, _ = newServer(t, setup{options: func(o *Options) { o.FrameAncestors = []string{"https://*.wix.com", "https://*.wixstudio.com"} }})
	if csp := ask(s, "GET", "/panel/", "").Header().Get("Content-Security-Policy"); !strings.HasSuffix(csp, "; frame-ancestors https://*.wix.com https://*.wixstudio.com") {
		t.Error(csp)
	}
}

func TestReadyz_whileDraining(t *testing.T) {
	s, _ := newServer(t, setup{options: func(o *Options) { o.Draining = func() bool { return true } }})
	if w := ask(s, "GET", "/readyz", ""); w.Code != 503 {
		t.Errorf("got %d", w.Code)
	}
}

type panicking struct{ refresher }

func (panicking) RequestRefresh(string) { panic("boom") }

func TestServer_panicIsInternal(t *testing.T) {
	s, log := newServer(t, setup{options: func(o *Options) { o.Production.Refresher = panicking{} }})
	w := ask(s, "GET", "/api/get-instance", "", "Authorization: "+visitor)
	if w.Code != 500 || !strings.Contains(w.Body.String(), `"code":"internal"`) || strings.Contains(w.Body.String(), "boom") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "boom") {
		t.Error("the panic is not in the log")
	}
}

type receiver func(body []byte) error

func (r receiver) Receive(_ context.Context, body []byte) error { return r(body) }

func TestPostWebhook(t *testing.T) {
	var got string
	accept := receiver(func(body []byte) error { got = string(body); return nil })
	refuse := receiver(func([]byte) error { return &apierr.Error{Code: apierr.WebhookRefused} })
	full := receiver(func([]byte) error { return &apierr.Error{Code: apierr.StoreUnavailable} })
	for _, tt := range []struct {
		name, method, body string
		webhooks           Webhooks
		status             int
		code               string
	}{
		{"a delivery is passed on whole", "POST", "a.b.c\n", accept, 200, ""},
		{"256 KB is the most", "POST", strings.Repeat("x", 256<<10), accept, 200, ""},
		{"257 KB is too much", "POST", strings.Repeat("x", 257<<10), accept, 413, "body_too_large"},
		{"another method", "GET", "", accept, 405, "method_not_allowed"},
		{"a refusal", "POST", "x", refuse, 401, "webhook_refused"},
		{"a full disk", "POST", "x", full, 503, "store_unavailable"},
		{"without a public key there is no such route", "POST", "x", nil, 404, "not_found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got = ""
			s, _ := newServer(t, setup{webhooks: tt.webhooks})
			w := ask(s, tt.method, "/webhooks/wix", tt.body)
			if slash := ask(s, tt.method, "/webhooks/wix/", tt.body).Code; slash != w.Code {
				t.Errorf("with a slash at the end: %d, without: %d", slash, w.Code)
			}
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.code) {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Body, tt.status, tt.code)
			}
			if want := tt.body; tt.status == 200 && got != want || tt.status != 200 && got != "" {
				t.Errorf("%d bytes were handed over", len(got))
			}
		})
	}
}

func TestGetInstance_removedUntilNewerToken(t *testing.T) {
	store := newStore(t)
	removed := time.Now().Add(-time.Minute)
	if _, _, err := store.ApplyEvent(t.Context(), instance.Event{
		ID: "1", InstanceID: site1, Kind: instance.EventRemoved, Type: "AppRemoved", At: removed, ReceivedAt: removed,
	}, removed); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		issued time.Time
		status int
	}{
		{"a token from before the removal", removed.Add(-time.Second), 401},
		{"a token of which Wix does not say when", time.Time{}, 401},
		{"a token from after it revives the instance", removed.Add(time.Second), 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := newServer(t, setup{store: store, identity: callers{issued: tt.issued}})
			for _, path := range []string{"/api/get-instance", "/api/get-instance-data", "/api/settings"} {
				w := ask(s, "GET", path, "", "Authorization: "+visitor)
				if w.Code != tt.status || tt.status == 401 && !strings.Contains(w.Body.String(), "token_inactive") {
					t.Errorf("%s: got %d %s, want %d", path, w.Code, w.Body, tt.status)
				}
			}
		})
	}
}

func TestIPExtractor(t *testing.T) {
	for _, tt := range []struct {
		name    string
		trusted []netip.Prefix
		remote  string
		xff     string
		want    string
	}{
		{"no peer is trusted by default", nil, "203.0.113.9:1", "1.2.3.4", "203.0.113.9"},
		{"not even the loopback", nil, "127.0.0.1:1", "1.2.3.4", "127.0.0.1"},
		{"a trusted proxy is", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, "10.1.1.1:1", "1.2.3.4", "1.2.3.4"},
		{"what a client adds in front is not", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, "10.1.1.1:1", "6.6.6.6, 1.2.3.4", "1.2.3.4"},
		{"a stranger behind no proxy is not", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, "203.0.113.9:1", "1.2.3.4", "203.0.113.9"},
		{"IPv6", []netip.Prefix{netip.MustParsePrefix("fd00::/8")}, "[fd00::1]:1", "2001:db8::5", "2001:db8::5"},
		{"with a port", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, "10.1.1.1:1", "1.2.3.4:5", "1.2.3.4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = tt.remote
			r.Header.Set("X-Forwarded-For", tt.xff)
			if got := ipExtractor(tt.trusted, slog.New(slog.DiscardHandler))(r); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestIPExtractor_warnsOnce(t *testing.T) {
	for _, tt := range []struct {
		name, remote, header string
		trusted              []netip.Prefix
		want                 string // what the one line contains; "" for no line
	}{
		{"no proxy is trusted", "203.0.113.9:1", "X-Forwarded-For", nil, "203.0.113.0/24"},
		{"another proxy is trusted", "[2001:db8:1:2::9]:1", "X-Forwarded-For", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, "2001:db8:1::/48"},
		{"the standard's header", "203.0.113.9:1", "Forwarded", nil, "203.0.113.0/24"},
		{"nothing is forwarded", "203.0.113.9:1", "Via", nil, ""},
		{"the proxy is trusted", "10.1.1.1:1", "X-Forwarded-For", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			extract := ipExtractor(tt.trusted, slog.New(slog.NewTextHandler(&log, nil)))
			for range 3 {
				r := httptest.NewRequest("GET", "/", nil)
				r.RemoteAddr = tt.remote
				r.Header.Set(tt.header, "1.2.3.4")
				extract(r)
			}
			lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
			if tt.want == "" && log.Len() > 0 || len(lines) != 1 ||
				tt.want != "" && !(strings.Contains(lines[0], tt.want) && strings.Contains(lines[0], product.EnvPrefix+"TRUSTED_PROXIES")) {
				t.Errorf("the log is %q, want one line about %q", &log, tt.want)
			}
		})
	}
}

func TestServer_clientGone(t *testing.T) {
	s, log := newServer(t, setup{identity: callers{err: context.Canceled}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, "GET", "/api/get-instance", nil)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != apierr.StatusClientGone || log.String() != "" {
		t.Errorf("got %d; log %s", w.Code, log)
	}
	_, _ = io.Copy(io.Discard, w.Body)
}

func TestServer_requestIDs(t *testing.T) {
	s, _ := newServer(t, setup{})
	for _, tt := range []struct {
		name, path string
		want       bool
	}{
		{"an answer of the API", "/api/get-instance", false},
		{"an error of the API", "/api/nothing", true},
		{"an error elsewhere", "/nowhere", true},
		{"a file", "/widget.js", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			get := func() string {
				return ask(s, "GET", tt.path, "", "Authorization: "+visitor, "X-Request-Id: the-client's").Header().Get("X-Request-Id")
			}
			first, second := get(), get()
			if (first != "") != tt.want || tt.want && first == second || strings.Contains(first, "client") {
				t.Errorf("got %q, then %q", first, second)
			}
		})
	}
}

func TestServer_exposedHeaders(t *testing.T) {
	s, _ := newServer(t, setup{})
	for _, tt := range []struct{ name, path, token, header string }{
		{"an error's id", "/api/get-instance", "other", "X-Request-Id"},
		{"the version of the settings", "/api/settings", owner, "ETag"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := ask(s, "GET", tt.path, "", "Authorization: "+tt.token).Header()
			exposed := strings.Split(h.Get("Access-Control-Expose-Headers"), ", ")
			if h.Get(tt.header) == "" || !slices.Contains(exposed, tt.header) || h.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: %q, exposed %q", tt.header, h.Get(tt.header), exposed)
			}
		})
	}
}
