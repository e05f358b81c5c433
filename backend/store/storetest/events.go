package storetest

// What kit.Data.OnEvent is called for, and what becomes of an event when it fails.

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
)

// reported records the events that an app was called for. fail, if set, runs after.
type reported struct {
	mu     sync.Mutex
	events []kit.Event
	fail   func() error
}

// openReporting opens a store whose app records its events.
func openReporting(t *testing.T, open Opener) (Storage, *reported) {
	t.Helper()
	r := &reported{}
	data := AppData()
	data.OnEvent = func(_ context.Context, _ kit.Tx, e kit.Event) error {
		r.mu.Lock()
		r.events = append(r.events, e)
		fail := r.fail
		r.mu.Unlock()
		if fail != nil {
			return fail()
		}
		return nil
	}
	return open(t, data), r
}

func (r *reported) failWith(fail func() error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = fail
}

// want compares the events since the last call.
func (r *reported) want(t *testing.T, want ...kit.Event) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if diff := difference(want, r.events); diff != "" {
		t.Errorf("the events (-want +got):\n%s", diff)
	}
	r.events = nil
}

// applyDue applies the events that are due at a time, as a worker does.
func applyDue(t *testing.T, s Storage, seconds int) {
	t.Helper()
	for _, j := range claim(t, s, after(seconds), 1, 100) {
		if j.Event == nil {
			finish(t, s, j)
			continue
		}
		if _, _, err := s.ApplyEvent(t.Context(), *j.Event, after(seconds)); err != nil {
			t.Fatalf("ApplyEvent(%s): %v", j.ID, err)
		}
	}
}

// An installation is reported, again when Wix repeats it, and not when it is outdated.
func eventInstalled(t *testing.T, open Opener) {
	s, r := openReporting(t, open)
	apply(t, s, event("1", "a", instance.EventInstalled, after(10)))
	r.want(t, kit.Event{Kind: kit.Installed, InstanceID: "a", At: after(10)})
	apply(t, s, event("1", "a", instance.EventInstalled, after(10)))
	r.want(t)
	apply(t, s, event("2", "a", instance.EventInstalled, after(10)))
	r.want(t, kit.Event{Kind: kit.Installed, InstanceID: "a", At: after(10)})
	apply(t, s, event("3", "a", instance.EventRemoved, after(30)))
	r.want(t, kit.Event{Kind: kit.Removed, InstanceID: "a", At: after(30)})
	apply(t, s, event("4", "a", instance.EventInstalled, after(20)))
	r.want(t)
}

// A copy is reported after its installation, once, with its origin.
func eventCopied(t *testing.T, open Opener) {
	s, r := openReporting(t, open)
	apply(t, s, copied("1", "copy", "origin", noon()))
	installed := kit.Event{Kind: kit.Installed, InstanceID: "copy", At: noon()}
	r.want(t, installed, kit.Event{Kind: kit.Copied, InstanceID: "copy", At: noon(), OriginID: "origin"})
	apply(t, s, copied("2", "copy", "origin", noon()))
	r.want(t, installed)
	apply(t, s, copied("3", "itself", "itself", noon()))
	r.want(t, kit.Event{Kind: kit.Installed, InstanceID: "itself", At: noon()})
}

// A removal is reported once, and so is its end.
func eventRemovedAndRevived(t *testing.T, open Opener) {
	s, r := openReporting(t, open)
	seen(t, s, "a", "", noon())
	r.want(t)
	apply(t, s, event("1", "a", instance.EventRemoved, after(10)))
	r.want(t, kit.Event{Kind: kit.Removed, InstanceID: "a", At: after(10)})
	apply(t, s, event("2", "a", instance.EventRemoved, after(11)))
	r.want(t)
	apply(t, s, event("3", "a", instance.EventInstalled, after(20)))
	r.want(t, kit.Event{Kind: kit.Installed, InstanceID: "a", At: after(20)}, kit.Event{Kind: kit.Revived, InstanceID: "a", At: after(20)})
}

