package pgtest

// Where Postgres is installed on this machine, and how it is installed if it is missing.

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
)

// host is what start needs to know of a machine.
type host struct {
	// debian is a pattern for the directories in which Debian keeps Postgres' programs.
	debian string
	// root means that this process may install packages.
	root bool
	// tmp is where temporary directories are made.
	tmp string
}

func machine() host {
	return host{debian: "/usr/lib/postgresql/*/bin", root: os.Geteuid() == 0, tmp: temporary()}
}

// binaries returns the directory of initdb and pg_ctl.
func (h host) binaries() (string, error) {
	return h.find(h.installed, "postgresql", "initdb and pg_ctl",
		"install Postgres (initdb and pg_ctl, Debian's package postgresql), or set "+Variable+" to the URL of a server")
}

// pgbouncer returns the path of the program.
func (h host) pgbouncer() (string, error) {
	// Debian has it outside the PATH of those who are not root.
	return h.find(func() (string, bool) { return program("pgbouncer", "/usr/sbin/pgbouncer") }, "pgbouncer", "pgbouncer",
		"install PgBouncer (Debian's package pgbouncer)")
}

func program(name, elsewhere string) (string, bool) {
	if path, err := exec.LookPath(name); err == nil {
		return path, true
	}
	_, err := os.Stat(elsewhere)
	return elsewhere, err == nil
}

// find returns what look finds, if need be after it has installed the package that contains
// it. Who may not install gets the advice.
func (h host) find(look func() (string, bool), pack, content, advice string) (string, error) {
	if path, found := look(); found {
		return path, nil
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil || !h.root {
		return "", errors.New(advice)
	}
	if err := h.install(apt, pack, look); err != nil {
		return "", err
	}
	if path, found := look(); found {
		return path, nil
	}
	return "", errors.New("the package " + pack + " contains no " + content)
}

// installed prefers what is in PATH.
func (h host) installed() (string, bool) {
	directories, _ := filepath.Glob(h.debian)
	slices.SortStableFunc(directories, func(a, b string) int { return cmp.Compare(versionOf(a), versionOf(b)) })
	if initdb, err := exec.LookPath("initdb"); err == nil {
		// The programs look for each other beside the file itself, not beside a link to it.
		if initdb, err = filepath.EvalSymlinks(initdb); err == nil {
			directories = append(directories, filepath.Dir(initdb))
		}
	}
	return newest(directories)
}

// install runs apt-get, one test process at a time; the others find the package there.
func (h host) install(apt, pack string, look func() (string, bool)) error {
	lock, err := os.OpenFile(filepath.Join(h.tmp, "nametag-pgtest.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	if _, found := look(); found {
		return nil
	}
	attempt := func(arguments ...string) ([]byte, error) {
		cmd := exec.Command(apt, arguments...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		return cmd.CombinedOutput()
	}
	arguments := []string{"install", "-qq", "-y", "--no-install-recommends", pack}
	if _, err := attempt(arguments...); err == nil {
		return nil
	}
	// A fresh machine has no list of packages yet.
	if output, err := attempt("update", "-qq"); err != nil {
		return fmt.Errorf("apt-get update: %w\n%s", err, output)
	}
	if output, err := attempt(arguments...); err != nil {
		return fmt.Errorf("apt-get install %s: %w\n%s", pack, err, output)
	}
	return nil
}
