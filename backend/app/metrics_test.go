package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/api"
)

var known = api.Observation{Method: "GET", Route: "/api/get-instance", Status: 200, Took: 2 * time.Microsecond}

func TestMetrics_observeIsCheap(t *testing.T) {
	m := newMetrics()
	m.observe(known)
	if n := testing.AllocsPerRun(100, func() { m.observe(known) }); n != 0 {
		t.Errorf("%v allocations for a request", n)
	}
}

func BenchmarkMetrics_observe(b *testing.B) {
	m := newMetrics()
	b.ReportAllocs()
	for b.Loop() {
		m.observe(known)
	}
}

func TestMetrics_observeAtTheSameTime(t *testing.T) {
	m := newMetrics()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 100 {
				m.observe(api.Observation{Method: "GET", Route: fmt.Sprint("/", i%10), Status: 200})
			}
		})
	}
	all.Wait()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != metricRequests {
			continue
		}
		for _, metric := range family.Metric {
			if n := metric.Counter.GetValue(); n != 40 {
				t.Errorf("%v was counted %v times, want 40", metric.Label, n)
			}
		}
		if n := len(family.Metric); n != 10 {
			t.Errorf("%d series, want 10", n)
		}
	}
}

// TestMetrics_errorTypes holds the error of a request and of a call to the conventions.
func TestMetrics_errorTypes(t *testing.T) {
	m := newMetrics()
	for _, tt := range []struct {
		status int
		code   string
		want   string
	}{
		{200, "", ""},
		{404, "", ""},
		{418, "teapot", "teapot"},
		{503, "store_unavailable", "store_unavailable"},
		{500, "", "500"},
	} {
		m.observe(api.Observation{Method: "PUT", Route: "/x", Status: tt.status, Code: tt.code})
		if m.server.DeleteLabelValues("PUT", "/x", fmt.Sprint(tt.status), tt.want) != true {
			t.Errorf("%d %q is not counted as %q", tt.status, tt.code, tt.want)
		}
	}
	for _, tt := range []struct {
		err            error
		status         int
		answered, want string
	}{
		{nil, 200, "200", ""},
		{nil, 429, "429", "429"},
		{fmt.Errorf("x: %w", context.Canceled), 0, "", "canceled"},
		{context.DeadlineExceeded, 0, "", "timeout"},
		{os.ErrDeadlineExceeded, 0, "", "timeout"},
		{errors.New("tls: bad certificate"), 0, "", "_OTHER"},
	} {
		wix := m.countWix(roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: tt.status, Body: http.NoBody}, tt.err
		}))
		if res, err := wix.RoundTrip(httptest.NewRequest("GET", "http://127.0.0.1:8081/apps/v1/instance", nil)); err == nil {
			res.Body.Close()
		}
		if m.client.DeleteLabelValues("GET", "127.0.0.1", "8081", "/apps/v1/instance", tt.answered, tt.want) != true {
			t.Errorf("%d %v is not counted as %q", tt.status, tt.err, tt.want)
		}
	}
}

func TestMetrics_onSQLite(t *testing.T) {
	if all := start(t).metrics(); all[metricConnected] != nil || all[metricDeadLetters] == nil {
		t.Errorf("a database without change notifications has the metrics %v", all)
	}
}
