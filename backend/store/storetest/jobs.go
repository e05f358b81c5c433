package storetest

// What a job passes through: Accept, Claim, and Finish, Retry or Bury.

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
		func() { claimOne(t, s, noon()) },
		func() { bury(t, s, job(t, s, "a", "1"), "broken") },
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

// dueEvent is one that was received at a moment, and so due at it.
func dueEvent(id string, at time.Time) instance.Event {
	e := event(id, "instance of "+id, instance.EventRemoved, noon())
	e.ReceivedAt = at
	return e
}

// The jobs that are longest due come first, no more than asked for, and none before its time.
func claimLongestDueFirst(t *testing.T, s Storage) {
	accept(t, s, dueEvent("late", after(30)), dueEvent("early", after(10)), dueEvent("middle", after(20)), dueEvent("later", after(40)))
	wantIdle(t, s, after(10).Add(-time.Millisecond))
	wantIDs(t, "the first at 10 s", claim(t, s, after(10), time.Hour, 9), "early")
	wantIDs(t, "the first two at 40 s", claim(t, s, after(40), time.Hour, 2), "middle", "late")
	wantIDs(t, "the next", claim(t, s, after(40), time.Hour, 2), "later")
	wantIdle(t, s, after(40))
}

// A caller that asks for no job, or fewer, gets none.
func claimOfNone(t *testing.T, s Storage) {
	accept(t, s, dueEvent("1", noon()))
	for _, n := range []int{0, -1} {
		wantIDs(t, fmt.Sprint("of ", n), claim(t, s, after(1), time.Minute, n))
	}
	claimOne(t, s, after(1))
}

