package api

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
)

// edge is the one middleware, because Echo builds the chain of them again for every request. It
// turns panics and errors into answers early enough for the metrics to see the final
// status, and hands the outcome to them.
func (s *Server) edge(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		c.Request().Pattern = c.Path() // for who is around us, as net/http's own router does
		if err := s.recovered(next, c); err != nil {
			c.Error(err)
		}
		status, code := c.Response().Status, ""
		if status >= http.StatusBadRequest {
			code, _ = c.Get(codeKey).(string)
		}
		s.opts.Observe(Observation{method(c), route(c), status, code, time.Since(start)})
		return nil
	}
}

// route is the pattern of a request's route.
func route(c echo.Context) string { return cmp.Or(c.Path(), "unmatched") }

// method is the method of a request. One that is not in use is the client's to choose, and
// is replaced as the conventions of OpenTelemetry say.
func method(c echo.Context) string {
	switch m := c.Request().Method; m {
	case http.MethodGet, http.MethodPost, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodTrace:
		return m
	}
	return "_OTHER"
}

// recovered answers behind the CORS headers. A panic becomes the error "internal",
// except the one that means "cut the connection".
func (s *Server) recovered(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		switch r := recover(); r {
		case nil:
		case http.ErrAbortHandler:
			panic(r)
		default:
			s.opts.Logger.ErrorContext(c.Request().Context(), "panic", "value", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = errors.New("panic in a handler")
		}
	}()
	if !s.isAPI(c.Request().URL.Path) {
		c.Response().Header()[echo.HeaderXContentTypeOptions] = noSniff
		return next(c)
	}
	openToAll(c.Response().Header())
	if c.Request().Method == http.MethodOptions {
		return s.preflight(c)
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

// noSniff is a shared header value: net/http only reads it.
var noSniff = []string{"nosniff"}
