package app

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/nametag-dev/nametag/backend/api"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

// receiver takes traces as a collector does.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	all  []*spans.Span
	text string // of all that came
	by   string // the service that sent the last
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := new(receiver)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		var batch collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &batch)
		}
		if err != nil || request.URL.Path != "/v1/traces" || request.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s %s: %v", request.URL.Path, request.Header.Get("Content-Type"), err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, resource := range batch.ResourceSpans {
			r.by = attributes(resource.Resource.Attributes)["service.name"]
			for _, scope := range resource.ScopeSpans {
				r.all = append(r.all, scope.Spans...)
			}
		}
		r.text += batch.String()
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) named(name string) (found []*spans.Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, span := range r.all {
		if span.Name == name {
			found = append(found, span)
		}
	}
	return found
}

// received returns all that came, as text, and the service that sent the last.
func (r *receiver) received() (text, by string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text, r.by
}

func attributes(list []*common.KeyValue) map[string]string {
	all := map[string]string{}
	for _, a := range list {
		switch v := a.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			all[a.Key] = v.StringValue
		case *common.AnyValue_IntValue:
			all[a.Key] = fmt.Sprint(v.IntValue)
		case *common.AnyValue_ArrayValue:
			all[a.Key] = v.ArrayValue.Values[0].GetStringValue()
		}
	}
	return all
}

// startTraced starts a server that sends its traces to r, with a Wix that remembers the trace of
// each call.
func startTraced(t *testing.T, r *receiver, environ ...string) (w *world, asked func() []string) {
	t.Helper()
	sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: appSecret})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var parents []string
	rest := sim.REST()
	wix := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		parents = append(parents, r.Header.Get("traceparent"))
		mu.Unlock()
		if r.Header.Get("baggage") != "" {
			t.Error("Wix gets a stranger's baggage")
		}
		rest.ServeHTTP(w, r)
	}))
	t.Cleanup(wix.Close)
	// The SDK reads the process's own environment.
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
	t.Setenv(otlpEndpoint, r.URL)
	environ = append(environ, otlpEndpoint+"="+r.URL, "WIX_API_URL="+wix.URL, product.EnvPrefix+"TRUSTED_PROXIES=127.0.0.0/8")
	return startWith(t, sim, environ...), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return parents
	}
}

func TestTracing(t *testing.T) {
	const (
		traceID = "0af7651916cd43dd8448eb211c80319c"
		parent  = "b7ad6b7169203331"
	)
	r := newReceiver(t)
	w, asked := startTraced(t, r)
	id := w.install()
	token := w.mint(wixsim.TokenRequest{InstanceID: id})
	ask := func(token, path string) reply {
		return w.ask("GET", path, "", "Authorization: "+token, "Traceparent: 00-"+traceID+"-"+parent+"-01", "Baggage: user=ada",
			"X-Forwarded-For: 203.0.113.77")
	}
	if got := ask(token, "/api/get-instance?secret=in-the-query"); got.status != 200 {
		t.Fatal(got)
	}
	refused := ask("junk-of-a-stranger", "/api/get-instance")
	if refused.status != 401 {
		t.Fatal(refused)
	}
	if got := w.open("a-secret-instance"); got.status != 401 {
		t.Fatal(got)
	}
	for _, path := range []string{"/healthz", "/readyz", "/demo/widget.js", "/nowhere"} {
		ask("", path)
	}
	w.until("the spans have come", func() bool {
		return len(r.named("GET /api/get-instance")) == 2 && len(r.named("POST /oauth2/token-info")) == 2 && len(r.named("GET")) == 1 && len(r.named("GET /open")) == 1
	})

	served := map[string]*spans.Span{}
	for _, span := range r.named("GET /api/get-instance") {
		a := attributes(span.Attributes)
		served[a["http.response.status_code"]] = span
		if hex.EncodeToString(span.TraceId) != traceID || hex.EncodeToString(span.ParentSpanId) != parent || span.Kind != spans.Span_SPAN_KIND_SERVER {
			t.Errorf("a request is not part of the caller's trace: %v", span)
		}
		if a["http.route"] != "/api/get-instance" || a["http.request.method"] != "GET" || a["client.address"] != "203.0.113.0/24" || a["network.peer.address"] != "127.0.0.0/24" {
			t.Errorf("its attributes are %v", a)
		}
	}
	if got := attributes(served["401"].Attributes)["http.response.header.x-request-id"]; got == "" || got != refused.header.Get("X-Request-Id") {
		t.Errorf("the refusal has the id %q", got)
	}
	for _, span := range r.named("POST /oauth2/token-info") {
		inside := string(span.ParentSpanId) == string(served["200"].SpanId) || string(span.ParentSpanId) == string(served["401"].SpanId)
		if !inside || hex.EncodeToString(span.TraceId) != traceID || span.Kind != spans.Span_SPAN_KIND_CLIENT {
			t.Errorf("a call to Wix is not part of the request: %v", span)
		}
	}
	for _, sent := range asked() {
		if !strings.HasPrefix(sent, "00-") {
			t.Errorf("Wix is called in the trace %q", sent)
		}
	}
	text, by := r.received()
	if by != product.ID {
		t.Errorf("the service is called %q", by)
	}
	for _, name := range []string{"healthz", "readyz", "/demo"} {
		if strings.Contains(text, name) {
			t.Errorf("%s has a span", name)
		}
	}
	for _, secret := range []string{token, "junk-of-a-stranger", appSecret, "in-the-query", "a-secret-instance", "203.0.113.77", "user=ada"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in the spans", secret)
		}
	}
	// The log line of the refusal leads to its span.
	found := false
	for line := range strings.Lines(w.log.String()) {
		var l struct{ Msg, TraceID, SpanID string }
		if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "request refused" && l.SpanID == hex.EncodeToString(served["401"].SpanId) {
			found = found || l.TraceID == traceID
		}
	}
	if !found {
		t.Errorf("no line leads to the span:\n%s", w.log)
	}
}

