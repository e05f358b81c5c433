package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/store/pgtest"
)

// lastProof is when Ping has last written.
func lastProof(t *testing.T, s *Store) (at string) {
	t.Helper()
	if err := s.write.QueryRow(`SELECT CAST(tstamp AS TEXT) FROM goose_db_version WHERE version_id = 0`).Scan(&at); err != nil {
		t.Fatal(err)
	}
	return at
}

// forgetProof makes the next Ping write.
func (s *Store) forgetProof() { s.writes.at = time.Time{} }

func TestStore_Ping_writesSeldom(t *testing.T) {
	for name, url := range map[string]string{"SQLite": newURL(t), "memory": newMemoryURL(t), "Postgres": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			s := open(t, url)
			before := lastProof(t, s)
			for range 3 {
				if err := s.Ping(t.Context()); err != nil {
					t.Fatal(err)
				}
				after := lastProof(t, s)
				if after == before {
					t.Error("Ping has written nothing")
				}
				for range 5 {
					s.writes.at = time.Now()
					if err := s.Ping(t.Context()); err != nil || lastProof(t, s) != after {
						t.Errorf("Ping writes again at once, or fails: %v", err)
					}
				}
				before = after
				s.forgetProof()
			}
			if status, err := s.MigrationStatus(t.Context()); err != nil || status[0].AppliedAt.IsZero() {
				t.Errorf("the migrations are %v, %v", status, err)
			}
		})
	}
}

func TestStore_Ping_faults(t *testing.T) {
	path := func(s *Store) string { return s.dialect.file }
	replace := func(t *testing.T, path string) {
		other := filepath.Join(t.TempDir(), "other")
		if err := errors.Join(os.WriteFile(other, nil, 0o600), os.Rename(other, path)); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		name    string
		fault   func(t *testing.T, s *Store) (mend func())
		want    string
		durable bool // whether writes are refused, too
	}{
		{"locked by another process", func(t *testing.T, s *Store) func() { return lock(t, s) }, "prove a write", true},
		{"its own writer is stuck", func(t *testing.T, s *Store) func() {
			tx, err := s.write.Begin()
			if err != nil {
				t.Fatal(err)
			}
			return func() { tx.Rollback() }
		}, "prove a write", true},
		{"the file deleted", func(t *testing.T, s *Store) func() {
			if err := os.Rename(path(s), path(s)+".away"); err != nil {
				t.Fatal(err)
			}
			return func() { os.Rename(path(s)+".away", path(s)) }
		}, "deleted or replaced", true},
		{"the file replaced", func(t *testing.T, s *Store) func() {
			if err := os.Rename(path(s), path(s)+".away"); err != nil {
				t.Fatal(err)
			}
			replace(t, path(s))
			return func() { os.Rename(path(s)+".away", path(s)) }
		}, "deleted or replaced", true},
		{"the log deleted", func(t *testing.T, s *Store) func() {
			if err := os.Rename(path(s)+"-wal", path(s)+".away"); err != nil {
				t.Fatal(err)
			}
			return func() { os.Rename(path(s)+".away", path(s)+"-wal") }
		}, "deleted or replaced", true},
		{"the log replaced", func(t *testing.T, s *Store) func() {
			if err := os.Rename(path(s)+"-wal", path(s)+".away"); err != nil {
				t.Fatal(err)
			}
			replace(t, path(s)+"-wal")
			return func() { os.Rename(path(s)+".away", path(s)+"-wal") }
		}, "deleted or replaced", true},
		{"read-only", func(t *testing.T, s *Store) func() {
			if _, err := s.write.Exec(`PRAGMA query_only = ON`); err != nil {
				t.Fatal(err)
			}
			return func() { s.write.Exec(`PRAGMA query_only = OFF`) }
		}, "readonly", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := open(t, newURL(t))
			must(t)(s.Seen(t.Context(), visit("a", "", noon())))
			if err := s.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
			mend := row.fault(t, s)
			s.forgetProof()
			short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if err := s.Ping(short); err == nil || !s.IsUnavailable(err) || !strings.Contains(err.Error(), row.want) {
				t.Errorf("Ping: %v", err)
			}
			for name, write := range map[string]func(context.Context) error{
				"Accept": func(ctx context.Context) error { _, err := s.Accept(ctx, delivery(1)); return err },
				"Seen of a new instance": func(ctx context.Context) error {
					_, err := s.Seen(ctx, visit("new", "", noon()))
					return err
				},
				"RequestRefresh": func(ctx context.Context) error { return s.RequestRefresh(ctx, "a", noon()) },
			} {
				short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				if err := write(short); err == nil || !s.IsUnavailable(err) {
					t.Errorf("%s was acknowledged, or: %v", name, err)
				}
				cancel()
			}
			must(t)(s.Find(t.Context(), "a"))
			mend()
			s.forgetProof()
			if err := s.Ping(t.Context()); err != nil {
				t.Errorf("Ping when all is well again: %v", err)
			}
			if _, err := s.Accept(t.Context(), delivery(2)); err != nil {
				t.Errorf("Accept when all is well again: %v", err)
			}
		})
	}
}

