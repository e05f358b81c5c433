package storetest

// What Seen and SaveProfile promise of instances about which events came: removals, the
// tokens from before and after them, and which report of the plan is the newest.

import (
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// issued is a visit with a token from a moment, zero for unknown, an hour after noon from
// a new site.
func issued(id string, at time.Time) instance.Visit {
	v := visit(id, "new site", noon().Add(time.Hour))
	v.IssuedAt = at
	return v
}

// A token from before the removal, of its moment or of unknown age changes nothing, and shows the removal.
func statusOldTokenChangesNothing(t *testing.T, s Storage) {
	full(t, s, "a")
	want, _ := apply(t, s, event("1", "a", instance.EventRemoved, after(60)))
	if want.RemovedAt != after(60) {
		t.Fatalf("the row is %+v", want)
	}
	for _, at := range []time.Time{{}, noon(), after(60).Add(-time.Millisecond), after(60), after(60).Add(999 * time.Microsecond)} {
		wantRow(t, "Seen", recordVisit(t, s, issued("a", at)), want)
		wantRow(t, "Find", find(t, s, "a"), want)
	}
}

// A newer token revives the instance with everything that was stored about it.
func statusNewTokenRevives(t *testing.T, s Storage) {
	want := full(t, s, "a")
	apply(t, s, event("1", "a", instance.EventRemoved, after(60)))
	at := after(60).Add(time.Millisecond)
	want.SiteID, want.LastSeen, want.StatusAt, want.LastRemovedAt = "new site", noon().Add(time.Hour), at, after(60)
	wantRow(t, "Seen", recordVisit(t, s, issued("a", at)), want)
	wantRow(t, "Find", find(t, s, "a"), want)
}

// A newer token revives the instance though it came within SeenEvery and changes nothing else.
func statusNewTokenRevivesAtOnce(t *testing.T, s Storage) {
	want := full(t, s, "a")
	apply(t, s, event("1", "a", instance.EventRemoved, noon()))
	v := visit("a", "", noon())
	v.IssuedAt, want.StatusAt, want.LastRemovedAt = after(1), after(1), noon()
	wantRow(t, "Seen", recordVisit(t, s, v), want)
	wantRow(t, "Find", find(t, s, "a"), want)
}

// A removal that is older than a recorded token does not remove the instance.
func statusOldRemovalIsIgnored(t *testing.T, s Storage) {
	v := visit("a", "site", noon())
	v.IssuedAt = noon()
	want := recordVisit(t, s, v)
	row, change := apply(t, s, event("1", "a", instance.EventRemoved, after(-1)))
	if change.Removed {
		t.Errorf("the change is %+v", change)
	}
	want.LastRemovedAt = after(-1)
	wantRow(t, "ApplyEvent", row, want)
}

// A token from before a removal is worth nothing after the reinstallation either.
func statusOldTokenAfterReinstallation(t *testing.T, s Storage) {
	full(t, s, "a")
	apply(t, s, event("1", "a", instance.EventRemoved, after(60)))
	want, _ := apply(t, s, event("2", "a", instance.EventInstalled, after(120)))
	if want.LastRemovedAt != after(60) || !want.RemovedAt.IsZero() {
		t.Fatalf("the row is %+v", want)
	}
	wantRow(t, "Seen", recordVisit(t, s, issued("a", after(30))), want)
	wantRow(t, "Find", find(t, s, "a"), want)
	if row := recordVisit(t, s, issued("a", after(90))); row.SiteID != "new site" {
		t.Errorf("the row is %+v", row)
	}
}

// Of a removal and an installation the later by Wix's clock counts, whichever comes first.
func statusLaterEventCounts(t *testing.T, s Storage) {
	gone := event("gone", "a", instance.EventRemoved, after(10))
	back := event("back", "a", instance.EventInstalled, after(20))
	apply(t, s, back)
	if row, change := apply(t, s, gone); !row.RemovedAt.IsZero() || change.Removed {
		t.Errorf("ApplyEvent = %+v, %+v", row, change)
	}
	again := event("again", "a", instance.EventRemoved, after(30))
	if row, change := apply(t, s, again); row.RemovedAt != after(30) || !change.Removed {
		t.Errorf("ApplyEvent = %+v, %+v", row, change)
	}
	if row, change := apply(t, s, event("return", "a", instance.EventInstalled, after(40))); !row.RemovedAt.IsZero() || !change.Revived {
		t.Errorf("ApplyEvent = %+v, %+v", row, change)
	}
}

// Settings and profile of a removed instance can still be saved, and it stays removed.
func statusRemovedCanBeSaved(t *testing.T, s Storage) {
	full(t, s, "a")
	apply(t, s, event("1", "a", instance.EventRemoved, after(60)))
	save(t, s, "a", "Hi", 1)
	if row := saveProfile(t, s, "a", profile("b"), after(90)); row.RemovedAt != after(60) {
		t.Errorf("SaveProfile returned %+v", row)
	}
	if row := find(t, s, "a"); row.RemovedAt != after(60) || greetingOf(row) != "Hi" || row.Profile.Locale != "en" {
		t.Errorf("the row is %+v", row)
	}
}

// An instance that is deleted and comes back with a newer token is not removed.
func statusDeletedIsNotRemoved(t *testing.T, s Storage) {
	apply(t, s, event("1", "a", instance.EventRemoved, after(60)))
	deleteInstance(t, s, "a")
	row := recordVisit(t, s, issued("a", after(70)))
	if !row.RemovedAt.IsZero() || row.StatusAt != after(70) || row.LastRemovedAt != after(60) {
		t.Errorf("the row is %+v", row)
	}
	wantRow(t, "Find", find(t, s, "a"), row)
}

// A plan that an event reported is known before Wix was ever read.
func planOfEventIsKnown(t *testing.T, s Storage) {
	want := newInstance("a", noon())
	want.Profile.Plan, want.PlanAt = instance.NewPlan("gold"), after(10)
	row, change := apply(t, s, planned("1", "a", "gold", after(10)))
	wantRow(t, "ApplyEvent", row, want)
	wantRow(t, "Find", find(t, s, "a"), want)
	if !change.Plan || !change.Refresh {
		t.Errorf("the change is %+v", change)
	}
}

// A profile from before the plan event keeps the plan and takes the rest; one of the same moment or later takes the plan.
func planNewerThanProfile(t *testing.T, s Storage) {
	apply(t, s, planned("1", "a", "gold", after(10)))
	want := find(t, s, "a")
	for _, step := range []struct {
		at     int
		plan   instance.Plan
		planAt int
	}{
		{-5, instance.NewPlan("gold"), 10}, {9, instance.NewPlan("gold"), 10}, {10, profile("a").Plan, 10}, {11, profile("a").Plan, 11}, {30, profile("a").Plan, 30},
	} {
		want.Profile, want.ProfileAt = profile("a"), after(step.at)
		want.Profile.Plan, want.PlanAt = step.plan, after(step.planAt)
		wantRow(t, "SaveProfile", saveProfile(t, s, "a", profile("a"), after(step.at)), want)
		wantRow(t, "Find", find(t, s, "a"), want)
	}
}

// A profile that is older than the last one changes nothing, the plan included.
func planOfOldProfile(t *testing.T, s Storage) {
	want := full(t, s, "a")
	wantRow(t, "SaveProfile", saveProfile(t, s, "a", instance.Profile{Plan: instance.NewPlan("gold")}, noon()), want)
	wantRow(t, "Find", find(t, s, "a"), want)
}

// A plan event from before the last profile changes nothing but requests a refresh.
func planOfOldEvent(t *testing.T, s Storage) {
	want := full(t, s, "a")
	row, change := apply(t, s, planned("1", "a", "gold", noon()))
	wantRow(t, "ApplyEvent", row, want)
	if change != (instance.Change{Refresh: true}) {
		t.Errorf("the change is %+v", change)
	}
}

// A plan event keeps the rest of the profile.
func planEventKeepsProfile(t *testing.T, s Storage) {
	want := full(t, s, "a")
	want.Profile.Plan, want.PlanAt = instance.NewPlan("gold"), after(60)
	row, _ := apply(t, s, planned("1", "a", "gold", after(60)))
	wantRow(t, "ApplyEvent", row, want)
	wantRow(t, "Find", find(t, s, "a"), want)
}

// Going back to the free plan is a change too.
func planBackToFree(t *testing.T, s Storage) {
	apply(t, s, planned("1", "a", "gold", after(10)))
	if row, change := apply(t, s, planned("2", "a", "", after(20))); row.Profile.Plan != (instance.NewPlan("")) || !change.Plan {
		t.Errorf("ApplyEvent = %+v, %+v", row, change)
	}
}
