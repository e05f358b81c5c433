package assets

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

// FuzzServe asks for a file by any name, with any conditions.
func FuzzServe(f *testing.F) {
	files := map[string][]byte{"widget.js": []byte("a()"), "assets/index-0123456789abcdef.js": []byte("b()"), "index.html": []byte("<p>")}
	fsys := fstest.MapFS{".hidden": {Data: []byte("secret")}, "deep/.git/config": {Data: []byte("secret")}, "deep/x.txt.br": {Data: []byte("secret")}}
	for name, body := range files {
		fsys[name] = &fstest.MapFile{Data: body}
	}
	a, err := New(fsys)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"widget.js", "assets/index-0123456789abcdef.js", "../widget.js", "/widget.js", "widget.js/", "./widget.js", ".hidden",
		"deep/.git/config", "deep/x.txt.br", "", ".", "index.html\x00", "Widget.js", "assets//index-0123456789abcdef.js", "assets/index-0123456789abcdeF.js"} {
		f.Add(seed, "", "br, gzip")
		f.Add(seed, "*", "identity;q=0")
	}
	f.Fuzz(func(t *testing.T, name, ifNoneMatch, acceptEncoding string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("If-None-Match", ifNoneMatch)
		r.Header.Set("Accept-Encoding", acceptEncoding)
		w := httptest.NewRecorder()
		served, there := a.Serve(w, r, name), files[name] != nil
		if served != there || a.Has(name) != there {
			t.Fatalf("%q: served %t, there %t, has %t", name, served, there, a.Has(name))
		}
		if served && w.Code == http.StatusOK && !bytes.Equal(w.Body.Bytes(), files[name]) {
			t.Errorf("%q is %q", name, w.Body)
		}
		if forever := strings.Contains(w.Header().Get("Cache-Control"), "immutable"); forever != (served && strings.HasPrefix(name, "assets/")) {
			t.Errorf("%q: may be cached for ever %t", name, forever)
		}
	})
}
