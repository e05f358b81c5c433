package storetest

// What a job passes through: Accept, Claim, and Finish, Retry, Defer or Bury.

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nametag-dev/nametag/backend/instance"
)

// An accepted event is a job that is due at once, and is stored as it came.
func acceptStoresDueJob(t *testing.T, s Storage) {
	for i, e := range []instance.Event{
		event("plain", "a", instance.EventRemoved, noon()),
		planned("plan", "b", "gold", noon()),
		copied("copy", "c", "origin", noon()),
		{ID: "bare", InstanceID: "d", Kind: instance.EventOther, At: noon(), ReceivedAt: noon()},
	} {
		accept(t, s, e)
		wantJobs(t, "Jobs", jobs(t, s, e.InstanceID), pendingJob(e))
		claimed := pendingJob(e)
		claimed.Due = noon().Add(time.Minute)
		wantJobs(t, fmt.Sprint("Claim of event ", i), claim(t, s, noon(), time.Minute, 10), claimed)
	}
}

// Accepting an event creates no instance.
func acceptCreatesNoInstance(t *testing.T, s Storage) {
	accept(t, s, event("1", "a", instance.EventInstalled, noon()))
	wantMissing(t, s, "a")
}

// The same event is fresh once, whatever has become of it and whatever else the repeat says.
func acceptIsFreshOnce(t *testing.T, s Storage) {
	first := event("1", "a", instance.EventRemoved, noon())
	repeat := planned("1", "a", "gold", after(60))
	repeat.ReceivedAt = after(90)
	accept(t, s, first)
	for _, step := range []func(){
		func() {},
		func() { retry(t, s, claimOne(t, s, noon()), after(1), time.Minute, "broken") },
		func() { claimOne(t, s, after(61)) },
		func() { apply(t, s, first) },
	} {
		step()
		stored := jobs(t, s, "a")
		for _, e := range []instance.Event{first, repeat} {
			if fresh, err := s.Accept(t.Context(), e); err != nil || fresh {
				t.Errorf("Accept of a repeat = %v, %v", fresh, err)
			}
		}
		wantJobs(t, "Jobs after a repeat", jobs(t, s, "a"), stored...)
	}
}

// A repeat of a dead event is fresh, and lets it start again as it came first.
func acceptRevivesDead(t *testing.T, s Storage) {
	first := event("1", "a", instance.EventRemoved, noon())
	accept(t, s, first)
	for range 2 {
		retry(t, s, claimOne(t, s, noon()), noon(), 0, "broken")
		bury(t, s, claimOne(t, s, noon()), "broken for good")
		wantDeadLetters(t, s, 1)
		repeat := planned("1", "a", "gold", after(60))
		repeat.ReceivedAt = after(90)
		accept(t, s, repeat)
		wantDeadLetters(t, s, 0)
		wantJobs(t, "Jobs", jobs(t, s, "a"), pendingJob(first))
		wantBacklog(t, s, noon(), instance.Backlog{Jobs: 1, Oldest: after(90)})
	}
	if row, change := apply(t, s, *claimOne(t, s, noon()).Event); !change.Removed || row.RemovedAt != noon() {
		t.Errorf("ApplyEvent = %+v, %+v", row, change)
	}
}

// An event without an id or an instance is refused.
func acceptNeedsIDs(t *testing.T, s Storage) {
	for _, e := range []instance.Event{
		event("", "a", instance.EventInstalled, noon()), event("1", "", instance.EventInstalled, noon()),
	} {
		if fresh, err := s.Accept(t.Context(), e); err == nil || fresh {
			t.Errorf("Accept(%+v) = %v, %v", e, fresh, err)
		}
		if _, _, err := s.ApplyEvent(t.Context(), e, noon()); err == nil {
			t.Errorf("ApplyEvent(%+v) succeeded", e)
		}
	}
	if err := s.RequestRefresh(t.Context(), "", noon()); err == nil {
		t.Error("a refresh of no instance was accepted")
	}
	wantIdle(t, s, after(3600))
}

// An event's text and payload come back byte for byte.
func acceptKeepsBytes(t *testing.T, s Storage) {
	for i, text := range append(texts(), "nul \x00", strings.Repeat("long ", 50_000)) {
		e := planned(fmt.Sprint(i), fmt.Sprint("instance ", i), text, noon())
		e.Type, e.OriginID = text, text
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		e.Payload = json.RawMessage(`{ "spaced" :  ` + string(quoted) + `, "html": "<&>" }`)
		accept(t, s, e)
		wantJobs(t, "Jobs", jobs(t, s, e.InstanceID), pendingJob(e))
	}
}

