package app

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/nametag-dev/nametag/backend/assets"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

// SimConfig is what `nametag sim` is told. Empty credentials are made up.
type SimConfig struct {
	Addr, AppID, AppSecret, AppURL, Tag, WidgetURL, PanelURL, WebhookURL string
	// PrivateKey is the PEM text that webhooks are signed with, or "" for one that is made up.
	PrivateKey string
	// RetryFactor divides the waits of Wix's retry schedule.
	RetryFactor float64
	// PublicKey is what the webhooks verify with, in base64: it is told, not taken.
	PublicKey string
}

// AppAddr is the address on which the app under test is expected.
func (c SimConfig) AppAddr() string {
	u, err := url.Parse(c.AppURL)
	if err != nil || u.Port() == "" {
		return ":8080"
	}
	return u.Host
}

// Sim builds the offline Wix and starts to listen. It returns the configuration
// with what it made up.
func Sim(c SimConfig, b Bundles, log *slog.Logger) (*App, SimConfig, error) {
	host, _, err := net.SplitHostPort(c.Addr)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, c, fmt.Errorf("--addr %s: the offline Wix hands out anyone's tokens, so it listens on loopback alone, such as 127.0.0.1:8081", c.Addr)
	}
	bundles, err := indexBundles(b)
	if err != nil {
		return nil, c, err
	}
	id, secret := wixsim.NewCredentials()
	if c.AppID == "" {
		c.AppID = id
	}
	if c.AppSecret == "" {
		c.AppSecret = secret
	}
	c.AppURL = strings.TrimRight(c.AppURL, "/")
	sim, err := wixsim.New(wixsim.Config{
		AppID: c.AppID, AppSecret: c.AppSecret,
		AppURL: c.AppURL, Tag: c.Tag, WidgetURL: c.WidgetURL, PanelURL: c.PanelURL,
		WebhookURL: c.WebhookURL, PrivateKey: c.PrivateKey, RetryFactor: c.RetryFactor,
		Assets: serveFiles(bundles.web), Logger: log,
	})
	if err != nil {
		return nil, c, err
	}
	c.PublicKey = base64.StdEncoding.EncodeToString([]byte(sim.PublicKey()))
	a := &App{log: log, closers: []func() error{func() error { sim.Close(); return nil }}}
	if err := a.listen(c.Addr); err != nil {
		return nil, c, errors.Join(err, a.close())
	}
	a.handle(sim.Handler())
	return a, c, nil
}

func serveFiles(a *assets.Assets) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.Serve(w, r, strings.TrimPrefix(r.URL.Path, "/")) {
			http.NotFound(w, r)
		}
	})
}
