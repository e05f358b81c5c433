package storetest

// What the checks of jobs are written with.

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// after is a time some seconds after noon.
func after(seconds int) time.Time { return noon().Add(time.Duration(seconds) * time.Second) }

// event is one that was received at noon and has nothing but what every event has.
func event(id, instanceID string, kind instance.EventKind, at time.Time) instance.Event {
	return instance.Event{
		ID: id, InstanceID: instanceID, Kind: kind, Type: "Type of " + id, At: at,
		Payload: json.RawMessage(`{"of": "` + id + `"}`), ReceivedAt: noon(),
	}
}

// planned is the event that the plan has changed.
func planned(id, instanceID, plan string, at time.Time) instance.Event {
	e := event(id, instanceID, instance.EventPlan, at)
	e.Plan = plan
	return e
}

// copied is the event that the app is on a site which is a copy of another.
func copied(id, instanceID, originID string, at time.Time) instance.Event {
	e := event(id, instanceID, instance.EventInstalled, at)
	e.OriginID = originID
	return e
}

// pendingJob is the job of an event that has just been accepted.
func pendingJob(e instance.Event) instance.Job {
	return instance.Job{ID: e.ID, InstanceID: e.InstanceID, Event: &e, State: instance.JobPending}
}

func accept(t *testing.T, s Storage, events ...instance.Event) {
	t.Helper()
	for _, e := range events {
		if fresh, err := s.Accept(t.Context(), e); err != nil || !fresh {
			t.Fatalf("Accept(%s) = %v, %v; want it fresh", e.ID, fresh, err)
		}
	}
}

// claim claims events, and then refreshes.
func claim(t *testing.T, s Storage, now time.Time, lease time.Duration, n int) []instance.Job {
	t.Helper()
	events, err := s.Claim(t.Context(), now, lease, n)
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}
	refreshes, err := s.ClaimRefreshes(t.Context(), now, lease, n-len(events))
	if err != nil {
		t.Fatalf("ClaimRefreshes: %v", err)
	}
	return append(events, refreshes...)
}

// claimOne claims the only job that is due.
func claimOne(t *testing.T, s Storage, now time.Time) instance.Job {
	t.Helper()
	jobs := claim(t, s, now, time.Minute, 10)
	if len(jobs) != 1 {
		t.Fatalf("%d jobs are due, want one: %+v", len(jobs), jobs)
	}
	return jobs[0]
}

func wantIdle(t *testing.T, s Storage, now time.Time) {
	t.Helper()
	if jobs := claim(t, s, now, time.Minute, 10); len(jobs) != 0 {
		t.Errorf("at %v these are due: %+v", now, jobs)
	}
}

func apply(t *testing.T, s Storage, e instance.Event) (instance.Instance, instance.Change) {
	t.Helper()
	row, change, err := s.ApplyEvent(t.Context(), e, after(1))
	if err != nil {
		t.Fatalf("ApplyEvent(%s): %v", e.ID, err)
	}
	return row, change
}

func requestRefresh(t *testing.T, s Storage, instanceID string, now time.Time) {
	t.Helper()
	if err := s.RequestRefresh(t.Context(), instanceID, now); err != nil {
		t.Fatalf("RequestRefresh(%q): %v", instanceID, err)
	}
}

func finish(t *testing.T, s Storage, j instance.Job) {
	t.Helper()
	if err := s.Finish(t.Context(), j); err != nil {
		t.Fatalf("Finish(%s): %v", j.ID, err)
	}
}

func retry(t *testing.T, s Storage, j instance.Job, now time.Time, rest time.Duration, cause string) {
	t.Helper()
	if err := s.Retry(t.Context(), j, now, rest, cause); err != nil {
		t.Fatalf("Retry(%s): %v", j.ID, err)
	}
}

func deferJob(t *testing.T, s Storage, j instance.Job, now time.Time, rest time.Duration, cause string) {
	t.Helper()
	if err := s.Defer(t.Context(), j, now, rest, cause); err != nil {
		t.Fatalf("Defer(%s): %v", j.ID, err)
	}
}

func rearm(t *testing.T, s Storage, instanceID string, now time.Time, n int) []instance.Job {
	t.Helper()
	jobs, err := s.Rearm(t.Context(), instanceID, now, n)
	if err != nil {
		t.Fatalf("Rearm(%q): %v", instanceID, err)
	}
	return jobs
}

func wantDeadLetters(t *testing.T, s Storage, want int) {
	t.Helper()
	if n, err := s.DeadLetters(t.Context()); err != nil || n != want {
		t.Errorf("DeadLetters = %d, %v; want %d", n, err, want)
	}
}

func wantBacklog(t *testing.T, s Storage, now time.Time, want instance.Backlog) {
	t.Helper()
	if got, err := s.Backlog(t.Context(), now); err != nil || got != want {
		t.Errorf("Backlog at %v = %+v, %v; want %+v", now, got, err, want)
	}
}

func bury(t *testing.T, s Storage, j instance.Job, cause string) {
	t.Helper()
	if err := s.Bury(t.Context(), j, cause); err != nil {
		t.Fatalf("Bury(%s): %v", j.ID, err)
	}
}

func jobs(t *testing.T, s Storage, instanceID string) []instance.Job {
	t.Helper()
	held, err := s.JobsOf(t.Context(), instanceID)
	if err != nil {
		t.Fatalf("JobsOf(%q): %v", instanceID, err)
	}
	return held
}

// job is one job of an instance.
func job(t *testing.T, s Storage, instanceID, id string) instance.Job {
	t.Helper()
	for _, j := range jobs(t, s, instanceID) {
		if j.ID == id {
			return j
		}
	}
	t.Fatalf("%q has no job %q", instanceID, id)
	return instance.Job{}
}

func wantJobs(t *testing.T, what string, got []instance.Job, want ...instance.Job) {
	t.Helper()
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if diff := difference(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func ids(jobs []instance.Job) []string {
	var ids []string
	for _, j := range jobs {
		ids = append(ids, j.ID)
	}
	return ids
}

func wantIDs(t *testing.T, what string, got []instance.Job, want ...string) {
	t.Helper()
	if !slices.Equal(ids(got), want) {
		t.Errorf("%s are %q, want %q", what, ids(got), want)
	}
}