// A claimed job goes to no other caller until its lease ends, and then again.
func claimLeasesJob(t *testing.T, s Storage) {
	accept(t, s, dueEvent("1", noon()))
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

// No two leases of a job end together, not even when it is claimed, requested and claimed at one moment.
func claimLeasesEndApart(t *testing.T, s Storage) {
	requestRefresh(t, s, "a", noon())
	first := claimOne(t, s, noon())
	requestRefresh(t, s, "a", noon())
	second := claimOne(t, s, noon())
	finish(t, s, first)
	if j := job(t, s, "a", first.ID); j.State != instance.JobPending || j.Due != second.Due {
		t.Errorf("the first worker ended what the second has: %+v", j)
	}
	finish(t, s, second)
	if j := job(t, s, "a", first.ID); j.State != instance.JobDone {
		t.Errorf("the second worker did not end it: %+v", j)
	}
}

// claimedJobs is a claimed job of each kind, and the same after every clock.
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

// A failed attempt is counted with its cause, and the job is due at the given time.
func endRetryCountsAttempts(t *testing.T, s Storage) {
	claimed := claimedJobs(t, s)
	for attempt := 1; attempt <= 3; attempt++ {
		now := after(attempt * 1000)
		for _, j := range claimed {
			cause := fmt.Sprint("cause ", attempt)
			retry(t, s, j, now, cause)
			j.Attempts, j.LastError, j.Due = attempt, cause, now
			wantJobs(t, "Jobs", jobs(t, s, j.InstanceID), j)
		}
		wantIdle(t, s, now.Add(-time.Millisecond))
		claimed = claim(t, s, now, time.Minute, 10)
		wantIDs(t, "the claimed", claimed, "1", "refresh:b")
	}
}

// A buried job is dead, counted among the dead letters, and never due again.
func endBuriedIsDead(t *testing.T, s Storage) {
	for i, j := range claimedJobs(t, s) {
		retry(t, s, j, after(2), "first")
		j = job(t, s, j.InstanceID, j.ID)
		bury(t, s, j, "last")
		j.Attempts, j.LastError, j.State = 2, "last", instance.JobDead
		wantJobs(t, "Jobs", jobs(t, s, j.InstanceID), j)
		if n, err := s.DeadLetters(t.Context()); err != nil || n != i+1 {
			t.Errorf("DeadLetters = %d, %v; want %d", n, err, i+1)
		}
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
			retry(t, s, j, noon(), "late")
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
		retry(t, s, j, after(62), "late")
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
		retry(t, s, j, after(2), "gone")
		bury(t, s, j, "gone")
		wantJobs(t, "Jobs", jobs(t, s, j.InstanceID))
	}
	wantIdle(t, s, after(3600))
}

// A cause is cut short, and stays valid text.
func endClipsCause(t *testing.T, s Storage) {
	for _, j := range claimedJobs(t, s) {
		for _, cause := range []string{"", "short", strings.Repeat("é", 5000), "x" + strings.Repeat("👋", 5000), "nul \x00 and \xff"} {
			retry(t, s, j, noon(), cause)
			got := job(t, s, j.InstanceID, j.ID).LastError
			if len(got) > 500 || len(got) < min(len(cause), 490)-2 || !utf8.ValidString(got) || len(cause) < 9 && got != cause {
				t.Errorf("of %d bytes, %d were stored: %.20q", len(cause), len(got), got)
			}
		}
	}
}

// refreshJob is the pending refresh of "a".
func refreshJob(due time.Time) instance.Job {
	return instance.Job{ID: "refresh:a", InstanceID: "a", State: instance.JobPending, Due: due}
}

// Many requests make one refresh, due at the earliest of their times.
func refreshDueAtEarliestRequest(t *testing.T, s Storage) {
	for _, step := range []struct{ requested, due int }{{50, 50}, {90, 50}, {50, 50}, {20, 20}, {50, 20}, {-5, -5}} {
		requestRefresh(t, s, "a", after(step.requested))
		wantJobs(t, fmt.Sprint("requested at ", step.requested), jobs(t, s, "a"), refreshJob(after(step.due)))
	}
}

// Refreshes of several instances are several.
func refreshPerInstance(t *testing.T, s Storage) {
	requestRefresh(t, s, "a", after(2))
	requestRefresh(t, s, "b", after(1))
	wantIDs(t, "the refreshes", claim(t, s, after(2), time.Minute, 10), "refresh:b", "refresh:a")
}

// Requesting a refresh creates no instance.
func refreshCreatesNoInstance(t *testing.T, s Storage) {
	requestRefresh(t, s, "a", noon())
	wantMissing(t, s, "a")
}

// A request keeps the attempts of a pending refresh.
func refreshKeepsAttempts(t *testing.T, s Storage) {
	requestRefresh(t, s, "a", noon())
	retry(t, s, claimOne(t, s, noon()), after(300), "busy")
	requestRefresh(t, s, "a", after(100))
	failed := refreshJob(after(100))
	failed.Attempts, failed.LastError = 1, "busy"
	wantJobs(t, "Jobs", jobs(t, s, "a"), failed)
}

// A dead or done refresh starts again, sooner or later than before.
func refreshStartsAgain(t *testing.T, s Storage) {
	for i, end := range []func(j instance.Job){
		func(j instance.Job) { bury(t, s, j, "broken") },
		func(j instance.Job) { finish(t, s, j) },
	} {
		for _, again := range []int{5, 3000} {
			deleteInstance(t, s, "a")
			requestRefresh(t, s, "a", after(10))
			retry(t, s, claimOne(t, s, after(10)), after(10), "busy")
			end(claimOne(t, s, after(10)))
			requestRefresh(t, s, "a", after(again))
			wantJobs(t, fmt.Sprint("Jobs ", i), jobs(t, s, "a"), refreshJob(after(again)))
			if n, err := s.DeadLetters(t.Context()); err != nil || n != 0 {
				t.Errorf("DeadLetters = %d, %v", n, err)
			}
		}
	}
}

// A refresh that is requested again while it is claimed stays pending when the first is finished.
func refreshRequestedWhileClaimed(t *testing.T, s Storage) {
	for _, again := range []struct {
		requested time.Time
		due       time.Time
	}{
		{noon(), noon()},
		{after(30), after(30)},
		{after(60), after(60).Add(-time.Millisecond)},
		{after(3600), after(60).Add(-time.Millisecond)},
	} {
		deleteInstance(t, s, "a")
		requestRefresh(t, s, "a", noon())
		j := claimOne(t, s, noon())
		requestRefresh(t, s, "a", again.requested)
		finish(t, s, j)
		wantJobs(t, fmt.Sprint("requested at ", again.requested), jobs(t, s, "a"), refreshJob(again.due))
		requestRefresh(t, s, "a", after(7200))
		wantJobs(t, "requested a third time", jobs(t, s, "a"), refreshJob(again.due))
		finish(t, s, claimOne(t, s, after(60)))
		wantIdle(t, s, after(7200))
	}
}

// A refresh that is requested again while it is claimed is neither postponed nor buried by the first's failure.
func refreshRequestedBeforeFailure(t *testing.T, s Storage) {
	for name, fail := range map[string]func(j instance.Job){
		"Retry": func(j instance.Job) { retry(t, s, j, after(3600), "busy") },
		"Bury":  func(j instance.Job) { bury(t, s, j, "busy") },
	} {
		deleteInstance(t, s, "a")
		requestRefresh(t, s, "a", noon())
		j := claimOne(t, s, noon())
		requestRefresh(t, s, "a", after(20))
		fail(j)
		left := refreshJob(after(20))
		left.Attempts, left.LastError = 1, "busy"
		wantJobs(t, name, jobs(t, s, "a"), left)
	}
}
