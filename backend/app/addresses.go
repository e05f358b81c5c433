package app

// What an address, a URL or a network of the configuration may be. The errors go on after a
// variable's name, and show no value.

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const hostName = `[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*`

var (
	plainHost = regexp.MustCompile(`^(?i)` + hostName + `\.?$`)
	// plainPath keeps out what the router would read as a pattern and what would have
	// to be escaped in every link.
	plainPath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*$`)
	// frameAncestor is a host as Content-Security-Policy writes it. A space or a semicolon
	// would let a value write further directives.
	frameAncestor = regexp.MustCompile(`^(?i)(https?://(\*|(\*\.)?` + hostName + `)|(\*\.)?` + hostName + `\.` + hostName + `|localhost|\*)(:(\d+|\*))?/?$`)
)

func validHost(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil || plainHost.MatchString(host)
}

// checkAddress refuses what cannot be listened on.
func checkAddress(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && host != "" && !validHost(host) {
		err = errors.New("no host")
	}
	if _, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil {
		return errors.New("must be host:port, such as 127.0.0.1:8080, or :8080 for every address of this machine")
	}
	return nil
}

// isExposed reports whether an address to listen on may be reached from outside: it is not
// of this machine or of a private network, or a name, which can be any.
func isExposed(addr string) bool {
	host, _, _ := net.SplitHostPort(addr)
	if strings.EqualFold(host, "localhost") {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err != nil || !isPrivate(ip)
}

// collide reports whether two addresses cannot be listened on at once.
func collide(a, b string) bool {
	hostA, portA, _ := net.SplitHostPort(a)
	hostB, portB, _ := net.SplitHostPort(b)
	everywhere := func(host string) bool {
		ip, err := netip.ParseAddr(host)
		return host == "" || err == nil && ip.IsUnspecified()
	}
	return portA == portB && portA != "0" && (hostA == hostB || everywhere(hostA) || everywhere(hostB))
}

// shared is the address space between a provider and its customers, which virtual private
// networks use as well (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

func isPrivate(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || shared.Contains(ip)
}

// privateHost reports whether a host of a URL is in this machine or in a network of its own:
// a private address, or a name that no public DNS has.
func privateHost(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return isPrivate(ip)
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return !strings.Contains(host, ".") || slices.ContainsFunc([]string{".localhost", ".internal", ".local", ".home.arpa", ".test"},
		func(suffix string) bool { return strings.HasSuffix(host, suffix) })
}

// webURL reads a URL whose path may begin other paths. Its host is in lower case, and no
// slash ends it.
func webURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || !slices.Contains([]string{"http", "https"}, u.Scheme) || u.Host == "" {
		return nil, errors.New("must be a URL such as https://app.example.com")
	}
	port, portErr := strconv.ParseUint(u.Port(), 10, 16)
	switch {
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil:
		return nil, errors.New("must have neither a user, a query nor a fragment")
	case !validHost(u.Hostname()):
		return nil, errors.New("must have a host of letters, digits, '-' and '.'; other letters are written as punycode (xn--…)")
	case strings.HasSuffix(u.Host, ":") || u.Port() != "" && (portErr != nil || port == 0):
		return nil, errors.New("must have a port from 1 to 65535, or none")
	}
	u.Host = strings.ToLower(u.Host)
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	if !plainPath.MatchString(u.Path) || u.Path != "" && path.Clean(u.Path) != u.Path {
		return nil, errors.New("must have a path of letters, digits, '-', '.', '_' and '~' between single slashes, or none")
	}
	return u, nil
}

// trustedNetwork reads a network of proxies; an address stands for itself. One with most of
// the internet in it is refused: anybody there could choose the address that we see.
func trustedNetwork(text string) (netip.Prefix, error) {
	network, err := netip.ParsePrefix(text)
	if err != nil {
		ip, addrErr := netip.ParseAddr(text)
		if addrErr != nil || ip.Zone() != "" {
			return netip.Prefix{}, errors.New("is not a network such as 10.0.0.0/8")
		}
		network = netip.PrefixFrom(ip, ip.BitLen())
	}
	if ip := network.Addr(); ip.Is4In6() && network.Bits() >= 96 {
		network = netip.PrefixFrom(ip.Unmap(), network.Bits()-96)
	}
	network = network.Masked()
	widest := 8
	if ip := network.Addr(); ip.Is6() {
		widest = 16
		if ip.IsPrivate() || ip.IsLinkLocalUnicast() {
			widest = 7 // fc00::/7
		}
	}
	if network.Bits() < widest {
		return netip.Prefix{}, fmt.Errorf("is wider than a /%d, so that strangers could choose the address that their requests seem to come from: name the networks of your proxies alone", widest)
	}
	return network, nil
}
