package app

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/nametag-dev/nametag/backend/assets"
	"github.com/nametag-dev/nametag/backend/wixpages"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

// SimConfig configures the command sim. Empty credentials are made up.
type SimConfig struct {
	Addr, AppID, AppSecret, AppURL, Tag, WidgetURL, PanelURL, WebhookURL string
	// PrivateKey is the PEM text that signs webhooks, or "" for one that is made up.
	PrivateKey string
	// RetryFactor divides the waits of Wix's retry schedule.
	RetryFactor float64
}

// SimInfo is what an app needs in order to use the offline Wix.
type SimInfo struct {
	AppID, AppSecret string
	// PublicKey is the key that verifies webhooks, in base64.
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

// Sim builds the offline Wix and starts to listen.
func Sim(c SimConfig, b Bundles, log *slog.Logger) (*App, SimInfo, error) {
	none := SimInfo{}
	host, _, err := net.SplitHostPort(c.Addr)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, none, fmt.Errorf("--addr %s: the offline Wix hands out anyone's tokens, so it listens on loopback alone, such as 127.0.0.1:8081", c.Addr)
	}
	bundles, err := indexBundles(b)
	if err != nil {
		return nil, none, err
	}
	id, secret := wixsim.NewCredentials()
	info := SimInfo{AppID: cmp.Or(c.AppID, id), AppSecret: cmp.Or(c.AppSecret, secret)}
	sim, err := wixsim.New(wixsim.Config{
		AppID: info.AppID, AppSecret: info.AppSecret, WebhookURL: cmp.Or(c.WebhookURL, wixpages.WebhookURL(c.AppURL)),
		PrivateKey: c.PrivateKey, RetryFactor: c.RetryFactor, Logger: log,
	})
	if err != nil {
		return nil, none, err
	}
	a := &App{log: log, closers: []func() error{func() error { sim.Close(); return nil }}}
	pages, err := wixpages.New(sim, wixpages.Options{
		Tag: c.Tag, AppURL: strings.TrimRight(c.AppURL, "/"), WidgetURL: c.WidgetURL, PanelURL: c.PanelURL,
		Assets: serveFiles(bundles.web), Logger: log,
	})
	if err == nil {
		err = a.listen(c.Addr)
	}
	if err != nil {
		return nil, none, errors.Join(err, a.close())
	}
	info.PublicKey = base64.StdEncoding.EncodeToString([]byte(sim.PublicKey()))
	a.handle(pages)
	return a, info, nil
}

func serveFiles(a *assets.Assets) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.Serve(w, r, strings.TrimPrefix(r.URL.Path, "/")) {
			http.NotFound(w, r)
		}
	})
}
