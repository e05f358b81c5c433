package assets

import (
	"bytes"
	stdgzip "compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const (
	script   = "export const widget = 'the whole script';"
	hashed16 = "chunk-0123456789abcdef.js"
)

// bundle is a folder as the build leaves it. The .br bodies are only marked as
// such: this package hands them on and never looks inside.
func bundle(t *testing.T) *Assets {
	t.Helper()
	return index(t, fstest.MapFS{
		".gitkeep":                  {},
		".vite/manifest.json":       {Data: []byte("{}")},
		"widget.js":                 {Data: []byte(script)},
		"widget.js.br":              {Data: []byte("br of widget.js")},
		"widget.js.gz":              {Data: gz(t, script)},
		"index.html":                {Data: []byte("<!doctype html>")},
		"index.html.gz":             {Data: gz(t, "<!doctype html>")},
		"assets/" + hashed16:        {Data: []byte("export {};")},
		"thumbnail.svg":             {Data: []byte("<svg/>")},
		"orphan.js.br":              {Data: []byte("br of nothing")},
		"short-0123456789abc.js":    {Data: []byte("13 digits")},
		"upper-0123456789ABCDEF.js": {Data: []byte("not ours")},
	})
}

func index(t *testing.T, fsys fstest.MapFS) *Assets {
	t.Helper()
	a, err := New(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func gz(t *testing.T, text string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := stdgzip.NewWriter(&buf)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// get runs one request through net/http, so that what is judged is what a
// browser would see.
func get(t *testing.T, a *Assets, method, name string, header http.Header) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, "/", nil)
	r.Header = header
	w := httptest.NewRecorder()
	if !a.Serve(w, r, name) {
		t.Fatalf("Serve(%q) found no file", name)
	}
	return w.Result()
}

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestAssets_Names(t *testing.T) {
	want := []string{
		"assets/" + hashed16, "index.html", "short-0123456789abc.js", "thumbnail.svg",
		"upper-0123456789ABCDEF.js", "widget.js",
	}
	if diff := cmp.Diff(want, bundle(t).Names()); diff != "" {
		t.Error(diff)
	}
}

func TestAssets_Serve_noSuchFile(t *testing.T) {
	a := bundle(t)
	for _, tc := range []struct{ what, name string }{
		{"an unknown name", "nothing.js"},
		{"the empty name", ""},
		{"the folder itself", "."},
		{"a folder in it", "assets"},
		{"a folder with a slash", "assets/"},
		{"a leading slash", "/widget.js"},
		{"a trailing slash", "widget.js/"},
		{"another case", "Widget.js"},
		{"a dotfile", ".gitkeep"},
		{"a file in a dot folder", ".vite/manifest.json"},
		{"the brotli sibling", "widget.js.br"},
		{"the gzip sibling", "widget.js.gz"},
		{"a sibling of nothing", "orphan.js.br"},
		{"what a sibling of nothing would encode", "orphan.js"},
		{"an upward path", "../embed.go"},
		{"a path that leads out and in again", "assets/../widget.js"},
		{"an encoded upward path", "%2e%2e/embed.go"},
		{"a doubled slash", "assets//" + hashed16},
		{"a backslash", `assets\` + hashed16},
		{"a NUL", "widget.js\x00"},
		{"a NUL before a good ending", "\x00widget.js"},
		{"a newline", "widget.js\n"},
		{"an absolute path", "/etc/passwd"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			if a.Has(tc.name) {
				t.Errorf("Has(%q)", tc.name)
			}
			w := httptest.NewRecorder()
			w.Code = 0
			if a.Serve(w, httptest.NewRequest("GET", "/", nil), tc.name) {
				t.Errorf("Serve(%q) found a file", tc.name)
			}
			if w.Code != 0 || len(w.Header()) != 0 || w.Body.Len() != 0 {
				t.Errorf("something was written: %d %v %q", w.Code, w.Header(), w.Body)
			}
		})
	}
}

func TestNew_emptyFolder(t *testing.T) {
	for what, fsys := range map[string]fstest.MapFS{
		"nothing at all": {},
		"only .gitkeep":  {".gitkeep": {}},
	} {
		t.Run(what, func(t *testing.T) {
			a := index(t, fsys)
			if names := a.Names(); len(names) != 0 {
				t.Errorf("Names() = %q", names)
			}
			if a.Has("") || a.Has(".") || a.Has(".gitkeep") || a.Has("widget.js") {
				t.Error("Has reports a file")
			}
		})
	}
}

func TestNew_refusesGzipOfOtherContent(t *testing.T) {
	for _, tc := range []struct {
		what   string
		packed []byte
	}{
		{"of last week's script", gz(t, strings.Replace(script, "whole", "older", 1))},
		{"cut short", gz(t, script)[:30]},
		{"empty", nil},
		{"no gzip at all", []byte(script)},
	} {
		t.Run(tc.what, func(t *testing.T) {
			_, err := New(fstest.MapFS{
				"widget.js":    {Data: []byte(script)},
				"widget.js.gz": {Data: tc.packed},
			})
			if err == nil || !strings.Contains(err.Error(), "widget.js.gz was not made from widget.js") {
				t.Errorf("New: %v", err)
			}
		})
	}
}

func TestAssets_Serve_headers(t *testing.T) {
	const (
		revalidate = "public, no-cache"
		forEver    = "public, max-age=31536000, immutable"
	)
	a := bundle(t)
	for _, tc := range []struct{ name, contentType, cacheControl string }{
		{"widget.js", "text/javascript; charset=utf-8", revalidate},
		{"index.html", "text/html; charset=utf-8", revalidate},
		{"thumbnail.svg", "image/svg+xml", revalidate},
		{"short-0123456789abc.js", "text/javascript; charset=utf-8", revalidate},
		{"upper-0123456789ABCDEF.js", "text/javascript; charset=utf-8", revalidate},
		{"assets/" + hashed16, "text/javascript; charset=utf-8", forEver},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := get(t, a, "GET", tc.name, nil)
			content := body(t, res)
			etag := res.Header.Get("ETag")
			if len(etag) != 34 || etag[0] != '"' || etag[33] != '"' {
				t.Errorf("ETag %s is not a strong tag of 32 digits", etag)
			}
			res.Header.Del("ETag")
			want := http.Header{
				"Access-Control-Allow-Origin":  {"*"},
				"Cache-Control":                {tc.cacheControl},
				"Content-Length":               {fmt.Sprint(len(content))},
				"Content-Type":                 {tc.contentType},
				"Cross-Origin-Resource-Policy": {"cross-origin"},
				"Vary":                         {"Accept-Encoding"},
				"X-Content-Type-Options":       {"nosniff"},
			}
			if diff := cmp.Diff(want, res.Header); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAssets_Serve_contentTypes(t *testing.T) {
	for name, want := range map[string]string{
		"a.js":                            "text/javascript; charset=utf-8",
		"a.mjs":                           "text/javascript; charset=utf-8",
		"a.css":                           "text/css; charset=utf-8",
		"a.html":                          "text/html; charset=utf-8",
		"a.svg":                           "image/svg+xml",
		"a.png":                           "image/png",
		"a.json":                          "application/json",
		"a.js.map":                        "application/json",
		"a.woff2":                         "font/woff2",
		"a.txt":                           "text/plain; charset=utf-8",
		"a.exe":                           "application/octet-stream",
		"js":                              "application/octet-stream",
		"font-0123456789abcdef.min.woff2": "font/woff2",
	} {
		t.Run(name, func(t *testing.T) {
			a := index(t, fstest.MapFS{name: {Data: []byte("x")}})
			if got := get(t, a, "GET", name, nil).Header.Get("Content-Type"); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestAssets_Serve_encodings(t *testing.T) {
	a := bundle(t)
	for _, tc := range []struct {
		name, accept, encoding, body string
	}{
		{"widget.js", "br", "br", "br of widget.js"},
		{"widget.js", "gzip, br", "br", "br of widget.js"},
		{"widget.js", "gzip", "gzip", string(gz(t, script))},
		{"widget.js", "", "", script},
		{"widget.js", "zstd", "", script},
		{"index.html", "br", "", "<!doctype html>"},
		{"index.html", "br, gzip;q=0.1", "gzip", string(gz(t, "<!doctype html>"))},
		{"thumbnail.svg", "gzip, br", "", "<svg/>"},
	} {
		t.Run(tc.name+" for "+tc.accept, func(t *testing.T) {
			res := get(t, a, "GET", tc.name, http.Header{"Accept-Encoding": {tc.accept}})
			if got := res.Header.Get("Content-Encoding"); got != tc.encoding {
				t.Errorf("Content-Encoding %q, want %q", got, tc.encoding)
			}
			if got := body(t, res); got != tc.body {
				t.Errorf("body %q, want %q", got, tc.body)
			}
			if got := res.Header.Get("Content-Length"); got != fmt.Sprint(len(tc.body)) {
				t.Errorf("Content-Length %s, want %d", got, len(tc.body))
			}
			if got := res.Header["Vary"]; !slices.Equal(got, []string{"Accept-Encoding"}) {
				t.Errorf("Vary %q", got)
			}
		})
	}
}

func TestAssets_Serve_head(t *testing.T) {
	a := bundle(t)
	for _, accept := range []string{"br", "gzip", "identity"} {
		t.Run(accept, func(t *testing.T) {
			header := http.Header{"Accept-Encoding": {accept}}
			head := get(t, a, "HEAD", "widget.js", header)
			if got := body(t, head); got != "" {
				t.Errorf("body %q", got)
			}
			if diff := cmp.Diff(get(t, a, "GET", "widget.js", header).Header, head.Header); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAssets_Serve_ignoresRange(t *testing.T) {
	res := get(t, bundle(t), "GET", "widget.js", http.Header{"Range": {"bytes=0-3"}})
	if got := body(t, res); res.StatusCode != 200 || got != script {
		t.Errorf("%d %q", res.StatusCode, got)
	}
}

func TestAssets_Serve_etag(t *testing.T) {
	tag := func(a *Assets, accept string) string {
		return get(t, a, "GET", "widget.js", http.Header{"Accept-Encoding": {accept}}).Header.Get("ETag")
	}
	a := bundle(t)
	tags := []string{tag(a, "identity"), tag(a, "gzip"), tag(a, "br")}
	if slices.Sort(tags); len(slices.Compact(tags)) != 3 {
		t.Errorf("encodings share a tag: %q", tags)
	}
	if tag(a, "br") != tag(bundle(t), "br") {
		t.Error("the same content has another tag after a restart")
	}
	other := index(t, fstest.MapFS{"widget.js": {Data: []byte(script + " ")}})
	if tag(a, "identity") == tag(other, "identity") {
		t.Error("other content has the same tag")
	}
}

func TestAssets_Serve_revalidation(t *testing.T) {
	a := bundle(t)
	header := http.Header{"Accept-Encoding": {"br"}}
	fresh := get(t, a, "GET", "widget.js", header)
	etag := fresh.Header.Get("ETag")
	plain := get(t, a, "GET", "widget.js", nil).Header.Get("ETag")
	for _, tc := range []struct {
		what   string
		lists  []string
		status int
	}{
		{"the tag itself", []string{etag}, 304},
		{"the tag made weak by a proxy", []string{"W/" + etag}, 304},
		{"last in a list", []string{`"old", W/"older",` + etag}, 304},
		{"after a tag with a comma in it", []string{`"a,b" , ` + etag}, 304},
		{"in a second header", []string{`"old"`, etag}, 304},
		{"a star", []string{"*"}, 304},
		{"a star with spaces", []string{" * "}, 304},
		{"no header", nil, 200},
		{"an empty header", []string{""}, 200},
		{"another tag", []string{`"old"`}, 200},
		{"the tag of another encoding", []string{plain}, 200},
		{"the tag without quotes", []string{strings.Trim(etag, `"`)}, 200},
		{"the tag without its end", []string{etag[:20]}, 200},
		{"the tag inside another", []string{`"x` + etag[1:]}, 200},
		{"a lone quote", []string{`"`}, 200},
		{"a lone weak mark", []string{"W/"}, 200},
		{"garbage before the tag", []string{"garbage, " + etag}, 200},
		{"a star within a list", []string{`"old", *`}, 200},
	} {
		t.Run(tc.what, func(t *testing.T) {
			header := header.Clone()
			header["If-None-Match"] = tc.lists
			for _, method := range []string{"GET", "HEAD"} {
				res := get(t, a, method, "widget.js", header)
				if res.StatusCode != tc.status {
					t.Fatalf("%s: status %d, want %d", method, res.StatusCode, tc.status)
				}
				if tc.status == 200 {
					continue
				}
				want := http.Header{}
				for _, name := range []string{
					"Access-Control-Allow-Origin", "Cache-Control", "Cross-Origin-Resource-Policy",
					"Etag", "Vary", "X-Content-Type-Options",
				} {
					want[name] = fresh.Header[name]
				}
				if diff := cmp.Diff(want, res.Header); diff != "" {
					t.Error(diff)
				}
				if got := body(t, res); got != "" {
					t.Errorf("body %q", got)
				}
			}
		})
	}
}

func TestAssets_Serve_addsToVary(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Vary", "Origin")
	bundle(t).Serve(w, httptest.NewRequest("GET", "/", nil), "widget.js")
	if got := w.Header()["Vary"]; !slices.Equal(got, []string{"Origin", "Accept-Encoding"}) {
		t.Errorf("Vary %q", got)
	}
}

func TestAssets_Serve_sharedHeadersStayTheirOwn(t *testing.T) {
	a := bundle(t)
	w := httptest.NewRecorder()
	a.Serve(w, httptest.NewRequest("GET", "/", nil), "widget.js")
	for name := range w.Header() {
		w.Header().Add(name, "added by a middleware")
	}
	for name, values := range get(t, a, "GET", "widget.js", nil).Header {
		if len(values) != 1 || values[0] == "added by a middleware" {
			t.Errorf("%s: %q", name, values)
		}
	}
}

func TestAssets_Serve_allocatesNothing(t *testing.T) {
	a := bundle(t)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Encoding", "gzip, deflate, br;q=0.9, zstd")
	r.Header.Set("If-None-Match", `"another", W/"one"`)
	w := &sink{header: http.Header{}}
	if n := testing.AllocsPerRun(100, func() {
		clear(w.header)
		a.Serve(w, r, "widget.js")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// sink is a ResponseWriter that costs nothing.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(int)             {}
