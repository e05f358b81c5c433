package main

import (
	"encoding/json"
	"fmt"
	"go/scanner"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nametag-dev/nametag/backend/product/appjson"
)

// workspace is where the tests make projects that several of them look at.
var workspace string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "nametag-new-")
	if err != nil {
		panic(err)
	}
	workspace = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// starterProject is a project with a name that HTML, the shell and Markdown treat specially,
// made by somebody whose git knows no author and would sign, convert and leave out files.
var starterProject = sync.OnceValues(func() (dir string, err error) {
	config := filepath.Join(workspace, "gitconfig")
	ignore := filepath.Join(workspace, "ignore")
	content := fmt.Sprintf("[core]\n\texcludesFile = %s\n\tautocrlf = true\n[commit]\n\tgpgSign = true\n[init]\n\tdefaultBranch = trunk\n", ignore)
	for name, content := range map[string]string{config: content, ignore: "*.go\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			return "", err
		}
	}
	dir = filepath.Join(workspace, "cafe")
	c := exec.Command("make", "--silent", "new", "DIR="+dir, `NAME=Ada's "Café" & <Co>`, "TAG=cafe-hours", "MODULE=github.com/Acme/cafe")
	c.Dir = root
	c.Env = append(environ(), "GIT_CONFIG_GLOBAL="+config, "GIT_CONFIG_SYSTEM="+os.DevNull, "EMAIL=", "MAKEFLAGS=")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return dir, nil
})

// starterNames are those of the starterProject.
var starterNames = names{appjson.File{
	Name: `Ada's "Café" & <Co>`, ID: "adas-cafe-co", Tag: "cafe-hours", Description: `Ada's "Café" & <Co>, a widget for Wix sites.`,
	Budgets: appjson.Budgets{Widget: 3400, Panel: 150 * 1024},
}, "github.com/Acme/cafe"}

