package app

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/nametag-dev/nametag/backend/product"
)

func TestHealthURL(t *testing.T) {
	for _, tt := range []struct {
		name, addr, port, public string
		live                     bool
		want                     string // or part of the error
	}{
		{name: "by default", want: "http://localhost:8080/readyz"},
		{name: "alive", live: true, want: "http://localhost:8080/healthz"},
		{name: "every address", addr: "0.0.0.0:9000", want: "http://localhost:9000/readyz"},
		{name: "every IPv6 address", addr: "[::]:9000", want: "http://localhost:9000/readyz"},
		{name: "one address", addr: "10.1.2.3:80", want: "http://10.1.2.3:80/readyz"},
		{name: "one IPv6 address", addr: "[fd00::1]:80", want: "http://[fd00::1]:80/readyz"},
		{name: "below a path", public: "https://example.com/app/", want: "http://localhost:8080/app/readyz"},
		{name: "a port of the platform", want: "http://localhost:9000/readyz", port: "9000"},
		{name: "no port", addr: "example.com", want: product.EnvPrefix + "ADDR"},
		{name: "no URL", public: "ftp://x", want: product.EnvPrefix + "PUBLIC_URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var environ []string
			for name, value := range map[string]string{product.EnvPrefix + "ADDR": tt.addr, product.EnvPrefix + "PUBLIC_URL": tt.public, "PORT": tt.port} {
				if value != "" {
					environ = append(environ, name+"="+value)
				}
			}
			got, err := HealthURL(environ, tt.live)
			if err != nil {
				got = err.Error()
			}
			if got != tt.want && (err == nil || !strings.Contains(got, tt.want)) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestAskHealth(t *testing.T) {
	answer := func(status int, body any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(body)
		}
	}
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		want    string // the status, or part of the error
	}{
		{"ready", answer(200, map[string]string{"status": "ok"}), "ok"},
		{"draining", answer(503, map[string]string{"status": "draining"}), "503: draining"},
		{"another program", answer(200, "hello"), "not as " + product.Name},
		{"cut short", func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, "does not answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(tt.handler)
			defer server.Close()
			got, err := AskHealth(t.Context(), server.URL+"/readyz")
			if err != nil {
				got = err.Error()
			}
			if got != tt.want && (err == nil || !strings.Contains(got, tt.want)) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