// An event's times come back in UTC and cut to the millisecond.
func acceptTruncatesTimes(t *testing.T, s Storage) {
	tokyo := time.FixedZone("Tokyo", 9*60*60)
	e := event("1", "a", instance.EventRemoved, noon().Add(time.Microsecond).In(tokyo))
	e.ReceivedAt = after(1).Add(999 * time.Microsecond).In(tokyo)
	accept(t, s, e)
	e.At, e.ReceivedAt = noon(), after(1)
	wantJobs(t, "Jobs", jobs(t, s, "a"), pendingJob(e))
	e.At = noon().Add(time.Microsecond)
	if row, _ := apply(t, s, e); row.RemovedAt != noon() || row.StatusAt != noon() || row.FirstSeen != after(1) {
		t.Errorf("the times of the row are %+v", row)
	}
}

// The payload that is given and returned belongs to the caller.
func acceptSharesNoPayload(t *testing.T, s Storage) {
	e := event("1", "a", instance.EventOther, noon())
	payload := string(e.Payload)
	accept(t, s, e)
	e.Payload[0] = 'x'
	claim(t, s, noon(), time.Minute, 1)[0].Event.Payload[0] = 'x'
	jobs(t, s, "a")[0].Event.Payload[0] = 'x'
	jobs(t, s, "a")[0].Event.InstanceID = "b"
	if got := jobs(t, s, "a")[0].Event; string(got.Payload) != payload || got.InstanceID != "a" {
		t.Errorf("the stored event became %s of %q", got.Payload, got.InstanceID)
	}
}

// received is an event without effect that was received at a moment.
func received(id, instanceID string, at time.Time) instance.Event {
	e := event(id, instanceID, instance.EventOther, noon())
	e.ReceivedAt = at
	return e
}

// An event is due as soon as it is accepted, by whatever clock.
func claimByAnyClock(t *testing.T, s Storage) {
	const day = 24 * 60 * 60
	accept(t, s, received("ahead", "a", after(day)), received("behind", "b", after(-day)))
	requestRefresh(t, s, "c", after(day))
	wantIDs(t, "the due", claim(t, s, noon(), time.Minute, 9), "ahead", "behind", "refresh:c")
}

// Removals come first, whenever they were received; then one event of each instance.
func claimRemovalsFirst(t *testing.T, s Storage) {
	accept(t, s, received("a1", "a", after(1)), received("b1", "b", after(1)), received("c1", "c", after(1)))
	accept(t, s, event("gone c", "c", instance.EventRemoved, noon()), event("gone d", "d", instance.EventRemoved, noon()))
	wantIDs(t, "the first", claim(t, s, noon(), time.Hour, 1), "gone c")
	wantIDs(t, "the next two", claim(t, s, noon(), time.Hour, 2), "gone d", "a1")
	wantIDs(t, "the last", claim(t, s, noon(), time.Hour, 9), "b1")
}

// An instance's events come in the order in which they were received, to one caller at a time.
func claimOneOfEachInstance(t *testing.T, s Storage) {
	accept(t, s, received("z", "a", noon()), received("y", "a", after(1)), received("x", "a", after(1)), received("w", "b", after(9)))
	wantIDs(t, "the first of each", claim(t, s, after(10), time.Hour, 2), "z", "w")
	wantIdle(t, s, after(10))
	apply(t, s, *job(t, s, "a", "z").Event)
	wantIDs(t, "the second, by its id", claimEvents(t, s, after(10), 1), "x")
	bury(t, s, job(t, s, "a", "x"), "broken")
	wantIDs(t, "the third, though the second is dead", claimEvents(t, s, after(10), 9), "y")
	retry(t, s, job(t, s, "a", "y"), after(10), time.Hour, "broken")
	accept(t, s, received("v", "a", after(11)))
	wantIDs(t, "the fourth, though the third rests", claimEvents(t, s, after(10), 9), "v")
}

