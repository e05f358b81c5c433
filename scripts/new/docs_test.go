package main

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

const example = "examples/review-badge/"

// quotes are the parts of the documents whose code is quoted from files of the example or the
// starter. The text before a block names the file; else it is any of the example's.
var quotes = []struct{ document, from, to string }{
	{"README.md", "## Your own app in ten minutes", "## In an existing Go service"},
	{"docs/own-app.md", "## The example", "## What it gets"},
	{"docs/own-app.md", "## Tests", "## The loop"},
}

var (
	block     = regexp.MustCompile("(?s)(.*?)```([a-z]+)\n(.*?)\n```")
	namedFile = regexp.MustCompile("(?:^|[^[])`([a-z0-9_/.-]+/[a-z0-9_]+\\.[a-z]+)`")
)

// TestDocs_quoteFiles holds the code in the documents to the files. A line with … stands for
// lines that are left out.
func TestDocs_quoteFiles(t *testing.T) {
	files, err := readTree(root)
	if err != nil {
		t.Fatal(err)
	}
	quoted := map[string]bool{}
	for _, part := range quotes {
		_, text, found := strings.Cut(string(files[part.document].content), "\n"+part.from+"\n")
		text, _, ends := strings.Cut(text, "\n"+part.to+"\n")
		if !found || !ends {
			t.Fatalf("%s has not both %q and %q", part.document, part.from, part.to)
		}
		for _, b := range block.FindAllStringSubmatch(text, -1) {
			before, language, code := b[1], b[2], b[3]
			if language == "sh" {
				continue
			}
			var sources []string
			for _, name := range namedFile.FindAllStringSubmatch(before, -1) {
				for _, folder := range []string{"", starter} {
					if content, ok := files[folder+name[1]]; ok && path.Ext(name[1]) == "."+language {
						sources = append(sources, string(content.content))
						quoted[folder+name[1]] = true
					}
				}
			}
			if sources == nil {
				all := ""
				for _, name := range []string{"settings.go", "business.go"} {
					all += string(files[example+"backend/business/"+name].content)
				}
				sources = []string{all}
			}
			for _, source := range sources {
				for _, lines := range strings.Split(code, "\n…\n") {
					at := strings.Index("\n"+source, "\n"+lines+"\n")
					if at < 0 {
						t.Errorf("%s quotes what the file does not have, or has before:\n%s", part.document, lines)
						break
					}
					source = source[at:]
				}
			}
		}
	}
	n := 0
	for name := range files {
		if strings.HasPrefix(name, example) {
			n++
			if !quoted[name] && path.Ext(name) != ".css" {
				t.Errorf("docs/own-app.md quotes nothing of %s", name)
			}
		}
	}
	if n == 0 || n > 6 {
		t.Errorf("the example has %d files, not up to 6", n)
	}
}
