package storetest

// What SaveProfile promises: the newest profile wins, whole.

import (
	"errors"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// A profile is stored with the time it was read at.
func profileIsStoredWithItsTime(t *testing.T, s Storage) {
	want := seen(t, s, "a", "site", noon())
	want.Profile, want.ProfileAt, want.PlanAt = profile("a"), noon().Add(time.Second), noon().Add(time.Second)
	wantRow(t, "SaveProfile", saveProfile(t, s, "a", profile("a"), noon().Add(time.Second)), want)
	wantRow(t, "Find", find(t, s, "a"), want)
}

// A newer profile, and one of the same time, replace the profile whole.
func profileReplacedWhole(t *testing.T, s Storage) {
	want := full(t, s, "a")
	for _, next := range []struct {
		p  instance.Profile
		at time.Time
	}{
		{instance.Profile{Plan: instance.NewPlan("gold"), Languages: []string{"de"}}, want.ProfileAt},
		{instance.Profile{Plan: instance.NewPlan(""), Currency: "USD"}, want.ProfileAt.Add(time.Millisecond)},
		{instance.Profile{Plan: instance.NewPlan("")}, want.ProfileAt.Add(time.Hour)},
	} {
		want.Profile, want.ProfileAt, want.PlanAt = next.p, next.at, next.at
		wantRow(t, "SaveProfile", saveProfile(t, s, "a", next.p, next.at), want)
		wantRow(t, "Find", find(t, s, "a"), want)
	}
}

// An older profile changes nothing and is no error.
func profileOlderIsIgnored(t *testing.T, s Storage) {
	want := full(t, s, "a")
	for _, age := range []time.Duration{time.Millisecond, time.Hour} {
		wantRow(t, "SaveProfile", saveProfile(t, s, "a", profile("old"), want.ProfileAt.Add(-age)), want)
	}
	wantRow(t, "Find", find(t, s, "a"), want)
}

// A profile of an unknown instance is not found, and creates none.
func profileOfUnknownInstance(t *testing.T, s Storage) {
	if _, err := s.SaveProfile(t.Context(), "a", profile("a"), noon()); !errors.Is(err, instance.ErrNotFound) {
		t.Errorf("SaveProfile: %v; want ErrNotFound", err)
	}
	wantMissing(t, s, "a")
}

// Languages come back as they were: absent, empty, one, many.
func profileKeepsLanguages(t *testing.T, s Storage) {
	seen(t, s, "a", "", noon())
	for i, languages := range [][]string{nil, {}, {"en"}, {"he", "en", "", "pt-BR", "zh-Hant"}, {}, nil} {
		at := noon().Add(time.Duration(i) * time.Second)
		want := find(t, s, "a")
		want.Profile.Languages, want.ProfileAt = languages, at
		wantRow(t, "SaveProfile", saveProfile(t, s, "a", instance.Profile{Languages: languages}, at), want)
		wantRow(t, "Find", find(t, s, "a"), want)
	}
}

// Text in a profile comes back as it was saved.
func profileKeepsText(t *testing.T, s Storage) {
	want := seen(t, s, "a", "", noon())
	for i, text := range texts() {
		want.ProfileAt = noon().Add(time.Duration(i) * time.Second)
		want.PlanAt = want.ProfileAt
		want.Profile = instance.Profile{
			Plan: instance.NewPlan(text), Locale: text, Currency: text, SiteDisplayName: text, Languages: []string{text},
		}
		saveProfile(t, s, "a", want.Profile, want.ProfileAt)
		wantRow(t, "Find", find(t, s, "a"), want)
	}
}

// Saving a profile changes neither settings, version nor times.
func profileChangesNothingElse(t *testing.T, s Storage) {
	want := full(t, s, "a")
	want.Profile, want.ProfileAt, want.PlanAt = profile("b"), noon().Add(time.Hour), noon().Add(time.Hour)
	wantRow(t, "SaveProfile", saveProfile(t, s, "a", profile("b"), want.ProfileAt), want)
	wantRow(t, "Find", find(t, s, "a"), want)
}

// A plan comes back with its kind. A profile without a plan keeps the known one.
func profileKeepsPlanKind(t *testing.T, s Storage) {
	want := seen(t, s, "a", "", noon())
	for n, plan := range []instance.Plan{
		{}, instance.NewPlan(""), instance.NewPlan("gold"), {Kind: instance.PlanPaid}, {}, {Name: "x", Kind: "kind of tomorrow"},
	} {
		want.ProfileAt = noon().Add(time.Duration(n) * time.Second)
		if plan.Kind != instance.PlanUnknown {
			want.Profile.Plan, want.PlanAt = plan, want.ProfileAt
		}
		wantRow(t, "SaveProfile", saveProfile(t, s, "a", instance.Profile{Plan: plan}, want.ProfileAt), want)
		wantRow(t, "Find", find(t, s, "a"), want)
	}
}
