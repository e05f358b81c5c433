package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/doctor"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wix"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

// find returns the finding of a check.
func find(t *testing.T, findings []doctor.Finding, check string) doctor.Finding {
	t.Helper()
	i := slices.IndexFunc(findings, func(f doctor.Finding) bool { return f.Check == check })
	if i < 0 {
		t.Fatalf("no finding of %s in %v", check, findings)
	}
	return findings[i]
}

// proxyTo is a proxy before a server. damage changes a request on its way and returns nil,
// or answers it; answered changes an answer.
func proxyTo(t *testing.T, target string, damage func(http.ResponseWriter, *http.Request) bool, answered func(*http.Response)) http.Handler {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(u)
	if answered != nil {
		proxy.ModifyResponse = func(res *http.Response) error { answered(res); return nil }
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if damage == nil || !damage(w, r) {
			proxy.ServeHTTP(w, r)
		}
	})
}

// TestDoctor_public puts a proxy with one fault each before a real server.
func TestDoctor_public(t *testing.T) {
	w := start(t, "WIX_PUBLIC_KEY="+newSigner(t).public)
	type hook = func(http.ResponseWriter, *http.Request) bool
	on := func(path string, answer http.HandlerFunc) hook {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == path {
				answer(w, r)
			}
			return r.URL.Path == path
		}
	}
	header := func(path, name string, values ...string) func(*http.Response) {
		return func(res *http.Response) {
			if res.Request.URL.Path == path {
				res.Header.Del(name)
				for _, v := range values {
					res.Header.Add(name, v)
				}
			}
		}
	}
	status := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	}
	for _, tt := range []struct {
		name     string
		damage   hook
		answered func(*http.Response)
		check    string
		want     doctor.State
		says     string
	}{
		{"a proxy without fault", nil, nil, doctor.PublicAddress, doctor.OK, "leads to this server"},
		{"another page", on("/widget.js", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<h1>Welcome</h1>") }), nil, doctor.PublicAddress, doctor.Fault, "another server answers"},
		{"nothing there", on("/widget.js", status(404)), nil, doctor.PublicAddress, doctor.Fault, "status 404"},
		{"a redirect", on("/widget.js", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://www.example.com/widget.js", http.StatusMovedPermanently)
		}), nil, doctor.PublicAddress, doctor.Fault, `redirects to "https://www.example.com/widget.js"`},
		{"another build of the app", on("/widget.js", func(w http.ResponseWriter, _ *http.Request) {
			for name, value := range map[string]string{"Content-Type": "text/javascript", "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"} {
				w.Header().Set(name, value)
			}
			fmt.Fprint(w, "newer")
		}), nil, doctor.PublicAddress, doctor.Warning, "another build"},
		{"a text type", nil, header("/widget.js", "Content-Type", "text/plain"), doctor.Script, doctor.Fault, `of type "text/plain"`},
		{"no CORS", nil, header("/widget.js", "Access-Control-Allow-Origin"), doctor.Script, doctor.Fault, "Access-Control-Allow-Origin"},
		{"CORS twice", nil, header("/widget.js", "Access-Control-Allow-Origin", "*", "*"), doctor.Script, doctor.Fault, "Access-Control-Allow-Origin"},
		{"a resource policy", nil, header("/widget.js", "Cross-Origin-Resource-Policy", "same-origin"), doctor.Script, doctor.Fault, "Cross-Origin-Resource-Policy"},
		{"no preflight", func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodOptions {
				w.WriteHeader(405)
			}
			return r.Method == http.MethodOptions
		}, nil, doctor.API, doctor.Fault, "status 405"},
		{"a list of headers without Wix's", nil, func(res *http.Response) {
			if res.Request.Method == http.MethodOptions {
				res.Header.Set("Access-Control-Allow-Headers", "authorization")
			}
		}, doctor.API, doctor.Fault, "x-wix-linguist"},
		{"no Authorization", func(_ http.ResponseWriter, r *http.Request) bool { r.Header.Del("Authorization"); return false }, nil, doctor.API, doctor.Fault, "Authorization does not reach"},
		{"errors of the proxy's own", on("/api/get-instance", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set("Access-Control-Allow-Headers", "authorization, x-wix-linguist")
			if r.Method != http.MethodOptions {
				w.WriteHeader(502)
			}
		}), nil, doctor.API, doctor.Fault, "status 502"},
		{"a panel that may not be framed", nil, header("/panel/", "X-Frame-Options", "SAMEORIGIN"), doctor.Panel, doctor.Fault, "X-Frame-Options"},
		{"a policy of the proxy's own", nil, header("/panel/", "Content-Security-Policy", "frame-ancestors 'none'"), doctor.Panel, doctor.Fault, "may be framed by \"'none'\" alone"},
		{"no panel", on("/panel/", status(404)), nil, doctor.Panel, doctor.Fault, "status 404"},
		{"a login before webhooks", on("/webhooks/wix", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/login", http.StatusFound)
		}), nil, doctor.WebhookPath, doctor.Fault, "status 302"},
		{"webhooks that are answered before the server", on("/webhooks/wix", status(200)), nil, doctor.WebhookPath, doctor.Fault, "status 200"},
		{"a redirect that turns the terminal's text around", on("/widget.js", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://\u202egro.live")
			w.WriteHeader(http.StatusFound)
		}), nil, doctor.PublicAddress, doctor.Fault, `"https://\u202egro.live"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(proxyTo(t, w.url, tt.damage, tt.answered))
			defer server.Close()
			findings := doctor.Public(t.Context(), doctor.PublicOptions{
				URL: server.URL, AppID: appID, Widget: []byte("widget.js"), Webhooks: true, Development: true,
			})
			got := find(t, findings, tt.check)
			if got.State != tt.want || !strings.Contains(got.Saw, tt.says) {
				t.Errorf("%s: %+v", tt.check, got)
			}
			if got.State == doctor.Fault && got.Do == "" {
				t.Error("nothing says what to do")
			}
			for _, f := range findings {
				if f.Check != tt.check && f.State == doctor.Fault {
					t.Errorf("%s, too: %+v", f.Check, f)
				}
			}
		})
	}
}

// TestDoctor_address tries addresses that lead nowhere, or only some.
func TestDoctor_address(t *testing.T) {
	w := start(t)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + nobody.Addr().String()
	if err := nobody.Close(); err != nil {
		t.Fatal(err)
	}
	certified := httptest.NewTLSServer(proxyTo(t, w.url, nil, nil))
	defer certified.Close()
	trusting := func(server *httptest.Server) http.RoundTripper { return server.Client().Transport }
	ending := func(names []string, left time.Duration) *httptest.Server {
		server := httptest.NewUnstartedServer(proxyTo(t, w.url, nil, nil))
		server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate(t, names, left)}}
		server.StartTLS()
		t.Cleanup(server.Close)
		return server
	}
	soon, past, elsewhere := ending(nil, 3*24*time.Hour+time.Hour), ending(nil, -time.Hour), ending([]string{"other.example"}, 90*24*time.Hour)
	for _, tt := range []struct {
		name, url string
		transport http.RoundTripper
		live      bool // Wix is the real one
		check     string
		want      doctor.State
		says      string
	}{
		{"nobody listens", closed, nil, false, doctor.PublicAddress, doctor.Fault, "no connection"},
		{"a name that does not exist", "https://nothing.invalid", nil, false, doctor.PublicAddress, doctor.Fault, "host name"},
		{"http in place of https", strings.Replace(certified.URL, "https:", "http:", 1), nil, false, doctor.PublicAddress, doctor.Fault, "status 400"},
		{"https in place of http", strings.Replace(w.url, "http:", "https:", 1), nil, false, doctor.PublicAddress, doctor.Fault, "speaks http"},
		{"a certificate of nobody's", certified.URL, nil, false, doctor.PublicAddress, doctor.Fault, "authority"},
		{"a certificate that has expired", past.URL, trusting(past), false, doctor.PublicAddress, doctor.Fault, "expired"},
		{"a certificate for another name", elsewhere.URL, trusting(elsewhere), false, doctor.PublicAddress, doctor.Fault, "another name"},
		{"a certificate that ends soon", soon.URL, trusting(soon), false, doctor.Certificate, doctor.Warning, "ends in 3 days"},
		{"a good certificate", certified.URL, trusting(certified), false, doctor.Certificate, doctor.OK, "valid"},
		{"http, for the real Wix", w.url, nil, true, doctor.PublicAddress, doctor.Fault, "https only"},
		{"this machine, for the real Wix", certified.URL, trusting(certified), true, doctor.PublicAddress, doctor.Fault, "private network"},
		{"a base path that the proxy drops", w.url + "/app", nil, false, doctor.PublicAddress, doctor.Fault, "status 404"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := publicOptions(&Config{
				OwnVariables: OwnVariables{PublicURL: tt.url},
				WixVariables: WixVariables{AppID: appID, WixURL: map[bool]string{true: wix.DefaultBaseURL, false: "http://127.0.0.1:1"}[tt.live]},
			}, fakeBundles())
			o.Transport = tt.transport
			got := find(t, doctor.Public(t.Context(), o), tt.check)
			if got.State != tt.want || !strings.Contains(got.Saw, tt.says) {
				t.Errorf("%+v", got)
			}
			if got.State == doctor.Fault && !strings.Contains(got.Do, doctor.PublicURL) {
				t.Errorf("it does not name %s: %s", doctor.PublicURL, got.Do)
			}
		})
	}
}

// certificate is one for 127.0.0.1 and some names, which ends after a while.
func certificate(t *testing.T, names []string, left time.Duration) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(left),
		DNSNames: names, IsCA: true, BasicConstraintsValid: true,
	}
	if names == nil {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestDoctor_configuration(t *testing.T) {
	database := product.EnvPrefix + "DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "app.db")
	findings, err := Doctor(t.Context(), []string{database, "WIX_APP_SECRET=" + appSecret, product.EnvPrefix + "ADDR=nowhere"}, fakeBundles(), newGreeter)
	if !errors.Is(err, ErrConfiguration) {
		t.Errorf("the error is %v", err)
	}
	var named []string
	for _, f := range findings {
		if f.Check == doctor.Configuration && f.State == doctor.Fault {
			named = append(named, f.Variables...)
		}
	}
	if slices.Sort(named); !slices.Equal(named, []string{product.EnvPrefix + "ADDR", "WIX_APP_ID"}) {
		t.Errorf("the variables %v are named in %v", named, findings)
	}
	if got := find(t, findings, doctor.Database); got.State != doctor.OK {
		t.Errorf("the database: %+v", got)
	}
	if got := find(t, findings, doctor.Credentials); got.State != doctor.Skipped {
		t.Errorf("the credentials: %+v", got)
	}
}

// served is a server with a set-up of the test's, which asks about itself.
type served struct {
	*world
	basePath string
	environ  []string
}

// serveProbing starts a server that probes, with short pauses, behind a proxy at the public
// URL. The variables may name another.
func serveProbing(t *testing.T, sim *wixsim.Sim, environ ...string) served {
	t.Helper()
	upstream := httptest.NewServer(sim.REST())
	t.Cleanup(upstream.Close)
	var behind http.Handler
	started := make(chan struct{})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-started; behind.ServeHTTP(w, r) }))
	t.Cleanup(front.Close)
	environ = append([]string{
		"WIX_API_URL=" + upstream.URL, "WIX_APP_ID=" + appID, "WIX_APP_SECRET=" + appSecret,
		product.EnvPrefix + "ADDR=127.0.0.1:0", product.EnvPrefix + "ADMIN_ADDR=127.0.0.1:0", product.EnvPrefix + "DEMO=false",
		product.EnvPrefix + "PUBLIC_URL=" + front.URL,
		product.EnvPrefix + "DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "app.db"),
	}, environ...)
	config, err := LoadConfig(environ)
	if err != nil {
		t.Fatal(err)
	}
	w := runApp(t, newGreeter, sim, config, func(a *App) { a.watch.o.retry = 10 * time.Millisecond })
	behind = proxyTo(t, w.url, nil, nil)
	close(started)
	return served{w, config.basePath, environ}
}

// state is what /install shows.
func (s served) state() string {
	s.t.Helper()
	return s.ask("GET", s.basePath+"/install/state", "").text
}

// logged lists the lines about the set-up, each "check: variable".
func (s served) logged() (lines []string) {
	for line := range strings.SplitSeq(s.log.String(), "\n") {
		var l struct{ Msg, Check, Variable string }
		if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "the set-up is wrong" {
			lines = append(lines, l.Check+": "+l.Variable)
		}
	}
	return lines
}

// TestServe_saysWhatIsWrong sets one thing up wrong at a time. The log names the variable, and
// so does the command doctor.
func TestServe_saysWhatIsWrong(t *testing.T) {
	ownUp := func(w served) { // what a person does who tries it out
		token := w.mint(wixsim.TokenRequest{Subject: "USER"})
		for range burst {
			w.as(token, "/api/get-instance")
		}
	}
	sendWebhooks := func(path string, s signer) func(served) {
		return func(w served) {
			for range burst {
				w.ask("POST", path, s.plan(t, guid(), "gold", time.Now()), "Content-Type: text/plain")
			}
		}
	}
	right, wrong := newSigner(t), newSigner(t)
	const mistyped = product.EnvPrefix + "PUBLICURL"
	for _, tt := range []struct {
		name    string
		environ []string
		do      func(served)
		log     []string // in this order
		// doctor finds a fault that names these.
		check     string
		variables []string
	}{
		{"nothing", nil, ownUp, nil, "", nil},
		{"id and secret are swapped", []string{"WIX_APP_ID=" + appSecret, "WIX_APP_SECRET=" + appID}, nil,
			[]string{"credentials: WIX_APP_ID, WIX_APP_SECRET"}, doctor.Credentials, []string{"WIX_APP_ID", "WIX_APP_SECRET"}},
		{"another app's id", []string{"WIX_APP_ID=" + foreignID}, ownUp,
			[]string{"credentials: WIX_APP_ID, WIX_APP_SECRET", "credentials: WIX_APP_ID"}, doctor.Credentials, []string{"WIX_APP_ID"}},
		{"a wrong secret", []string{"WIX_APP_SECRET=" + foreignID}, ownUp,
			[]string{"credentials: WIX_APP_ID, WIX_APP_SECRET", "credentials: WIX_APP_SECRET"}, doctor.Credentials, []string{"WIX_APP_SECRET"}},
		{"another app's public key", []string{"WIX_PUBLIC_KEY=" + wrong.public}, sendWebhooks("/webhooks/wix", right),
			[]string{"webhooks: WIX_PUBLIC_KEY"}, doctor.Webhooks, []string{"WIX_PUBLIC_KEY"}},
		{"no public key, and webhooks come", nil, sendWebhooks("/webhooks/wix", right),
			[]string{"webhooks: WIX_PUBLIC_KEY"}, doctor.Webhooks, []string{"WIX_PUBLIC_KEY"}},
		{"a wrong path of the webhook", []string{"WIX_PUBLIC_KEY=" + right.public}, sendWebhooks("//webhooks/wix", right),
			[]string{"webhooks: none"}, doctor.Webhooks, nil},
		{"a public URL with a wrong host", []string{product.EnvPrefix + "PUBLIC_URL=https://nothing.invalid"}, nil,
			[]string{"public address: " + doctor.PublicURL}, doctor.PublicAddress, []string{doctor.PublicURL}},
		{"a public URL with a base path that the proxy drops", []string{product.EnvPrefix + "PUBLIC_URL=http://127.0.0.1:1/app"}, nil,
			[]string{"public address: " + doctor.PublicURL}, doctor.PublicAddress, []string{doctor.PublicURL}},
		{"a mistyped variable", []string{mistyped + "=https://app.example.com", product.EnvPrefix + "PUBLIC_URL=http://127.0.0.1:1"}, nil,
			[]string{"public address: " + doctor.PublicURL}, doctor.PublicAddress, []string{doctor.PublicURL}},
		{"a Wix that is not there", []string{"WIX_API_URL=http://127.0.0.1:1"}, nil,
			[]string{"wix: WIX_API_URL"}, doctor.WixAPI, []string{"WIX_API_URL"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: appSecret})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(sim.Close)
			w := serveProbing(t, sim, tt.environ...)
			w.until("a probe has ended", func() bool { return !strings.Contains(w.state(), "is being asked") })
			if tt.do != nil {
				tt.do(w)
			}
			w.until("it is said", func() bool { return len(w.logged()) >= len(tt.log) })
			if got := w.logged(); !slices.Equal(got, tt.log) {
				t.Errorf("the log has %q, want %q", got, tt.log)
			}
			findings, err := Doctor(t.Context(), w.environ, fakeBundles(), newGreeter)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range findings {
				if f.State == doctor.Fault && f.Check != tt.check && !slices.Equal(f.Variables, tt.variables) {
					t.Errorf("doctor: %+v", f)
				}
			}
			if tt.check != "" {
				if got := find(t, findings, tt.check); got.State != doctor.Fault || !slices.Equal(got.Variables, tt.variables) || got.Do == "" {
					t.Errorf("doctor: %+v", got)
				}
			}
			if is := strings.Contains(fmt.Sprint(tt.environ), mistyped); is != strings.Contains(w.log.String(), mistyped) || is != strings.Contains(fmt.Sprint(findings), mistyped) {
				t.Errorf("%s is in the log or in the findings: %v", mistyped, findings)
			}
			if all := w.log.String() + fmt.Sprint(findings); strings.Contains(all, appSecret) {
				t.Error("the secret is in the log or in the findings")
			}
		})
	}
}
