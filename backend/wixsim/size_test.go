package wixsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
)

func heap() uint64 {
	runtime.GC()
	runtime.GC() // what finalizers have freed
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A token is its own record: a million of them cost nothing.
func TestMint_storesNothing(t *testing.T) {
	s := newSim(t)
	mint(t, s, TokenRequest{Subject: Visitor})
	before := heap()
	for range 20_000 {
		mint(t, s, TokenRequest{Subject: Visitor})
	}
	if after := heap(); after > before+4<<20 {
		t.Errorf("20,000 tokens cost %d KB", (after-before)>>10)
	}
	runtime.KeepAlive(s)
}

// stateOf returns the JSON of a state with a number of sites, some of which have plans.
func stateOf(b *testing.B, sites int) []byte {
	b.Helper()
	s, err := New(Config{AppID: testAppID, AppSecret: testSecret, PrivateKey: testKey(), NoSites: true})
	if err != nil {
		b.Fatal(err)
	}
	for i := range sites {
		req := InstallRequest{SiteDisplayName: fmt.Sprint("Site ", i), OwnerEmail: fmt.Sprintf("owner%d@example.com", i)}
		if i%3 == 0 {
			req.Plan = "gold"
		}
		if _, err := s.Install(req); err != nil {
			b.Fatal(err)
		}
	}
	text, err := json.Marshal(s.State())
	if err != nil {
		b.Fatal(err)
	}
	return text
}

// BenchmarkStart is the start of an offline Wix, from nothing and from its state, and the
// memory that it takes then.
func BenchmarkStart(b *testing.B) {
	for _, sites := range []int{0, 1, maxInstallations} {
		name, text := "without a state", []byte(nil)
		if sites > 0 {
			name, text = fmt.Sprint("with a state of ", sites), stateOf(b, sites)
		}
		b.Run(name, func(b *testing.B) {
			var s *Sim
			start := func() {
				cfg := Config{AppID: testAppID, AppSecret: testSecret}
				if text != nil {
					state, err := ReadState(bytes.NewReader(text))
					if err != nil {
						b.Fatal(err)
					}
					cfg.State = &state
				}
				var err error
				if s, err = New(cfg); err != nil {
					b.Fatal(err)
				}
			}
			before := heap()
			for b.Loop() {
				start()
			}
			b.StopTimer()
			b.ReportMetric(float64(int64(heap()-before))/(1<<20), "MB-heap")
			runtime.KeepAlive(s)
		})
	}
}