func TestStore_Ping_failureLastsAMoment(t *testing.T) {
	s := open(t, newURL(t))
	unlock := lock(t, s)
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Ping(short); err == nil {
		t.Fatal("a locked file is ready")
	}
	unlock()
	s.writes.at = time.Now().Add(time.Hour) // it stays fresh
	if err := s.Ping(t.Context()); err == nil {
		t.Error("the failure is not remembered")
	}
	s.writes.at = time.Now().Add(-failedWriteFor)
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
	// One who has gone says nothing of the database.
	s.forgetProof()
	gone, cancelGone := context.WithCancel(t.Context())
	cancelGone()
	if err := s.proveWrite(gone); err == nil {
		t.Error("it was proved for one who has gone")
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
}

func TestStore_Ping_readOnlyPostgres(t *testing.T) {
	at := pgtest.URL(t)
	config, err := parsePostgres(at)
	if err != nil {
		t.Fatal(err)
	}
	for name, databaseURL := range map[string]string{"by default": at, "with any session": with(t, at, "target_session_attrs", "any")} {
		t.Run(name, func(t *testing.T) {
			s := open(t, databaseURL)
			administer(t, at, `ALTER DATABASE `+config.Database+` SET default_transaction_read_only = on`, endOthers)
			if err := s.Ping(t.Context()); !s.IsUnavailable(err) {
				t.Errorf("Ping: %v", err)
			}
			administer(t, at, `ALTER DATABASE `+config.Database+` RESET default_transaction_read_only`)
			for deadline := time.Now().Add(time.Minute); ; s.forgetProof() {
				err := s.Ping(t.Context())
				if err == nil {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("it does not become ready: %v", err)
				}
			}
		})
	}
}

// playPinger fills the disk, as playFullDisk does, and pings.
func playPinger(url string) error {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := Open(context.Background(), url, Options{})
	if err != nil {
		return err
	}
	if err := s.Ping(context.Background()); err != nil {
		return err
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	limit.Cur = 1
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	s.forgetProof()
	err = s.Ping(context.Background())
	fmt.Println("full:", s.IsUnavailable(err), err)
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	s.forgetProof()
	fmt.Println("room:", s.Ping(context.Background()))
	return s.Close()
}

func TestStore_Ping_fullDisk(t *testing.T) {
	child := start(t, "pinger", newURL(t))
	if line := child.line(t); !strings.HasPrefix(line, "full: true prove a write: ") {
		t.Error(line)
	}
	if line := child.line(t); line != "room: <nil>" {
		t.Error(line)
	}
	if err := child.Wait(); err != nil {
		t.Error(err)
	}
}

// corrupt overwrites pages of a closed database with garbage.
func corrupt(t *testing.T, path string, pages ...int64) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, page := range pages {
		if _, err := file.WriteAt([]byte(strings.Repeat("garbage ", 512)), (page-1)*4096); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStore_Verify(t *testing.T) {
	url := newURL(t)
	s := open(t, url)
	for n := range 30 {
		fill(t, s, n, time.Time{}, 20)
	}
	var pages int64
	if err := s.read.QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Verify(t.Context()), s.Close()); err != nil {
		t.Fatalf("a sound file: %v", err)
	}
	content, err := os.ReadFile(strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []int64{2, pages / 2, pages} {
		damaged := filepath.Join(t.TempDir(), "app.db")
		if err := os.WriteFile(damaged, content, 0o600); err != nil {
			t.Fatal(err)
		}
		corrupt(t, damaged, page)
		s, err := Open(t.Context(), "sqlite:"+damaged, Options{})
		if err == nil {
			err = s.Verify(t.Context())
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), damaged) {
			t.Errorf("page %d of %d is garbage: %v", page, pages, err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := open(t, url).Verify(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("Verify for one who has gone: %v", err)
	}
	for name, url := range map[string]string{"memory": newMemoryURL(t), "Postgres": pgtest.URL(t)} {
		if err := open(t, url).Verify(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A server whose file becomes garbage is not ready any more.
func TestStore_Ping_corruptFile(t *testing.T) {
	url := newURL(t)
	s := open(t, url)
	must(t)(s.Seen(t.Context(), visit("a", "", noon())))
	if err := s.keeper.emptyLog(t.Context()); err != nil {
		t.Fatal(err)
	}
	var pages int64
	if err := s.read.QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	// Another process, because closing the file here would drop SQLite's locks on it.
	child := start(t, "corrupter", fmt.Sprint(s.dialect.file, " ", pages))
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	// What is cached may answer once more; the write of the first Ping ends that.
	var err error
	for range 2 {
		s.forgetProof()
		err = errors.Join(err, s.Ping(t.Context()))
	}
	if !s.IsUnavailable(err) {
		t.Errorf("Ping: %v", err)
	}
}

func playCorrupter(argument string) error {
	var (
		path  string
		pages int64
	)
	if _, err := fmt.Sscan(argument, &path, &pages); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	for page := int64(1); page < pages; page++ {
		if _, err := file.WriteAt([]byte(strings.Repeat("garbage ", 512)), page*4096); err != nil {
			return err
		}
	}
	return file.Close()
}

// playLateOpener opens a current database on a full disk, reads, and ends.
func playLateOpener(url string) error {
	signal.Ignore(syscall.SIGXFSZ)
	// SQLite's shared memory (32 KB) has to be made when a file is opened.
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 32 << 10, Max: 32 << 10}); err != nil {
		return err
	}
	s, err := Open(context.Background(), url, Options{})
	if err != nil {
		return err
	}
	row, err := s.Find(context.Background(), "a")
	fmt.Println("found:", row.ID, err)
	_, err = s.Seen(context.Background(), visit(strings.Repeat("x", 40_000), "", noon()))
	fmt.Println("refused:", s.IsUnavailable(err))
	return nil
}

func TestOpen_currentSchemaOnAFullDisk(t *testing.T) {
	url := newURL(t)
	s := open(t, url)
	must(t)(s.Seen(t.Context(), visit("a", "", noon())))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	child := start(t, "late opener", url)
	for _, want := range []string{"found: a <nil>", "refused: true"} {
		if line := child.line(t); line != want {
			t.Errorf("%q, want %q", line, want)
		}
	}
}

// A current database opens while another process has locked it, and one that is still to be
// migrated waits for the lock.
func TestOpen_lockedFile(t *testing.T) {
	url := newURL(t)
	s := open(t, url)
	unlock := lock(t, s)
	other := open(t, url)
	if _, err := other.List(t.Context(), "", 1); err != nil {
		t.Error(err)
	}
	unlock()

	empty := newURL(t)
	if err := os.WriteFile(strings.TrimPrefix(empty, "sqlite:"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	unmigrated, err := connect(t.Context(), empty, Options{}, true)
	if err != nil {
		t.Fatal(err)
	}
	defer unmigrated.Close()
	unlock = lock(t, unmigrated)
	var log lockedBuffer
	opened := make(chan error, 1)
	go func() {
		s, err := Open(t.Context(), empty, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	log.waitFor(t, "waiting for the database", 1) // after the 5 s that SQLite waits by itself
	select {
	case err := <-opened:
		t.Fatalf("it does not wait: %v", err)
	default:
	}
	unlock()
	if err := <-opened; err != nil {
		t.Errorf("Open: %v", err)
	}
	if n := strings.Count(log.String(), "waiting"); n != 1 {
		t.Errorf("it says %d times that it waits", n)
	}
}

func TestOpen_lockedFileUntilTheContextEnds(t *testing.T) {
	empty := newURL(t)
	if err := os.WriteFile(strings.TrimPrefix(empty, "sqlite:"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	unmigrated, err := connect(t.Context(), empty, Options{}, true)
	if err != nil {
		t.Fatal(err)
	}
	defer unmigrated.Close()
	defer lock(t, unmigrated)()
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Open(short, empty, Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Open: %v", err)
	}
}

// playNobody opens the database as a user who may write nothing there.
func playNobody(url string) error {
	if os.Geteuid() == 0 {
		if err := errors.Join(syscall.Setgid(65534), syscall.Setuid(65534)); err != nil {
			return err
		}
	}
	s, err := Open(context.Background(), url, Options{})
	if err == nil {
		err = s.Close()
	}
	fmt.Println("opened:", err)
	return nil
}

func TestOpen_unwritableDirectory(t *testing.T) {
	for _, mode := range []os.FileMode{0o600, 0o666} {
		dir := t.TempDir()
		path := filepath.Join(dir, "app.db")
		s := open(t, "sqlite:"+path)
		if err := errors.Join(s.Close(), os.Chmod(path, mode), os.Chmod(dir, 0o555), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(dir, 0o755) })
		line := start(t, "nobody", "sqlite:"+path).line(t)
		if !strings.Contains(line, "directory must be writable") || !strings.Contains(line, path) {
			t.Errorf("a file of mode %v: %s", mode, line)
		}
	}
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(dir, 0o555), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir, 0o755) })
	if line := start(t, "nobody", "sqlite:"+dir+"/new.db").line(t); !strings.Contains(line, "create the SQLite database") || !strings.Contains(line, "permission denied") {
		t.Errorf("a new file: %s", line)
	}
}

func TestShare(t *testing.T) {
	url := newURL(t)
	alone, release, err := Share(url)
	if err != nil || !alone {
		t.Fatalf("the first: %v, %v", alone, err)
	}
	for range 2 { // a lock is a file's, so two in one process are as two processes
		alone, second, err := Share(url)
		if err != nil || alone {
			t.Errorf("the second: %v, %v", alone, err)
		}
		if err := second(); err != nil {
			t.Error(err)
		}
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	alone, release, err = Share(url)
	if err != nil || !alone {
		t.Errorf("after the others: %v, %v", alone, err)
	}
	release()
	for _, other := range []string{"sqlite::memory:", "postgres://localhost/db", "nonsense"} {
		if alone, release, err := Share(other); err != nil || !alone || release() != nil {
			t.Errorf("%s: %v, %v", other, alone, err)
		}
	}
	if _, _, err := Share("sqlite:" + t.TempDir() + "/missing/app.db"); err == nil {
		t.Error("a missing directory is no error")
	}
}

// After a kill the next process is alone.
func TestShare_endsWithItsProcess(t *testing.T) {
	url := newURL(t)
	child := start(t, "sharer", url)
	if line := child.line(t); line != "true <nil>" {
		t.Fatal(line)
	}
	if alone, release, err := Share(url); err != nil || alone {
		t.Errorf("beside another process: %v, %v", alone, err)
	} else {
		release()
	}
	child.Process.Kill()
	child.Wait()
	if alone, release, err := Share(url); err != nil || !alone {
		t.Errorf("after it: %v, %v", alone, err)
	} else {
		release()
	}
}

func playSharer(url string) error {
	alone, _, err := Share(url)
	fmt.Println(alone, err)
	io.Copy(io.Discard, os.Stdin)
	return nil
}
