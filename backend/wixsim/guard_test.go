package wixsim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	const password = "correct horse battery"
	s := newSim(t, func(c *Config) { c.Password, c.Hosts = password, []string{"wix.example.com"} })
	h := s.Handler()
	basic := func(user, password string) string {
		r := httptest.NewRequest("GET", "/", nil)
		r.SetBasicAuth(user, password)
		return r.Header.Get("Authorization")
	}
	for _, tt := range []struct {
		name, host, authorization, origin string
		status                            int
	}{
		{"the password", "127.0.0.1:8081", basic("sim", password), "", 200},
		{"the password as a token", "127.0.0.1:8081", "bearer " + password, "", 200},
		{"the network's address", "192.168.1.7:8081", basic("sim", password), "", 200},
		{"a container's name", "wix:8081", basic("sim", password), "http://wix:8081", 200},
		{"a name that is given", "WIX.example.com:8081", basic("sim", password), "", 200},
		{"another name", "evil.example:8081", basic("sim", password), "", 403},
		{"a page of another origin", "192.168.1.7:8081", basic("sim", password), "http://evil.example", 403},
		{"no password", "127.0.0.1:8081", "", "", 401},
		{"another user", "127.0.0.1:8081", basic("admin", password), "", 401},
		{"half a password", "127.0.0.1:8081", basic("sim", password[:12]), "", 401},
		{"an empty password", "127.0.0.1:8081", basic("sim", ""), "", 401},
		{"an empty token", "127.0.0.1:8081", "Bearer ", "", 401},
		{"another scheme", "127.0.0.1:8081", "Digest " + password, "", 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, path := range []string{"/_sim/health", "/_sim/installs", "/_sim/state"} {
				r := httptest.NewRequest("GET", "http://127.0.0.1"+path, nil)
				r.Host = tt.host
				for name, value := range map[string]string{"Authorization": tt.authorization, "Origin": tt.origin} {
					if value != "" {
						r.Header.Set(name, value)
					}
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != tt.status || tt.status == 401 && !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic ") {
					t.Errorf("%s: %d %v", path, w.Code, w.Header())
				}
			}
		})
	}
	if w := ask(s.REST(), "POST", "/oauth2/token-info", quote("token", "x")); w.Code != http.StatusOK {
		t.Error("Wix's API is closed:", w.Code)
	}
	if _, err := New(Config{AppID: "a", AppSecret: "s", Password: "eleven-long"}); err == nil {
		t.Error("a short password is taken")
	}
}
