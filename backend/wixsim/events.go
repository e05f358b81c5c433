package wixsim

// The stream of what happens, GET /_sim/events: server-sent events for pages and tools.

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	maxReaders = 100
	// maxQueue bounds the events that wait for one reader. Readers share the text of an event.
	maxQueue  = 256
	heartbeat = 15 * time.Second
	// readerTimeout is how long one write to a reader may take.
	readerTimeout = 30 * time.Second
)

// hub passes events to the readers of the stream. publish may be called with other locks held.
type hub struct {
	mu      sync.Mutex
	readers map[*reader]bool
	closed  bool
}

type reader struct {
	queue [][]byte
	lost  int
	wake  chan struct{} // holds one when there is something to read, or the stream has ended
}

// publish sends an event to all readers. value is called only where there is one, and must
// take no lock that the caller holds.
func (h *hub) publish(kind string, value func() any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.readers) == 0 {
		return
	}
	event := frame(kind, value())
	for r := range h.readers {
		if len(r.queue) < maxQueue {
			r.queue = append(r.queue, event)
		} else {
			r.lost++
		}
		r.rouse()
	}
}

func frame(kind string, value any) []byte {
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", kind, mustJSON(value))
}

func (r *reader) rouse() {
	select {
	case r.wake <- struct{}{}:
	default: // it is awake
	}
}

// join adds a reader, or returns nil when there are too many or the Sim has been closed.
func (h *hub) join() *reader {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.readers) >= maxReaders {
		return nil
	}
	if h.readers == nil {
		h.readers = map[*reader]bool{}
	}
	r := &reader{wake: make(chan struct{}, 1)}
	h.readers[r] = true
	return r
}

func (h *hub) leave(r *reader) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.readers, r)
}

// take empties a reader's queue. What was lost came after what is in the queue.
func (h *hub) take(r *reader) (events [][]byte, open bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	events, r.queue = r.queue, nil
	if r.lost > 0 {
		events = append(events, frame("lost", map[string]int{"count": r.lost}))
		r.lost = 0
	}
	return events, !h.closed
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for r := range h.readers {
		r.rouse()
	}
}

// CloseEvents ends all streams of events, and there are no new ones: a server that is to end
// need not wait for their readers. Close does it too.
func (s *Sim) CloseEvents() { s.events.close() }

// publish sends an event with a new value to the readers of the stream: behavior, for example.
func (s *Sim) publish(kind string, value any) {
	s.events.publish(kind, func() any { return value })
}

// publishInstall reports an installation, a change of its plan, or its removal.
func (s *Sim) publishInstall(instanceID string, removed bool) {
	s.events.publish("install", func() any { return map[string]any{"instanceId": instanceID, "removed": removed} })
}

func (s *Sim) getEvents(w http.ResponseWriter, r *http.Request) {
	mine := s.events.join()
	if mine == nil {
		WriteError(w, http.StatusServiceUnavailable, fmt.Sprintf("at most %d can read the events at one time", maxReaders))
		return
	}
	defer s.events.leave(mine)
	connection := http.NewResponseController(w)
	send := func(events ...[]byte) bool {
		// An error means that there is no connection of which it could be set.
		_ = connection.SetWriteDeadline(time.Now().Add(readerTimeout))
		for _, event := range events {
			if _, err := w.Write(event); err != nil {
				return false
			}
		}
		return connection.Flush() == nil
	}
	_ = connection.SetReadDeadline(time.Time{}) // the request has been read
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	open := send([]byte(": the events of the offline Wix\n\n"))
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for open {
		select {
		case <-mine.wake:
			var events [][]byte
			events, open = s.events.take(mine)
			open = send(events...) && open
		case <-beat.C:
			open = send([]byte(": still here\n\n"))
		case <-r.Context().Done():
			return
		}
	}
}
