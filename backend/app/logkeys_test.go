package app

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestDocs_logKeys holds the table of docs/operations.md to the keys that the server's code
// writes.
func TestDocs_logKeys(t *testing.T) {
	used := map[string]string{} // by a key, where
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{"wixsim", "wixpages", "wixtest", "business", "testdata"}, d.Name()):
			return fs.SkipDir // they have logs of their own
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				for _, key := range keysOf(call) {
					used[key] = files.Position(call.Pos()).String()
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(read(t, "../../docs/operations.md"), "\n## Log\n")
	section, _, _ = strings.Cut(section, "\n## ")
	documented := map[string]bool{}
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for _, name := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(cells[1], -1) {
				documented[name[1]] = true
			}
		}
	}
	for key, at := range used {
		if !documented[key] {
			t.Errorf("docs/operations.md lacks the key %s of the log (%s)", key, at)
		}
	}
	for key := range documented {
		if used[key] == "" {
			t.Errorf("docs/operations.md has the key %s of the log, which nothing writes", key)
		}
	}
	if len(used) < 10 {
		t.Errorf("found only %v", used)
	}
}

// keysOf returns the keys of a call of package log/slog.
func keysOf(call *ast.CallExpr) (keys []string) {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	from, _ := f.X.(*ast.Ident)
	if from != nil && from.Name == "http" {
		return nil // http.Error
	}
	first := -1
	switch name := f.Sel.Name; name {
	case "Debug", "Info", "Warn", "Error":
		first = 1
	case "DebugContext", "InfoContext", "WarnContext", "ErrorContext":
		first = 2
	case "Log":
		first = 3
	case "With":
		first = 0
	case "String", "Int", "Int64", "Bool", "Any", "Duration", "Time":
		if from != nil && from.Name == "slog" {
			return literal(call.Args[:1])
		}
	}
	if first < 0 || first >= len(call.Args) {
		return nil
	}
	for i := first; i < len(call.Args); i += 2 {
		keys = append(keys, literal(call.Args[i:i+1])...)
	}
	return keys
}

func literal(args []ast.Expr) []string {
	if l, ok := args[0].(*ast.BasicLit); ok && l.Kind == token.STRING {
		if text, err := strconv.Unquote(l.Value); err == nil {
			return []string{text}
		}
	}
	return nil
}
