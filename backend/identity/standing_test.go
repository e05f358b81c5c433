package identity

// What a network answers for when its tokens are refused.

import (
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

func TestNetworksOf(t *testing.T) {
	tests := map[string]string{
		"192.0.2.77":         "[192.0.0.0/16 192.0.2.0/24 192.0.2.77/32]",
		"::ffff:192.0.2.77":  "[192.0.0.0/16 192.0.2.0/24 192.0.2.77/32]",
		"192.0.2.77:4000":    "[192.0.0.0/16 192.0.2.0/24 192.0.2.77/32]",
		"2001:db8:1:2:3::4":  "[2001:db8:1::/48 2001:db8:1::/56 2001:db8:1:2::/64]",
		"2001:db8:1:2::%e0":  "[2001:db8:1::/48 2001:db8:1::/56 2001:db8:1:2::/64]",
		"[2001:db8:1:2::]:1": "[2001:db8:1::/48 2001:db8:1::/56 2001:db8:1:2::/64]",
	}
	for source, want := range tests {
		if got := fmt.Sprint(networksOf(source)); got != want {
			t.Errorf("%s: got %s, want %s", source, got, want)
		}
	}
	if networksOf("client a") == networksOf("client b") {
		t.Error("two texts that are no addresses are one network")
	}
}

func TestStandings(t *testing.T) {
	const a, neighbour, nearby, far = "192.0.2.1", "192.0.2.2", "192.0.3.1", "198.51.100.1"
	many := func(pattern string) (sources []string) {
		for n := range 40 {
			sources = append(sources, fmt.Sprintf(pattern, n))
		}
		return sources
	}
	tests := []struct {
		name    string
		sources []string
		rounds  int // in which each source has a token refused
		suspect []string
		not     []string
	}{
		{"one address", []string{a}, standingBest, []string{a, "::ffff:" + a}, []string{neighbour, nearby, far}},
		{"one address, a little", []string{a}, standingBest - 1, nil, []string{a}},
		{"one address, a lot: its neighbours do not pay for it", []string{a}, 1000, []string{a}, []string{neighbour, nearby, far}},
		{"many addresses of a /24", many("192.0.2.%d"), 3, []string{a, "192.0.2.250"}, []string{nearby, far}},
		{"many addresses of a /16", many("192.0.%d.1"), 7, []string{a, "192.0.200.200"}, []string{far}},
		{"one /64", many("2001:db8::%x"), 1, []string{"2001:db8::ffff"}, []string{"2001:db8:0:1::1", "2001:db8:1::1"}},
		{"one /56", many("2001:db8:0:%x::1"), 3, []string{"2001:db8:0:ff::1"}, []string{"2001:db8:0:100::1", "2001:db8:1::1"}},
		{"one /48", many("2001:db8:0:%x00::1"), 7, []string{"2001:db8:0:ffff::1"}, []string{"2001:db8:1::1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStandings(time.Now)
				defer s.of.StopAllGoroutines()
				for range tt.rounds {
					for _, source := range tt.sources {
						s.refused("", networksOf(source), time.Now())
					}
				}
				for _, source := range tt.suspect {
					if s.suspect("", networksOf(source), time.Now()) == 0 {
						t.Errorf("%s is not suspect", source)
					}
					if s.suspect(idA, networksOf(source), time.Now()) != 0 {
						t.Errorf("%s is suspect for an instance that it was not refused for", source)
					}
				}
				for _, source := range tt.not {
					if s.suspect("", networksOf(source), time.Now()) != 0 {
						t.Errorf("%s is suspect", source)
					}
				}
				// Its debt is bounded, and so is the time until it is paid off.
				time.Sleep((standingBest + 1) * standingEvery)
				for _, source := range tt.suspect {
					if wait := s.suspect("", networksOf(source), time.Now()); wait != 0 {
						t.Errorf("%s is suspect for another %v", source, wait)
					}
				}
			})
		})
	}
}

func TestStandings_acceptedMakesUpForRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStandings(time.Now)
		defer s.of.StopAllGoroutines()
		n := networksOf(oneAddress(0))
		for range 1000 {
			s.refused("", n, time.Now())
			s.accepted("", n, time.Now())
		}
		if wait := s.suspect("", n, time.Now()); wait != 0 {
			t.Errorf("suspect for %v", wait)
		}
	})
}

func TestStandings_waitIsRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStandings(time.Now)
		defer s.of.StopAllGoroutines()
		n := networksOf(oneAddress(0))
		for range standingBest {
			s.refused("", n, time.Now())
		}
		wait := s.suspect("", n, time.Now())
		if wait != standingEvery {
			t.Errorf("suspect for %v, want %v", wait, standingEvery)
		}
		time.Sleep(wait)
		if wait := s.suspect("", n, time.Now()); wait != 0 {
			t.Errorf("afterwards for another %v", wait)
		}
	})
}

// TestTokens_verify_suspects: a source of junk is asked about last, but it is asked about;
// and good tokens make up for it.
func TestTokens_verify_suspects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := startTokens(t, slowWix(0, nil), Options{})
		of := networksOf("192.0.2.1")
		for n := range 2 * standingBest {
			_, _ = verify(t, i, "junk"+strconv.Itoa(n))
		}
		if i.standings.suspect("", of, time.Now()) == 0 {
			t.Error("a source of junk is not suspect")
		}
		for n := range standingBest + 1 {
			if _, err := verify(t, i, "good"+strconv.Itoa(n)); err != nil {
				t.Errorf("a good token among junk: %v", err)
			}
		}
		if wait := i.standings.suspect("", of, time.Now()); wait != 0 {
			t.Errorf("after as many good tokens it is still suspect, for %v", wait)
		}
	})
}
