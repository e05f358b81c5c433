package storetest

// What holds for many callers at once.

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// together runs n calls of f, released at the same moment, and waits for them.
func together(n int, f func(i int)) {
	var done sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		done.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	done.Wait()
}

const many = 50

// Of many saves with one version exactly one wins, and it is the one that is stored.
func concurrentSavesOneWins(t *testing.T, s Storage) {
	seen(t, s, "a", "", noon())
	for version := range int64(3) {
		var (
			mu   sync.Mutex
			wins []instance.Instance
		)
		together(many, func(i int) {
			row, err := s.SaveSettings(t.Context(), "a", greeting(strconv.Itoa(i)), version)
			if err != nil {
				wantConflict(t, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			wins = append(wins, row)
		})
		if len(wins) != 1 {
			t.Fatalf("%d saves won", len(wins))
		}
		wantRow(t, "Find", find(t, s, "a"), wins[0])
		if wins[0].Version != version+1 {
			t.Errorf("the winner got version %d, want %d", wins[0].Version, version+1)
		}
	}
}

// No save is lost when every loser reads again and retries.
func concurrentSavesWithRetryLoseNone(t *testing.T, s Storage) {
	const savers, each = 8, 10
	seen(t, s, "a", "", noon())
	save(t, s, "a", "0", 0)
	together(savers, func(int) {
		for saved := 0; saved < each; {
			row, err := s.Find(t.Context(), "a")
			if err != nil {
				t.Errorf("Find: %v", err)
				return
			}
			n, err := strconv.Atoi(greetingOf(row))
			if err != nil {
				t.Errorf("the greeting is %q", greetingOf(row))
				return
			}
			_, err = s.SaveSettings(t.Context(), "a", greeting(strconv.Itoa(n+1)), row.Version)
			if err == nil {
				saved++
				continue
			}
			wantConflict(t, err)
		}
	})
	if row := find(t, s, "a"); greetingOf(row) != strconv.Itoa(savers*each) || row.Version != savers*each+1 {
		t.Errorf("%d saves left %q at version %d", savers*each, greetingOf(row), row.Version)
	}
}

// Many first callers make one row, and all see the same FirstSeen.
func concurrentFirstVisitsMakeOneRow(t *testing.T, s Storage) {
	rows := make([]instance.Instance, many)
	together(many, func(i int) {
		row, err := s.Seen(t.Context(), visit("a", "site", noon().Add(time.Duration(i)*time.Millisecond)))
		if err != nil {
			t.Errorf("Seen: %v", err)
		}
		rows[i] = row
	})
	want := find(t, s, "a")
	if want.FirstSeen.Before(noon()) || !want.FirstSeen.Before(noon().Add(many*time.Millisecond)) {
		t.Errorf("first seen is %v, which no caller gave", want.FirstSeen)
	}
	for _, row := range rows {
		wantRow(t, "Seen", row, want)
	}
	deleteInstance(t, s, "a")
	wantMissing(t, s, "a")
}

// LastSeen only moves forward, and ends within SeenEvery of the last caller.
func concurrentVisitsMoveLastSeenForward(t *testing.T, s Storage) {
	seen(t, s, "a", "", noon())
	stop := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for last := noon(); ; {
			select {
			case <-stop:
				return
			default:
			}
			row, err := s.Find(t.Context(), "a")
			if err != nil {
				t.Errorf("Find: %v", err)
				return
			}
			if row.LastSeen.Before(last) {
				t.Errorf("last seen moved back from %v to %v", last, row.LastSeen)
				return
			}
			last = row.LastSeen
		}
	})
	together(many, func(i int) {
		// Spread so that neighbours in time are not neighbours in start.
		at := noon().Add(time.Duration(i*37%many) * time.Minute)
		if _, err := s.Seen(t.Context(), visit("a", "", at)); err != nil {
			t.Errorf("Seen: %v", err)
		}
	})
	close(stop)
	watcher.Wait()
	row, latest := find(t, s, "a"), noon().Add((many-1)*time.Minute)
	if !row.FirstSeen.Equal(noon()) || row.LastSeen.After(latest) || latest.Sub(row.LastSeen) >= instance.SeenEvery {
		t.Errorf("first seen %v, last seen %v; the last caller came at %v", row.FirstSeen, row.LastSeen, latest)
	}
}

// Of many profiles the newest stays.
func concurrentProfilesNewestStays(t *testing.T, s Storage) {
	want := seen(t, s, "a", "", noon())
	together(many, func(i int) {
		n := i * 37 % many
		p := instance.Profile{Plan: instance.NewPlan(""), SiteDisplayName: strconv.Itoa(n), Languages: []string{strconv.Itoa(n)}}
		row, err := s.SaveProfile(t.Context(), "a", p, noon().Add(time.Duration(n)*time.Second))
		if err != nil {
			t.Errorf("SaveProfile: %v", err)
		} else if row.ProfileAt.Before(noon().Add(time.Duration(n) * time.Second)) {
			t.Errorf("SaveProfile returned an older profile than it was given")
		}
	})
	newest := strconv.Itoa(many - 1)
	want.Profile = instance.Profile{Plan: instance.NewPlan(""), SiteDisplayName: newest, Languages: []string{newest}}
	want.ProfileAt = noon().Add((many - 1) * time.Second)
	want.PlanAt = want.ProfileAt
	wantRow(t, "Find", find(t, s, "a"), want)
}

