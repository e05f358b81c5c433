package storetest

// What SaveSettings promises: an optimistic lock, and text that comes back as it went in.

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// The first save goes from version 0 to 1, each further one a step on.
func settingsVersionCountsSaves(t *testing.T, s Storage) {
	want := seen(t, s, "a", "site", noon())
	for version, text := range []string{"Hi", "Hey", "Hey", "Hello"} {
		want.Settings, want.Version = greeting(text), int64(version)+1
		wantRow(t, "SaveSettings", save(t, s, "a", text, int64(version)), want)
		wantRow(t, "Find", find(t, s, "a"), want)
	}
}

// A version that is not the current one is a conflict and writes nothing.
func settingsStaleVersionConflicts(t *testing.T, s Storage) {
	seen(t, s, "a", "", noon())
	save(t, s, "a", "one", 0)
	want := save(t, s, "a", "two", 1)
	for _, stale := range []int64{0, 1, 3, -1, math.MaxInt64, math.MinInt64} {
		_, err := s.SaveSettings(t.Context(), "a", greeting("late"), stale)
		wantConflict(t, err)
	}
	wantRow(t, "Find", find(t, s, "a"), want)
	save(t, s, "a", "three", 2)
}

// A save of what is stored already still needs the current version.
func settingsSameSaveNeedsVersion(t *testing.T, s Storage) {
	seen(t, s, "a", "", noon())
	save(t, s, "a", "one", 0)
	_, err := s.SaveSettings(t.Context(), "a", greeting("one"), 0)
	wantConflict(t, err)
}

// Settings of an unknown instance are not found, and create none.
func settingsOfUnknownInstance(t *testing.T, s Storage) {
	for _, version := range []int64{0, 1} {
		_, err := s.SaveSettings(t.Context(), "a", greeting("Hi"), version)
		if !errors.Is(err, instance.ErrNotFound) {
			t.Errorf("SaveSettings at version %d: %v; want ErrNotFound", version, err)
		}
	}
	wantMissing(t, s, "a")
}

// Saving settings changes neither times, site nor profile.
func settingsChangeNothingElse(t *testing.T, s Storage) {
	want := full(t, s, "a")
	want.Settings, want.Version = greeting("Hi"), 2
	wantRow(t, "SaveSettings", save(t, s, "a", "Hi", 1), want)
	wantRow(t, "Find", find(t, s, "a"), want)
}

// A deleted instance that comes back begins again.
func settingsOfDeletedBeginAgain(t *testing.T, s Storage) {
	full(t, s, "a")
	deleteInstance(t, s, "a")
	later := noon().Add(time.Minute)
	want := instance.Instance{ID: "a", FirstSeen: later, LastSeen: later, Settings: noSettings()}
	wantRow(t, "Seen", seen(t, s, "a", "", later), want)
	wantRow(t, "Find", find(t, s, "a"), want)
}

// Text comes back as it was saved.
func settingsKeepText(t *testing.T, s Storage) {
	seen(t, s, "a", "", noon())
	for version, text := range texts() {
		save(t, s, "a", text, int64(version))
		if got := greetingOf(find(t, s, "a")); got != text {
			t.Errorf("%q came back as %q", text, got)
		}
	}
}

// texts are what owners may write, and what a careless store would break.
func texts() []string {
	return []string{
		"Hi",
		"👋🏽 family: 👨\u200d👩\u200d👧\u200d👦, flag: 🏳\ufe0f\u200d🌈",
		"שלום \u200fمرحبا\u202b مرحبا\u202c",
		"e\u0301 is not \u00e9",
		"O'Brien; DROP TABLE instances; -- \"quoted\" `ticks` \\ % _ ? $1 :x",
		`{"greeting":"nested"}`,
		"<b>&amp;</b>\u2028\u2029",
		strings.Repeat("x", 80),
		strings.Repeat("😀", 80),
		strings.Repeat("ש", 80),
		"null",
		"007",
	}
}

// Settings that are no JSON are refused, since they could not be read again.
func settingsMustBeJSON(t *testing.T, s Storage) {
	want := seen(t, s, "a", "", noon())
	for _, text := range []string{"", "{", `{"a":1} x`, "\xff"} {
		if row, err := s.SaveSettings(t.Context(), "a", json.RawMessage(text), 0); err == nil {
			t.Errorf("%q was saved: %+v", text, row)
		}
	}
	wantRow(t, "Find", find(t, s, "a"), want)
}
