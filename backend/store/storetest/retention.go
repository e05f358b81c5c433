package storetest

// What is listed of jobs and instances, and what is deleted and when.

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nametag-dev/nametag/backend/instance"
)

// removedAt makes an instance that was removed at a moment, with a job of each kind.
func removedAt(t *testing.T, s Storage, id string, at time.Time) {
	t.Helper()
	full(t, s, id)
	accept(t, s, event("pending of "+id, id, instance.EventOther, noon()))
	apply(t, s, event("removal of "+id, id, instance.EventRemoved, at))
	requestRefresh(t, s, id, noon())
}

func purge(t *testing.T, s Storage, before time.Time) []string {
	t.Helper()
	purged, err := s.PurgeRemoved(t.Context(), before)
	if err != nil {
		t.Fatalf("PurgeRemoved: %v", err)
	}
	slices.Sort(purged)
	return purged
}

func list(t *testing.T, s Storage, after string, n int) []instance.Instance {
	t.Helper()
	rows, err := s.List(t.Context(), after, n)
	if err != nil {
		t.Fatalf("List(%q, %d): %v", after, n, err)
	}
	return rows
}

// The jobs of an instance are all listed, events by their own time, and no other's.
func jobsOfInstanceInOrder(t *testing.T, s Storage) {
	requestRefresh(t, s, "a", noon())
	accept(t, s,
		event("z", "a", instance.EventOther, after(1)), event("third", "a", instance.EventOther, after(3)),
		event("second", "a", instance.EventOther, after(2)), event("foreign", "b", instance.EventOther, after(2)),
		event("y", "a", instance.EventOther, after(1)))
	apply(t, s, event("done", "a", instance.EventOther, after(4)))
	bury(t, s, job(t, s, "a", "third"), "broken")
	wantIDs(t, "the jobs", jobs(t, s, "a"), "y", "z", "second", "third", "done", "refresh:a")
	wantIDs(t, "the jobs of another", jobs(t, s, "b"), "foreign")
	wantIDs(t, "the jobs of no instance", jobs(t, s, "c"))
}

// Dead letters are counted over all instances.
func deadLettersOfAllInstances(t *testing.T, s Storage) {
	for i := range 5 {
		id := fmt.Sprint(i)
		accept(t, s, event(id, id, instance.EventOther, noon()))
		if i%2 == 0 {
			bury(t, s, job(t, s, id, id), "broken")
		}
	}
	if n, err := s.DeadLetters(t.Context()); err != nil || n != 3 {
		t.Errorf("DeadLetters = %d, %v; want 3", n, err)
	}
}

// Deleting an instance deletes its jobs, those of others stay.
func deleteRemovesJobs(t *testing.T, s Storage) {
	removedAt(t, s, "a", noon())
	removedAt(t, s, "b", noon())
	accept(t, s, event("early", "c", instance.EventOther, noon()))
	deleteInstance(t, s, "a")
	deleteInstance(t, s, "c")
	wantIDs(t, "the jobs of a", jobs(t, s, "a"))
	wantIDs(t, "the jobs of c, which was not there yet", jobs(t, s, "c"))
	wantIDs(t, "the jobs of b", jobs(t, s, "b"), "pending of b", "removal of b", "refresh:b")
	accept(t, s, event("early", "c", instance.EventOther, noon()))
}

// Done events are deleted that were received before the time; refreshes, pending and dead ones stay.
func deleteDoneByReceiptTime(t *testing.T, s Storage) {
	received := func(id string, at time.Time) instance.Event {
		e := event(id, "a", instance.EventOther, noon())
		e.ReceivedAt = at
		accept(t, s, e)
		return e
	}
	old := after(-100)
	apply(t, s, received("1 done, old", old))
	apply(t, s, received("2 done, older", old.Add(-time.Hour)))
	apply(t, s, received("3 done, of the time", noon()))
	apply(t, s, received("4 done, new", after(5)))
	received("5 pending, old", old)
	received("6 dead, old", old)
	bury(t, s, job(t, s, "a", "6 dead, old"), "broken")
	requestRefresh(t, s, "a", old)
	finish(t, s, job(t, s, "a", "refresh:a"))
	for _, deleted := range []int{2, 0} {
		if n, err := s.DeleteDone(t.Context(), noon()); err != nil || n != deleted {
			t.Errorf("DeleteDone = %d, %v; want %d", n, err, deleted)
		}
		wantIDs(t, "the jobs", jobs(t, s, "a"), "3 done, of the time", "4 done, new", "5 pending, old", "6 dead, old", "refresh:a")
	}
	find(t, s, "a")
}

// Only what was removed before the time is purged, with all its jobs.
func purgeByRemovalTime(t *testing.T, s Storage) {
	removedAt(t, s, "longer ago", after(-3600))
	removedAt(t, s, "long ago", after(-1))
	removedAt(t, s, "at the time", noon())
	removedAt(t, s, "since", after(1))
	full(t, s, "installed")
	for _, want := range [][]string{{"long ago", "longer ago"}, nil} {
		if purged := purge(t, s, noon()); !slices.Equal(purged, want) {
			t.Errorf("PurgeRemoved = %q, want %q", purged, want)
		}
	}
	for _, id := range []string{"long ago", "longer ago"} {
		wantMissing(t, s, id)
		wantIDs(t, "the jobs of "+id, jobs(t, s, id))
	}
	for _, id := range []string{"at the time", "since"} {
		find(t, s, id)
		wantIDs(t, "the jobs of "+id, jobs(t, s, id), "pending of "+id, "removal of "+id, "refresh:"+id)
	}
	find(t, s, "installed")
}

