package app

import (
	"net"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// anyText is text of which some is an address and much looks like one.
func anyText() *rapid.Generator[string] {
	parts := rapid.SampledFrom([]string{"http", "https", "://", ":", "//", "/", "app.example.org", "EXAMPLE", "xn--caf-dma", "127.0.0.1", "[::1]", "[fe80::1%25eth0]", "user:pass@",
		":8080", ":0", ":99999", "?a=b", "#top", "%2e%2e", "..", ".", "a b", "é", "\n", "*", "10.0.0.0", "/8", "/0", "::/0", "fc00::/7", "::ffff:10.0.0.0/104"})
	return rapid.OneOf(rapid.String(), rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(parts, 1, 8).Draw(t, "parts"), "")
	}))
}

// Whatever webURL takes can begin the address of a page, and is taken again as it stands.
func TestWebURL_anyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := anyText().Draw(t, "raw")
		u, err := webURL(raw)
		if err != nil {
			hides(t, err, raw)
			return
		}
		text := u.String()
		again, err := webURL(text)
		if err != nil || again.String() != text {
			t.Fatalf("%q is %q, and again %v, %v", raw, text, again, err)
		}
		page, err := url.Parse(text + "/widget.js")
		if err != nil || page.Host != u.Host || page.Path != u.Path+"/widget.js" || page.RawQuery != "" || page.User != nil {
			t.Fatalf("%q is %q, below which is %v, %v", raw, text, page, err)
		}
		if u.Host != strings.ToLower(u.Host) || strings.HasSuffix(u.Path, "/") || strings.ContainsAny(text, " \"<>\\`{}|") {
			t.Fatalf("%q is %q", raw, text)
		}
	})
}

// Whatever trustedNetwork takes, it takes again as it writes it; and it takes no network of
// which strangers are a part by their number alone.
func TestTrustedNetwork_anyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := anyText().Draw(t, "raw")
		network, err := trustedNetwork(raw)
		if err != nil {
			hides(t, err, raw)
			return
		}
		again, err := trustedNetwork(network.String())
		if err != nil || again != network || network.Masked() != network || network.Bits() < 7 || network.Addr().Is4In6() {
			t.Fatalf("%q is %v, and again %v, %v", raw, network, again, err)
		}
	})
}

// Whatever checkAddress takes has a host and a port for net.Listen.
func TestCheckAddress_anyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := anyText().Draw(t, "raw")
		if err := checkAddress(raw); err != nil {
			hides(t, err, raw)
			return
		}
		if _, port, err := net.SplitHostPort(raw); err != nil || port == "" || strings.Trim(port, "0123456789") != "" {
			t.Fatalf("%q is taken: port %q, %v", raw, port, err)
		}
	})
}

// A source of frames cannot begin another directive of the policy.
func TestFrameAncestor_anyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if raw := anyText().Draw(t, "raw"); frameAncestor.MatchString(raw) && strings.ContainsAny(raw, " ;,'\"\r\n\t") {
			t.Fatalf("%q is taken", raw)
		}
	})
}

// hides holds an error to repeating nothing of a value, which may be a secret in the wrong
// variable.
func hides(t *rapid.T, err error, raw string) {
	if len(raw) >= 12 && strings.Contains(err.Error(), raw) {
		t.Fatalf("the error repeats %q: %v", raw, err)
	}
}
