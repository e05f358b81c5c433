package clientaddr

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// proxies are the trusted networks of the tests.
var proxies = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("::ffff:192.168.0.0/112"),
	netip.MustParsePrefix("fd00::/8"),
	netip.MustParsePrefix("fe80::/10"),
}

func request(peer string, forwarded ...string) *http.Request {
	r := &http.Request{RemoteAddr: peer, Header: http.Header{}}
	for _, line := range forwarded {
		r.Header.Add("X-Forwarded-For", line)
	}
	return r
}

func TestClient(t *testing.T) {
	const proxy = "10.0.0.1:4000"
	tests := []struct {
		name      string
		peer      string
		forwarded []string
		want      string
	}{
		{"a direct client", "203.0.113.7:40000", nil, "203.0.113.7"},
		{"a direct client, IPv6", "[2001:db8::7]:40000", nil, "2001:db8::7"},
		{"a direct client, IPv6 with a zone", "[2001:db8::7%eth0]:40000", nil, "2001:db8::7"},
		{"a direct client, mapped IPv4", "[::ffff:203.0.113.7]:40000", nil, "203.0.113.7"},
		{"a direct client is not believed", "203.0.113.7:40000", []string{"198.51.100.1"}, "203.0.113.7"},
		{"a peer without an address", "@", nil, ""},
		{"a peer without an address is not believed", "@", []string{"198.51.100.1"}, ""},

		{"plain", proxy, []string{"203.0.113.7"}, "203.0.113.7"},
		{"with a port (Azure Application Gateway)", proxy, []string{"203.0.113.7:40000"}, "203.0.113.7"},
		{"with an empty port", proxy, []string{"203.0.113.7:"}, "203.0.113.7"},
		{"with an obfuscated port", proxy, []string{"203.0.113.7:_p1"}, "203.0.113.7"},
		{"IPv6", proxy, []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv6 in brackets", proxy, []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"IPv6 in brackets with a port", proxy, []string{"[2001:db8::7]:443"}, "2001:db8::7"},
		{"IPv6 in full with a port, without brackets", proxy, []string{"2001:db8:0:0:0:0:0:7:443"}, "2001:db8::7"},
		{"IPv6 with a zone", proxy, []string{"2001:db8::7%eth0"}, "2001:db8::7"},
		{"IPv6 with a zone in brackets with a port", proxy, []string{"[2001:db8::7%eth0]:443"}, "2001:db8::7"},
		{"mapped IPv4", proxy, []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		{"mapped IPv4 in hexadecimal digits", proxy, []string{"::ffff:cb00:7107"}, "203.0.113.7"},
		{"mapped IPv4 with a port", proxy, []string{"[::ffff:203.0.113.7]:443"}, "203.0.113.7"},
		{"in quotes, as in Forwarded", proxy, []string{`"[2001:db8::7]:443"`}, "2001:db8::7"},
		{"spaces and tabs", proxy, []string{" \t203.0.113.7\t "}, "203.0.113.7"},

		{"two proxies", proxy, []string{"203.0.113.7, 10.0.0.2"}, "203.0.113.7"},
		{"two proxies with ports", proxy, []string{"203.0.113.7:1, 10.0.0.2:2"}, "203.0.113.7"},
		{"two proxies, no space", proxy, []string{"203.0.113.7,10.0.0.2"}, "203.0.113.7"},
		{"two header lines", proxy, []string{"203.0.113.7", "10.0.0.2"}, "203.0.113.7"},
		{"many header lines", proxy, []string{"1.1.1.1", "", "203.0.113.7, 10.0.0.4", "10.0.0.3", "10.0.0.2"}, "203.0.113.7"},
		{"a trusted peer in mapped IPv4", "[::ffff:10.0.0.1]:4000", []string{"203.0.113.7"}, "203.0.113.7"},
		{"a trusted network in mapped IPv4", "192.168.0.1:4000", []string{"203.0.113.7"}, "203.0.113.7"},
		{"a trusted peer with a zone", "[fe80::1%eth0]:4000", []string{"203.0.113.7"}, "203.0.113.7"},
		{"a trusted proxy with a zone", proxy, []string{"203.0.113.7, fe80::1%eth0"}, "203.0.113.7"},
		{"all are trusted", proxy, []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},

		{"spoofed on the left", proxy, []string{"1.1.1.1, 203.0.113.7"}, "203.0.113.7"},
		{"spoofed on the left in a line of its own", proxy, []string{"1.1.1.1", "203.0.113.7"}, "203.0.113.7"},
		{"spoofed as a trusted proxy", proxy, []string{"1.1.1.1, 10.9.9.9, 203.0.113.7"}, "203.0.113.7"},
		{"rubbish on the left", proxy, []string{"'; drop table, \x00, ::::, 203.0.113.7"}, "203.0.113.7"},
		{"a hundred on the left", proxy, []string{strings.Repeat("1.1.1.1, ", 100) + "203.0.113.7"}, "203.0.113.7"},
		{"a hundred proxies", proxy, []string{"203.0.113.7" + strings.Repeat(", 10.0.0.9", 100)}, "203.0.113.7"},

		{"unknown in the middle", proxy, []string{"203.0.113.7, unknown, 10.0.0.2"}, "203.0.113.7"},
		{"unknown from the nearest proxy", proxy, []string{"203.0.113.7, unknown"}, "203.0.113.7"},
		{"a hidden one in the middle", proxy, []string{"203.0.113.7, _hidden, 10.0.0.2"}, "203.0.113.7"},
		{"a Unix socket in the middle (nginx)", proxy, []string{"203.0.113.7, unix:"}, "203.0.113.7"},
		{"a host name in the middle", proxy, []string{"203.0.113.7, proxy.example:8080"}, "203.0.113.7"},
		{"an unspecified address in the middle", proxy, []string{"203.0.113.7, 0.0.0.0, [::]:80"}, "203.0.113.7"},
		{"empty entries", proxy, []string{"203.0.113.7, , ,,"}, "203.0.113.7"},
		{"unknown left of the client", proxy, []string{"unknown, 203.0.113.7"}, "203.0.113.7"},
		{"only unknown", proxy, []string{"unknown"}, "10.0.0.1"},
		{"only unknown behind two proxies", proxy, []string{"unknown, 10.0.0.2"}, "10.0.0.2"},
		{"an empty header", proxy, []string{""}, "10.0.0.1"},
		{"leading zeros are no address", proxy, []string{"203.0.113.7, 010.0.0.1"}, "203.0.113.7"},
	}
	resolver := New(proxies)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var want netip.Addr
			if tt.want != "" {
				want = netip.MustParseAddr(tt.want)
			}
			if got := resolver.Client(request(tt.peer, tt.forwarded...)); got != want {
				t.Errorf("the client is %v, want %v", got, want)
			}
		})
	}
}