// What was installed again, by an event or a newer token, is not purged.
func purgeSparesRevived(t *testing.T, s Storage) {
	removedAt(t, s, "event", after(-60))
	removedAt(t, s, "token", after(-60))
	apply(t, s, event("back", "event", instance.EventInstalled, after(-30)))
	recordVisit(t, s, issued("token", after(-30)))
	if purged := purge(t, s, after(3600)); len(purged) != 0 {
		t.Errorf("PurgeRemoved = %q", purged)
	}
	find(t, s, "event")
	find(t, s, "token")
}

// An event from before the removal does not bring back an instance that was purged; a newer
// one does, with nothing of before.
func purgeThenEventStartsAgain(t *testing.T, s Storage) {
	removedAt(t, s, "a", after(-60))
	late := event("claimed before the purge", "a", instance.EventInstalled, after(-61))
	accept(t, s, late)
	purge(t, s, noon())
	for i, at := range []int{-3600, -61, -60} {
		for _, kind := range []instance.EventKind{instance.EventInstalled, instance.EventRemoved, instance.EventPlan, instance.EventOther} {
			e := event(fmt.Sprint(kind, i), "a", kind, after(at))
			if fresh, err := s.Accept(t.Context(), e); err != nil || fresh {
				t.Errorf("Accept(%s) = %v, %v", e.ID, fresh, err)
			}
		}
	}
	if row, change := apply(t, s, late); row.ID != "" || change != (instance.Change{}) {
		t.Errorf("ApplyEvent = %+v, %+v", row, change)
	}
	wantMissing(t, s, "a")
	wantIDs(t, "the jobs", jobs(t, s, "a"))

	e := event("later", "a", instance.EventInstalled, after(-59))
	accept(t, s, e)
	row, _ := apply(t, s, e)
	want := newInstance("a", noon())
	want.StatusAt, want.LastRemovedAt = after(-59), after(-60)
	wantRow(t, "ApplyEvent", row, want)
	wantIDs(t, "the jobs", jobs(t, s, "a"), "later", "refresh:a")
}

// A token from before the removal does not bring back an instance that was purged, nor one of
// unknown age; a newer one does.
func purgeThenVisit(t *testing.T, s Storage) {
	removedAt(t, s, "a", after(60))
	deleteInstance(t, s, "a")
	pending := event("later", "a", instance.EventInstalled, after(70))
	accept(t, s, pending)
	for _, at := range []time.Time{{}, noon(), after(60)} {
		if row := recordVisit(t, s, issued("a", at)); row.RemovedAt != after(60) {
			t.Errorf("with a token of %v the row is %+v", at, row)
		}
		wantMissing(t, s, "a")
		wantJobs(t, "the jobs", jobs(t, s, "a"), pendingJob(pending))
	}
	if row := recordVisit(t, s, issued("a", after(61))); !row.RemovedAt.IsZero() {
		t.Errorf("the row is %+v", row)
	}
	find(t, s, "a")
}

// The purge of an instance whose app was not removed keeps no visitor away, and old events do.
func purgeOfInstalled(t *testing.T, s Storage) {
	apply(t, s, event("1", "a", instance.EventInstalled, noon()))
	deleteInstance(t, s, "a")
	if fresh, err := s.Accept(t.Context(), event("2", "a", instance.EventInstalled, noon())); err != nil || fresh {
		t.Errorf("Accept = %v, %v", fresh, err)
	}
	recordVisit(t, s, issued("a", after(-60)))
	find(t, s, "a")
}

// A purge is forgotten once nothing from before it can come any more.
func purgeIsForgotten(t *testing.T, s Storage) {
	removedAt(t, s, "a", noon())
	deleteInstance(t, s, "a")
	again := event("again", "a", instance.EventInstalled, after(-1))
	for _, tt := range []struct {
		before int
		fresh  bool
	}{{0, false}, {1, true}} {
		if _, err := s.DeleteDone(t.Context(), after(tt.before)); err != nil {
			t.Fatal(err)
		}
		if fresh, err := s.Accept(t.Context(), again); err != nil || fresh != tt.fresh {
			t.Errorf("after DeleteDone: Accept = %v, %v; want %v", fresh, err, tt.fresh)
		}
	}
}

// Instances are listed by id, page by page, each once and whole.
func listByPage(t *testing.T, s Storage) {
	want := map[string]instance.Instance{}
	names := []string{"B", "a", "á", "Z", "aa", "10", "9", "_", "a b", "z"}
	for _, id := range names {
		want[id] = full(t, s, id)
	}
	want["a"], _ = apply(t, s, event("1", "a", instance.EventRemoved, noon()))
	slices.Sort(names)
	for _, page := range []int{1, 3, len(names), 100} {
		var got []string
		for after := ""; len(got) <= len(names); {
			rows := list(t, s, after, page)
			if len(rows) > page {
				t.Fatalf("a page of %d has %d rows", page, len(rows))
			}
			if len(rows) == 0 {
				break
			}
			for _, row := range rows {
				wantRow(t, "List", row, want[row.ID])
				got = append(got, row.ID)
			}
			after = got[len(got)-1]
		}
		if diff := cmp.Diff(names, got); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", page, diff)
		}
	}
	for _, nothing := range []struct {
		after string
		n     int
	}{{"", 0}, {"", -1}, {"á", 9}, {"\u00ff", 9}} {
		if rows := list(t, s, nothing.after, nothing.n); len(rows) != 0 {
			t.Errorf("List(%q, %d) = %+v", nothing.after, nothing.n, rows)
		}
	}
}

// What List returns belongs to the caller.
func listSharesNothing(t *testing.T, s Storage) {
	want := full(t, s, "a")
	list(t, s, "", 1)[0].Profile.Languages[0] = "spoilt"
	wantRow(t, "Find", find(t, s, "a"), want)
}
