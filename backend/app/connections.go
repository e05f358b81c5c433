package app

import (
	"cmp"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// reservedFiles are the descriptors that connections of clients leave to those to Wix and
	// the database, to files, and to the admin port.
	reservedFiles = 192
	// maxAdminConnections is of the admin port's own share of them.
	maxAdminConnections = 32
	// firstRequestWithin is how long a new connection has for its first request before it may
	// be closed in favor of another.
	firstRequestWithin = time.Second
)

// maxConnections is how many clients may be connected: as many as the limit on open files
// allows (ulimit -n, which Go raises to the hard limit), without the reserve.
func maxConnections() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024 - reservedFiles
	}
	return connectionsOf(uint64(limit.Cur))
}

func connectionsOf(files uint64) int {
	files = min(files, 1<<24) // it may be infinite
	return int(max(files-min(reservedFiles, files/2), 1))
}

// boundedListener bounds the open connections. Beyond the bound, a new one takes the place of
// those that have been waiting for a request for the longest time; while none is waiting, it
// waits itself. So a client that opens connections for nothing does not shut the others out.
type boundedListener struct {
	net.Listener
	max  int
	full func() // called when the bound is first reached
	warn sync.Once

	mu     sync.Mutex
	freed  sync.Cond // a connection has been closed, or may be
	open   map[*boundedConn]struct{}
	closed bool
	// blocked is whether Accept is about to wait for freed.
	blocked atomic.Bool
}

func bounded(l net.Listener, most int, log *slog.Logger) *boundedListener {
	b := &boundedListener{Listener: l, max: most, open: make(map[*boundedConn]struct{})}
	b.freed.L = &b.mu
	b.full = func() {
		log.Warn("clients hold as many connections as the limit on open files allows: idle ones are closed for new ones; raise the limit (ulimit -n) if you serve so many",
			"address", l.Addr().String(), "connections", most)
	}
	return b
}

// Accept waits for the next connection, and for its place.
func (b *boundedListener) Accept() (net.Conn, error) {
	accepted, err := b.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &boundedConn{Conn: accepted, listener: b}
	if !b.add(c) {
		_ = accepted.Close()
		return nil, net.ErrClosed
	}
	return c, nil
}

// add returns once there is a place for the connection, or false when the listener is closed.
func (b *boundedListener) add(c *boundedConn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.closed && len(b.open) >= b.max {
		b.warn.Do(b.full)
		b.blocked.Store(true) // first, so that a connection that idles after the look signals it
		if again := b.closeWaiting(); again > 0 {
			timer := time.AfterFunc(again, b.freed.Signal)
			b.freed.Wait()
			timer.Stop()
		}
	}
	b.blocked.Store(false)
	c.mayCloseIn(firstRequestWithin)
	b.open[c] = struct{}{}
	return !b.closed
}

// closeWaiting closes the connections that have been waiting for the longest time, several at
// once because finding them means looking at all, and returns 0. If there are none, it returns
// when to look again.
func (b *boundedListener) closeWaiting() time.Duration {
	type waiting struct {
		conn *boundedConn
		from int64
	}
	var all []waiting
	now, next := time.Now().UnixNano(), int64(time.Minute)
	for c := range b.open {
		switch from := c.from.Load(); {
		case from == busy:
		case from > now:
			next = min(next, from-now)
		default:
			all = append(all, waiting{c, from})
		}
	}
	slices.SortFunc(all, func(x, y waiting) int { return cmp.Compare(x.from, y.from) })
	n := 0
	for _, w := range all {
		// Unless a request has come since.
		if n <= b.max/32 && w.conn.from.CompareAndSwap(w.from, busy) {
			n++
			delete(b.open, w.conn)
			_ = w.conn.Conn.Close()
		}
	}
	if n > 0 {
		return 0
	}
	return time.Duration(next)
}

// Close ends Accept.
func (b *boundedListener) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.freed.Broadcast()
	return b.Listener.Close()
}

// boundedConn is a connection of a boundedListener.
type boundedConn struct {
	net.Conn
	listener *boundedListener
	// from is when it may be closed in favor of another, in nanoseconds since 1970, or busy.
	from atomic.Int64
}

const busy = 0

func (c *boundedConn) mayCloseIn(wait time.Duration) { c.from.Store(time.Now().Add(wait).UnixNano()) }

// Close closes the connection and makes room for another.
func (c *boundedConn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.open, c)
	c.listener.freed.Signal()
	c.listener.mu.Unlock()
	return c.Conn.Close()
}

// connState is the http.Server.ConnState of a boundedListener.
func connState(conn net.Conn, state http.ConnState) {
	c, ok := conn.(*boundedConn)
	if !ok {
		return
	}
	switch state {
	case http.StateActive:
		c.from.Store(busy)
	case http.StateIdle:
		c.mayCloseIn(0)
		if c.listener.blocked.Load() {
			c.listener.mu.Lock() // once add is at its Wait
			c.listener.freed.Signal()
			c.listener.mu.Unlock()
		}
	}
}
