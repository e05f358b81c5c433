package storetest

// What holds of the job queue for many workers at once.

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

const crowd = 20

// Of crowd deliveries of one event exactly one is fresh.
func concurrentAcceptOneIsFresh(t *testing.T, s Storage) {
	for round := range 5 {
		var fresh atomic.Int64
		e := event(fmt.Sprint(round), "a", instance.EventRemoved, noon())
		together(crowd, func(int) {
			first, err := s.Accept(t.Context(), e)
			if err != nil {
				t.Errorf("Accept: %v", err)
			}
			if first {
				fresh.Add(1)
			}
		})
		if fresh.Load() != 1 {
			t.Errorf("%d were fresh", fresh.Load())
		}
	}
}

// Many events at once are all stored.
func concurrentAcceptStoresAll(t *testing.T, s Storage) {
	together(crowd, func(i int) {
		for n := range 10 {
			if fresh, err := s.Accept(t.Context(), event(fmt.Sprint(i, " ", n), "a", instance.EventOther, noon())); err != nil || !fresh {
				t.Errorf("Accept = %v, %v", fresh, err)
			}
		}
	})
	if stored := jobs(t, s, "a"); len(stored) != crowd*10 {
		t.Errorf("%d events are stored, want %d", len(stored), crowd*10)
	}
}

// Many workers never get the same job within its lease, and after it each job goes to one again.
func concurrentClaimsShareNoJob(t *testing.T, s Storage) {
	const stored = 60
	for i := range stored {
		accept(t, s, event(fmt.Sprint(i), fmt.Sprint("instance ", i), instance.EventOther, noon()))
	}
	for round := range 3 {
		now := after(round * 100)
		var mu sync.Mutex
		given := map[string]int{}
		// A worker who finds nothing may have been too early for those that another
		// is just being given, and those are not for it.
		together(8, func(int) {
			for {
				claimed, err := s.Claim(t.Context(), now, time.Minute, 3)
				if err != nil {
					t.Errorf("Claim: %v", err)
				}
				if len(claimed) == 0 {
					return
				}
				mu.Lock()
				for _, j := range claimed {
					given[j.ID]++
				}
				mu.Unlock()
			}
		})
		for _, j := range claim(t, s, now, time.Minute, stored) {
			given[j.ID]++
		}
		if len(given) != stored {
			t.Errorf("round %d: %d jobs were given, want %d", round, len(given), stored)
		}
		for id, times := range given {
			if times != 1 {
				t.Errorf("round %d: job %s was given %d times", round, id, times)
			}
		}
	}
}

// Of many workers one has events of an instance at a time, and all events get their turn.
func concurrentClaimsOneOfEachInstance(t *testing.T, s Storage) {
	const stored, instances = 60, 5
	for i := range stored {
		accept(t, s, event(fmt.Sprint(i), fmt.Sprint("instance ", i%instances), []instance.EventKind{
			instance.EventOther, instance.EventRemoved, instance.EventOther,
		}[i%3], noon()))
	}
	var applied atomic.Int64
	together(8, func(int) {
		for applied.Load() < stored && !t.Failed() {
			claimed, err := s.Claim(t.Context(), after(1), time.Minute, 3)
			if err != nil {
				t.Errorf("Claim: %v", err)
			}
			for _, j := range claimed {
				all, err := s.JobsOf(t.Context(), j.InstanceID)
				if err != nil {
					t.Errorf("JobsOf: %v", err)
				}
				for _, other := range all {
					isLeased := other.State == instance.JobPending && other.Event != nil && !other.Due.IsZero()
					if isLeased && !slices.Contains(ids(claimed), other.ID) {
						t.Errorf("while this worker has events of %s, another has %s", j.InstanceID, other.ID)
					}
				}
				if _, _, err := s.ApplyEvent(t.Context(), *j.Event, noon()); err != nil {
					t.Errorf("ApplyEvent: %v", err)
				}
				applied.Add(1)
			}
		}
	})
	for i := range stored {
		id := fmt.Sprint(i)
		if j := job(t, s, fmt.Sprint("instance ", i%instances), id); j.State != instance.JobDone {
			t.Errorf("event %s is %s", id, j.State)
		}
	}
}

