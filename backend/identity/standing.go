package identity

// How the tokens of a client network have fared. A network from which Wix refuses many
// becomes suspect: its unknown tokens wait in a lane of their own. It is not shut out,
// since behind one address there may be a whole office, or the whole world if the server
// does not see its clients' addresses.

import (
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
)

const (
	// An address may present standingBest refused tokens at once, and one more every
	// standingEvery. A token that is accepted makes up for one that is refused. A network of
	// several addresses has standingGrowth times the allowance of the next narrower one.
	standingBest   = 30
	standingEvery  = 2 * time.Second
	standingGrowth = 3
	// maxStandings is the largest number of networks that are remembered. One that was quiet
	// for standingLife is forgotten: its allowance is complete again by then, or nearly.
	maxStandings = 50_000
	standingLife = 5 * time.Minute
)

// networks are those that an address belongs to, the widest first: /16, /24 and /32 of
// IPv4; /48, /56 and /64 of IPv6, since every client has at least a /64 to choose from.
type networks [3]netip.Prefix

func networksOf(source string) (n networks) {
	addr, err := netip.ParseAddr(source)
	if err != nil {
		withPort, err := netip.ParseAddrPort(source)
		if addr = withPort.Addr(); err != nil {
			// A text that is no address stands for itself.
			hash := sha256.Sum256([]byte(source))
			addr = netip.AddrFrom16([16]byte(hash[:16]))
		}
	}
	addr = addr.Unmap().WithZone("")
	widths := [3]int{48, 56, 64}
	if addr.Is4() {
		widths = [3]int{16, 24, 32}
	}
	for i, bits := range widths {
		n[i], _ = addr.Prefix(bits)
	}
	return n
}

// standings are the standings of networks, for each group of tokens on its own.
type standings struct {
	of cache[standingKey, *standing]
}

// standingKey is one network and what its tokens say they are for.
type standingKey struct {
	group   string
	network netip.Prefix
}

// standing is what is left of a network's allowance. It may be negative, so that a network
// that presents nothing but junk needs a while to recover.
type standing struct {
	mu   sync.Mutex
	left float64
	at   time.Time
}

func newStandings(now func() time.Time) standings {
	return standings{newCache(maxStandings, now, otter.ExpiryAccessing[standingKey, *standing](standingLife))}
}

// add changes what is left by n and returns what was left before, with the allowance and
// the time in which it grows by one.
func (s *standing) add(n float64, width int, now time.Time) (before float64) {
	best, every := allowance(width)
	s.mu.Lock()
	defer s.mu.Unlock()
	if past := now.Sub(s.at); past > 0 {
		s.left = min(s.left+float64(past)/float64(every), best)
		s.at = now
	}
	before = s.left
	s.left = min(max(s.left+n, -best), best)
	return before
}

// allowance is that of a network, by its index in networks.
func allowance(width int) (best float64, every time.Duration) {
	best, every = standingBest, standingEvery
	for range len(networks{}) - 1 - width {
		best, every = best*standingGrowth, every/standingGrowth
	}
	return best, every
}

// suspect returns how long it takes until the networks are no longer suspect, or 0 if none
// of them is.
func (s standings) suspect(group string, n networks, now time.Time) (wait time.Duration) {
	for width, network := range n {
		if found, ok := s.of.GetIfPresent(standingKey{group, network}); ok {
			if left := found.add(0, width, now); left < 1 {
				_, every := allowance(width)
				wait = max(wait, time.Duration((1-left)*float64(every)))
			}
		}
	}
	return wait
}

// refused counts a token that Wix refused. A network that is suspect already answers for
// its own tokens: the wider ones are not charged for them, so that one bad address does
// not make its neighbours suspect.
func (s standings) refused(group string, n networks, now time.Time) {
	for width := len(n) - 1; width >= 0; width-- {
		found, ok := s.of.ComputeIfAbsent(standingKey{group, n[width]}, func() (*standing, bool) {
			best, _ := allowance(width)
			return &standing{left: best, at: now}, false
		})
		if ok && found.add(-1, width, now) < 1 {
			return
		}
	}
}

// accepted counts a token that Wix accepted.
func (s standings) accepted(group string, n networks, now time.Time) {
	for width, network := range n {
		if found, ok := s.of.GetIfPresent(standingKey{group, network}); ok {
			found.add(1, width, now)
		}
	}
}
