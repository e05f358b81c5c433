package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
)

// recorder records the calls of a listener, a line each.
type recorder struct{ lines chan string }

func newRecorder() recorder { return recorder{make(chan string, 1000)} }

func (e recorder) handlers() Handlers {
	return Handlers{
		Changed: func(id string, removed bool) {
			if removed {
				id += " removed"
			}
			e.lines <- id
		},
		Lost:     func(_ time.Time, err error) { e.lines <- fmt.Sprint("lost: ", err) },
		Regained: func() { e.lines <- "regained" },
	}
}

// expect waits for the next line and checks how it begins.
func (e recorder) expect(t *testing.T, want string) {
	t.Helper()
	select {
	case line := <-e.lines:
		if !strings.HasPrefix(line, want) {
			t.Fatalf("the listener called %q, want %q", line, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("waited too long for %q", want)
	}
}

// quick is a listener that is impatient enough for a test.
func quick(t *testing.T, databaseURL string, e recorder, log io.Writer) listener {
	t.Helper()
	config, err := parsePostgres(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["application_name"] = "listener"
	return listener{
		config: config, handlers: e.handlers(), log: slog.New(slog.NewTextHandler(log, nil)),
		pingEvery: 50 * time.Millisecond, pingTimeout: 500 * time.Millisecond, retry: time.Millisecond, maxRetry: 20 * time.Millisecond,
	}
}

// goListen runs l until the test ends or stop is called, and waits for it to return.
func goListen(t *testing.T, l listener) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { l.run(ctx) })
	stop = func() { cancel(); done.Wait() }
	t.Cleanup(stop)
	return stop
}

func TestListen_everyWriteIsNotified(t *testing.T) {
	databaseURL := pgtest.URL(t)
	s := open(t, databaseURL)
	e := newRecorder()
	goListen(t, quick(t, databaseURL, e, io.Discard))
	e.expect(t, "lost: <nil>")
	e.expect(t, "regained")
	ctx := t.Context()
	at := noon()
	event := func(id string, kind instance.EventKind, after time.Duration) instance.Event {
		return instance.Event{ID: "event of " + id + " " + string(kind), InstanceID: id, Kind: kind, At: at.Add(after), Plan: "gold", ReceivedAt: at.Add(after)}
	}
	for _, row := range []struct {
		name string
		call func() error
		want string // "" if no notification is expected
	}{
		{"a new instance", func() error { _, err := s.Seen(ctx, visit("a", "", at)); return err }, "a"},
		{"a caller who causes no change", func() error { _, err := s.Seen(ctx, visit("a", "", at)); return err }, ""},
		{"last seen", func() error { _, err := s.Seen(ctx, visit("a", "", at.Add(time.Hour))); return err }, "a"},
		{"a new site", func() error { _, err := s.Seen(ctx, visit("a", "site", at)); return err }, "a"},
		{"a reader", func() error { _, err := s.Find(ctx, "a"); return err }, ""},
		{"settings", func() error { _, err := s.SaveSettings(ctx, "a", greeting("Hi"), 0); return err }, "a"},
		{"a stale version", func() error {
			_, err := s.SaveSettings(ctx, "a", greeting("Hi"), 0)
			if err != nil {
				return nil
			}
			return errors.New("it was saved")
		}, ""},
		{"a profile", func() error { _, err := s.SaveProfile(ctx, "a", instance.Profile{Locale: "he"}, at); return err }, "a"},
		{"an older profile", func() error {
			_, err := s.SaveProfile(ctx, "a", instance.Profile{}, at.Add(-time.Hour))
			return err
		}, ""},
		{"an event that waits to be applied", func() error { _, err := s.Accept(ctx, event("a", instance.EventPlan, 0)); return err }, ""},
		{"a plan", func() error {
			_, _, err := s.ApplyEvent(ctx, event("a", instance.EventPlan, time.Minute), at)
			return err
		}, "a"},
		{"an installation", func() error { _, _, err := s.ApplyEvent(ctx, event("b", instance.EventInstalled, 0), at); return err }, "b"},
		{"a removal", func() error {
			_, _, err := s.ApplyEvent(ctx, event("a", instance.EventRemoved, 2*time.Hour), at)
			return err
		}, "a removed"},
		{"a purge", func() error { _, err := s.PurgeRemoved(ctx, at.Add(3*time.Hour)); return err }, "a removed"},
		{"a deletion", func() error { return s.Delete(ctx, "b") }, "b removed"},
		{"an id with signs, quotes and spaces", func() error { _, err := s.Seen(ctx, visit(`-+' "ü`, "", at)); return err }, `-+' "ü`},
		{"the longest id", func() error { _, err := s.Seen(ctx, visit(strings.Repeat("x", longestID), "", at)); return err }, strings.Repeat("x", longestID)},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := row.call(); err != nil {
				t.Fatal(err)
			}
			// The mark is notified after whatever the call has notified.
			must(t)(s.Seen(ctx, visit("mark", row.name, at)))
			if row.want != "" {
				e.expect(t, row.want)
			}
			e.expect(t, "mark")
		})
	}
}

