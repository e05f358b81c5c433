package storetest

// What ApplyEvent promises: each event once in effect, whatever comes between, and the
// settings of the site that was copied.

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// An event of an unknown instance creates it, seen when the event was received.
func applyCreatesInstance(t *testing.T, s Storage) {
	for _, kind := range []instance.EventKind{
		instance.EventInstalled, instance.EventRemoved, instance.EventPlan, instance.EventBilling, instance.EventOther,
	} {
		id := string(kind)
		e := event("event "+id, id, kind, after(-10))
		e.Plan = "gold"
		accept(t, s, e)
		want := newInstance(id, noon())
		wantChange := want.Apply(e)
		row, change := apply(t, s, e)
		wantRow(t, "ApplyEvent", row, want)
		wantRow(t, "Find", find(t, s, id), want)
		if change != wantChange {
			t.Errorf("%s: the change is %+v, want %+v", kind, change, wantChange)
		}
		if j := job(t, s, id, e.ID); j.State != instance.JobDone || j.Attempts != 0 {
			t.Errorf("%s: the job is %+v", kind, j)
		}
	}
}

// An event of a known instance changes what it is about, and nothing else.
func applyChangesOnlyItsSubject(t *testing.T, s Storage) {
	for i, kind := range []instance.EventKind{
		instance.EventInstalled, instance.EventPlan, instance.EventBilling, instance.EventOther, instance.EventRemoved,
	} {
		want := full(t, s, string(kind))
		e := event("event "+string(kind), want.ID, kind, after(10))
		e.Plan = "gold"
		accept(t, s, e)
		want.Apply(e)
		row, _ := apply(t, s, e)
		wantRow(t, fmt.Sprint("ApplyEvent ", i), row, want)
		wantRow(t, fmt.Sprint("Find ", i), find(t, s, want.ID), want)
	}
}

// An event that is applied again changes nothing, even if the instance has changed since.
func applyTwiceChangesNothing(t *testing.T, s Storage) {
	removal := event("1", "a", instance.EventRemoved, after(10))
	accept(t, s, removal)
	apply(t, s, removal)
	row, _ := apply(t, s, event("2", "a", instance.EventInstalled, after(20)))
	for range 3 {
		again, change := apply(t, s, removal)
		if change != (instance.Change{}) {
			t.Errorf("applied again: %+v", change)
		}
		wantRow(t, "ApplyEvent", again, row)
	}
	wantRow(t, "Find", find(t, s, "a"), row)
}

// An event that is applied again requests no new refresh.
func applyTwiceRequestsNoRefresh(t *testing.T, s Storage) {
	bought := planned("1", "a", "gold", noon())
	accept(t, s, bought)
	apply(t, s, bought)
	finish(t, s, claimOne(t, s, after(1)))
	apply(t, s, bought)
	wantIdle(t, s, after(3600))
}

// An event that was never accepted is applied, and recognized from then on.
func applyWithoutAccept(t *testing.T, s Storage) {
	e := event("1", "a", instance.EventRemoved, noon())
	apply(t, s, e)
	if fresh, err := s.Accept(t.Context(), e); err != nil || fresh {
		t.Errorf("Accept = %v, %v", fresh, err)
	}
	if _, change := apply(t, s, e); change != (instance.Change{}) {
		t.Errorf("applied again: %+v", change)
	}
}

// An event that was buried can still be applied.
func applyBuriedEvent(t *testing.T, s Storage) {
	e := event("1", "a", instance.EventRemoved, noon())
	accept(t, s, e)
	bury(t, s, claimOne(t, s, noon()), "broken")
	if row, change := apply(t, s, e); !change.Removed || row.RemovedAt != noon() {
		t.Errorf("ApplyEvent = %+v, %+v", row, change)
	}
	if n, err := s.DeadLetters(t.Context()); err != nil || n != 0 {
		t.Errorf("DeadLetters = %d, %v", n, err)
	}
}

// An event that is applied lets the dead ones of its instance start again, and those of no other.
func applyRevivesDead(t *testing.T, s Storage) {
	dead := event("dead", "a", instance.EventRemoved, noon())
	accept(t, s, dead, event("foreign", "b", instance.EventRemoved, noon()))
	bury(t, s, job(t, s, "a", "dead"), "broken")
	bury(t, s, job(t, s, "b", "foreign"), "broken")
	next := event("next", "a", instance.EventOther, after(-10))
	apply(t, s, next)
	wantJobs(t, "the dead", []instance.Job{job(t, s, "a", "dead")}, pendingJob(dead))
	wantDeadLetters(t, s, 1)
	bury(t, s, job(t, s, "a", "dead"), "broken")
	apply(t, s, next)
	wantDeadLetters(t, s, 2) // it had been applied before
}

// Where the app instance has to be read again, a refresh is due at once.
func applyRequestsRefresh(t *testing.T, s Storage) {
	for kind, refreshed := range map[instance.EventKind]bool{
		instance.EventInstalled: true, instance.EventPlan: true, instance.EventBilling: true,
		instance.EventRemoved: false, instance.EventOther: false,
	} {
		id := string(kind)
		apply(t, s, event("event "+id, id, kind, noon()))
		claimed := claim(t, s, after(1), time.Minute, 10)
		if refreshed {
			wantIDs(t, id, claimed, "refresh:"+id)
		} else {
			wantIDs(t, id, claimed)
		}
	}
}

