package api

// The pages for people.

import (
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/nametag-dev/nametag/web"
)

func (s *Server) home(c echo.Context) error {
	return s.render(c, http.StatusOK, web.Home(web.HomeData{Product: s.opts.Product, BasePath: s.opts.BasePath, Demo: s.opts.Demo != nil}))
}

func (s *Server) install(c echo.Context) error {
	data := s.opts.Install
	if s.opts.InstallState != nil {
		state := s.opts.InstallState()
		data.State = &state
	}
	return s.render(c, http.StatusOK, web.Install(data))
}

// installState is what the install guide shows, for its script and for the command doctor. It
// is public, as the guide is, and holds nothing that helps a stranger.
func (s *Server) installState(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSON(http.StatusOK, s.opts.InstallState())
}

// pageCSP lets our pages use their own files and nothing else. Who may frame them follows.
const pageCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "

func (s *Server) render(c echo.Context, status int, page templ.Component) error {
	return write(c, status, page, policy{"'none'", "strict-origin-when-cross-origin", "no-cache"})
}

// policy is what a page allows: who may frame it, what its links send, who may store it.
type policy struct{ frameAncestors, referrer, cache string }

func write(c echo.Context, status int, page templ.Component, p policy) error {
	h := c.Response().Header()
	h.Set(echo.HeaderContentSecurityPolicy, pageCSP+p.frameAncestors)
	h.Set(echo.HeaderReferrerPolicy, p.referrer)
	h.Set(echo.HeaderCacheControl, p.cache)
	h.Set(echo.HeaderContentType, "text/html; charset=utf-8")
	c.Response().WriteHeader(status)
	return page.Render(c.Request().Context(), c.Response())
}
