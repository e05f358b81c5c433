package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/web"
)

// deployed reads a file of deploy/.
func deployed(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../../../deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestDeploy_variables holds the files to the variables that exist.
func TestDeploy_variables(t *testing.T) {
	known := []string{product.EnvPrefix + "HOST"} // of compose.yaml itself
	for _, v := range (web.Product{Name: product.Name, ID: product.ID, EnvPrefix: product.EnvPrefix}).Variables() {
		known = append(known, v.Name)
		if v.File {
			known = append(known, v.Name+"_FILE")
		}
	}
	names := regexp.MustCompile(`\b(` + product.EnvPrefix + `|WIX_)[A-Z_]+\b`)
	for _, file := range []string{"compose.yaml", "Dockerfile", "Caddyfile", "server.service"} {
		for _, name := range names.FindAllString(deployed(t, file), -1) {
			if !slices.Contains(known, name) {
				t.Errorf("deploy/%s: there is no variable %s", file, name)
			}
		}
	}
}

// startCaddy runs the Caddyfile in front of two servers whose addresses stand for the name that
// Docker resolves.
func startCaddy(t *testing.T, caddy string, servers ...string) (url string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url = "http://" + free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	file := deployed(t, "Caddyfile")
	replicas := regexp.MustCompile(`dynamic a ` + product.ID + ` 8080 \{[^}]*\}`)
	if !replicas.MatchString(file) {
		t.Fatalf("the Caddyfile does not look its replicas up:\n%s", file)
	}
	file = replicas.ReplaceAllString(file, "to "+strings.ReplaceAll(strings.Join(servers, " "), "http://", ""))
	dir := t.TempDir()
	path := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(path, []byte("{\n\tadmin off\n}\n"+file), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(caddy, "run", "--config", path, "--adapter", "caddyfile")
	cmd.Env = []string{product.EnvPrefix + "HOST=" + url, "HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	eventually(t, "Caddy answers", func() bool {
		response, err := http.Get(url + "/healthz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return url
}

// TestDeploy_fleet asks two servers behind Caddy, each token several times: Wix is asked once
// about each. When one of the servers is gone, the other answers.
func TestDeploy_fleet(t *testing.T) {
	caddy := os.Getenv("CADDY")
	if caddy == "" {
		t.Skip("CADDY is not set: make test-deploy runs this")
	}
	const tokens = 24
	sim := startSim(t, "--app-id=11111111-1111-4111-8111-111111111111", "--app-secret=4f9a-of-the-fleet")
	var installed struct{ InstanceID string }
	if err := json.Unmarshal([]byte(sim.do(t, http.MethodPost, "/_sim/installs", `{"siteDisplayName":"Fleet"}`)), &installed); err != nil {
		t.Fatal(err)
	}
	var minted struct{ Tokens []string }
	if err := json.Unmarshal([]byte(sim.do(t, http.MethodPost, "/_sim/tokens",
		fmt.Sprintf(`{"subject":"VISITOR","instanceId":%q,"count":%d}`, installed.InstanceID, tokens))), &minted); err != nil {
		t.Fatal(err)
	}
	environ := func() []string {
		return []string{
			"WIX_API_URL=" + sim.url, "WIX_APP_ID=11111111-1111-4111-8111-111111111111", "WIX_APP_SECRET=4f9a-of-the-fleet",
			product.EnvPrefix + "DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "a.db"),
			product.EnvPrefix + "TRUSTED_PROXIES=127.0.0.0/8",
		}
	}
	one, other := startServe(t, environ()...), startServe(t, environ()...)
	front := &served{t: t, url: startCaddy(t, caddy, one.url, other.url)}
	askAll := func() {
		t.Helper()
		for _, token := range minted.Tokens {
			if status := front.status(http.MethodGet, "/api/get-instance", token, ""); status != http.StatusOK {
				t.Fatalf("status %d", status)
			}
		}
	}
	for range 4 {
		askAll()
	}
	if asked := strings.Count(sim.do(t, http.MethodGet, "/_sim/calls", ""), `"/oauth2/token-info"`); asked != tokens {
		t.Errorf("Wix was asked %d times about %d tokens", asked, tokens)
	}
	if err := one.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	askAll()
}
