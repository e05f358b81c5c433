package api

// The functions of the app: their routes, their bodies, and what keeps a fault of theirs
// to the one request.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
)

const (
	// maxBody is the longest body of an own route, in bytes.
	maxBody = 1 << 20
	// handlerTimeout is how long a function of the app may take. The request is answered
	// then, whether the function looks at its context or not.
	handlerTimeout = 10 * time.Second
)

// mountRoutes adds the app's own routes below g and reports their methods.
func (s *Server) mountRoutes(g *echo.Group, h handlers) {
	for _, route := range h.App.Routes {
		handle := h.identified(route.Role, false, func(c call) error { return h.own(c, route) })
		path := "/api/" + route.Path
		if route.Method == http.MethodGet {
			get(g, path, handle)
		} else {
			g.Add(route.Method, path, handle)
		}
	}
}

// own answers one of the app's own routes.
func (h handlers) own(c call, route kit.Route) error {
	row, err := h.visit(c)
	if err != nil {
		return err
	}
	k := h.kitCall(c, row)
	if hasBody(route.Method) {
		if k.Body, err = readBody(c); err != nil {
			return err
		}
	}
	if names := c.ParamNames(); len(names) > 0 {
		k.Params = make(map[string]string, len(names))
		for i, name := range names {
			k.Params[name] = c.ParamValues()[i]
		}
	}
	reply, err := h.runner.run(c, route.Handle, k)
	if err != nil {
		return err
	}
	return writeReply(c, reply.Status, reply.BodyFor(k))
}

func (h handlers) kitCall(c call, row instance.Instance) kit.Call {
	return kit.Call{
		Caller: c.Caller, Instance: &row, At: c.at, URL: c.Request().URL, UpgradePage: h.UpgradePage, Logger: h.Logger,
	}
}

func hasBody(method string) bool {
	return slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, method)
}

// readBody reads a JSON body. No body at all is null.
func readBody(c call) (json.RawMessage, error) {
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, maxBody))
	switch {
	case err != nil:
		return nil, bodyError(err)
	case len(body) == 0:
		return nil, nil
	case !isJSON(c.Request()):
		return nil, &apierr.Error{Code: apierr.UnsupportedMediaType}
	case !json.Valid(body):
		return nil, &apierr.Error{Code: apierr.BodyMalformed, Err: errors.New("the body is not JSON")}
	}
	return body, nil
}

// bodyError says why the request's body could not be read. Whatever it was, the client did
// it: too long, too slow, broken, cut short.
func bodyError(err error) error {
	var (
		tooBig    *http.MaxBytesError
		operation *net.OpError
	)
	code := apierr.BodyMalformed
	switch {
	case errors.As(err, &tooBig), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, syscall.ECONNRESET):
		return errClientGone
	case errors.Is(err, os.ErrDeadlineExceeded):
		code = apierr.RequestTimeout
	}
	if errors.As(err, &operation) {
		err = operation.Err // without the client's address, which is not for the log
	}
	return &apierr.Error{Code: code, Err: fmt.Errorf("read the body: %w", err)}
}

func isJSON(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	return err == nil && kind == echo.MIMEApplicationJSON && r.Header.Get(echo.HeaderContentEncoding) == ""
}

// writeReply writes an answer of the app. A status of 0 is 200, or 204 without a body.
func writeReply(c call, status int, content any) error {
	switch {
	case content == nil && status == 0:
		status = http.StatusNoContent
	case status == 0:
		status = http.StatusOK
	}
	if status < 200 || status > 599 {
		return fmt.Errorf("the app answers with the status %d", status)
	}
	if content == nil {
		return c.NoContent(status)
	}
	// Encoded before anything is written, so that a value that cannot be encoded is an error
	// like any other.
	body, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	return c.writeJSON(status, body)
}

func (c call) writeJSON(status int, body []byte) error {
	c.Response().Header()[echo.HeaderXContentTypeOptions] = noSniff
	return c.JSONBlob(status, body)
}

// runner calls the functions of the app in the request's own goroutine.
type runner struct {
	log     *slog.Logger
	timeout time.Duration
	// unavailable reports whether an error of the app is the database's being away.
	unavailable func(error) bool
	// giveUp answers the request of a function that has not returned after the timeout.
	giveUp func(echo.Context, error)
}

// errAnswered says that the request has its answer already.
var errAnswered = errors.New("the request has been answered")

// run returns what the function returns. A panic is an error. A function that has not
// returned after the timeout cannot be stopped, but its request is answered: by another
// goroutine, which is safe because the function has no access to the answer. What it returns
// later is discarded (errAnswered).
func (r *runner) run(c call, f kit.Handler, k kit.Call) (kit.Reply, error) {
	ctx := &callContext{Context: c.ctx()}
	timer := time.AfterFunc(r.timeout, func() {
		ctx.end(func() {
			err := fmt.Errorf("a function of the app has not returned after %s", r.timeout)
			r.giveUp(c.Context, ofCaller(c.Context, c.Caller, err))
		})
	})
	got := r.recovered(ctx, f, k)
	timer.Stop()
	if !ctx.end(nil) {
		return kit.Reply{}, errAnswered
	}
	if got.err != nil {
		return kit.Reply{}, r.errorOf(c.ctx(), got.err)
	}
	return got.reply, nil
}

// errorOf says what a function's error means for the request.
func (r *runner) errorOf(ctx context.Context, err error) error {
	var known *apierr.Error
	switch {
	case errors.As(err, &known), errors.Is(err, instance.ErrRemoved), errors.Is(err, instance.ErrNotFound):
		return err
	case ctx.Err() != nil:
		return ctx.Err() // the client has gone
	case r.unavailable(err):
		return &apierr.Error{Code: apierr.StoreUnavailable, Err: err}
	}
	return err
}

type result struct {
	reply kit.Reply
	err   error
}

func (r *runner) recovered(ctx *callContext, f kit.Handler, c kit.Call) (got result) {
	defer func() {
		if p := recover(); p != nil {
			r.log.ErrorContext(ctx, "panic in a function of the app", "value", fmt.Sprint(p), "stack", string(debug.Stack()), "instanceId", c.Instance.ID)
			got = result{err: errors.New("panic in a function of the app")}
		}
	}()
	v, err := f(ctx, c)
	if reply, ok := v.(kit.Reply); ok {
		return result{reply, err}
	}
	return result{kit.Reply{Body: v}, err}
}
