package wixsim

// The judge: Wix's own packages, unmodified, run against this offline Wix.

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestSim_satisfiesTheOfficialPackages(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"@wix/sdk", "@wix/app-management"} {
		if _, err := os.Stat(filepath.Join(root, "node_modules", name, "package.json")); err != nil {
			t.Fatalf("%s is not installed: run npm ci in %s first", name, root)
		}
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("node is not installed: Node 20.19 or later is needed")
	}
	files, err := filepath.Glob(filepath.Join(root, "e2e", "official", "*.test.mjs"))
	if err != nil || len(files) < 3 {
		t.Fatalf("e2e/official holds only %d test files: %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			behavior := DefaultBehavior()
			behavior.StringFields = strings.HasPrefix(name, "strings.")
			cfg := Config{Behavior: &behavior}
			cfg.AppID, cfg.AppSecret = NewCredentials()
			s, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			server := httptest.NewServer(s.Handler())
			defer server.Close()
			cmd := exec.CommandContext(t.Context(), node, "--test", file)
			cmd.Dir = root
			cmd.Env = append(os.Environ(), "SIM_URL="+server.URL, "WIX_APP_ID="+cfg.AppID, "WIX_APP_SECRET="+cfg.AppSecret)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("node --test %s: %v\n%s", name, err, out)
			} else {
				t.Logf("%s", out)
			}
		})
	}
}
