package cachestore

// Which of the cached rows may still be served without reading them again.

import "sync/atomic"

// epoch is a number whose lowest bit says that change notifications may be missed, and
// whose other bits count how often everything was dropped. A row remembers the number of
// the moment when its read began, with the lowest bit cleared, so that a single comparison
// shows that all is well.
type epoch struct{ state atomic.Uint64 }

const disconnected = 1

// begin returns the number for a row whose read begins now.
func (e *epoch) begin() uint64 { return e.state.Load() &^ disconnected }

// isCurrent reports whether nothing has happened since a row was read.
func (e *epoch) isCurrent(row uint64) bool { return e.state.Load() == row }

// isSame reports whether a row has not been dropped since, connected or not.
func (e *epoch) isSame(row uint64) bool { return e.begin() == row }

// advance drops all rows.
func (e *epoch) advance() { e.state.Add(2) }

func (e *epoch) setConnected(connected bool) {
	if connected {
		e.state.And(^uint64(disconnected))
	} else {
		e.state.Or(disconnected)
	}
}
