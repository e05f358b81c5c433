package wixsim

// The log of calls to the REST API, for tests to count and for people to read.

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// All bound the log; the oldest calls are dropped first.
const (
	maxCalls     = 10_000
	maxTexts     = 1_000   // calls whose headers and bodies are stored
	maxTextBytes = 8 << 20 // of all of them together
	maxText      = 8 << 10 // of one body
	maxHeaders   = 64      // of one request or answer
	maxHeader    = 8 << 10 // of one header's value
)

// Call is one call of the REST API. It is logged when its answer ends.
type Call struct {
	ID     int64 // ascends from 1
	Method string
	Path   string // without the query
	Query  string // without the question mark
	// Status is 0 when the connection was cut without an answer.
	Status   int
	At       time.Time // when the request arrived
	Duration time.Duration
	// InstanceID is the instance that the call was about, or "".
	InstanceID string
	// NotSimulated is a call of an API of Wix that is not simulated.
	NotSimulated bool
	// Fault is a call to which a fault applied.
	Fault bool
}

// callText is what was said in a call, each body up to maxText bytes.
type callText struct {
	requestHeader, answerHeader http.Header
	request, answer             []byte
}

func (t callText) size() int {
	n := len(t.request) + len(t.answer)
	for _, header := range []http.Header{t.requestHeader, t.answerHeader} {
		for name, values := range header {
			n += len(name) + len(values[0])
		}
	}
	return n
}

type callLog struct {
	mu    sync.Mutex
	last  int64
	ring  []Call
	next  int        // where the ring is written once it is full
	texts []callText // of the latest calls
	bytes int        // the size of all texts
}

// add stores a call and returns it with its id.
func (l *callLog) add(c Call, text callText) Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	c.ID = l.last
	if len(l.ring) < maxCalls {
		l.ring = append(l.ring, c)
	} else {
		l.ring[l.next] = c
		l.next = (l.next + 1) % maxCalls
	}
	l.texts = append(l.texts, text)
	l.bytes += text.size()
	for len(l.texts) > maxTexts || l.bytes > maxTextBytes {
		l.bytes -= l.texts[0].size()
		l.texts[0] = callText{} // so that its memory is free
		l.texts = l.texts[1:]
	}
	return c
}

func (l *callLog) all() []Call { return slices.Concat(l.ring[l.next:], l.ring[:l.next]) }

// find returns a call, and its text if that is stored.
func (l *callLog) find(id int64) (c Call, text callText, stored, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.ring, func(c Call) bool { return c.ID == id })
	if i < 0 {
		return Call{}, callText{}, false, false
	}
	if at := len(l.texts) - 1 - int(l.last-id); at >= 0 {
		return l.ring[i], l.texts[at], true, true
	}
	return l.ring[i], callText{}, false, true
}

// Calls returns the latest calls, at most 10,000, the oldest first.
func (s *Sim) Calls() []Call {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	return s.calls.all()
}

// ClearCalls empties the log.
func (s *Sim) ClearCalls() {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	s.calls.ring, s.calls.next, s.calls.texts, s.calls.bytes = nil, 0, nil, 0
}

// clipHeader returns a copy of a header that is no larger than the log takes: the first value
// of each name.
func clipHeader(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		if len(out) < maxHeaders && len(values) > 0 {
			out[name] = []string{upTo(values[0], maxHeader)}
		}
	}
	return out
}

// upTo shortens text to a number of bytes.
func upTo[T string | []byte](text T, most int) T { return text[:min(len(text), most)] }

// callItem is a Call in JSON.
type callItem struct {
	ID           int64   `json:"id"`
	Method       string  `json:"method"`
	Path         string  `json:"path"`
	Query        string  `json:"query"`
	Status       int     `json:"status"`
	At           string  `json:"at"`
	DurationMS   float64 `json:"durationMs"`
	InstanceID   string  `json:"instanceId,omitempty"`
	NotSimulated bool    `json:"notSimulated"`
	Fault        bool    `json:"fault"`
}

func (s *Sim) itemOf(c Call) callItem {
	return callItem{c.ID, c.Method, s.mask(c.Path), s.mask(c.Query), c.Status, c.At.Format(time.RFC3339Nano),
		float64(c.Duration) / float64(time.Millisecond), c.InstanceID, c.NotSimulated, c.Fault}
}

func (s *Sim) getCalls(w http.ResponseWriter, r *http.Request) {
	q, ok := readQuery(w, r, "instanceId", "limit")
	if !ok {
		return
	}
	out := []callItem{}
	for _, c := range latest(q, s.Calls(), func(c Call) string { return c.InstanceID }) {
		out = append(out, s.itemOf(c))
	}
	writeJSON(w, http.StatusOK, out)
}

func (s *Sim) getCall(w http.ResponseWriter, r *http.Request) {
	id, ok := pathID(w, r, "call")
	if !ok {
		return
	}
	c, text, stored, ok := s.calls.find(id)
	if !ok {
		WriteError(w, http.StatusNotFound, "there is no call of this id any more")
		return
	}
	answer := struct {
		callItem
		Stored         bool              `json:"stored"`
		RequestHeaders map[string]string `json:"requestHeaders"`
		AnswerHeaders  map[string]string `json:"responseHeaders"`
		RequestBody    string            `json:"requestBody"`
		AnswerBody     string            `json:"responseBody"`
	}{s.itemOf(c), stored, s.maskHeader(text.requestHeader), s.maskHeader(text.answerHeader),
		s.mask(string(text.request)), s.mask(string(text.answer))}
	writeJSON(w, http.StatusOK, answer)
}

func (s *Sim) deleteCalls(w http.ResponseWriter, _ *http.Request) {
	s.ClearCalls()
	w.WriteHeader(http.StatusNoContent)
}
