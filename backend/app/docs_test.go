package app

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/web"
)

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestDocs holds the documents to the code.
func TestDocs(t *testing.T) {
	operations := read(t, "../../docs/operations.md")
	config := reflect.TypeFor[Config]()
	for i := range config.NumField() {
		name := config.Field(i).Tag.Get("env")
		if name != "" && !strings.Contains(operations, "`"+name+"`") {
			t.Errorf("docs/operations.md lacks the variable %s", name)
		}
		if value := config.Field(i).Tag.Get("envDefault"); value != "" && !strings.Contains(operations, "`"+value+"`") {
			t.Errorf("docs/operations.md lacks the default of %s, %s", name, value)
		}
	}
	for _, name := range fileForms {
		if !strings.Contains(operations, "`"+name+"_FILE`") {
			t.Errorf("docs/operations.md lacks the variable %s_FILE", name)
		}
	}
	for _, name := range []string{metricRequests, metricDuration, metricWixCalls, metricJobs, metricDeadLetters} {
		if !strings.Contains(operations, "`"+name+"`") {
			t.Errorf("docs/operations.md lacks the metric %s", name)
		}
	}
	api := read(t, "../../docs/http-api.md")
	for _, code := range apierr.Codes() {
		if !strings.Contains(api, "`"+code.Name+"`") {
			t.Errorf("docs/http-api.md lacks the code %s", code)
		}
	}
	if lines := strings.Count(read(t, "../../README.md"), "\n"); lines > 120 {
		t.Errorf("README.md has %d lines, 120 are the most: the rest belongs in docs/", lines)
	}
}

// TestInstallGuide_variables holds the install guide's table to the configuration.
func TestInstallGuide_variables(t *testing.T) {
	type row struct {
		fallback string
		file     bool
	}
	want, got := map[string]row{}, map[string]row{}
	config := reflect.TypeFor[Config]()
	for i := range config.NumField() {
		tag := config.Field(i).Tag
		if name := tag.Get("env"); name != "" {
			want[name] = row{tag.Get("envDefault"), slices.Contains(fileForms, name)}
		}
	}
	for _, v := range web.Variables() {
		got[v.Name] = row{v.Default, v.File}
		if v.Meaning == "" {
			t.Errorf("%s has no meaning", v.Name)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the install guide has  %v\nthe configuration has %v", got, want)
	}
}

// TestDocs_ownApp compiles the example of docs/own-app.md, in a module that has nothing of
// the app that ships.
func TestDocs_ownApp(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, content string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// A file is named, once or twice, in the text before its block.
	block := regexp.MustCompile("(?s)((?:`backend/business/[a-z0-9_/.]+`[^`]*)+)```[a-z]+\n(.*?)```")
	name := regexp.MustCompile("`backend/(business/[a-z0-9_/.]+)`")
	files := 0
	for _, found := range block.FindAllStringSubmatch(read(t, "../../docs/own-app.md"), -1) {
		for _, names := range name.FindAllStringSubmatch(found[1], -1) {
			write(names[1], found[2])
			files++
		}
	}
	if files != 4 {
		t.Fatalf("docs/own-app.md has %d files of the example", files)
	}
	mod := strings.Replace(read(t, "../../go.mod"), "module github.com/nametag-dev/nametag", "module example.com/badge", 1)
	mod, _, _ = strings.Cut(mod, "tool (")
	write("go.mod", mod+"\nrequire github.com/nametag-dev/nametag v0.0.0\n\nreplace github.com/nametag-dev/nametag => "+root+"\n")
	write("go.sum", read(t, "../../go.sum"))
	vet := exec.Command("go", "vet", "-mod=mod", "./...")
	vet.Dir = dir
	vet.Env = append(os.Environ(), "GOFLAGS=")
	if out, err := vet.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}
