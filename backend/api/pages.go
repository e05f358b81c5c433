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
