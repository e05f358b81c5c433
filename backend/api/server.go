// Package api is Nametag's HTTP edge: routes, middleware and the one place that
// turns an error into an answer. It is the only package that knows Echo; what is
// below takes a context and plain values.
package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/nametag-dev/nametag/backend/assets"
	"github.com/nametag-dev/nametag/backend/clientaddr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wix"
	"github.com/nametag-dev/nametag/web"
)

// Identity finds out who is calling, and reads app instances with the app's own identity.
// *identity.Verifier is one.
type Identity interface {
	// Verify identifies the caller by the values of the Authorization header.
	Verify(ctx context.Context, source string, authorization []string) (identity.Identification, error)
	// VerifyToken identifies the caller by a bare token.
	VerifyToken(ctx context.Context, source, token string) (identity.Identification, error)
	// SignedInstance verifies the parameter instance of a page that Wix opens.
	SignedInstance(raw string) (wix.SignedInstance, error)
	AppInstance(ctx context.Context, instanceID string) (*wix.AppInstance, error)
}

// Refresher keeps our records in step with Wix. *lifecycle.Worker is one.
type Refresher interface {
	// RequestRefresh has the app instance read from Wix again soon. It does not wait.
	RequestRefresh(instanceID string)
	// Save stores what Wix has just reported of an instance.
	Save(ctx context.Context, instanceID string, app *wix.AppInstance) error
}

// Webhooks takes a delivery of Wix. When it returns nil, the event is durable.
type Webhooks interface {
	Receive(ctx context.Context, body []byte) error
}

// Composition is one whole app behind the HTTP contract: production is one, the
// demo is another.
type Composition struct {
	Identity  Identity
	Refresher Refresher
	Store     instance.Store
	// App is what the business declares. Check has passed it.
	App kit.App
	// UpgradePage is kit.Call's.
	UpgradePage string
	// Webhooks is nil where no public key is configured; the route is absent then.
	Webhooks Webhooks
	// Unavailable reports whether an error that a function of the app returns says that the
	// database cannot be used now (503 store_unavailable). Nil means never.
	Unavailable func(error) bool
	// Logger is for the app's functions. None by default.
	Logger *slog.Logger

	// timeout is handlerTimeout, or shorter in tests.
	timeout time.Duration
}

// Options are what a Server is made of.
type Options struct {
	// BasePath is the path part of the public URL: "" or, say, "/app".
	BasePath string
	// Production is nil in the command demo.
	Production *Composition
	// Demo and DemoSessions are both nil when the demo is off.
	Demo         *Composition
	DemoSessions DemoSessions

	Widget, Panel, Web *assets.Assets
	// Product is what the pages call the product.
	Product web.Product
	Install web.InstallData
	// InstallState is what the install guide shows of the server's own findings. Nil in the
	// command demo, which has nothing to set up.
	InstallState func() web.InstallState

	// Logger is none by default.
	Logger *slog.Logger
	// Observe learns of each answered request, for metrics. Nil is nobody.
	Observe func(Observation)
	// TrustedProxies are the networks whose X-Forwarded-For is trusted. None by default.
	TrustedProxies []netip.Prefix
	// FrameAncestors are the hosts that may frame the panel. None means any.
	FrameAncestors []string
	// Dashboard is the origin of a dashboard that is not Wix's, such as that of the offline
	// Wix, or "". It may frame the page open.
	Dashboard string
	// Draining reports whether the process is about to end. Nil means never.
	Draining func() bool
}

// Observation is one answered request.
type Observation struct {
	// Method is one in use, or "_OTHER".
	Method string
	// Route is the pattern, or "unmatched". A path is the client's to choose.
	Route  string
	Status int
	// Code is the name of the error that was answered, or "".
	Code string
	Took time.Duration
}

// Server answers Nametag's HTTP contract.
type Server struct {
	opts       Options
	echo       *echo.Echo
	requestIDs *requestIDs
	// storeAway is what readyz found last.
	storeAway atomic.Bool
	// apiPaths are the paths below which routes are for other origins.
	apiPaths []string
	// corsMethods are the methods of all those routes.
	corsMethods string
}