func TestPayload_fits(t *testing.T) {
	if longest := max(len(payload(strings.Repeat("x", longestID), true)), len(payload(strings.Repeat("x", 100_000), false))); longest >= 8000 {
		t.Errorf("a payload may have %d bytes", longest)
	}
}

func TestListen_unknownPayloadMeansAnyInstance(t *testing.T) {
	databaseURL := pgtest.URL(t)
	s := open(t, databaseURL)
	e := newRecorder()
	goListen(t, quick(t, databaseURL, e, io.Discard))
	e.expect(t, "lost: <nil>")
	e.expect(t, "regained")
	for _, text := range []string{payload(strings.Repeat("x", longestID+1), false), "+", "-", "*a", "{}", "é"} {
		if _, err := s.write.Exec(s.dialect.notifySQL, text); err != nil {
			t.Fatal(err)
		}
		e.expect(t, "regained")
	}
}

func TestListen_reconnects(t *testing.T) {
	databaseURL := pgtest.URL(t)
	s := open(t, databaseURL)
	must(t)(s.Seen(t.Context(), visit("a", "", noon())))
	e := newRecorder()
	goListen(t, quick(t, databaseURL, e, io.Discard))
	e.expect(t, "lost: <nil>")
	e.expect(t, "regained")
	for version := range int64(3) {
		endConnections(t, s, "listener")
		e.expect(t, "lost: listen: ")
		e.expect(t, "regained")
		must(t)(s.SaveSettings(t.Context(), "a", greeting("Hi"), version))
		e.expect(t, "a")
	}
}

func TestListen_retriesWhileRefused(t *testing.T) {
	databaseURL := pgtest.URL(t)
	p := newProxy(t, databaseURL)
	var log lockedBuffer
	e := newRecorder()
	l := quick(t, p.url(t, databaseURL), e, &log)
	p.close()
	goListen(t, l)
	e.expect(t, "lost: <nil>")
	log.waitFor(t, "connecting to the database failed", 1)
	p.open(t)
	e.expect(t, "regained")
	p.close()
	e.expect(t, "lost: ")
	log.waitFor(t, "connection was lost", 1)
	p.open(t)
	e.expect(t, "regained")
	if text := log.String(); strings.Contains(text, "hunter2") {
		t.Errorf("the log holds the password: %s", text)
	}
}

// A server whose machine has gone closes no connection: it is silent.
func TestListen_noticesASilentConnection(t *testing.T) {
	databaseURL := pgtest.URL(t)
	p := newProxy(t, databaseURL)
	e := newRecorder()
	goListen(t, quick(t, p.url(t, databaseURL), e, io.Discard))
	e.expect(t, "lost: <nil>")
	e.expect(t, "regained")
	p.silence(true)
	e.expect(t, "lost: ask the database server: ")
	p.silence(false)
	e.expect(t, "regained")
}

func TestListen_noticesALossSoon(t *testing.T) {
	e := newRecorder()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Listen(ctx, pgtest.URL(t), e.handlers(), slog.New(slog.DiscardHandler)); err != nil {
		t.Errorf("Listen: %v", err)
	}
	e.expect(t, "lost: <nil>")
	l, err := newListener("postgres://localhost/db", e.handlers(), nil)
	if most := l.pingEvery + l.pingTimeout; err != nil || most > 5*time.Second {
		t.Errorf("a loss may go unnoticed for %v (%v)", most, err)
	}
}

// What was notified until the last proof of life is known when the connection is lost.
func TestListen_lostSinceTheLastProof(t *testing.T) {
	databaseURL := pgtest.URL(t)
	s := open(t, databaseURL)
	e := newRecorder()
	l := quick(t, databaseURL, e, io.Discard)
	since := make(chan time.Time, 10)
	l.handlers.Lost = func(at time.Time, _ error) { since <- at }
	goListen(t, l)
	if at := <-since; !at.IsZero() {
		t.Errorf("at the beginning it is lost since %v", at)
	}
	e.expect(t, "regained")
	regained := time.Now()
	must(t)(s.Seen(t.Context(), visit("a", "", noon())))
	e.expect(t, "a")
	// Notifications that come all the time are no proof, nor do they stop the proofs. The
	// second shows that the first was given.
	proofs := map[time.Time]bool{}
	for deadline, version := time.Now().Add(time.Minute), int64(0); len(proofs) < 2; version++ {
		must(t)(s.SaveSettings(t.Context(), "a", greeting("Hi"), version))
		e.expect(t, "a")
		var asked time.Time
		err := s.read.QueryRow(`SELECT query_start FROM pg_stat_activity
			WHERE application_name = 'listener' AND datname = current_database() AND query LIKE 'show %'`).Scan(&asked)
		if err == nil {
			proofs[asked] = true
		}
		if time.Now().After(deadline) {
			t.Fatalf("there are %d proofs: %v", len(proofs), err)
		}
	}
	endConnections(t, s, "listener")
	if at := <-since; at.Before(regained) || at.After(time.Now()) {
		t.Errorf("it is lost since %v; the connection was there at %v", at, regained)
	}
}

