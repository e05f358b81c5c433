package clientaddr

import (
	"net/netip"
	"testing"
)

func FuzzClient(f *testing.F) {
	f.Add("10.0.0.1:4000", "203.0.113.7:40000, unknown", "[2001:db8::7%eth0]:443")
	f.Add("[fe80::1%eth0]:1", "::ffff:203.0.113.7", `"[`)
	f.Add("@", "]:[,,%", "2001:db8:0:0:0:0:0:7:443")
	resolver, stranger := New(proxies), netip.MustParseAddr("203.0.113.7")
	f.Fuzz(func(t *testing.T, peer, first, second string) {
		got := resolver.Client(request(peer, first, second))
		from := New(nil).Client(request(peer, first, second))
		switch {
		case got.Is4In6() || got.Zone() != "":
			t.Errorf("the client is %v, which has another spelling", got)
		case !resolver.trusts(from) && got != from:
			t.Errorf("the client of the stranger %v is %v", from, got)
		case from.IsValid() && !got.IsValid():
			t.Errorf("the peer %v is known, the client is not", from)
		}
		// Whatever the client sends, a proxy appends the address that it sees.
		if got := resolver.Client(request("10.0.0.1:4000", first, second+", "+stranger.String()+":1")); got != stranger {
			t.Errorf("the client is %v, want what the trusted proxy appended", got)
		}
	})
}
