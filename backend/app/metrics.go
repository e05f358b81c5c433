package app

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/nametag-dev/nametag/backend/api"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wix"
)

// The names of the metrics, as docs/operations.md lists them.
const (
	metricRequests    = product.MetricPrefix + "http_requests_total"
	metricDuration    = product.MetricPrefix + "http_request_duration_seconds"
	metricCallers     = product.MetricPrefix + "callers_total"
	metricWixCalls    = product.MetricPrefix + "wix_calls_total"
	metricJobs        = product.MetricPrefix + "jobs_total"
	metricDeadLetters = product.MetricPrefix + "dead_letters"
	metricJobsDue     = product.MetricPrefix + "jobs_due"
	metricJobsOldest  = product.MetricPrefix + "jobs_oldest_due_seconds"
	metricConnected   = product.MetricPrefix + "change_notifications_connected"
	// Those of OpenTelemetry's semantic conventions for HTTP, as Prometheus spells them.
	metricServer = "http_server_request_duration_seconds"
	metricClient = "http_client_request_duration_seconds"
)

// conventional are the buckets that the conventions advise.
var conventional = []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}

type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	server    *prometheus.HistogramVec
	callers   *prometheus.CounterVec
	wixCalls  *prometheus.CounterVec
	client    *prometheus.HistogramVec
	jobs      *prometheus.CounterVec
	connected prometheus.Gauge
	// register makes connected known, where there are notifications.
	register sync.Once

	// series are the handles of a request's metrics by outcome: finding one by its labels
	// costs more than counting. The map is replaced and never changed; mu is for those who
	// replace it.
	mu     sync.Mutex
	series atomic.Pointer[map[outcome]series]
}

// outcome is what the series of requests differ by. Each field has few values.
type outcome struct {
	method, route, code string
	status              int
}

