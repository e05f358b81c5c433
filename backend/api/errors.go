package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/clientaddr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/web"
)

// errClientGone says that the client has hung up, where that is seen before the request's
// context ends.
var errClientGone = errors.New("the client has gone")

// handleError is the one place that turns an error of any route into an answer: status,
// code and a safe sentence. The cause goes to the log.
func (s *Server) handleError(err error, c echo.Context) {
	if c.Response().Committed || errors.Is(err, errAnswered) {
		return
	}
	if errors.Is(err, errClientGone) || errors.Is(err, context.Canceled) && c.Request().Context().Err() != nil {
		c.Set(codeKey, apierr.ClientGone)
		c.Response().WriteHeader(apierr.StatusClientGone)
		return
	}
	e := toAPIError(err)
	c.Set(codeKey, e.Code.Name)
	// Only what fails has an id, because nothing else is logged. It is never the client's
	// own: that would let anyone write into our log.
	id := s.requestIDs.next()
	h := c.Response().Header()
	e.SetHeader(h, id)
	identity.SetCORS(h)
	if e.Code == apierr.RequestTimeout {
		h.Set(echo.HeaderConnection, "close") // what is still to come is not waited for
	}
	s.logError(c, e, id)
	if err := s.writeError(c, e, id); err != nil {
		s.opts.Logger.DebugContext(c.Request().Context(), "could not write an error answer", "requestId", id, "cause", err)
	}
}

// The keys in Echo's context of what the error handler and the observer need to know.
const (
	codeKey   = "code"   // that was answered
	openKey   = "open"   // set for the page of the signed instance
	callerKey = "caller" // of a failed request, if it was identified
)

// ofCaller passes on the error of a request and says whose it was.
func ofCaller(c echo.Context, caller identity.Caller, err error) error {
	if err != nil {
		c.Set(callerKey, caller)
	}
	return err
}

// logError writes the one line of a request that was answered with an error. No value in it
// is longer than we make it.
func (s *Server) logError(c echo.Context, e *apierr.Error, requestID string) {
	level, message := slog.LevelInfo, "request refused"
	if e.Code.Status >= http.StatusInternalServerError {
		level, message = slog.LevelError, "request failed"
	}
	ctx := c.Request().Context()
	if !s.opts.Logger.Enabled(ctx, level) {
		return
	}
	attrs := append(make([]slog.Attr, 0, 9), slog.String("code", e.Code.Name), slog.Int("status", e.Code.Status),
		slog.String("method", method(c)), slog.String("route", route(c)))
	if caller, ok := c.Get(callerKey).(identity.Caller); ok {
		if caller.InstanceID != "" {
			attrs = append(attrs, slog.String("instanceId", caller.InstanceID))
		}
		if caller.Subject != "" {
			attrs = append(attrs, slog.String("subject", string(caller.Subject)))
		}
	}
	if addr, err := netip.ParseAddr(c.RealIP()); err == nil {
		attrs = append(attrs, slog.String("client", clientaddr.Network(addr).String()))
	}
	attrs = append(attrs, slog.String("requestId", requestID))
	if e.Err != nil {
		attrs = append(attrs, slog.Any("cause", e.Err))
	}
	s.opts.Logger.LogAttrs(ctx, level, message, attrs...)
}

// giveUp answers a request whose handler has not returned, and sends the answer at once. The
// connection can serve no other request until the handler returns.
func (s *Server) giveUp(c echo.Context, err error) {
	c.Response().Header().Set(echo.HeaderConnection, "close")
	s.handleError(err, c)
	c.Response().Flush()
}

func (s *Server) writeError(c echo.Context, e *apierr.Error, id string) error {
	if c.Get(openKey) != nil {
		return s.writeOpenError(c, e)
	}
	if wantsPage(c.Request()) && !s.isAPI(c.Request().URL.Path) {
		return s.render(c, e.Code.Status, web.Message(web.MessageData{
			Title: http.StatusText(e.Code.Status), Text: e.Code.Message, Status: e.Code.Status, BasePath: s.opts.BasePath,
		}))
	}
	body, err := json.Marshal(e.Body(id))
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentLength, strconv.Itoa(len(body)))
	h[echo.HeaderXContentTypeOptions] = noSniff
	return c.JSONBlob(e.Code.Status, body)
}

// toAPIError gives the errors of Echo (no such route, wrong method), of the body reader
// and of the domain their codes.
func toAPIError(err error) *apierr.Error {
	var (
		known   *apierr.Error
		httpErr *echo.HTTPError
		tooBig  *http.MaxBytesError
	)
	switch {
	case errors.As(err, &known) && (known.Code.Status < 400 || known.Code.Status > 599):
		return &apierr.Error{Code: apierr.Internal, Err: fmt.Errorf("an error with the status %d: %w", known.Code.Status, err)}
	case known != nil:
		return known
	case errors.Is(err, instance.ErrVersionConflict):
		return &apierr.Error{Code: apierr.VersionConflict, Err: err}
	case errors.Is(err, instance.ErrRemoved), errors.Is(err, instance.ErrNotFound):
		return &apierr.Error{Code: apierr.TokenInactive, Err: err}
	case errors.As(err, &tooBig):
		return &apierr.Error{Code: apierr.BodyTooLarge, Err: err}
	case errors.As(err, &httpErr) && httpErr.Code == http.StatusNotFound:
		return &apierr.Error{Code: apierr.NotFound}
	case errors.As(err, &httpErr) && httpErr.Code == http.StatusMethodNotAllowed:
		return &apierr.Error{Code: apierr.MethodNotAllowed}
	}
	return apierr.As(err)
}

// storeError says that the database failed, unless the error has a meaning of its own. A
// call that was canceled, but not by the client, had joined that of another client which has
// gone.
func storeError(ctx context.Context, err error) error {
	var known *apierr.Error
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, context.Canceled) && ctx.Err() != nil,
		errors.Is(err, instance.ErrVersionConflict), errors.Is(err, instance.ErrRemoved), errors.Is(err, instance.ErrNotFound):
		return err
	}
	return &apierr.Error{Code: apierr.StoreUnavailable, Err: fmt.Errorf("the store: %w", err)}
}

// wantsPage reports whether the client is a person's browser asking for a page.
func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get(echo.HeaderAccept), echo.MIMETextHTML)
}
