package wixsim

// Faults: what goes wrong with Wix, by command.

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is what goes wrong at an endpoint: first the latency, then the outage, the
// hang-up or the answer. A fault of latency alone is followed by the usual answer.
type Fault struct {
	// Endpoint is token-info, token, instance, the path of one of them, or "*" (the
	// default) for any. An endpoint has one fault: its own, or else that of "*".
	Endpoint string
	// Status is the answer's status, 200 to 599. The default is 200 when there is a
	// body, and no fault in the answer when there is none.
	Status int
	// Latency comes before everything else, and ends when the caller gives up.
	Latency time.Duration
	// Body is the answer's body as it is. The default is Wix's error shape for an
	// error, and nothing below 400.
	Body string
	// BodyBytes makes up a body of so many bytes: the start of a JSON object that
	// never ends. It does not go with Body.
	BodyBytes int
	// RetryAfter is the header Retry-After, in whole seconds, rounded up. It needs a Status.
	RetryAfter time.Duration
	// HangUp cuts the connection in the middle of the answer.
	HangUp bool
	// Outage cuts the connection before the answer.
	Outage bool
	// Count is how many calls meet the fault before it goes; 0 means all, until ClearFaults.
	Count int
}

const (
	maxLatency   = 10 * time.Minute
	maxBodyBytes = 64 << 20
)

type faultTable struct {
	mu sync.Mutex
	by map[string]Fault
}

// SetFault sets the fault of an endpoint in place of the one it had. The error
// says what is wrong with the fault; nothing is set then.
func (s *Sim) SetFault(f Fault) error {
	switch f.Endpoint {
	case "", endpointAny:
		f.Endpoint = endpointAny
	case endpointTokenInfo, pathTokenInfo:
		f.Endpoint = endpointTokenInfo
	case endpointToken, pathToken:
		f.Endpoint = endpointToken
	case endpointInstance, pathInstance:
		f.Endpoint = endpointInstance
	default:
		return errors.New("endpoint must be token-info, token, instance, the path of one of them, or *")
	}
	switch {
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return errors.New("status must be 200 to 599")
	case f.Latency < 0 || f.Latency > maxLatency:
		return errors.New("latency must be 0 to 10m")
	case f.BodyBytes < 0 || f.BodyBytes > maxBodyBytes:
		return errors.New("bodyBytes must be 0 to 67108864")
	case f.BodyBytes > 0 && f.Body != "":
		return errors.New("body and bodyBytes exclude each other")
	case len(f.Body) > maxBody:
		return errors.New("body must be at most 1 MiB; bodyBytes makes up larger ones")
	case f.RetryAfter < 0 || f.RetryAfter > 24*time.Hour:
		return errors.New("retryAfter must be 0 to 86400 seconds")
	case f.RetryAfter > 0 && f.Status == 0:
		return errors.New("retryAfter needs a status")
	case f.Count < 0:
		return errors.New("count must not be negative")
	case f.Outage && (f.Status != 0 || f.Body != "" || f.BodyBytes > 0 || f.HangUp):
		return errors.New("an outage gives no answer: it goes with latency and count alone")
	case f.Latency == 0 && !f.answers():
		return errors.New("a fault must have a status, latency, body, bodyBytes, hangUp or outage")
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if s.faults.by == nil {
		s.faults.by = map[string]Fault{}
	}
	s.faults.by[f.Endpoint] = f
	return nil
}

// ClearFaults ends all faults.
func (s *Sim) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.by = nil
}

// take returns the fault that the next call of an endpoint meets, and counts it.
func (t *faultTable) take(endpoint string) (Fault, bool) {
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
	}
	return f, true
}

// answers says whether the fault takes the place of the usual answer.
func (f Fault) answers() bool {
	return f.Outage || f.HangUp || f.Status != 0 || f.Body != "" || f.BodyBytes > 0
}

// play makes a call meet the fault, and says whether that was its answer.
func (f Fault) play(w http.ResponseWriter, r *http.Request) bool {
	if f.Latency > 0 {
		timer := time.NewTimer(f.Latency)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
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
	body := []byte(f.Body)
	switch {
	case f.BodyBytes > 0:
		body = append([]byte(`{"padding":"`), bytes.Repeat([]byte("."), f.BodyBytes)...)[:f.BodyBytes]
	case f.Body == "" && !f.HangUp && status >= 400:
		systemError(w, status, http.StatusText(status))
		return true
	}
	w.Header().Set("Content-Type", "application/json")
	if strings.HasPrefix(f.Body, "<") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
	}
	if f.HangUp { // more is promised than comes
		w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	}
	w.WriteHeader(status)
	w.Write(body)
	if f.HangUp {
		_ = http.NewResponseController(w).Flush() // so that the client sees the start
		panic(http.ErrAbortHandler)
	}
	return true
}
