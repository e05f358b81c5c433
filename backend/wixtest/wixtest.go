// Package wixtest runs the offline Wix in Go tests. One line starts it, and it ends with
// the test:
//
//	func TestOrders(t *testing.T) {
//		w := wixtest.Run(t)
//		verifier, err := identity.New(w.Options())
//		if err != nil {
//			t.Fatal(err)
//		}
//		h := verifier.Require(identity.Owner)(http.HandlerFunc(orders)) // the code under test
//		get := func(token string) int {
//			r := httptest.NewRequest("GET", "/orders", nil)
//			r.Header.Set("Authorization", token)
//			answer := httptest.NewRecorder()
//			h.ServeHTTP(answer, r)
//			return answer.Code
//		}
//
//		site := w.Install(wixtest.Plan("premium"))
//		if code := get(site.Owner()); code != 200 {
//			t.Errorf("the owner gets %d", code)
//		}
//		if code := get(site.App()); code != 200 {
//			t.Errorf("the app gets %d", code)
//		}
//		if code := get(site.Visitor()); code != 403 {
//			t.Errorf("a visitor gets %d", code)
//		}
//
//		w.Fail(wixsim.Fault{Outage: true})
//		if code := get(site.Owner()); code != 503 {
//			t.Errorf("without Wix the owner gets %d", code)
//		}
//		w.Heal()
//
//		w.Advance(5 * time.Hour) // tokens live for four
//		site.Remove()            // sends AppRemoved to the app
//		w.Settled()
//	}
//
// Nothing is real about this Wix: it is package wixsim, in the test's process and without a
// socket, so that it works inside testing/synctest and starts in much less than a
// millisecond. URL gives it a socket for code that needs one. Ids follow from the test's
// name, so that they are the same at each run.
//
// Every method that cannot do what it was asked ends the test by t.Fatal, with the reason.
// As with t.Fatal, call them from the goroutine of the test.
package wixtest

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/nametag-dev/nametag/backend/wixsim"
)

// BaseURL is the base URL for a client that uses Wix.Transport: a host that no network has.
const BaseURL = "http://wix.invalid"

// Wix is a running offline Wix.
type Wix struct {
	// AppID and AppSecret are the credentials of the app under test.
	AppID, AppSecret string

	t        testing.TB
	seed     string
	sim      *wixsim.Sim
	receiver *receiver
	server   func() *httptest.Server

	mu    sync.Mutex
	sites int // installed so far, for their ids
}

// Option changes how Run starts the offline Wix.
type Option func(*options)

type options struct {
	seed    string
	handler http.Handler
	config  wixsim.Config
	change  []func(*wixsim.Config)
}

// Webhooks sends webhooks to a handler, without a network. Where the app needs the Wix
// before it has a handler, call Wix.SetWebhooks later.
func Webhooks(receiver http.Handler) Option { return func(o *options) { o.handler = receiver } }

// WebhookURL sends webhooks to a URL. Together with Webhooks it is the URL that the handler
// sees; the default is http://app.invalid/webhooks/wix.
func WebhookURL(url string) Option { return func(o *options) { o.config.WebhookURL = url } }

// Seed replaces the test's name as the source of ids: for a second Wix in one test.
func Seed(seed string) Option { return func(o *options) { o.seed = seed } }

// Behaving changes how this Wix does what is not known of the real one for sure.
func Behaving(change func(*wixsim.Behavior)) Option {
	return Configure(func(c *wixsim.Config) {
		behavior := wixsim.DefaultBehavior()
		if c.Behavior != nil {
			behavior = *c.Behavior
		}
		change(&behavior)
		c.Behavior = &behavior
	})
}

// Configure changes the configuration of the offline Wix, such as its clock or the lifetime
// of tokens.
func Configure(change func(*wixsim.Config)) Option {
	return func(o *options) { o.change = append(o.change, change) }
}