// In whatever order and however often events come, the row ends the same.
func applyInAnyOrder(t *testing.T, s Storage) {
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 1))
		id := fmt.Sprint("instance ", seed)
		events := history(random, id)
		want := newInstance(id, noon())
		for _, e := range events {
			want.Apply(e)
		}
		deliveries := append(events, events[:len(events)/2]...)
		random.Shuffle(len(deliveries), func(i, j int) { deliveries[i], deliveries[j] = deliveries[j], deliveries[i] })
		for _, e := range deliveries {
			if _, err := s.Accept(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			apply(t, s, e)
		}
		wantRow(t, id, find(t, s, id), want)
	}
}

// history is what may happen to an instance, in the order of its time.
func history(random *rand.Rand, instanceID string) []instance.Event {
	var events []instance.Event
	for at := range 20 {
		id := fmt.Sprint(instanceID, " ", at)
		switch random.IntN(6) {
		case 0, 1:
			events = append(events, event(id, instanceID, instance.EventRemoved, after(at)))
		case 2:
			events = append(events, copied(id, instanceID, "unknown", after(at)))
		case 3, 4:
			events = append(events, planned(id, instanceID, fmt.Sprint("plan ", random.IntN(3)), after(at)))
		case 5:
			events = append(events, event(id, instanceID, instance.EventBilling, after(at)))
		}
	}
	return events
}

// freshCopy is the row of a copy whose origin gave it nothing.
func freshCopy(originID string) instance.Instance {
	row := newInstance("copy", noon())
	row.StatusAt, row.OriginID = noon(), originID
	return row
}

// A copy takes over the settings of its origin at version 1, once.
func copyTakesSettingsOnce(t *testing.T, s Storage) {
	origin := full(t, s, "origin")
	origin = save(t, s, "origin", "שלום <&> 👋", origin.Version)
	want := freshCopy("origin")
	want.Settings, want.Version = origin.Settings, 1
	row, change := apply(t, s, copied("1", "copy", "origin", noon()))
	if !change.CopySettings {
		t.Errorf("the change is %+v", change)
	}
	wantRow(t, "ApplyEvent", row, want)
	wantRow(t, "Find", find(t, s, "copy"), want)

	save(t, s, "origin", "Newer", origin.Version)
	want = save(t, s, "copy", "Our own", 1)
	apply(t, s, copied("2", "copy", "origin", after(-1)))
	apply(t, s, copied("3", "copy", "origin", noon()))
	wantRow(t, "after further events", find(t, s, "copy"), want)
	if row := find(t, s, "origin"); greetingOf(row) != "Newer" || row.Version != 3 {
		t.Errorf("the origin became %+v", row)
	}
}

// An origin that has saved no settings gives none.
func copyOfDefaults(t *testing.T, s Storage) {
	seen(t, s, "origin", "", noon())
	row, _ := apply(t, s, copied("1", "copy", "origin", noon()))
	wantRow(t, "ApplyEvent", row, freshCopy("origin"))
	wantRow(t, "Find", find(t, s, "copy"), freshCopy("origin"))
}

// An origin that is not stored gives none.
func copyOfUnknownOrigin(t *testing.T, s Storage) {
	row, _ := apply(t, s, copied("1", "copy", "origin", noon()))
	wantRow(t, "ApplyEvent", row, freshCopy("origin"))
	wantMissing(t, s, "origin")
}

// An instance that names itself as its origin gets nothing.
func copyOfItself(t *testing.T, s Storage) {
	row, _ := apply(t, s, copied("1", "copy", "copy", noon()))
	wantRow(t, "ApplyEvent", row, freshCopy("copy"))
}

// A copy that has its own settings keeps them.
func copyKeepsOwnSettings(t *testing.T, s Storage) {
	full(t, s, "origin")
	want := full(t, s, "copy")
	row, change := apply(t, s, copied("1", "copy", "origin", noon()))
	want.OriginID, want.StatusAt = "origin", noon()
	wantRow(t, "ApplyEvent", row, want)
	wantRow(t, "Find", find(t, s, "copy"), want)
	if change.CopySettings {
		t.Errorf("the change is %+v", change)
	}
}

// The copied settings belong to the copy.
func copyOwnsItsSettings(t *testing.T, s Storage) {
	full(t, s, "origin")
	want, _ := apply(t, s, copied("1", "copy", "origin", noon()))
	deleteInstance(t, s, "origin")
	wantRow(t, "Find", find(t, s, "copy"), want)
	if _, err := s.SaveSettings(t.Context(), "copy", greeting("Hi"), 0); err == nil {
		t.Error("the settings of the copy were saved over with version 0")
	}
	save(t, s, "copy", "Hi", 1)
}

// An event of the store's own creates no instance, and changes none.
func applyInternalEventCreatesNothing(t *testing.T, s Storage) {
	want := full(t, s, "a")
	for _, kind := range []instance.EventKind{instance.EventRevived, instance.EventPlanRefreshed} {
		row, change := apply(t, s, event("of a "+string(kind), "a", kind, after(10)))
		if change != (instance.Change{}) {
			t.Errorf("%s: the change is %+v", kind, change)
		}
		wantRow(t, "ApplyEvent", row, want)
		apply(t, s, event("of b "+string(kind), "b", kind, after(10)))
		wantMissing(t, s, "b")
	}
}
