package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// front prepares a project for what needs Node and Chromium: it gets this repository's
// node_modules, which its lock file describes too. Without $CHROMIUM the test is skipped;
// make test-new sets it.
func front(t *testing.T, dir string) {
	t.Helper()
	if os.Getenv("CHROMIUM") == "" {
		t.Skip("CHROMIUM is not set: make test-new runs this")
	}
	modules, err := filepath.EvalSymlinks(filepath.Join(root, "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	// Nothing may look newer than what is installed: npm would replace it.
	old := time.Unix(1, 0)
	for _, name := range []string{"package-lock.json", ".npmrc"} {
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhole_starter adds two settings to a new project, by a line each, and runs the project's
// own checks, the tests of its app, those of its browser code, and its app's in Chromium, which
// look for each setting in the API, the panel and the widget. All of make check test would take
// a quarter of an hour.
func TestWhole_starter(t *testing.T) {
	dir := projectCopy(t)
	front(t, dir)
	edit(t, dir, "backend/business/settings.go",
		"type Widget struct {\n", "type Widget struct {\n\tStars int `json:\"stars\" setting:\"number\" default:\"5\" min:\"1\" max:\"10\"`\n",
		"type Site struct {\n", "type Site struct {\n\tSubtitle string `json:\"subtitle\" setting:\"text\" default:\"\" max:\"40\"`\n")
	sh(t, dir, "gofmt -w backend/business; make generate; make check; grep -F '| `stars` |' docs/settings.md; grep -F '| `subtitle` |' docs/settings.md")
	sh(t, dir, "go test ./backend/business")
	sh(t, dir, "npm test -- panel web widget")
	sh(t, dir, "npm run e2e -- own published")
}

// TestWhole_example makes the project of the example, runs what depends on its files, and
// uses it in Chromium.
func TestWhole_example(t *testing.T) {
	if os.Getenv("CHROMIUM") == "" {
		t.Skip("CHROMIUM is not set: make test-new runs this")
	}
	arguments := good(filepath.Join(t.TempDir(), "badge"))
	arguments["with"] = "examples/review-badge"
	if code, _, stderr := at(root, append([]string{"new"}, flags(arguments)...)...); code != 0 {
		t.Fatal(stderr)
	}
	dir := arguments["dir"]
	front(t, dir)
	spec, err := os.ReadFile("testdata/review-badge.spec.ts")
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, map[string]string{"e2e/review-badge.spec.ts": string(spec)})
	sh(t, dir, `make build; test -z "$(gofmt -l backend)"; go vet ./backend/business; npm run check; npm run budget`)
	sh(t, dir, "npm run e2e -- own review-badge")
}