// A server that takes no more writes is no longer the one where changes are made.
func TestListen_leavesAReadOnlyServer(t *testing.T) {
	cluster := pgtest.New(t)
	e := newRecorder()
	goListen(t, quick(t, cluster.URL, e, io.Discard))
	e.expect(t, "lost: <nil>")
	e.expect(t, "regained")
	administer(t, cluster.URL, `ALTER SYSTEM SET default_transaction_read_only = on`, `SELECT pg_reload_conf()`)
	e.expect(t, "lost: ask the database server: ")
	administer(t, cluster.URL, `ALTER SYSTEM RESET default_transaction_read_only`, `SELECT pg_reload_conf()`)
	e.expect(t, "regained")
}

func TestListen_endsWithItsContext(t *testing.T) {
	databaseURL := pgtest.URL(t)
	s := open(t, databaseURL)
	e := newRecorder()
	l := quick(t, databaseURL, e, io.Discard)
	l.pingEvery = time.Hour
	stop := goListen(t, l)
	e.expect(t, "lost: <nil>")
	e.expect(t, "regained")
	stop()
	var n int
	for deadline := time.After(20 * time.Second); ; {
		if err := s.read.QueryRow(`SELECT count(*) FROM pg_stat_activity WHERE application_name = 'listener' AND datname = current_database()`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		select {
		case <-deadline:
			t.Fatal("the connection is still there")
		case <-time.After(time.Millisecond):
		}
	}
	if len(e.lines) != 0 {
		t.Errorf("after the end it called %q", <-e.lines)
	}
}

func TestListen_returnsAtOnceWithoutPostgres(t *testing.T) {
	for _, row := range []struct{ name, url, want string }{
		{"SQLite", "sqlite:" + filepath.Join(t.TempDir(), "app.db"), ""},
		{"no database", "nonsense", "sqlite:PATH"},
		{"a malformed URL", "postgres://user:hun/ter2@host/db", "postgres://USER"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newRecorder()
			err := Listen(t.Context(), row.url, e.handlers(), slog.New(slog.DiscardHandler))
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("Listen: %v; want %q", err, row.want)
			}
			if err != nil && strings.Contains(err.Error(), "ter2") {
				t.Errorf("Listen repeats the password: %v", err)
			}
			if len(e.lines) != 0 {
				t.Errorf("it called %q", <-e.lines)
			}
		})
	}
}

// lockedBuffer is a log that a test reads while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *lockedBuffer) waitFor(t *testing.T, text string, times int) {
	t.Helper()
	for deadline := time.After(20 * time.Second); strings.Count(b.String(), text) < times; {
		select {
		case <-deadline:
			t.Fatalf("the log never said %q %d times: %s", text, times, b)
		case <-time.After(time.Millisecond):
		}
	}
}

// proxy stands between a client and the test server, on TCP.
type proxy struct {
	address string
	to      string // the server's socket

	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
	silent   bool
	heard    sync.Cond // of silent
	all      sync.WaitGroup
}

func newProxy(t *testing.T, databaseURL string) *proxy {
	t.Helper()
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: "127.0.0.1:0", to: net.JoinHostPort(config.Host, fmt.Sprint(config.Port))}
	if strings.HasPrefix(config.Host, "/") {
		p.to = filepath.Join(config.Host, fmt.Sprintf(".s.PGSQL.%d", config.Port))
	}
	p.heard.L = &p.mu
	p.open(t)
	t.Cleanup(func() { p.silence(false); p.close(); p.all.Wait() })
	return p
}

// url is databaseURL by way of the proxy, with a password.
func (p *proxy) url(t *testing.T, databaseURL string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Del("host")
	query.Set("sslmode", "disable")
	u.Host, u.User, u.RawQuery = p.address, url.UserPassword(u.User.Username(), "hunter2"), query.Encode()
	return u.String()
}

// open lets clients in, at the same address each time.
func (p *proxy) open(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	p.listener, p.address = listener, listener.Addr().String()
	p.mu.Unlock()
	p.all.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			network := "tcp"
			if strings.HasPrefix(p.to, "/") {
				network = "unix"
			}
			server, err := net.Dial(network, p.to)
			if err != nil {
				client.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, client, server)
			p.mu.Unlock()
			p.all.Go(func() { p.copy(client, server) })
			p.all.Go(func() { p.copy(server, client) })
		}
	})
}

// copy passes bytes on, except while the proxy is silent.
func (p *proxy) copy(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		for p.silent {
			p.heard.Wait()
		}
		p.mu.Unlock()
		if err != nil {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) silence(silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = silent
	p.heard.Broadcast()
}

// close refuses clients and hangs up on those that are there.
func (p *proxy) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listener.Close()
	for _, conn := range p.conns {
		conn.Close()
	}
	p.conns = nil
}
