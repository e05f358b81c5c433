package identity

// A source that keeps sending tokens that Wix refuses may not go on asking Wix.

import (
	"net/netip"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"
)

const (
	refusalBurst = 30
	refusalEvery = 2 * time.Second // one more, so 30 a minute
	// maxSources bounds the sources remembered; each is forgotten once it has been
	// quiet for sourceLife, when its allowance is whole again.
	maxSources = 20_000
	sourceLife = 5 * time.Minute
)

type refusals struct {
	limits *otter.Cache[string, *rate.Limiter]
}

func newRefusals(now func() time.Time) *refusals {
	return &refusals{otter.Must(&otter.Options[string, *rate.Limiter]{
		MaximumSize:      maxSources,
		Clock:            clock{now},
		Logger:           &otter.NoopLogger{},
		ExpiryCalculator: otter.ExpiryAccessing[string, *rate.Limiter](sourceLife),
	})}
}

// wait returns how long the source must wait before Wix is asked about another
// token of its, or 0.
func (r *refusals) wait(source string, now time.Time) time.Duration {
	limit, ok := r.limits.GetIfPresent(network(source))
	if !ok {
		return 0
	}
	left := limit.TokensAt(now)
	if left >= 1 {
		return 0
	}
	return time.Duration((1 - left) * float64(refusalEvery))
}

// charge books one refused token. The allowance may fall below nothing, when many
// were asked about at the same time; that is paid back by waiting.
func (r *refusals) charge(source string, now time.Time) {
	limit, _ := r.limits.ComputeIfAbsent(network(source), func() (*rate.Limiter, bool) {
		return rate.NewLimiter(rate.Every(refusalEvery), refusalBurst), false
	})
	if limit != nil {
		limit.ReserveN(now, 1)
	}
}

// network is the address of an IPv4 source, and the /64 of an IPv6 one, within
// which anybody has all the addresses that they like.
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
