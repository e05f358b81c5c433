package api

// The API is open to every origin, for the reason that identity.CORS gives.

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/nametag-dev/nametag/backend/identity"
)

// allOrigins is a shared header value: net/http only reads it.
var allOrigins = []string{"*"}

// openToAll opens an answer to every origin. It is less than identity.SetCORS, because a
// known caller's get-instance has no header that a script would read.
func openToAll(h http.Header) {
	h[echo.HeaderAccessControlAllowOrigin] = allOrigins
}

func (s *Server) preflight(c echo.Context) error {
	identity.Preflight(c.Response(), c.Request(), s.corsMethods)
	return nil
}

// methodsOfAPI lists the methods of all routes of the API.
func (s *Server) methodsOfAPI() string {
	methods := []string{http.MethodOptions}
	for _, r := range s.echo.Routes() {
		if s.isAPI(r.Path) {
			methods = append(methods, r.Method)
		}
	}
	slices.Sort(methods)
	return strings.Join(slices.Compact(methods), ", ")
}
