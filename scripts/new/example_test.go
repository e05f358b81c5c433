package main

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
	"github.com/nametag-dev/nametag/examples/review-badge/backend/business"
)

// TestExample_business calls the review badge's functions on both databases.
func TestExample_business(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { testExample(t, "sqlite::memory:") })
	t.Run("Postgres", func(t *testing.T) { testExample(t, pgtest.URL(t)) })
}

func testExample(t *testing.T, databaseURL string) {
	const site = "11111111-1111-4111-8111-111111111111"
	declared, err := business.New(kit.Tools{})
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlstore.Open(t.Context(), databaseURL, sqlstore.Options{App: declared.Data, Settings: declared.Settings.Complete})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	now := time.UnixMilli(1_800_000_000_000)
	app, err := business.New(kit.Tools{DB: store, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	row, err := store.Seen(t.Context(), instance.Visit{InstanceID: site, At: now})
	if err != nil {
		t.Fatal(err)
	}
	call := func(handle kit.Handler, body string) string {
		t.Helper()
		c := kit.Call{Caller: identity.Caller{InstanceID: site, Role: identity.Visitor}, Instance: &row, At: now}
		if body != "" {
			c.Body = json.RawMessage(body)
		}
		answer, err := handle(t.Context(), c)
		if err != nil {
			return apierr.As(err).Code.Name
		}
		if reply, ok := answer.(kit.Reply); ok {
			answer = reply.BodyFor(c)
		}
		text, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	add, latest := app.Routes[0].Handle, app.Routes[1].Handle
	average := func() string {
		t.Helper()
		var a struct {
			Reviews int     `json:"reviews"`
			Average float64 `json:"average"`
		}
		if err := json.Unmarshal([]byte(call(app.Answer, "")), &a); err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(a)
		return string(text)
	}
	for _, step := range []struct{ what, got, want string }{
		{"no review", average(), `{"reviews":0,"average":0}`},
		{"the list of none", call(latest, ""), `[]`},
		{"too many stars", call(add, `{"stars":6}`), "invalid_body"},
		{"no stars", call(add, `{}`), "invalid_body"},
		{"the first", call(add, `{"stars":5}`), `{"stars":5,"at":1800000000000}`},
		{"the second", call(add, `{"stars":4,"at":1}`), `{"stars":4,"at":1800000000000}`},
		{"two", average(), `{"reviews":2,"average":4.5}`},
		{"the third", call(add, `{"stars":1}`), `{"stars":1,"at":1800000000000}`},
		{"the fourth", call(add, `{"stars":5}`), "review_limit"},
		{"the average", average()[:24], `{"reviews":3,"average":3`},
	} {
		if step.got != step.want {
			t.Errorf("%s: got %s, want %s", step.what, step.got, step.want)
		}
	}
	row.Profile.Plan = instance.NewPlan("pro")
	if got := call(add, `{"stars":5}`); got != `{"stars":5,"at":1800000000000}` {
		t.Errorf("with a plan: %s", got)
	}
}