// Where there are fewer instances than asked for, one comes with several of its events.
func claimSeveralOfAnInstance(t *testing.T, s Storage) {
	for n := range 9 {
		accept(t, s, received(fmt.Sprint("a", n), "a", after(n)))
	}
	accept(t, s, received("b0", "b", after(50)), event("gone", "c", instance.EventRemoved, noon()), received("c0", "c", after(60)))
	wantIDs(t, "the first", claimEvents(t, s, after(90), 6), "gone", "a0", "b0", "a1", "a2", "a3")
	wantIdle(t, s, after(90))
	for _, id := range []string{"a0", "a1", "a2"} {
		apply(t, s, *job(t, s, "a", id).Event)
		wantIdle(t, s, after(90)) // the others are still leased
	}
	retry(t, s, job(t, s, "a", "a3"), after(91), time.Hour, "broken")
	wantIDs(t, "the next", claimEvents(t, s, after(91), 3), "a4", "a5", "a6")
	wantIDs(t, "after the lease", claimEvents(t, s, after(91+60), 9), "gone", "a4", "b0", "a5", "a6", "a7", "a8")
}

// claimEvents claims events alone.
func claimEvents(t *testing.T, s Storage, now time.Time, n int) []instance.Job {
	t.Helper()
	claimed, err := s.Claim(t.Context(), now, time.Minute, n)
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}
	return claimed
}

// Instances take turns, however many events one of them has.
func claimByTurns(t *testing.T, s Storage) {
	for i := range 40 {
		accept(t, s, received(fmt.Sprintf("a%02d", i), "a", after(i)))
	}
	for _, id := range []string{"b", "c", "d", "e"} {
		accept(t, s, received(id+"1", id, after(100)), received(id+"2", id, after(101)))
	}
	applied := map[string]int{}
	for range 10 {
		for _, j := range claimEvents(t, s, after(200), 2) {
			applied[j.InstanceID]++
			apply(t, s, *j.Event)
		}
	}
	for _, id := range []string{"b", "c", "d", "e"} {
		if applied[id] != 2 {
			t.Errorf("of the first events, these many are of each: %v", applied)
		}
	}
}

// What is being tried of many instances hides none of the others.
func claimPastLeased(t *testing.T, s Storage) {
	for i := range 60 {
		id := fmt.Sprintf("%02d", i)
		accept(t, s, received(id+"a", id, after(0)), received(id+"b", id, after(1)))
	}
	seen := map[string]bool{}
	for range 12 {
		for _, j := range claimEvents(t, s, noon(), 5) {
			seen[j.InstanceID] = true
		}
	}
	if len(seen) != 60 {
		t.Errorf("%d instances of 60 got a turn", len(seen))
	}
	wantIdle(t, s, noon())
}

// Refreshes come in the order in which they were requested, and wait for no event.
func claimRefreshesInOrder(t *testing.T, s Storage) {
	requestRefresh(t, s, "b", after(1))
	requestRefresh(t, s, "a", after(2))
	requestRefresh(t, s, "c", after(3))
	accept(t, s, received("1", "b", noon()))
	refreshes := func(n int) []instance.Job {
		claimed, err := s.ClaimRefreshes(t.Context(), after(9), time.Minute, n)
		if err != nil {
			t.Fatalf("ClaimRefreshes: %v", err)
		}
		return claimed
	}
	wantIDs(t, "two refreshes", refreshes(2), "refresh:b", "refresh:a")
	wantIDs(t, "the third", refreshes(2), "refresh:c")
	wantIDs(t, "the event", claimEvents(t, s, after(9), 2), "1")
}

// A caller that asks for no job, or fewer, gets none.
func claimOfNone(t *testing.T, s Storage) {
	accept(t, s, received("1", "a", noon()))
	for _, n := range []int{0, -1} {
		wantIDs(t, fmt.Sprint("of ", n), claim(t, s, after(1), time.Minute, n))
	}
	claimOne(t, s, after(1))
}

// A claimed job goes to no other caller until its lease ends, and then again.
func claimLeasesJob(t *testing.T, s Storage) {
	accept(t, s, received("1", "a", noon()))
	first := claimOne(t, s, after(1))
	if first.Due != after(61) || first.State != instance.JobPending || first.Attempts != 0 {
		t.Errorf("the claimed job is %+v", first)
	}
	wantJobs(t, "Jobs", jobs(t, s, first.InstanceID), first)
	wantIdle(t, s, after(61).Add(-time.Millisecond))
	second := claimOne(t, s, after(61))
	if second.Due != after(121) || second.Attempts != 0 {
		t.Errorf("the job that was claimed again is %+v", second)
	}
}

