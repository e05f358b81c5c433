package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

// runDoctor returns the exit code and what is printed.
func runDoctor(environ []string, flags ...string) (int, string, string) {
	var stdout, stderr bytes.Buffer
	code := run(append([]string{"doctor"}, flags...), environ, strings.NewReader(""), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestDoctor_exitCodes(t *testing.T) {
	id, secret := wixsim.NewCredentials()
	sim, err := wixsim.New(wixsim.Config{AppID: id, AppSecret: secret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	wix := httptest.NewServer(sim.REST())
	t.Cleanup(wix.Close)
	var server atomic.Pointer[url.URL]
	public := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if at := server.Load(); at != nil {
			httputil.NewSingleHostReverseProxy(at).ServeHTTP(w, r)
		} else {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	t.Cleanup(public.Close)
	environ := []string{
		"WIX_API_URL=" + wix.URL, "WIX_APP_ID=" + id, "WIX_APP_SECRET=" + secret,
		"WIX_PUBLIC_KEY=" + base64.StdEncoding.EncodeToString([]byte(sim.PublicKey())),
		product.EnvPrefix + "PUBLIC_URL=" + public.URL,
		product.EnvPrefix + "DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "app.db"),
	}
	if code, out, err := runDoctor(nil); code != exitUsage || !strings.Contains(out, "WIX_APP_ID is missing") || !strings.Contains(err, "not complete") {
		t.Errorf("without a configuration: exit code %d\n%s%s", code, out, err)
	}

	away := append(environ[:len(environ):len(environ)], product.EnvPrefix+"PUBLIC_URL=http://127.0.0.1:1")
	code, out, message := runDoctor(away)
	if code != 1 || !strings.Contains(out, "public address  fault") || !strings.Contains(out, product.ID+" serve") || !strings.Contains(message, "1 fault found") {
		t.Errorf("without a server: exit code %d\n%s%s", code, out, message)
	}

	s := startServe(t, environ...)
	at, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	server.Store(at)
	for _, part := range []string{`"install":"` + public.URL + `/install"`, `app.db"`} {
		if !strings.Contains(s.log(), part) {
			t.Errorf("the server does not say %s at its start:\n%s", part, s.log())
		}
	}
	if code, out, message := runDoctor(environ); code != 0 || strings.Contains(out, "fault  ") || message != "" {
		t.Errorf("with a server: exit code %d\n%s%s", code, out, message)
	}
	// The database has an installation now, with which the permission can be tried.
	token, _, err := sim.Mint(wixsim.TokenRequest{Subject: wixsim.User})
	if err != nil {
		t.Fatal(err)
	}
	if status := s.status("GET", "/api/get-instance", token, ""); status != 200 {
		t.Fatalf("get-instance: %d", status)
	}
	code, out, message = runDoctor(environ, "--json")
	var report struct {
		OK       bool
		Findings []struct{ Check, State string }
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != 0 || !report.OK {
		t.Fatalf("JSON: exit code %d, %v\n%s%s", code, err, out, message)
	}
	states := map[string]string{}
	for _, f := range report.Findings {
		states[f.Check] = f.State
	}
	for _, check := range []string{"configuration", "database", "wix", "clock", "credentials", "permission", "public address", "widget.js", "api", "panel", "webhook path", "tokens"} {
		if states[check] != "ok" {
			t.Errorf("%s is %q", check, states[check])
		}
	}
	if strings.Contains(out, secret) {
		t.Error("the secret is printed")
	}
}

func TestVisible(t *testing.T) {
	if got := visible("a\x1b[31mb\u202ecé’\nd"); got != "a\\x1b[31mb\\u202ecé’\nd" {
		t.Errorf("%q", got)
	}
}

func TestWrapped(t *testing.T) {
	if got := wrapped("one two three\nfour", 9); strings.Join(got, "|") != "one two|three|four" {
		t.Errorf("%q", got)
	}
}
