package wixpages

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/nametag-dev/nametag/backend/wixsim"
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

func TestPages_password(t *testing.T) {
	const password = "correct horse battery"
	sim, err := wixsim.New(wixsim.Config{AppID: "a", AppSecret: "s", Password: password, Hosts: []string{"wix.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	h := handlerOf(t, sim, testOptions())
	ask := func(method, path, host, password string) int {
		r := httptest.NewRequest(method, "http://127.0.0.1:8081"+path, strings.NewReader(`{"token":"x"}`))
		r.Host = host
		if password != "" {
			r.SetBasicAuth("sim", password)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	for _, path := range []string{"/", "/site", "/editor", "/apps/upgrade/a", "/_sim/installs"} {
		for host, want := range map[string]int{"192.168.1.7:8081": http.StatusUnauthorized, "wix.example.com": http.StatusUnauthorized, "evil.example": http.StatusForbidden} {
			if got := ask("GET", path, host, ""); got != want {
				t.Errorf("%s under %s without a password: %d", path, host, got)
			}
		}
		if got := ask("GET", path, "192.168.1.7:8081", password); got == http.StatusUnauthorized || got == http.StatusForbidden {
			t.Errorf("%s with the password: %d", path, got)
		}
	}
	for path, method := range map[string]string{"/oauth2/token-info": "POST", "/apps/v1/instance": "GET", "/_sim/assets/x.js": "GET"} {
		if got := ask(method, path, "evil.example", ""); got != http.StatusForbidden {
			t.Errorf("%s under another name: %d", path, got)
		}
	}
	if got := ask("POST", "/oauth2/token-info", "192.168.1.7:8081", ""); got != http.StatusOK {
		t.Errorf("the app without a password: %d", got)
	}
	if got := ask("GET", "/_sim/assets/x.js", "192.168.1.7:8081", ""); got == http.StatusUnauthorized {
		t.Error("the bundle wants a password")
	}
}
