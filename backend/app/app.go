// Package app wires Nametag's parts together. It is the only package that knows
// them all, and it starts on any port, so that tests run the whole program.
package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nametag-dev/nametag/backend/api"
	"github.com/nametag-dev/nametag/backend/assets"
	"github.com/nametag-dev/nametag/backend/doctor"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/lifecycle"
	"github.com/nametag-dev/nametag/backend/logging"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/store/cachestore"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
	"github.com/nametag-dev/nametag/backend/wix"
)

// Bundles are the built browser files; package nametag embeds them.
type Bundles struct{ Widget, Panel, Web fs.FS }

const (
	// DrainFor is how long a process that has been asked to end still serves while it
	// reports itself unready, so that a load balancer stops sending first.
	DrainFor = 2 * time.Second
	// shutdownFor is how long requests under way may take to end after that.
	shutdownFor = 10 * time.Second
)

// App is one running server.
type App struct {
	log      *slog.Logger
	server   *http.Server
	listener net.Listener
	admin    *adminServer
	// watch is nil but in production. It probes unless unprobed is set.
	watch    *watch
	unprobed bool
	database string
	draining atomic.Bool
	// reloadable is empty in the demo.
	reloadable reloadable
	// closers end the parts, the last one first.
	closers []func() error
}

// files are the bundles, indexed.
type files struct{ widget, panel, web *assets.Assets }

// ErrNoBundles says that the binary was built before the bundles were.
var ErrNoBundles = errors.New("this build of " + product.ID + " lacks its browser files: run `make build`, which builds them first")

func indexBundles(b Bundles) (f files, err error) {
	missing := false
	for _, part := range []struct {
		fs   fs.FS
		mark string
		to   **assets.Assets
	}{{b.Widget, "widget.js", &f.widget}, {b.Panel, "index.html", &f.panel}, {b.Web, "style.css", &f.web}} {
		if *part.to, err = assets.New(part.fs); err != nil {
			return files{}, fmt.Errorf("index the browser files: %w", err)
		}
		missing = missing || !(*part.to).Has(part.mark)
	}
	if missing {
		return files{}, ErrNoBundles
	}
	return f, nil
}

// Serve builds the production server from its configuration and starts to listen. A fault
// of what the business declares is a *DeclarationError.
func Serve(ctx context.Context, c Config, b Bundles, business kit.New, log *slog.Logger) (_ *App, err error) {
	a := &App{log: log}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	bundles, err := indexBundles(b)
	if err != nil {
		return nil, err
	}
	var traces *tracing
	if c.traces {
		if traces, err = startTracing(ctx, c.proxies, log); err != nil {
			return nil, err
		}
		a.closers = append(a.closers, traces.close)
		log = traces.logger(log)
		a.log = log
	}
	for _, warning := range c.Warnings {
		log.Warn("the configuration is doubtful", "cause", warning)
	}
	if c.databaseFrom != databaseURL {
		log.Info("the database is that of " + c.databaseFrom + ", since " + databaseURL + " is not set")
	}
	a.shareDatabase(c.DatabaseURL)
	m := newMetrics()
	transport := wix.NewTransport()
	a.closers = append(a.closers, func() error { transport.CloseIdleConnections(); return nil })
	counted := m.countWix(traces.transport(transport))
	production, caches, err := a.compose(ctx, composition{
		business: business, metrics: m.registry, observe: m.countJob,
		wix: identity.Options{
			AppID: c.AppID, AppSecret: c.AppSecret, OldSecret: c.OldSecret, WixURL: c.WixURL, Transport: counted, Logger: log,
		},
		upgradePage: upgradePage(c.WixURL, c.AppID),
		databaseURL: c.DatabaseURL,
		// A row may be changed by the command instances beside us.
		maxRowAge: time.Minute,
		webhooks:  c.webhooks, retention: c.Retention, now: c.now, log: log,
	})
	if err != nil {
		return nil, err
	}
	production.Identity = m.countCallers(production.Identity)
	a.reloadable = reloadable{c, caches.verifier}
	a.listenForChanges(c.DatabaseURL, caches, m.setConnected)
	m.watchDeadLetters(caches.store)
	a.watch = newWatch(watchOptions{
		wix:         doctor.WixOptions{BaseURL: c.WixURL, AppID: c.AppID, AppSecret: c.AppSecret, OldSecret: c.OldSecret, Transport: counted},
		public:      publicOptions(&c, b),
		lastVisited: caches.db.LastVisited,
		basePath:    c.basePath, log: log,
	})
	a.unprobed, a.database = c.unprobed, caches.db.Target()
	if c.webhooks == nil {
		log.Warn("webhooks are not taken: WIX_PUBLIC_KEY is not set")
	}
	options := api.Options{
		BasePath:   c.basePath,
		Production: production,
		Widget:     bundles.widget, Panel: bundles.panel, Web: bundles.web,
		Product:        names(),
		Install:        installData(c.PublicURL, c.basePath, c.AppID, bundles),
		InstallState:   a.watch.state,
		Logger:         log,
		Observe:        func(o api.Observation) { m.observe(o); a.watch.observe(o) },
		TrustedProxies: c.proxies,
		FrameAncestors: c.FrameAncestors,
		Dashboard:      otherWix(c.WixURL),
		Draining:       a.draining.Load,
	}
	if c.Demo {
		if err := a.addDemo(ctx, &options, business); err != nil {
			return nil, err
		}
	}
	if a.admin, err = listenAdmin(c.AdminAddr, m); err != nil {
		return nil, err
	}
	a.admin.listener = bounded(a.admin.listener, maxAdminConnections, log)
	a.admin.server.ConnState = connState
	if err := a.listen(c.Addr); err != nil {
		return nil, err
	}
	a.handle(traces.handler(a.watch.requests(api.New(options)), c.basePath))
	return a, nil
}

