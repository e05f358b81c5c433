package storetest

// What holds of the job queue when the context has ended or the store is closed.

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// jobCalls are all the calls, each as one that would succeed on what inUse has made,
// and change it if it can.
func jobCalls(s Storage) map[string]func(context.Context) error {
	j := pendingJob(event("1", "a", instance.EventRemoved, after(10)))
	return map[string]func(context.Context) error{
		"Accept": func(ctx context.Context) error {
			_, err := s.Accept(ctx, event("4", "b", instance.EventRemoved, noon()))
			return err
		},
		"Accept of a repeat": func(ctx context.Context) error { _, err := s.Accept(ctx, *j.Event); return err },
		"Claim":              func(ctx context.Context) error { _, err := s.Claim(ctx, noon(), time.Minute, 1); return err },
		"Claim of nothing": func(ctx context.Context) error {
			_, err := s.Claim(ctx, noon(), time.Minute, 0)
			return err
		},
		"ClaimRefreshes": func(ctx context.Context) error {
			_, err := s.ClaimRefreshes(ctx, noon(), time.Minute, 1)
			return err
		},
		"ApplyEvent": func(ctx context.Context) error {
			_, _, err := s.ApplyEvent(ctx, *j.Event, noon())
			return err
		},
		"ApplyEvent of a new instance": func(ctx context.Context) error {
			_, _, err := s.ApplyEvent(ctx, event("3", "b", instance.EventInstalled, noon()), noon())
			return err
		},
		"RequestRefresh": func(ctx context.Context) error { return s.RequestRefresh(ctx, "b", noon()) },
		"Finish":         func(ctx context.Context) error { return s.Finish(ctx, j) },
		"Retry":          func(ctx context.Context) error { return s.Retry(ctx, j, noon(), time.Minute, "late") },
		"Defer":          func(ctx context.Context) error { return s.Defer(ctx, j, noon(), time.Minute, "late") },
		"Bury":           func(ctx context.Context) error { return s.Bury(ctx, j, "late") },
		"Jobs":           func(ctx context.Context) error { _, err := s.JobsOf(ctx, "a"); return err },
		"DeadLetters":    func(ctx context.Context) error { _, err := s.DeadLetters(ctx); return err },
		"Backlog":        func(ctx context.Context) error { _, err := s.Backlog(ctx, noon()); return err },
		"Rearm":          func(ctx context.Context) error { _, err := s.Rearm(ctx, "dead", noon(), 1); return err },
		"Rearm all":      func(ctx context.Context) error { _, err := s.Rearm(ctx, "", noon(), 1); return err },
		"DeleteDone":     func(ctx context.Context) error { _, err := s.DeleteDone(ctx, after(3600)); return err },
		"PurgeRemoved":   func(ctx context.Context) error { _, err := s.PurgeRemoved(ctx, after(3600)); return err },
		"List":           func(ctx context.Context) error { _, err := s.List(ctx, "", 10); return err },
	}
}

// inUse fills a store with one of everything, and returns a check that nothing has changed.
func inUse(t *testing.T, s Storage) (unchanged func()) {
	t.Helper()
	full(t, s, "a")
	accept(t, s, event("1", "a", instance.EventRemoved, after(10)))
	apply(t, s, event("0", "gone", instance.EventRemoved, noon()))
	accept(t, s, event("2", "dead", instance.EventOther, noon()))
	bury(t, s, job(t, s, "dead", "2"), "broken")
	dead := jobs(t, s, "dead")
	stored, gone, row := jobs(t, s, "a"), jobs(t, s, "gone"), find(t, s, "a")
	return func() {
		t.Helper()
		wantJobs(t, "the jobs of a", jobs(t, s, "a"), stored...)
		wantJobs(t, "the jobs of gone", jobs(t, s, "gone"), gone...)
		wantJobs(t, "the jobs of dead", jobs(t, s, "dead"), dead...)
		wantJobs(t, "the jobs of b", jobs(t, s, "b"))
		wantRow(t, "a", find(t, s, "a"), row)
		find(t, s, "gone")
		wantMissing(t, s, "b")
	}
}

// A call whose context is cancelled fails with the context's error and writes nothing.
func jobFaultsCancelledContext(t *testing.T, s Storage) {
	unchanged := inUse(t, s)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range jobCalls(s) {
		if err := call(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v; want context.Canceled", name, err)
		}
	}
	unchanged()
}

// A call whose deadline has passed fails and writes nothing.
func jobFaultsPassedDeadline(t *testing.T, s Storage) {
	unchanged := inUse(t, s)
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for name, call := range jobCalls(s) {
		if err := call(late); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v; want context.DeadlineExceeded", name, err)
		}
	}
	unchanged()
}

// A closed store answers every call with an error.
func jobFaultsClosedStore(t *testing.T, s Storage) {
	inUse(t, s)
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	for name, call := range jobCalls(s) {
		if err := call(t.Context()); err == nil {
			t.Errorf("%s on a closed store is no error", name)
		}
	}
}
