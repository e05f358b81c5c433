// Command generate writes backend/product/product.gen.go from app.json. `make generate`
// runs it at the top of the repository.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"text/template"

	"github.com/nametag-dev/nametag/backend/product/appjson"
)

const source, target = "app.json", "backend/product/product.gen.go"

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate() error {
	content, err := os.ReadFile(source)
	if err != nil {
		return fmt.Errorf("read the product's names: %w", err)
	}
	names, err := appjson.Parse(content)
	if err != nil {
		return fmt.Errorf("%s does not name a product:\n%w", source, err)
	}
	code, err := render(names)
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(target); err == nil && bytes.Equal(old, code) {
		return nil // its time stays, so that nothing is built again
	}
	return os.WriteFile(target, code, 0o644)
}

var file = template.Must(template.New("").Parse(`// Code generated from app.json by make generate. DO NOT EDIT.

package product

const (
	// Name is the product's name for people.
	Name = {{printf "%q" .Name}}
	// ID is its name for machines: the program's, and that of its database file, its
	// realm, its events and custom properties.
	ID = {{printf "%q" .ID}}
	// Tag is the name of the custom element, which the pages of sites hold.
	Tag = {{printf "%q" .Tag}}
	// Description is one sentence for people.
	Description = {{printf "%q" .Description}}
	// EnvPrefix begins the names of its environment variables.
	EnvPrefix = {{printf "%q" .EnvPrefix}}
	// MetricPrefix begins the names of its metrics.
	MetricPrefix = {{printf "%q" .MetricPrefix}}
)
`))

func render(names appjson.File) ([]byte, error) {
	var b bytes.Buffer
	if err := file.Execute(&b, names); err != nil {
		return nil, err
	}
	return format.Source(b.Bytes())
}
