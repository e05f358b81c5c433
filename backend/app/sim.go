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
	"os"
	"strings"
	"time"

	"github.com/nametag-dev/nametag/backend/assets"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wixpages"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

// SimConfig configures the command sim. Empty credentials are those of the state, or made up.
type SimConfig struct {
	Addr, AppID, AppSecret, AppURL, Tag, WidgetURL, PanelURL, DashboardURL, WebhookURL string
	// PrivateKey is the PEM text that signs webhooks, or "" for one that is made up.
	PrivateKey string
	// RetryFactor divides the waits of Wix's retry schedule.
	RetryFactor float64
	// TokenTTL is the lifetime of a token; 0 means that of wixsim.Config.
	TokenTTL time.Duration
	// Behavior changes the behavior that the state has, or the default one.
	Behavior wixsim.BehaviorChange
	// Recording passes calls on to the real Wix; nil passes none on.
	Recording *wixsim.Recording
	// Data is the file that keeps the state, or "" to keep none.
	Data string
	// Seed is the file with the first sites, or "". IDSeed is wixsim.Config's.
	Seed, IDSeed string
	// AllowNetwork lets Addr be any address; Password is required then. Password and Hosts are
	// wixsim.Config's.
	AllowNetwork bool
	Password     string
	Hosts        []string
}

// SimInfo is what an app needs in order to use the offline Wix.
type SimInfo struct {
	AppID, AppSecret string
	// PublicKey is the key that verifies webhooks, in base64.
	PublicKey string
	// Seeded says whether the sites are those of the seed: false when the state has its own.
	Seeded bool
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
func Sim(c SimConfig, b Bundles, log *slog.Logger) (_ *App, _ SimInfo, err error) {
	none := SimInfo{}
	if err := c.checkNetwork(); err != nil {
		return nil, none, err
	}
	seed, err := c.readSeed()
	if err != nil {
		return nil, none, err
	}
	bundles, err := indexBundles(b)
	if err != nil {
		return nil, none, err
	}
	a := &App{log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	// First, because a webhook of the state may make the app call back at once.
	if err := a.listen(c.Addr); err != nil {
		return nil, none, err
	}
	config := wixsim.Config{
		WebhookURL: cmp.Or(c.WebhookURL, wixpages.WebhookURL(c.AppURL)),
		PrivateKey: c.PrivateKey, RetryFactor: c.RetryFactor, TokenTTL: c.TokenTTL, Logger: log,
		Recording: c.Recording, Seed: seed, IDSeed: c.IDSeed, Password: c.Password, Hosts: c.Hosts,
	}
	var file *simFile
	if c.Data != "" {
		if file, config.State, err = openSimFile(c.Data, log); err != nil {
			return nil, none, fmt.Errorf("--data %w; --data=none keeps no state", err)
		}
		a.closers = append(a.closers, file.lock.Unlock)
		config.Changed = file.changed
	}
	id, secret := wixsim.NewCredentials()
	if seed != nil {
		c.IDSeed = cmp.Or(c.IDSeed, seed.IDSeed)
	}
	if c.IDSeed != "" {
		id, secret = wixsim.SeededCredentials(c.IDSeed)
	}
	state := cmp.Or(config.State, &wixsim.State{})
	info := SimInfo{AppID: cmp.Or(c.AppID, state.AppID, id), AppSecret: cmp.Or(c.AppSecret, state.AppSecret, secret)}
	behavior := wixsim.DefaultBehavior()
	if state.Behavior != nil {
		behavior = *state.Behavior
	}
	behavior = c.Behavior.Apply(behavior)
	config.Behavior = &behavior
	config.AppID, config.AppSecret = info.AppID, info.AppSecret
	sim, err := wixsim.New(config)
	if errors.Is(err, wixsim.ErrOtherApp) {
		err = fmt.Errorf("--data %s: %w. Leave out --app-id, --app-secret (WIX_APP_SECRET) and --private-key, or name another file", c.Data, err)
	}
	if err != nil {
		return nil, none, err
	}
	a.closers = append(a.closers, func() error { sim.Close(); return nil })
	pages, err := wixpages.New(sim, wixpages.Options{
		Tag: c.Tag, AppURL: strings.TrimRight(c.AppURL, "/"), WidgetURL: c.WidgetURL, PanelURL: c.PanelURL,
		DashboardURL: c.DashboardURL,
		Assets:       serveFiles(bundles.web), Logger: log,
	})
	if err != nil {
		return nil, none, err
	}
	if file != nil {
		if err := file.follow(sim); err != nil {
			return nil, none, err
		}
		a.closers = append(a.closers, file.end)
	}
	info.Seeded = seed != nil && len(state.Installations)+len(state.Removed) == 0
	info.PublicKey = base64.StdEncoding.EncodeToString([]byte(sim.PublicKey()))
	a.handle(pages)
	a.server.RegisterOnShutdown(sim.CloseEvents)
	return a, info, nil
}

// checkNetwork returns why the offline Wix may not listen on its address.
func (c SimConfig) checkNetwork() error {
	if c.AllowNetwork {
		if len(c.Password) < 12 {
			return fmt.Errorf("--allow-network: a password of at least 12 characters is needed, as --password or %sSIM_PASSWORD", product.EnvPrefix)
		}
		return nil
	}
	host, _, err := net.SplitHostPort(c.Addr)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("--addr %s: the offline Wix hands out anyone's tokens, so it listens on loopback alone, such as 127.0.0.1:8081, unless --allow-network is given", c.Addr)
	}
	return nil
}

// readSeed reads the seed, or returns nil where none is named.
func (c SimConfig) readSeed() (*wixsim.Seed, error) {
	if c.Seed == "" {
		return nil, nil
	}
	file, err := os.Open(c.Seed)
	if err != nil {
		return nil, fmt.Errorf("--seed %w", err)
	}
	defer file.Close()
	seed, err := wixsim.ReadSeed(file)
	if err != nil {
		return nil, fmt.Errorf("--seed %s: %w", c.Seed, err)
	}
	return &seed, nil
}

func serveFiles(a *assets.Assets) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.Serve(w, r, strings.TrimPrefix(r.URL.Path, "/")) {
			http.NotFound(w, r)
		}
	})
}
