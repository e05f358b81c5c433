package identity

// CORS for an API that Wix sites call from the browser.

import "net/http"

// CORS returns next, opened to scripts of every origin. Preflight requests are answered
// for any method and any header; other OPTIONS requests reach next.
//
// The origins of an app's sites cannot be listed, since a site may have any domain. The
// credential is a header that no browser adds by itself, and cookies are not admitted,
// so that an open origin gives nothing away.
func CORS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		SetCORS(w.Header())
		method := r.Header.Get("Access-Control-Request-Method")
		if r.Method != http.MethodOptions || method == "" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Add("Vary", "Access-Control-Request-Method")
		Preflight(w, r, method)
	})
}

// SetCORS sets the CORS headers of an answer: every origin may read it, and its ETag,
// Retry-After and X-Request-Id. Set them on errors too: without them a browser reports
// only "Failed to fetch". They do not depend on the request's Origin, so that a cached
// answer has them as well.
func SetCORS(h http.Header) {
	h["Access-Control-Allow-Origin"] = anyOrigin
	h["Access-Control-Expose-Headers"] = exposedHeaders
}

// Preflight answers a preflight request with 204, in addition to SetCORS. methods are the
// allowed methods, such as "GET, HEAD, OPTIONS".
func Preflight(w http.ResponseWriter, r *http.Request, methods string) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", methods)
	// The requested headers are repeated, because Wix's packages add headers of their own
	// (x-wix-linguist, X-Wix-Consistent) and "*" does not include Authorization.
	if requested := r.Header.Get("Access-Control-Request-Headers"); requested != "" {
		h.Set("Access-Control-Allow-Headers", requested)
	}
	h.Set("Access-Control-Max-Age", preflightMaxAge)
	h.Add("Vary", "Access-Control-Request-Headers")
	w.WriteHeader(http.StatusNoContent)
}

// preflightMaxAge is the longest time that Chromium caches a preflight, in seconds.
const preflightMaxAge = "7200"

// Shared header values, which net/http only reads.
var (
	anyOrigin      = []string{"*"}
	exposedHeaders = []string{"ETag, Retry-After, X-Request-Id"}
)
