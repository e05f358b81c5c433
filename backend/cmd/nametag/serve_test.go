package main

// The program as a process: its configuration in files that change, and a SIGHUP.

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

// changingWix is an offline Wix whose app secret can be changed.
type changingWix struct {
	*wixsim.Sim
	simSecret string

	mu     sync.Mutex
	secret string
}

func (w *changingWix) setSecret(secret string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secret = secret
}

func (w *changingWix) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(out, err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	secret := w.secret
	w.mu.Unlock()
	// The secret of today stands for the one that the offline Wix has; any other for none.
	body = bytes.ReplaceAll(body, []byte(w.simSecret), []byte("refused"))
	body = bytes.ReplaceAll(body, []byte(secret), []byte(w.simSecret))
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	w.REST().ServeHTTP(out, r)
}

// served is a `nametag serve`.
type served struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	mu     sync.Mutex
	stderr bytes.Buffer
}

func (s *served) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.Write(p)
}

func (s *served) log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.String()
}

func startServe(t *testing.T, environ ...string) *served {
	t.Helper()
	s := &served{t: t, cmd: exec.Command(os.Args[0], "serve")}
	s.cmd.Env = append([]string{asProgram + "=1", product.EnvPrefix + "ADDR=127.0.0.1:0", product.EnvPrefix + "ADMIN_ADDR=127.0.0.1:0", product.EnvPrefix + "DEMO=false"}, environ...)
	s.cmd.Stderr = s
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	listening := regexp.MustCompile(`"msg":"listening","url":"([^"]+)"`)
	s.until("it listens", func() bool {
		found := listening.FindStringSubmatch(s.log())
		if found != nil {
			s.url = found[1]
		}
		return found != nil
	})
	return s
}

func (s *served) until(what string, reached func() bool) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); !reached(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("not reached: %s\n%s", what, s.log())
		}
	}
}

// hangUp sends a SIGHUP and waits until the log says something that it has not said before.
func (s *served) hangUp(says string) {
	s.t.Helper()
	before := len(s.log())
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		s.t.Fatal(err)
	}
	s.until("the log says "+says, func() bool { return strings.Contains(s.log()[before:], says) })
}

func (s *served) status(method, path, authorization, body string) int {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", authorization)
	r.Header.Set("Content-Type", "text/plain")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// newKey returns a key of webhooks, and its public half in PEM.
func newKey(t *testing.T) (*rsa.PrivateKey, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func webhook(t *testing.T, key *rsa.PrivateKey, instanceID string) string {
	t.Helper()
	text := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iat":  time.Now().Unix(),
		"data": text(map[string]any{"data": "{}", "instanceId": instanceID, "eventType": "AppInstalled"}),
	}).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestServe_SIGHUP(t *testing.T) {
	appID, simSecret := wixsim.NewCredentials()
	sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: simSecret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	wix := &changingWix{Sim: sim, simSecret: simSecret, secret: "secret-one"}
	upstream := httptest.NewServer(wix)
	t.Cleanup(upstream.Close)

	keyA, publicA := newKey(t)
	keyB, publicB := newKey(t)
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(file(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("id", appID)
	write("secret", "secret-one\n")
	write("key", publicA)
	write("database", "sqlite:"+file("app.db"))
	s := startServe(t, "WIX_API_URL="+upstream.URL, "WIX_APP_ID_FILE="+file("id"), "WIX_APP_SECRET_FILE="+file("secret"),
		"WIX_PUBLIC_KEY_FILE="+file("key"), product.EnvPrefix+"DATABASE_URL_FILE="+file("database"))

	// elevated asks for what needs the secret, as a site that has not asked before.
	elevated := func() int {
		t.Helper()
		site, err := sim.Install(wixsim.InstallRequest{Silent: true})
		if err != nil {
			t.Fatal(err)
		}
		token, _, err := sim.Mint(wixsim.TokenRequest{Subject: wixsim.Visitor, InstanceID: site.InstanceID})
		if err != nil {
			t.Fatal(err)
		}
		return s.status("GET", "/api/get-instance-data", token, "")
	}
	const instanceID = "11111111-1111-4111-8111-111111111111"
	delivered := func(key *rsa.PrivateKey) int {
		t.Helper()
		return s.status("POST", "/webhooks/wix", "", webhook(t, key, instanceID))
	}
	expect := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	const inUse, kept = "the configuration was read again, and is in use", "what was read before stays in use"
	expect("with the first secret", elevated(), 200)
	expect("a webhook by the first key", delivered(keyA), 200)
	expect("a webhook by the second key", delivered(keyB), 401)

	s.hangUp("no secret and no public key has changed")

	wix.setSecret("secret-two")
	expect("the secret is changed at Wix alone", elevated(), 502)
	write("secret", "\ufeff\"secret-two\" ,\r\n'secret-one'\r\n")
	s.hangUp(inUse)
	expect("with both secrets", elevated(), 200)
	s.until("the log says which is in use", func() bool { return strings.Contains(s.log(), "wix takes the new app secret") })
	wix.setSecret("secret-one")
	expect("the change at Wix is taken back", elevated(), 200)

	write("key", publicB+publicA)
	s.hangUp(`"changed":"WIX_PUBLIC_KEY"`)
	expect("with both keys, by the first", delivered(keyA), 200)
	expect("with both keys, by the second", delivered(keyB), 200)
	write("key", strings.ReplaceAll(publicB, "\n", `\n`))
	s.hangUp(inUse)
	expect("with the second key, by the first", delivered(keyA), 401)
	expect("with the second key", delivered(keyB), 200)

	// A fault changes nothing, not even what is right beside it.
	write("secret", "secret-three")
	write("key", "not a key")
	s.hangUp(kept)
	expect("a key with a fault: the secret", elevated(), 200)
	expect("a key with a fault: the key", delivered(keyB), 200)
	if err := os.Remove(file("key")); err != nil {
		t.Fatal(err)
	}
	s.hangUp(kept)
	expect("a key that is gone", delivered(keyB), 200)

	write("key", "")
	write("secret", "secret-one")
	write("id", instanceID)
	write("database", "sqlite:"+file("other.db"))
	before := len(s.log())
	s.hangUp(`"changed":"WIX_APP_SECRET"`)
	for _, variable := range []string{"WIX_APP_ID", "WIX_PUBLIC_KEY", product.EnvPrefix + "DATABASE_URL"} {
		if !strings.Contains(s.log()[before:], fmt.Sprintf(`stays in use","variable":%q`, variable)) {
			t.Errorf("the log does not say that %s needs a restart", variable)
		}
	}
	expect("with one secret again", elevated(), 200)
	expect("the key needs a restart to go", delivered(keyB), 200)

	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	for _, secret := range []string{"secret-one", "secret-two", "secret-three", "not a key", publicB[60:90]} {
		if strings.Contains(s.log(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}
