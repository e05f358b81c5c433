package simulation

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nametag-dev/nametag/backend/store/sqlstore"
)

var (
	oneSeed  = flag.Uint64("seed", 0, "the seed of the one run to make, whose trace is printed")
	allSeeds = flag.Int("seeds", 0, "how many seeds to run; the default depends on -short and -race")
)

// regressions are seeds that have failed once. They are run first. A seed means another run once
// steps_test.go has changed: what one of these seeds has found belongs into a test of its own as
// well.
var regressions = []uint64{
	215, 252, // a profile that a clock ahead had dated made all later ones old
	1252, // a refresh was skipped, because the row that another process had cached was still removed
}

// seeds is how many runs a test makes.
func seeds() int {
	switch {
	case *allSeeds > 0:
		return *allSeeds
	case testing.Short():
		return 100
	case raceEnabled:
		return 100
	}
	return 2000
}

func TestReplicas(t *testing.T) {
	if *oneSeed != 0 {
		faults, trace := run(t, open(t), *oneSeed, none)
		t.Log("\n" + strings.Join(trace, "\n"))
		report(t, *oneSeed, faults, nil)
		return
	}
	var next atomic.Int64
	total := len(regressions) + seeds()
	shards(t, func(t *testing.T, db *sqlstore.Store) {
		for !t.Failed() {
			n := int(next.Add(1)) - 1
			if n >= total {
				return
			}
			seed := uint64(n - len(regressions) + 1)
			if n < len(regressions) {
				seed = regressions[n]
			}
			faults, trace := run(t, db, seed, none)
			report(t, seed, faults, trace)
		}
	})
	t.Logf("%d seeds", total)
}

// report fails the test with the faults of a run.
func report(t *testing.T, seed uint64, faults, trace []string) {
	t.Helper()
	if len(faults) > 0 {
		t.Errorf("seed %d (run it alone with -seed %d):\n%s\n%s", seed, seed, strings.Join(faults, "\n"), strings.Join(trace, "\n"))
	}
}

// TestReplicas_sameSeedSameRun runs seeds twice. Of what happens at the same moment, either
// may be recorded first.
func TestReplicas_sameSeedSameRun(t *testing.T) {
	for seed := range uint64(10) {
		db := open(t)
		_, first := run(t, db, seed, none)
		_, second := run(t, db, seed, none)
		slices.Sort(first)
		slices.Sort(second)
		for n := range max(len(first), len(second)) {
			if n >= len(first) || n >= len(second) || first[n] != second[n] {
				from := max(n-5, 0)
				t.Fatalf("seed %d: two runs part after\n%s\nwith\n%s\nand\n%s", seed, strings.Join(first[from:n], "\n"),
					strings.Join(first[n:min(n+5, len(first))], "\n"), strings.Join(second[n:min(n+5, len(second))], "\n"))
			}
		}
	}
}

// TestReplicas_eachGuardIsNeeded takes one guard after the other away.
func TestReplicas_eachGuardIsNeeded(t *testing.T) {
	const most = 500
	for m, first := range mutants() {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			db := open(t)
			for n := range uint64(most) {
				seed := (first + n) % most
				if faults, _ := run(t, db, seed, m); len(faults) > 0 {
					t.Logf("seed %d: %s", seed, faults[0])
					return
				}
			}
			t.Errorf("%d runs do not notice", most)
		})
	}
}

// shards runs a test on each processor, with a database for each.
func shards(t *testing.T, f func(*testing.T, *sqlstore.Store)) {
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			t.Run("", func(t *testing.T) { f(t, open(t)) })
		})
	}
	wg.Wait()
}

func open(t *testing.T) *sqlstore.Store {
	t.Helper()
	db, err := sqlstore.Open(context.Background(), "sqlite::memory:", sqlstore.Options{Settings: schema().Complete})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// publicKey is the key that webhooks are verified with.
var publicKey = sync.OnceValue(func() string {
	der, err := x509.MarshalPKIXPublicKey(&key().PublicKey)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
})