// Of crowd who apply one event exactly one changes the instance.
func concurrentApplyChangesOnce(t *testing.T, s Storage) {
	for round := range 5 {
		var changes atomic.Int64
		id := fmt.Sprint("instance ", round)
		e := event("event of "+id, id, instance.EventRemoved, noon())
		accept(t, s, e)
		together(crowd, func(int) {
			row, change, err := s.ApplyEvent(t.Context(), e, noon())
			if err != nil || row.RemovedAt != noon() {
				t.Errorf("ApplyEvent = %+v, %v", row, err)
			}
			if change.Removed {
				changes.Add(1)
			}
		})
		if changes.Load() != 1 {
			t.Errorf("%d changed it", changes.Load())
		}
	}
}

// Events that crowd apply at once end in the row that their own times give.
func concurrentApplyEndsByTime(t *testing.T, s Storage) {
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 2))
		id := fmt.Sprint("instance ", seed)
		events := history(random, id)
		want := newInstance(id, noon())
		for _, e := range events {
			want.Apply(e)
		}
		deliveries := append(events, events...)
		random.Shuffle(len(deliveries), func(i, j int) { deliveries[i], deliveries[j] = deliveries[j], deliveries[i] })
		together(len(deliveries), func(i int) {
			if _, _, err := s.ApplyEvent(t.Context(), deliveries[i], noon()); err != nil {
				t.Errorf("ApplyEvent: %v", err)
			}
		})
		wantRow(t, id, find(t, s, id), want)
	}
}

// Events, visits, saves and profiles of one instance do not undo each other.
func concurrentEventsAndCalls(t *testing.T, s Storage) {
	const each = 10
	seen(t, s, "a", "", noon())
	together(5, func(kind int) {
		for i := range each {
			var err error
			at := noon().Add(time.Duration(i+1) * time.Hour)
			switch kind {
			case 0:
				_, err = s.Seen(t.Context(), visit("a", fmt.Sprint("site ", i), at))
			case 1:
				_, err = s.SaveSettings(t.Context(), "a", greeting(fmt.Sprint(i)), int64(i))
			case 2:
				_, err = s.SaveProfile(t.Context(), "a", instance.Profile{Locale: fmt.Sprint(i)}, at)
			case 3:
				_, _, err = s.ApplyEvent(t.Context(), planned(fmt.Sprint("plan ", i), "a", fmt.Sprint(i), at.Add(time.Minute)), at)
			case 4:
				_, _, err = s.ApplyEvent(t.Context(), copied(fmt.Sprint("copy ", i), "a", "origin", at), at)
			}
			if err != nil {
				t.Errorf("kind %d, round %d: %v", kind, i, err)
			}
		}
	})
	last := noon().Add(each * time.Hour)
	wantRow(t, "Find", find(t, s, "a"), instance.Instance{
		ID: "a", SiteID: fmt.Sprint("site ", each-1), FirstSeen: noon(), LastSeen: last,
		Settings: greeting(fmt.Sprint(each - 1)), Version: each,
		Profile:   instance.Profile{Locale: fmt.Sprint(each - 1), Plan: instance.NewPlan(fmt.Sprint(each - 1))},
		ProfileAt: last, PlanAt: last.Add(time.Minute), StatusAt: last, OriginID: "origin",
	})
}

// Old tokens that come while the app is removed do not revive it.
func concurrentOldTokensDoNotRevive(t *testing.T, s Storage) {
	full(t, s, "a")
	together(crowd, func(i int) {
		var err error
		if i == crowd/2 {
			_, _, err = s.ApplyEvent(t.Context(), event("1", "a", instance.EventRemoved, after(3600)), noon())
		} else {
			v := visit("a", "", noon().Add(time.Duration(i)*time.Hour))
			v.IssuedAt = after(3600 - i)
			_, err = s.Seen(t.Context(), v)
		}
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	})
	if row := find(t, s, "a"); row.RemovedAt != after(3600) {
		t.Errorf("the row is %+v", row)
	}
}

// No request for a refresh is lost to a worker that is just finishing one.
func concurrentRefreshRequestsAreNotLost(t *testing.T, s Storage) {
	var requests, read atomic.Int64
	var working sync.WaitGroup
	stop := make(chan struct{})
	work := func(now time.Time) bool {
		claimed, err := s.ClaimRefreshes(t.Context(), now, time.Minute, 1)
		if err != nil {
			t.Errorf("ClaimRefreshes: %v", err)
		}
		for _, j := range claimed {
			n := requests.Load()
			for before := read.Load(); before < n && !read.CompareAndSwap(before, n); before = read.Load() {
			}
			if err := s.Finish(t.Context(), j); err != nil {
				t.Errorf("Finish: %v", err)
			}
		}
		return len(claimed) > 0
	}
	for range 3 {
		working.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					work(after(1))
				}
			}
		})
	}
	together(4, func(i int) {
		for n := range 25 {
			requests.Add(1)
			if err := s.RequestRefresh(t.Context(), "a", after(n%2*3600)); err != nil {
				t.Errorf("RequestRefresh: %v", err)
			}
		}
	})
	close(stop)
	working.Wait()
	for work(after(7200)) {
	}
	if requests.Load() != read.Load() {
		t.Errorf("the last refresh began after %d requests of %d", read.Load(), requests.Load())
	}
	if j := job(t, s, "a", "refresh:a"); j.State != instance.JobDone {
		t.Errorf("the refresh is %+v", j)
	}
}

