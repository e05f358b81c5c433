// What SaveSettings promises: an optimistic lock, and text that comes back as it went in.

package storetest

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

func settingsChecks() []check {
	return []check{
		{"the first save goes from version 0 to 1, each further one a step on", func(t *testing.T, s instance.Store) {
			want := seen(t, s, "a", "site", noon())
			for version, greeting := range []string{"Hi", "Hey", "Hey", "Hello"} {
				want.Settings.Greeting, want.Version = greeting, int64(version)+1
				wantRow(t, "SaveSettings", save(t, s, "a", greeting, int64(version)), want)
				wantRow(t, "Find", find(t, s, "a"), want)
			}
		}},
		{"a version that is not the current one is a conflict and writes nothing", func(t *testing.T, s instance.Store) {
			seen(t, s, "a", "", noon())
			save(t, s, "a", "one", 0)
			want := save(t, s, "a", "two", 1)
			for _, stale := range []int64{0, 1, 3, -1, math.MaxInt64, math.MinInt64} {
				_, err := s.SaveSettings(t.Context(), "a", instance.Settings{Greeting: "late"}, stale)
				wantConflict(t, err)
			}
			wantRow(t, "Find", find(t, s, "a"), want)
			save(t, s, "a", "three", 2)
		}},
		{"a save of what is stored already still needs the current version", func(t *testing.T, s instance.Store) {
			seen(t, s, "a", "", noon())
			save(t, s, "a", "one", 0)
			_, err := s.SaveSettings(t.Context(), "a", instance.Settings{Greeting: "one"}, 0)
			wantConflict(t, err)
		}},
		{"settings of an unknown instance are not found, and are not made", func(t *testing.T, s instance.Store) {
			for _, version := range []int64{0, 1} {
				_, err := s.SaveSettings(t.Context(), "a", instance.Settings{Greeting: "Hi"}, version)
				if !errors.Is(err, instance.ErrNotFound) {
					t.Errorf("SaveSettings at version %d: %v; want ErrNotFound", version, err)
				}
			}
			wantMissing(t, s, "a")
		}},
		{"saving settings changes neither times, site nor profile", func(t *testing.T, s instance.Store) {
			want := full(t, s, "a")
			want.Settings.Greeting, want.Version = "Hi", 2
			wantRow(t, "SaveSettings", save(t, s, "a", "Hi", 1), want)
			wantRow(t, "Find", find(t, s, "a"), want)
		}},
		{"a forgotten instance that comes back begins again", func(t *testing.T, s instance.Store) {
			full(t, s, "a")
			remove(t, s, "a")
			later := noon().Add(time.Minute)
			want := instance.Instance{ID: "a", FirstSeen: later, LastSeen: later, Settings: instance.DefaultSettings()}
			wantRow(t, "Seen", seen(t, s, "a", "", later), want)
			wantRow(t, "Find", find(t, s, "a"), want)
		}},
		{"text comes back as it was saved", func(t *testing.T, s instance.Store) {
			seen(t, s, "a", "", noon())
			for version, text := range texts() {
				save(t, s, "a", text, int64(version))
				if got := find(t, s, "a").Settings.Greeting; got != text {
					t.Errorf("%q came back as %q", text, got)
				}
			}
		}},
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
		strings.Repeat("x", instance.MaxGreeting),
		strings.Repeat("😀", instance.MaxGreeting),
		strings.Repeat("ש", instance.MaxGreeting),
		"null",
		"007",
	}
}
