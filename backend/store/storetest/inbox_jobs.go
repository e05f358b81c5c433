// What a job passes through: Accept, Claim, and Finish, Retry or Bury.

package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nametag-dev/nametag/backend/instance"
)

func acceptChecks() []inboxCheck {
	return []inboxCheck{
		{"an accepted event is a job that is due at once, and is kept as it came", func(t *testing.T, s Whole) {
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
		}},
		{"accepting an event makes no instance", func(t *testing.T, s Whole) {
			accept(t, s, event("1", "a", instance.EventInstalled, noon()))
			wantMissing(t, s, "a")
		}},
		{"the same event is fresh once, however far it is and whatever else the repeat says", func(t *testing.T, s Whole) {
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
				held := jobs(t, s, "a")
				for _, e := range []instance.Event{first, repeat} {
					if fresh, err := s.Accept(t.Context(), e); err != nil || fresh {
						t.Errorf("Accept of a repeat = %v, %v", fresh, err)
					}
				}
				wantJobs(t, "Jobs after a repeat", jobs(t, s, "a"), held...)
			}
		}},
		{"an event without an id or an instance is refused", func(t *testing.T, s Whole) {
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
			if err := s.WantReading(t.Context(), "", noon()); err == nil {
				t.Error("a reading of no instance was accepted")
			}
			wantIdle(t, s, after(3600))
		}},
		{"an event's text and payload come back byte for byte", func(t *testing.T, s Whole) {
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
		}},
		{"an event's times come back in UTC and cut to the millisecond", func(t *testing.T, s Whole) {
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
		}},
		{"the payload that is given and returned is the caller's own", func(t *testing.T, s Whole) {
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
		}},
	}
}

func claimChecks() []inboxCheck {
	due := func(id string, at time.Time) instance.Event {
		e := event(id, "instance of "+id, instance.EventRemoved, noon())
		e.ReceivedAt = at
		return e
	}
	return []inboxCheck{
		{"those that are longest due come first, no more than asked for, and none before its time", func(t *testing.T, s Whole) {
			accept(t, s, due("late", after(30)), due("early", after(10)), due("middle", after(20)), due("later", after(40)))
			wantIdle(t, s, after(10).Add(-time.Millisecond))
			wantIDs(t, "the first at 10 s", claim(t, s, after(10), time.Hour, 9), "early")
			wantIDs(t, "the first two at 40 s", claim(t, s, after(40), time.Hour, 2), "middle", "late")
			wantIDs(t, "the next", claim(t, s, after(40), time.Hour, 2), "later")
			wantIdle(t, s, after(40))
		}},
		{"whoever asks for no job, or fewer, gets none", func(t *testing.T, s Whole) {
			accept(t, s, due("1", noon()))
			for _, n := range []int{0, -1} {
				wantIDs(t, fmt.Sprint("of ", n), claim(t, s, after(1), time.Minute, n))
			}
			claimOne(t, s, after(1))
		}},
		{"a claimed job is given to nobody else until its lease ends, and then again", func(t *testing.T, s Whole) {
			accept(t, s, due("1", noon()))
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
		}},
		{"no two leases of a job end together, not even when it is claimed, wanted and claimed at one moment", func(t *testing.T, s Whole) {
			want(t, s, "a", noon())
			first := claimOne(t, s, noon())
			want(t, s, "a", noon())
			second := claimOne(t, s, noon())
			finish(t, s, first)
			if j := job(t, s, "a", first.ID); j.State != instance.JobPending || j.Due != second.Due {
				t.Errorf("the first worker ended what the second has: %+v", j)
			}
			finish(t, s, second)
			if j := job(t, s, "a", first.ID); j.State != instance.JobDone {
				t.Errorf("the second worker did not end it: %+v", j)
			}
		}},
	}
}

func endChecks() []inboxCheck {
	// held is a claimed job of each kind, and the same after every clock.
	held := func(t *testing.T, s Whole) []instance.Job {
		accept(t, s, event("1", "a", instance.EventOther, noon()))
		want(t, s, "b", noon())
		claimed := claim(t, s, after(1), time.Minute, 2)
		wantIDs(t, "the claimed", claimed, "1", "reread:b")
		return claimed
	}
	return []inboxCheck{
		{"a finished job is done, kept, and never due again", func(t *testing.T, s Whole) {
			for _, j := range held(t, s) {
				finish(t, s, j)
				j.State = instance.JobDone
				wantJobs(t, "Jobs", jobs(t, s, j.InstanceID), j)
			}
			wantIdle(t, s, after(3600))
		}},
		{"a failed attempt is counted with its cause, and the job is due when it is said to be", func(t *testing.T, s Whole) {
			claimed := held(t, s)
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
				wantIDs(t, "the claimed", claimed, "1", "reread:b")
			}
		}},
		{"a buried job is dead, counted among the dead letters, and never due again", func(t *testing.T, s Whole) {
			for i, j := range held(t, s) {
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
		}},
		{"what has ended is not undone by a worker who comes late", func(t *testing.T, s Whole) {
			for _, end := range []func(instance.Job){
				func(j instance.Job) { finish(t, s, j) },
				func(j instance.Job) { bury(t, s, j, "broken") },
			} {
				for _, id := range []string{"a", "b"} {
					remove(t, s, id)
				}
				for _, j := range held(t, s) {
					end(j)
					ended := jobs(t, s, j.InstanceID)
					retry(t, s, j, noon(), "late")
					bury(t, s, j, "late")
					wantJobs(t, "Jobs", jobs(t, s, j.InstanceID), ended...)
				}
				wantIdle(t, s, after(3600))
			}
		}},
		{"a worker whose lease has ended does not put off the one who has the job now", func(t *testing.T, s Whole) {
			late := held(t, s)
			current := claim(t, s, after(61), time.Minute, 10)
			for i, j := range late {
				retry(t, s, j, after(62), "late")
				bury(t, s, j, "too late")
				current[i].Attempts, current[i].LastError = 2, "too late"
				wantJobs(t, "Jobs", jobs(t, s, j.InstanceID), current[i])
			}
			wantIdle(t, s, after(62))
		}},
		{"the end of a job that is not there, or not any more, is no error and makes none", func(t *testing.T, s Whole) {
			for _, j := range held(t, s) {
				remove(t, s, j.InstanceID)
				finish(t, s, j)
				retry(t, s, j, after(2), "gone")
				bury(t, s, j, "gone")
				wantJobs(t, "Jobs", jobs(t, s, j.InstanceID))
			}
			wantIdle(t, s, after(3600))
		}},
		{"a cause is cut short, and stays valid text", func(t *testing.T, s Whole) {
			for _, j := range held(t, s) {
				for _, cause := range []string{"", "short", strings.Repeat("é", 5000), "x" + strings.Repeat("👋", 5000), "nul \x00 and \xff"} {
					retry(t, s, j, noon(), cause)
					got := job(t, s, j.InstanceID, j.ID).LastError
					if len(got) > 500 || len(got) < min(len(cause), 490)-2 || !utf8.ValidString(got) || len(cause) < 9 && got != cause {
						t.Errorf("of %d bytes, %d were kept: %.20q", len(cause), len(got), got)
					}
				}
			}
		}},
	}
}

