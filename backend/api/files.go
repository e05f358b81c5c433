package api

import (
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/nametag-dev/nametag/backend/assets"
)

// panelCSP lets the settings panel load its own files and call its own server. It
// is framed by Wix's editor, whose hosts Wix does not list, so frame-ancestors is
// added only when configured: a panel that holds no cookie and gets its token from
// its host loses nothing to a stranger's frame.
const panelCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'"

func (s *Server) panelPage(c echo.Context) error {
	csp := panelCSP
	if hosts := s.opts.FrameAncestors; len(hosts) > 0 {
		csp += "; frame-ancestors " + strings.Join(hosts, " ")
	}
	c.Response().Header().Set(echo.HeaderContentSecurityPolicy, csp)
	return s.named(s.opts.Panel, "index.html")(c)
}

// asset serves the file that the route's * names.
func (s *Server) asset(files *assets.Assets) echo.HandlerFunc {
	return func(c echo.Context) error {
		return serve(c, files, c.Param("*"))
	}
}

// hashedAsset is asset for the names that never change their content. The others
// have a URL of their own; under a second one, widget.js would look for its API in
// the wrong place.
func (s *Server) hashedAsset(files *assets.Assets) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !assets.Hashed(c.Param("*")) {
			return echo.ErrNotFound
		}
		return serve(c, files, c.Param("*"))
	}
}

// named serves one file at a URL that other people's pages hold.
func (s *Server) named(files *assets.Assets, name string) echo.HandlerFunc {
	return func(c echo.Context) error { return serve(c, files, name) }
}

func serve(c echo.Context, files *assets.Assets, name string) error {
	if !files.Serve(c.Response(), c.Request(), name) {
		return echo.ErrNotFound
	}
	return nil
}
