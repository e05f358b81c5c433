package kit

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/settings"
)

func TestBody(t *testing.T) {
	type inner struct {
		Name string `json:"name"`
	}
	type body struct {
		Stars int             `json:"stars"`
		Tags  []string        `json:"tags"`
		By    inner           `json:"by"`
		On    bool            `json:"on"`
		Rate  float64         `json:"rate"`
		More  json.RawMessage `json:"more"`
	}
	handle := Body(func(_ context.Context, _ Call, b body) (any, error) { return b.Stars, nil })
	for _, tt := range []struct{ name, body, field, reason string }{
		{"a good one", `{"stars":5,"by":{"name":"Ada"}}`, "", ""},
		{"a field that is left out is its zero value", `{}`, "", ""},
		{"no body", ``, "", "is required"},
		{"a list", `[]`, "", "must be of type object"},
		{"text for a number", `{"stars":"5"}`, "stars", "must be of type integer"},
		{"a fraction for a whole number", `{"stars":1.5}`, "stars", "must be of type integer"},
		{"a number for text, further in", `{"by":{"name":1}}`, "by.name", "must be of type string"},
		{"an object for a list", `{"tags":{}}`, "tags", "must be of type array"},
		{"text for a bool", `{"on":"yes"}`, "on", "must be of type boolean"},
		{"text for a fraction", `{"rate":"1"}`, "rate", "must be of type number"},
		{"an unknown field", `{"star":5}`, "star", "is not a known field"},
		{"an unknown field with a long name", `{"` + strings.Repeat("x", 200) + `":5}`, strings.Repeat("x", 64) + "…", "is not a known field"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := handle(t.Context(), Call{Body: json.RawMessage(tt.body)})
			if tt.reason == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e := apierr.As(err)
			if e.Code != apierr.InvalidBody || len(e.Fields) != 1 || e.Fields[0] != (apierr.Field{Name: tt.field, Reason: tt.reason}) {
				t.Errorf("got %v %v", err, e.Fields)
			}
		})
	}
}

func TestCall_View(t *testing.T) {
	row := instance.Instance{ID: "i"}
	for role, want := range map[identity.Role]string{identity.Owner: "i", identity.Visitor: "", identity.App: "i", "admin": ""} {
		c := Call{Caller: identity.Caller{Role: role}, Instance: &row}
		if got := c.View().InstanceID; got != want {
			t.Errorf("%s sees the instance id %q, want %q", role, got, want)
		}
	}
}

func TestCall_View_upgradeURL(t *testing.T) {
	const page = "https://www.wix.com/apps/upgrade/app?appInstanceId="
	for _, tt := range []struct {
		name string
		role identity.Role
		page string
		plan instance.Plan
		want string
	}{
		{"an owner on the free plan", identity.Owner, page, instance.NewPlan(""), page + "i"},
		{"an owner whose plan is not known yet", identity.Owner, page, instance.Plan{}, page + "i"},
		{"an owner who pays", identity.Owner, page, instance.NewPlan("gold"), ""},
		{"an app without plans", identity.Owner, "", instance.NewPlan(""), ""},
		{"the app", identity.App, page, instance.NewPlan(""), page + "i"},
		{"a visitor", identity.Visitor, page, instance.NewPlan(""), ""},
	} {
		row := instance.Instance{ID: "i", Profile: instance.Profile{Plan: tt.plan}}
		c := Call{Caller: identity.Caller{Role: tt.role}, Instance: &row, UpgradePage: tt.page}
		if got := c.View().UpgradeURL; got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestSettings(t *testing.T) {
	type site struct {
		Title string          `json:"title" setting:"text" default:"Hi"`
		Key   settings.Secret `json:"key" setting:"secret"`
	}
	row := &instance.Instance{Settings: json.RawMessage(`{"title":"Ho"}`)}
	got, err := Settings[site](Call{Instance: row})
	if err != nil || got.Title != "Ho" || got.Key.IsSet() {
		t.Errorf("without a secret: %+v, %v", got, err)
	}
	row.Secrets = instance.NewSecrets(json.RawMessage(`{"key":"k-1"}`))
	if got, err = Settings[site](Call{Instance: row}); err != nil || got.Title != "Ho" || got.Key.Reveal() != "k-1" {
		t.Errorf("with one: %+v, %v", got, err)
	}
}