func TestClient_costsNoAllocation(t *testing.T) {
	resolver, r := New(proxies), request("10.0.0.1:4000", "203.0.113.7:40000, [fd00::1]:443")
	if n := testing.AllocsPerRun(100, func() { resolver.Client(r) }); n != 0 {
		t.Errorf("Client makes %v allocations, want none", n)
	}
}

func TestIgnoresForwarded(t *testing.T) {
	tests := []struct {
		name   string
		peer   string
		header string
		want   bool
	}{
		{"nothing is forwarded", "203.0.113.7:1", "", false},
		{"X-Forwarded-For from a stranger", "203.0.113.7:1", "X-Forwarded-For", true},
		{"Forwarded from a stranger", "203.0.113.7:1", "Forwarded", true},
		{"X-Forwarded-For from a peer without an address", "@", "X-Forwarded-For", true},
		{"X-Forwarded-For from a trusted proxy", "10.0.0.1:1", "X-Forwarded-For", false},
		{"Forwarded from a trusted proxy", "10.0.0.1:1", "Forwarded", false},
	}
	resolver := New(proxies)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request(tt.peer)
			if tt.header != "" {
				r.Header.Set(tt.header, "for=198.51.100.1")
			}
			if got := resolver.IgnoresForwarded(r); got != tt.want {
				t.Errorf("IgnoresForwarded is %v, want %v", got, tt.want)
			}
		})
	}
}

func TestNetwork(t *testing.T) {
	tests := map[string]string{
		"203.0.113.7":           "203.0.113.0/24",
		"::ffff:203.0.113.7":    "203.0.113.0/24",
		"2001:db8:1:2::7":       "2001:db8:1::/48",
		"2001:db8:1:2::7%eth0":  "2001:db8:1::/48",
		"fe80::1%25;rm -rf /#x": "fe80::/48",
	}
	for addr, want := range tests {
		if got := Network(netip.MustParseAddr(addr)); got.String() != want {
			t.Errorf("the network of %s is %v, want %s", addr, got, want)
		}
	}
	if got := Network(netip.Addr{}); got.IsValid() {
		t.Errorf("the network of no address is %v, want none", got)
	}
}
