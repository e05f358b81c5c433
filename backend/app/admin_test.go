package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/api"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
)

func TestAdminServer(t *testing.T) {
	m := newMetrics()
	store := newStore(t)
	at := time.Now()
	if _, err := store.Accept(t.Context(), instance.Event{ID: "e", InstanceID: "i", Kind: instance.EventOther, Type: "X", At: at, ReceivedAt: at}); err != nil {
		t.Fatal(err)
	}
	jobs, err := store.Claim(t.Context(), at, time.Minute, 1)
	if err != nil || len(jobs) != 1 {
		t.Fatal(jobs, err)
	}
	if err := store.Bury(t.Context(), jobs[0], "no use"); err != nil {
		t.Fatal(err)
	}
	m.watchDeadLetters(store)
	m.observe(api.Observation{Method: "GET", Route: "/api/get-instance", Status: 200, Took: time.Millisecond})
	m.observe(api.Observation{Method: "GET", Route: "/api/get-instance", Status: 401, Took: time.Millisecond})
	wix := m.countWix(roundTrip(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }))
	if _, err := wix.RoundTrip(httptest.NewRequest("POST", "https://wix.invalid/oauth2/token-info", nil)); err == nil {
		t.Error("the transport's own failure is lost")
	}
	m.countJob("refresh", "dead")

	admin, err := listenAdmin("127.0.0.1:0", m)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- admin.serve() }()
	defer func() {
		if err := admin.close(); err != nil {
			t.Error(err)
		}
		<-done
	}()
	get := func(host, path string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+admin.listener.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		res, err := http.DefaultClient.Do(r)
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
	status, body := get("localhost:9090", "/metrics")
	if status != 200 {
		t.Fatalf("metrics answer %d", status)
	}
	for _, line := range []string{
		product.MetricPrefix + `http_requests_total{route="/api/get-instance",status="200"} 1`,
		product.MetricPrefix + `http_requests_total{route="/api/get-instance",status="401"} 1`,
		product.MetricPrefix + `wix_calls_total{path="/oauth2/token-info",status="failed"} 1`,
		product.MetricPrefix + `jobs_total{kind="refresh",outcome="dead"} 1`,
		product.MetricPrefix + `dead_letters 1`,
	} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("%s is not there", line)
		}
	}
	for host, want := range map[string]int{"127.0.0.1:9090": 200, "[::1]:9090": 200, "localhost": 200, "evil.example": 421, "evil.example:9090": 421} {
		if status, _ := get(host, "/debug/pprof/cmdline"); status != want {
			t.Errorf("asked as %s it answers %d, want %d", host, status, want)
		}
	}
}

// newStore is an empty database in memory.
func newStore(t *testing.T) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), "sqlite::memory:", sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}
