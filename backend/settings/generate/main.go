// Command generate makes what follows from the declaration of the settings: the reading in
// the widget, the fields of the panel, and the tables in the documents.
//
//	go run ./backend/settings/generate -root .
//
// A declaration that makes no sense is refused with file, line and reason, every fault at
// once, and nothing is written.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/nametag-dev/nametag/backend/settings/internal/declaration"
)

// source is where the settings are declared, below the root.
const source = "backend/business/settings.go"

func main() {
	root := flag.String("root", ".", "The root folder of the project.")
	flag.Parse()
	os.Exit(run(*root, os.Stderr))
}

// declared are the settings of an app.
type declared struct{ widget, site []declaration.Field }

// output is one generated file, below the root.
type output struct {
	path  string
	write func(declared) string
}

func outputs() []output {
	return []output{
		{"widget/src/settings.gen.ts", writeWidget},
		{"panel/src/settings.gen.ts", writePanel},
		{"docs/settings.md", writeDocument},
		{"docs/settings.schema.json", writeSchema},
	}
}

func run(root string, stderr io.Writer) int {
	d, faults := read(root)
	for _, fault := range faults {
		fmt.Fprintln(stderr, fault)
	}
	if len(faults) > 0 {
		return 1
	}
	for _, o := range outputs() {
		if err := update(filepath.Join(root, filepath.FromSlash(o.path)), []byte(o.write(d))); err != nil {
			fmt.Fprintf(stderr, "generate the settings: %v\n", err)
			return 1
		}
	}
	return 0
}

// update writes a file unless it holds the content already, so that nothing that depends
// on it is made again.
func update(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}
