package instance

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// The JSON itself is compared: a field that is added to Instance or Profile and leaks
// into a view fails here.
func TestInstance_views(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	known := Instance{
		ID: "inst", SiteID: "site", FirstSeen: at, LastSeen: at.Add(time.Hour),
		Profile:   Profile{Plan: NewPlan("gold"), Locale: "de", Currency: "EUR", SiteDisplayName: "Laden", Languages: []string{"de", "en"}},
		ProfileAt: at.Add(time.Minute), PlanAt: at.Add(time.Minute),
	}
	reported := Instance{ID: "inst", Profile: Profile{Plan: NewPlan("gold")}, PlanAt: at}
	unknown := Instance{ID: "inst", SiteID: "site", FirstSeen: at, LastSeen: at}
	public := `{"plan":{"name":"gold","isFree":false},"locale":"de","currency":"EUR","siteDisplayName":"Laden","languages":["de","en"]`
	for _, tt := range []struct {
		name string
		of   Instance
		view func(*Instance) View
		want string
	}{
		{"a visitor sees the plan and the site's facts", known, (*Instance).VisitorView, public + `}`},
		{"an owner sees everything", known, (*Instance).OwnerView, public + `,"instanceId":"inst","siteId":"site","firstSeen":"2026-11-22T10:00:00Z","lastSeen":"2026-11-22T11:00:00Z","profileReadAt":"2026-11-22T10:01:00Z"}`},
		{"a plan that only an event has reported", reported, (*Instance).VisitorView, `{"plan":{"name":"gold","isFree":false}}`},
		{"what Wix has not reported yet is absent, not false", unknown, (*Instance).VisitorView, `{}`},
		{"an owner sees the ids before Wix has reported anything", unknown, (*Instance).OwnerView, `{"instanceId":"inst","siteId":"site","firstSeen":"2026-11-22T10:00:00Z","lastSeen":"2026-11-22T10:00:00Z"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := json.Marshal(tt.view(&tt.of))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestInstance_VisitorView_freePlan(t *testing.T) {
	got, err := json.Marshal((&Instance{Profile: Profile{Plan: NewPlan("")}}).VisitorView())
	if want := `{"plan":{"name":"","isFree":true}}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func TestPlan_Paid(t *testing.T) {
	for _, tt := range []struct {
		plan Plan
		want bool
	}{
		{Plan{}, false},
		{Plan{Name: "gold"}, false},
		{NewPlan(""), false},
		{NewPlan("gold"), true},
		{Plan{Kind: PlanPaid}, true},
		{Plan{Kind: "trial"}, false},
	} {
		if got := (Instance{Profile: Profile{Plan: tt.plan}}).Paid(); got != tt.want {
			t.Errorf("%+v: paid is %v", tt.plan, got)
		}
	}
}

func TestPlan_JSON(t *testing.T) {
	for _, tt := range []struct {
		name string
		plan Plan
		want string
	}{
		{"unknown", Plan{}, `{"name":"","isFree":false,"kind":""}`},
		{"free", NewPlan(""), `{"name":"","isFree":true,"kind":"free"}`},
		{"paid", NewPlan("gold"), `{"name":"gold","isFree":false,"kind":"paid"}`},
		{"paid without a name", Plan{Kind: PlanPaid}, `{"name":"","isFree":false,"kind":"paid"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, err := json.Marshal(tt.plan)
			if err != nil || string(text) != tt.want {
				t.Errorf("marshalled to %s, %v; want %s", text, err, tt.want)
			}
			var got Plan
			if err := json.Unmarshal(text, &got); err != nil || got != tt.plan {
				t.Errorf("read back as %+v, %v", got, err)
			}
		})
	}
	if err := json.Unmarshal([]byte(`{"name":5}`), new(Plan)); err == nil {
		t.Error("a number was read as a name")
	}
}

// The first edition knew no kind: PlanAt shows which of its plans were unknown.
func TestInstance_JSON_readsTheFirstEdition(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       Plan
	}{
		{"free", `{"profile":{"plan":{"name":"","isFree":true}},"planAt":"2026-11-22T10:00:00Z"}`, NewPlan("")},
		{"paid", `{"profile":{"plan":{"name":"gold","isFree":false}},"planAt":"2026-11-22T10:00:00Z"}`, NewPlan("gold")},
		{"paid without a name", `{"profile":{"plan":{"name":"","isFree":false}},"planAt":"2026-11-22T10:00:00Z"}`, Plan{Kind: PlanPaid}},
		{"unknown", `{"profile":{"plan":{"name":"","isFree":false}}}`, Plan{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got Instance
			if err := json.Unmarshal([]byte(tt.text), &got); err != nil || got.Profile.Plan != tt.want {
				t.Errorf("got %+v, %v; want %+v", got.Profile.Plan, err, tt.want)
			}
		})
	}
}

func TestInstance_JSON_roundTrip(t *testing.T) {
	full := Instance{
		ID: "i", SiteID: "s", FirstSeen: noon, LastSeen: at(1), Settings: json.RawMessage(`{"greeting":"Hi"}`), Version: 3,
		Profile:   Profile{Plan: NewPlan("gold"), Locale: "de", Currency: "EUR", SiteDisplayName: "Laden", Languages: []string{"de"}},
		ProfileAt: at(2), PlanAt: at(3), RemovedAt: at(4), LastRemovedAt: at(4), StatusAt: at(4), OriginID: "o",
	}
	for _, want := range []Instance{full, {ID: "i", Settings: json.RawMessage(`{}`)}} {
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Instance
		if err := json.Unmarshal(text, &got); err != nil || !cmp.Equal(got, want, cmpopts.IgnoreFields(Instance{}, "Encodings")) {
			t.Errorf("read back as %+v, %v; want %+v", got, err, want)
		}
	}
}

func TestInstance_Clone_sharesNothing(t *testing.T) {
	i := Instance{Settings: json.RawMessage(`{}`), Profile: Profile{Languages: []string{"de"}}}
	c := i.Clone()
	c.Settings[0], c.Profile.Languages[0] = 'x', "x"
	if string(i.Settings) != `{}` || i.Profile.Languages[0] != "de" {
		t.Errorf("the original became %+v", i)
	}
}

func TestNewVisited(t *testing.T) {
	got := NewVisited(Visit{InstanceID: "i", SiteID: "s", IssuedAt: at(-1), At: noon})
	if diff := cmp.Diff(Instance{ID: "i", SiteID: "s", FirstSeen: noon, LastSeen: noon, StatusAt: at(-1)}, got); diff != "" {
		t.Error(diff)
	}
}

func TestInstance_CopySettings(t *testing.T) {
	saved := Instance{ID: "o", Settings: json.RawMessage(`{"a":1}`), Version: 7}
	for _, tt := range []struct {
		name    string
		version int64
		origin  Instance
		changed bool
	}{
		{"saved settings are copied at version 1", 0, saved, true},
		{"defaults are not copied", 0, Instance{Settings: json.RawMessage(`{"a":0}`)}, false},
		{"own settings stay", 2, saved, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i := Instance{ID: "i", Settings: json.RawMessage(`{"own":1}`), Version: tt.version}
			want := i
			if tt.changed {
				want.Settings, want.Version = saved.Settings, 1
			}
			if changed := i.CopySettings(tt.origin); changed != tt.changed {
				t.Errorf("changed is %v", changed)
			}
			if diff := cmp.Diff(want, i); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestInstance_ApplyProfile(t *testing.T) {
	known := Instance{ID: "i", Profile: Profile{Plan: NewPlan("gold"), Locale: "de"}, ProfileAt: at(10), PlanAt: at(20)}
	silver := Profile{Plan: NewPlan("silver"), Locale: "en"}
	with := func(p Profile, profileAt, planAt int) Instance {
		return Instance{ID: "i", Profile: p, ProfileAt: at(profileAt), PlanAt: at(planAt)}
	}
	for _, tt := range []struct {
		name                 string
		before               Instance
		profile              Profile
		at                   int
		after                Instance
		changed, planChanged bool
	}{
		{"an older profile changes nothing", known, silver, 9, known, false, false},
		{"one of the same time replaces, and keeps the newer plan", known, silver, 10, with(Profile{Plan: NewPlan("gold"), Locale: "en"}, 10, 20), true, false},
		{"one from before the plan's event keeps the plan", known, silver, 19, with(Profile{Plan: NewPlan("gold"), Locale: "en"}, 19, 20), true, false},
		{"one of the time of the plan's event decides", known, silver, 20, with(silver, 20, 20), true, true},
		{"a newer one decides", known, silver, 30, with(silver, 30, 30), true, true},
		{"the same plan later is no change of it", known, Profile{Plan: NewPlan("gold")}, 30, with(Profile{Plan: NewPlan("gold")}, 30, 30), true, false},
		{"one that does not know the plan keeps it", known, Profile{Locale: "en"}, 30, with(Profile{Plan: NewPlan("gold"), Locale: "en"}, 30, 20), true, false},
		{"the first known plan is a change, even to free", Instance{ID: "i"}, Profile{Plan: NewPlan("")}, 1, with(Profile{Plan: NewPlan("")}, 1, 1), true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.before
			if changed, planChanged := got.ApplyProfile(tt.profile, at(tt.at)); changed != tt.changed || planChanged != tt.planChanged {
				t.Errorf("changed %v, plan %v", changed, planChanged)
			}
			if diff := cmp.Diff(tt.after, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestInstance_ApplyProfile_keepsTheCallersLanguages(t *testing.T) {
	languages := []string{"de"}
	var i Instance
	i.ApplyProfile(Profile{Languages: languages}, noon)
	languages[0] = "spoilt"
	if i.Profile.Languages[0] != "de" {
		t.Error("the instance shares the caller's slice")
	}
}

// Whatever the order of the events, profiles from Wix come in the order of their times:
// the plan at the end is that of the newest of both.
func TestInstance_ApplyProfile_newestPlanWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		history := events(0, 8).Draw(t, "history")
		order := rapid.Permutation(history).Draw(t, "order")
		want := model(history)
		i := NewInstance("i", noon)
		for n := range 6 {
			for _, e := range order[len(order)*n/6 : len(order)*(n+1)/6] {
				i.Apply(e)
			}
			p := Profile{Plan: rapid.SampledFrom([]Plan{{}, NewPlan(""), NewPlan("gold"), NewPlan("iron")}).Draw(t, "plan")}
			reportedAt := at(n).Add(time.Second) // at the time of no event
			i.ApplyProfile(p, reportedAt)
			if p.Plan.Kind != PlanUnknown && reportedAt.After(want.PlanAt) {
				want.Plan, want.PlanAt = p.Plan, reportedAt
			}
		}
		if diff := cmp.Diff(want, endOf(i)); diff != "" {
			t.Fatal(diff)
		}
	})
}
