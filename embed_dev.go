//go:build dev

// Package built is empty in the program that make dev builds: scripts/dev serves the
// browser files in front of it, from their sources.
package built

import (
	"io/fs"
	"testing/fstest"
)

// Widget, Panel and Web hold nothing but the names without which the server does not start.

func Widget() fs.FS {
	return fstest.MapFS{"widget.js": {}, "widget-class.js": {}, "thumbnail-0000000000000000.svg": {}}
}

func Panel() fs.FS { return fstest.MapFS{"index.html": {}} }

func Web() fs.FS { return fstest.MapFS{"style.css": {}} }
