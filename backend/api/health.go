package api

// Liveness and readiness.

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

func (s *Server) healthz(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

// readyz reports whether requests should be sent here: the store answers and takes writes,
// and the process is not about to end. An outage of Wix does not make us unready, since callers whose
// tokens are cached are still served.
func (s *Server) readyz(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	if s.opts.Draining() {
		return c.JSON(http.StatusServiceUnavailable, map[string]string{"status": "draining"})
	}
	if p := s.opts.Production; p != nil {
		ctx, cancel := context.WithTimeout(c.Request().Context(), time.Second)
		defer cancel()
		err := p.Store.Ping(ctx)
		if errors.Is(err, context.Canceled) {
			return err // the client has gone
		}
		// It is asked every few seconds: an outage is one line, and its end another.
		if was := s.storeAway.Swap(err != nil); err != nil && !was {
			s.opts.Logger.Error("not ready: the store does not answer or takes no writes", "cause", err)
		} else if err == nil && was {
			s.opts.Logger.Info("ready again: the store takes writes")
		}
		if err != nil {
			return c.JSON(http.StatusServiceUnavailable, map[string]string{"status": "store unreachable"})
		}
	}
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}
