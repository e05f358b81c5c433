// Package storetest holds every instance.Store and instance.Inbox to the contract
// that their comments state: Run and RunInbox for what one caller sees, RunConcurrency
// and RunInboxConcurrency for many at once.
package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nametag-dev/nametag/backend/instance"
)

// noon is the time at which most of these tests begin.
func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC) }

// proof is one sentence of the contract and what proves it.
type proof[S any] struct {
	says  string
	prove func(t *testing.T, s S)
}

type check = proof[instance.Store]

// Run proves the contract on stores made by newStore. Each store must be empty and
// of its own; newStore closes it with t.Cleanup, where it may be closed already.
func Run(t *testing.T, newStore func(t *testing.T) instance.Store) {
	run(t, newStore, slices.Concat(seenChecks(), settingsChecks(), profileChecks(), rowChecks(), faultChecks()))
}

// RunConcurrency proves what the contract says of many callers at once. It is
// worth most under the race detector.
func RunConcurrency(t *testing.T, newStore func(t *testing.T) instance.Store) {
	run(t, newStore, concurrencyChecks())
}

func run[S any](t *testing.T, newStore func(t *testing.T) S, checks []proof[S]) {
	t.Helper()
	for _, c := range checks {
		t.Run(c.says, func(t *testing.T) { c.prove(t, newStore(t)) })
	}
}

// visit is a caller whose token does not tell when it was made.
func visit(id, siteID string, at time.Time) instance.Visit {
	return instance.Visit{InstanceID: id, SiteID: siteID, At: at}
}

func seen(t *testing.T, s instance.Store, id, siteID string, at time.Time) instance.Instance {
	t.Helper()
	return come(t, s, visit(id, siteID, at))
}

func come(t *testing.T, s instance.Store, v instance.Visit) instance.Instance {
	t.Helper()
	row, err := s.Seen(t.Context(), v)
	if err != nil {
		t.Fatalf("Seen(%+v): %v", v, err)
	}
	return row
}

func find(t *testing.T, s instance.Store, id string) instance.Instance {
	t.Helper()
	row, err := s.Find(t.Context(), id)
	if err != nil {
		t.Fatalf("Find(%q): %v", id, err)
	}
	return row
}

func save(t *testing.T, s instance.Store, id, greeting string, version int64) instance.Instance {
	t.Helper()
	row, err := s.SaveSettings(t.Context(), id, instance.Settings{Greeting: greeting}, version)
	if err != nil {
		t.Fatalf("SaveSettings(%q, %q, %d): %v", id, greeting, version, err)
	}
	return row
}

func saveProfile(t *testing.T, s instance.Store, id string, p instance.Profile, at time.Time) instance.Instance {
	t.Helper()
	row, err := s.SaveProfile(t.Context(), id, p, at)
	if err != nil {
		t.Fatalf("SaveProfile(%q, %v): %v", id, at, err)
	}
	return row
}

func remove(t *testing.T, s instance.Store, id string) {
	t.Helper()
	if err := s.Delete(t.Context(), id); err != nil {
		t.Fatalf("Delete(%q): %v", id, err)
	}
}

func wantMissing(t *testing.T, s instance.Store, id string) {
	t.Helper()
	if row, err := s.Find(t.Context(), id); !errors.Is(err, instance.ErrNotFound) {
		t.Errorf("Find(%q) = %+v, %v; want ErrNotFound", id, row, err)
	}
}

func wantConflict(t *testing.T, err error) {
	t.Helper()
	var e *instance.Error
	if !errors.As(err, &e) || e.Code != instance.CodeVersionConflict {
		t.Errorf("got error %v; want %s", err, instance.CodeVersionConflict)
	}
}

// wantRow compares exactly: a nil slice differs from an empty one, and a time
// from the same instant in another zone.
func wantRow(t *testing.T, what string, got, want instance.Instance) {
	t.Helper()
	if diff := cmp.Diff(want, got, sameTime()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func sameTime() cmp.Option {
	return cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && a.Location() == b.Location() })
}

// full is a row in which nothing has its zero value.
func full(t *testing.T, s instance.Store, id string) instance.Instance {
	t.Helper()
	seen(t, s, id, "site of "+id, noon())
	save(t, s, id, "Hello from "+id, 0)
	return saveProfile(t, s, id, profile(id), noon().Add(time.Second))
}

func profile(name string) instance.Profile {
	return instance.Profile{
		Plan:            instance.Plan{Name: "plan of " + name, Free: true},
		Locale:          "en",
		Currency:        "EUR",
		SiteDisplayName: "Site of " + name,
		Languages:       []string{"en", "he", "pt-BR"},
	}
}
