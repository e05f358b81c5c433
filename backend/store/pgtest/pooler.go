package pgtest

// PgBouncer before a database.

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// poolerKeeper runs PgBouncer until its standard input ends, however its parent ends.
const poolerKeeper = `"$1" -q "$2" & pid=$!; cat >/dev/null; kill -9 $pid; wait`

// Pooler starts PgBouncer, with its defaults but for the mode (session or transaction),
// before a database, and returns the URL of the database by way of it. It ends with the
// test.
func Pooler(t testing.TB, databaseURL, mode string) string {
	t.Helper()
	h := machine()
	path, err := h.pgbouncer()
	if err != nil {
		t.Fatal(err)
	}
	server, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(h.tmp, "nametag-pooler-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	attributes := &syscall.SysProcAttr{Setsid: true}
	if h.root {
		// It refuses to run as root, too.
		uid, gid, err := unprivileged()
		if err == nil {
			err = os.Chown(dir, int(uid), int(gid))
		}
		if err != nil {
			t.Fatal(err)
		}
		attributes.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	config := filepath.Join(dir, "pgbouncer.ini")
	password := ""
	if server.Password != "" { // it takes no empty one
		password = " password='" + strings.ReplaceAll(server.Password, "'", "''") + "'"
	}
	content := fmt.Sprintf("[databases]\n%s = host=%s port=%d user=%s%s\n"+
		"[pgbouncer]\npool_mode = %s\nauth_type = any\nlisten_addr =\nunix_socket_dir = %s\nlogfile = %s\n",
		server.Database, server.Host, server.Port, server.User, password, mode, dir, filepath.Join(dir, "log"))
	if err := os.WriteFile(config, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh", "-c", poolerKeeper, "sh", path, config)
	cmd.Dir, cmd.SysProcAttr = dir, attributes
	lifeline, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lifeline.Close(); cmd.Wait() })
	until(t, "PgBouncer listens", func() bool { _, err := os.Stat(filepath.Join(dir, ".s.PGSQL.6432")); return err == nil })
	return (&url.URL{
		Scheme: "postgres", User: url.User(server.User), Host: "", Path: "/" + server.Database,
		RawQuery: url.Values{"host": {dir}, "port": {"6432"}}.Encode(),
	}).String()
}
