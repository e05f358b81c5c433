package pgtest

// A server that one test has for itself, to stop, kill and start again.

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Cluster is a server of one test. It ends with the test.
type Cluster struct {
	// URL is a database of the server, empty at first.
	URL string
	at  cluster
}

// New starts a server for this test alone.
func New(t testing.TB) *Cluster {
	t.Helper()
	at, err := start(machine())
	if err != nil {
		t.Fatalf("no Postgres to test with: %v", err)
	}
	t.Cleanup(func() {
		_ = at.lifeline.Close()
		until(t, "the server's files are gone", func() bool { _, err := os.Stat(at.dir); return err != nil })
	})
	return &Cluster{at.url, at}
}

// Stop ends the server in good order: its sessions end with 57P01, and new ones are refused.
func (c *Cluster) Stop(t testing.TB) {
	t.Helper()
	if output, err := c.control("-m", "fast", "-w", "stop"); err != nil {
		t.Fatalf("stop Postgres: %v\n%s", err, output)
	}
}

// Start starts the server again, which may have been stopped or killed.
func (c *Cluster) Start(t testing.TB) {
	t.Helper()
	until(t, "Postgres starts again", func() bool {
		// A killed server's last processes may still be there. What restarts has the
		// options of before, which start has not.
		_, err := c.control("-l", filepath.Join(c.at.dir, "log"), "-w", "-t", "60", "restart")
		return err == nil
	})
}

// Kill ends the server without warning.
func (c *Cluster) Kill(t testing.TB) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(c.at.dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(line)
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the server ends", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
}

func (c *Cluster) control(arguments ...string) ([]byte, error) {
	cmd := exec.Command(filepath.Join(c.at.bin, "pg_ctl"), append([]string{"-D", filepath.Join(c.at.dir, "data")}, arguments...)...)
	cmd.Dir, cmd.Env = c.at.dir, []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: c.at.credential}
	if len(arguments) > 0 && arguments[len(arguments)-1] == "restart" {
		return nil, cmd.Run() // the server would hold the pipe of its output
	}
	return cmd.CombinedOutput()
}

func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !done() {
		select {
		case <-deadline:
			t.Fatalf("waited too long until %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
