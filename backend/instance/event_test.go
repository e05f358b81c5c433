package instance

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// at is so many minutes after noon.
func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

func installed(minutes int) Event { return Event{Kind: EventInstalled, At: at(minutes)} }
func removed(minutes int) Event   { return Event{Kind: EventRemoved, At: at(minutes)} }
func planned(minutes int, plan string) Event {
	return Event{Kind: EventPlan, At: at(minutes), Plan: plan}
}
func copied(minutes int, origin string) Event {
	return Event{Kind: EventInstalled, At: at(minutes), OriginID: origin}
}

func TestInstance_Apply(t *testing.T) {
	// known is an instance with settings of its own, installed and free since noon.
	known := Instance{ID: "i", SiteID: "s", FirstSeen: noon, LastSeen: noon, Version: 3, StatusAt: noon,
		Profile: Profile{Plan: Plan{Kind: PlanFree}, Locale: "de"}, ProfileAt: noon, PlanAt: noon}
	with := func(i Instance, changes ...func(*Instance)) Instance {
		for _, change := range changes {
			change(&i)
		}
		return i
	}
	fresh := func(i *Instance) { i.Version = 0 }
	status := func(removedAt, statusAt time.Time) func(*Instance) {
		return func(i *Instance) {
			i.RemovedAt, i.StatusAt = removedAt, statusAt
			if !removedAt.IsZero() {
				i.LastRemovedAt = removedAt
			}
		}
	}
	plan := func(name string, since time.Time) func(*Instance) {
		return func(i *Instance) { i.Profile.Plan, i.PlanAt = NewPlan(name), since }
	}
	origin := func(id string) func(*Instance) { return func(i *Instance) { i.OriginID = id } }
	last := func(at time.Time) func(*Instance) { return func(i *Instance) { i.LastRemovedAt = at } }
	gone := with(known, status(at(10), at(10)))
	gold := with(known, plan("gold", at(10)))
	never := time.Time{}

	for _, tt := range []struct {
		name   string
		before Instance
		event  Event
		after  Instance
		change Change
	}{
		{"an installation is recorded, and a refresh requested", known, installed(1), with(known, status(never, at(1))), Change{Installed: true, Refresh: true}},
		{"an installation after a removal revives", gone, installed(11), with(gone, status(never, at(11))), Change{Installed: true, Revived: true, Refresh: true}},
		{"an installation before a removal does not", gone, installed(9), gone, Change{Refresh: true}},
		{"nor does one at the same moment", gone, installed(10), gone, Change{Refresh: true}},
		{"an older installation does not turn the time back", known, installed(-1), known, Change{Installed: true, Refresh: true}},

		{"a removal removes", known, removed(1), with(known, status(at(1), at(1))), Change{Removed: true}},
		{"a removal at the moment of the installation removes", known, removed(0), with(known, status(noon, noon)), Change{Removed: true}},
		{"a removal before the installation does not, and is remembered", known, removed(-1), with(known, last(at(-1))), Change{}},
		{"a repeated removal is none", gone, removed(10), gone, Change{}},
		{"a later removal is the one that counts", gone, removed(11), with(known, status(at(11), at(11))), Change{}},
		{"an earlier removal does not turn the time back", gone, removed(9), gone, Change{}},
		{"a removal leaves the plan as it is", gold, removed(11), with(gold, status(at(11), at(11))), Change{Removed: true}},

		{"a plan is taken over", known, planned(1, "gold"), with(known, plan("gold", at(1))), Change{Plan: true, Refresh: true}},
		{"the free plan is a plan", gold, planned(11, ""), with(known, plan("", at(11))), Change{Plan: true, Refresh: true}},
		{"the first known plan is a change, even to free", NewInstance("i", noon), planned(1, ""), with(NewInstance("i", noon), plan("", at(1))), Change{Plan: true, Refresh: true}},
		{"the same plan later is no change", gold, planned(11, "gold"), with(known, plan("gold", at(11))), Change{Refresh: true}},
		{"an older plan is ignored, but a refresh requested", gold, planned(9, "silver"), gold, Change{Refresh: true}},
		{"of two plans at one moment the later by name wins", gold, planned(10, "silver"), with(known, plan("silver", at(10))), Change{Plan: true, Refresh: true}},
		{"and the earlier loses", gold, planned(10, "bronze"), gold, Change{Refresh: true}},
		{"so free loses to any", gold, planned(10, ""), gold, Change{Refresh: true}},
		{"a plan of a removed instance is recorded and does not revive", gone, planned(11, "gold"), with(gone, plan("gold", at(11))), Change{Plan: true, Refresh: true}},

		{"a cancelled renewal keeps the plan, and a refresh is requested", gold, Event{Kind: EventBilling, At: at(11), Plan: "silver"}, gold, Change{Refresh: true}},
		{"an event that is not known changes nothing", gold, Event{Kind: EventOther, At: at(11), Plan: "silver", OriginID: "o"}, gold, Change{}},
		{"a kind of tomorrow changes nothing", gold, Event{Kind: "merged", At: at(11), Plan: "silver", OriginID: "o"}, gold, Change{}},

		{"a copy takes the settings of its origin", with(known, fresh), copied(1, "o"), with(known, fresh, status(never, at(1)), origin("o")), Change{Installed: true, Copied: true, CopySettings: true, Refresh: true}},
		{"a copy with settings of its own keeps them", known, copied(1, "o"), with(known, status(never, at(1)), origin("o")), Change{Installed: true, Copied: true, Refresh: true}},
		{"a repeated copy copies nothing", with(known, fresh, origin("o")), copied(1, "o"), with(known, fresh, origin("o"), status(never, at(1))), Change{Installed: true, Refresh: true}},
		{"the origin that was reported first stays", with(known, fresh, origin("o")), copied(1, "p"), with(known, fresh, origin("o"), status(never, at(1))), Change{Installed: true, Refresh: true}},
		{"a late installation still reports the origin", with(gone, fresh), copied(9, "o"), with(gone, fresh, origin("o")), Change{Copied: true, CopySettings: true, Refresh: true}},
		{"an instance is no copy of itself", with(known, fresh), copied(1, "i"), with(known, fresh, status(never, at(1)), origin("i")), Change{Installed: true, Refresh: true}},

		{"a revival that is stored already changes nothing", gone, Event{Kind: EventRevived, At: at(20)}, gone, Change{}},
		{"nor does a refreshed plan that is stored already", gold, Event{Kind: EventPlanRefreshed, At: at(20), Plan: "silver"}, gold, Change{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.before
			if change := got.Apply(tt.event); change != tt.change {
				t.Errorf("change %+v, want %+v", change, tt.change)
			}
			if diff := gocmp.Diff(tt.after, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestInstance_Admits(t *testing.T) {
	here, gone := Instance{StatusAt: noon}, Instance{RemovedAt: noon, LastRemovedAt: noon, StatusAt: noon}
	back := Instance{LastRemovedAt: noon.Add(999 * time.Millisecond), StatusAt: at(1)}
	for _, tt := range []struct {
		name   string
		i      Instance
		issued time.Time
		want   bool
	}{
		{"any token is valid for an installed instance", here, at(-60), true},
		{"even one of unknown age", here, time.Time{}, true},
		{"a token from after the removal is valid", gone, noon.Add(time.Millisecond), true},
		{"a token of the same moment is not", gone, noon, false},
		{"a token from before is not", gone, at(-1), false},
		{"a token of unknown age is not", gone, time.Time{}, false},
		{"after a reinstallation a token from before the removal is not", back, noon.Add(-time.Second), false},
		{"one of the same second is", back, noon, true},
		{"one from before the reinstallation is", back, noon.Add(time.Second), true},
		{"and one of unknown age is", back, time.Time{}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.i.Admits(tt.issued); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestInstance_Visit(t *testing.T) {
	// here was seen at noon with a token from eleven o'clock; gone was removed at 12:10.
	here := Instance{ID: "i", SiteID: "s", FirstSeen: noon, LastSeen: noon, StatusAt: at(-60)}
	gone := here
	gone.RemovedAt, gone.LastRemovedAt, gone.StatusAt = at(10), at(10), at(10)
	since := func(site string, status, seen time.Time) Instance {
		return Instance{ID: "i", SiteID: site, FirstSeen: noon, LastSeen: seen, StatusAt: status}
	}
	back := func(i Instance) Instance {
		i.LastRemovedAt = at(10)
		return i
	}
	for _, tt := range []struct {
		name    string
		before  Instance
		visit   Visit
		after   Instance
		changed bool
	}{
		{"a visit within five minutes writes nothing", here, Visit{SiteID: "s", IssuedAt: at(4), At: at(4)}, here, false},
		{"a visit after five minutes is written", here, Visit{SiteID: "s", IssuedAt: at(-60), At: at(5)}, since("s", at(-60), at(5)), true},
		{"its token shows that the app is installed", here, Visit{IssuedAt: at(3), At: at(5)}, since("s", at(3), at(5)), true},
		{"an older token does not turn the time back", here, Visit{IssuedAt: at(-61), At: at(5)}, since("s", at(-60), at(5)), true},
		{"nor does one of unknown age", here, Visit{At: at(5)}, since("s", at(-60), at(5)), true},
		{"another site is written at once", here, Visit{SiteID: "s2", IssuedAt: at(1), At: at(1)}, since("s2", at(1), at(1)), true},
		{"no site replaces none", here, Visit{IssuedAt: at(1), At: at(1)}, here, false},
		{"a visit recorded late does not turn LastSeen back", here, Visit{SiteID: "s2", IssuedAt: at(-90), At: at(-1)}, since("s2", at(-60), noon), true},

		{"a token from before the removal changes nothing", gone, Visit{SiteID: "s2", IssuedAt: at(9), At: at(20)}, gone, false},
		{"nor does a token of the same moment", gone, Visit{SiteID: "s2", IssuedAt: at(10), At: at(20)}, gone, false},
		{"nor does one of unknown age", gone, Visit{SiteID: "s2", At: at(20)}, gone, false},
		{"a token from after it revives", gone, Visit{SiteID: "s2", IssuedAt: at(11), At: at(20)}, back(since("s2", at(11), at(20))), true},
		{"reviving is written even within five minutes", gone, Visit{IssuedAt: at(11), At: at(1)}, back(since("s", at(11), at(1))), true},
		{"a token from before a removal that is over changes nothing", back(here), Visit{SiteID: "s2", IssuedAt: at(9), At: at(20)}, back(here), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.before
			if changed, revived := got.Visit(tt.visit); changed != tt.changed || revived != (!tt.before.RemovedAt.IsZero() && changed) {
				t.Errorf("changed %v", changed)
			}
			if diff := gocmp.Diff(tt.after, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNewInstance(t *testing.T) {
	want := Instance{ID: "i", FirstSeen: noon, LastSeen: noon}
	if diff := gocmp.Diff(want, NewInstance("i", noon)); diff != "" {
		t.Error(diff)
	}
}

// end is what a history comes to.
type end struct {
	Removed, LastRemoved, StatusAt time.Time

	Plan   Plan
	PlanAt time.Time
}

func endOf(i Instance) end {
	return end{i.RemovedAt, i.LastRemovedAt, i.StatusAt, i.Profile.Plan, i.PlanAt}
}

// model computes the end of a history from its events in the order of their times: the
// last about a thing wins. At one moment, a removal comes after an installation, and
// plans come by name.
func model(events []Event) end {
	about := func(kinds ...EventKind) []Event {
		var found []Event
		for _, e := range events {
			if slices.Contains(kinds, e.Kind) {
				found = append(found, e)
			}
		}
		slices.SortFunc(found, func(a, b Event) int {
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), cmp.Compare(a.Plan, b.Plan))
		})
		return found
	}
	var e end
	if all := about(EventInstalled, EventRemoved); len(all) > 0 {
		last := all[len(all)-1]
		e.StatusAt = last.At
		if last.Kind == EventRemoved {
			e.Removed = last.At
		}
	}
	if all := about(EventRemoved); len(all) > 0 {
		e.LastRemoved = all[len(all)-1].At
	}
	if all := about(EventPlan); len(all) > 0 {
		last := all[len(all)-1]
		e.Plan, e.PlanAt = NewPlan(last.Plan), last.At
	}
	return e
}

// events draws events of one instance in few different minutes, so that many are at
// the same moment.
func events(from, to int, origins ...string) *rapid.Generator[[]Event] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Event {
		e := Event{
			Kind: rapid.SampledFrom([]EventKind{EventInstalled, EventRemoved, EventPlan, EventPlan, EventBilling, EventOther}).Draw(t, "kind"),
			At:   at(rapid.IntRange(0, 5).Draw(t, "minute")),
		}
		switch e.Kind {
		case EventInstalled:
			e.OriginID = rapid.SampledFrom(append(origins, "")).Draw(t, "origin")
		case EventPlan, EventBilling:
			e.Plan = rapid.SampledFrom([]string{"", "bronze", "gold", "silver"}).Draw(t, "plan")
		}
		return e
	}), from, to)
}

// deliver applies events in the given order, and checks that each reports what it did
// and leaves everything else alone.
func deliver(t *rapid.T, i Instance, order []Event) Instance {
	for n, e := range order {
		before := i
		c := i.Apply(e)
		want := Change{
			Removed:      before.RemovedAt.IsZero() && !i.RemovedAt.IsZero(),
			Revived:      !before.RemovedAt.IsZero() && i.RemovedAt.IsZero(),
			Plan:         before.Profile.Plan != i.Profile.Plan || before.PlanAt.IsZero() && !i.PlanAt.IsZero(),
			Installed:    e.Kind == EventInstalled && i.RemovedAt.IsZero(),
			Copied:       before.OriginID != i.OriginID,
			CopySettings: before.OriginID != i.OriginID && i.Version == 0,
			Refresh:      e.Kind != EventRemoved && e.Kind != EventOther,
		}
		if c != want {
			t.Fatalf("delivery %d of %v: change %+v, want %+v", n, order, c, want)
		}
		after := i
		after.RemovedAt, after.LastRemovedAt, after.StatusAt = before.RemovedAt, before.LastRemovedAt, before.StatusAt
		after.OriginID = before.OriginID
		after.Profile.Plan, after.PlanAt = before.Profile.Plan, before.PlanAt
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("delivery %d of %v touched more than it may: %s", n, order, gocmp.Diff(before, after))
		}
		again := i
		if c := again.Apply(e); c != (Change{Installed: want.Installed, Refresh: want.Refresh}) || !reflect.DeepEqual(again, i) {
			t.Fatalf("delivery %d of %v, repeated at once, changed something: %+v", n, order, c)
		}
	}
	return i
}

func permutations(events []Event, each func([]Event)) {
	var permute func(int)
	permute = func(n int) {
		if n == len(events) {
			each(events)
			return
		}
		for m := n; m < len(events); m++ {
			events[n], events[m] = events[m], events[n]
			permute(n + 1)
			events[n], events[m] = events[m], events[n]
		}
	}
	permute(0)
}

func TestInstance_Apply_everyOrderEndsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		history := events(0, 5, "origin").Draw(t, "history")
		// One event is delivered twice, so that its repeat comes in every place too.
		if len(history) > 0 {
			history = append(history, history[0])
		}
		want, reportsOrigin := model(history), slices.ContainsFunc(history, func(e Event) bool { return e.OriginID != "" })
		permutations(history, func(order []Event) {
			i := deliver(t, NewInstance("i", noon), order)
			if got := endOf(i); got != want {
				t.Fatalf("%v: %s", order, gocmp.Diff(want, got))
			}
			if (i.OriginID == "origin") != reportsOrigin {
				t.Fatalf("%v: origin %q", order, i.OriginID)
			}
		})
	})
}

func TestInstance_Apply_repeatedDeliveriesEndTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		history := events(6, 40, "origin").Draw(t, "history")
		repeats := rapid.SliceOfN(rapid.SampledFrom(history), 0, 40).Draw(t, "repeats")
		order := rapid.Permutation(slices.Concat(history, repeats)).Draw(t, "order")
		if diff := gocmp.Diff(model(history), endOf(deliver(t, NewInstance("i", noon), order))); diff != "" {
			t.Fatal(diff)
		}
	})
}