// New builds the server and its routes. It starts nothing.
func New(o Options) *Server {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Observe == nil {
		o.Observe = func(Observation) {}
	}
	if o.Draining == nil {
		o.Draining = func() bool { return false }
	}
	s := &Server{opts: o, echo: echo.New(), requestIDs: newRequestIDs()}
	e := s.echo
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.handleError
	e.JSONSerializer = serializer{}
	e.IPExtractor = ipExtractor(o.TrustedProxies, o.Logger)
	e.Use(s.edge)

	base := e.Group(o.BasePath)
	if o.BasePath != "" {
		get(base, "", func(c echo.Context) error { return c.Redirect(http.StatusPermanentRedirect, o.BasePath+"/") })
		// Hosting platforms check the health of a process at the root of its own address.
		root := e.Group("")
		get(root, "/", func(c echo.Context) error { return c.Redirect(http.StatusTemporaryRedirect, o.BasePath+"/") })
		get(root, "/healthz", s.healthz)
		get(root, "/readyz", s.readyz)
	}
	get(base, "/healthz", s.healthz)
	get(base, "/readyz", s.readyz)
	get(base, "/", s.home)
	get(base, "/install", s.install)
	if o.InstallState != nil {
		get(base, "/install/state", s.installState)
	}
	get(base, "/web/*", s.asset(o.Web))
	if o.Production != nil {
		s.mount(base, o.BasePath, o.Production)
		get(base, "/open", s.open(o.Production))
	}
	if o.Demo != nil {
		demo := e.Group(o.BasePath + "/demo")
		s.mount(demo, o.BasePath+"/demo", o.Demo)
		s.mountDemoSessions(demo)
	}
	s.corsMethods = s.methodsOfAPI()
	return s
}

// ServeHTTP makes Server an http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// mount adds one composition's share of the contract below a group, whose path is prefix.
func (s *Server) mount(g *echo.Group, prefix string, c *Composition) {
	s.apiPaths = append(s.apiPaths, prefix+"/api/")
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Unavailable == nil {
		c.Unavailable = func(error) bool { return false }
	}
	h := handlers{c, &runner{s.opts.Logger, cmp.Or(c.timeout, handlerTimeout), c.Unavailable, s.giveUp}, new(relays)}
	get(g, "/api/get-instance", h.identified(identity.Visitor, true, h.getInstance))
	g.POST("/api/get-instance", h.postGetInstance)
	get(g, "/api/get-instance-data", h.identified(identity.Visitor, true, h.getInstanceData))
	get(g, "/api/settings", h.identified(identity.Visitor, true, h.getSettings))
	g.PUT("/api/settings", h.identified(identity.Owner, true, h.putSettings))
	g.PATCH("/api/settings", h.identified(identity.Owner, true, h.patchSettings))
	s.mountRoutes(g, h)

	if c.Webhooks != nil {
		g.POST("/webhooks/wix", h.postWebhook)
		g.POST("/webhooks/wix/", h.postWebhook)
	}

	get(g, "/widget.js", s.named(s.opts.Widget, "widget.js"))
	get(g, "/widget-class.js", s.named(s.opts.Widget, "widget-class.js"))
	get(g, "/widget/*", s.hashedAsset(s.opts.Widget))
	get(g, "/panel", func(c echo.Context) error {
		return c.Redirect(http.StatusPermanentRedirect, c.Request().URL.Path+"/")
	})
	get(g, "/panel/", s.panelPage)
	get(g, "/panel/*", s.hashedAsset(s.opts.Panel))
}

// get answers HEAD wherever it answers GET, which Echo does not do by itself;
// net/http leaves the body out.
func get(g *echo.Group, path string, h echo.HandlerFunc) {
	g.GET(path, h)
	g.HEAD(path, h)
}

// isAPI reports whether a path belongs to the JSON API, which other origins call.
func (s *Server) isAPI(path string) bool {
	for _, prefix := range s.apiPaths {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// ipExtractor returns the function that finds a request's client. A server behind a proxy
// that it does not trust takes all clients for one, so that is logged, once.
func ipExtractor(trusted []netip.Prefix, logger *slog.Logger) echo.IPExtractor {
	var (
		clients = clientaddr.New(trusted)
		direct  = echo.ExtractIPDirect()
		warned  atomic.Bool
	)
	return func(r *http.Request) string {
		if !warned.Load() && clients.IgnoresForwarded(r) && warned.CompareAndSwap(false, true) {
			peer, _ := netip.ParseAddr(direct(r))
			logger.WarnContext(r.Context(), "a forwarded header is ignored, since its sender is not trusted: "+
				"if that is your reverse proxy, name its network in "+product.EnvPrefix+"TRUSTED_PROXIES",
				"peerNetwork", clientaddr.Network(peer).String())
		}
		if len(trusted) == 0 {
			return direct(r)
		}
		return clients.Client(r).String()
	}
}