// Sites that are copies of each other do not wait for each other for ever.
func concurrentCopiesOfEachOther(t *testing.T, s Storage) {
	full(t, s, "0")
	full(t, s, "1")
	together(crowd, func(i int) {
		e := copied(fmt.Sprint("event ", i), fmt.Sprint(i%2), fmt.Sprint((i+1)%2), after(i))
		if _, _, err := s.ApplyEvent(t.Context(), e, noon()); err != nil {
			t.Errorf("ApplyEvent: %v", err)
		}
	})
	for i := range 2 {
		if row := find(t, s, fmt.Sprint(i)); row.OriginID != fmt.Sprint((i+1)%2) || row.Version != 1 {
			t.Errorf("the row is %+v", row)
		}
	}
}

// An instance that is deleted and purged while events come leaves no half of itself.
func concurrentDeleteAndEvents(t *testing.T, s Storage) {
	together(12, func(i int) {
		for n := range 8 {
			var err error
			e := event(fmt.Sprint(i, " ", n), "a", instance.EventRemoved, noon())
			switch i % 6 {
			case 0:
				_, err = s.Accept(t.Context(), e)
			case 1:
				_, _, err = s.ApplyEvent(t.Context(), e, noon())
			case 2:
				e.Kind = instance.EventBilling
				_, _, err = s.ApplyEvent(t.Context(), e, noon())
			case 3:
				err = s.Delete(t.Context(), "a")
			case 4:
				_, err = s.PurgeRemoved(t.Context(), after(1))
			case 5:
				_, err = s.Seen(t.Context(), visit("a", "site", noon()))
			}
			if err != nil && !errors.Is(err, instance.ErrNotFound) {
				t.Errorf("kind %d: %v", i%6, err)
			}
		}
	})
	deleteInstance(t, s, "a")
	wantMissing(t, s, "a")
	wantIDs(t, "the jobs", jobs(t, s, "a"))
}

// What is installed again while removed instances are purged stays whole, or begins again.
func concurrentRevivalAndPurge(t *testing.T, s Storage) {
	for i := range crowd {
		removedAt(t, s, fmt.Sprint(i), noon())
	}
	back := make([]instance.Instance, crowd)
	together(3, func(kind int) {
		if kind == 0 {
			if _, err := s.PurgeRemoved(t.Context(), after(1)); err != nil {
				t.Errorf("PurgeRemoved: %v", err)
			}
			return
		}
		for i := crowd - kind; i >= 0; i -= 2 {
			var err error
			if back[i], err = s.Seen(t.Context(), issued(fmt.Sprint(i), after(60))); err != nil {
				t.Errorf("Seen: %v", err)
			}
		}
	})
	for i, row := range back {
		wantRow(t, "Find", find(t, s, row.ID), row)
		if stored := len(jobs(t, s, row.ID)); row.Version == 1 && stored != 3 || row.Version == 0 && stored != 0 || !row.RemovedAt.IsZero() {
			t.Errorf("instance %d has %d jobs and is %+v", i, stored, row)
		}
	}
}

// Of crowd who purge at once, each instance is purged by one.
func concurrentPurgesPurgeOnce(t *testing.T, s Storage) {
	for i := range crowd {
		removedAt(t, s, fmt.Sprint(i), noon())
	}
	var mu sync.Mutex
	purged := map[string]int{}
	together(4, func(int) {
		gone, err := s.PurgeRemoved(t.Context(), after(1))
		if err != nil {
			t.Errorf("PurgeRemoved: %v", err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, id := range gone {
			purged[id]++
		}
	})
	for i := range crowd {
		if times := purged[fmt.Sprint(i)]; times != 1 {
			t.Errorf("instance %d was purged %d times", i, times)
		}
	}
}
