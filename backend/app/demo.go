package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nametag-dev/nametag/backend/api"
	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wix"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

const (
	// maxDemoSessions bounds the demo's memory: beyond it, a new onlooker has to wait.
	maxDemoSessions = 1000
	// demoSessionLife is how long an onlooker's instance lives.
	demoSessionLife = time.Hour
)

// addDemo puts a second, separate composition under demo/: an offline Wix that is
// reached without a socket, and a database in memory.
func (a *App) addDemo(ctx context.Context, o *api.Options, business kit.New) error {
	appID, secret := wixsim.NewCredentials()
	// The demo's traffic does not belong in the production log.
	quiet := slog.New(slog.DiscardHandler)
	sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: secret, Logger: quiet})
	if err != nil {
		return err
	}
	var all caches
	o.Demo, all, err = a.compose(ctx, composition{
		business: business, metrics: prometheus.NewRegistry(),
		wix: identity.Options{
			AppID: appID, AppSecret: wix.Secret(secret), WixURL: "http://offline-wix.invalid",
			Transport: wixsim.Transport{Handler: sim.REST()}, Logger: quiet,
		},
		databaseURL: "sqlite::memory:", retention: demoSessionLife, log: quiet,
	})
	if err != nil {
		return fmt.Errorf("start the demo: %w", err)
	}
	base := o.BasePath + "/demo"
	o.DemoSessions = &demoSessions{
		sim: sim, store: all.store, now: time.Now, byID: make(map[string]api.DemoSession),
		shape: api.DemoSession{AppID: appID, Tag: product.Tag, WidgetURL: base + "/widget.js", PanelURL: base + "/panel/"},
	}
	return nil
}

// demoSessions gives each onlooker an instance of their own, bounded in number and time.
type demoSessions struct {
	sim   *wixsim.Sim
	store instance.Store
	now   func() time.Time
	shape api.DemoSession

	mu   sync.Mutex
	byID map[string]api.DemoSession
}

func (d *demoSessions) Create() (api.DemoSession, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	d.forgetExpired(now)
	if len(d.byID) >= maxDemoSessions {
		return api.DemoSession{}, &apierr.Error{Code: apierr.RateLimited, RetryAfter: time.Minute}
	}
	installed, err := d.sim.Install(wixsim.InstallRequest{SiteDisplayName: "Bramble & Thyme"})
	if err != nil {
		return api.DemoSession{}, err
	}
	session := d.shape
	session.ID = rand.Text()
	session.InstanceID, session.SiteID = installed.InstanceID, installed.SiteID
	session.ExpiresAt = now.Add(demoSessionLife).UTC().Truncate(time.Second)
	d.byID[session.ID] = session
	return session, nil
}

func (d *demoSessions) forgetExpired(now time.Time) {
	for id, session := range d.byID {
		if now.After(session.ExpiresAt) {
			delete(d.byID, id)
			d.sim.Uninstall(session.InstanceID)
			_ = d.store.Delete(context.Background(), session.InstanceID) // memory: cannot fail
		}
	}
}

func (d *demoSessions) find(id string) (api.DemoSession, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	session, ok := d.byID[id]
	if !ok || d.now().After(session.ExpiresAt) {
		return api.DemoSession{}, &apierr.Error{Code: apierr.NotFound}
	}
	return session, nil
}

func (d *demoSessions) Token(id, subject string) (api.DemoToken, error) {
	session, err := d.find(id)
	if err != nil {
		return api.DemoToken{}, err
	}
	token, expires, err := d.sim.Mint(wixsim.TokenRequest{
		Subject: subject, InstanceID: session.InstanceID, TTL: session.ExpiresAt.Sub(d.now()),
	})
	if err != nil {
		return api.DemoToken{}, err
	}
	return api.DemoToken{Token: token, ExpiresAt: expires}, nil
}

func (d *demoSessions) Calls(id string) ([]api.DemoCall, error) {
	session, err := d.find(id)
	if err != nil {
		return nil, err
	}
	calls := []api.DemoCall{}
	for _, c := range d.sim.Calls() {
		if c.InstanceID == session.InstanceID {
			calls = append(calls, api.DemoCall{
				Method: c.Method, Path: c.Path, Status: c.Status, At: c.At,
				DurationMs: float64(c.Duration) / float64(time.Millisecond),
			})
		}
	}
	return calls, nil
}
