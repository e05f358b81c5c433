package wix_test

// Two app secrets, while one is being changed.

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nametag-dev/nametag/backend/wix"
)

// fakeSecrets is a Wix that knows the app by some secrets, on any instance but "gone".
type fakeSecrets struct {
	mu    sync.Mutex
	takes []string
	asked []string
	// fails is the status for the secrets that are not taken, 401 by default.
	fails map[string]int
}

func (f *fakeSecrets) RoundTrip(r *http.Request) (*http.Response, error) {
	var body struct {
		Secret   string `json:"client_secret"`
		Instance string `json:"instance_id"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, body.Secret)
	w := httptest.NewRecorder()
	switch status, failing := f.fails[body.Secret]; {
	case failing:
		w.WriteHeader(status)
	case !slices.Contains(f.takes, body.Secret):
		w.WriteHeader(http.StatusUnauthorized)
	case body.Instance == "gone":
		w.WriteHeader(http.StatusBadRequest)
	default:
		_, _ = io.WriteString(w, `{"access_token":"by-`+body.Secret+`","expires_in":14400}`)
	}
	return w.Result(), nil
}

// since returns the secrets that Wix was asked with since the last call.
func (f *fakeSecrets) since() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := strings.Join(f.asked, " ")
	f.asked = nil
	return asked
}

func (f *fakeSecrets) take(secrets ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.takes = secrets
}

func TestClient_oldSecret(t *testing.T) {
	f := &fakeSecrets{takes: []string{"old"}}
	var taken []bool
	c := wix.New(wix.Options{AppID: "app-1", AppSecret: "new", OldSecret: "old", Transport: f,
		SecretTaken: func(old bool) { taken = append(taken, old) }})
	t.Cleanup(c.Close)
	for _, step := range []struct {
		name     string
		do       func()
		instance string
		asked    string
		status   int // 0 is a token
		reports  []bool
	}{
		{"Wix knows the old one", nil, instanceID, "new old", 0, []bool{true}},
		{"it is remembered", nil, instanceID, "old", 0, nil},
		{"an instance that Wix does not know is no fault of the secret", nil, "gone", "old new", 400, nil},
		{"that changes nothing", nil, instanceID, "old", 0, nil},
		{"the secret is changed at Wix", func() { f.take("new") }, instanceID, "old new", 0, []bool{false}},
		{"and that is remembered", nil, instanceID, "new", 0, nil},
		{"changed back, and the instance is gone", func() { f.take("old") }, "gone", "new old", 400, nil},
		{"neither is known", func() { f.take() }, instanceID, "new old", 401, nil},
		{"Wix is away for the other", func() { f.fails = map[string]int{"old": 500} }, instanceID, "new old", 500, nil},
		{"Wix is away", func() { f.fails = map[string]int{"new": 500} }, instanceID, "new", 500, nil},
		{"the old one is dropped", func() { f.fails = nil; f.take("old"); c.SetSecrets("new", "") }, instanceID, "new", 401, nil},
		{"a third one comes", func() { f.take("third"); c.SetSecrets("third", "new") }, instanceID, "third", 0, []bool{false}},
		{"the same one twice is one", func() { f.take(); c.SetSecrets("third", "third") }, instanceID, "third", 401, nil},
	} {
		taken = nil
		if step.do != nil {
			step.do()
		}
		token, err := c.AppToken(t.Context(), step.instance)
		status := 0
		var refusal *wix.Error
		if errors.As(err, &refusal) {
			status = refusal.Status
		}
		if status != step.status || (err == nil) != (token.AccessToken != "") {
			t.Errorf("%s: got %v, want status %d", step.name, err, step.status)
		}
		if asked := f.since(); asked != step.asked {
			t.Errorf("%s: Wix was asked with %q, want %q", step.name, asked, step.asked)
		}
		if !slices.Equal(taken, step.reports) {
			t.Errorf("%s: reported %v, want %v", step.name, taken, step.reports)
		}
	}
	if printed := fmt.Sprintf("%v %+v %#v", c, c, *c); strings.Contains(printed, "third") {
		t.Error("the client prints a secret")
	}
}

func TestClient_SetSecrets_whileItCalls(t *testing.T) {
	f := &fakeSecrets{takes: []string{"a", "b"}}
	c := wix.New(wix.Options{AppID: "app-1", AppSecret: "a", OldSecret: "old", Transport: f, SecretTaken: func(bool) {}})
	t.Cleanup(c.Close)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if _, err := c.AppToken(context.Background(), instanceID); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 100 {
		c.SetSecrets("b", "a")
		c.SetSecrets("old", "b")
	}
	all.Wait()
	f.take("b")
	if _, err := c.AppToken(t.Context(), instanceID); err != nil {
		t.Errorf("after the last change: %v", err)
	}
}

func TestParseSignedInstance_oldSecret(t *testing.T) {
	parameter := seal(b64(signedStart + "}"))
	for _, tt := range []struct {
		name   string
		secret wix.Secret
		old    []wix.Secret
		ok     bool
	}{
		{"by the secret", appSecret, []wix.Secret{"old"}, true},
		{"by the old one", "new", []wix.Secret{appSecret}, true},
		{"by neither", "new", []wix.Secret{"old"}, false},
		{"by no old one", "new", []wix.Secret{""}, false},
	} {
		if _, err := wix.ParseSignedInstance(parameter, tt.secret, signedAt, 0, tt.old...); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestWebhooks_SetKeys(t *testing.T) {
	ours, other := publicPEM(&wixKey().PublicKey), publicPEM(&otherKey().PublicKey)
	w := newWebhooks(t, other)
	body := []byte(signed(installed("")))
	verify := func(want bool) {
		t.Helper()
		if _, err := w.Verify(body); (err == nil) != want {
			t.Errorf("verified: %v, want %v", err, want)
		}
	}
	verify(false)
	if err := w.SetKeys([]string{ours + other}); err != nil {
		t.Fatal(err)
	}
	verify(true)
	if err := w.SetKeys([]string{"no key"}); err == nil {
		t.Error("a text without a key was taken")
	}
	verify(true)
	var all sync.WaitGroup
	all.Go(func() {
		for range 20 {
			if err := w.SetKeys([]string{other, ours}); err != nil {
				t.Error(err)
			}
		}
	})
	for range 20 {
		verify(true)
	}
	all.Wait()
}

// What JSON.stringify, .env files, docker --env-file, editors and shells make of a key.
func TestNewWebhooks_pastedForms(t *testing.T) {
	one := strings.TrimSpace(publicPEM(&wixKey().PublicKey))
	lines := strings.Split(one, "\n")
	two := publicPEM(&otherKey().PublicKey) + one
	wraps := map[string]func(string) string{
		"as it is":                func(s string) string { return s },
		"with a line break":       func(s string) string { return s + "\n" },
		"in double quotes":        func(s string) string { return `"` + s + `"` },
		"with spaces, in quotes":  func(s string) string { return "  \"" + s + "\n\"  " },
		"in single quotes":        func(s string) string { return `'` + s + `'` },
		"in typographic quotes":   func(s string) string { return "“" + s + "”" },
		"with a quote that stays": func(s string) string { return s + `"` },
		"with a semicolon":        func(s string) string { return s + ";" },
		"as a JSON field":         func(s string) string { return `"` + s + `",` },
		"with a byte order mark":  func(s string) string { return "\ufeff" + s + "\r\n" },
		"with no-break spaces":    func(s string) string { return "\u00a0" + s + "\u00a0" },
		"with a written break":    func(s string) string { return s + `\n` },
		"with a double escape":    func(s string) string { return s + `\\n` },
	}
	encoders := map[string]func(string) string{
		"PEM":                     func(s string) string { return s },
		"PEM with CRLF":           func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"PEM with written breaks": func(s string) string { return strings.ReplaceAll(s, "\n", `\n`) },
		"PEM escaped twice":       func(s string) string { return strings.ReplaceAll(s, "\n", `\\n`) },
		"PEM with backslashes":    func(s string) string { return strings.ReplaceAll(s, "\n", "\\\n") },
		"PEM in one line":         func(s string) string { return strings.ReplaceAll(s, "\n", " ") },
		"PEM with no-break spaces": func(s string) string {
			return strings.NewReplacer(" ", "\u00a0", "\n", "\u00a0").Replace(s)
		},
		"PEM with dashes made typographic": func(s string) string { return strings.ReplaceAll(s, "-----", "——-") },
		"base64":                           func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"base64 without padding":           func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) },
		"base64 for URLs":                  func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) },
		"base64 in lines":                  func(s string) string { return inLines(base64.StdEncoding.EncodeToString([]byte(s))) },
		"base64 of it in quotes":           func(s string) string { return base64.StdEncoding.EncodeToString([]byte(`"` + s + `";`)) },
		"base64 of it with CRLF and a BOM": func(s string) string {
			return base64.StdEncoding.EncodeToString([]byte("\ufeff" + strings.ReplaceAll(s, "\n", "\r\n")))
		},
		"base64 of written breaks": func(s string) string {
			return base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(s, "\n", `\n`)))
		},
	}
	body := []byte(signed(installed("")))
	try := func(t *testing.T, texts ...string) {
		t.Helper()
		w, err := wix.NewWebhooks(texts, ourApp, clock)
		if err != nil {
			t.Fatalf("%v, of %q", err, texts)
		}
		if _, err := w.Verify(body); err != nil {
			t.Errorf("%v, of %q", err, texts)
		}
	}
	for encoding, encode := range encoders {
		for name, wrap := range wraps {
			t.Run(encoding+" "+name, func(t *testing.T) {
				other := encode(strings.TrimSpace(publicPEM(&otherKey().PublicKey)))
				try(t, wrap(encode(one)))
				try(t, wrap(encode(two)))
				try(t, wrap(other+","+encode(one)))
				try(t, wrap(other+"\n"+encode(one)))
				try(t, wrap(wrap(other)+" , "+wrap(encode(one))))
				try(t, wrap(other+",\n"+lines[0]+strings.Join(lines[1:], "\n")))
			})
		}
	}
}

// inLines breaks a text as the command base64 does.
func inLines(text string) string {
	var b strings.Builder
	for len(text) > 76 {
		b.WriteString(text[:76] + "\n")
		text = text[76:]
	}
	return b.String() + text + "\n"
}
