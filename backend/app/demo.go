package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nametag-dev/nametag/backend/api"
	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/clientaddr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wix"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

const (
	// maxDemoSessions bounds the demo's memory: beyond it, a new onlooker has to wait.
	maxDemoSessions = 2000
	// maxDemoSessionsOfOne bounds those of one network, so that nobody closes the demo for the
	// others. Everyone in an office or behind a carrier's address shares one.
	maxDemoSessionsOfOne = 50
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
		sim: sim, store: all.store, now: time.Now,
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

	mu sync.Mutex
	// open are the sessions in the order in which they end, as all live equally long.
	open []demoSession
}

type demoSession struct {
	api.DemoSession
	network netip.Prefix
}

func (d *demoSessions) Create(client netip.Addr) (api.DemoSession, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	d.forgetExpired(now)
	network := clientaddr.Network(client)
	if full, until := d.full(network); full {
		return api.DemoSession{}, &apierr.Error{Code: apierr.RateLimited, RetryAfter: until.Sub(now)}
	}
	installed, err := d.sim.Install(wixsim.InstallRequest{SiteDisplayName: "Bramble & Thyme"})
	if err != nil {
		return api.DemoSession{}, err
	}
	session := d.shape
	session.ID = rand.Text()
	session.InstanceID, session.SiteID = installed.InstanceID, installed.SiteID
	session.ExpiresAt = now.Add(demoSessionLife).UTC().Truncate(time.Second)
	d.open = append(d.open, demoSession{session, network})
	return session, nil
}

// full reports whether a network may have no further session now, and until when.
func (d *demoSessions) full(network netip.Prefix) (bool, time.Time) {
	var first time.Time
	n := 0
	for _, session := range d.open {
		if session.network == network {
			if n++; n == 1 {
				first = session.ExpiresAt
			}
		}
	}
	switch {
	case n >= maxDemoSessionsOfOne:
		return true, first
	case len(d.open) >= maxDemoSessions:
		return true, d.open[0].ExpiresAt
	}
	return false, time.Time{}
}

func (d *demoSessions) forgetExpired(now time.Time) {
	ended := 0
	for ended < len(d.open) && !now.Before(d.open[ended].ExpiresAt) {
		d.sim.Uninstall(d.open[ended].InstanceID)
		_ = d.store.Delete(context.Background(), d.open[ended].InstanceID) // memory: cannot fail
		ended++
	}
	d.open = slices.Delete(d.open, 0, ended)
}

func (d *demoSessions) find(id string) (api.DemoSession, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.open, func(session demoSession) bool { return session.ID == id })
	if i < 0 || !d.now().Before(d.open[i].ExpiresAt) {
		return api.DemoSession{}, &apierr.Error{Code: apierr.NotFound}
	}
	return d.open[i].DemoSession, nil
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
