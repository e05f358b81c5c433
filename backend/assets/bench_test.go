package assets

// How much Serve costs beside a handler that writes the same bytes and headers
// by hand: go test -bench . ./backend/assets

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

func BenchmarkServe(b *testing.B) {
	content := strings.Repeat("const nametag = 'widget';\n", 100)
	a, err := New(fstest.MapFS{
		"widget.js":    {Data: []byte(content)},
		"widget.js.br": {Data: []byte(content)}, // the same size for both sides
	})
	if err != nil {
		b.Fatal(err)
	}
	bytes := []byte(content)
	for name, handler := range map[string]http.HandlerFunc{
		"assets": func(w http.ResponseWriter, r *http.Request) { a.Serve(w, r, "widget.js") },
		"plain": func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			h.Set("Access-Control-Allow-Origin", "*")
			h.Set("Cache-Control", "public, no-cache")
			h.Set("Content-Encoding", "br")
			h.Set("Content-Length", strconv.Itoa(len(bytes)))
			h.Set("Content-Type", "text/javascript; charset=utf-8")
			h.Set("Cross-Origin-Resource-Policy", "cross-origin")
			h.Set("ETag", `"0123456789abcdef0123456789abcdef"`)
			h.Set("Vary", "Accept-Encoding")
			h.Set("X-Content-Type-Options", "nosniff")
			_, _ = w.Write(bytes)
		},
	} {
		b.Run(name, func(b *testing.B) {
			server := httptest.NewServer(handler)
			defer server.Close()
			request, err := http.NewRequest("GET", server.URL, nil)
			if err != nil {
				b.Fatal(err)
			}
			request.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
			for b.Loop() {
				res, err := server.Client().Do(request)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil {
					b.Fatal(err)
				}
				res.Body.Close()
			}
		})
	}
}