func readingChecks() []inboxCheck {
	reading := func(due time.Time) instance.Job {
		return instance.Job{ID: "reread:a", InstanceID: "a", State: instance.JobPending, Due: due}
	}
	return []inboxCheck{
		{"many wishes make one reading, due at the earliest of their times", func(t *testing.T, s Whole) {
			for _, step := range []struct{ wanted, due int }{{50, 50}, {90, 50}, {50, 50}, {20, 20}, {50, 20}, {-5, -5}} {
				want(t, s, "a", after(step.wanted))
				wantJobs(t, fmt.Sprint("wanted at ", step.wanted), jobs(t, s, "a"), reading(after(step.due)))
			}
		}},
		{"readings of several instances are several", func(t *testing.T, s Whole) {
			want(t, s, "a", after(2))
			want(t, s, "b", after(1))
			wantIDs(t, "the readings", claim(t, s, after(2), time.Minute, 10), "reread:b", "reread:a")
		}},
		{"wanting a reading makes no instance", func(t *testing.T, s Whole) {
			want(t, s, "a", noon())
			wantMissing(t, s, "a")
		}},
		{"a wish keeps the attempts of a reading that is pending", func(t *testing.T, s Whole) {
			want(t, s, "a", noon())
			retry(t, s, claimOne(t, s, noon()), after(300), "busy")
			want(t, s, "a", after(100))
			failed := reading(after(100))
			failed.Attempts, failed.LastError = 1, "busy"
			wantJobs(t, "Jobs", jobs(t, s, "a"), failed)
		}},
		{"a dead or done reading starts anew, sooner or later than before", func(t *testing.T, s Whole) {
			for i, end := range []func(j instance.Job){
				func(j instance.Job) { bury(t, s, j, "broken") },
				func(j instance.Job) { finish(t, s, j) },
			} {
				for _, again := range []int{5, 3000} {
					remove(t, s, "a")
					want(t, s, "a", after(10))
					retry(t, s, claimOne(t, s, after(10)), after(10), "busy")
					end(claimOne(t, s, after(10)))
					want(t, s, "a", after(again))
					wantJobs(t, fmt.Sprint("Jobs ", i), jobs(t, s, "a"), reading(after(again)))
					if n, err := s.DeadLetters(t.Context()); err != nil || n != 0 {
						t.Errorf("DeadLetters = %d, %v", n, err)
					}
				}
			}
		}},
		{"a reading that is wanted again while it is claimed stays pending when the first is finished", func(t *testing.T, s Whole) {
			for _, again := range []struct {
				wanted time.Time
				due    time.Time
			}{
				{noon(), noon()},
				{after(30), after(30)},
				{after(60), after(60).Add(-time.Millisecond)},
				{after(3600), after(60).Add(-time.Millisecond)},
			} {
				remove(t, s, "a")
				want(t, s, "a", noon())
				j := claimOne(t, s, noon())
				want(t, s, "a", again.wanted)
				finish(t, s, j)
				wantJobs(t, fmt.Sprint("wanted at ", again.wanted), jobs(t, s, "a"), reading(again.due))
				want(t, s, "a", after(7200))
				wantJobs(t, "wanted a third time", jobs(t, s, "a"), reading(again.due))
				finish(t, s, claimOne(t, s, after(60)))
				wantIdle(t, s, after(7200))
			}
		}},
		{"a reading that is wanted again while it is claimed is neither put off nor buried by the first's failure", func(t *testing.T, s Whole) {
			for name, fail := range map[string]func(j instance.Job){
				"Retry": func(j instance.Job) { retry(t, s, j, after(3600), "busy") },
				"Bury":  func(j instance.Job) { bury(t, s, j, "busy") },
			} {
				remove(t, s, "a")
				want(t, s, "a", noon())
				j := claimOne(t, s, noon())
				want(t, s, "a", after(20))
				fail(j)
				left := reading(after(20))
				left.Attempts, left.LastError = 1, "busy"
				wantJobs(t, name, jobs(t, s, "a"), left)
			}
		}},
	}
}
