package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
)

type review struct {
	Stars int    `json:"stars"`
	Text  string `json:"text"`
}

var reviewLimit = apierr.Code{Name: "review_limit", Status: http.StatusPaymentRequired, Message: "The free plan has no more reviews."}

// reviews are the own routes of these tests.
func reviews(app *kit.App) {
	app.Errors = []apierr.Code{reviewLimit}
	app.Routes = []kit.Route{
		{Method: "GET", Path: "reviews", Role: identity.Visitor, Handle: func(_ context.Context, c kit.Call) (any, error) {
			return []string{string(c.Caller.Role), c.URL.Query().Get("sort"), string(c.Instance.Settings)}, nil
		}},
		{Method: "POST", Path: "reviews", Role: identity.Visitor, Handle: kit.Body(func(_ context.Context, c kit.Call, r review) (any, error) {
			switch r.Text {
			case "limit":
				return nil, &apierr.Error{Code: reviewLimit, Err: errors.New("a secret cause")}
			case "panic":
				panic("boom")
			case "error":
				return nil, errors.New("a secret cause")
			case "channel":
				return make(chan int), nil
			case "status":
				return kit.Reply{Status: 1000, Body: 1}, nil
			case "code":
				return nil, &apierr.Error{}
			}
			c.Log().Info("reviewed")
			return kit.Reply{Status: http.StatusCreated, Body: r}, nil
		})},
		{Method: "GET", Path: "record", Role: identity.Visitor, Handle: func(context.Context, kit.Call) (any, error) {
			return kit.Reply{Status: http.StatusAccepted, OfInstance: func(c kit.Call) any { return c.Instance.ID }}, nil
		}},
		{Method: "DELETE", Path: "reviews/:id", Role: identity.Owner, Handle: func(_ context.Context, c kit.Call) (any, error) {
			if c.Params["id"] != "7" {
				return nil, &apierr.Error{Code: apierr.NotFound}
			}
			return nil, nil
		}},
		{Method: "PATCH", Path: "reviews/:id", Role: identity.App, Handle: func(context.Context, kit.Call) (any, error) { return "patched", nil }},
	}
}