type series struct {
	requests         prometheus.Counter
	duration, server prometheus.Observer
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: metricRequests, Help: "Answered requests, by route pattern, status and code of the error.",
		}, []string{"route", "status", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: metricDuration, Help: "Time from a request's arrival to its answer, in seconds, by route pattern.",
			Buckets: []float64{.0001, .0005, .001, .005, .025, .1, .5, 1, 5, 15},
		}, []string{"route"}),
		server: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: metricServer, Help: "The same by OpenTelemetry's conventions.", Buckets: conventional,
		}, []string{"http_request_method", "http_route", "http_response_status_code", "error_type"}),
		callers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: metricCallers, Help: "Requests of verified callers, by the subject type that token info names; \"other\" for one that Wix does not document.",
		}, []string{"subject"}),
		wixCalls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: metricWixCalls, Help: "Calls to Wix, by path (\"other\" for those of the app) and status; the status is \"failed\" when no answer came.",
		}, []string{"path", "status"}),
		client: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: metricClient, Help: "Time of a call to Wix until the answer's header, in seconds, by OpenTelemetry's conventions.", Buckets: conventional,
		}, []string{"http_request_method", "server_address", "server_port", "url_template", "http_response_status_code", "error_type"}),
		jobs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: metricJobs, Help: "Attempts at webhook events and refreshes from Wix, by kind and outcome; a \"dead\" one waits for a person.",
		}, []string{"kind", "outcome"}),
		connected: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: metricConnected, Help: "Whether changes by other replicas are noticed at once: 1, or 0 while the connection for it is lost.",
		}),
	}
	m.series.Store(new(map[outcome]series))
	m.registry.MustRegister(m.requests, m.duration, m.server, m.callers, m.wixCalls, m.client, m.jobs,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observe counts one answered request.
func (m *metrics) observe(o api.Observation) {
	key := outcome{o.Method, o.Route, o.Code, o.Status}
	s, ok := (*m.series.Load())[key]
	if !ok {
		s = m.add(key)
	}
	took := o.Took.Seconds()
	s.requests.Inc()
	s.duration.Observe(took)
	s.server.Observe(took)
}

func (m *metrics) add(key outcome) series {
	m.mu.Lock()
	defer m.mu.Unlock()
	status, errorType := strconv.Itoa(key.status), key.code
	if errorType == "" && key.status >= http.StatusInternalServerError {
		errorType = status // an answer of the app, without a code of ours
	}
	s := series{
		m.requests.WithLabelValues(key.route, status, key.code),
		m.duration.WithLabelValues(key.route),
		m.server.WithLabelValues(key.method, key.route, status, errorType),
	}
	all := maps.Clone(*m.series.Load())
	if all == nil {
		all = make(map[outcome]series)
	}
	all[key] = s
	m.series.Store(&all)
	return s
}

// countCallers counts who calls.
func (m *metrics) countCallers(next api.Identity) api.Identity {
	c := countedCallers{next, map[wix.SubjectType]prometheus.Counter{}, m.callers.WithLabelValues("other")}
	for _, subject := range []wix.SubjectType{wix.SubjectUnknown, wix.SubjectUser, wix.SubjectVisitor, wix.SubjectMember, wix.SubjectApp} {
		c.of[subject] = m.callers.WithLabelValues(string(subject))
	}
	return c
}

type countedCallers struct {
	api.Identity
	of    map[wix.SubjectType]prometheus.Counter
	other prometheus.Counter
}

func (c countedCallers) Verify(ctx context.Context, source string, authorization []string) (identity.Identification, error) {
	who, err := c.Identity.Verify(ctx, source, authorization)
	return c.count(who, err)
}

func (c countedCallers) VerifyToken(ctx context.Context, source, token string) (identity.Identification, error) {
	who, err := c.Identity.VerifyToken(ctx, source, token)
	return c.count(who, err)
}

func (c countedCallers) count(who identity.Identification, err error) (identity.Identification, error) {
	if err != nil {
		return who, err
	}
	counter, known := c.of[who.Caller.Subject]
	if !known {
		counter = c.other
	}
	counter.Inc()
	return who, nil
}

// countJob counts one try of a job.
func (m *metrics) countJob(kind, outcome string) { m.jobs.WithLabelValues(kind, outcome).Inc() }

// setConnected reports whether change notifications arrive. Where there are none, nobody
// calls it, and the metric does not exist.
func (m *metrics) setConnected(on bool) {
	value := 0.0
	if on {
		value = 1
	}
	m.connected.Set(value)
	m.register.Do(func() { m.registry.MustRegister(m.connected) })
}

// countWix counts the calls that go through a transport to Wix.
func (m *metrics) countWix(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		start := time.Now()
		res, err := next.RoundTrip(r)
		took := time.Since(start).Seconds()
		status, answered, errorType := "failed", "", ""
		if err == nil {
			answered = strconv.Itoa(res.StatusCode)
			status = answered
			if res.StatusCode >= http.StatusBadRequest {
				errorType = answered
			}
		} else {
			errorType = failure(err)
		}
		path := wixPath(r.URL.Path)
		m.wixCalls.WithLabelValues(path, status).Inc()
		m.client.WithLabelValues(r.Method, r.URL.Hostname(), port(r), path, answered, errorType).Observe(took)
		return res, err
	})
}

// failure is the kind of a failed call.
func failure(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "timeout"
	}
	return "_OTHER"
}

func port(r *http.Request) string {
	if p := r.URL.Port(); p != "" {
		return p
	}
	if r.URL.Scheme == "http" {
		return "80"
	}
	return "443"
}

// wixPath is the path of a call that Nametag itself makes, or "other": the paths that an
// app calls hold ids, which would make the series endless.
func wixPath(path string) string {
	for _, known := range []string{"/oauth2/token-info", "/oauth2/token", "/apps/v1/instance"} {
		if strings.HasSuffix(path, known) {
			return known
		}
	}
	return "other"
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