// Visits, saves and profiles of one instance do not undo each other.
func concurrentCallsOfOneInstance(t *testing.T, s Storage) {
	const each = 10
	seen(t, s, "a", "", noon())
	together(4, func(kind int) {
		for i := range each {
			var err error
			at := noon().Add(time.Duration(i+1) * time.Hour)
			switch kind {
			case 0:
				_, err = s.Seen(t.Context(), visit("a", "site "+strconv.Itoa(i), at))
			case 1:
				_, err = s.SaveSettings(t.Context(), "a", greeting(strconv.Itoa(i)), int64(i))
			case 2:
				_, err = s.SaveProfile(t.Context(), "a", instance.Profile{Plan: instance.NewPlan(""), Locale: strconv.Itoa(i)}, at)
			case 3:
				_, err = s.Find(t.Context(), "a")
			}
			if err != nil {
				t.Errorf("kind %d, round %d: %v", kind, i, err)
			}
		}
	})
	last := strconv.Itoa(each - 1)
	wantRow(t, "Find", find(t, s, "a"), instance.Instance{
		ID: "a", SiteID: "site " + last, FirstSeen: noon(), LastSeen: noon().Add(each * time.Hour),
		Settings: greeting(last), Version: each,
		Profile: instance.Profile{Plan: instance.NewPlan(""), Locale: last}, ProfileAt: noon().Add(each * time.Hour), PlanAt: noon().Add(each * time.Hour),
	})
}

// A reader never sees less than what was acknowledged before it asked.
func concurrentReadersSeeAcknowledgedSaves(t *testing.T, s Storage) {
	const saves = 60
	seen(t, s, "a", "", noon())
	var mu sync.Mutex
	var saved int64
	acknowledged := func() int64 {
		mu.Lock()
		defer mu.Unlock()
		return saved
	}
	together(5, func(i int) {
		if i == 0 {
			for version := range int64(saves) {
				if _, err := s.SaveSettings(t.Context(), "a", greeting("Hi"), version); err != nil {
					t.Errorf("SaveSettings: %v", err)
				}
				mu.Lock()
				saved = version + 1
				mu.Unlock()
			}
			return
		}
		for least := int64(0); least < saves && !t.Failed(); {
			least = acknowledged()
			row, err := s.Seen(t.Context(), visit("a", "", noon()))
			if i%2 == 0 {
				row, err = s.Find(t.Context(), "a")
			}
			if err != nil || row.Version < least {
				t.Errorf("read version %d (%v) after %d was acknowledged", row.Version, err, least)
			}
		}
	})
}

// An instance that is deleted while it is visited and saved leaves no half of itself.
func concurrentDeleteLeavesNoHalf(t *testing.T, s Storage) {
	together(12, func(i int) {
		for range 10 {
			var err error
			switch i % 4 {
			case 0:
				_, err = s.Seen(t.Context(), visit("a", "site", noon()))
			case 1:
				err = s.Delete(t.Context(), "a")
			case 2:
				_, err = s.SaveProfile(t.Context(), "a", profile("a"), noon())
			case 3:
				_, err = s.Find(t.Context(), "a")
			}
			if err != nil && !errors.Is(err, instance.ErrNotFound) {
				t.Errorf("kind %d: %v", i%4, err)
			}
		}
	})
	deleteInstance(t, s, "a")
	wantMissing(t, s, "a")
	wantRow(t, "Seen", seen(t, s, "a", "", noon()), instance.Instance{
		ID: "a", FirstSeen: noon(), LastSeen: noon(), Settings: noSettings(),
	})
}

// Many instances at once do not mix.
func concurrentInstancesDoNotMix(t *testing.T, s Storage) {
	together(many, func(i int) {
		id := fmt.Sprintf("instance %d", i)
		if _, err := s.Seen(t.Context(), visit(id, "site of "+id, noon())); err != nil {
			t.Errorf("Seen: %v", err)
		}
		if _, err := s.SaveSettings(t.Context(), id, greeting("Hello from "+id), 0); err != nil {
			t.Errorf("SaveSettings: %v", err)
		}
		if _, err := s.SaveProfile(t.Context(), id, profile(id), noon()); err != nil {
			t.Errorf("SaveProfile: %v", err)
		}
	})
	for i := range many {
		id := fmt.Sprintf("instance %d", i)
		wantRow(t, id, find(t, s, id), instance.Instance{
			ID: id, SiteID: "site of " + id, FirstSeen: noon(), LastSeen: noon(),
			Settings: greeting("Hello from " + id), Version: 1,
			Profile: profile(id), ProfileAt: noon(), PlanAt: noon(),
		})
	}
}