func TestTracing_standardVariables(t *testing.T) {
	r := newReceiver(t)
	t.Setenv("OTEL_SERVICE_NAME", "our-widget")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging")
	w, _ := startTraced(t, r)
	w.ask("GET", "/", "")
	w.until("a span has come", func() bool { return len(r.named("GET /")) == 1 })
	if text, by := r.received(); by != "our-widget" || !strings.Contains(text, "staging") {
		t.Errorf("the service is %q: %s", by, text)
	}
}

func TestTracing_sampler(t *testing.T) {
	r := newReceiver(t)
	t.Setenv("OTEL_TRACES_SAMPLER", "always_off")
	w, asked := startTraced(t, r)
	w.as("nobody's", "/api/get-instance")
	if sent := asked(); len(sent) != 1 || !strings.HasSuffix(sent[0], "-00") {
		t.Errorf("Wix is called in %q", sent)
	}
}

// TestTracing_collectorAway has a server that serves although its traces are lost.
func TestTracing_collectorAway(t *testing.T) {
	r := newReceiver(t)
	r.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "50")
	w, _ := startTraced(t, r)
	if got := w.ask("GET", "/", ""); got.status != 200 {
		t.Errorf("got %v", got)
	}
	w.until("the loss is logged", func() bool { return strings.Contains(w.log.String(), "traces are lost") })
}

func TestTracing_absent(t *testing.T) {
	var none *tracing
	server, wix := new(api.Server), http.DefaultTransport
	if none.handler(server, "") != http.Handler(server) || none.transport(wix) != wix {
		t.Error("something is wrapped")
	}
}

func TestWantsTraces(t *testing.T) {
	for _, tt := range []struct {
		name   string
		vars   map[string]string
		want   bool
		faults int
	}{
		{"nothing is set", nil, false, 0},
		{"an endpoint", map[string]string{otlpEndpoint: "http://localhost:4318"}, true, 0},
		{"one of traces alone", map[string]string{otlpTracesEndpoint: "https://otel.example/v1/traces"}, true, 0},
		{"the SDK is off", map[string]string{otlpEndpoint: "http://localhost:4318", "OTEL_SDK_DISABLED": "TRUE"}, false, 0},
		{"no exporter", map[string]string{otlpEndpoint: "http://localhost:4318", "OTEL_TRACES_EXPORTER": "none"}, false, 0},
		{"no URL", map[string]string{otlpEndpoint: "localhost:4318"}, true, 1},
		{"gRPC", map[string]string{otlpEndpoint: "http://localhost:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, true, 1},
		{"the protocol by name", map[string]string{otlpEndpoint: "http://localhost:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, true, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := &environment{given: tt.vars, faulty: map[string]bool{}}
			if got := wantsTraces(e); got != tt.want || len(e.faults) != tt.faults {
				t.Errorf("got %v, %v", got, e.faults)
			}
		})
	}
}
