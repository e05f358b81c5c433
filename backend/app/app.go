// Package app wires Nametag's parts together. It is the only package that knows
// them all, and it starts on any port, so that tests run the whole program.
package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/nametag-dev/nametag/backend/api"
	"github.com/nametag-dev/nametag/backend/assets"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/lifecycle"
	"github.com/nametag-dev/nametag/backend/store/cachestore"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
	"github.com/nametag-dev/nametag/backend/wix"
	"github.com/nametag-dev/nametag/web"
)

// Bundles are the built browser files; package nametag embeds them.
type Bundles struct{ Widget, Panel, Web fs.FS }

const (
	// DrainFor is how long a process that was told to end still serves while it
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
	draining atomic.Bool
	// closers end the parts, the last one first.
	closers []func() error
}

// files are the bundles, indexed.
type files struct{ widget, panel, web *assets.Assets }

// ErrNoBundles says that the binary was built before the bundles were.
var ErrNoBundles = errors.New("this build of nametag lacks its browser files: run `make build`, which builds them first")

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

// Serve builds the production server from its configuration and starts to listen.
func Serve(ctx context.Context, c Config, b Bundles, log *slog.Logger) (_ *App, err error) {
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
	db, err := sqlstore.Open(ctx, c.DatabaseURL, sqlstore.Options{})
	if err != nil {
		return nil, err
	}
	m := newMetrics()
	transport := wix.NewTransport()
	a.closers = append(a.closers, func() error { transport.CloseIdleConnections(); return nil })
	production, kept := a.compose(composition{
		wixURL: c.WixURL, appID: c.AppID, appSecret: c.AppSecret, transport: m.countWix(transport),
		// A row may be changed by `nametag instances` beside us.
		store:    cachestore.New(db, cachestore.Options{Logger: log, MaxAge: time.Minute}),
		webhooks: c.webhooks, retention: c.Retention, observe: m.countJob, log: log,
	})
	a.listenForNews(c.DatabaseURL, kept)
	m.watchDeadLetters(db)
	if c.webhooks == nil {
		log.Warn("webhooks are not taken: WIX_PUBLIC_KEY is not set")
	}
	options := api.Options{
		BasePath:   c.basePath,
		Production: production,
		Widget:     bundles.widget, Panel: bundles.panel, Web: bundles.web,
		Install:        installData(c.PublicURL, c.basePath, c.AppID, bundles),
		Home:           web.HomeData{BasePath: c.basePath},
		Logger:         log,
		Observe:        m.observe,
		TrustedProxies: c.proxies,
		FrameAncestors: c.FrameAncestors,
		Draining:       a.draining.Load,
	}
	if c.Demo {
		if err := a.addDemo(&options); err != nil {
			return nil, err
		}
	}
	if a.admin, err = listenAdmin(c.AdminAddr, m); err != nil {
		return nil, err
	}
	if err := a.listen(c.Addr); err != nil {
		return nil, err
	}
	a.handle(api.New(options))
	return a, nil
}

// Demo builds a server that holds the demo alone: no configuration, no file, and
// nothing kept after it ends.
func Demo(addr string, b Bundles, log *slog.Logger) (_ *App, err error) {
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
		Install:  installData(a.URL(), "", "", bundles),
		Logger:   log,
		Observe:  func(string, int, time.Duration) {},
		Draining: a.draining.Load,
	}
	if err := a.addDemo(&options); err != nil {
		return nil, err
	}
	a.handle(api.New(options))
	return a, nil
}

// composition is what one whole app behind the HTTP contract is made from.
type composition struct {
	wixURL, appID string
	appSecret     wix.Secret
	transport     http.RoundTripper
	store         *cachestore.Store
	// webhooks is nil where no public key is configured.
	webhooks  *wix.Webhooks
	retention time.Duration
	// observe counts the jobs of the inbox.
	observe func(kind, outcome string)
	log     *slog.Logger
}

func (a *App) compose(c composition) (*api.Composition, caches) {
	client := wix.New(wix.Options{
		BaseURL: c.wixURL, AppID: c.appID, AppSecret: c.appSecret, Transport: c.transport,
	})
	identifier := identity.New(identity.Options{Wix: client, AppID: c.appID, Logger: c.log, Now: time.Now})
	elevator := identity.NewElevator(identity.ElevatorOptions{Wix: client, Logger: c.log, Now: time.Now})
	kept := caches{c.store, identifier, elevator}
	worker := lifecycle.NewWorker(lifecycle.Options{
		Inbox: c.store, Store: c.store, Elevator: elevator, Observe: c.observe, Logger: c.log,
		Changed: func(id string, change instance.Change) { kept.changed(id, change.Removed) },
	})
	retention := lifecycle.NewRetention(lifecycle.RetentionOptions{
		Inbox: c.store, Keep: c.retention, Logger: c.log,
		Purged: func(ids []string) {
			for _, id := range ids {
				kept.changed(id, true)
			}
		},
	})
	// What uses the others ends first, and the store last.
	a.closers = append(a.closers, func() error {
		retention.Close()
		worker.Close()
		elevator.Close()
		identifier.Close()
		return c.store.Close()
	})
	composed := &api.Composition{Identifier: identifier, Elevator: elevator, Learner: worker, Store: c.store}
	if c.webhooks != nil {
		composed.Webhooks = lifecycle.NewReceiver(c.webhooks, c.store, worker.Wake, time.Now)
	}
	return composed, kept
}

// caches are all places where something of an instance is remembered.
type caches struct {
	store      *cachestore.Store
	identifier *identity.Identifier
	elevator   *identity.Elevator
}

// changed forgets what may be out of date of an instance; of one that is removed,
// everything, its tokens too.
func (c caches) changed(id string, removed bool) {
	c.store.Invalidate(id)
	c.elevator.Expire(id)
	if removed {
		c.elevator.Purge(id)
		c.identifier.Purge(id)
	}
}

// listenForNews keeps the caches true to what other replicas write. While news may be
// missed, no row is trusted for more than a moment, and afterwards none that was
// read before.
func (a *App) listenForNews(databaseURL string, c caches) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := sqlstore.Listen(ctx, databaseURL, sqlstore.Handlers{
			Changed: c.changed,
			Lost:    func(error) { c.store.Trust(false) },
			Regained: func() {
				c.store.InvalidateAll()
				c.store.Trust(true)
			},
		}, a.log)
		if err != nil {
			a.log.Error("no news of other replicas' changes", "cause", err)
		}
	}()
	a.closers = append(a.closers, func() error { stop(); <-done; return nil })
}

func (a *App) listen(addr string) (err error) {
	if a.listener, err = net.Listen("tcp", addr); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
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
		ErrorLog:       slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
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

// Run serves until ctx ends, then ends in good order: it reports itself unready for
// as long as drain says, lets the requests under way finish, and closes the store last.
func (a *App) Run(ctx context.Context, drain func() time.Duration) error {
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
