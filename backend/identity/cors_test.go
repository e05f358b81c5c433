package identity

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCORS_preflight(t *testing.T) {
	handler := CORS(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") }))
	for _, method := range []string{"GET", "PUT", "DELETE", "PATCH"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, "/orders", http.NoBody)
		r.Header.Set("Origin", "https://site.example")
		r.Header.Set("Access-Control-Request-Method", method)
		r.Header.Set("Access-Control-Request-Headers", "authorization,x-wix-linguist")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusNoContent || w.Body.Len() != 0 {
			t.Errorf("%s: got %d, %s", method, w.Code, w.Body)
		}
		checkHeaders(t, w.Header(), map[string]string{
			"Access-Control-Allow-Origin":      "*",
			"Access-Control-Allow-Methods":     method,
			"Access-Control-Allow-Headers":     "authorization,x-wix-linguist",
			"Access-Control-Allow-Credentials": "",
			"Access-Control-Max-Age":           "7200",
			"Access-Control-Expose-Headers":    "ETag, Retry-After, X-Request-Id",
			"Vary":                             "Access-Control-Request-Method, Access-Control-Request-Headers",
		})
	}
}

func TestCORS_otherRequests(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
		called := false
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), method, "/orders", http.NoBody)
		CORS(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			called = true
			w.WriteHeader(http.StatusTeapot)
		})).ServeHTTP(w, r)
		if !called || w.Code != http.StatusTeapot {
			t.Errorf("%s: called %v, status %d", method, called, w.Code)
		}
		checkHeaders(t, w.Header(), map[string]string{
			"Access-Control-Allow-Origin":   "*",
			"Access-Control-Expose-Headers": "ETag, Retry-After, X-Request-Id",
			"Access-Control-Allow-Methods":  "",
			"Vary":                          "",
		})
	}
}

func TestCORS_onRefusals(t *testing.T) {
	v, _ := startVerifier(t, Options{})
	w, _ := callThrough(t, func(h http.Handler) http.Handler { return CORS(v.Require(Owner)(h)) }, "visitor")
	if w.Code != http.StatusForbidden {
		t.Errorf("got %d", w.Code)
	}
	checkHeaders(t, w.Header(), map[string]string{"Access-Control-Allow-Origin": "*", "Vary": "Authorization"})
}

func TestPreflight_fixedMethods(t *testing.T) {
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, "/", http.NoBody)
	Preflight(w, r, "GET, HEAD, OPTIONS")
	if w.Code != http.StatusNoContent {
		t.Errorf("got %d", w.Code)
	}
	checkHeaders(t, w.Header(), map[string]string{
		"Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
		"Access-Control-Allow-Headers": "",
		"Access-Control-Max-Age":       "7200",
		"Vary":                         "Access-Control-Request-Headers",
	})
}

func TestSetCORS_doesNotAllocate(t *testing.T) {
	h := http.Header{"Access-Control-Allow-Origin": nil, "Access-Control-Expose-Headers": nil}
	if n := testing.AllocsPerRun(100, func() { SetCORS(h) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func checkHeaders(t *testing.T, h http.Header, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := strings.Join(h.Values(name), ", "); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}
