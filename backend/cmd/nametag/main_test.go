package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommands(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name     string
		args     []string
		environ  []string
		code     int
		out, err string // part of what is printed
	}{
		{name: "help", args: []string{"--help"}, code: 0, out: "offline Wix"},
		{name: "help of a command", args: []string{"sim", "--help"}, code: 0, out: "--app-secret"},
		{name: "the version", args: []string{"version"}, code: 0, out: "nametag "},
		{name: "nothing", code: 2, err: "nametag --help"},
		{name: "an unknown command", args: []string{"server"}, code: 2, err: "server"},
		{name: "an unknown flag", args: []string{"sim", "--port=1"}, code: 2, err: "--port"},
		{name: "serve without a configuration", args: []string{"serve"}, code: 2, err: "WIX_APP_SECRET is missing"},
		{name: "the offline Wix off loopback", args: []string{"sim", "--addr=0.0.0.0:0"}, code: 1, err: "loopback alone"},
		{name: "migrate", args: []string{"migrate"}, environ: []string{"NAMETAG_DATABASE_URL=sqlite:" + filepath.Join(dir, "a.db")}, code: 0, out: "00001"},
		{name: "migrate again", args: []string{"migrate"}, environ: []string{"NAMETAG_DATABASE_URL=sqlite:" + filepath.Join(dir, "a.db")}, code: 0, out: "00001"},
		{name: "a database that cannot be", args: []string{"migrate"}, environ: []string{"NAMETAG_DATABASE_URL=sqlite:" + filepath.Join(dir, "no", "b.db")}, code: 1, err: "no"},
		{name: "a database of another kind", args: []string{"migrate"}, environ: []string{"NAMETAG_DATABASE_URL=mysql://x"}, code: 1, err: "sqlite:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(tt.args, tt.environ, &stdout, &stderr); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if !strings.Contains(stdout.String(), tt.out) || !strings.Contains(stderr.String(), tt.err) {
				t.Errorf("stdout:\n%s\nstderr:\n%s\nwant %q and %q", &stdout, &stderr, tt.out, tt.err)
			}
		})
	}
}
