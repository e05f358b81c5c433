// What Seen and SaveProfile promise of instances that Wix has told of: removals, the
// tokens from before and after them, and which news of the plan is the newest.

package storetest

import (
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// issued is a caller whose token was made at a moment, zero for unknown, and who comes
// an hour after noon from a new site.
func issued(id string, at time.Time) instance.Visit {
	v := visit(id, "new site", noon().Add(time.Hour))
	v.IssuedAt = at
	return v
}

func statusChecks() []inboxCheck {
	return []inboxCheck{
		{"a token from before the removal, of its moment or of unknown age changes nothing, and shows the removal", func(t *testing.T, s Whole) {
			full(t, s, "a")
			want, _ := apply(t, s, event("1", "a", instance.EventRemoved, after(60)))
			if want.RemovedAt != after(60) {
				t.Fatalf("the row is %+v", want)
			}
			for _, at := range []time.Time{{}, noon(), after(60).Add(-time.Millisecond), after(60), after(60).Add(999 * time.Microsecond)} {
				wantRow(t, "Seen", come(t, s, issued("a", at)), want)
				wantRow(t, "Find", find(t, s, "a"), want)
			}
		}},
		{"a newer token revives the instance with all that was held on it", func(t *testing.T, s Whole) {
			want := full(t, s, "a")
			apply(t, s, event("1", "a", instance.EventRemoved, after(60)))
			at := after(60).Add(time.Millisecond)
			want.SiteID, want.LastSeen, want.StatusAt = "new site", noon().Add(time.Hour), at
			wantRow(t, "Seen", come(t, s, issued("a", at)), want)
			wantRow(t, "Find", find(t, s, "a"), want)
		}},
		{"a newer token revives the instance though it came within SeenEvery and has no news else", func(t *testing.T, s Whole) {
			want := full(t, s, "a")
			apply(t, s, event("1", "a", instance.EventRemoved, noon()))
			v := visit("a", "", noon())
			v.IssuedAt, want.StatusAt = after(1), after(1)
			wantRow(t, "Seen", come(t, s, v), want)
			wantRow(t, "Find", find(t, s, "a"), want)
		}},
		{"a removal that is older than a token that was seen does not take the instance away", func(t *testing.T, s Whole) {
			v := visit("a", "site", noon())
			v.IssuedAt = noon()
			want := come(t, s, v)
			row, change := apply(t, s, event("1", "a", instance.EventRemoved, after(-1)))
			if change.Removed {
				t.Errorf("the change is %+v", change)
			}
			wantRow(t, "ApplyEvent", row, want)
		}},
		{"of a removal and an installation the later by Wix's clock counts, whichever comes first", func(t *testing.T, s Whole) {
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
		}},
		{"settings and profile of a removed instance can still be saved, and it stays removed", func(t *testing.T, s Whole) {
			full(t, s, "a")
			apply(t, s, event("1", "a", instance.EventRemoved, after(60)))
			save(t, s, "a", "Hi", 1)
			if row := saveProfile(t, s, "a", profile("b"), after(90)); row.RemovedAt != after(60) {
				t.Errorf("SaveProfile returned %+v", row)
			}
			if row := find(t, s, "a"); row.RemovedAt != after(60) || row.Settings.Greeting != "Hi" || row.Profile.Locale != "en" {
				t.Errorf("the row is %+v", row)
			}
		}},
		{"an instance that is deleted and comes back is not removed", func(t *testing.T, s Whole) {
			apply(t, s, event("1", "a", instance.EventRemoved, after(60)))
			remove(t, s, "a")
			if row := seen(t, s, "a", "", after(70)); !row.RemovedAt.IsZero() || !row.StatusAt.IsZero() {
				t.Errorf("the row is %+v", row)
			}
		}},
	}
}

func planChecks() []inboxCheck {
	gold := instance.Plan{Name: "gold"}
	return []inboxCheck{
		{"a plan that an event told is known before Wix was ever read", func(t *testing.T, s Whole) {
			want := instance.NewInstance("a", noon())
			want.Profile.Plan, want.PlanAt = gold, after(10)
			row, change := apply(t, s, planned("1", "a", "gold", after(10)))
			wantRow(t, "ApplyEvent", row, want)
			wantRow(t, "Find", find(t, s, "a"), want)
			if !change.Plan || !change.Reread {
				t.Errorf("the change is %+v", change)
			}
		}},
		{"news from before the plan event keeps the plan and takes the rest; that of the same moment or later takes the plan", func(t *testing.T, s Whole) {
			apply(t, s, planned("1", "a", "gold", after(10)))
			want := find(t, s, "a")
			for _, step := range []struct {
				at     int
				plan   instance.Plan
				planAt int
			}{
				{-5, gold, 10}, {9, gold, 10}, {10, profile("a").Plan, 10}, {11, profile("a").Plan, 11}, {30, profile("a").Plan, 30},
			} {
				want.Profile, want.ProfileAt = profile("a"), after(step.at)
				want.Profile.Plan, want.PlanAt = step.plan, after(step.planAt)
				wantRow(t, "SaveProfile", saveProfile(t, s, "a", profile("a"), after(step.at)), want)
				wantRow(t, "Find", find(t, s, "a"), want)
			}
		}},
		{"news that is older than the last reading changes nothing, the plan included", func(t *testing.T, s Whole) {
			want := full(t, s, "a")
			wantRow(t, "SaveProfile", saveProfile(t, s, "a", instance.Profile{Plan: gold}, noon()), want)
			wantRow(t, "Find", find(t, s, "a"), want)
		}},
		{"a plan event from before the last reading changes nothing but asks for another", func(t *testing.T, s Whole) {
			want := full(t, s, "a")
			row, change := apply(t, s, planned("1", "a", "gold", noon()))
			wantRow(t, "ApplyEvent", row, want)
			if change != (instance.Change{Reread: true}) {
				t.Errorf("the change is %+v", change)
			}
		}},
		{"a plan event keeps the rest of the profile", func(t *testing.T, s Whole) {
			want := full(t, s, "a")
			want.Profile.Plan, want.PlanAt = gold, after(60)
			row, _ := apply(t, s, planned("1", "a", "gold", after(60)))
			wantRow(t, "ApplyEvent", row, want)
			wantRow(t, "Find", find(t, s, "a"), want)
		}},
		{"back to the free plan is news too", func(t *testing.T, s Whole) {
			apply(t, s, planned("1", "a", "gold", after(10)))
			if row, change := apply(t, s, planned("2", "a", "", after(20))); row.Profile.Plan != (instance.Plan{Free: true}) || !change.Plan {
				t.Errorf("ApplyEvent = %+v, %+v", row, change)
			}
		}},
	}
}
