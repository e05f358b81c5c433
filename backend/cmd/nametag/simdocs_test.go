package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

// offlineWix is docs/offline-wix.md, and a folder in which bin/nametag, by the name that the
// document has for it, is the program.
func offlineWix(t *testing.T) (text, folder string) {
	t.Helper()
	content, err := os.ReadFile("../../../docs/offline-wix.md")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`bin/([a-z0-9-]+) sim`).FindSubmatch(content)
	program, err := filepath.Abs(os.Args[0])
	if name == nil || err != nil {
		t.Fatalf("the document names no program, or %v", err)
	}
	folder = t.TempDir()
	bin := filepath.Join(folder, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(bin, string(name[1]))); err != nil {
		t.Fatal(err)
	}
	return string(content), folder
}

// program returns the path of a program that is another package's, and installs it if need be.
func program(t *testing.T, variable, name string, names ...string) string {
	t.Helper()
	out, err := exec.Command("../../../scripts/program.sh", append([]string{variable, name}, names...)...).Output()
	if err != nil {
		t.Fatalf("%s is needed: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}

// blocks returns the code blocks of a language.
func blocks(text, language string) []string {
	var out []string
	for _, found := range regexp.MustCompile("(?s)\n```"+language+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		out = append(out, found[1])
	}
	return out
}

// TestDocs_controlExamples runs the examples of the control API and of the commands, as they
// stand, and finds routes without one.
func TestDocs_controlExamples(t *testing.T) {
	program(t, "CURL", "curl")
	text, folder := offlineWix(t)
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer receiver.Close()
	p := startSim(t, "--webhook-url="+receiver.URL)
	p.do(t, "POST", "/_sim/webhooks", `{"eventType":"PaidPlanPurchased"}`)
	var sites []struct{ InstanceID string }
	var minted struct{ Token string }
	for path, out := range map[string]any{"GET /_sim/installs": &sites, "POST /_sim/tokens": &minted} {
		method, path, _ := strings.Cut(path, " ")
		if err := json.Unmarshal([]byte(p.do(t, method, path, `{"subject":"APP"}`)), out); err != nil {
			t.Fatal(err)
		}
	}
	p.do(t, "POST", "/oauth2/token-info", `{"token":"`+minted.Token+`"}`)
	// curl fails for a refusal.
	if err := os.WriteFile(filepath.Join(folder, ".curlrc"), []byte("fail-with-body\nsilent\nshow-error\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	values := strings.NewReplacer("localhost:8081", strings.TrimPrefix(p.url, "http://"),
		"<instanceId>", sites[0].InstanceID, "<token>", minted.Token, "<delivery>", "1", "<call>", "1")
	var lines []string
	for _, block := range blocks(text, "sh") {
		for line := range strings.Lines(block) {
			line = strings.TrimSpace(line)
			steers, _ := regexp.MatchString(`^bin/\S+ sim [a-z]`, line)
			if strings.HasPrefix(line, "curl ") || steers {
				lines = append(lines, line)
			} else if strings.Contains(line, "/_sim/") {
				t.Errorf("no test runs the line %s", line)
			}
		}
	}
	for _, line := range lines {
		cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", values.Replace(line))
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), asProgram+"=1", "HOME="+folder, product.EnvPrefix+"SIM_URL="+p.url)
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), `{"error"`) || strings.Contains(line, "events") && !strings.Contains(string(out), ": the events") {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
	for _, route := range controlRoutes(t) {
		method, path, _ := strings.Cut(route, " ")
		is := regexp.MustCompile(`^curl .*localhost:8081` + regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(path), `[^/ ]+`) + `([ ?'].*)?$`)
		found := false
		for _, line := range lines {
			sent := "GET"
			if m := regexp.MustCompile(` -X (\w+) `).FindStringSubmatch(line); m != nil {
				sent = m[1]
			}
			found = found || sent == method && is.MatchString(line)
		}
		if !found {
			t.Errorf("docs/offline-wix.md has no example of %s", route)
		}
	}
}

// controlRoutes returns the routes of the control API: "GET /_sim/health".
func controlRoutes(t *testing.T) (routes []string) {
	t.Helper()
	sim, err := wixsim.New(wixsim.Config{AppID: "a", AppSecret: "s"})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	sim.Handler().ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1/", nil))
	for line := range strings.Lines(w.Body.String()) {
		if methods, path, ok := strings.Cut(strings.TrimSpace(line), " /_sim/"); ok {
			for method := range strings.SplitSeq(methods, ", ") {
				routes = append(routes, method+" /_sim/"+path)
			}
		}
	}
	if len(routes) < 20 {
		t.Fatalf("only %d routes", len(routes))
	}
	return routes
}

// TestDocs_recipes runs the tests in other languages that the document shows.
func TestDocs_recipes(t *testing.T) {
	text, folder := offlineWix(t)
	modules, err := filepath.Abs("../../../node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		language, file string
		command        []string
		passed         string
	}{
		{"js", "wix.test.mjs", []string{program(t, "NODE", "nodejs", "node"), "--test", "wix.test.mjs"}, "# pass 1"},
		{"py", "test_wix.py", []string{program(t, "PYTHON", "python3"), "-m", "unittest", "-v"}, "Ran 1 test"},
	} {
		t.Run(tt.file, func(t *testing.T) {
			found := blocks(text, tt.language)
			if len(found) != 1 || strings.Count(found[0], "\n") > 30 || !strings.Contains(text, "`"+tt.file+"`") {
				t.Fatalf("%d blocks: one of at most 30 lines is wanted, and the name %s", len(found), tt.file)
			}
			if err := os.WriteFile(filepath.Join(folder, tt.file), []byte(found[0]), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, tt.command[0], tt.command[1:]...)
			cmd.Dir = folder
			cmd.Env = append(os.Environ(), asProgram+"=1")
			if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), tt.passed) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
