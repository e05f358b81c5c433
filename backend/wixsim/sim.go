// Package wixsim is the offline Wix: a stand-in for the parts of Wix that an app's server
// talks to. It answers Wix's REST API (token-info, access tokens, Get App Instance), makes
// access tokens, and sends signed webhooks with Wix's retries. Wix's official npm packages
// accept it as the real Wix.
//
//	sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: secret})
//	server := httptest.NewServer(sim.Handler())
//
// Config.State and Sim.State let a Sim go on where another one ended.
//
// Sim.REST is Wix's REST API. Sim.Handler adds the control API below /_sim/, with which
// tests in any language make tokens, install the app, inject faults and send webhooks. Go
// tests call the methods of Sim instead, or use package wixtest, which needs one line.
//
// The package shares no code with the packages that call Wix, so that the two cannot have
// the same error; the official packages are the reference for both. Where Wix documents
// nothing, the comment at the code says what was chosen and why.
//
// Ids (of apps, instances and sites) are compared without case, and answered in the
// spelling in which they were given.
package wixsim

import (
	"cmp"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Config configures a Sim. Only AppID and AppSecret are required.
type Config struct {
	// AppID and AppSecret are the credentials of the app under test.
	AppID, AppSecret string

	// NoSites starts without a site. By default, one site has the app from the start.
	NoSites bool

	// Seed describes the first sites. They take the place of the one site, and State's when it
	// has or had any take theirs.
	Seed *Seed
	// IDSeed is a text from which the ids of new instances follow, so that they are the same at
	// each start; "" is that of Seed, and if that has none, ids are made by chance.
	IDSeed string

	// Password is what the control API and the pages require: as the password of the user sim
	// (HTTP Basic), or as a Bearer token. Then they answer under addresses and local names, and
	// those of Hosts. "" requires none, and the control API answers under loopback addresses.
	Password string
	// Hosts are further names under which the control API and the pages answer with a Password.
	Hosts []string

	// Behavior is the behavior from the start; nil means that of State, or the defaults.
	Behavior *Behavior

	// TokenTTL is the lifetime of a token; 0 means 4 hours, as with Wix.
	TokenTTL time.Duration

	// WebhookURL is the absolute http or https URL that webhooks are sent to; "" sends none.
	WebhookURL string
	// PrivateKey is the RSA key that signs webhooks, in PEM, at least 2048 bits. It is never
	// logged.
	PrivateKey string
	// Key returns the RSA key that signs webhooks, where PrivateKey is "". It is called at
	// most once, when the key is first needed. Nil means a new key.
	Key func() *rsa.PrivateKey
	// RetryFactor divides the delays of Wix's retry schedule, which takes two days. It is
	// at least 1; 0 means 1.
	RetryFactor float64
	// Transport carries the webhooks; nil means a new http.Transport without a proxy.
	Transport http.RoundTripper

	// Recording passes calls on to the real Wix; nil passes none on.
	Recording *Recording

	// State continues a former Sim: its sites, tokens and pending webhooks, and whatever
	// AppID, AppSecret and PrivateKey leave out. It takes the place of the first site.
	State *State
	// Changed is called after each change of what State returns. It must return at once and
	// must not call the Sim.
	Changed func()

	// Now is the clock, to which Advance adds; nil means time.Now.
	Now func() time.Time
	// Logger receives one line per call and delivery; nil means no log.
	Logger *slog.Logger
}

// Sim is one offline Wix. It is safe for concurrent use, and its memory is bounded.
type Sim struct {
	cfg              Config
	clock            *clock
	calls            callLog
	faults           faultTable
	events           hub
	notices          notices
	relay            *relay            // nil for none
	appKey, otherKey func() webhookKey // otherKey is for webhooks with the wrong signature
	outbox           *outbox

	mu        sync.RWMutex
	behavior  Behavior
	keys      TokenKeys
	installs  map[string]Installation // by idKey
	order     []string                // the keys of installs, in the order of installation
	removed   []Installation
	seeded    int    // the number of the latest id that follows from Config.IDSeed
	published []Page // the site published longest ago first; its ids are idKeys
}

// New returns an offline Wix. Close it if it sends webhooks or has a Recording. It starts no
// goroutine, opens no socket and makes no RSA key until one is needed, unless Config.State has
// webhooks. An error says what is wrong with the configuration.
func New(cfg Config) (*Sim, error) {
	appKey, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	relay, err := newRelay(cfg)
	if err != nil {
		return nil, err
	}
	clock := &clock{base: cfg.Now}
	s := &Sim{cfg: cfg, clock: clock, relay: relay, behavior: or(cfg.Behavior, DefaultBehavior()), keys: newTokenKeys(),
		installs: map[string]Installation{}, appKey: appKey, otherKey: sync.OnceValue(newWebhookKey)}
	s.outbox = newOutbox(cfg, clock, &s.events)
	s.outbox.sign = s.signAgain
	switch {
	case cfg.State != nil:
		state := *cfg.State
		if cfg.Behavior != nil {
			state.Behavior = cfg.Behavior
		}
		if err := s.Restore(state); err != nil {
			return nil, err
		}
		if cfg.Seed == nil || len(cfg.State.Installations)+len(cfg.State.Removed) > 0 {
			return s, nil
		}
	case cfg.Seed == nil && cfg.NoSites:
		return s, nil
	}
	if cfg.Seed != nil {
		if err := s.plant(*cfg.Seed); err != nil {
			return nil, err
		}
		return s, nil
	}
	// No webhook is sent for the first site: the app was installed before its server ran.
	if _, err := s.install(InstallRequest{}); err != nil {
		return nil, err
	}
	return s, nil
}

// complete checks the configuration, fills in the defaults and returns the key that signs
// webhooks. The PEM text is dropped, so that the configuration can be printed.
func (c *Config) complete() (func() webhookKey, error) {
	if c.State != nil {
		c.AppID = cmp.Or(c.AppID, c.State.AppID)
		c.AppSecret = cmp.Or(c.AppSecret, c.State.AppSecret)
		if c.PrivateKey == "" && c.Key == nil {
			c.PrivateKey = c.State.PrivateKey
		}
	}
	if c.Seed != nil {
		c.IDSeed = cmp.Or(c.IDSeed, c.Seed.IDSeed)
	}
	err := check(
		rule{c.AppID != "" && c.AppSecret != "", "the offline Wix needs an app id and an app secret"},
		rule{c.TokenTTL >= 0, "the offline Wix needs a token lifetime that is not negative"},
		rule{c.TokenTTL <= maxTTL, "the offline Wix needs a token lifetime of at most ten years"},
		rule{c.WebhookURL == "" || isHTTP(c.WebhookURL), "the offline Wix needs a webhook URL that is absolute, http or https"},
		rule{c.RetryFactor == 0 || c.RetryFactor >= 1, "the offline Wix needs a retry factor of at least 1"}, // NaN fails too
		rule{c.Password == "" || len(c.Password) >= minPassword, fmt.Sprintf("the offline Wix needs a password of at least %d characters", minPassword)},
		rule{c.PrivateKey == "" || c.Key == nil, "the offline Wix needs one private key, not both PrivateKey and Key"},
	)
	if err != nil {
		return nil, err
	}
	if c.Behavior != nil {
		if err := c.Behavior.check(); err != nil {
			return nil, err
		}
	}
	key, err := c.webhookKey()
	if err != nil {
		return nil, err
	}
	c.PrivateKey, c.Key = "", nil
	if c.RetryFactor == 0 {
		c.RetryFactor = 1
	}
	if c.TokenTTL == 0 {
		c.TokenTTL = 4 * time.Hour
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Changed == nil {
		c.Changed = func() {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return key, nil
}

// NewCredentials returns a random app id and app secret, GUIDs like Wix's.
func NewCredentials() (appID, appSecret string) {
	return uuid.NewString(), uuid.NewString()
}

// SeededCredentials returns the app id and app secret that follow from a text.
func SeededCredentials(seed string) (appID, appSecret string) {
	return seededID(seed, "app"), seededID(seed, "secret")
}

// AppID returns the id of the app under test.
func (s *Sim) AppID() string { return s.cfg.AppID }

// changed reports a change of the state. It may be called with locks held.
func (s *Sim) changed() { s.cfg.Changed() }

// Handler returns the REST API and the control API. GET / describes both.
func (s *Sim) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.REST())
	mux.Handle("/_sim/", s.Guard(s.sameOrigin(s.control())))
	mux.HandleFunc("GET /{$}", describe)
	return mux
}

func describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, `The offline Wix.

Wix's REST API:
  POST /oauth2/token-info
  POST /oauth2/token
  GET  /apps/v1/instance

Control, from this machine only:
  GET /_sim/health
  POST /_sim/tokens
  POST /_sim/tokens/decode
  GET, POST /_sim/installs
  DELETE /_sim/installs/{instanceId}
  PUT /_sim/installs/{instanceId}/plan
  GET, POST, DELETE /_sim/webhooks
  GET /_sim/webhooks/{id}
  POST /_sim/webhooks/{id}/replay
  GET, PUT /_sim/webhook-url
  GET /_sim/public-key
  GET, PUT /_sim/clock
  GET, PUT, DELETE /_sim/faults
  GET, DELETE /_sim/calls
  GET /_sim/calls/{id}
  GET /_sim/events
  GET, PUT /_sim/behavior
  PUT /_sim/published/{instanceId}
  GET, PUT /_sim/state
`) // an error means that the client has gone
}

// rule is a condition on a request or a configuration, and the sentence for a request that
// does not meet it. One about a request begins with the name of the field.
type rule struct {
	ok       bool
	sentence string
}

// check returns the sentence of the first rule that is not met, as an error.
func check(rules ...rule) error {
	for _, r := range rules {
		if !r.ok {
			return errors.New(r.sentence)
		}
	}
	return nil
}

// sameID compares two ids, which Wix spells in lower case and others do not always.
func sameID(a, b string) bool { return strings.EqualFold(a, b) }

// idKey is the spelling of an id under which it is looked up.
func idKey(id string) string { return strings.ToLower(id) }

// isGUID accepts 36 characters, the one form that Wix uses; uuid.Validate accepts others too.
func isGUID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }

// seededID returns an id that follows from a text.
func seededID(seed, kind string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("seed:"+seed+":"+kind)).String()
}

// derivedID returns an id that follows from the id of an instance, so that a
// reinstallation finds the same site and owner.
func derivedID(kind, instanceID string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(kind+":"+idKey(instanceID))).String()
}
