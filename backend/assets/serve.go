package assets

// Answering a request for one file.

import (
	"net/http"
	"strings"
)

// Header values that are the same for every file. net/http only reads them; an
// Add by a middleware copies, because their capacity is their length.
var (
	anyOrigin   = []string{"*"}
	crossOrigin = []string{"cross-origin"}
	noSniff     = []string{"nosniff"}
	varies      = []string{"Accept-Encoding"}
)

// Serve answers a GET or HEAD of the named file and reports true. If there is no
// such file it reports false and has written nothing. Names are exact: anything
// that was not in the folder (an upward path, a sibling .br, a dotfile) is no file.
//
// The method is the caller's affair; ranges are not offered.
func (a *Assets) Serve(w http.ResponseWriter, r *http.Request, name string) bool {
	f, ok := a.files[name]
	if !ok {
		return false
	}
	v := f.variants[choose(r.Header["Accept-Encoding"], &f.variants)]

	h := w.Header()
	h["Access-Control-Allow-Origin"] = anyOrigin
	h["Cache-Control"] = f.cacheControl
	h["Cross-Origin-Resource-Policy"] = crossOrigin
	h["Etag"] = v.etag
	h["X-Content-Type-Options"] = noSniff
	if len(h["Vary"]) == 0 {
		h["Vary"] = varies
	} else {
		h.Add("Vary", varies[0])
	}
	if matches(r.Header["If-None-Match"], v.etag[0]) {
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	h["Content-Type"] = f.contentType
	h["Content-Length"] = v.length
	if v.encoding != nil {
		h["Content-Encoding"] = v.encoding
	}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		// A failed write means that the reader has gone; there is nobody to tell.
		_, _ = w.Write(v.body)
	}
	return true
}

// matches compares the lists of If-None-Match with a strong tag, weakly, as RFC
// 9110 §13.1.2 asks. What cannot be read matches nothing.
func matches(lists []string, etag string) bool {
	for _, list := range lists {
		if strings.TrimSpace(list) == "*" {
			return true
		}
		for {
			list = strings.TrimLeft(list, " \t,")
			list = strings.TrimPrefix(list, "W/")
			if len(list) == 0 || list[0] != '"' {
				break
			}
			end := strings.IndexByte(list[1:], '"') + 2
			if end == 1 {
				break
			}
			if list[:end] == etag {
				return true
			}
			list = list[end:]
		}
	}
	return false
}
