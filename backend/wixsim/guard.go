package wixsim

// Who may use the control API and the pages.

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// minPassword is the length of the shortest Config.Password, in bytes.
const minPassword = 12

// Guard lets a request pass that has the password, where one is configured; another gets 401.
// The Host must be KnownHost.
func (s *Sim) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.KnownHost(r.Host) {
			WriteError(w, http.StatusForbidden, "the offline Wix answers under an address or a local name only")
			return
		}
		if s.cfg.Password != "" && !s.hasPassword(r) {
			w.Header().Set("WWW-Authenticate", `Basic realm="the offline Wix", charset="UTF-8"`)
			WriteError(w, http.StatusUnauthorized, "the offline Wix wants its password: of the user sim, or as a Bearer token")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Sim) hasPassword(r *http.Request) bool {
	user, given, ok := r.BasicAuth()
	if !ok || user != "sim" {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return false
		}
		given = strings.TrimSpace(token)
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.cfg.Password))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// sameOrigin refuses requests of web pages of other origins with 403: where the browser sends
// the page's origin, it must be the Host's. Without a password, the Host must be a loopback
// address, which a name that an attacker resolves to 127.0.0.1 (DNS rebinding) is not.
func (s *Sim) sameOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.cfg.Password == "" && !isLoopback(r.Host) {
			WriteError(w, http.StatusForbidden, "the control API answers under a loopback address only")
			return
		}
		scheme := "http://"
		if r.TLS != nil {
			scheme = "https://"
		}
		for _, origin := range r.Header.Values("Origin") {
			if !strings.EqualFold(origin, scheme+r.Host) {
				WriteError(w, http.StatusForbidden, "the control API does not answer pages of other origins")
				return
			}
		}
		switch r.Header.Get("Sec-Fetch-Site") {
		case "", "none", "same-origin":
			next.ServeHTTP(w, r)
		default:
			WriteError(w, http.StatusForbidden, "the control API does not answer pages of other origins")
		}
	})
}

// isLoopback says whether a Host header, with or without a port, is of this machine.
func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// KnownHost says whether a Host header, with or without a port, is one that nobody else could
// point at this machine (DNS rebinding) to read the sites' ids: an address, or a name that
// stays within a machine or its containers, such as localhost, app.localhost, a name without a
// dot and host.docker.internal, or one of Config.Hosts.
func (s *Sim) KnownHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	if slices.ContainsFunc(s.cfg.Hosts, func(name string) bool { return strings.EqualFold(name, host) }) {
		return true
	}
	host = "." + strings.ToLower(strings.TrimSuffix(host, "."))
	last := host[strings.LastIndexByte(host, '.'):]
	return last == host || last == ".localhost" || last == ".internal"
}
