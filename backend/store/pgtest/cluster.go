package pgtest

// The throw-away cluster, which ends with the test process however that ends.

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// keeper creates the cluster, and ends it when its standard input does.
//
//go:embed cluster.sh
var keeper string

// cluster is a running server.
type cluster struct {
	url string
	// bin is the directory of pg_ctl, dir has everything of the server, and credential is
	// the user who runs it, or nil.
	bin, dir   string
	credential *syscall.Credential
	// lifeline is the other end of the keeper's standard input. The kernel closes it with
	// this process; the reference keeps the garbage collector from doing so earlier.
	lifeline *os.File
}

// start makes a cluster. It listens on a Unix socket in a directory that is its own,
// so no port is needed and no other user can connect.
func start(h host) (cluster, error) {
	bin, err := h.binaries()
	if err != nil {
		return cluster{}, err
	}
	dir, err := os.MkdirTemp(h.tmp, "nametag-pg-")
	if err != nil {
		return cluster{}, err
	}
	attributes := &syscall.SysProcAttr{Setsid: true} // a Ctrl-C must not reach the server
	if h.root {
		// Postgres refuses to run as root.
		uid, gid, err := unprivileged()
		if err == nil {
			err = os.Chown(dir, int(uid), int(gid))
		}
		if err != nil {
			return cluster{}, errors.Join(err, os.RemoveAll(dir))
		}
		attributes.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	input, hold, err := os.Pipe()
	if err != nil {
		return cluster{}, errors.Join(err, os.RemoveAll(dir))
	}
	defer input.Close()
	cmd := exec.Command("/bin/sh", "-c", keeper, "sh", bin, dir)
	cmd.Dir, cmd.Stdin, cmd.SysProcAttr = dir, input, attributes
	// No locale of this machine, and none of its PG* variables.
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C"}
	output, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return cluster{}, errors.Join(fmt.Errorf("start Postgres: %w", err), hold.Close(), os.RemoveAll(dir))
	}
	printed := bufio.NewReader(output)
	if line, _ := printed.ReadString('\n'); line != "ready\n" {
		rest, _ := io.ReadAll(printed)
		return cluster{}, errors.Join(fmt.Errorf("the server did not start:\n%s%s", line, rest), cmd.Wait(), hold.Close())
	}
	output.Close()
	return cluster{
		url: "postgres://nametag@/postgres?" + url.Values{"host": {dir}}.Encode(),
		bin: bin, dir: dir, credential: attributes.Credential, lifeline: hold,
	}, nil
}

// unprivileged is the user who runs Postgres for root.
func unprivileged() (uid, gid uint32, err error) {
	var u *user.User
	for _, name := range []string{"postgres", "nobody"} {
		if u, err = user.Lookup(name); err == nil {
			break
		}
	}
	if err != nil {
		return 0, 0, fmt.Errorf("root may not run Postgres, and there is no other user who could: %w", err)
	}
	for id, of := range map[*uint32]string{&uid: u.Uid, &gid: u.Gid} {
		n, err := strconv.ParseUint(of, 10, 32)
		if err != nil {
			return 0, 0, err
		}
		*id = uint32(n)
	}
	return uid, gid, nil
}

// socketRoom is what a path may have at most in order that a socket fits below it.
const socketRoom = 60

// temporary is a directory for the cluster's own: in memory where there is room, because
// a database is made of hundreds of files.
func temporary() string {
	const memory, room = "/dev/shm", 2 << 30
	var at syscall.Statfs_t
	if os.Getenv("TMPDIR") == "" && syscall.Statfs(memory, &at) == nil && uint64(at.Bsize)*at.Bavail >= room {
		return memory
	}
	if dir := os.TempDir(); len(dir) <= socketRoom {
		return dir
	}
	return "/tmp"
}

// newest returns the last of the directories that hold both programs. Debian keeps
// one for each version, outside PATH.
func newest(directories []string) (string, bool) {
	for i := len(directories) - 1; i >= 0; i-- {
		found := true
		for _, program := range []string{"initdb", "pg_ctl"} {
			info, err := os.Stat(filepath.Join(directories[i], program))
			found = found && err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
		}
		if found {
			return directories[i], true
		}
	}
	return "", false
}

// versionOf orders Debian's directories: /usr/lib/postgresql/9.6/bin before 15.
func versionOf(directory string) float64 {
	version, _ := strconv.ParseFloat(filepath.Base(filepath.Dir(strings.TrimSuffix(directory, "/"))), 64)
	return version
}
