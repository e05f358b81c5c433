package wixsim

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recording starts a Sim that records, and returns its folder.
func recording(t *testing.T, r Recording, change ...func(*Config)) (*Sim, string) {
	t.Helper()
	r.Dir = filepath.Join(t.TempDir(), "recordings")
	s := newSim(t, append([]func(*Config){func(c *Config) { c.Recording = &r }}, change...)...)
	t.Cleanup(s.Close)
	return s, r.Dir
}

// recorded reads the recordings of a folder, which only their owner may read.
func recorded(t *testing.T, dir string) (all []map[string]map[string]any, text string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, entry := range entries {
		if want := fmt.Sprintf("%05d.json", i+1); entry.Name() != want {
			t.Errorf("a file is %s, want %s", entry.Name(), want)
		}
		name := filepath.Join(dir, entry.Name())
		if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var one map[string]map[string]any
		if err := json.Unmarshal(content, &one); err != nil {
			t.Fatal(err)
		}
		all, text = append(all, one), text+string(content)
	}
	return all, text
}

func TestRecording_ofASecondSim(t *testing.T) {
	real := newSim(t, func(c *Config) { c.AppSecret = "the real secret" })
	site := install(t, real, InstallRequest{SiteDisplayName: "Lantern Bakery", OwnerEmail: "Jo@Lantern.example"})
	upstream := httptest.NewServer(real.REST())
	defer upstream.Close()
	s, dir := recording(t, Recording{Upstream: upstream.URL, All: true})

	form := newSim(t) // its tokens are unknown to the others
	w := ask(s.REST(), "POST", pathToken, quote("grant_type", "client_credentials", "client_id", testAppID, "client_secret", "the real secret", "instance_id", site.InstanceID))
	token, _ := object(t, w)["access_token"].(string)
	answers := []*[]byte{}
	for _, call := range [][]string{
		{"POST", pathTokenInfo, quote("token", token)},
		{"GET", pathInstance + "?authorization=" + token, "", "Authorization", "Bearer " + token},
		{"GET", pathInstance, "", "Authorization", mint(t, form, TokenRequest{Subject: Visitor})},
		{"POST", "/members/v1/members?email=jo%40lantern.example&siteId=" + site.SiteID, `{"loginEmail":"jo@lantern.example"}`},
	} {
		got := ask(s.REST(), call[0], call[1], call[2], call[3:]...)
		want := ask(real.REST(), call[0], call[1], call[2], call[3:]...)
		if got.Code != want.Code || got.Body.String() != want.Body.String() || got.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%v: %d %s, but the upstream %d %s", call, got.Code, got.Body, want.Code, want.Body)
		}
		if id := got.Header().Values("X-Wix-Request-Id"); len(id) != 1 {
			t.Errorf("request ids: %v", id)
		}
		body := got.Body.Bytes()
		answers = append(answers, &body)
	}
	if !bytes.Contains(*answers[1], []byte("Lantern Bakery")) {
		t.Errorf("the app instance: %s", *answers[1])
	}

	all, text := recorded(t, dir)
	if len(all) != 5 {
		t.Fatalf("%d recordings", len(all))
	}
	for _, secret := range []string{testSecret, "the real secret", token, token[20:60], "antern.example", "OauthNG"} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
			t.Errorf("%q is in a recording: %s", secret, text)
		}
	}
	for _, id := range []string{testAppID, site.InstanceID, site.SiteID, site.AccountID, site.OwnerID} {
		if strings.Contains(text, id) {
			t.Errorf("the id %s is in a recording", id)
		}
	}
	// The same value is the same wherever it is.
	issued := all[0]["response"]["body"].(map[string]any)["access_token"]
	if sent := all[1]["request"]["body"].(map[string]any)["token"]; issued != sent || !strings.HasPrefix(fmt.Sprint(issued), "secret-") {
		t.Errorf("the token is %v and %v", issued, sent)
	}
	if sent := all[2]["request"]["headers"].(map[string]any)["Authorization"]; sent != "Bearer "+fmt.Sprint(issued) {
		t.Errorf("the header is %v, the token %v", sent, issued)
	}
	asked := all[0]["request"]["body"].(map[string]any)["instance_id"]
	if got := all[2]["response"]["body"].(map[string]any)["instance"].(map[string]any)["instanceId"]; got != asked || !isGUID(fmt.Sprint(got)) {
		t.Errorf("the instance is %v and %v", asked, got)
	}
	last := all[4]
	email := last["request"]["body"].(map[string]any)["loginEmail"]
	want := map[string]any{"email": []any{email}, "siteId": []any{s.relay.scrub.id(site.SiteID)}}
	if diff := cmp.Diff(want, last["request"]["query"]); diff != "" || last["request"]["path"] != "/members/v1/members" || last["request"]["method"] != "POST" || last["response"]["status"] != 404.0 {
		t.Error(diff, last)
	}
	if !regexp.MustCompile(`^person-[0-9a-f]{12}@example\.com$`).MatchString(fmt.Sprint(email)) {
		t.Errorf("the address is %v", email)
	}
	for i, call := range s.Calls() {
		if call.NotSimulated != (i == 4) {
			t.Errorf("%+v", call)
		}
	}
}

