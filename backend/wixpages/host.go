package wixpages

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/nametag-dev/nametag/backend/wixsim"
)

// knownHost refuses requests under a name that someone else could point at this machine (DNS
// rebinding), and read the sites' ids with. Nobody can do so with an address, or with the
// names that stay within a machine or its containers: localhost, app.localhost, a name
// without a dot, host.docker.internal.
func knownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isKnownHost(r.Host) {
			wixsim.WriteError(w, http.StatusForbidden, "the offline Wix answers under an address or a local name only")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isKnownHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	host = "." + strings.ToLower(strings.TrimSuffix(host, "."))
	last := host[strings.LastIndexByte(host, '.'):]
	return last == host || last == ".localhost" || last == ".internal"
}
