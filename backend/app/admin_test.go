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
	if err := store.RequestRefresh(t.Context(), "i", at.Add(time.Hour)); err != nil { // by another clock
		t.Fatal(err)
	}
	m.watchDeadLetters(store)
	m.observe(api.Observation{Method: "GET", Route: "/api/get-instance", Status: 200, Took: time.Millisecond})
	m.observe(api.Observation{Method: "GET", Route: "/api/get-instance", Status: 401, Code: "token_expired", Took: time.Millisecond})
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
		product.MetricPrefix + `http_requests_total{code="",route="/api/get-instance",status="200"} 1`,
		product.MetricPrefix + `http_requests_total{code="token_expired",route="/api/get-instance",status="401"} 1`,
		`http_server_request_duration_seconds_count{error_type="",http_request_method="GET",http_response_status_code="200",http_route="/api/get-instance"} 1`,
		`http_server_request_duration_seconds_count{error_type="token_expired",http_request_method="GET",http_response_status_code="401",http_route="/api/get-instance"} 1`,
		`http_client_request_duration_seconds_count{error_type="_OTHER",http_request_method="POST",http_response_status_code="",server_address="wix.invalid",server_port="443",url_template="/oauth2/token-info"} 1`,
		product.MetricPrefix + `wix_calls_total{path="/oauth2/token-info",status="failed"} 1`,
		product.MetricPrefix + `jobs_total{kind="refresh",outcome="dead"} 1`,
		product.MetricPrefix + `dead_letters 1`,
		product.MetricPrefix + `jobs_due 1`,
		product.MetricPrefix + `jobs_oldest_due_seconds 0`,
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
