// Package clientaddr finds the address of the client behind the reverse proxies that an
// operator trusts.
package clientaddr

import (
	"net/http"
	"net/netip"
	"strings"
)

// Resolver finds the client of a request. It is safe for concurrent use.
type Resolver struct {
	trusted []netip.Prefix
}

// New returns a Resolver that believes the X-Forwarded-For of peers in the trusted
// networks. Without any, the client is the peer.
func New(trusted []netip.Prefix) *Resolver {
	r := &Resolver{trusted: make([]netip.Prefix, 0, len(trusted))}
	for _, prefix := range trusted {
		r.trusted = append(r.trusted, unmapped(prefix))
	}
	return r
}

// Client returns the address of the client, without a zone and never as an IPv4 address
// mapped to IPv6. It is the first address from the right of X-Forwarded-For that belongs
// to no trusted network; if all do, the leftmost one; if the peer is not trusted, the peer.
//
// An entry that has no address ("unknown", "_hidden", "unix:") is passed over: only a
// trusted proxy can have written it, and the address of that proxy is shared by everyone
// who comes through it.
//
// The zero Addr is returned if the peer has no address, as on a Unix socket, and no
// address was forwarded.
func (r *Resolver) Client(req *http.Request) netip.Addr {
	client := parse(req.RemoteAddr)
	headers := req.Header[forwardedFor]
	for i := len(headers) - 1; i >= 0; i-- {
		for rest, more := headers[i], true; more; {
			if !r.trusts(client) {
				return client
			}
			var entry string
			rest, entry, more = cutLast(rest)
			if addr := parse(entry); addr.IsValid() {
				client = addr
			}
		}
	}
	return client
}

// IgnoresForwarded reports whether the request names the client it is forwarded for, but
// comes from a peer that is not trusted: often a reverse proxy that the configuration
// forgot, whose clients are all taken for one.
func (r *Resolver) IgnoresForwarded(req *http.Request) bool {
	if req.Header[forwardedFor] == nil && req.Header["Forwarded"] == nil {
		return false
	}
	return !r.trusts(parse(req.RemoteAddr))
}

// Network returns the network of an address in the width that a log may show: /24 of IPv4,
// /48 of IPv6. It is the zero Prefix for the zero Addr.
func Network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	prefix, _ := addr.Prefix(bits)
	return prefix
}

const forwardedFor = "X-Forwarded-For"

func (r *Resolver) trusts(addr netip.Addr) bool {
	for _, prefix := range r.trusted {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// cutLast cuts the last entry off a list.
func cutLast(list string) (rest, entry string, more bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return "", list, false
	}
	return list[:i], list[i+1:], true
}

// parse reads an address as proxies write it: with or without a port, brackets, quotes and a
// zone. It returns the zero Addr for anything else, and for 0.0.0.0 and ::, which are
// nobody's.
func parse(entry string) netip.Addr {
	entry = strings.Trim(entry, " \t\"")
	if inner, ok := strings.CutPrefix(entry, "["); ok {
		entry, _, _ = strings.Cut(inner, "]")
	} else if host, _, ok := strings.Cut(entry, ":"); ok && strings.Contains(host, ".") {
		entry = host
	}
	addr, err := netip.ParseAddr(entry)
	if err != nil {
		// An IPv6 address that is written in full may have a port without brackets.
		if addr, err = netip.ParseAddr(entry[:max(strings.LastIndexByte(entry, ':'), 0)]); err != nil {
			return netip.Addr{}
		}
	}
	if addr = addr.Unmap().WithZone(""); addr.IsUnspecified() {
		return netip.Addr{}
	}
	return addr
}

// unmapped returns the IPv4 network of one that is written as mapped to IPv6, as addresses
// are compared.
func unmapped(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}
