package storetest

// What Seen promises: one row, made once, with times that only move forward.

import (
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// The first visit creates the instance with no settings, version 0 and no profile.
func seenFirstVisitCreates(t *testing.T, s Storage) {
	want := instance.Instance{
		ID: "a", SiteID: "site", FirstSeen: noon(), LastSeen: noon(), Settings: noSettings(),
	}
	wantRow(t, "Seen", seen(t, s, "a", "site", noon()), want)
	wantRow(t, "Find", find(t, s, "a"), want)
}

// Looking for an instance does not create it.
func seenFindCreatesNothing(t *testing.T, s Storage) {
	wantMissing(t, s, "a")
	wantMissing(t, s, "a")
	if row := seen(t, s, "a", "", noon()); !row.FirstSeen.Equal(noon()) || row.Version != 0 {
		t.Errorf("the first caller found %+v", row)
	}
}

// An empty site id does not erase the known one.
func seenEmptySiteKeepsKnown(t *testing.T, s Storage) {
	seen(t, s, "a", "site", noon())
	for _, later := range []time.Duration{time.Second, time.Hour} {
		if row := seen(t, s, "a", "", noon().Add(later)); row.SiteID != "site" {
			t.Errorf("after %v the site id is %q", later, row.SiteID)
		}
	}
	if row := find(t, s, "a"); row.SiteID != "site" {
		t.Errorf("the site id is %q", row.SiteID)
	}
}

// A site id is stored late and replaced, even by a caller within SeenEvery.
func seenNewSiteReplaces(t *testing.T, s Storage) {
	seen(t, s, "a", "", noon())
	for i, site := range []string{"first", "second"} {
		if row := seen(t, s, "a", site, noon().Add(time.Duration(i+1)*time.Second)); row.SiteID != site {
			t.Errorf("Seen returned the site id %q, want %q", row.SiteID, site)
		}
		if row := find(t, s, "a"); row.SiteID != site {
			t.Errorf("the site id is %q, want %q", row.SiteID, site)
		}
	}
}

// FirstSeen stays, whether a later or an earlier caller follows.
func seenFirstSeenStays(t *testing.T, s Storage) {
	seen(t, s, "a", "", noon())
	for _, step := range []time.Duration{time.Hour, -time.Hour, 0} {
		if row := seen(t, s, "a", "site", noon().Add(step)); !row.FirstSeen.Equal(noon()) {
			t.Errorf("after a caller at %v first seen is %v", step, row.FirstSeen)
		}
	}
	if row := find(t, s, "a"); !row.FirstSeen.Equal(noon()) {
		t.Errorf("first seen is %v", row.FirstSeen)
	}
}

// LastSeen moves from SeenEvery on, and not before.
func seenLastSeenMovesAfterSeenEvery(t *testing.T, s Storage) {
	seen(t, s, "a", "site", noon())
	for _, step := range []struct{ at, want time.Duration }{
		{0, 0},
		{time.Millisecond, 0},
		{instance.SeenEvery - time.Millisecond, 0},
		{instance.SeenEvery - time.Nanosecond, 0},
		{instance.SeenEvery, instance.SeenEvery},
		{2*instance.SeenEvery - time.Millisecond, instance.SeenEvery},
		{10 * instance.SeenEvery, 10 * instance.SeenEvery},
	} {
		want := noon().Add(step.want)
		if row := seen(t, s, "a", "site", noon().Add(step.at)); !row.LastSeen.Equal(want) {
			t.Errorf("a caller after %v: Seen returned %v, want %v", step.at, row.LastSeen, want)
		}
		if row := find(t, s, "a"); !row.LastSeen.Equal(want) {
			t.Errorf("a caller after %v: last seen is %v, want %v", step.at, row.LastSeen, want)
		}
	}
}

// LastSeen never moves back, not even with a new site id.
func seenLastSeenNeverMovesBack(t *testing.T, s Storage) {
	seen(t, s, "a", "site", noon())
	for _, site := range []string{"", "site", "another"} {
		if row := seen(t, s, "a", site, noon().Add(-time.Hour)); !row.LastSeen.Equal(noon()) {
			t.Errorf("an earlier caller from %q moved last seen to %v", site, row.LastSeen)
		}
	}
	if row := find(t, s, "a"); !row.LastSeen.Equal(noon()) {
		t.Errorf("last seen is %v", row.LastSeen)
	}
}

// Times come back in UTC and cut to the millisecond, whatever they were given as.
func seenTruncatesTimes(t *testing.T, s Storage) {
	tokyo := time.FixedZone("Tokyo", 9*60*60)
	for id, at := range map[string]time.Time{
		"another zone":      noon().In(tokyo),
		"microseconds":      noon().Add(999 * time.Microsecond),
		"nanoseconds":       noon().Add(999_999 * time.Nanosecond).In(tokyo),
		"monotonic reading": time.Now(),
		"before 1970":       time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		"far in the future": time.Date(9999, 12, 31, 23, 59, 59, 999_000_000, time.UTC),
	} {
		want := time.UnixMilli(at.UnixMilli()).UTC()
		v := visit(id, "", at)
		v.IssuedAt = at
		recordVisit(t, s, v)
		saveProfile(t, s, id, instance.Profile{Plan: instance.NewPlan("")}, at)
		row := find(t, s, id)
		for name, got := range map[string]time.Time{
			"first seen": row.FirstSeen, "last seen": row.LastSeen, "profile at": row.ProfileAt,
			"plan at": row.PlanAt, "status at": row.StatusAt,
		} {
			if got != want {
				t.Errorf("%s: %s is %v, want %v", id, name, got, want)
			}
		}
	}
}

// A token's time of issue counts as an installation: at the first visit, and whenever LastSeen moves.
func seenTokenShowsInstallation(t *testing.T, s Storage) {
	for _, step := range []struct{ issued, at, want time.Duration }{
		{-time.Minute, 0, -time.Minute},
		{time.Second, 2 * time.Second, -time.Minute},
		{time.Hour, time.Hour, time.Hour},
		{time.Minute, 3 * time.Hour, time.Hour},
	} {
		v := visit("a", "", noon().Add(step.at))
		v.IssuedAt = noon().Add(step.issued)
		if row, want := recordVisit(t, s, v), noon().Add(step.want); !row.StatusAt.Equal(want) || !find(t, s, "a").StatusAt.Equal(want) {
			t.Errorf("a token made after %v, seen after %v: status is of %v, want %v", step.issued, step.at, row.StatusAt, want)
		}
	}
	if row := seen(t, s, "a", "", noon().Add(24*time.Hour)); !row.StatusAt.Equal(noon().Add(time.Hour)) {
		t.Errorf("a token of unknown age moved the status to %v", row.StatusAt)
	}
}

// A visit changes neither settings nor profile.
func seenChangesNothingElse(t *testing.T, s Storage) {
	want := full(t, s, "a")
	want.LastSeen = noon().Add(time.Hour)
	wantRow(t, "Seen", seen(t, s, "a", "", noon().Add(time.Hour)), want)
	wantRow(t, "Find", find(t, s, "a"), want)
}

// A caller without an instance id is refused, so that such callers cannot share a row.
func seenNeedsID(t *testing.T, s Storage) {
	if row, err := s.Seen(t.Context(), visit("", "site", noon())); err == nil {
		t.Errorf("Seen made %+v", row)
	}
	wantMissing(t, s, "")
}
