package app

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/product"
)

// run is the tests and then the end of the client's own idle connections.
type run struct{ *testing.M }

func (r run) Run() int {
	defer http.DefaultClient.CloseIdleConnections()
	return r.M.Run()
}

// asServer, set in the environment, makes this test binary a server, because tests that
// kill need another process: "1" of the greeter, "reviews" of the second app.
const asServer = "TEST_AS_SERVER"

// withClock, set in the environment, is how far the clock of such a server is ahead.
const withClock = "TEST_CLOCK_AHEAD"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		serveAsChild()
		return
	}
	goleak.VerifyTestMain(run{m})
}

func serveAsChild() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	go fillTheDiskOnSignal()
	config, err := LoadConfig(os.Environ())
	if err != nil {
		log.Error("configuration", "cause", err)
		os.Exit(2)
	}
	if offset, err := time.ParseDuration(os.Getenv(withClock)); err == nil {
		config.now = func() time.Time { return time.Now().Add(offset) }
	}
	config.unprobed = true
	apps := map[string]kit.New{"1": newGreeter, "reviews": newReviews}
	a, err := Serve(ctx, config, fakeBundles(), apps[os.Getenv(asServer)], log)
	if err != nil {
		log.Error("start", "cause", err)
		os.Exit(1)
	}
	log.Info("listening", "url", a.URL())
	if err := a.Run(ctx, func() time.Duration { return 0 }); err != nil {
		log.Error("run", "cause", err)
		os.Exit(1)
	}
}

// fillTheDiskOnSignal makes every write to a file fail from a SIGUSR1 on, as on a full
// disk, until a SIGUSR2.
func fillTheDiskOnSignal() {
	signal.Ignore(syscall.SIGXFSZ)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2)
	for s := range signals {
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			panic(err)
		}
		limit.Cur = 1
		if s == syscall.SIGUSR2 {
			limit.Cur = limit.Max
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			panic(err)
		}
	}
}

// child is a server in a process of its own.
type child struct {
	url string
	cmd *exec.Cmd
	// ended is closed when the process has ended.
	ended chan struct{}
}

// spawn starts a server process and waits until it listens.
func spawn(t *testing.T, environ ...string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0]), ended: make(chan struct{})}
	c.cmd.Env = append([]string{asServer + "=1"}, append(environ, product.EnvPrefix+"ADDR=127.0.0.1:0", product.EnvPrefix+"ADMIN_ADDR=127.0.0.1:0", product.EnvPrefix+"DEMO=false")...)
	stderr, err := c.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.kill() })
	listening := make(chan string, 1)
	go func() {
		defer close(c.ended)
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		var last []string
		for lines.Scan() {
			var line struct{ Msg, URL string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
				listening <- line.URL
			}
			last = append(last[max(0, len(last)-5):], lines.Text())
		}
		if err := c.cmd.Wait(); err != nil && c.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Errorf("a server ended with %v:\n%v", err, last)
		}
	}()
	select {
	case c.url = <-listening:
	case <-c.ended:
		t.Fatal("a server ended before it listened")
	case <-time.After(2 * time.Minute):
		t.Fatal("a server does not listen after two minutes")
	}
	return c
}

// kill ends the process without warning and waits for it.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.ended
}
