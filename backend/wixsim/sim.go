// Package wixsim is the offline Wix: a stand-in that the official npm packages
// cannot tell from the real one, as far as they reach. It shares no code with
// the packages that speak to Wix, so that the two cannot agree on one mistake;
// the official packages are the judges between them.
//
// Where Wix documents nothing, the comment at the spot says what was chosen and why.
package wixsim

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Config says what a Sim is the Wix of.
type Config struct {
	// AppID and AppSecret are the credentials of the app under test. Both are required.
	AppID, AppSecret string

	// AppURL is the app's server, Tag its custom element, WidgetURL the element's
	// script and PanelURL the settings panel's page. Only the simulated pages use them.
	AppURL, Tag, WidgetURL, PanelURL string

	// StringFields makes token-info send active, exp and iat as JSON strings, as
	// Wix's REST page shows them; otherwise they are a bool and numbers, as the
	// types of @wix/sdk 1.21.16 say.
	StringFields bool
	// LenientInstanceID lets the token endpoint take instanceId, which one of Wix's
	// samples writes, as well as instance_id, which its reference and its SDK write.
	LenientInstanceID bool

	// TokenTTL is how long a token lives; 0 means 4 hours, as with Wix.
	TokenTTL time.Duration

	// WebhookURL is where webhooks are sent. The default is AppURL + "/webhooks/wix"
	// if AppURL is of this machine, and otherwise nowhere: who wants them to leave the
	// machine says so.
	WebhookURL string
	// PrivateKey is the RSA key in PEM, at least 2048 bits, that signs webhooks. For ""
	// one is made when it is first needed. It reaches no log.
	PrivateKey string
	// RetryFactor divides the times of Wix's retry schedule, which takes two days. It is
	// at least 1; 0 means 1.
	RetryFactor float64
	// Transport carries the webhooks; nil means a transport of its own, without a proxy.
	Transport http.RoundTripper

	// Assets serves the browser bundle of the simulated pages under /_sim/assets/,
	// or is nil.
	Assets http.Handler

	Now    func() time.Time // nil means time.Now
	Logger *slog.Logger     // nil means no log
}

// Sim is one offline Wix. It is safe for concurrent use, and its memory is bounded.
type Sim struct {
	cfg           Config
	keys          keyring
	calls         callLog
	faults        faultTable
	key, stranger func() webhookKey // the app's, and one that is not
	outbox        *outbox

	mu       sync.RWMutex
	installs map[string]Installation
	order    []string // instance ids, in the order of installation
	removed  []Installation
}

// New returns an offline Wix in which one site has the app installed already.
func New(cfg Config) (*Sim, error) {
	switch {
	case cfg.AppID == "" || cfg.AppSecret == "":
		return nil, errors.New("the offline Wix needs an app id and an app secret")
	case cfg.TokenTTL < 0:
		return nil, errors.New("the offline Wix needs a token lifetime that is not negative")
	case cfg.TokenTTL > maxTTL:
		return nil, errors.New("the offline Wix needs a token lifetime of at most ten years")
	case cfg.WebhookURL != "" && !isHTTP(cfg.WebhookURL):
		return nil, errors.New("the offline Wix needs a webhook URL that is absolute, http or https")
	case cfg.RetryFactor != 0 && !(cfg.RetryFactor >= 1): // also what is not a number
		return nil, errors.New("the offline Wix needs a retry factor of at least 1")
	}
	key, err := webhookKeyOf(cfg.PrivateKey)
	if err != nil {
		return nil, err
	}
	cfg.PrivateKey = "" // what is kept of the configuration can be shown
	if cfg.WebhookURL == "" && isLocalURL(cfg.AppURL) {
		cfg.WebhookURL = strings.TrimRight(cfg.AppURL, "/") + "/webhooks/wix"
	}
	if cfg.RetryFactor == 0 {
		cfg.RetryFactor = 1
	}
	if cfg.TokenTTL == 0 {
		cfg.TokenTTL = 4 * time.Hour
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Sim{cfg: cfg, keys: newKeyring(), installs: map[string]Installation{},
		key: key, stranger: sync.OnceValue(newWebhookKey), outbox: newOutbox(cfg)}
	// Of this one no webhook tells: it was there before the app's server was.
	if _, err := s.install(InstallRequest{}); err != nil {
		return nil, err
	}
	return s, nil
}

// NewCredentials makes up an app id and an app secret, GUIDs like Wix's.
func NewCredentials() (appID, appSecret string) {
	return uuid.NewString(), uuid.NewString()
}

// Handler returns everything: the REST API, the control API and the simulated pages.
func (s *Sim) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.REST())
	mux.Handle("/_sim/", localOnly(s.control()))
	s.registerPages(mux)
	return mux
}
