package wixsim

// Faults: failures of Wix, on request.

import (
	"bytes"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is a failure of an endpoint: first the latency, then the outage, the hang-up or
// the answer. A fault of latency alone is followed by the usual answer.
type Fault struct {
	// Endpoint is token-info, token, instance, the path of one of them, or "*" (the
	// default) for all. An endpoint has one fault: its own, or else that of "*".
	Endpoint string
	// Status is the answer's status, 200 to 599. The default is 200 when there is a
	// body, and the usual answer when there is none.
	Status int
	// Latency precedes everything else, and ends early when the caller gives up.
	Latency time.Duration
	// Body is the answer's body. The default is Wix's error shape for a status of 400 or
	// more, and an empty body below.
	Body string
	// BodyBytes makes a body of that size: the start of a JSON object that never ends. It
	// excludes Body.
	BodyBytes int
	// RetryAfter is the header Retry-After, in whole seconds, rounded up. It needs a Status.
	RetryAfter time.Duration
	// HangUp cuts the connection within the answer.
	HangUp bool
	// Outage cuts the connection before the answer.
	Outage bool
	// Count is the number of calls that fail before the fault ends; 0 means all, until
	// ClearFaults.
	Count int
}

const (
	maxLatency    = 10 * time.Minute
	maxBodyBytes  = 64 << 20
	maxRetryAfter = 24 * time.Hour
)

type faultTable struct {
	mu sync.Mutex
	by map[string]Fault // by the endpoint's name
}

// faultBody is a Fault in JSON.
type faultBody struct {
	Endpoint   string `json:"endpoint"`
	Status     int    `json:"status,omitempty"`
	Latency    span   `json:"latency,omitempty"`
	Body       string `json:"body,omitempty"`
	BodyBytes  int    `json:"bodyBytes,omitempty"`
	RetryAfter span   `json:"retryAfter,omitempty"`
	HangUp     bool   `json:"hangUp,omitempty"`
	Outage     bool   `json:"outage,omitempty"`
	Count      int    `json:"count,omitempty"`
}

// SetFault sets the fault of an endpoint and replaces the one it had. The error says what
// is wrong with the fault; nothing is set then.
func (s *Sim) SetFault(f Fault) error {
	name, ok := endpointNames()[f.Endpoint]
	if !ok {
		return errors.New("endpoint must be token-info, token, instance, the path of one of them, or *")
	}
	f.Endpoint = name
	if err := f.check(); err != nil {
		return err
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if s.faults.by == nil {
		s.faults.by = map[string]Fault{}
	}
	s.faults.by[f.Endpoint] = f
	s.publishFaults()
	return nil
}

// Faults returns the faults that are set, in the order of their endpoints' names, each with the
// number of calls that it still has.
func (s *Sim) Faults() []Fault {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return s.faults.list()
}

// list is called with mu locked.
func (t *faultTable) list() []Fault {
	out := []Fault{}
	for _, name := range slices.Sorted(maps.Keys(t.by)) {
		out = append(out, t.by[name])
	}
	return out
}

func faultBodies(faults []Fault) []faultBody {
	out := []faultBody{}
	for _, f := range faults {
		out = append(out, faultBody{f.Endpoint, f.Status, span(f.Latency), f.Body, f.BodyBytes,
			span(f.RetryAfter), f.HangUp, f.Outage, f.Count})
	}
	return out
}

// publishFaults reports the faults. The lock of the table is held.
func (s *Sim) publishFaults() {
	s.events.publish("faults", func() any { return faultBodies(s.faults.list()) })
}

// endpointNames returns the name of each endpoint by everything that Fault.Endpoint may be.
func endpointNames() map[string]string {
	return map[string]string{
		"": endpointAny, endpointAny: endpointAny,
		endpointTokenInfo: endpointTokenInfo, pathTokenInfo: endpointTokenInfo,
		endpointToken: endpointToken, pathToken: endpointToken,
		endpointInstance: endpointInstance, pathInstance: endpointInstance,
	}
}

func (f Fault) check() error {
	return check(
		rule{f.Status == 0 || within(f.Status, 200, 599), "status must be 200 to 599"},
		rule{within(f.Latency, 0, maxLatency), "latency must be 0 to 10m"},
		rule{within(f.BodyBytes, 0, maxBodyBytes), "bodyBytes must be 0 to 67108864"},
		rule{f.BodyBytes == 0 || f.Body == "", "body and bodyBytes exclude each other"},
		rule{len(f.Body) <= maxBody, "body must be at most 1 MiB; use bodyBytes for more"},
		rule{within(f.RetryAfter, 0, maxRetryAfter), "retryAfter must be 0 to 86400 seconds"},
		rule{f.RetryAfter == 0 || f.Status != 0, "retryAfter needs a status"},
		rule{f.Count >= 0, "count must not be negative"},
		rule{!f.Outage || !f.answers(), "outage gives no answer: it goes with latency and count alone"},
		rule{f.Latency > 0 || f.replaces(), "status, latency, body, bodyBytes, hangUp or outage must be given"},
	)
}

func within[T int | time.Duration](value, lowest, highest T) bool {
	return lowest <= value && value <= highest
}

// ClearFaults ends all faults.
func (s *Sim) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.by = nil
	s.publishFaults()
}

// takeFault returns the fault that applies to the next call of an endpoint, and counts it.
func (s *Sim) takeFault(endpoint string) (Fault, bool) {
	t := &s.faults
	t.mu.Lock()
	defer t.mu.Unlock()
	f, ok := t.by[endpoint]
	if !ok {
		f, ok = t.by[endpointAny]
	}
	if !ok {
		return Fault{}, false
	}
	if f.Count > 0 {
		if f.Count--; f.Count == 0 {
			delete(t.by, f.Endpoint)
		} else {
			t.by[f.Endpoint] = f
		}
		s.publishFaults()
	}
	return f, true
}

// answers says whether the fault has an answer of its own, if only the start of one.
func (f Fault) answers() bool {
	return f.HangUp || f.Status != 0 || f.Body != "" || f.BodyBytes > 0
}

// replaces says whether the fault replaces the usual answer.
func (f Fault) replaces() bool { return f.Outage || f.answers() }

// apply makes a call fail. It returns false when the usual answer follows.
func (f Fault) apply(w http.ResponseWriter, r *http.Request) bool {
	f.wait(r)
	switch {
	case f.Outage:
		panic(http.ErrAbortHandler)
	case !f.answers():
		return false
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
	}
	status := f.Status
	if status == 0 {
		status = http.StatusOK
	}
	if status >= 400 && f.Body == "" && f.BodyBytes == 0 && !f.HangUp {
		systemError(w, status, http.StatusText(status))
		return true
	}
	f.write(w, status)
	return true
}

// wait lets the latency pass, or ends the call when the caller gives up.
func (f Fault) wait(r *http.Request) {
	if f.Latency == 0 {
		return
	}
	timer := time.NewTimer(f.Latency)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

func (f Fault) write(w http.ResponseWriter, status int) {
	body := []byte(f.Body)
	if f.BodyBytes > 0 {
		body = append([]byte(`{"padding":"`), bytes.Repeat([]byte("."), f.BodyBytes)...)[:f.BodyBytes]
	}
	w.Header().Set("Content-Type", "application/json")
	if strings.HasPrefix(f.Body, "<") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
	}
	if f.HangUp { // announce more than is sent
		w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	}
	w.WriteHeader(status)
	w.Write(body)
	if f.HangUp {
		_ = http.NewResponseController(w).Flush() // so that the client sees the start
		panic(http.ErrAbortHandler)
	}
}

func (s *Sim) getFaults(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, faultBodies(s.Faults()))
}

func (s *Sim) putFaults(w http.ResponseWriter, r *http.Request) {
	var in faultBody
	if !ReadJSON(w, r, &in) {
		return
	}
	err := s.SetFault(Fault{Endpoint: in.Endpoint, Status: in.Status, Latency: time.Duration(in.Latency),
		Body: in.Body, BodyBytes: in.BodyBytes, RetryAfter: time.Duration(in.RetryAfter),
		HangUp: in.HangUp, Outage: in.Outage, Count: in.Count})
	if err != nil {
		refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) deleteFaults(w http.ResponseWriter, _ *http.Request) {
	s.ClearFaults()
	w.WriteHeader(http.StatusNoContent)
}