// No two leases of a job end together, not even when all are claimed at one moment.
func claimLeasesEndApart(t *testing.T, s Storage) {
	requestRefresh(t, s, "a", noon())
	ends := map[time.Time]bool{}
	for range 4 {
		j := claimOne(t, s, noon())
		if ends[j.Due] || ends[j.Due.Add(time.Millisecond)] || ends[j.Due.Add(-time.Millisecond)] {
			t.Errorf("this lease ends as another: %+v", j)
		}
		ends[j.Due] = true
		requestRefresh(t, s, "a", noon())
		finish(t, s, j)
		if j := job(t, s, "a", j.ID); j.State != instance.JobPending {
			t.Errorf("the refresh that was requested again is %+v", j)
		}
	}
}

// A clock that was set back by hours keeps nothing from its turn: what was leased before
// waits for a lease, and what was to rest for its rest.
func clockSetBack(t *testing.T, s Storage) {
	const hours = 5 * 60 * 60
	accept(t, s, received("leased", "a", after(hours)), received("rests", "b", after(hours)), received("waits", "c", after(hours)))
	requestRefresh(t, s, "d", after(hours))
	requestRefresh(t, s, "e", after(hours))
	requestRefresh(t, s, "f", after(hours))
	retry(t, s, claimOf(t, s, after(hours), "rests"), after(hours), 5*time.Minute, "busy")
	retry(t, s, claimOf(t, s, after(hours), "refresh:e"), after(hours), 5*time.Minute, "busy")
	// What had been claimed with them is leased until after(hours + 60).

	again := claim(t, s, noon(), time.Minute, 9)
	wantIDs(t, "at once", again)
	wantIdle(t, s, after(60).Add(-time.Millisecond))
	wantIDs(t, "after a lease", claim(t, s, after(60), time.Hour, 9), "leased", "waits", "refresh:d", "refresh:f")
	wantIdle(t, s, after(300).Add(-time.Millisecond))
	wantIDs(t, "after the rest", claim(t, s, after(300), time.Hour, 9), "rests", "refresh:e")
}

// claimOf claims all that is due, and returns one of it.
func claimOf(t *testing.T, s Storage, now time.Time, id string) instance.Job {
	t.Helper()
	for _, j := range claim(t, s, now, time.Minute, 100) {
		if j.ID == id {
			return j
		}
	}
	for _, instanceID := range []string{"a", "b", "c", "d", "e", "f"} {
		for _, j := range jobs(t, s, instanceID) {
			if j.ID == id {
				return j
			}
		}
	}
	t.Fatalf("there is no job %q", id)
	return instance.Job{}
}

// A process whose clock is hours ahead does not cut the rest of a job short because another
// one, whose clock is right, has shortened it.
func clocksApart(t *testing.T, s Storage) {
	const hour = 60 * 60
	accept(t, s, received("1", "a", noon()))
	for attempt := 1; attempt <= 3; attempt++ {
		j := claimOne(t, s, after(attempt*1000+hour))
		if j.Attempts != attempt-1 {
			t.Fatalf("the job is %+v", j)
		}
		retry(t, s, j, after(attempt*1000+hour), 5*time.Minute, "busy")
		wantIdle(t, s, after(attempt*1000))          // by the right clock
		wantIdle(t, s, after(attempt*1000+hour+1))   // by the fast one
		wantIdle(t, s, after(attempt*1000+299))      // by the right clock
		wantIdle(t, s, after(attempt*1000+hour+299)) // by the fast one
		wantBacklog(t, s, after(attempt*1000), instance.Backlog{})
	}
	wantIDs(t, "after the rest", claim(t, s, after(3000+300), time.Minute, 9), "1")
}

// claimedJobs is a claimed job of each kind.
func claimedJobs(t *testing.T, s Storage) []instance.Job {
	accept(t, s, event("1", "a", instance.EventOther, noon()))
	requestRefresh(t, s, "b", noon())
	claimed := claim(t, s, after(1), time.Minute, 2)
	wantIDs(t, "the claimed", claimed, "1", "refresh:b")
	return claimed
}

// A finished job is done, stays stored, and is never due again.
func endFinishedStaysDone(t *testing.T, s Storage) {
	for _, j := range claimedJobs(t, s) {
		finish(t, s, j)
		j.State = instance.JobDone
		wantJobs(t, "Jobs", jobs(t, s, j.InstanceID), j)
	}
	wantIdle(t, s, after(3600))
}

