package wixsim

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestREST_notSimulated(t *testing.T) {
	now := testTime
	var log bytes.Buffer
	s := newSim(t, func(c *Config) {
		c.Now = func() time.Time { return now }
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	log.Reset()
	for _, tt := range []struct {
		method, path string
		after        time.Duration
		api, logged  string // "": it is of no API, nothing is logged
	}{
		{"POST", "/stores/v3/products?x=secret", 0, "Stores", `msg="not simulated" api=Stores method=POST path=/stores/v3/products`},
		{"GET", "/stores-reader/v1/products", time.Minute - 1, "Stores", ""},
		{"GET", "/members/v1/members", 0, "Members", `api=Members method=GET path=/members/v1/members`},
		{"POST", "/stores/v1/products", 1, "Stores", `api=Stores`},
		{"GET", "/apps/v1/bi-event", 0, "App Management", `api="App Management"`},
		{"POST", "/oauth/access", 0, "OAuth", `api=OAuth`},
		{"GET", "/_api/bookings/v1/x", 0, "Bookings", `api=Bookings`},
		{"GET", "/something-new/v1", 0, "something-new", `api=something-new`},
		{"GET", "/" + strings.Repeat("é", 500), 0, strings.Repeat("é", 64), "api=" + strings.Repeat("é", 64) + " "},
		{"GET", "/favicon.ico", 0, "", ""},
		{"GET", "/.well-known/x", 0, "", ""},
		{"GET", "/", 0, "", ""},
	} {
		t.Run(tt.path[:min(len(tt.path), 40)], func(t *testing.T) {
			now = now.Add(tt.after)
			log.Reset()
			s.ClearCalls()
			w := ask(s.REST(), tt.method, tt.path, "{}")
			want := map[string]any{"message": "The offline Wix does not simulate this API: " + tt.api, "details": map[string]any{}}
			if tt.api == "" {
				want["message"] = "No such endpoint"
			}
			if diff := cmp.Diff(want, object(t, w)); w.Code != 404 || diff != "" || w.Header().Get("X-Wix-Request-Id") == "" {
				t.Error(w.Code, diff)
			}
			if call := s.Calls()[0]; call.NotSimulated != (tt.api != "") || call.Status != 404 {
				t.Errorf("%+v", call)
			}
			if tt.logged == "" && log.Len() > 0 || !strings.Contains(log.String(), tt.logged) || strings.Contains(log.String(), "secret") {
				t.Errorf("the log: %q", &log)
			}
		})
	}
	s.ClearCalls()
	for _, path := range []string{pathTokenInfo, pathToken, pathInstance} {
		ask(s.REST(), "DELETE", path, "")
	}
	for _, call := range s.Calls() {
		if call.NotSimulated {
			t.Errorf("%+v", call)
		}
	}
}

func TestNotices_areBounded(t *testing.T) {
	var n notices
	for i := range 3 * maxNotices {
		if !n.due(fmt.Sprint(i), testTime) {
			t.Fatalf("nothing is said about API %d", i)
		}
	}
	if len(n.last) > maxNotices {
		t.Errorf("%d are remembered", len(n.last))
	}
}
