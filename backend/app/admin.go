package app

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/nametag-dev/nametag/backend/api"
	"github.com/nametag-dev/nametag/backend/product"
)

// The names of the metrics, as docs/operations.md lists them.
const (
	metricRequests = product.MetricPrefix + "http_requests_total"
	metricDuration = product.MetricPrefix + "http_request_duration_seconds"
	metricWixCalls = product.MetricPrefix + "wix_calls_total"
	metricJobs     = product.MetricPrefix + "jobs_total"
)

type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	wixCalls *prometheus.CounterVec
	jobs     *prometheus.CounterVec
	// series are the handles of requests and duration by outcome: finding one by its labels
	// costs more than counting.
	series sync.Map
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: metricRequests, Help: "Answered requests, by route pattern and status.",
		}, []string{"route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: metricDuration, Help: "Time from a request's arrival to its answer, in seconds, by route pattern.",
			Buckets: []float64{.0001, .0005, .001, .005, .025, .1, .5, 1, 5, 15},
		}, []string{"route"}),
		wixCalls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: metricWixCalls, Help: "Calls to Wix, by path (\"other\" for those of the app) and status; the status is \"failed\" when no answer came.",
		}, []string{"path", "status"}),
		jobs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: metricJobs, Help: "Attempts at webhook events and refreshes from Wix, by kind and outcome; a \"dead\" one waits for a person.",
		}, []string{"kind", "outcome"}),
	}
	m.registry.MustRegister(m.requests, m.duration, m.wixCalls, m.jobs,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observe counts one answered request.
func (m *metrics) observe(o api.Observation) {
	key := outcome{o.Route, o.Status}
	s, ok := m.series.Load(key)
	if !ok {
		s, _ = m.series.LoadOrStore(key, series{
			m.requests.WithLabelValues(o.Route, strconv.Itoa(o.Status)), m.duration.WithLabelValues(o.Route),
		})
	}
	s.(series).requests.Inc()
	s.(series).duration.Observe(o.Took.Seconds())
}

type outcome struct {
	route  string
	status int
}

type series struct {
	requests prometheus.Counter
	duration prometheus.Observer
}

// countJob counts one try of a job.
func (m *metrics) countJob(kind, outcome string) { m.jobs.WithLabelValues(kind, outcome).Inc() }

// countWix counts the calls that go through a transport to Wix.
func (m *metrics) countWix(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(r)
		status := "failed"
		if err == nil {
			status = strconv.Itoa(res.StatusCode)
		}
		m.wixCalls.WithLabelValues(wixPath(r.URL.Path), status).Inc()
		return res, err
	})
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

// adminServer answers metrics and profiles on an address of its own, which is on
// the loopback interface unless configured otherwise.
type adminServer struct {
	listener net.Listener
	server   *http.Server
}

func listenAdmin(addr string, m *metrics) (*adminServer, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for metrics and profiles (%sADMIN_ADDR): %w", product.EnvPrefix, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	var handler http.Handler = mux
	if listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		handler = loopbackHost(mux)
	}
	return &adminServer{listener, &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}}, nil
}

// loopbackHost refuses requests whose Host is a name other than localhost: a page
// anywhere could point its own name at 127.0.0.1 and read profiles through a
// developer's browser.
func loopbackHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if host != "localhost" && net.ParseIP(strings.Trim(host, "[]")) == nil {
			http.Error(w, "ask by address or localhost", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *adminServer) serve() error { return a.server.Serve(a.listener) }

func (a *adminServer) close() error {
	err := a.server.Close()
	if e := a.listener.Close(); e != nil && !errors.Is(e, net.ErrClosed) {
		err = errors.Join(err, e)
	}
	return err
}