// A failed attempt is counted with its cause, and the job is due after its rest.
func endRetryCountsAttempts(t *testing.T, s Storage) {
	claimed := claimedJobs(t, s)
	for attempt := 1; attempt <= 3; attempt++ {
		now := after(attempt * 1000)
		for _, j := range claimed {
			cause := fmt.Sprint("cause ", attempt)
			retry(t, s, j, now.Add(-time.Minute), time.Minute, cause)
			j.Attempts, j.LastError, j.Due = attempt, cause, now
			wantJobs(t, "Jobs", jobs(t, s, j.InstanceID), j)
		}
		wantIdle(t, s, now.Add(-time.Millisecond))
		claimed = claim(t, s, now, time.Minute, 10)
		wantIDs(t, "the claimed", claimed, "1", "refresh:b")
	}
}

// A try that was none counts no attempt, and the job rests.
func endDeferCountsNone(t *testing.T, s Storage) {
	for _, j := range claimedJobs(t, s) {
		deferJob(t, s, j, after(2), time.Minute, "not now")
		j.LastError, j.Due = "not now", after(62)
		wantJobs(t, "Jobs", jobs(t, s, j.InstanceID), j)
	}
	wantIdle(t, s, after(62).Add(-time.Millisecond))
	wantIDs(t, "after the rest", claim(t, s, after(62), time.Minute, 10), "1", "refresh:b")
}

// A buried job is dead, counted among the dead letters, and never due again.
func endBuriedIsDead(t *testing.T, s Storage) {
	for i, j := range claimedJobs(t, s) {
		retry(t, s, j, after(2), time.Minute, "first")
		j = job(t, s, j.InstanceID, j.ID)
		bury(t, s, j, "last")
		j.Attempts, j.LastError, j.State = 2, "last", instance.JobDead
		wantJobs(t, "Jobs", jobs(t, s, j.InstanceID), j)
		wantDeadLetters(t, s, i+1)
	}
	wantIdle(t, s, after(3600))
}

// What has ended is not undone by a worker that comes late.
func endIsFinal(t *testing.T, s Storage) {
	for _, end := range []func(instance.Job){
		func(j instance.Job) { finish(t, s, j) },
		func(j instance.Job) { bury(t, s, j, "broken") },
	} {
		for _, id := range []string{"a", "b"} {
			deleteInstance(t, s, id)
		}
		for _, j := range claimedJobs(t, s) {
			end(j)
			ended := jobs(t, s, j.InstanceID)
			retry(t, s, j, noon(), 0, "late")
			deferJob(t, s, j, noon(), 0, "late")
			bury(t, s, j, "late")
			wantJobs(t, "Jobs", jobs(t, s, j.InstanceID), ended...)
		}
		wantIdle(t, s, after(3600))
	}
}

// A worker whose lease has ended does not postpone the job of the worker that has it now.
func endOfLostLease(t *testing.T, s Storage) {
	late := claimedJobs(t, s)
	current := claim(t, s, after(61), time.Minute, 10)
	for i, j := range late {
		retry(t, s, j, after(62), 0, "late")
		deferJob(t, s, j, after(62), 0, "later")
		bury(t, s, j, "too late")
		current[i].Attempts, current[i].LastError = 2, "too late"
		wantJobs(t, "Jobs", jobs(t, s, j.InstanceID), current[i])
	}
	wantIdle(t, s, after(62))
}

// The end of a job that does not exist, or no longer, is no error and creates none.
func endOfMissingJob(t *testing.T, s Storage) {
	for _, j := range claimedJobs(t, s) {
		deleteInstance(t, s, j.InstanceID)
		finish(t, s, j)
		retry(t, s, j, after(2), 0, "gone")
		deferJob(t, s, j, after(2), 0, "gone")
		bury(t, s, j, "gone")
		wantJobs(t, "Jobs", jobs(t, s, j.InstanceID))
	}
	wantIdle(t, s, after(3600))
}

// A cause is cut short, and stays valid text.
func endClipsCause(t *testing.T, s Storage) {
	for _, j := range claimedJobs(t, s) {
		for _, cause := range []string{"", "short", strings.Repeat("é", 5000), "x" + strings.Repeat("👋", 5000), "nul \x00 and \xff"} {
			retry(t, s, j, noon(), 0, cause)
			got := job(t, s, j.InstanceID, j.ID).LastError
			if len(got) > 500 || len(got) < min(len(cause), 490)-2 || !utf8.ValidString(got) || len(cause) < 9 && got != cause {
				t.Errorf("of %d bytes, %d were stored: %.20q", len(cause), len(got), got)
			}
		}
	}
}

