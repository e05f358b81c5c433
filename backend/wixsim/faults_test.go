package wixsim

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestFault_answers(t *testing.T) {
	const shape = `{"details":{},"message":"Service Unavailable"}` + "\n"
	tests := map[string]struct {
		fault  Fault
		status int
		body   string
		header map[string]string
	}{
		"a status comes in Wix's shape":    {Fault{Status: 503}, 503, shape, map[string]string{"Content-Type": "application/json"}},
		"Retry-After":                      {Fault{Status: 503, RetryAfter: 2 * time.Second}, 503, shape, map[string]string{"Retry-After": "2"}},
		"Retry-After is rounded up":        {Fault{Status: 503, RetryAfter: 1001 * time.Millisecond}, 503, shape, map[string]string{"Retry-After": "2"}},
		"no Retry-After unless asked for":  {Fault{Status: 503}, 503, shape, map[string]string{"Retry-After": ""}},
		"a good status, and nothing else":  {Fault{Status: 200}, 200, "", nil},
		"a status that is not even Wix's":  {Fault{Status: 204}, 204, "", nil},
		"garbage":                          {Fault{Body: "garbage"}, 200, "garbage", map[string]string{"Content-Type": "application/json"}},
		"half an object":                   {Fault{Body: `{"active":tr`}, 200, `{"active":tr`, nil},
		"HTML":                             {Fault{Status: 502, Body: "<h1>Bad Gateway</h1>"}, 502, "<h1>Bad Gateway</h1>", map[string]string{"Content-Type": "text/html; charset=utf-8"}},
		"a body of a size":                 {Fault{BodyBytes: 15}, 200, `{"padding":"...`, nil},
		"a body of a byte":                 {Fault{BodyBytes: 1}, 200, `{`, nil},
		"a body of ten megabytes":          {Fault{BodyBytes: 10 << 20}, 200, `{"padding":"` + strings.Repeat(".", 10<<20-12), nil},
		"latency alone changes no answer":  {Fault{Latency: time.Nanosecond}, 200, `{"active":false}` + "\n", nil},
		"latency and a status":             {Fault{Latency: time.Nanosecond, Status: 503}, 503, shape, nil},
		"by path":                          {Fault{Endpoint: "/oauth2/token-info", Status: 503}, 503, shape, nil},
		"by name":                          {Fault{Endpoint: "token-info", Status: 503}, 503, shape, nil},
		"everywhere":                       {Fault{Endpoint: "*", Status: 503}, 503, shape, nil},
		"elsewhere, by name":               {Fault{Endpoint: "token", Status: 503}, 200, `{"active":false}` + "\n", nil},
		"elsewhere, by path":               {Fault{Endpoint: "/apps/v1/instance", Status: 503}, 200, `{"active":false}` + "\n", nil},
		"a body that looks like an answer": {Fault{Body: `{"active":true}`}, 200, `{"active":true}`, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSim(t)
			if err := s.SetFault(tt.fault); err != nil {
				t.Fatal(err)
			}
			for range 2 { // it stays until it is cleared
				w := ask(s.REST(), "POST", "/oauth2/token-info", `{"token":"?"}`)
				if w.Code != tt.status || w.Body.String() != tt.body || w.Header().Get("X-Wix-Request-Id") == "" {
					t.Errorf("%d, %d bytes: %.100s", w.Code, w.Body.Len(), w.Body)
				}
				for k, v := range tt.header {
					if got := w.Header().Get(k); got != v {
						t.Errorf("%s is %q, want %q", k, got, v)
					}
				}
			}
			s.ClearFaults()
			if w := ask(s.REST(), "POST", "/oauth2/token-info", `{"token":"?"}`); w.Code != 200 || w.Body.String() != `{"active":false}`+"\n" {
				t.Errorf("after the fault: %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestSetFault_replacesAndCounts(t *testing.T) {
	s := newSim(t)
	set := func(f Fault) {
		t.Helper()
		if err := s.SetFault(f); err != nil {
			t.Fatal(err)
		}
	}
	status := func(path string) int { return ask(s.REST(), "POST", path, `{"token":"?"}`).Code }
	set(Fault{Endpoint: "*", Status: 500, Count: 2})
	set(Fault{Endpoint: "token-info", Status: 429})
	set(Fault{Endpoint: "/oauth2/token-info", Status: 504, Count: 2}) // replaces the line above
	var got []int
	for range 4 {
		got = append(got, status("/oauth2/token-info"))
	}
	got = append(got, status("/oauth2/token"), status("/nowhere"))
	want := []int{504, 504, 500, 500, 400, 404}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}

func TestSetFault_refuses(t *testing.T) {
	s := newSim(t)
	tests := map[string]Fault{
		"an empty fault":               {},
		"an endpoint and nothing":      {Endpoint: "token", Count: 1},
		"an unknown endpoint":          {Endpoint: "/oauth2", Status: 503},
		"a status too low":             {Status: 100},
		"a status too high":            {Status: 600},
		"a negative status":            {Status: -1},
		"negative latency":             {Latency: -1},
		"endless latency":              {Latency: maxLatency + 1},
		"a negative size":              {BodyBytes: -1},
		"a size too large":             {BodyBytes: maxBodyBytes + 1},
		"a body and a size":            {Body: "x", BodyBytes: 1},
		"a body too large":             {Body: strings.Repeat("x", maxBody+1)},
		"a negative Retry-After":       {Status: 503, RetryAfter: -1},
		"an endless Retry-After":       {Status: 503, RetryAfter: 25 * time.Hour},
		"Retry-After with no status":   {Body: "x", RetryAfter: time.Second},
		"a negative count":             {Status: 503, Count: -1},
		"an outage that answers":       {Outage: true, Status: 503},
		"an outage with a body":        {Outage: true, Body: "x"},
		"an outage that also hangs up": {Outage: true, HangUp: true},
	}
	for name, fault := range tests {
		t.Run(name, func(t *testing.T) {
			if err := s.SetFault(fault); err == nil {
				t.Error("it was set")
			}
			if w := ask(s.REST(), "POST", "/oauth2/token-info", `{"token":"?"}`); w.Code != 200 {
				t.Errorf("something was set: %d", w.Code)
			}
		})
	}
}

// The cuts are seen from the other end of a real connection.
func TestFault_cutsTheConnection(t *testing.T) {
	tests := map[string]struct {
		fault    Fault
		answered bool // whether the start of an answer arrives
		status   int  // of the log
		body     string
	}{
		"an outage":                 {Fault{Outage: true}, false, 0, ""},
		"a late outage":             {Fault{Outage: true, Latency: time.Millisecond}, false, 0, ""},
		"a hang-up":                 {Fault{HangUp: true}, true, 200, ""},
		"a hang-up within the body": {Fault{HangUp: true, Body: `{"active":`}, true, 200, `{"active":`},
		"a hang-up within an error": {Fault{HangUp: true, Status: 500, BodyBytes: 100000}, true, 500, `{"padding":"` + strings.Repeat(".", 99988)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSim(t)
			server := httptest.NewServer(s.Handler())
			defer server.Close()
			tt.fault.Count = 1
			if err := s.SetFault(tt.fault); err != nil {
				t.Fatal(err)
			}
			post := func() (*http.Response, error) {
				return server.Client().Post(server.URL+"/oauth2/token-info", "application/json", strings.NewReader(`{"token":"?"}`))
			}
			res, err := post()
			if (err == nil) != tt.answered {
				t.Fatalf("answered: %v", err)
			}
			if err == nil {
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if !errors.Is(err, io.ErrUnexpectedEOF) || string(body) != tt.body || res.StatusCode != tt.status {
					t.Errorf("%d, %d bytes, %v", res.StatusCode, len(body), err)
				}
			}
			if calls := s.Calls(); len(calls) != 1 || calls[0].Status != tt.status {
				t.Errorf("the log has %v", calls)
			}
			res, err = post()
			if err != nil {
				t.Fatal("after the fault: ", err)
			}
			defer res.Body.Close()
			var info map[string]any
			if err := json.NewDecoder(res.Body).Decode(&info); err != nil || info["active"] != false {
				t.Errorf("after the fault: %v %v", info, err)
			}
		})
	}
}

func TestFault_latencyTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, func(c *Config) { c.Now = time.Now })
		if err := s.SetFault(Fault{Latency: 3 * time.Second}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		w := ask(s.REST(), "POST", "/oauth2/token-info", `{"token":"?"}`)
		if took := time.Since(start); w.Code != 200 || took != 3*time.Second || s.Calls()[0].Duration != took {
			t.Errorf("%d after %v, logged as %v", w.Code, took, s.Calls()[0].Duration)
		}
	})
}

func TestFault_latencyEndsWhenTheCallerGivesUp(t *testing.T) {
	s := newSim(t)
	if err := s.SetFault(Fault{Latency: maxLatency}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	defer server.Close() // waits for the handler: it would outlast the test's own time limit
	// A body must not hide that the caller has gone.
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		r, err := http.NewRequestWithContext(ctx, method, server.URL+"/oauth2/token-info", strings.NewReader(`{"token":"?"}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := server.Client().Do(r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", method, err)
		}
		cancel()
	}
}
