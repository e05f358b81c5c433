package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/logging"
)

// withLog has the server log to a logger of its own.
func withLog(l *slog.Logger) func(*Options) {
	return func(o *Options) { o.Logger, o.Production.Logger = l, l }
}

// TestServer_logsRefusals has the one line of each kind of failed request.
func TestServer_logsRefusals(t *testing.T) {
	broken := func(context.Context, kit.Call) (any, error) { return nil, errors.New("the app is broken") }
	for _, tt := range []struct {
		name, method, path, body string
		headers                  []string
		want                     map[string]any
	}{
		{"a stranger", "GET", "/api/get-instance", "", nil,
			map[string]any{"level": "INFO", "msg": "request refused", "code": "token_missing", "status": 401.0, "route": "/api/get-instance"}},
		{"a visitor who is no owner", "PUT", "/api/settings", "{}", []string{"Authorization: " + visitor},
			map[string]any{"level": "INFO", "msg": "request refused", "code": "owner_required", "status": 403.0, "route": "/api/settings", "instanceId": site1, "subject": "VISITOR"}},
		{"a token without an instance", "PUT", "/api/settings", "{}", []string{"Authorization: " + nobody},
			map[string]any{"level": "INFO", "msg": "request refused", "code": "instance_required", "status": 403.0, "route": "/api/settings", "subject": "VISITOR"}},
		{"an owner without a version", "PUT", "/api/settings", "{}", []string{"Authorization: " + owner, isJSONHeader},
			map[string]any{"level": "INFO", "msg": "request refused", "code": "version_required", "status": 428.0, "route": "/api/settings", "instanceId": site1, "subject": "USER"}},
		{"a body that is no JSON", "POST", "/api/notes", "{", []string{"Authorization: " + visitor, isJSONHeader},
			map[string]any{"level": "INFO", "msg": "request refused", "code": "body_malformed", "status": 400.0, "route": "/api/notes", "instanceId": site1, "subject": "VISITOR", "cause": "the body is not JSON"}},
		{"an app that fails", "POST", "/api/notes", "{}", []string{"Authorization: " + visitor, isJSONHeader},
			map[string]any{"level": "ERROR", "msg": "request failed", "code": "internal", "status": 500.0, "route": "/api/notes", "instanceId": site1, "subject": "VISITOR", "cause": "the app is broken"}},
		{"a path that is not there", "GET", "/wp-login.php", "", nil,
			map[string]any{"level": "INFO", "msg": "request refused", "code": "not_found", "status": 404.0, "route": "unmatched"}},
		{"a method that nobody uses", "HACK", "/api/settings", "", nil,
			map[string]any{"level": "INFO", "msg": "request refused", "code": "method_not_allowed", "status": 405.0, "method": "_OTHER", "route": "/api/settings"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, log := newServer(t, setup{
				app: func(a *kit.App) {
					a.Routes = []kit.Route{{Method: "POST", Path: "notes", Role: identity.Visitor, Handle: broken}}
				},
				options: func(o *Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} },
			})
			r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
			r.Header.Set("X-Forwarded-For", "203.0.113.77")
			for _, h := range tt.headers {
				name, value, _ := strings.Cut(h, ": ")
				r.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			var line map[string]any
			if err := json.Unmarshal([]byte(log.String()), &line); err != nil {
				t.Fatalf("%v: %s", err, log)
			}
			delete(line, "time")
			tt.want["client"], tt.want["requestId"] = "203.0.113.0/24", w.Header().Get("X-Request-Id")
			if tt.want["method"] == nil {
				tt.want["method"] = tt.method
			}
			if diff := cmp.Diff(tt.want, line); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const isJSONHeader = "Content-Type: application/json"

// TestServer_floods has the log's lines of 2,000 requests that fail alike.
func TestServer_floods(t *testing.T) {
	for name, s := range map[string]setup{
		"of refusals":          {},
		"of a database outage": {store: &awayStore{read: errors.New("no such file")}},
	} {
		t.Run(name, func(t *testing.T) {
			var log lockedBuffer
			logger := logging.New(&log, slog.LevelInfo, logging.JSON)
			s.options = withLog(logger)
			server, _ := newServer(t, s)
			for i := range 2000 {
				token := visitor
				if s.store == nil {
					token = fmt.Sprint("junk ", i)
				}
				ask(server, "GET", "/api/get-instance", "", "Authorization: "+token)
			}
			logging.Flush(logger)
			lines := strings.Split(strings.TrimSpace(log.String()), "\n")
			t.Logf("%d lines of 2,000 requests", len(lines))
			if len(lines) > 200 || !strings.Contains(log.String(), `"dropped":`) {
				t.Errorf("%d lines; the last is %s", len(lines), lines[len(lines)-1])
			}
		})
	}
}

func TestServer_levelOfRefusals(t *testing.T) {
	var log lockedBuffer
	server, _ := newServer(t, setup{options: withLog(logging.New(&log, slog.LevelWarn, logging.Text))})
	ask(server, "GET", "/api/get-instance", "")
	if log.String() != "" {
		t.Errorf("logged %s", log.String())
	}
}
