package sqlstore

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// With roleVar set this test binary is a second process that plays that role on
// the database at urlVar.
const (
	roleVar = "NAMETAG_SQLSTORE_TEST_ROLE"
	urlVar  = "NAMETAG_SQLSTORE_TEST_URL"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVar); role != "" {
		roles := map[string]func(string) error{
			"opener": playOpener, "writer": playWriter, "writer on a full disk": playFullDisk,
			"receiver": playReceiver, "receiver on a full disk": playFullReceiver,
			"deleter": playDeleter, "pinger": playPinger, "corrupter": playCorrupter, "late opener": playLateOpener,
			"nobody": playNobody, "sharer": playSharer,
			"app 1": playAppOpener(1), "app 2": playAppOpener(2),
		}
		if err := roles[role](os.Getenv(urlVar)); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// process is a child of the test.
type process struct {
	*exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
}

func start(t *testing.T, role, url string) process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), roleVar+"="+role, urlVar+"="+url)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return process{cmd, stdin, bufio.NewScanner(stdout)}
}

func (p process) line(t *testing.T) string {
	t.Helper()
	if !p.lines.Scan() {
		t.Fatalf("the process printed no more: %v", p.lines.Err())
	}
	return p.lines.Text()
}

// playOpener opens the database once its standard input is closed.
func playOpener(url string) error {
	fmt.Println("ready")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	s, err := Open(context.Background(), url, Options{})
	if err != nil {
		return err
	}
	if _, err := s.Seen(context.Background(), visit("a", "", noon())); err != nil {
		return err
	}
	fmt.Println("opened")
	return s.Close()
}

func TestOpen_processesAtOnceOnANewFile(t *testing.T) {
	for range 3 {
		url := newURL(t)
		var children []process
		for range 5 {
			child := start(t, "opener", url)
			if line := child.line(t); line != "ready" {
				t.Fatal(line)
			}
			children = append(children, child)
		}
		for _, child := range children {
			child.stdin.Close()
		}
		for i, child := range children {
			if line := child.line(t); line != "opened" {
				t.Errorf("process %d: %s", i, line)
			}
			if err := child.Wait(); err != nil {
				t.Errorf("process %d: %v", i, err)
			}
		}
		wantVersionsOnce(t, open(t, url), steps(t))
	}
}

var writerIDs = []string{"a", "b", "c"}

// playWriter saves settings of several instances without end, and prints each save that
// was acknowledged.
func playWriter(url string) error {
	s, err := Open(context.Background(), url, Options{})
	if err != nil {
		return err
	}
	failed := make(chan error)
	for _, id := range writerIDs {
		go func() {
			row, err := s.Seen(context.Background(), visit(id, "", noon()))
			for err == nil {
				next := greeting(fmt.Sprint("Hello ", row.Version+1))
				if row, err = s.SaveSettings(context.Background(), id, next, row.Version); err == nil {
					// One write call, so that lines of different instances do not mix.
					os.Stdout.WriteString(fmt.Sprintln(id, row.Version))
				}
			}
			failed <- err
		}()
	}
	return <-failed
}

func TestStore_SaveSettings_survivesKill(t *testing.T) {
	url := newURL(t)
	acknowledged := map[string]int64{}
	for round := range 6 {
		child := start(t, "writer", url)
		for range 20 + 37*round {
			note(t, acknowledged, child.line(t))
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		// What it printed before it died counts too.
		for child.lines.Scan() {
			note(t, acknowledged, child.lines.Text())
		}
		child.Wait()

		s := open(t, url)
		wantSound(t, s)
		for _, id := range writerIDs {
			row, err := s.Find(t.Context(), id)
			if err != nil && acknowledged[id] > 0 {
				t.Fatalf("round %d: %s: %v", round, id, err)
			}
			if row.Version < acknowledged[id] {
				t.Errorf("round %d: %s is at version %d, but %d was acknowledged", round, id, row.Version, acknowledged[id])
			}
			if row.Version > 0 && string(row.Settings) != string(greeting(fmt.Sprint("Hello ", row.Version))) {
				t.Errorf("round %d: %s is at version %d with %s", round, id, row.Version, row.Settings)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// playFullDisk saves until a file may not grow any more. The limit makes the system
// refuse the write to the log, as a full disk does, which SQLite learns of only when
// it commits.
func playFullDisk(url string) error {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := Open(context.Background(), url, Options{})
	if err != nil {
		return err
	}
	row, err := s.Seen(context.Background(), visit("a", "", noon()))
	if err != nil {
		return err
	}
	limit := syscall.Rlimit{Cur: 200_000, Max: 200_000}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	for range 10_000 {
		if row, err = s.SaveSettings(context.Background(), "a", greeting("Hi"), row.Version); err != nil {
			if _, found := s.Find(context.Background(), "a"); found != nil {
				return fmt.Errorf("a full disk stopped reads: %w", found)
			}
			fmt.Println("refused:", err)
			return nil
		}
		fmt.Println("a", row.Version)
	}
	return nil
}

func TestStore_SaveSettings_fullDisk(t *testing.T) {
	url := newURL(t)
	acknowledged := map[string]int64{}
	child := start(t, "writer on a full disk", url)
	line := child.line(t)
	for strings.HasPrefix(line, "a ") {
		note(t, acknowledged, line)
		line = child.line(t)
	}
	if !strings.HasPrefix(line, "refused: save the settings of an instance: ") {
		t.Errorf("the save was refused with %q", line)
	}
	if err := child.Wait(); err != nil {
		t.Error(err)
	}
	s := open(t, url)
	wantSound(t, s)
	row := must(t)(s.Find(t.Context(), "a"))
	if acknowledged["a"] == 0 || row.Version != acknowledged["a"] {
		t.Errorf("the row is at version %d, but %d was acknowledged", row.Version, acknowledged["a"])
	}
	must(t)(s.SaveSettings(t.Context(), "a", greeting("Hi"), row.Version))
}

func note(t *testing.T, acknowledged map[string]int64, line string) {
	t.Helper()
	var (
		id      string
		version int64
	)
	if _, err := fmt.Sscan(line, &id, &version); err != nil || id == "error:" {
		t.Fatalf("the writer printed %q", line)
	}
	if version <= acknowledged[id] {
		t.Fatalf("the writer was given version %d of %s after %d", version, id, acknowledged[id])
	}
	acknowledged[id] = version
}

func wantSound(t *testing.T, s *Store) {
	t.Helper()
	var verdict string
	if err := s.write.QueryRow(`PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Fatalf("integrity_check: %q, %v", verdict, err)
	}
}

func TestStore_Seen_everyWriterOfACrowd(t *testing.T) {
	s := open(t, newURL(t))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if _, err := s.Seen(ctx, visit(fmt.Sprint(i), "", noon())); err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	all.Wait()
}