// Run starts an offline Wix without a site, and ends it with the test.
func Run(t testing.TB, opts ...Option) *Wix {
	t.Helper()
	o := options{seed: t.Name()}
	for _, option := range opts {
		option(&o)
	}
	w := &Wix{t: t, seed: o.seed, receiver: newReceiver(o.handler)}
	c := o.config
	c.AppID, c.AppSecret, c.NoSites = w.id("app"), w.id("secret"), true
	c.Transport, c.Key = w.receiver, testKey
	if o.handler != nil && c.WebhookURL == "" {
		c.WebhookURL = defaultWebhookURL
	}
	for _, change := range o.change {
		change(&c)
	}
	sim, err := wixsim.New(c)
	if err != nil {
		t.Fatalf("wixtest: start the offline Wix: %v", err)
	}
	t.Cleanup(sim.Close)
	w.AppID, w.AppSecret, w.sim = c.AppID, c.AppSecret, sim
	w.server = sync.OnceValue(func() *httptest.Server {
		server := httptest.NewServer(sim.Handler())
		t.Cleanup(server.Close)
		return server
	})
	return w
}

// testKey returns the key that signs the webhooks of every Wix of the process: making one
// takes 0.1 s, and no test needs another.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // only a size that is too small fails
	}
	return key
})

// id returns a GUID that follows from the seed.
func (w *Wix) id(kind string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("wixtest/"+w.seed+"/"+kind)).String()
}

// Sim returns the offline Wix itself, for everything that has no method here.
func (w *Wix) Sim() *wixsim.Sim { return w.sim }

// PublicKey returns the key that webhooks verify with, as SPKI PEM: what Wix shows under
// "Get Public Key" in the app's dashboard.
func (w *Wix) PublicKey() string { return w.sim.PublicKey() }

// Transport returns the way to Wix's REST API without a socket, for an http.Client or for
// the Transport of a client's options. The host of the URL does not matter: BaseURL is one.
func (w *Wix) Transport() http.RoundTripper { return wixsim.Transport{Handler: w.sim.REST()} }

// URL returns the base URL of Wix on a socket of this machine, which the first call opens.
// Below /_sim/ is the control API. Inside testing/synctest use Transport.
func (w *Wix) URL() string { return w.server().URL }

// Install installs the app on a new site, and sends AppInstalled.
func (w *Wix) Install(opts ...SiteOption) Site {
	w.t.Helper()
	w.mu.Lock()
	w.sites++
	request := wixsim.InstallRequest{InstanceID: w.id(fmt.Sprint("instance ", w.sites))}
	w.mu.Unlock()
	return w.install(request, opts)
}

func (w *Wix) install(request wixsim.InstallRequest, opts []SiteOption) Site {
	w.t.Helper()
	for _, option := range opts {
		option(&request)
	}
	in, err := w.sim.Install(request)
	if err != nil {
		w.t.Fatalf("wixtest: install the app: %v", err)
	}
	return Site{InstanceID: in.InstanceID, SiteID: in.SiteID, w: w}
}

// Token makes any access token, also one of no instance or of another app.
func (w *Wix) Token(request wixsim.TokenRequest) string {
	w.t.Helper()
	token, _, err := w.sim.Mint(request)
	if err != nil {
		w.t.Fatalf("wixtest: make a token: %v", err)
	}
	return token
}

// NoInstance makes a visitor's token that names no instance, as Wix does where a page does
// not belong to an installation of the app.
func (w *Wix) NoInstance() string {
	w.t.Helper()
	return w.Token(wixsim.TokenRequest{Subject: wixsim.Visitor, NoInstance: true})
}

// Fail makes calls of the REST API fail from now on, as the fault says, until Heal.
func (w *Wix) Fail(fault wixsim.Fault) {
	w.t.Helper()
	if err := w.sim.SetFault(fault); err != nil {
		w.t.Fatalf("wixtest: set a fault: %v", err)
	}
}

// Heal ends all faults.
func (w *Wix) Heal() { w.sim.ClearFaults() }

// Now returns the time of this Wix: that of the test, plus what Advance has added. It is
// the clock for the code under test.
func (w *Wix) Now() time.Time { return w.sim.Now() }

// Advance moves the clock forward: tokens expire, and webhooks that fall due within d are
// sent again, each at its time, before Advance returns.
func (w *Wix) Advance(d time.Duration) {
	w.t.Helper()
	if err := w.sim.Advance(d); err != nil {
		w.t.Fatalf("wixtest: advance the clock by %v: %v", d, err)
	}
}

// Calls returns the calls of the REST API, the oldest first. ClearCalls empties the log.
func (w *Wix) Calls() []wixsim.Call { return w.sim.Calls() }

// ClearCalls empties the log of calls.
func (w *Wix) ClearCalls() { w.sim.ClearCalls() }
