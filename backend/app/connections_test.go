package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

func TestConnectionsOf(t *testing.T) {
	for files, want := range map[uint64]int{
		0: 1, 1: 1, 2: 1, 20: 10, 300: 150, 1024: 832, 65_536: 65_344, 1 << 63: 1<<24 - reservedFiles, ^uint64(0): 1<<24 - reservedFiles,
	} {
		if got := connectionsOf(files); got != want {
			t.Errorf("%d files: %d connections, not %d", files, got, want)
		}
	}
}

// boundedServer serves on a bounded listener. A request of /wait is answered once its release
// is closed.
type boundedServer struct {
	address string
	waiting chan struct{}
	release chan struct{}
	log     *lockedBuffer
}

func serveBounded(t *testing.T, most int) *boundedServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &boundedServer{listener.Addr().String(), make(chan struct{}, 100), make(chan struct{}), new(lockedBuffer)}
	server := &http.Server{ConnState: connState, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			s.waiting <- struct{}{}
			<-s.release
		}
		fmt.Fprint(w, "ok")
	})}
	done := make(chan error)
	go func() { done <- server.Serve(bounded(listener, most, slog.New(slog.NewTextHandler(s.log, nil)))) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the server ended with %v", err)
		}
	})
	return s
}

func (s *boundedServer) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func send(t *testing.T, c net.Conn, path string) {
	t.Helper()
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		t.Fatal(err)
	}
}

// answered reads an answer, which comes within a minute, and leaves the connection open.
func answered(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); string(body) != "ok" {
		t.Fatalf("got %q, %v", body, err)
	}
}

// ended waits until the server has closed the connection.
func ended(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	if n, err := io.Copy(io.Discard, c); n > 0 || errors.Is(err, net.ErrClosed) || isTimeout(err) {
		t.Fatalf("the connection has %d more bytes, and %v", n, err)
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func TestBoundedListener_closesTheOldestIdle(t *testing.T) {
	s := serveBounded(t, 4)
	var idle []net.Conn
	for range 3 {
		c := s.dial(t)
		send(t, c, "/")
		answered(t, c)
		idle = append(idle, c)
	}
	working := s.dial(t)
	send(t, working, "/wait")
	<-s.waiting
	// The first has been idle the longest, until it asks again.
	send(t, idle[0], "/")
	answered(t, idle[0])
	for range 5 {
		c := s.dial(t)
		send(t, c, "/")
		answered(t, c)
	}
	ended(t, idle[1])
	ended(t, idle[2])
	ended(t, idle[0])
	close(s.release)
	answered(t, working)
	if n := strings.Count(s.log.String(), "ulimit -n"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, s.log.String())
	}
}

func TestBoundedListener_closesThoseThatSentNothing(t *testing.T) {
	s := serveBounded(t, 3)
	for range 6 {
		s.dial(t)
	}
	c := s.dial(t)
	send(t, c, "/")
	answered(t, c)
}

func TestBoundedListener_waitsWhileAllWork(t *testing.T) {
	s := serveBounded(t, 2)
	working := []net.Conn{s.dial(t), s.dial(t)}
	for _, c := range working {
		send(t, c, "/wait")
		<-s.waiting
	}
	next := s.dial(t)
	send(t, next, "/")
	close(s.release)
	answered(t, next) // though neither of the others is closed by its client
	for _, c := range working {
		answered(t, c)
	}
}

func TestBoundedListener_endsWhileItWaits(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	full := make(chan struct{})
	b := bounded(listener, 1, slog.New(slog.DiscardHandler))
	b.full = func() { close(full) }
	(&boundedServer{address: listener.Addr().String()}).dial(t)
	c, err := b.Accept()
	if err != nil {
		t.Fatal(err)
	}
	connState(c, http.StateActive)
	(&boundedServer{address: listener.Addr().String()}).dial(t)
	done := make(chan error)
	go func() {
		_, err := b.Accept()
		done <- err
	}()
	<-full
	_ = b.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
	_ = c.Close()
}

// TestConnections_leaveDescriptors runs the program with few descriptors, and takes more
// connections than it has.
func TestConnections_leaveDescriptors(t *testing.T) {
	sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: appSecret})
	if err != nil {
		t.Fatal(err)
	}
	upstream := httptest.NewServer(sim.REST())
	t.Cleanup(upstream.Close)
	server := spawn(t, openFiles+"=300", "WIX_API_URL="+upstream.URL, "WIX_APP_ID="+appID, "WIX_APP_SECRET="+appSecret,
		product.EnvPrefix+"DATABASE_URL=sqlite:"+filepath.Join(t.TempDir(), "app.db"))
	flood := &boundedServer{address: strings.TrimPrefix(server.url, "http://")}
	for i := range 400 {
		c := flood.dial(t)
		if i%2 == 0 {
			send(t, c, "/healthz")
			_ = c.SetReadDeadline(time.Now().Add(time.Minute))
			if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
				t.Fatalf("connection %d: %v", i+1, err)
			}
		}
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	for range 20 {
		token, _, err := sim.Mint(wixsim.TokenRequest{Subject: wixsim.Visitor})
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest(http.MethodGet, server.url+"/api/get-instance", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", token)
		for name, do := range map[string]func() (*http.Response, error){
			"a new visitor":    func() (*http.Response, error) { return client.Do(req) },
			"the admin's port": func() (*http.Response, error) { return client.Get(server.admin + "/metrics") },
		} {
			res, err := do()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if _ = res.Body.Close(); res.StatusCode != http.StatusOK {
				t.Errorf("%s: got %d", name, res.StatusCode)
			}
		}
	}
}
