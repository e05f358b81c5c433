// What SaveProfile promises: the newest news wins, whole.

package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

func profileChecks() []check {
	return []check{
		{"a profile is kept with the time it was read at", func(t *testing.T, s instance.Store) {
			want := seen(t, s, "a", "site", noon())
			want.Profile, want.ProfileAt, want.PlanAt = profile("a"), noon().Add(time.Second), noon().Add(time.Second)
			wantRow(t, "SaveProfile", saveProfile(t, s, "a", profile("a"), noon().Add(time.Second)), want)
			wantRow(t, "Find", find(t, s, "a"), want)
		}},
		{"newer news, and news of the same time, replace the profile whole", func(t *testing.T, s instance.Store) {
			want := full(t, s, "a")
			for _, next := range []struct {
				p  instance.Profile
				at time.Time
			}{
				{instance.Profile{Plan: instance.Plan{Name: "gold"}, Languages: []string{"de"}}, want.ProfileAt},
				{instance.Profile{Currency: "USD"}, want.ProfileAt.Add(time.Millisecond)},
				{instance.Profile{}, want.ProfileAt.Add(time.Hour)},
			} {
				want.Profile, want.ProfileAt, want.PlanAt = next.p, next.at, next.at
				wantRow(t, "SaveProfile", saveProfile(t, s, "a", next.p, next.at), want)
				wantRow(t, "Find", find(t, s, "a"), want)
			}
		}},
		{"older news changes nothing and is no error", func(t *testing.T, s instance.Store) {
			want := full(t, s, "a")
			for _, age := range []time.Duration{time.Millisecond, time.Hour} {
				wantRow(t, "SaveProfile", saveProfile(t, s, "a", profile("old"), want.ProfileAt.Add(-age)), want)
			}
			wantRow(t, "Find", find(t, s, "a"), want)
		}},
		{"a profile of an unknown instance is not found, and is not made", func(t *testing.T, s instance.Store) {
			if _, err := s.SaveProfile(t.Context(), "a", profile("a"), noon()); !errors.Is(err, instance.ErrNotFound) {
				t.Errorf("SaveProfile: %v; want ErrNotFound", err)
			}
			wantMissing(t, s, "a")
		}},
		{"languages come back as they were: absent, empty, one, many", func(t *testing.T, s instance.Store) {
			seen(t, s, "a", "", noon())
			for i, languages := range [][]string{nil, {}, {"en"}, {"he", "en", "", "pt-BR", "zh-Hant"}, {}, nil} {
				at := noon().Add(time.Duration(i) * time.Second)
				want := find(t, s, "a")
				want.Profile.Languages, want.ProfileAt, want.PlanAt = languages, at, at
				wantRow(t, "SaveProfile", saveProfile(t, s, "a", instance.Profile{Languages: languages}, at), want)
				wantRow(t, "Find", find(t, s, "a"), want)
			}
		}},
		{"text in a profile comes back as it was saved", func(t *testing.T, s instance.Store) {
			want := seen(t, s, "a", "", noon())
			for i, text := range texts() {
				want.ProfileAt = noon().Add(time.Duration(i) * time.Second)
				want.PlanAt = want.ProfileAt
				want.Profile = instance.Profile{
					Plan: instance.Plan{Name: text}, Locale: text, Currency: text, SiteDisplayName: text, Languages: []string{text},
				}
				saveProfile(t, s, "a", want.Profile, want.ProfileAt)
				wantRow(t, "Find", find(t, s, "a"), want)
			}
		}},
		{"saving a profile changes neither settings, version nor times", func(t *testing.T, s instance.Store) {
			want := full(t, s, "a")
			want.Profile, want.ProfileAt, want.PlanAt = profile("b"), noon().Add(time.Hour), noon().Add(time.Hour)
			wantRow(t, "SaveProfile", saveProfile(t, s, "a", profile("b"), want.ProfileAt), want)
			wantRow(t, "Find", find(t, s, "a"), want)
		}},
	}
}
