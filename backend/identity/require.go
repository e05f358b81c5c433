package identity

// The middleware for net/http.

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"

	"github.com/nametag-dev/nametag/backend/apierr"
)

// Require returns middleware that verifies the access token of each request and puts the
// Caller into the request's context, where CallerFrom finds it. Visitor admits every
// verified caller, Owner and App only themselves. Any other request is answered by
// apierr.Write and does not reach next; that includes a token without an app instance
// (403 instance_required), so that the Caller's InstanceID is never empty.
//
// Every answer has Vary: Authorization. Require panics if role is none of the three.
func (v *Verifier) Require(role Role) func(next http.Handler) http.Handler {
	switch role {
	case Visitor, Owner, App:
	default:
		panic("identity: Require is called with an unknown role: " + string(role))
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Vary", "Authorization")
			found, err := v.Verify(r.Context(), v.clientIP(r), r.Header["Authorization"])
			if err == nil {
				err = found.Caller.Authorize(role)
			}
			if err != nil {
				v.refuse(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(WithCaller(r.Context(), found.Caller)))
		})
	}
}

// refuse answers a request that Require does not admit, and logs it under the request id
// that the client sees.
func (v *Verifier) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) {
		w.WriteHeader(apierr.StatusClientGone)
		return
	}
	refusal, requestID := apierr.As(err), rand.Text()
	level := slog.LevelDebug
	if refusal.Code.Status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	v.logger.LogAttrs(r.Context(), level, "request refused",
		slog.String("code", refusal.Code.Name), slog.String("requestId", requestID),
		slog.String("method", r.Method), slog.String("route", r.Pattern), slog.Any("cause", refusal.Err))
	apierr.Write(w, refusal, requestID)
}

// remoteHost is the default of Options.ClientIP.
func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
