package wixsim

// The log of calls to the REST API, for tests to count.

import (
	"slices"
	"sync"
	"time"
)

// maxCalls bounds the log: the oldest calls are dropped first.
const maxCalls = 10_000

// Call is one call of the REST API. It is logged when its answer ends.
type Call struct {
	Method string
	Path   string // without the query
	// Status is 0 when the connection was cut without an answer.
	Status   int
	At       time.Time // when the request arrived
	Duration time.Duration
	// InstanceID is the instance that the call was about, or "".
	InstanceID string
	// NotSimulated is a call of an API of Wix that is not simulated.
	NotSimulated bool
}

type callLog struct {
	mu   sync.Mutex
	ring []Call
	next int // where the ring is written once it is full
}

func (l *callLog) add(c Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ring) < maxCalls {
		l.ring = append(l.ring, c)
		return
	}
	l.ring[l.next] = c
	l.next = (l.next + 1) % maxCalls
}

// Calls returns the latest calls, at most 10,000, the oldest first.
func (s *Sim) Calls() []Call {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	return slices.Concat(s.calls.ring[s.calls.next:], s.calls.ring[:s.calls.next])
}

// ClearCalls empties the log.
func (s *Sim) ClearCalls() {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	s.calls.ring, s.calls.next = nil, 0
}