func TestRecording_ofWhatIsNotSimulated(t *testing.T) {
	asked := 0
	s, dir := recording(t, Recording{Upstream: "https://wix.example/base/", Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked++
		if r.URL.String() != "https://wix.example/base/stores/v3/a%2Fb?x=1" || r.Host != "wix.example" {
			t.Errorf("asked %s at %s", r.URL, r.Host)
		}
		return reply(200, `{"ok":true}`), nil
	})})
	if w := ask(s.REST(), "GET", "/stores/v3/a%2Fb?x=1", ""); w.Code != 200 || w.Body.String() != `{"ok":true}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, path := range []string{pathTokenInfo, pathToken, pathInstance, "/favicon.ico", "/"} {
		ask(s.REST(), "POST", path, "{}")
	}
	if err := s.SetFault(Fault{Status: 503}); err != nil {
		t.Fatal(err)
	}
	if w := ask(s.REST(), "GET", "/stores/v3/a%2Fb?x=1", ""); w.Code != 503 {
		t.Errorf("a fault: %d", w.Code)
	}
	if all, _ := recorded(t, dir); asked != 1 || len(all) != 1 {
		t.Errorf("asked %d times, recorded %d", asked, len(all))
	}
}

// A browser that has the password of the control API sends it with each call.
func TestRecording_leavesThePasswordHere(t *testing.T) {
	const password = "twelve letters"
	for authorization, want := range map[string]string{
		"Basic " + base64.StdEncoding.EncodeToString([]byte("sim:"+password)): "",
		"Bearer " + password: "",
		"Bearer a token":     "Bearer a token",
		"Basic " + base64.StdEncoding.EncodeToString([]byte("sim:another password")): "Basic c2ltOmFub3RoZXIgcGFzc3dvcmQ=",
	} {
		got := "none"
		s, dir := recording(t, Recording{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			got = r.Header.Get("Authorization")
			return reply(200, "{}"), nil
		})}, func(c *Config) { c.Password = password })
		ask(s.REST(), "GET", "/stores/v1?x="+url.QueryEscape(password), "", "Authorization", authorization)
		if got != want {
			t.Errorf("%s: the upstream got %q", authorization, got)
		}
		if _, text := recorded(t, dir); want == "" && (strings.Contains(text, password) || strings.Contains(text, authorization)) {
			t.Errorf("%s: recorded %s", authorization, text)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func reply(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

func TestRecording_headersAndBodies(t *testing.T) {
	var got *http.Request
	var body []byte
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		h := w.Header()
		switch r.URL.Path {
		case "/moved":
			h.Set("Location", "/elsewhere?token=abcdefghij")
			h.Set("Retry-After", "5")
			h.Set("Set-Cookie", "session=abc")
			w.WriteHeader(302)
		case "/empty":
			w.WriteHeader(204)
		case "/gzip":
			h.Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, `{"zipped":true}`)
			z.Close()
		case "/text":
			h.Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(w, "<a href='?token=abcdefghij'>jo@example.org</a>")
		case "/image":
			h.Set("Content-Type", "image/png")
			w.Write([]byte("\x89PNG\xff"))
		}
	}))
	defer upstream.Close()
	s, dir := recording(t, Recording{Upstream: upstream.URL})
	for _, tt := range []struct {
		path, body string
		header     []string
		status     int
		answer     string
		request    map[string]any // as recorded
		response   map[string]any
	}{
		{"/moved", `{"a":1}`, []string{"Content-Type", "application/json", "X-Own", "1", "Connection", "X-Hop", "X-Hop", "1", "Accept-Encoding", "br"}, 302, "",
			map[string]any{"headers": map[string]any{"Content-Type": "application/json"}, "body": map[string]any{"a": 1.0}},
			map[string]any{"headers": map[string]any{"Location": "/elsewhere?token=" + s.relay.scrub.secret("abcdefghij"), "Retry-After": "5"}}},
		{"/empty", ``, nil, 204, "", map[string]any{}, map[string]any{}},
		{"/gzip", `a=b&password=abcdefghij`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 200, `{"zipped":true}`,
			map[string]any{"headers": map[string]any{"Content-Type": "application/x-www-form-urlencoded"},
				"form": map[string]any{"a": []any{"b"}, "password": []any{s.relay.scrub.secret("abcdefghij")}}},
			map[string]any{"body": map[string]any{"zipped": true}}},
		{"/text", `password=abcdefghij`, []string{"Content-Type", "text/plain"}, 200, "<a href='?token=abcdefghij'>jo@example.org</a>",
			map[string]any{"headers": map[string]any{"Content-Type": "text/plain"}, "text": "password=" + s.relay.scrub.secret("abcdefghij")},
			map[string]any{"headers": map[string]any{"Content-Type": "text/html; charset=utf-8"},
				"text": "<a href='?token=" + s.relay.scrub.secret("abcdefghij") + "'>" + s.relay.scrub.person("jo@example.org") + "</a>"}},
		{"/image", "\xff", []string{"Content-Type", "text/plain"}, 200, "\x89PNG\xff",
			map[string]any{"headers": map[string]any{"Content-Type": "text/plain"}, "bytes": 1.0},
			map[string]any{"headers": map[string]any{"Content-Type": "image/png"}, "bytes": 5.0}},
	} {
		t.Run(tt.path, func(t *testing.T) {
			w := ask(s.REST(), "POST", tt.path, tt.body, tt.header...)
			if w.Code != tt.status || w.Body.String() != tt.answer || string(body) != tt.body || got.Method != "POST" {
				t.Errorf("%d %q, and the upstream got %s %q", w.Code, w.Body, got.Method, body)
			}
			if tt.path == "/moved" {
				if w.Header().Get("Set-Cookie") != "session=abc" || w.Header().Get("Location") != "/elsewhere?token=abcdefghij" {
					t.Errorf("the answer's header: %v", w.Header())
				}
				if h := got.Header; h.Get("X-Own") != "1" || h.Get("X-Hop") != "" || strings.Contains(h.Get("Accept-Encoding"), "br") || h.Get("User-Agent") != "" {
					t.Errorf("the call's header: %v", h)
				}
			}
			all, _ := recorded(t, dir)
			last := all[len(all)-1]
			tt.request["method"], tt.request["path"], tt.response["status"] = "POST", tt.path, float64(tt.status)
			want := map[string]map[string]any{"request": tt.request, "response": tt.response}
			if diff := cmp.Diff(want, last); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRecording_failures(t *testing.T) {
	away := httptest.NewServer(nil)
	away.Close()
	var itself *Sim
	for _, tt := range []struct {
		name string
		r    Recording
		want string
	}{
		{"away", Recording{Upstream: away.URL}, "refused"},
		{"an error", Recording{Transport: roundTrip(func(r *http.Request) (*http.Response, error) { return nil, errors.New("no route") })}, "no route"},
		{"it waits no longer than half a minute", Recording{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if _, ok := r.Context().Deadline(); !ok {
				return reply(200, ""), nil
			}
			return nil, errors.New("deadline exceeded")
		})}, "deadline exceeded"},
		{"cut within the answer", Recording{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			answer := reply(200, "")
			answer.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), cutReader{}))
			return answer, nil
		})}, "unexpected EOF"},
		{"too large", Recording{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			return reply(200, strings.Repeat("x", maxPassedOn+1)), nil
		})}, "larger than"},
		{"another protocol", Recording{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			return reply(101, ""), nil
		})}, "status is 101"},
		{"the offline Wix itself", Recording{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			return Transport{Handler: itself.REST()}.RoundTrip(r)
		})}, "this offline Wix itself"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, dir := recording(t, tt.r)
			itself = s
			w := ask(s.REST(), "GET", "/stores/v3/products?token=abcdefghij", "")
			message, _ := object(t, w)["message"].(string)
			if w.Code != 502 || !strings.Contains(message, tt.want) || strings.Contains(message, "abcdefghij") {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			want := 0
			if tt.name == "the offline Wix itself" {
				want = 1 // the outer call has an answer: that of the inner one
			}
			if all, _ := recorded(t, dir); len(all) != want {
				t.Errorf("%d recordings", len(all))
			}
		})
	}
}

func TestRecording_filesAreNumberedAndBounded(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("09997.json")
	write("notes.txt")
	var log bytes.Buffer
	s := newSim(t, func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		c.Recording = &Recording{Dir: dir, Transport: roundTrip(func(*http.Request) (*http.Response, error) { return reply(200, "{}"), nil })}
	})
	call := func() string {
		log.Reset()
		if w := ask(s.REST(), "GET", "/stores/v1", ""); w.Code != 200 || w.Body.String() != "{}" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		return log.String()
	}
	if got := call(); !strings.Contains(got, "09998.json") {
		t.Error(got)
	}
	write("09999.json") // by another process
	if got := call(); !strings.Contains(got, "exchange not recorded") || !strings.Contains(got, "exists") {
		t.Error(got)
	}
	if got := call(); !strings.Contains(got, "10000.json") {
		t.Error(got)
	}
	if got := call(); !strings.Contains(got, "there are 10000 recordings already") {
		t.Error(got)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 5 {
		t.Error(entries)
	}
}

func TestRecording_refusesTheConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]Recording{
		"http to another machine": {Upstream: "http://www.wixapis.com"},
		"a name like this one":    {Upstream: "http://localhost.example.com"},
		"another scheme":          {Upstream: "ftp://127.0.0.1"},
		"no scheme":               {Upstream: "www.wixapis.com"},
		"no host":                 {Upstream: "https:///x"},
		"credentials":             {Upstream: "https://a:b@www.wixapis.com"},
		"a query":                 {Upstream: "https://www.wixapis.com/?a=b"},
		"no URL":                  {Upstream: "https://%zz"},
		"no folder":               {Dir: "none"},
		"a file for a folder":     {Dir: file},
		"a folder below a file":   {Dir: filepath.Join(file, "x")},
	} {
		t.Run(name, func(t *testing.T) {
			if r.Dir == "" {
				r.Dir = filepath.Join(t.TempDir(), "x")
			} else if r.Dir == "none" {
				r.Dir = ""
			}
			if _, err := New(Config{AppID: "a", AppSecret: "s", Recording: &r}); err == nil {
				t.Error("it is taken")
			}
			if _, err := os.Stat(r.Dir); r.Upstream != "" && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the folder is made: %v", err)
			}
		})
	}
	for _, upstream := range []string{"", "http://localhost:8082", "http://[::1]", "https://example.com/wix/"} {
		if _, err := New(Config{AppID: "a", AppSecret: "s", Recording: &Recording{Dir: t.TempDir(), Upstream: upstream}}); err != nil {
			t.Errorf("%q: %v", upstream, err)
		}
	}
}

func TestScrub(t *testing.T) {
	c := scrubber{[]byte(testSecret)}
	const guid, hex32 = "cccccccc-0000-4000-8000-00000000000A", "0123456789abcdef0123456789ABCDEF"
	hidden := c.secret
	signed := strings.Repeat("s", 43) + ".eyJpbnN0YW5jZUlkIjoiYSJ9"
	jwt := "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln"
	for _, tt := range []struct{ name, body, want string }{
		{"what is no secret stays", `{"a":[1,2.50,true,null,"x"],"token_type":"Bearer","code":"NOT_FOUND"}`, `{"a":[1,2.50,true,null,"x"],"token_type":"Bearer","code":"NOT_FOUND"}`},
		{"by the name of the field", `{"accessToken":"abc","client_secret":"d","Password":"e","apiKey":7,"x-api-key":"f"}`,
			`{"accessToken":"` + hidden("abc") + `","client_secret":"` + hidden("d") + `","Password":"` + hidden("e") + `","apiKey":0,"x-api-key":"` + hidden("f") + `"}`},
		{"all below the name of the field", `{"credentials":{"user":"u","list":["v",""]}}`, `{"credentials":{"user":"` + hidden("u") + `","list":["` + hidden("v") + `",""]}}`},
		{"where else the secret is", `{"token":"abcdefghij","log":"got abcdefghij","abcdefghij":1}`,
			`{"token":"` + hidden("abcdefghij") + `","log":"got ` + hidden("abcdefghij") + `","` + hidden("abcdefghij") + `":1}`},
		{"the app's secret", `{"x":"a ` + testSecret + ` b"}`, `{"x":"a ` + hidden(testSecret) + ` b"}`},
		{"tokens by their form", `{"x":"OauthNG.JWS.a.b.c and ` + signed + ` and ` + jwt + `"}`, `{"x":"` + hidden("OauthNG.JWS.a.b.c") + ` and ` + hidden(signed) + ` and ` + hidden(jwt) + `"}`},
		{"a scheme", `{"x":"Bearer abcdefghij"}`, `{"x":"` + hidden("Bearer abcdefghij") + `"}`},
		{"a private key", `{"x":"-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----"}`, `{"x":"` + hidden("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----") + `"}`},
		{"an address in each spelling", `{"x":"Jo@Example.org, jo%40example.org","é.ü@exämple.org":1}`,
			`{"x":"` + c.person("jo@example.org") + `, ` + c.person("jo@example.org") + `","` + c.person("é.ü@exämple.org") + `":1}`},
		{"an id in each spelling", `{"id":"` + guid + `","media":"11062b_` + hex32 + `~mv2.jpg","` + strings.ToLower(guid) + `":"/x/` + guid + `/y"}`,
			`{"id":"` + c.id(guid) + `","media":"11062b_` + c.id(hex32) + `~mv2.jpg","` + c.id(guid) + `":"/x/` + c.id(guid) + `/y"}`},
		{"a number that looks like an id", `{"x":12345678901234567890123456789012}`, `{"x":"` + c.id("12345678901234567890123456789012") + `"}`},
		{"JSON within text", `{"data":"{\"token\":\"abc\",\"n\":1}","list":" [\"a@b.example\"]"}`,
			`{"data":"{\"n\":1,\"token\":\"` + hidden("abc") + `\"}","list":"[\"` + c.person("a@b.example") + `\"]"}`},
		{"a URL", `{"url":"https://x.example/?a=b&access_token=abcdef&c=d"}`, `{"url":"https://x.example/?a=b&access_token=` + hidden("abcdef") + `&c=d"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/x", nil)
			text, err := c.exchange(r, []byte(tt.body), reply(200, ""), nil)
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ Request struct{ Body any } }
			var want any
			if err := errors.Join(json.Unmarshal(text, &got), json.Unmarshal([]byte(tt.want), &want)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.Request.Body); diff != "" {
				t.Error(diff)
			}
		})
	}

	r := httptest.NewRequest("POST", "/oauth/access", nil)
	r.SetBasicAuth("someone", "basic password")
	text, err := c.exchange(r, []byte(`{"code":"abc"}`), reply(200, ""), []byte(`{"x":"basic password, `+r.Header.Get("Authorization")+`"}`))
	if err != nil || strings.Contains(string(text), "basic password") || strings.Contains(string(text), `"abc"`) || strings.Contains(string(text), r.Header.Get("Authorization")[6:]) {
		t.Errorf("%s, %v", text, err)
	}
	other := scrubber{[]byte("another secret")}
	if c.secret("a") == other.secret("a") || c.person("a@b.c") == other.person("a@b.c") || c.id(guid) == other.id(guid) {
		t.Error("what replaces a value can be guessed without the app's secret")
	}
	if !isGUID(c.id(guid)) || len(c.id(hex32)) != 32 {
		t.Errorf("ids are %s and %s", c.id(guid), c.id(hex32))
	}
}
