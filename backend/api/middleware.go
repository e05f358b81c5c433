package api

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
)

// edge is the one middleware, because Echo makes each of them anew for every request. It
// turns panics and errors into answers early enough for the metrics to see the final
// status, and hands the outcome to them.
func (s *Server) edge(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		if err := s.guarded(next, c); err != nil {
			c.Error(err)
		}
		route := c.Path()
		if route == "" {
			route = "unmatched"
		}
		s.opts.Observe(route, c.Response().Status, time.Since(start))
		return nil
	}
}

// guarded answers behind the CORS headers. A panic becomes the error "internal",
// except the one that means "cut the connection".
func (s *Server) guarded(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		switch r := recover(); r {
		case nil:
		case http.ErrAbortHandler:
			panic(r)
		default:
			s.opts.Logger.Error("panic", "value", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = errors.New("panic in a handler")
		}
	}()
	if !s.isAPI(c.Request().URL.Path) {
		c.Response().Header()[echo.HeaderXContentTypeOptions] = noSniff
		return next(c)
	}
	openToAll(c.Response().Header())
	if c.Request().Method == http.MethodOptions {
		return preflight(c)
	}
	return next(c)
}

// requestIDs makes ids that are unique among all processes: a random start and a count.
type requestIDs struct {
	start string
	count atomic.Uint64
}

func newRequestIDs() *requestIDs { return &requestIDs{start: rand.Text()[:12] + "-"} }

func (r *requestIDs) next() string {
	b := append(make([]byte, 0, 32), r.start...)
	return string(strconv.AppendUint(b, r.count.Add(1), 36))
}

const (
	corsMethods = "GET, HEAD, PUT, OPTIONS"
	// corsExpose stands where one of them does: on errors and on settings.
	corsExpose = "ETag, Retry-After, X-Request-Id"
	// corsMaxAge is the longest that Chromium remembers a preflight, in seconds.
	corsMaxAge = "7200"
)

// openToAll opens the API to every origin: a site's origin cannot be listed (any
// domain may be one), and the credential is a header that no browser adds by
// itself, so "*" without credentials gives nothing away. The headers stand on
// errors too, or the widget would see a bare "Failed to fetch". They do not depend
// on the Origin header, so that no cache can hold an answer without them.
func openToAll(h http.Header) {
	h[echo.HeaderAccessControlAllowOrigin] = allOrigins
}

func preflight(c echo.Context) error {
	h := c.Response().Header()
	h.Set(echo.HeaderAccessControlAllowMethods, corsMethods)
	// Echoed, because Wix's packages add headers of their own (x-wix-linguist,
	// X-Wix-Consistent) and "*" would not cover Authorization.
	if asked := c.Request().Header.Get(echo.HeaderAccessControlRequestHeaders); asked != "" {
		h.Set(echo.HeaderAccessControlAllowHeaders, asked)
	}
	h.Set(echo.HeaderAccessControlMaxAge, corsMaxAge)
	h.Set(echo.HeaderVary, echo.HeaderAccessControlRequestHeaders)
	return c.NoContent(http.StatusNoContent)
}

// Shared header values: net/http only reads them.
var (
	allOrigins = []string{"*"}
	noSniff    = []string{"nosniff"}
)

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Masked().Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
