package storetest

// What holds when the context has ended or the store is closed: an error, and nothing
// written.

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// calls are all calls of instance.Store that take a context, each as one that would succeed on
// the row full("a") and change it if it can.
func calls(s Storage) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Find": func(ctx context.Context) error { _, err := s.Find(ctx, "a"); return err },
		"Seen of a known instance": func(ctx context.Context) error {
			_, err := s.Seen(ctx, visit("a", "", noon()))
			return err
		},
		"Seen with a write": func(ctx context.Context) error {
			_, err := s.Seen(ctx, visit("a", "another site", noon().Add(time.Hour)))
			return err
		},
		"Seen of a new instance": func(ctx context.Context) error {
			_, err := s.Seen(ctx, visit("b", "", noon()))
			return err
		},
		"SaveSettings": func(ctx context.Context) error {
			_, err := s.SaveSettings(ctx, "a", greeting("late"), 1)
			return err
		},
		"SaveProfile": func(ctx context.Context) error {
			_, err := s.SaveProfile(ctx, "a", profile("late"), noon().Add(time.Hour))
			return err
		},
		"Delete": func(ctx context.Context) error { return s.Delete(ctx, "a") },
		"Ping":   func(ctx context.Context) error { return s.Ping(ctx) },
	}
}

// A call whose context is cancelled fails with the context's error and writes nothing.
func faultsCancelledContext(t *testing.T, s Storage) {
	want := full(t, s, "a")
	find(t, s, "a")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls(s) {
		if err := call(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v; want context.Canceled", name, err)
		}
	}
	wantRow(t, "Find", find(t, s, "a"), want)
	wantMissing(t, s, "b")
}

// A call whose deadline has passed fails and writes nothing.
func faultsPassedDeadline(t *testing.T, s Storage) {
	want := full(t, s, "a")
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for name, call := range calls(s) {
		if err := call(late); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v; want context.DeadlineExceeded", name, err)
		}
	}
	wantRow(t, "Find", find(t, s, "a"), want)
	wantMissing(t, s, "b")
}

// A closed store answers every call with an error.
func faultsClosedStore(t *testing.T, s Storage) {
	full(t, s, "a")
	find(t, s, "a")
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	for name, call := range calls(s) {
		if err := call(t.Context()); err == nil || errors.Is(err, instance.ErrNotFound) {
			t.Errorf("%s on a closed store: %v", name, err)
		}
	}
}

// Closing twice is no error.
func faultsClosingTwice(t *testing.T, s Storage) {
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}