// Dead jobs start again: those of one instance or of all, no more than asked for, and they are returned.
func rearmDead(t *testing.T, s Storage) {
	for _, id := range []string{"a", "b"} {
		accept(t, s, received(id+"1", id, noon()), received(id+"2", id, after(1)), received(id+"3", id, after(2)))
		for _, n := range []string{"1", "2"} {
			retry(t, s, job(t, s, id, id+n), noon(), 0, "broken")
			bury(t, s, job(t, s, id, id+n), "broken")
		}
		requestRefresh(t, s, id, noon())
		bury(t, s, job(t, s, id, "refresh:"+id), "broken")
	}
	pending := func(j instance.Job) instance.Job {
		j.State, j.Attempts, j.LastError, j.Due = instance.JobPending, 0, "", time.Time{}
		return j
	}
	a1, a2, refresh := pending(job(t, s, "a", "a1")), pending(job(t, s, "a", "a2")), pending(job(t, s, "a", "refresh:a"))
	wantJobs(t, "of none", rearm(t, s, "c", after(9), 10))
	wantJobs(t, "the first of a", rearm(t, s, "a", after(9), 1), a1)
	wantJobs(t, "the others of a", rearm(t, s, "a", after(9), 10), a2, refresh)
	wantJobs(t, "no more of a", rearm(t, s, "a", after(9), 10))
	wantDeadLetters(t, s, 3)
	wantIDs(t, "two of all", rearm(t, s, "", after(9), 2), "b1", "b2")
	wantIDs(t, "the rest of all", rearm(t, s, "", after(9), 2), "refresh:b")
	wantDeadLetters(t, s, 0)
	for _, of := range []int{0, -1} {
		wantIDs(t, "none", rearm(t, s, "", after(9), of))
	}
	wantBacklog(t, s, noon(), instance.Backlog{Jobs: 8, Oldest: after(2)})
	wantIDs(t, "the due", claim(t, s, noon(), time.Minute, 10), "a1", "b1", "a2", "b2", "a3", "b3", "refresh:a", "refresh:b")
}

// The backlog is what is due and not leased, and since when.
func backlogCountsDue(t *testing.T, s Storage) {
	wantBacklog(t, s, noon(), instance.Backlog{})
	accept(t, s, received("1", "a", after(1)), received("2", "a", after(2)))
	wantBacklog(t, s, noon(), instance.Backlog{Jobs: 2, Oldest: after(1)})
	requestRefresh(t, s, "b", noon())
	wantBacklog(t, s, noon(), instance.Backlog{Jobs: 3, Oldest: noon()})
	first := claimEvents(t, s, after(5), 1)
	wantBacklog(t, s, after(5), instance.Backlog{Jobs: 2, Oldest: noon()})
	retry(t, s, first[0], after(5), 10*time.Second, "busy")
	wantBacklog(t, s, after(14), instance.Backlog{Jobs: 2, Oldest: noon()})
	wantBacklog(t, s, after(15), instance.Backlog{Jobs: 3, Oldest: noon()})
	claim(t, s, after(15), time.Minute, 9)
	wantBacklog(t, s, after(16), instance.Backlog{})
	wantBacklog(t, s, after(75), instance.Backlog{Jobs: 3, Oldest: after(75)})
}

// refreshJob is the pending refresh of "a", due at once if due is zero.
func refreshJob(due time.Time) instance.Job {
	return instance.Job{ID: "refresh:a", InstanceID: "a", State: instance.JobPending, Due: due}
}

// Many requests make one refresh, due at once.
func refreshManyAreOne(t *testing.T, s Storage) {
	for _, at := range []int{50, 90, 20} {
		requestRefresh(t, s, "a", after(at))
		wantJobs(t, fmt.Sprint("requested at ", at), jobs(t, s, "a"), refreshJob(time.Time{}))
	}
	wantBacklog(t, s, noon(), instance.Backlog{Jobs: 1, Oldest: after(50)})
	claimOne(t, s, noon())
}

// Requesting a refresh creates no instance.
func refreshCreatesNoInstance(t *testing.T, s Storage) {
	requestRefresh(t, s, "a", noon())
	wantMissing(t, s, "a")
}