// Another plan is reported, the first one too, and the same one again is not.
func eventPlanChanged(t *testing.T, open Opener) {
	s, r := openReporting(t, open)
	apply(t, s, planned("1", "a", "gold", after(10)))
	r.want(t, kit.Event{Kind: kit.PlanChanged, InstanceID: "a", At: after(10), Plan: "gold", Paid: true})
	apply(t, s, planned("2", "a", "gold", after(20)))
	apply(t, s, planned("3", "a", "silver", after(15)))
	r.want(t)
	apply(t, s, planned("4", "a", "", after(30)))
	r.want(t, kit.Event{Kind: kit.PlanChanged, InstanceID: "a", At: after(30)})
}

// A revival that a token shows is reported from the job queue.
func eventRevivedByToken(t *testing.T, open Opener) {
	s, r := openReporting(t, open)
	seen(t, s, "a", "", noon())
	apply(t, s, event("1", "a", instance.EventRemoved, after(10)))
	r.want(t, kit.Event{Kind: kit.Removed, InstanceID: "a", At: after(10)})
	recordVisit(t, s, issued("a", after(20)))
	recordVisit(t, s, issued("a", after(20)))
	r.want(t)
	applyDue(t, s, 3600)
	r.want(t, kit.Event{Kind: kit.Revived, InstanceID: "a", At: after(20)})
	applyDue(t, s, 7200)
	r.want(t)
	if row := find(t, s, "a"); !row.RemovedAt.IsZero() || row.StatusAt != after(20) {
		t.Errorf("the row is %+v", row)
	}
}

// A plan that a profile shows is reported from the job queue.
func eventPlanRefreshed(t *testing.T, open Opener) {
	s, r := openReporting(t, open)
	seen(t, s, "a", "", noon())
	for n, step := range []struct {
		plan instance.Plan
		want []kit.Event
	}{
		{instance.Plan{}, nil},
		{instance.NewPlan(""), []kit.Event{{Kind: kit.PlanChanged}}},
		{instance.NewPlan(""), nil},
		{instance.Plan{Kind: instance.PlanPaid}, []kit.Event{{Kind: kit.PlanChanged, Paid: true}}},
		{instance.NewPlan("gold"), []kit.Event{{Kind: kit.PlanChanged, Plan: "gold", Paid: true}}},
	} {
		saveProfile(t, s, "a", instance.Profile{Plan: step.plan}, after(n))
		r.want(t)
		applyDue(t, s, n)
		for i := range step.want {
			step.want[i].InstanceID, step.want[i].At = "a", after(n)
		}
		r.want(t, step.want...)
	}
}

// What changes neither plan nor status is not reported.
func eventNotInterestingIsNotReported(t *testing.T, open Opener) {
	s, r := openReporting(t, open)
	full(t, s, "a")
	applyDue(t, s, 10)
	r.events = nil
	apply(t, s, event("1", "a", instance.EventBilling, after(20)))
	apply(t, s, event("2", "a", instance.EventOther, after(20)))
	save(t, s, "a", "Hi", 1)
	seen(t, s, "a", "another site", after(3600))
	saveProfile(t, s, "a", profile("a"), after(30))
	applyDue(t, s, 7200)
	r.want(t)
}

