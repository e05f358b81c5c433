package cachestore

// Which of the cached rows may still be served without reading them again.

import (
	"sync/atomic"
	"time"
)

// epoch is a number whose lowest bit says that change notifications may be missed, and
// whose other bits count how often everything was dropped. A row remembers the number of
// the moment when its read began, with the lowest bit cleared, so that a single comparison
// shows that all is well.
type epoch struct {
	state atomic.Uint64
	// since is the moment up to which every notification has arrived. It has a meaning while
	// they may be missed, and is nil where none ever came.
	since atomic.Pointer[time.Time]
}

const disconnected = 1

// begin returns the number for a row whose read begins now.
func (e *epoch) begin() uint64 { return e.state.Load() &^ disconnected }

// isCurrent reports whether nothing has happened since a row was read.
func (e *epoch) isCurrent(row uint64) bool { return e.state.Load() == row }

// isSame reports whether a row has not been dropped since, connected or not.
func (e *epoch) isSame(row uint64) bool { return e.begin() == row }

// advance drops all rows.
func (e *epoch) advance() { e.state.Add(2) }

func (e *epoch) isConnected() bool { return e.state.Load()&disconnected == 0 }

func (e *epoch) connect() { e.state.And(^uint64(disconnected)) }

func (e *epoch) disconnect(since time.Time) {
	e.since.Store(&since)
	e.state.Or(disconnected)
}

// knownAt returns the last moment at which a row of this epoch, read at the given time, was
// known to be what is stored: now, while every change is notified; when the last
// notification could be relied on, afterwards; or when it was read.
func (e *epoch) knownAt(readAt, now time.Time) time.Time {
	since := e.since.Load()
	switch {
	case since == nil:
		return readAt
	case e.isConnected():
		return now
	case since.After(readAt):
		return *since
	}
	return readAt
}
