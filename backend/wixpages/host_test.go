package wixpages

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPages_host(t *testing.T) {
	h := handlerOf(t, newSim(t), testOptions())
	for host, ok := range map[string]bool{
		"127.0.0.1:8081": true, "127.9.8.7": true, "[::1]:8081": true, "[::1]": true, "192.168.1.7:8081": true,
		"localhost:8081": true, "LocalHost.": true, "wix.localhost:8081": true, "wix:8081": true, "host.docker.internal:8081": true,
		"evil.example:8081": false, "evil.example": false, "127.0.0.1.nip.io": false, "localhost.evil.example": false,
		"evil.localhost.example": false, "evillocalhost.com": false, "wix.local": false, "127.0.0.1.": false,
	} {
		t.Run(host, func(t *testing.T) {
			for path, method := range map[string]string{
				"/": "GET", "/site": "GET", "/editor": "GET", "/apps/upgrade/x": "GET", "/oauth2/token-info": "POST", "/apps/v1/instance": "GET",
			} {
				r := httptest.NewRequest(method, "http://127.0.0.1:8081"+path, strings.NewReader(`{"token": "x"}`))
				r.Host = host
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if refused := w.Code == http.StatusForbidden && strings.Contains(w.Body.String(), "local name"); refused == ok {
					t.Errorf("%s: got %d", path, w.Code)
				}
			}
		})
	}
}
