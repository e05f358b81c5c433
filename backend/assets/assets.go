// Package assets serves a built bundle folder over HTTP: from memory, already
// compressed, with cache rules that fit the file's name.
//
// Two populations, two rules. A name with a content hash in it never changes its
// bytes, so it may be cached for ever. Any other name is a URL that other people's
// pages hold (widget.js is on Wix sites we will never see), so it is revalidated
// on every use, by an ETag made of the content.
//
// Every file is for any origin: the bundles run inside pages of Wix. Without the
// CORS header a module script does not load at all, and without the
// resource policy it does not load on a page that asks for isolation.
package assets

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Assets is an indexed bundle folder. It does not change after New and is safe
// for concurrent use.
type Assets struct {
	files map[string]*file
}

// file is one resource with its encodings. The header values are made once, so
// that answering allocates nothing for them.
type file struct {
	contentType  []string
	cacheControl []string
	variants     [encodings]*variant // nil where the build made none; identity is always there
}

type variant struct {
	body     []byte
	encoding []string // nil for identity
	length   []string
	etag     []string
}

// Hashed reports whether a name carries its content's hash, so that the URL may be
// cached for ever.
func Hashed(name string) bool { return hashed.MatchString(name) }

// hashed matches the names that the bundler makes of a file's content.
var hashed = regexp.MustCompile(`-[0-9a-f]{16}\.[^/]+$`)

// types is our own table: the system's differs from machine to machine, and with
// nosniff a script of the wrong type does not run.
var types = map[string]string{
	".css":   "text/css; charset=utf-8",
	".gif":   "image/gif",
	".html":  "text/html; charset=utf-8",
	".ico":   "image/x-icon",
	".jpg":   "image/jpeg",
	".js":    "text/javascript; charset=utf-8",
	".json":  "application/json",
	".map":   "application/json",
	".mjs":   "text/javascript; charset=utf-8",
	".png":   "image/png",
	".svg":   "image/svg+xml",
	".txt":   "text/plain; charset=utf-8",
	".webp":  "image/webp",
	".woff":  "font/woff",
	".woff2": "font/woff2",
}

// New reads all of fsys into memory. A file x.br or x.gz is an encoding of x and
// has no name of its own; nor has a dotfile. An empty folder is no error: it
// gives an Assets without files. A sibling that was not made from its file is an
// error, because half of the browsers would run last week's script.
func New(fsys fs.FS) (*Assets, error) {
	a := &Assets{files: map[string]*file{}}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() || isSibling(name):
			return nil
		}
		f, err := load(fsys, name)
		a.files[name] = f
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("assets: index the bundle: %w", err)
	}
	return a, nil
}

// Has reports whether there is a file of this name, such as "widget.js" or
// "assets/index-0123456789abcdef.js".
func (a *Assets) Has(name string) bool {
	_, ok := a.files[name]
	return ok
}

// Names returns the names of all files, sorted.
func (a *Assets) Names() []string {
	return slices.Sorted(maps.Keys(a.files))
}

func isSibling(name string) bool {
	ext := path.Ext(name)
	return ext == ".br" || ext == ".gz"
}

func load(fsys fs.FS, name string) (*file, error) {
	body, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	f := &file{
		contentType:  []string{"application/octet-stream"},
		cacheControl: []string{"public, no-cache"},
	}
	if t, ok := types[path.Ext(name)]; ok {
		f.contentType = []string{t}
	}
	if Hashed(name) {
		f.cacheControl = []string{"public, max-age=31536000, immutable"}
	}
	f.variants[identity] = newVariant(body, nil)
	for enc, suffix := range map[encoding]string{br: ".br", gzip: ".gz"} {
		packed, err := fs.ReadFile(fsys, name+suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the build makes none for small files and images
		}
		if err != nil {
			return nil, err
		}
		if enc == gzip && !gzipHolds(packed, body) {
			return nil, fmt.Errorf("%s%s was not made from %s: build the bundle again", name, suffix, name)
		}
		f.variants[enc] = newVariant(packed, []string{enc.String()})
	}
	return f, nil
}

func newVariant(body []byte, encoding []string) *variant {
	sum := sha256.Sum256(body)
	return &variant{
		body:     body,
		encoding: encoding,
		length:   []string{strconv.Itoa(len(body))},
		etag:     []string{`"` + hex.EncodeToString(sum[:16]) + `"`},
	}
}

// gzipHolds compares checksum and length at the end of a gzip file (RFC 1952
// §2.3.1) with the original. The .br beside it is written by the same run of the
// build, so this vouches for both without a decoder.
func gzipHolds(packed, body []byte) bool {
	if len(packed) < 18 {
		return false
	}
	end := packed[len(packed)-8:]
	return binary.LittleEndian.Uint32(end) == crc32.ChecksumIEEE(body) &&
		binary.LittleEndian.Uint32(end[4:]) == uint32(len(body))
}