func TestServer_ownRoutes(t *testing.T) {
	s, log := newServer(t, setup{app: reviews})
	const isJSON = "Content-Type: application/json"
	for _, tt := range []struct {
		name, method, path, token, body string
		headers                         []string
		status                          int
		want                            string // part of the answer
	}{
		{"a visitor reads", "GET", "/api/reviews?sort=new", visitor, "", nil, 200, `["visitor","new","{\"greeting\":\"Hello\"}"]`},
		{"the app may what an owner may", "DELETE", "/api/reviews/7", elevated, "", nil, 204, ""},
		{"the app where it is required", "PATCH", "/api/reviews/7", elevated, "{}", []string{isJSON}, 200, `"patched"`},
		{"an owner may what a visitor may", "GET", "/api/reviews", owner, "", nil, 200, `"owner"`},
		{"HEAD works where GET does", "HEAD", "/api/reviews", visitor, "", nil, 200, ""},
		{"an answer that is made of the record", "GET", "/api/record", visitor, "", nil, 202, `"` + site1 + `"`},
		{"a visitor writes", "POST", "/api/reviews", visitor, `{"stars":5,"text":"fine"}`, []string{isJSON}, 201, `{"stars":5,"text":"fine"}`},
		{"an owner deletes", "DELETE", "/api/reviews/7", owner, "", nil, 204, ""},
		{"the handler's own 404", "DELETE", "/api/reviews/8", owner, "", nil, 404, `"code":"not_found"`},

		{"no token", "GET", "/api/reviews", "", "", nil, 401, `"code":"token_missing"`},
		{"a visitor where the owner is required", "DELETE", "/api/reviews/7", visitor, "", nil, 403, `"code":"owner_required"`},
		{"an owner where the app is required", "PATCH", "/api/reviews/7", owner, "{}", []string{isJSON}, 403, `"code":"app_required"`},
		{"a token without an instance reads", "GET", "/api/reviews", nobody, "", nil, 403, `"code":"instance_required"`},
		{"a token without an instance writes", "POST", "/api/reviews", nobody, `{"stars":5}`, []string{isJSON}, 403, `"code":"instance_required"`},
		{"a wrong method", "PUT", "/api/reviews", visitor, "{}", []string{isJSON}, 405, `"code":"method_not_allowed"`},

		{"no body", "POST", "/api/reviews", visitor, "", []string{isJSON}, 422, `"fields":[{"name":"","reason":"is required"}]`},
		{"a form", "POST", "/api/reviews", visitor, "stars=5", nil, 415, `"code":"unsupported_media_type"`},
		{"broken JSON", "POST", "/api/reviews", visitor, "{", []string{isJSON}, 400, `"code":"body_malformed"`},
		{"a wrong type", "POST", "/api/reviews", visitor, `{"stars":"5"}`, []string{isJSON}, 422, `"fields":[{"name":"stars","reason":"must be of type integer"}]`},
		{"an unknown field", "POST", "/api/reviews", visitor, `{"star":5}`, []string{isJSON}, 422, `"fields":[{"name":"star","reason":"is not a known field"}]`},
		{"too long a body", "POST", "/api/reviews", visitor, `{"text":"` + strings.Repeat("x", 1<<20) + `"}`, []string{isJSON}, 413, `"code":"body_too_large"`},

		{"an own error code", "POST", "/api/reviews", visitor, `{"text":"limit"}`, []string{isJSON}, 402, `"error":"The free plan has no more reviews.","code":"review_limit"`},
		{"a panic", "POST", "/api/reviews", visitor, `{"text":"panic"}`, []string{isJSON}, 500, `"code":"internal"`},
		{"an error", "POST", "/api/reviews", visitor, `{"text":"error"}`, []string{isJSON}, 500, `"code":"internal"`},
		{"a status that does not exist", "POST", "/api/reviews", visitor, `{"text":"status"}`, []string{isJSON}, 500, `"code":"internal"`},
		{"an error without a code", "POST", "/api/reviews", visitor, `{"text":"code"}`, []string{isJSON}, 500, `"code":"internal"`},
		{"what is no JSON value", "POST", "/api/reviews", visitor, `{"text":"channel"}`, []string{isJSON}, 500, `"code":"internal"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			headers := tt.headers
			if tt.token != "" {
				headers = append(headers, "Authorization: "+tt.token)
			}
			w := ask(s, tt.method, tt.path, tt.body, headers...)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("got %d %s\nwant %d %s", w.Code, w.Body, tt.status, tt.want)
			}
			if strings.Contains(w.Body.String(), "secret") || strings.Contains(w.Body.String(), "boom") {
				t.Errorf("the client sees the cause: %s", w.Body)
			}
			if got := w.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control %q", got)
			}
			if w.Header().Get("Access-Control-Allow-Origin") != "*" {
				t.Error("no CORS header")
			}
		})
	}
	for _, want := range []string{`"route":"/api/reviews"`, "boom", "a secret cause", `"msg":"reviewed","instanceId":"` + site1} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
}

func TestServer_preflight_methodsOfRoutes(t *testing.T) {
	for _, tt := range []struct {
		name string
		app  func(*kit.App)
		want string
	}{
		{"without own routes", nil, "GET, HEAD, OPTIONS, PATCH, POST, PUT"},
		{"with own routes", reviews, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := newServer(t, setup{app: tt.app})
			if got := ask(s, "OPTIONS", "/api/reviews/7", "").Header().Get("Access-Control-Allow-Methods"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestServer_functionThatBlocks(t *testing.T) {
	release := make(chan struct{})
	blocked := func(path string, handle kit.Handler) kit.Route {
		return kit.Route{Method: "GET", Path: path, Role: identity.Visitor, Handle: handle}
	}
	s, log := newServer(t, setup{
		app: func(a *kit.App) {
			a.Routes = []kit.Route{
				blocked("deaf", func(context.Context, kit.Call) (any, error) { <-release; return "late", nil }),
				blocked("polite", func(ctx context.Context, _ kit.Call) (any, error) { <-ctx.Done(); return nil, ctx.Err() }),
				blocked("quick", func(context.Context, kit.Call) (any, error) { return "quick", nil }),
			}
		},
		options: func(o *Options) { o.Production.timeout = 50 * time.Millisecond },
	})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) }) // before the server's, which waits for its handlers
	get := func(path string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/"+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", visitor)
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	for _, path := range []string{"deaf", "polite"} {
		if status, body := get(path); status != 500 || !strings.Contains(body, `"code":"internal"`) {
			t.Errorf("%s: %d %s", path, status, body)
		}
		if !strings.Contains(log.String(), `"route":"/api/`+path+`"`) || !strings.Contains(log.String(), "has not returned after 50ms") {
			t.Errorf("the log does not name %s: %s", path, log)
		}
		if status, body := get("quick"); status != 200 || body != `"quick"` {
			t.Errorf("after %s: %d %s", path, status, body)
		}
	}
}

func TestRunner_errorOf(t *testing.T) {
	away := errors.New("connection refused")
	r := &runner{unavailable: func(err error) bool { return errors.Is(err, away) }}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name string
		ctx  context.Context
		err  error
		want apierr.Code
	}{
		{"a code of its own", t.Context(), &apierr.Error{Code: reviewLimit}, reviewLimit},
		{"a database that is away", t.Context(), fmt.Errorf("query: %w", away), apierr.StoreUnavailable},
		{"an instance that was removed", t.Context(), fmt.Errorf("write: %w", instance.ErrRemoved), apierr.TokenInactive},
		{"an instance that was purged", t.Context(), instance.ErrNotFound, apierr.TokenInactive},
		{"anything else", t.Context(), errors.New("x"), apierr.Internal},
	} {
		if got := toAPIError(r.errorOf(tt.ctx, tt.err)).Code; got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if err := r.errorOf(gone, fmt.Errorf("query: %w", context.Canceled)); err != context.Canceled {
		t.Errorf("a client that has gone: %v", err)
	}
}

func TestGetInstance_ofAnApp(t *testing.T) {
	profile := instance.Profile{SiteDisplayName: "Lantern"}
	for _, tt := range []struct {
		name   string
		answer any
		status int
		body   string
		cache  string
	}{
		{"any JSON value", []int{1, 2}, 200, `[1,2]`, "private, max-age=30"},
		{"one that must not be used again", kit.Reply{Body: 7, NoReuse: true}, 200, `7`, "private, no-cache"},
		{"a status of its own", kit.Reply{Body: 7, Status: 418}, 418, `7`, "no-store"},
		{"nothing", nil, 204, ``, "no-store"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := newStore(t)
			s, _ := newServer(t, setup{store: store, app: func(a *kit.App) {
				a.Answer = func(context.Context, kit.Call) (any, error) { return tt.answer, nil }
			}})
			ask(s, "GET", "/api/get-instance", "", "Authorization: "+visitor)
			if _, err := store.SaveProfile(t.Context(), site1, profile, time.Now()); err != nil {
				t.Fatal(err)
			}
			w := ask(s, "GET", "/api/get-instance", "", "Authorization: "+visitor)
			if w.Code != tt.status || w.Body.String() != tt.body || w.Header().Get("Cache-Control") != tt.cache {
				t.Errorf("got %d %q, %s", w.Code, w.Body, w.Header().Get("Cache-Control"))
			}
		})
	}
}

func TestGetInstance_post(t *testing.T) {
	s, _ := newServer(t, setup{})
	for _, tt := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"the token is the body", visitor, 200, `{"status":"Success","settings":{"greeting":"Hello"},"instance":{}}`},
		{"an owner's", owner, 200, site1},
		{"one without an instance", nobody, 200, `{"status":"No instance ID."}`},
		{"no body", "", 401, "token_missing"},
		{"another", "x", 401, "token_missing"},
		{"too long a body", strings.Repeat("x", 16<<10+1), 413, "body_too_large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// What makes the request CORS-simple: no header but a simple Content-Type.
			w := ask(s, "POST", "/api/get-instance", tt.body, "Content-Type: text/plain")
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Body, tt.status, tt.want)
			}
			if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("headers %v", w.Header())
			}
		})
	}
	get := ask(s, "GET", "/api/get-instance", "", "Authorization: "+owner).Body.String()
	post := ask(s, "POST", "/api/get-instance", owner).Body.String()
	if !json.Valid([]byte(post)) || post != get {
		t.Errorf("POST answers %s\nGET answers  %s", post, get)
	}
}

func TestPutSettings_withoutInstance(t *testing.T) {
	s, _ := newServer(t, setup{identity: callers{role: identity.Owner}})
	w := ask(s, "PUT", "/api/settings", "{}", "Authorization: "+nobody)
	if w.Code != 403 || !strings.Contains(w.Body.String(), "instance_required") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
