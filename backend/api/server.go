// Package api is Nametag's HTTP edge: routes, middleware and the one place that
// turns an error into an answer. It is the only package that knows Echo; what is
// below takes a context and plain values.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/nametag-dev/nametag/backend/assets"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
	"github.com/nametag-dev/nametag/web"
)

// Identifier finds out who stands behind the values of the Authorization header.
type Identifier interface {
	Identify(ctx context.Context, source string, authorization []string) (identity.Identification, error)
}

// Elevator reads an app instance from Wix with the app's own identity.
type Elevator interface {
	AppInstance(ctx context.Context, instanceID string) (*wix.AppInstance, error)
}

// Learner keeps our record of an instance true to what Wix says.
type Learner interface {
	// Want asks for the record to be brought up to date soon. It does not wait.
	Want(instanceID string)
	// Record takes over what Wix has just said.
	Record(ctx context.Context, instanceID string, said *wix.AppInstance) error
}

// Webhooks takes a delivery of Wix. When it returns nil, the event is durable.
type Webhooks interface {
	Receive(ctx context.Context, body []byte) error
}

// Composition is one whole app behind the HTTP contract: production is one, the
// demo is another.
type Composition struct {
	Identifier Identifier
	Elevator   Elevator
	Learner    Learner
	Store      instance.Store
	// Webhooks is nil where no public key is configured; the route is absent then.
	Webhooks Webhooks
}

// Options are what a Server is made of.
type Options struct {
	// BasePath is the path part of the public URL: "" or, say, "/app".
	BasePath string
	// Production is nil in `nametag demo`.
	Production *Composition
	// Demo and DemoSessions are both nil when the demo is off.
	Demo         *Composition
	DemoSessions DemoSessions

	Widget, Panel, Web *assets.Assets
	Home               web.HomeData
	Install            web.InstallData

	Logger *slog.Logger
	// Observe is told of every request, for metrics.
	Observe func(route string, status int, took time.Duration)
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// FrameAncestors are the hosts that may frame the panel; none means any.
	FrameAncestors []string
	// Draining says whether the process is on its way out.
	Draining func() bool
}

// Server answers Nametag's HTTP contract.
type Server struct {
	opts       Options
	echo       *echo.Echo
	requestIDs *requestIDs
}

// New builds the server and its routes. It starts nothing.
func New(o Options) *Server {
	s := &Server{opts: o, echo: echo.New(), requestIDs: newRequestIDs()}
	e := s.echo
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.handleError
	e.JSONSerializer = serializer{}
	e.IPExtractor = ipExtractor(o.TrustedProxies)
	e.Use(s.edge)

	base := e.Group(o.BasePath)
	if o.BasePath != "" {
		get(base, "", func(c echo.Context) error { return c.Redirect(http.StatusPermanentRedirect, o.BasePath+"/") })
	}
	get(base, "/healthz", s.healthz)
	get(base, "/readyz", s.readyz)
	get(base, "/", s.home)
	get(base, "/install", s.install)
	get(base, "/web/*", s.asset(o.Web))
	if o.Production != nil {
		s.mount(base, o.Production)
	}
	if o.Demo != nil {
		demo := e.Group(o.BasePath + "/demo")
		s.mount(demo, o.Demo)
		s.mountDemoSessions(demo)
	}
	return s
}

// ServeHTTP makes Server an http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// mount adds one composition's share of the contract below a group.
func (s *Server) mount(g *echo.Group, c *Composition) {
	h := newHandlers(c)
	get(g, "/api/get-instance", h.identified(h.getInstance))
	get(g, "/api/get-instance-data", h.identified(h.getInstanceData))
	get(g, "/api/settings", h.identified(h.getSettings))
	g.PUT("/api/settings", h.identified(h.putSettings))

	if c.Webhooks != nil {
		g.POST("/webhooks/wix", h.postWebhook)
	}

	get(g, "/widget.js", s.named(s.opts.Widget, "widget.js"))
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
	path = strings.TrimPrefix(path, s.opts.BasePath)
	return strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/demo/api/")
}

// ipExtractor believes X-Forwarded-For from the configured networks and from
// nobody else. Echo's own default believes everyone.
func ipExtractor(trusted []netip.Prefix) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, prefix := range trusted {
		options = append(options, echo.TrustIPRange(ipNet(prefix)))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}

func (s *Server) healthz(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

// readyz says whether requests should be sent here: the store answers and the
// process is not about to end. Wix being down does not make us unready, since
// known callers are still served.
func (s *Server) readyz(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	if s.opts.Draining() {
		return c.JSON(http.StatusServiceUnavailable, map[string]string{"status": "draining"})
	}
	if p := s.opts.Production; p != nil {
		ctx, cancel := context.WithTimeout(c.Request().Context(), time.Second)
		defer cancel()
		if err := p.Store.Ping(ctx); err != nil {
			s.opts.Logger.Error("the store does not answer", "cause", err)
			return c.JSON(http.StatusServiceUnavailable, map[string]string{"status": "store unreachable"})
		}
	}
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

func (s *Server) home(c echo.Context) error {
	return s.render(c, http.StatusOK, web.Home(s.opts.Home))
}

func (s *Server) install(c echo.Context) error {
	return s.render(c, http.StatusOK, web.Install(s.opts.Install))
}

// pageCSP lets our pages use their own files and nothing else.
const pageCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (s *Server) render(c echo.Context, status int, page templ.Component) error {
	h := c.Response().Header()
	h.Set(echo.HeaderContentSecurityPolicy, pageCSP)
	h.Set(echo.HeaderReferrerPolicy, "strict-origin-when-cross-origin")
	h.Set(echo.HeaderCacheControl, "no-cache")
	h.Set(echo.HeaderContentType, "text/html; charset=utf-8")
	c.Response().WriteHeader(status)
	return page.Render(c.Request().Context(), c.Response())
}
