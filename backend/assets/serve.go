package assets

// Answering a request for one file.

import (
	"net/http"

	"github.com/nametag-dev/nametag/backend/etag"
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
	if etag.MatchesWeak(r.Header["If-None-Match"], v.etag[0]) {
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
		// A failed write means that the client has gone.
		_, _ = w.Write(v.body)
	}
	return true
}
