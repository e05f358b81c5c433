package api

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/web"
)

// statusOf maps every code to its HTTP status. It is the only place that does.
var statusOf = map[instance.Code]int{
	instance.CodeTokenMissing:         http.StatusUnauthorized,
	instance.CodeTokenMalformed:       http.StatusUnauthorized,
	instance.CodeTokenInactive:        http.StatusUnauthorized,
	instance.CodeTokenExpired:         http.StatusUnauthorized,
	instance.CodeTokenForeign:         http.StatusForbidden,
	instance.CodeOwnerRequired:        http.StatusForbidden,
	instance.CodeNotFound:             http.StatusNotFound,
	instance.CodeMethodNotAllowed:     http.StatusMethodNotAllowed,
	instance.CodeVersionConflict:      http.StatusPreconditionFailed,
	instance.CodeVersionRequired:      http.StatusPreconditionRequired,
	instance.CodeBodyTooLarge:         http.StatusRequestEntityTooLarge,
	instance.CodeUnsupportedMediaType: http.StatusUnsupportedMediaType,
	instance.CodeInvalidSettings:      http.StatusUnprocessableEntity,
	instance.CodeRateLimited:          http.StatusTooManyRequests,
	instance.CodeWixBadResponse:       http.StatusBadGateway,
	instance.CodeWixUnavailable:       http.StatusServiceUnavailable,
	instance.CodeWixTimeout:           http.StatusGatewayTimeout,
	instance.CodeInternal:             http.StatusInternalServerError,
	instance.CodeWebhookMalformed:     http.StatusBadRequest,
	instance.CodeWebhookRefused:       http.StatusUnauthorized,
	instance.CodeStoreUnavailable:     http.StatusServiceUnavailable,
}

// retryAfterDefault is told where the contract promises a Retry-After and nobody
// knows better.
const retryAfterDefault = 5 * time.Second

// statusClientGone is logged, as nginx does, when the client hung up first. No
// client sees it.
const statusClientGone = 499

type errorBody struct {
	Error     string                `json:"error"`
	Code      instance.Code         `json:"code"`
	RequestID string                `json:"requestId"`
	Fields    []instance.FieldError `json:"fields,omitempty"`
}

// handleError is the one error mapper: it turns any error of any route into a
// status, a code and a safe sentence, and gives the cause to the log.
func (s *Server) handleError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	if errors.Is(err, context.Canceled) && c.Request().Context().Err() != nil {
		c.Response().WriteHeader(statusClientGone)
		return
	}
	e := toDomain(err)
	h := c.Response().Header()
	// Only what fails has an id: nothing else is ever logged. Never the client's own: it
	// would let anyone write into our log.
	status, id := statusOf[e.Code], s.requestIDs.next()
	h.Set(echo.HeaderXRequestID, id)
	h.Set(echo.HeaderAccessControlExposeHeaders, corsExpose)
	switch status {
	case http.StatusUnauthorized:
		h.Set(echo.HeaderWWWAuthenticate, `Bearer realm="nametag", error="`+wwwError(e.Code)+`"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set(echo.HeaderRetryAfter, retryAfter(e.RetryAfter))
	}
	if status >= http.StatusInternalServerError {
		s.opts.Logger.LogAttrs(c.Request().Context(), slog.LevelError, "request failed",
			slog.String("code", string(e.Code)), slog.Int("status", status),
			slog.String("method", c.Request().Method), slog.String("route", c.Path()),
			slog.String("requestId", id), slog.Any("cause", e.Err))
	}
	h.Set(echo.HeaderCacheControl, "no-store")
	if err := s.writeError(c, status, e, id); err != nil {
		s.opts.Logger.Warn("could not write an error answer", "requestId", id, "cause", err)
	}
}

func (s *Server) writeError(c echo.Context, status int, e *instance.Error, id string) error {
	if wantsPage(c.Request()) && !s.isAPI(c.Request().URL.Path) {
		return s.render(c, status, web.Message(web.MessageData{
			Title: http.StatusText(status), Text: e.Message(), Status: status, BasePath: s.opts.BasePath,
		}))
	}
	return c.JSON(status, errorBody{e.Message(), e.Code, id, e.Fields})
}

// toDomain brings Echo's own errors (no such route, wrong method) and the body
// reader's into the domain's codes.
func toDomain(err error) *instance.Error {
	var (
		domain  *instance.Error
		httpErr *echo.HTTPError
		tooBig  *http.MaxBytesError
	)
	switch {
	case errors.As(err, &domain):
		return domain
	case errors.As(err, &tooBig):
		return &instance.Error{Code: instance.CodeBodyTooLarge, Err: err}
	case errors.As(err, &httpErr) && httpErr.Code == http.StatusNotFound:
		return &instance.Error{Code: instance.CodeNotFound}
	case errors.As(err, &httpErr) && httpErr.Code == http.StatusMethodNotAllowed:
		return &instance.Error{Code: instance.CodeMethodNotAllowed}
	}
	return instance.AsError(err)
}

// wwwError gives RFC 6750's word for a refusal.
func wwwError(code instance.Code) string {
	if code == instance.CodeTokenMissing || code == instance.CodeTokenMalformed {
		return "invalid_request"
	}
	return "invalid_token"
}

// retryAfter renders a delay as whole seconds, rounded up: 0 would mean "at once".
func retryAfter(d time.Duration) string {
	if d <= 0 {
		d = retryAfterDefault
	}
	return strconv.Itoa(int(math.Ceil(d.Seconds())))
}

// wantsPage reports whether the client is a person's browser asking for a page.
func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get(echo.HeaderAccept), echo.MIMETextHTML)
}
