package pgtest

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

// With roleVar set this test binary is a test process that starts a cluster, prints where
// it is, and waits to be killed, or ends at once.
const roleVar = "NAMETAG_PGTEST_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVar)
	if role == "" {
		goleak.VerifyTestMain(m)
		return
	}
	at, err := server()
	fmt.Println(at.url, err)
	if role == "waits" {
		bufio.NewReader(os.Stdin).ReadByte()
	}
	os.Exit(0)
}

func connect(t *testing.T, at string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func ask(t *testing.T, conn *pgx.Conn, query string, args ...any) (answer string) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

func TestURL_emptyDatabaseForEachTest(t *testing.T) {
	for range 2 {
		conn := connect(t, URL(t))
		if n := ask(t, conn, `SELECT count(*)::text FROM pg_class WHERE relnamespace = 'public'::regnamespace`); n != "0" {
			t.Errorf("a fresh database holds %s things", n)
		}
		if encoding := ask(t, conn, `SHOW server_encoding`); encoding != "UTF8" {
			t.Errorf("the encoding is %s", encoding)
		}
		if _, err := conn.Exec(t.Context(), `CREATE TABLE mine (id INT)`); err != nil {
			t.Error(err)
		}
	}
}

func TestTemplate_databasesAreCopies(t *testing.T) {
	prepared := 0
	var first string
	t.Run("inner", func(t *testing.T) {
		next := Template(t, func(at string) {
			prepared++
			first = at
			conn, err := pgx.Connect(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(t.Context())
			if _, err := conn.Exec(t.Context(), `CREATE TABLE mine (id INT); INSERT INTO mine VALUES (1)`); err != nil {
				t.Fatal(err)
			}
		})
		for range 2 {
			conn := connect(t, next(t))
			if _, err := conn.Exec(t.Context(), `INSERT INTO mine VALUES (2)`); err != nil {
				t.Fatal(err)
			}
			if n := ask(t, conn, `SELECT count(*)::text FROM mine`); n != "2" {
				t.Errorf("a copy has %s rows", n)
			}
		}
	})
	if prepared != 1 {
		t.Errorf("it was prepared %d times", prepared)
	}
	if conn, err := pgx.Connect(t.Context(), first); err == nil {
		conn.Close(t.Context())
		t.Error("the template outlived its test")
	}
}

func TestURL_manyAtOnce(t *testing.T) {
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		seen = map[string]bool{}
	)
	for range 8 {
		all.Go(func() {
			at := URL(t)
			mu.Lock()
			defer mu.Unlock()
			seen[at] = true
		})
	}
	all.Wait()
	if len(seen) != 8 {
		t.Errorf("8 tests share %d databases", len(seen))
	}
}

func TestURL_dropsADatabaseInUse(t *testing.T) {
	var at string
	t.Run("inner", func(t *testing.T) {
		at = URL(t)
		if _, err := pgx.Connect(context.Background(), at); err != nil { // and stay
			t.Fatal(err)
		}
	})
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	others := connect(t, URL(t))
	if n := ask(t, others, `SELECT count(*)::text FROM pg_database WHERE datname = $1`, strings.TrimPrefix(u.Path, "/")); n != "0" {
		t.Error("the database outlived its test")
	}
}

// spawn starts a test process and returns the URL of its cluster and that URL's directory.
func spawn(t *testing.T, role, named string) (cmd *exec.Cmd, at, dir string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(self)
	cmd.Env = append(os.Environ(), roleVar+"="+role, Variable+"="+named)
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
	t.Cleanup(func() { stdin.Close(); cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	at, found := strings.CutSuffix(line, " <nil>\n")
	if err != nil || !found {
		t.Fatalf("the process printed %q, %v", line, err)
	}
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	return cmd, at, u.Query().Get("host")
}

func TestServer_endsWithItsProcess(t *testing.T) {
	for _, row := range []struct{ name, role string }{{"that is killed", "waits"}, {"that exits", "exits"}} {
		t.Run(row.name, func(t *testing.T) {
			cmd, at, dir := spawn(t, row.role, "")
			pid := "gone"
			if row.role == "waits" {
				ask(t, connect(t, at), `SELECT 'it lives'`)
				pid = postmaster(t, dir)
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			until(t, "the server ends", func() bool { _, err := os.Stat(filepath.Join("/proc", pid)); return err != nil })
			until(t, "its files are gone", func() bool { _, err := os.Stat(dir); return err != nil })
		})
	}
}

// postmaster is the server's process id.
func postmaster(t *testing.T, dir string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, _, _ := strings.Cut(string(content), "\n")
	return pid
}

func TestCluster_endsAndComesBack(t *testing.T) {
	c := New(t)
	if conn := connect(t, c.URL); ask(t, conn, `SELECT 'it lives'`) != "it lives" {
		t.Error("it does not answer")
	}
	for name, end := range map[string]func(testing.TB){"stopped": c.Stop, "killed": c.Kill} {
		end(t)
		if conn, err := pgx.Connect(t.Context(), c.URL); err == nil {
			conn.Close(t.Context())
			t.Errorf("%s, it still answers", name)
		}
		c.Start(t)
		if mode := ask(t, connect(t, c.URL), `SHOW fsync`); mode != "off" {
			t.Errorf("%s and started again, it has other options", name)
		}
	}
}

func TestPooler_inBothModes(t *testing.T) {
	for _, mode := range []string{"session", "transaction"} {
		at := Pooler(t, URL(t), mode)
		if answer := ask(t, connect(t, at+"&default_query_exec_mode=exec"), `SELECT 'it passes'`); answer != "it passes" {
			t.Errorf("%s: %s", mode, answer)
		}
	}
}

func TestServer_fromTheVariable(t *testing.T) {
	at, err := server()
	if err != nil {
		t.Fatal(err)
	}
	_, used, _ := spawn(t, "waits", at.url)
	if used != at.url {
		t.Errorf("the process uses %q, want %q", used, at.url)
	}
}

func TestCreate_errorWithoutThePassword(t *testing.T) {
	for name, at := range map[string]string{
		"not a URL":       "host=localhost password=hunter2",
		"another scheme":  "mysql://user:hunter2@localhost/db",
		"a broken URL":    "postgres://user:hun/ter2@localhost/db",
		"no server":       "postgres://user:hunter2@/db?host=" + t.TempDir(),
		"an unknown mode": "postgres://user:hunter2@localhost/db?sslmode=loud",
	} {
		t.Run(name, func(t *testing.T) {
			database, _, err := create(at, "template0")
			if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "hun/ter2") {
				t.Errorf("create: %q, %v", database, err)
			}
		})
	}
}

// script writes a shell script.
func script(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+content), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestHost_binaries_found(t *testing.T) {
	for _, row := range []struct {
		name      string
		installed []string
		path      bool // whether PATH has it
		want      string
	}{
		{"only outside PATH", []string{"15"}, false, "15"},
		{"the newest of several, by number", []string{"9.6", "15", "8"}, false, "15"},
		{"in PATH before any other", []string{"15", "17"}, true, "path"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, version := range row.installed {
				script(t, filepath.Join(dir, version, "bin", "initdb"), "")
				script(t, filepath.Join(dir, version, "bin", "pg_ctl"), "")
			}
			path := filepath.Join(dir, "links")
			if row.path {
				script(t, filepath.Join(dir, "path", "initdb"), "")
				script(t, filepath.Join(dir, "path", "pg_ctl"), "")
				if err := os.Mkdir(path, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(filepath.Join(dir, "path", "initdb"), filepath.Join(path, "initdb")); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PATH", path)
			bin, err := host{debian: filepath.Join(dir, "*", "bin"), tmp: dir}.binaries()
			if err != nil || !strings.HasPrefix(bin, filepath.Join(dir, row.want)) {
				t.Errorf("binaries = %q, %v; want those of %s", bin, err, row.want)
			}
		})
	}
}

func TestHost_binaries_missing(t *testing.T) {
	brings := "mkdir -p $DIR/15/bin && cp $DIR/tool $DIR/15/bin/initdb && cp $DIR/tool $DIR/15/bin/pg_ctl\n"
	for _, row := range []struct {
		name   string
		root   bool
		apt    string // what apt-get does; "" if there is none
		want   string // of the error, "" if it is found then
		called string // the subcommands of apt-get
	}{
		{"it is installed", true, "[ $1 = install ] && " + brings, "", "install"},
		{"it is installed once there is a list of packages", true,
			"[ $1 = update ] && touch $DIR/list\n[ $1 = update ] || { [ -e $DIR/list ] && " + strings.TrimSpace(brings) + "; }", "", "install update install"},
		{"only root installs", false, brings, "install Postgres", ""},
		{"no apt-get", true, "", "install Postgres", ""},
		{"no network for the list", true, "echo no network; exit 1", "apt-get update: exit status 1\nno network", "install update"},
		{"no such package", true, "[ $1 = update ] || { echo no package; exit 1; }", "apt-get install postgresql: exit status 1\nno package", "install update install"},
		{"a package without the programs", true, "exit 0", "contains no initdb", "install"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			script(t, filepath.Join(dir, "tool"), "")
			if row.apt != "" {
				script(t, filepath.Join(dir, "sbin", "apt-get"), "PATH=/usr/bin:/bin\necho $1 >>$DIR/called\n"+row.apt)
			}
			t.Setenv("PATH", filepath.Join(dir, "sbin"))
			t.Setenv("DIR", dir)
			bin, err := host{debian: filepath.Join(dir, "*", "bin"), root: row.root, tmp: dir}.binaries()
			if row.want == "" && (err != nil || bin != filepath.Join(dir, "15", "bin")) {
				t.Errorf("binaries = %q, %v", bin, err)
			}
			if row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("binaries = %q, %v; want an error that says %q", bin, err, row.want)
			}
			called, _ := os.ReadFile(filepath.Join(dir, "called"))
			if got := strings.Join(strings.Fields(string(called)), " "); got != row.called {
				t.Errorf("apt-get was called with %q, want %q", got, row.called)
			}
		})
	}
}

func TestStart_failureLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for parent := dir; parent != os.TempDir() && parent != "/"; parent = filepath.Dir(parent) {
		if err := os.Chmod(parent, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script(t, filepath.Join(dir, "15", "bin", "initdb"), "echo no room left; exit 1")
	script(t, filepath.Join(dir, "15", "bin", "pg_ctl"), "exit 1")
	t.Setenv("PATH", "")
	h := machine()
	h.debian = filepath.Join(dir, "*", "bin")
	h.tmp = filepath.Join(dir, "tmp")
	if err := os.Mkdir(h.tmp, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(h.tmp, 0o777); err != nil {
		t.Fatal(err)
	}
	at, err := start(h)
	if err == nil || !strings.Contains(err.Error(), "no room left") {
		t.Errorf("start = %v, %v", at, err)
	}
	if left, _ := os.ReadDir(h.tmp); len(left) != 0 {
		t.Errorf("it left %v", left)
	}
}