func starterFolder(t *testing.T) string {
	t.Helper()
	dir, err := starterProject()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// sh runs a line of the shell in a folder.
func sh(t *testing.T, dir, line string, env ...string) string {
	t.Helper()
	out, err := command(dir, env, "bash", "-euo", "pipefail", "-c", line)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(out, "\n")
}

func TestNew_hasAHistoryOfItsOwn(t *testing.T) {
	dir := starterFolder(t)
	for line, want := range map[string]string{
		"git log --all --format='%an <%ae> %cn %P'":                                                                  "adas-cafe-co <nobody@localhost> adas-cafe-co ",
		"git branch --format='%(refname:short)'":                                                                     "main\nnametag",
		"git status --short --branch --ignored":                                                                      "## main\n!! bin/",
		"git ls-files --eol | grep -c crlf || true":                                                                  "0",
		"git log -1 --format=%s | grep -o '^Begin with Nametag '":                                                    "Begin with Nametag ",
		"ls -d ../.new-* 2>/dev/null || true":                                                                        "",
		"stat -c %a . .ci/run README.md | tr '\\n' ' '":                                                              "755 755 644 ",
		"git ls-files backend/cmd/*/main.go docs/upstream.md examples scripts/new bench e2e/shipped | grep -v _test": "backend/cmd/adas-cafe-co/main.go\ndocs/upstream.md",
	} {
		if got := sh(t, dir, line); got != want {
			t.Errorf("%s\ngot  %q\nwant %q", line, got, want)
		}
	}
	content, err := os.ReadFile(filepath.Join(dir, "app.json"))
	if err != nil {
		t.Fatal(err)
	}
	if app, err := appjson.Parse(content); err != nil || app != starterNames.File {
		t.Errorf("app.json: %+v, %v", app, err)
	}
}

// TestNew_leavesNoName looks for the names of Nametag in everything that a project has.
func TestNew_leavesNoName(t *testing.T) {
	files, err := readTree(starterFolder(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range files {
		if within(name, speaksOfBoth) {
			continue // they say how a project and Nametag go together
		}
		for i, line := range strings.Split(name+"\n"+string(f.content), "\n") {
			rest := line
			if path.Ext(name) == ".go" || within(name, speaksOfTheBase) || comment.MatchString(line) {
				rest = strings.ReplaceAll(rest, "Nametag", "") // the base
			}
			if within(name, keepsTableNames) {
				rest = strings.ReplaceAll(rest, "nametag_", "") // the base's tables
			}
			if strings.Contains(strings.ToLower(rest), "nametag") {
				t.Errorf("%s:%d: %s", name, i, line)
			}
		}
		if path.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go") && !within(name, []string{"backend/api/check.go", "backend/store/sqlstore/"}) {
			for _, text := range goStrings(f.content) {
				if strings.Contains(text, "Nametag") {
					t.Errorf("%s shows %s", name, text)
				}
			}
		}
	}
}

// comment matches a line of TypeScript, CSS or templ that is a comment, or ends with one.
var comment = regexp.MustCompile(`^\s*(//|/?\*|<!--)|; //`)

// goStrings returns the string literals of a Go file.
func goStrings(source []byte) (all []string) {
	var s scanner.Scanner
	files := token.NewFileSet()
	s.Init(files.AddFile("", files.Base(), len(source)), source, nil, 0)
	for {
		switch _, kind, text := s.Scan(); kind {
		case token.EOF:
			return all
		case token.STRING:
			all = append(all, text)
		}
	}
}

// TestNew_compiles builds and vets all of a project, and runs what is quick of its tests.
func TestNew_compiles(t *testing.T) {
	dir := starterFolder(t)
	sh(t, dir, `test -z "$(gofmt -l .)"; go mod tidy -diff; go vet ./...; go test ./backend/business ./backend/product/... ./backend/kit ./backend/settings/... ./backend/app -run 'Docs|Walls|Answer|Parse|Example|Settings|Install'`)
}

// TestNew_docsLink follows every link between the documents of the project and of Nametag.
func TestNew_docsLink(t *testing.T) {
	for _, dir := range []string{root, starterFolder(t)} {
		files, err := readTree(dir)
		if err != nil {
			t.Fatal(err)
		}
		for name, f := range files {
			if path.Ext(name) != ".md" || strings.HasPrefix(name, starter) || strings.Contains(name, "/testdata/") {
				continue
			}
			for _, link := range markdownLinks(string(f.content)) {
				target := path.Join(path.Dir(name), link)
				if !slices.ContainsFunc(slices.Collect(maps.Keys(files)), func(file string) bool { return file == target || strings.HasPrefix(file, target+"/") }) {
					t.Errorf("%s of %s links to %s, which is not there", name, dir, link)
				}
			}
		}
	}
}

// TestNew_leavesNothing makes a project of a repository whose generator fails.
func TestNew_leavesNothing(t *testing.T) {
	later := scratch(t, map[string]string{"web/home.templ": "package web\n\ntempl broken( {\n"})
	outside := t.TempDir()
	code, stdout, stderr := at(later, append([]string{"new"}, flags(good(filepath.Join(outside, "badge")))...)...)
	if code != 1 || stdout != "" || !strings.Contains(stderr, "home.templ") {
		t.Errorf("got %d, %q:\n%s", code, stdout, stderr)
	}
	if left := everything(t, outside); len(left) != 1 {
		t.Errorf("left: %q", left)
	}
}

// scratch returns a copy of this repository, changed and committed.
func scratch(t *testing.T, changes map[string]string) string {
	t.Helper()
	files, err := readTree(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range changes {
		files[name] = file{[]byte(content), 0o644}
	}
	dir := t.TempDir()
	if err := files.write(dir); err != nil {
		t.Fatal(err)
	}
	sh(t, dir, "git init --quiet && git add --all --force . && "+commitLine)
	return dir
}

// commitLine commits what is staged, as somebody.
const commitLine = "git -c user.name=Ada -c user.email=ada@example.com commit --quiet --message=Change"

// TestNew_takesAnEmptyFolder makes a project in a folder that is there already, with an app
// of its own in place of the starter's, out of a checkout with changes.
func TestNew_takesAnEmptyFolder(t *testing.T) {
	later := scratch(t, nil)
	for name, content := range map[string]string{
		"examples/hello/backend/business/settings.go": "package business\n\n// Widget is empty.\ntype Widget struct{}\n\n// Site is hello's.\ntype Site struct {\n\tGreeting string `json:\"greeting\" setting:\"text\" default:\"Hi\"`\n}\n",
		"docs/http-api.md":                            "Nametag answers. `nametag serve` reads `NAMETAG_ADDR`, `<nametag-widget>` says `nametag-state`, and `nametag_jobs_total` counts.\n",
	} {
		at := filepath.Join(later, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sh(t, later, "git add examples; git rm --quiet --cached docs/benchmarks.md; rm docs/offline-wix.md")
	arguments := good(t.TempDir())
	arguments["with"] = "examples/hello"
	arguments["name"], arguments["id"] = "口コミ Nametag", "nametag-2"
	if code, _, stderr := at(later, append([]string{"new"}, flags(arguments)...)...); code != 0 {
		t.Fatal(stderr)
	}
	dir := arguments["dir"]
	for line, want := range map[string]string{
		"cat docs/http-api.md":                              "口コミ Nametag answers. `nametag-2 serve` reads `NAMETAG_2_ADDR`, `<review-badge>` says `nametag-2-state`, and `nametag_2_jobs_total` counts.",
		"ls backend/business":                               "business.go\nsettings.go",
		"grep -rl nametag-2-2 --exclude-dir=.git . || true": "",
		"grep -o hello backend/business/settings.go":        "hello",
		"ls docs/offline-wix.md 2>/dev/null || true":        "",
		"git log --format=%an":                              sh(t, root, "git var GIT_AUTHOR_IDENT | sed 's/ <.*//'"),
	} {
		if got := sh(t, dir, line); got != want {
			t.Errorf("%s\ngot  %q\nwant %q", line, got, want)
		}
	}
	var lock struct{ Name string }
	if content, err := os.ReadFile(filepath.Join(dir, "package.json")); err != nil || json.Unmarshal(content, &lock) != nil || lock.Name != "nametag-2" {
		t.Errorf("package.json: %+v, %v", lock, err)
	}
}

var (
	markdownLink = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	inCode       = regexp.MustCompile("(?s)```.*?\n```|`[^`\n]*`")
)

// markdownLinks returns the files that a document links to.
func markdownLinks(text string) (all []string) {
	for _, found := range markdownLink.FindAllStringSubmatch(inCode.ReplaceAllString(text, ""), -1) {
		all = append(all, found[1])
	}
	return all
}
