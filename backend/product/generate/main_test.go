package main

import (
	"testing"

	"github.com/nametag-dev/nametag/backend/product/appjson"
)

func TestRender(t *testing.T) {
	got, err := render(appjson.File{Name: `A "B" & <C>`, ID: "a-b", Tag: "a-c", Description: `D \ E.`})
	if err != nil {
		t.Fatal(err)
	}
	const want = `// Code generated from app.json by make generate. DO NOT EDIT.

package product

const (
	// Name is the product's name for people.
	Name = "A \"B\" & <C>"
	// ID is its name for machines: the program's, and that of its database file, its
	// realm, its events and custom properties.
	ID = "a-b"
	// Tag is the name of the custom element, which the pages of sites hold.
	Tag = "a-c"
	// Description is one sentence for people.
	Description = "D \\ E."
	// EnvPrefix begins the names of its environment variables.
	EnvPrefix = "A_B_"
	// MetricPrefix begins the names of its metrics.
	MetricPrefix = "a_b_"
)
`
	if string(got) != want {
		t.Errorf("got:\n%s", got)
	}
}
