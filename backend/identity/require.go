package identity

// The middleware for net/http.

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/clientaddr"
)

// Require returns middleware that verifies the access token of each request and puts the
// Caller into the request's context, where CallerFrom finds it. Visitor admits every
// verified caller, Owner the app too, and App only itself. Any other request is answered by
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
			ip := v.clientIP(r)
			found, err := v.Verify(r.Context(), ip, r.Header["Authorization"])
			if err == nil {
				err = found.Caller.Authorize(role)
			}
			if err != nil {
				v.refuse(w, r, ip, found.Caller, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(WithCaller(r.Context(), found.Caller)))
		})
	}
}

// refuse answers a request that Require does not admit, and logs it under the request id
// that the client sees. caller is empty unless it was identified.
func (v *Verifier) refuse(w http.ResponseWriter, r *http.Request, ip string, caller Caller, err error) {
	if errors.Is(err, context.Canceled) {
		w.WriteHeader(apierr.StatusClientGone)
		return
	}
	refusal, requestID := apierr.As(err), rand.Text()
	level, message := slog.LevelInfo, "request refused"
	if refusal.Code.Status >= http.StatusInternalServerError {
		level, message = slog.LevelError, "request failed"
	}
	if v.logger.Enabled(r.Context(), level) {
		attrs := []slog.Attr{
			slog.String("code", refusal.Code.Name), slog.Int("status", refusal.Code.Status), slog.String("route", r.Pattern),
		}
		if caller.InstanceID != "" {
			attrs = append(attrs, slog.String("instanceId", caller.InstanceID))
		}
		if caller.Subject != "" {
			attrs = append(attrs, slog.String("subject", string(caller.Subject)))
		}
		if addr, err := netip.ParseAddr(ip); err == nil {
			attrs = append(attrs, slog.String("client", clientaddr.Network(addr).String()))
		}
		attrs = append(attrs, slog.String("requestId", requestID))
		if refusal.Err != nil {
			attrs = append(attrs, slog.Any("cause", refusal.Err))
		}
		v.logger.LogAttrs(r.Context(), level, message, attrs...)
	}
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
