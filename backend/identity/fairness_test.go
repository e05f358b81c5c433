package identity

// Floods, in virtual time: how many visitors are served while somebody misbehaves or Wix is
// slow.

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

// crowd presents tokens, each of them once.
type crowd struct {
	perSecond int // or, if 0, all at once: atOnce
	atOnce    int
	source    func(n int) string
	token     func(n int) string
}

// The sources of crowds.
func everywhere(n int) string { // a hundred thousand IPv4 addresses in some thousand /16
	n %= 100_000
	return fmt.Sprintf("%d.%d.%d.%d", 11+n%64, n/64%97, n%251, n/251%251)
}
func elsewhere(n int) string { return fmt.Sprintf("198.%d.100.%d", n%256, n/256%256) }
func ipv6Network(n int) string { // one /48
	return fmt.Sprintf("2001:db8:7:%x::%x", n*7919%65536, n)
}
func oneAddress(int) string { return "203.0.113.7" }

// The tokens of crowds. Wix accepts what has "good" in it.
func opaque(kind string) func(int) string {
	return func(n int) string { return kind + "-" + strconv.Itoa(n) }
}

// claiming makes tokens that say they are for the instance.
func claiming(t testing.TB, kind, instanceID string) func(int) string {
	c := claims(app, time.Now().Add(time.Hour).Unix())
	c["data"] = strings.ReplaceAll(c["data"].(string), idA, instanceID)
	token := jws(t, c)
	return func(n int) string { return token + kind + strconv.Itoa(n) }
}

// claimingAny makes tokens for instances that do not exist.
func claimingAny(t testing.TB, kind string) func(int) string {
	return func(n int) string { return claiming(t, kind, fmt.Sprintf("cccccccc-cccc-4ccc-8ccc-%012x", n))(n) }
}

// tally is what a crowd got.
type tally struct {
	mu   sync.Mutex
	all  int
	by   map[string]int // by the name of the code
	last time.Duration  // the longest wait
}

// share is the percentage of callers that were served.
func (t *tally) share() int { return 100 * t.by[""] / t.all }

func (t *tally) String() string {
	return fmt.Sprintf("%d callers: %v, the last after %v", t.all, t.by, t.last)
}

// visit lets a crowd come for a time and returns what it got.
func (c crowd) visit(t *testing.T, i *tokens, during time.Duration) *tally {
	got := &tally{by: map[string]int{}}
	every, all := time.Duration(0), c.atOnce
	if c.perSecond > 0 {
		every, all = time.Second/time.Duration(c.perSecond), c.perSecond*int(during/time.Second)
	}
	var callers sync.WaitGroup
	defer callers.Wait()
	for n := range all {
		source, token := c.source(n), c.token(n)
		callers.Go(func() {
			start := time.Now()
			_, err := i.verify(t.Context(), source, []string{token})
			got.mu.Lock()
			defer got.mu.Unlock()
			got.all++
			got.by[code(err).Name]++
			got.last = max(got.last, time.Since(start))
			if c := code(err); (c == apierr.RateLimited || c == apierr.WixUnavailable) && apierr.As(err).RetryAfter <= 0 {
				t.Errorf("%s without Retry-After", c.Name)
			}
		})
		time.Sleep(every)
	}
	return got
}

// slowWix answers after a time: "good" tokens are active, "fail" ones fail in the way of
// the error, others are not active.
func slowWix(latency time.Duration, failure error) *fakeTokenInfo {
	return &fakeTokenInfo{answer: func(ctx context.Context, token string) (wix.TokenInfo, error) {
		select {
		case <-time.After(latency):
		case <-ctx.Done():
			return wix.TokenInfo{}, &wix.Error{Kind: wix.Timeout, Err: ctx.Err()}
		}
		switch {
		case strings.Contains(token, "good"):
			info := good(time.Hour)
			if id := claimsOf(token).instanceID; id != "" {
				info.InstanceID = id
			}
			return info, nil
		case strings.Contains(token, "hang"):
			time.Sleep(5 * time.Second) // wix.Client's time-out
			return wix.TokenInfo{}, &wix.Error{Kind: wix.Timeout, Err: context.DeadlineExceeded}
		case strings.Contains(token, "fail"):
			return wix.TokenInfo{}, failure
		}
		return wix.TokenInfo{}, nil
	}}
}