// breakHook applies an event with an app that fails, and checks that it is undone; then
// with one that does not.
func breakHook(t *testing.T, open Opener, kind string) {
	hooks, release := broken()
	defer release()
	s, r := openReporting(t, open)
	want := full(t, s, "a")
	applyDue(t, s, 10)
	r.events = nil
	e := event("1", "a", instance.EventRemoved, after(20))
	accept(t, s, e)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r.failWith(func() error { return hooks[kind](cancel) })
	_, _, err := s.ApplyEvent(ctx, e, noon())
	if err == nil || !strings.Contains(err.Error(), "OnEvent for removed") {
		t.Errorf("ApplyEvent: %v", err)
	}
	wantRow(t, "Find", find(t, s, "a"), want)
	if j := job(t, s, "a", "1"); j.State != instance.JobPending {
		t.Errorf("the job is %+v", j)
	}
	// Nothing is held up: neither visits nor other writes.
	seen(t, s, "b", "", noon())
	mustAddNotes(t, s, "a", "x")

	r.failWith(nil)
	apply(t, s, e)
	removed := kit.Event{Kind: kit.Removed, InstanceID: "a", At: after(20)}
	r.want(t, removed, removed)
	if row := find(t, s, "a"); row.RemovedAt != after(20) {
		t.Errorf("the row is %+v", row)
	}
}

// An error of OnEvent undoes the event, which comes again.
func eventHookFails(t *testing.T, open Opener) { breakHook(t, open, "an error") }

// A panic of OnEvent undoes the event, which comes again.
func eventHookPanics(t *testing.T, open Opener) { breakHook(t, open, "a panic") }

// An OnEvent that ignores its context is given up at its end; the event comes again.
func eventHookBlocks(t *testing.T, open Opener) { breakHook(t, open, "a block") }

// What OnEvent writes is stored together with the event, or not at all.
func eventHookIsInTransaction(t *testing.T, open Opener) {
	var fail error
	data := AppData()
	data.OnEvent = func(ctx context.Context, tx kit.Tx, e kit.Event) error {
		return errors.Join(insertNote(ctx, tx, e.InstanceID, 1, string(e.Kind)), fail)
	}
	s := open(t, data)
	e := event("1", "a", instance.EventInstalled, noon())
	fail = errors.New("no")
	if _, _, err := s.ApplyEvent(t.Context(), e, noon()); !errors.Is(err, fail) {
		t.Errorf("ApplyEvent: %v", err)
	}
	wantMissing(t, s, "a")
	wantNotes(t, s, "a")
	fail = nil
	apply(t, s, e)
	wantNotes(t, s, "a", "installed")
}

// A revival is not reported any more if the app has been removed again since, or the
// instance deleted.
func eventOfOutdatedRevivalIsDropped(t *testing.T, open Opener) {
	s, r := openReporting(t, open)
	for _, id := range []string{"a", "b"} {
		seen(t, s, id, "", noon())
		apply(t, s, event("removal of "+id, id, instance.EventRemoved, after(10)))
		recordVisit(t, s, issued(id, after(20)))
	}
	apply(t, s, event("second removal", "a", instance.EventRemoved, after(30)))
	late := jobs(t, s, "b")
	deleteInstance(t, s, "b")
	r.events = nil
	applyDue(t, s, 7200)
	for _, j := range late {
		if j.Event != nil && j.Event.Kind.Internal() {
			apply(t, s, *j.Event) // a worker had claimed it before
		}
	}
	r.want(t)
	wantMissing(t, s, "b")
	if states := jobs(t, s, "a"); !slices.ContainsFunc(states, func(j instance.Job) bool {
		return j.Event != nil && j.Event.Kind == instance.EventRevived && j.State == instance.JobDone
	}) {
		t.Errorf("the jobs are %+v", states)
	}
}

// A change of plan that is reported late reports the plan of today.
func eventReportsCurrentPlan(t *testing.T, open Opener) {
	s, r := openReporting(t, open)
	seen(t, s, "a", "", noon())
	saveProfile(t, s, "a", instance.Profile{Plan: instance.NewPlan("gold")}, after(1))
	apply(t, s, planned("1", "a", "silver", after(2)))
	applyDue(t, s, 3)
	silver := kit.Event{Kind: kit.PlanChanged, InstanceID: "a", Plan: "silver", Paid: true}
	first, second := silver, silver
	first.At, second.At = after(2), after(1)
	r.want(t, first, second)
}
