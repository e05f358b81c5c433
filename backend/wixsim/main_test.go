package wixsim

// What the tests of this package share.

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testAppID  = "7f58c233-72b6-4e45-889c-56aca8dbb2ba"
	testSecret = "5e3c1b1e-0f52-4a4c-9a67-6f3f1f7a3d21"
	otherAppID = "0b1f3f0e-7b57-4b43-b5a4-0a4a8f9a9f10"
	noSuchID   = "00000000-0000-4000-8000-000000000000"
)

// testTime is the time of the tests' Sim: half a second past a full one.
var testTime = time.Date(2026, 5, 4, 3, 2, 1, 5e8, time.UTC)

func newSim(t *testing.T, change ...func(*Config)) *Sim {
	t.Helper()
	cfg := Config{AppID: testAppID, AppSecret: testSecret, Now: func() time.Time { return testTime }}
	for _, c := range change {
		c(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// behaving changes the default behavior.
func behaving(change func(*Behavior)) func(*Config) {
	b := DefaultBehavior()
	change(&b)
	return func(c *Config) { c.Behavior = &b }
}

func mint(t *testing.T, s *Sim, req TokenRequest) string {
	t.Helper()
	token, _, err := s.Mint(req)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func install(t *testing.T, s *Sim, req InstallRequest) Installation {
	t.Helper()
	in, err := s.Install(req)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// ask sends one request. header holds names and values in turn.
func ask(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:8081"+path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func object(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("the answer is no JSON object: %v: %.200s", err, w.Body)
	}
	return v
}

// quote makes a JSON object of names and text values in turn.
func quote(pairs ...string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	b, _ := json.Marshal(m)
	return string(b)
}