func TestTokens_verify_floods(t *testing.T) {
	const second = time.Second
	down := failure(wix.Unavailable, 500, 0)
	junkOfA, goodOfA, goodOfB := claiming(t, "junk", idA), claiming(t, "good", idA), claiming(t, "good", idB)
	tests := []struct {
		name    string
		latency time.Duration
		flood   crowd
		good    crowd
	}{
		{"no flood", second / 10, crowd{1, 0, elsewhere, opaque("junk")}, crowd{30, 0, elsewhere, opaque("good")}},

		// From elsewhere.
		{"100,000 IPv4 addresses", second / 10, crowd{1000, 0, everywhere, opaque("junk")}, crowd{30, 0, elsewhere, opaque("good")}},
		{"100,000 IPv4 addresses, Wix at 300 ms", 3 * second / 10, crowd{1000, 0, everywhere, opaque("junk")}, crowd{30, 0, elsewhere, opaque("good")}},
		{"100,000 IPv4 addresses, Wix at 2 s, known instance", 2 * second, crowd{1000, 0, everywhere, opaque("junk")}, crowd{30, 0, elsewhere, goodOfB}},
		{"100,000 IPv4 addresses claim an instance, Wix at 2 s", 2 * second, crowd{1000, 0, everywhere, junkOfA}, crowd{30, 0, elsewhere, goodOfB}},
		{"100,000 IPv4 addresses claim instances that are none", second, crowd{1000, 0, everywhere, claimingAny(t, "junk")}, crowd{30, 0, elsewhere, goodOfB}},
		{"one IPv6 /48", second / 10, crowd{1000, 0, ipv6Network, opaque("junk")}, crowd{30, 0, elsewhere, opaque("good")}},
		{"one IPv6 /48, Wix at 2 s", 2 * second, crowd{1000, 0, ipv6Network, opaque("junk")}, crowd{30, 0, elsewhere, opaque("good")}},
		{"one IPv4 address", second / 10, crowd{1000, 0, oneAddress, opaque("junk")}, crowd{30, 0, elsewhere, opaque("good")}},
		{"one IPv4 address, Wix at 2 s", 2 * second, crowd{1000, 0, oneAddress, opaque("junk")}, crowd{30, 0, elsewhere, opaque("good")}},

		// From the same address, as behind a carrier's NAT, or of a server that sees all its
		// clients behind one proxy.
		{"1 a second behind the same address", second / 10, crowd{1, 0, oneAddress, opaque("junk")}, crowd{10, 0, oneAddress, opaque("good")}},
		{"1 a second, few good ones, Wix at 2 s", 2 * second, crowd{1, 0, oneAddress, opaque("junk")}, crowd{2, 0, oneAddress, opaque("good")}},
		{"100 a second behind the same address", second / 10, crowd{100, 0, oneAddress, opaque("junk")}, crowd{10, 0, oneAddress, opaque("good")}},
		{"100 a second claim the same instance", second / 10, crowd{100, 0, oneAddress, junkOfA}, crowd{10, 0, oneAddress, goodOfA}},
		{"1,000 a second, known instance", second / 10, crowd{1000, 0, oneAddress, opaque("junk")}, crowd{30, 0, oneAddress, goodOfB}},
		{"1,000 a second claim another instance", second / 10, crowd{1000, 0, oneAddress, junkOfA}, crowd{30, 0, oneAddress, goodOfB}},
		{"1,000 a second claim instances that are none", second / 10, crowd{1000, 0, oneAddress, claimingAny(t, "junk")}, crowd{30, 0, oneAddress, goodOfB}},

		// Tokens at which Wix fails.
		{"Wix fails at tokens of one address", second / 10, crowd{4, 0, oneAddress, opaque("fail")}, crowd{30, 0, elsewhere, opaque("good")}},
		{"Wix fails at tokens of the same address", second / 10, crowd{4, 0, oneAddress, opaque("fail")}, crowd{10, 0, oneAddress, opaque("good")}},
		{"Wix fails at tokens of many addresses", second / 10, crowd{1000, 0, everywhere, opaque("fail")}, crowd{30, 0, elsewhere, opaque("good")}},
		{"Wix fails at tokens, few good ones", second / 10, crowd{100, 0, everywhere, opaque("fail")}, crowd{1, 0, elsewhere, opaque("good")}},
		{"Wix hangs at tokens of one address", second / 10, crowd{100, 0, oneAddress, opaque("hang")}, crowd{30, 0, elsewhere, opaque("good")}},
		{"Wix hangs at tokens of many addresses", second / 10, crowd{1000, 0, everywhere, opaque("hang")}, crowd{30, 0, elsewhere, goodOfB}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := slowWix(tt.latency, down)
				i := startTokens(t, w, Options{})
				for _, token := range []string{goodOfA(-1), goodOfB(-1)} {
					if _, err := i.verify(t.Context(), "192.0.2.1", []string{token}); err != nil {
						t.Fatal(err)
					}
				}
				var both sync.WaitGroup
				defer both.Wait()
				both.Go(func() { t.Logf("the flood: %v", tt.flood.visit(t, i, 7*time.Second)) })
				time.Sleep(3 * time.Second)
				before := w.count()
				got := tt.good.visit(t, i, 4*time.Second)
				t.Logf("the good: %v; %d calls", got, w.count()-before)
				if got.share() < 95 {
					t.Errorf("%d %% of the good ones are served, want 95", got.share())
				}
			})
		})
	}
}

func TestTokens_verify_manyAtOnce(t *testing.T) {
	goodOfA := claiming(t, "good", idA)
	tests := []struct {
		name    string
		latency time.Duration
		good    crowd
		within  time.Duration
	}{
		{"500, Wix at 3 s", 3 * time.Second, crowd{0, 500, elsewhere, opaque("good")}, 7 * time.Second},
		{"500 of one instance", 3 * time.Second, crowd{0, 500, elsewhere, goodOfA}, 7 * time.Second},
		{"500 from one address", 3 * time.Second, crowd{0, 500, oneAddress, opaque("good")}, 7 * time.Second},
		{"500 of one instance from one address", 3 * time.Second, crowd{0, 500, oneAddress, goodOfA}, 7 * time.Second},
		{"2,000, Wix at 50 ms", 50 * time.Millisecond, crowd{0, 2000, elsewhere, opaque("good")}, time.Second},
		{"2,000 from one address", 50 * time.Millisecond, crowd{0, 2000, oneAddress, goodOfA}, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := tt.good.visit(t, startTokens(t, slowWix(tt.latency, nil), Options{}), 0)
				if got.by[""] != tt.good.atOnce || got.last > tt.within {
					t.Errorf("%v, want all of them served within %v", got, tt.within)
				}
			})
		})
	}
}
