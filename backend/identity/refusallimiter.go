package identity

// A client whose tokens Wix keeps refusing may not cause further calls to Wix.

import (
	"net/netip"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"
)

const (
	// Each network may cause refusalBurst refusals at once, and one more every
	// refusalEvery: 30 a minute.
	refusalBurst = 30
	refusalEvery = 2 * time.Second
	// maxSources is the largest number of networks with a limiter. One that was quiet for
	// sourceLife is dropped: its allowance is complete again by then.
	maxSources = 20_000
	sourceLife = 5 * time.Minute
)

// refusalLimiter limits the refused tokens of each client network.
type refusalLimiter struct {
	limiters cache[string, *rate.Limiter]
}

func newRefusalLimiter(now func() time.Time) *refusalLimiter {
	return &refusalLimiter{newCache(maxSources, now, otter.ExpiryAccessing[string, *rate.Limiter](sourceLife))}
}

// RetryIn returns how long the source has to wait before Wix may be asked about another
// of its tokens, or 0.
func (r *refusalLimiter) RetryIn(source string, now time.Time) time.Duration {
	limiter, ok := r.limiters.GetIfPresent(network(source))
	if !ok {
		return 0
	}
	available := limiter.TokensAt(now)
	if available >= 1 {
		return 0
	}
	return time.Duration((1 - available) * float64(refusalEvery))
}

// Penalize counts one refused token. The allowance may become negative when Wix was asked
// about several tokens at the same time; the wait grows accordingly.
func (r *refusalLimiter) Penalize(source string, now time.Time) {
	limiter, ok := r.limiters.ComputeIfAbsent(network(source), func() (*rate.Limiter, bool) {
		return rate.NewLimiter(rate.Every(refusalEvery), refusalBurst), false
	})
	if ok {
		limiter.ReserveN(now, 1)
	}
}

// network returns the address of an IPv4 source, and the /64 of an IPv6 source: every
// client has at least that many addresses to choose from.
func network(source string) string {
	addr, err := netip.ParseAddr(source)
	if err != nil {
		return source[:min(len(source), 64)]
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	prefix, _ := addr.Prefix(64)
	return prefix.String()
}