// A request shortens the rest after a failure to RefreshRest, no further, and starts the attempts again.
func refreshRequestedWhileResting(t *testing.T, s Storage) {
	const most = instance.RefreshRest
	for _, tt := range []struct{ rest, want time.Duration }{{time.Second, time.Second}, {most + time.Second, most + time.Second}, {time.Hour, most + 10*time.Second}} {
		deleteInstance(t, s, "a")
		requestRefresh(t, s, "a", noon())
		retry(t, s, claimOne(t, s, noon()), noon(), tt.rest, "busy")
		want := refreshJob(noon().Add(tt.want))
		want.LastError = "busy"
		requestRefresh(t, s, "a", after(10))
		wantJobs(t, fmt.Sprint("after a rest of ", tt.rest), jobs(t, s, "a"), want)
		requestRefresh(t, s, "a", after(11))
		wantJobs(t, "requested again", jobs(t, s, "a"), want)
		wantIdle(t, s, want.Due.Add(-time.Millisecond))
		finish(t, s, claimOne(t, s, want.Due))
	}
}

// A dead or done refresh starts again.
func refreshStartsAgain(t *testing.T, s Storage) {
	for i, end := range []func(j instance.Job){
		func(j instance.Job) { bury(t, s, j, "broken") },
		func(j instance.Job) { finish(t, s, j) },
	} {
		deleteInstance(t, s, "a")
		requestRefresh(t, s, "a", after(10))
		retry(t, s, claimOne(t, s, after(10)), after(10), 0, "busy")
		end(claimOne(t, s, after(10)))
		requestRefresh(t, s, "a", after(5))
		wantJobs(t, fmt.Sprint("Jobs ", i), jobs(t, s, "a"), refreshJob(time.Time{}))
		wantDeadLetters(t, s, 0)
	}
}

// A refresh that is requested again while it is being done is due at once when that has ended, and not before.
func refreshRequestedWhileClaimed(t *testing.T, s Storage) {
	for range 2 {
		requestRefresh(t, s, "a", noon())
		j := claimOne(t, s, noon())
		for range 3 {
			requestRefresh(t, s, "a", after(30))
			wantIdle(t, s, after(59))
		}
		finish(t, s, j)
		wantJobs(t, "Jobs", jobs(t, s, "a"), refreshJob(time.Time{}))
		finish(t, s, claimOne(t, s, after(30)))
		wantIdle(t, s, after(7200))
	}
}

// A refresh that is requested again while a worker has it that dies comes when the lease ends.
func refreshRequestedBeforeCrash(t *testing.T, s Storage) {
	requestRefresh(t, s, "a", noon())
	lost := claimOne(t, s, noon())
	requestRefresh(t, s, "a", after(30))
	second := claimOne(t, s, after(60))
	finish(t, s, lost)
	if j := job(t, s, "a", lost.ID); j.State != instance.JobPending || j.Due != second.Due {
		t.Errorf("the first worker ended what the second has: %+v", j)
	}
	finish(t, s, second)
	wantIdle(t, s, after(7200))
}

// A refresh that is requested again while it is claimed rests for RefreshRest at most after the first's failure.
func refreshRequestedBeforeFailure(t *testing.T, s Storage) {
	for name, tt := range map[string]struct {
		fail     func(j instance.Job)
		attempts int
		due      time.Time
	}{
		"Retry":           {func(j instance.Job) { retry(t, s, j, after(20), time.Hour, "busy") }, 1, after(20).Add(instance.RefreshRest)},
		"a shorter Retry": {func(j instance.Job) { retry(t, s, j, after(20), time.Second, "busy") }, 1, after(21)},
		"Defer":           {func(j instance.Job) { deferJob(t, s, j, after(20), time.Hour, "busy") }, 0, after(20).Add(instance.RefreshRest)},
		"Bury":            {func(j instance.Job) { bury(t, s, j, "busy") }, 1, after(60).Add(-time.Millisecond)},
	} {
		deleteInstance(t, s, "a")
		requestRefresh(t, s, "a", noon())
		j := claimOne(t, s, noon())
		requestRefresh(t, s, "a", after(20))
		tt.fail(j)
		left := refreshJob(tt.due)
		left.Attempts, left.LastError = tt.attempts, "busy"
		wantJobs(t, name, jobs(t, s, "a"), left)
	}
}