// When Wix reports two origins, which it should never do, the order decides: the
// settings are copied from the first, and are not copied twice.
func TestInstance_Apply_keepsTheFirstOrigin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		order := events(0, 20, "o", "p").Draw(t, "order")
		var first string
		i, copies := NewInstance("i", noon), 0
		for _, e := range order {
			if e.Kind == EventInstalled {
				first = cmp.Or(first, e.OriginID)
			}
			if i.Apply(e).CopySettings {
				copies++
			}
		}
		if i.OriginID != first || copies != min(len(first), 1) {
			t.Fatalf("origin %q, reported first %q; %d copies", i.OriginID, first, copies)
		}
		if diff := gocmp.Diff(model(order), endOf(i)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// visits draws visits in the order they were made, with tokens that are not always
// newer than the last, and not always of known age.
func visits(apart time.Duration) *rapid.Generator[[]Visit] {
	return rapid.Custom(func(t *rapid.T) []Visit {
		var all []Visit
		for n := range rapid.IntRange(0, 8).Draw(t, "visits") {
			v := Visit{InstanceID: "i", At: noon.Add(time.Hour + time.Duration(n)*apart)}
			if minute := rapid.IntRange(-1, 5).Draw(t, "issued"); minute >= 0 {
				v.IssuedAt = at(minute)
			}
			all = append(all, v)
		}
		return all
	})
}

// weave draws an order in which events come anyhow and visits in their own order.
func weave(t *rapid.T, events []Event, visits []Visit) []any {
	var order []any
	for _, e := range rapid.Permutation(events).Draw(t, "events") {
		order = append(order, e)
	}
	from := 0
	for _, v := range visits {
		from = rapid.IntRange(from, len(order)).Draw(t, "place")
		order = slices.Insert(order, from, any(v))
		from++
	}
	return order
}

func follow(i Instance, order []any) Instance {
	for _, step := range order {
		switch step := step.(type) {
		case Event:
			i.Apply(step)
		case Visit:
			i.Visit(step)
		}
	}
	return i
}

// withTokens is the history with each token taken for an installation at the moment
// it was made.
func withTokens(events []Event, visits []Visit) []Event {
	all := slices.Clone(events)
	for _, v := range visits {
		if !v.IssuedAt.IsZero() {
			all = append(all, Event{Kind: EventInstalled, At: v.IssuedAt})
		}
	}
	return all
}

// A visit that is written down counts like an installation, wherever it comes among
// the events. Visits come in order, each long enough after the last to be written.
func TestInstance_Visit_countsInAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		history, visitors := events(0, 8).Draw(t, "history"), visits(SeenEvery).Draw(t, "visits")
		order := weave(t, history, visitors)
		if diff := gocmp.Diff(model(withTokens(history, visitors)), endOf(follow(NewInstance("i", noon), order))); diff != "" {
			t.Fatalf("%v: %s", order, diff)
		}
	})
}

// A visit within SeenEvery of the last is not written, so a removal from before it,
// delivered late, may take the instance away. That lasts until the next visit: with
// the newest token the instance is as it should be, whatever came before.
func TestInstance_Visit_correctsWhatAnUnwrittenOneLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		history, visitors := events(0, 8).Draw(t, "history"), visits(time.Second).Draw(t, "visits")
		last := Visit{InstanceID: "i", At: at(120)}
		for _, v := range visitors {
			if v.IssuedAt.After(last.IssuedAt) {
				last.IssuedAt = v.IssuedAt
			}
		}
		order := append(weave(t, history, visitors), last)
		got, want := endOf(follow(NewInstance("i", noon), order)), model(withTokens(history, visitors))
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("%v: %s", order, diff)
		}
	})
}

// String is how a failing history is printed.
func (e Event) String() string {
	return fmt.Sprintf("%s@%d(%s%s)", e.Kind, int(e.At.Sub(noon).Minutes()), e.Plan, e.OriginID)
}
