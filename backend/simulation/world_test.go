package simulation

// One run: its time, its chance, its trace.

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/store/sqlstore"
)

const (
	// chaos is how long things go wrong.
	chaos = 2 * time.Minute
	// steps is how many things are begun in that time.
	steps = 50
	// most is how many replicas and sites there are at most; a copy is one more site.
	replicas, sites, copies = 3, 3, 2
)

// world is one run.
type world struct {
	seed   uint64
	random *rand.Rand // of the plan, which is made before anything happens
	start  time.Time
	mutant mutant

	wix    *fakeWix
	db     *database
	tasks  sync.WaitGroup // what the plan has begun
	checks *checks

	mu       sync.Mutex
	replicas [replicas]*replica
	counts   map[string]uint64
	trace    []string
	faults   []string
}

// run is one run with a seed. It returns what was not as it must be, and everything that
// happened.
func run(t *testing.T, db *sqlstore.Store, seed uint64, m mutant) (faults, trace []string) {
	synctest.Test(t, func(*testing.T) {
		w := &world{seed: seed, random: rand.New(rand.NewPCG(seed, 0)), start: time.Now(), mutant: m, counts: map[string]uint64{}}
		w.checks = newChecks(w)
		w.wix = newWix(w)
		w.db = newDatabase(w, db)
		plan := w.plan()
		for n := range replicas {
			w.startReplica(n)
		}
		w.live(plan)
		w.calm()
		w.settle()
		faults, trace = w.faults, w.trace
	})
	return faults, trace
}

// replica returns the replica in a place.
func (w *world) replica(n int) *replica {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.replicas[n]
}

// all returns the replicas in all places.
func (w *world) all() []*replica {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.replicas[:]), func(r *replica) bool { return r == nil })
}

// since is how long the run has lasted.
func (w *world) since(at time.Time) time.Duration { return at.Sub(w.start) }

// spread returns a time below most. It follows from the seed, from what it is for and from
// how often it was asked for that, so that it does not depend on who asks first.
func (w *world) spread(most time.Duration, parts ...any) time.Duration {
	key := fmt.Sprint(parts...)
	w.mu.Lock()
	n := w.counts[key]
	w.counts[key]++
	w.mu.Unlock()
	h := uint64(14695981039346656037) ^ w.seed*0x9e3779b97f4a7c15 ^ n*0xbf58476d1ce4e5b9
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return time.Duration((h ^ h>>31) % uint64(most))
}

// log adds a line to the trace.
func (w *world) log(format string, args ...any) {
	line := fmt.Sprintf("%12.6fs  ", w.since(time.Now()).Seconds()) + fmt.Sprintf(format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace = append(w.trace, line)
}

// fail records that something is not as it must be.
func (w *world) fail(format string, args ...any) {
	fault := fmt.Sprintf(format, args...)
	w.log("FAULT %s", fault)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, fault)
}

// failed reports whether the run has shown what it had to show.
func (w *world) failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.faults) > 0
}

// shortly is a time for a trace.
func (w *world) shortly(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return fmt.Sprintf("%.3fs", w.since(at).Seconds())
}
