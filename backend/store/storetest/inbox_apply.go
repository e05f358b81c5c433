// What ApplyEvent promises: each event once in effect, whatever comes between, and the
// settings of the site that was copied.

package storetest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

func applyChecks() []inboxCheck {
	return []inboxCheck{
		{"an event of an unknown instance makes it, seen when the event was received", func(t *testing.T, s Whole) {
			for _, kind := range []instance.EventKind{
				instance.EventInstalled, instance.EventRemoved, instance.EventPlan, instance.EventBilling, instance.EventOther,
			} {
				e := event("event "+string(kind), "a", kind, after(-10))
				e.Plan = "gold"
				remove(t, s, "a")
				accept(t, s, e)
				want := instance.NewInstance("a", noon())
				wantChange := want.Apply(e)
				row, change := apply(t, s, e)
				wantRow(t, "ApplyEvent", row, want)
				wantRow(t, "Find", find(t, s, "a"), want)
				if change != wantChange {
					t.Errorf("%s: the change is %+v, want %+v", kind, change, wantChange)
				}
				if j := job(t, s, "a", e.ID); j.State != instance.JobDone || j.Attempts != 0 {
					t.Errorf("%s: the job is %+v", kind, j)
				}
			}
		}},
		{"an event of a known instance changes what it is about, and nothing else", func(t *testing.T, s Whole) {
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
		}},
		{"an event that is applied again changes nothing, even if the instance has changed since", func(t *testing.T, s Whole) {
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
		}},
		{"an event that is applied again wants no new reading", func(t *testing.T, s Whole) {
			bought := planned("1", "a", "gold", noon())
			accept(t, s, bought)
			apply(t, s, bought)
			finish(t, s, claimOne(t, s, after(1)))
			apply(t, s, bought)
			wantIdle(t, s, after(3600))
		}},
		{"an event that was never accepted is applied, and recognised from then on", func(t *testing.T, s Whole) {
			e := event("1", "a", instance.EventRemoved, noon())
			apply(t, s, e)
			if fresh, err := s.Accept(t.Context(), e); err != nil || fresh {
				t.Errorf("Accept = %v, %v", fresh, err)
			}
			if _, change := apply(t, s, e); change != (instance.Change{}) {
				t.Errorf("applied again: %+v", change)
			}
		}},
		{"an event that was buried can still be applied", func(t *testing.T, s Whole) {
			e := event("1", "a", instance.EventRemoved, noon())
			accept(t, s, e)
			bury(t, s, claimOne(t, s, noon()), "broken")
			if row, change := apply(t, s, e); !change.Removed || row.RemovedAt != noon() {
				t.Errorf("ApplyEvent = %+v, %+v", row, change)
			}
			if n, err := s.DeadLetters(t.Context()); err != nil || n != 0 {
				t.Errorf("DeadLetters = %d, %v", n, err)
			}
		}},
		{"where the app instance has to be read again, a reading is wanted at once", func(t *testing.T, s Whole) {
			for kind, reread := range map[instance.EventKind]bool{
				instance.EventInstalled: true, instance.EventPlan: true, instance.EventBilling: true,
				instance.EventRemoved: false, instance.EventOther: false,
			} {
				id := string(kind)
				apply(t, s, event("event "+id, id, kind, noon()))
				wantIdle(t, s, after(1).Add(-time.Millisecond))
				claimed := claim(t, s, after(1), time.Minute, 10)
				if reread {
					wantIDs(t, id, claimed, "reread:"+id)
				} else {
					wantIDs(t, id, claimed)
				}
			}
		}},
		{"in whatever order and however often events come, the row ends the same", func(t *testing.T, s Whole) {
			for seed := range uint64(12) {
				random := rand.New(rand.NewPCG(seed, 1))
				id := fmt.Sprint("instance ", seed)
				events := history(random, id)
				want := instance.NewInstance(id, noon())
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
		}},
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

func copyChecks() []inboxCheck {
	// fresh is the row of a copy whose origin gave it nothing.
	fresh := func(originID string) instance.Instance {
		row := instance.NewInstance("copy", noon())
		row.StatusAt, row.OriginID = noon(), originID
		return row
	}
	return []inboxCheck{
		{"a copy takes over the settings of its origin at version 1, once", func(t *testing.T, s Whole) {
			origin := full(t, s, "origin")
			origin = save(t, s, "origin", "שלום <&> 👋", origin.Version)
			want := fresh("origin")
			want.Settings, want.Version = origin.Settings, 1
			row, change := apply(t, s, copied("1", "copy", "origin", noon()))
			if !change.Copy {
				t.Errorf("the change is %+v", change)
			}
			wantRow(t, "ApplyEvent", row, want)
			wantRow(t, "Find", find(t, s, "copy"), want)

			save(t, s, "origin", "Newer", origin.Version)
			want = save(t, s, "copy", "Our own", 1)
			apply(t, s, copied("2", "copy", "origin", after(-1)))
			apply(t, s, copied("3", "copy", "origin", noon()))
			wantRow(t, "after further events", find(t, s, "copy"), want)
			if row := find(t, s, "origin"); row.Settings.Greeting != "Newer" || row.Version != 3 {
				t.Errorf("the origin became %+v", row)
			}
		}},
		{"an origin that has saved no settings gives none", func(t *testing.T, s Whole) {
			seen(t, s, "origin", "", noon())
			row, _ := apply(t, s, copied("1", "copy", "origin", noon()))
			wantRow(t, "ApplyEvent", row, fresh("origin"))
			wantRow(t, "Find", find(t, s, "copy"), fresh("origin"))
		}},
		{"an origin that is not ours gives none", func(t *testing.T, s Whole) {
			row, _ := apply(t, s, copied("1", "copy", "origin", noon()))
			wantRow(t, "ApplyEvent", row, fresh("origin"))
			wantMissing(t, s, "origin")
		}},
		{"an instance that names itself as its origin gets nothing", func(t *testing.T, s Whole) {
			row, _ := apply(t, s, copied("1", "copy", "copy", noon()))
			wantRow(t, "ApplyEvent", row, fresh("copy"))
		}},
		{"a copy that has its own settings keeps them", func(t *testing.T, s Whole) {
			full(t, s, "origin")
			want := full(t, s, "copy")
			row, change := apply(t, s, copied("1", "copy", "origin", noon()))
			want.OriginID, want.StatusAt = "origin", noon()
			wantRow(t, "ApplyEvent", row, want)
			wantRow(t, "Find", find(t, s, "copy"), want)
			if change.Copy {
				t.Errorf("the change is %+v", change)
			}
		}},
		{"the settings that were copied are the copy's own", func(t *testing.T, s Whole) {
			full(t, s, "origin")
			want, _ := apply(t, s, copied("1", "copy", "origin", noon()))
			remove(t, s, "origin")
			wantRow(t, "Find", find(t, s, "copy"), want)
			if _, err := s.SaveSettings(t.Context(), "copy", instance.Settings{Greeting: "Hi"}, 0); err == nil {
				t.Error("the settings of the copy were saved over with version 0")
			}
			save(t, s, "copy", "Hi", 1)
		}},
	}
}