// Demo builds a server that holds the demo alone: no configuration, no file, and
// nothing is left when it ends.
func Demo(ctx context.Context, addr string, b Bundles, business kit.New, log *slog.Logger) (_ *App, err error) {
	a := &App{log: log}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	bundles, err := indexBundles(b)
	if err != nil {
		return nil, err
	}
	if err := a.listen(addr); err != nil {
		return nil, err
	}
	options := api.Options{
		Widget: bundles.widget, Panel: bundles.panel, Web: bundles.web,
		Product: names(), Logger: log, Draining: a.draining.Load,
	}
	if err := a.addDemo(ctx, &options, business); err != nil {
		return nil, err
	}
	options.Install = installData(a.URL(), "", "", bundles)
	a.handle(api.New(options))
	return a, nil
}

// composition is what one whole app behind the HTTP contract is made from.
type composition struct {
	business kit.New
	wix      identity.Options
	// upgradePage is the URL of Wix's page with the app's plans, up to the id of the instance,
	// or "" where browsers reach no such page.
	upgradePage string
	// databaseURL and maxRowAge are sqlstore's URL and cachestore's MaxAge.
	databaseURL string
	maxRowAge   time.Duration
	// webhooks is nil where no public key is configured.
	webhooks  *wix.Webhooks
	retention time.Duration
	now       func() time.Time // nil is time.Now
	// metrics takes the app's own metrics, and observe counts the jobs.
	metrics prometheus.Registerer
	observe func(kind, outcome string)
	log     *slog.Logger
}

// compose makes the parts and starts them. What it has made is closed by a.closers,
// also after an error.
func (a *App) compose(ctx context.Context, c composition) (*api.Composition, caches, error) {
	none := caches{}
	if c.now == nil {
		c.now = time.Now
	}
	verifier, err := identity.New(c.wix)
	if err != nil {
		return nil, none, err
	}
	a.closers = append(a.closers, func() error { verifier.Close(); return nil })
	handle := new(database)
	app, err := declare(c.business, kit.Tools{
		DB: handle, Wix: verifier.Client, Log: c.log, Metrics: c.metrics, Now: c.now,
	})
	if err != nil {
		return nil, none, err
	}
	db, err := sqlstore.Open(ctx, c.databaseURL, sqlstore.Options{App: app.Data, Settings: app.Settings.Complete, Logger: c.log})
	if err != nil {
		return nil, none, err
	}
	if err := db.Verify(ctx); err != nil {
		return nil, none, errors.Join(err, db.Close())
	}
	store := cachestore.New(db, cachestore.Options{Logger: c.log, MaxAge: c.maxRowAge})
	a.closers = append(a.closers, store.Close)
	handle.opened = store
	if err := startBusiness(ctx, app); err != nil {
		return nil, none, err
	}
	if app.Close != nil {
		a.closers = append(a.closers, func() error { return recovered("close the app", app.Close) })
	}
	all := caches{store, verifier, db}
	worker := lifecycle.NewWorker(lifecycle.Options{
		Jobs: store, Store: store, Find: db.Find, Elevator: verifier, Observe: c.observe, Logger: c.log, Now: c.now,
		Changed: func(id string, change instance.Change) { all.changed(id, change.Removed) },
	})
	retention := lifecycle.NewRetention(lifecycle.RetentionOptions{
		Store: store, Jobs: store, Keep: c.retention, Logger: c.log, Now: c.now,
		Purged: func(ids []string) {
			for _, id := range ids {
				all.changed(id, true)
			}
		},
	})
	a.closers = append(a.closers, func() error {
		retention.Close()
		worker.Close()
		return nil
	})
	composed := &api.Composition{Identity: verifier, Refresher: worker, Store: store, App: app, Logger: c.log, Unavailable: db.IsUnavailable}
	if len(app.Plans) > 0 {
		composed.UpgradePage = c.upgradePage
	}
	if c.webhooks != nil {
		composed.Webhooks = lifecycle.NewReceiver(c.webhooks, store, worker.Wake, c.now)
	}
	return composed, all, nil
}

