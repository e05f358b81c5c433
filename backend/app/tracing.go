package app

// Traces by OTLP. Without an endpoint in the environment nothing here runs, and nothing is
// wrapped.

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/nametag-dev/nametag/backend/clientaddr"
	"github.com/nametag-dev/nametag/backend/product"
)

const (
	otlpEndpoint       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	otlpTracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
)

// wantsTraces reports whether the environment asks for traces, and adds what is wrong with
// that to its faults. OpenTelemetry's SDK reads the same variables, and more, from the
// process's own environment, but only logs what is wrong.
func wantsTraces(e *environment) bool {
	vars := e.given
	if vars[otlpEndpoint] == "" && vars[otlpTracesEndpoint] == "" ||
		strings.EqualFold(vars["OTEL_SDK_DISABLED"], "true") || strings.EqualFold(vars["OTEL_TRACES_EXPORTER"], "none") {
		return false
	}
	for _, name := range []string{otlpEndpoint, otlpTracesEndpoint} {
		u, err := url.Parse(vars[name])
		if vars[name] != "" && (err != nil || !slices.Contains([]string{"http", "https"}, u.Scheme) || u.Host == "") {
			e.fault(name, "must be the URL of a collector, such as http://localhost:4318")
		}
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if vars[name] != "" && vars[name] != "http/protobuf" {
			e.fault(name, "must be http/protobuf, which most collectors speak on port 4318")
		}
	}
	return true
}

// tracing makes spans and sends them. A nil one does neither.
type tracing struct {
	provider *sdktrace.TracerProvider
	clients  *clientaddr.Resolver
}

// propagator passes the trace on by the header traceparent of W3C. Baggage is left out: a
// stranger's would be passed on to Wix.
var propagator propagation.TraceContext

func startTracing(ctx context.Context, proxies []netip.Prefix, log *slog.Logger) (*tracing, error) {
	otel.SetLogger(logr.FromSlogHandler(log.Handler()))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces are lost", "cause", err) }))
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("send traces: %w", err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", product.ID)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("send traces: %w", err)
	}
	return &tracing{
		sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about)), clientaddr.New(proxies),
	}, nil
}

// close sends what is left, unless that takes long.
func (t *tracing) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		otel.Handle(err) // traces are not worth an exit code
	}
	return nil
}

// handler makes a span of each request, but for those of health checks and, as in the log,
// of the demo.
func (t *tracing) handler(next http.Handler, basePath string) http.Handler {
	if t == nil {
		return next
	}
	described := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer t.describe(w.Header(), r)
		next.ServeHTTP(w, r)
	})
	return otelhttp.NewHandler(described, "", otelhttp.WithTracerProvider(t.provider), otelhttp.WithPropagators(propagator),
		otelhttp.WithFilter(func(r *http.Request) bool {
			path := strings.TrimPrefix(r.URL.Path, basePath)
			return path != "/healthz" && path != "/readyz" && !strings.HasPrefix(path, "/demo/")
		}))
}

// describe completes the span of a request that has been answered.
func (t *tracing) describe(answer http.Header, r *http.Request) {
	span := trace.SpanFromContext(r.Context())
	// In place of the addresses that otelhttp has written. The log has no more, either.
	span.SetAttributes(
		attribute.String("client.address", network(t.clients.Client(r))),
		attribute.String("network.peer.address", network(peer(r))),
	)
	if r.Pattern != "" {
		span.SetAttributes(attribute.String("http.route", r.Pattern))
	}
	if id := answer.Get("X-Request-Id"); id != "" {
		span.SetAttributes(attribute.StringSlice("http.response.header.x-request-id", []string{id}))
	}
}

func network(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	return clientaddr.Network(addr).String()
}

func peer(r *http.Request) netip.Addr {
	addr, _ := netip.ParseAddrPort(r.RemoteAddr)
	return addr.Addr()
}

// transport makes a span of each call to Wix.
func (t *tracing) transport(next http.RoundTripper) http.RoundTripper {
	if t == nil {
		return next
	}
	return otelhttp.NewTransport(next, otelhttp.WithTracerProvider(t.provider), otelhttp.WithPropagators(propagator),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method + " " + wixPath(r.URL.Path) }))
}

// logger adds to each line the span that it belongs to.
func (t *tracing) logger(log *slog.Logger) *slog.Logger { return slog.New(traced{log.Handler()}) }

type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		r = r.Clone()
		r.AddAttrs(slog.String("traceId", span.TraceID().String()), slog.String("spanId", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }

func (h traced) WithGroup(name string) slog.Handler { return traced{h.Handler.WithGroup(name)} }
