package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// projectCopy is a project of the test's own.
func projectCopy(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "cafe")
	sh(t, starterFolder(t), `cp -a . "$TO"`, "TO="+dir)
	return dir
}

// edit replaces texts in a file of a folder, each of which must be there.
func edit(t *testing.T, dir, name string, pairs ...string) {
	t.Helper()
	at := filepath.Join(dir, name)
	content, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s has no %q", name, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// put writes files below a folder.
func put(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	all := tree{}
	for name, content := range files {
		all[name] = file{[]byte(content), 0o644}
	}
	if err := all.write(dir); err != nil {
		t.Fatal(err)
	}
}

// TestUpgrade brings a later Nametag into a project that wrote in its rooms.
func TestUpgrade(t *testing.T) {
	project := projectCopy(t)
	edit(t, project, "backend/business/settings.go", "type Site struct {", "type Site struct {\n\tPhone string `json:\"phone\" setting:\"text\" default:\"none\" max:\"20\"`\n")
	edit(t, project, "widget/src/face/face.css", "16px", "4px")
	edit(t, project, "README.md", "# ", "# Our ")
	edit(t, project, "app.json", "a widget for Wix sites", "opening hours for Wix sites")
	put(t, project, map[string]string{
		"backend/business/hours.go":   "package business\n\n// open is the first hour.\nconst open = 8\n\nvar _ = open\n",
		"panel/src/own/own.css":       "",
		"widget/src/face/picture.svg": "<svg/>",
	})
	sh(t, project, "gofmt -w backend/business && make --silent generate && git add --all && "+commitLine)
	mine := sh(t, project, "git rev-parse main")

	later := scratch(t, map[string]string{
		"backend/later/later.go":                       "// Package later is new.\npackage later\n\nimport \"github.com/nametag-dev/nametag/backend/apierr\"\n\n// Gone is of later.\nvar Gone = apierr.NotFound\n",
		"scripts/new/starter/widget/src/face/face.css": "/* another starter's */\n",
		"docs/later.md":                                "`nametag later` and Nametag.\n",
	})
	edit(t, later, "backend/cmd/nametag/main.go", "import (", "import (\n\t_ \"github.com/nametag-dev/nametag/backend/later\"\n")
	edit(t, later, "deploy/compose.yaml", "POSTGRES_USER: nametag", "POSTGRES_USER: nametag # as before", "replicas: 2", "replicas: 3")
	edit(t, later, "Makefile", "clean:", "later:\n\tbin/nametag later\n\nclean:")
	edit(t, later, "scripts/new/starter/README.md", "# APP_NAME", "# APP_NAME again")
	edit(t, later, "scripts/new/starter/docs/upstream.md", "# A later Nametag", "# A still later Nametag")
	edit(t, later, "web/layout.templ", `class="foot"`, `class="foot later"`)
	sh(t, later, "gofmt -w backend/cmd; make --silent generate; git rm --quiet docs/offline-wix.md; git add --all; "+commitLine)

	upgrade := func() string {
		code, stdout, stderr := at(later, "upgrade", "--dir="+project)
		if code != 0 {
			t.Fatal(stderr)
		}
		return stdout
	}
	if said := upgrade(); !strings.Contains(said, "git merge nametag") {
		t.Errorf("it says nothing on the merge:\n%s", said)
	}
	if got := sh(t, project, "git status --short; git rev-parse main; git rev-list --count main..nametag"); got != mine+"\n1" {
		t.Errorf("before the merge: %s", got)
	}
	if said := upgrade(); !strings.Contains(said, "has this Nametag already") || sh(t, project, "git rev-list --count main..nametag") != "1" {
		t.Errorf("a second time it says:\n%s", said)
	}
	sh(t, project, "git -c user.name=Ada -c user.email=ada@example.com merge --quiet --no-edit nametag")
	for line, want := range map[string]string{
		"cat docs/later.md": "`adas-cafe-co later` and Ada's \"Café\" & &lt;Co>.",
		"grep -c 'POSTGRES_USER: adas-cafe-co # as before' deploy/compose.yaml":             "1",
		"grep -c 'bin/adas-cafe-co later' Makefile":                                         "1",
		"head -1 docs/upstream.md":                                                          "# A still later Nametag",
		"head -1 README.md":                                                                 `# Our Ada's "Café" & <Co>`,
		"git diff --stat " + mine + " HEAD -- " + strings.Join(append(rooms, made...), " "): "",
		"ls docs/offline-wix.md 2>/dev/null || true":                                        "",
		"make --silent generate && git status --short":                                      "",
		"go vet ./backend/cmd/... ./backend/business ./backend/later":                       "",
		"gofmt -l .": "",
	} {
		if got := sh(t, project, line); got != want {
			t.Errorf("%s\ngot  %q\nwant %q", line, got, want)
		}
	}
}

func TestUpgrade_refuses(t *testing.T) {
	project := projectCopy(t)
	clone := filepath.Join(t.TempDir(), "clone")
	sh(t, project, "git clone --quiet . '"+clone+"'")
	renamed := filepath.Join(t.TempDir(), "renamed")
	sh(t, project, "cp -a . '"+renamed+"' && cd '"+renamed+"' && echo '{}' >app.json && git branch --quiet -m nametag base")
	onBranch := filepath.Join(t.TempDir(), "on-branch")
	sh(t, project, "cp -a . '"+onBranch+"' && cd '"+onBranch+"' && git checkout --quiet nametag")
	for _, tt := range []struct {
		name, dir string
		reasons   []string
	}{
		{"no folder", "", []string{"DIR is missing"}},
		{"a folder that is not there", filepath.Join(project, "none"), []string{"there is no git repository"}},
		{"a folder without a repository", t.TempDir(), []string{"there is no git repository"}},
		{"this repository", root, []string{"it is this repository"}},
		{"a folder of a project", filepath.Join(project, "backend"), []string{"it is not the top of its git repository"}},
		{"a clone without the branch", clone, []string{"it has no branch nametag (git branch nametag origin/nametag)"}},
		{"all at once", renamed, []string{"app.json: name is missing", "commit or stash", " M app.json", "it has no branch nametag (give that name"}},
		{"the branch itself", onBranch, []string{"it has the branch nametag checked out"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := at(root, "upgrade", "--dir="+tt.dir)
			if code != exitUsage || stdout != "" || !strings.HasSuffix(stderr, "Nothing was written.\n") {
				t.Errorf("got %d, %q:\n%s", code, stdout, stderr)
			}
			for _, reason := range tt.reasons {
				if !strings.Contains(stderr, reason) {
					t.Errorf("%q is not in:\n%s", reason, stderr)
				}
			}
		})
	}
}