// upgradePage is where an owner chooses a plan. The offline Wix has such a page, too.
func upgradePage(wixURL, appID string) string {
	return cmp.Or(otherWix(wixURL), "https://www.wix.com") + "/apps/upgrade/" + appID + "?appInstanceId="
}

// otherWix returns the origin of a Wix that is not the real one, such as the offline Wix, or "".
func otherWix(wixURL string) string {
	u, err := url.Parse(wixURL)
	if err != nil || wixURL == wix.DefaultBaseURL {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// caches are all places where something about an instance is cached.
type caches struct {
	store    *cachestore.Store
	verifier *identity.Verifier
	db       *sqlstore.Store // below store
}

// changed drops what may be out of date about an instance; of one that is removed,
// everything, its tokens too.
func (c caches) changed(id string, removed bool) {
	c.store.Invalidate(id)
	c.verifier.Expire(id)
	if removed {
		c.verifier.Purge(id)
	}
}

// shareDatabase says in the log that another server uses the same SQLite file.
func (a *App) shareDatabase(databaseURL string) {
	alone, release, err := sqlstore.Share(databaseURL)
	if err != nil { // a full disk must not keep a server from starting
		a.log.Warn("whether another server uses the SQLite file is not known", "cause", err)
		return
	}
	if !alone {
		a.log.Warn("another server uses the same SQLite file: each sees the other's changes up to a minute late")
	}
	a.closers = append(a.closers, release)
}

// listenForChanges drops cached rows that other replicas change. While notifications may be
// missed, a row is used for a moment only; afterwards no row that was read before.
func (a *App) listenForChanges(databaseURL string, c caches, connected func(bool)) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := sqlstore.Listen(ctx, databaseURL, sqlstore.Handlers{
			Changed: c.changed,
			Lost: func(since time.Time, _ error) {
				c.store.Disconnected(since)
				connected(false)
			},
			Regained: func() {
				c.store.InvalidateAll()
				c.store.Connected()
				connected(true)
			},
		}, a.log)
		if err != nil {
			a.log.Error("changes by other replicas are not noticed", "cause", err)
		}
	}()
	a.closers = append(a.closers, func() error { stop(); <-done; return nil })
}

func (a *App) listen(addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	a.listener = bounded(listener, maxConnections(), a.log)
	return nil
}

func (a *App) handle(h http.Handler) {
	a.server = &http.Server{
		Handler: h,
		// It bounds the header too; a ReadHeaderTimeout of another length would cost every
		// request one more timer.
		ReadTimeout:    10 * time.Second,
		WriteTimeout:   60 * time.Second,
		IdleTimeout:    120 * time.Second,
		MaxHeaderBytes: 32 << 10, // an 8 KB token, and what browsers and proxies add
		ConnState:      connState,
		ErrorLog:       logging.Standard(a.log, slog.LevelWarn, "the HTTP server"),
	}
}

// URL is the address to open on this machine, without a slash at its end.
func (a *App) URL() string {
	tcp := a.listener.Addr().(*net.TCPAddr)
	host := "localhost"
	if tcp.IP != nil && !tcp.IP.IsUnspecified() {
		host = tcp.IP.String()
	}
	return "http://" + net.JoinHostPort(host, fmt.Sprint(tcp.Port))
}

// Database names the database of the production server: the path of a SQLite file, or where
// Postgres is.
func (a *App) Database() string { return a.database }

// Run serves until ctx ends, then ends in good order: it reports itself unready for
// as long as drain says, lets the requests under way finish, and closes the store last.
func (a *App) Run(ctx context.Context, drain func() time.Duration) error {
	if a.watch != nil && !a.unprobed {
		a.watch.start()
		a.closers = append(a.closers, a.watch.close)
	}
	failed := make(chan error, 2)
	go func() { failed <- a.server.Serve(a.listener) }()
	if a.admin != nil {
		go func() { failed <- a.admin.serve() }()
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		a.draining.Store(true)
		wait := drain()
		a.log.Info("ending", "drain", wait.String())
		select {
		case <-time.After(wait):
		case err = <-failed:
		}
	}
	stop, cancel := context.WithTimeout(context.Background(), shutdownFor)
	defer cancel()
	if e := a.server.Shutdown(stop); e != nil {
		err = errors.Join(err, fmt.Errorf("shut down: %w", e), a.server.Close())
	}
	err = errors.Join(err, a.close())
	a.log.Info("ended")
	return err
}

func (a *App) close() error {
	var errs []error
	if a.listener != nil {
		if err := a.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if a.admin != nil {
		errs = append(errs, a.admin.close())
	}
	for _, c := range slices.Backward(a.closers) {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}
