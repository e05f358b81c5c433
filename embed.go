//go:build !dev

// Package built carries the built browser bundles inside the binary.
//
// The bundles are built by npm into widget/dist, panel/dist and web/dist. Each
// of these folders holds a committed .gitkeep, so that the module compiles
// before they are built; the all: prefix is what lets a folder with nothing
// else in it embed.
package built

import (
	"embed"
	"io/fs"
)

//go:embed all:widget/dist all:panel/dist all:web/dist
var bundles embed.FS

// Widget returns the built custom element: widget.js and what it refers to.
func Widget() fs.FS { return sub("widget/dist") }

// Panel returns the built settings panel: index.html and its hashed assets.
func Panel() fs.FS { return sub("panel/dist") }

// Web returns the browser code and styles of the demo page, the install guide
// and the simulated Wix pages.
func Web() fs.FS { return sub("web/dist") }

func sub(dir string) fs.FS {
	f, err := fs.Sub(bundles, dir)
	if err != nil {
		panic(err) // dir is a literal that is embedded above
	}
	return f
}
