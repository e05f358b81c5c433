package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

// onBoth runs a test on a SQLite file and on Postgres.
func onBoth(t *testing.T, test func(t *testing.T, databaseURL string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, "sqlite:"+filepath.Join(t.TempDir(), "app.db")) })
	t.Run("Postgres", func(t *testing.T) { test(t, pgtest.URL(t)) })
}

// door is the second app on a running server, with one site.
type door struct {
	*world
	signer         signer
	id             string
	visitor, owner string
}

func startDoor(t *testing.T, databaseURL string) *door {
	t.Helper()
	sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: appSecret})
	if err != nil {
		t.Fatal(err)
	}
	d := &door{signer: newSigner(t)}
	d.world = startApp(t, newReviews, sim, "WIX_PUBLIC_KEY="+d.signer.public, product.EnvPrefix+"DATABASE_URL="+databaseURL)
	site, err := sim.Install(wixsim.InstallRequest{SiteDisplayName: "Corner Café"})
	if err != nil {
		t.Fatal(err)
	}
	d.id = site.InstanceID
	d.visitor = d.mint(wixsim.TokenRequest{InstanceID: d.id})
	d.owner = d.mint(wixsim.TokenRequest{Subject: "USER", InstanceID: d.id})
	return d
}

func (d *door) review(token, text string) reply {
	d.t.Helper()
	return d.ask("POST", "/api/reviews", fmt.Sprintf(`{"stars":4,"text":%q}`, text), "Authorization: "+token, "Content-Type: application/json")
}

// texts are the texts of the reviews that a token may read.
func (d *door) texts(token string) []string {
	d.t.Helper()
	got := d.as(token, "/api/reviews")
	var all []review
	if err := json.Unmarshal([]byte(got.text), &all); err != nil || got.status != 200 {
		d.t.Fatalf("%d %s", got.status, got.text)
	}
	texts := []string{}
	for _, r := range all {
		texts = append(texts, r.Text)
	}
	return texts
}

func (d *door) buy(plan string) {
	d.t.Helper()
	if _, err := d.sim.SetPlan(d.id, wixsim.PlanRequest{Plan: &plan, Silent: true}); err != nil {
		d.t.Fatal(err)
	}
	if got := d.webhook(d.signer.plan(d.t, d.id, plan, time.Now())); got.status != 200 {
		d.t.Fatalf("%d %s", got.status, got.text)
	}
	d.until("the plan is paid", func() bool { return strings.Contains(d.as(d.visitor, "/api/get-instance").text, `"paid":true`) })
}

func TestDoor_secondApp(t *testing.T) {
	onBoth(t, func(t *testing.T, databaseURL string) {
		d := startDoor(t, databaseURL)
		if got := d.as(d.visitor, "/api/get-instance"); got.status != 200 || got.header.Get("Cache-Control") != "private, no-cache" ||
			got.text != `{"title":"Reviews","stars":5,"reviews":0,"average":0,"paid":false}` {
			t.Fatalf("the answer of the app: %d %s %v", got.status, got.text, got.header)
		}
		for n := range freeReviews {
			if got := d.review(d.visitor, fmt.Sprint("review ", n)); got.status != 201 || !strings.Contains(got.text, `"stars":4`) {
				t.Fatalf("review %d: %d %s", n, got.status, got.text)
			}
		}
		if got := d.review(d.visitor, "too many"); got.status != 402 || got.code() != "review_limit" || !strings.Contains(got.text, reviewLimit.Message) {
			t.Errorf("beyond the free plan: %d %s", got.status, got.text)
		}
		d.buy("gold")
		if got := d.review(d.visitor, "review 3"); got.status != 201 {
			t.Errorf("with a paid plan: %d %s", got.status, got.text)
		}
		if got := d.as(d.owner, "/api/get-instance").text; !strings.Contains(got, `"reviews":4,"average":4,`) {
			t.Errorf("the answer with reviews: %s", got)
		}

		put := d.ask("PUT", "/api/settings", `{"title":"What guests say","stars":7}`, "Authorization: "+d.owner, "Content-Type: application/json", `If-Match: "0"`)
		if put.status != 200 || put.text != `{"settings":{"title":"What guests say","stars":7},"version":1}`+"\n" {
			t.Errorf("a save: %d %q", put.status, put.text)
		}
		if got := d.ask("PUT", "/api/settings", `{"title":"","stars":11}`, "Authorization: "+d.owner, "Content-Type: application/json", `If-Match: "1"`); got.status != 422 ||
			!strings.Contains(got.text, `"fields":[{"name":"stars","reason":"must be at most 10"},{"name":"title","reason":"must not be empty"}]`) {
			t.Errorf("a bad save: %d %s", got.status, got.text)
		}

		var all []review
		if err := json.Unmarshal([]byte(d.as(d.visitor, "/api/reviews").text), &all); err != nil || len(all) != 4 {
			t.Fatal(all, err)
		}
		first := all[0]
		if got := d.ask("DELETE", "/api/reviews/"+first.ID, "", "Authorization: "+d.visitor); got.status != 403 || got.code() != "owner_required" {
			t.Errorf("a visitor deletes: %d %s", got.status, got.text)
		}
		for _, want := range []int{204, 404} {
			if got := d.ask("DELETE", "/api/reviews/"+first.ID, "", "Authorization: "+d.owner); got.status != want {
				t.Errorf("the owner deletes: %d %s, want %d", got.status, got.text, want)
			}
		}
		if got := d.as(d.owner, "/api/contacts"); got.status != 200 || got.text != "200" {
			t.Errorf("another API of Wix, as the app: %d %s", got.status, got.text)
		}
	})
}

func TestDoor_unknownPlanIsNotPaid(t *testing.T) {
	d := startDoor(t, "sqlite:"+filepath.Join(t.TempDir(), "app.db"))
	if err := d.sim.SetFault(wixsim.Fault{Endpoint: "instance", Status: 503}); err != nil {
		t.Fatal(err)
	}
	gold := "gold"
	if _, err := d.sim.SetPlan(d.id, wixsim.PlanRequest{Plan: &gold, Silent: true}); err != nil {
		t.Fatal(err)
	}
	for n := range freeReviews {
		d.review(d.visitor, fmt.Sprint(n))
	}
	if got := d.review(d.visitor, "too many"); got.code() != "review_limit" {
		t.Errorf("while the plan is not known: %d %s", got.status, got.text)
	}
}

func TestDoor_eventsAndCopy(t *testing.T) {
	onBoth(t, func(t *testing.T, databaseURL string) {
		d := startDoor(t, databaseURL)
		now := time.Now()
		d.webhook(d.signer.sign(t, d.id, "AppInstalled", now.Add(-time.Minute), map[string]any{"appId": appID}))
		d.buy("gold")
		d.review(d.visitor, "worth a copy")
		d.ask("PUT", "/api/settings", `{"title":"Copied","stars":7}`, "Authorization: "+d.owner, "Content-Type: application/json", `If-Match: "0"`)

		copied, err := d.sim.Install(wixsim.InstallRequest{OriginInstanceID: d.id, Silent: true})
		if err != nil {
			t.Fatal(err)
		}
		event := map[string]any{"appId": appID, "originInstanceId": d.id}
		if got := d.webhook(d.signer.sign(t, copied.InstanceID, "AppInstalled", now, event)); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.text)
		}
		visitor := d.mint(wixsim.TokenRequest{InstanceID: copied.InstanceID})
		d.until("the copy has the origin's data", func() bool {
			return slices.Equal(d.texts(visitor), []string{"worth a copy"}) && strings.Contains(d.as(visitor, "/api/get-instance").text, `"title":"Copied"`)
		})
		if got := d.texts(d.visitor); !slices.Equal(got, []string{"worth a copy"}) {
			t.Errorf("the origin has %q", got)
		}

		d.webhook(d.signer.sign(t, d.id, "AppRemoved", time.Now().Add(2*time.Second), map[string]any{"appId": appID}))
		d.until("the events are recorded", func() bool {
			history := fmt.Sprint(d.export(databaseURL, d.id))
			return strings.Contains(history, "installed") && strings.Contains(history, "plan_changed") && strings.Contains(history, "gold") && strings.Contains(history, "removed")
		})
		if got := fmt.Sprint(d.export(databaseURL, copied.InstanceID)); !strings.Contains(got, "copied") || !strings.Contains(got, d.id) {
			t.Errorf("the copy's history: %s", got)
		}
	})
}

// export is what the command `instances export` writes.
func (d *door) export(databaseURL, id string) any {
	d.t.Helper()
	store, err := OpenStore(d.t.Context(), databaseURL, newReviews, slog.New(slog.DiscardHandler))
	if err != nil {
		d.t.Fatal(err)
	}
	defer store.Close()
	export, err := store.Export(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	text, err := json.Marshal(export)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}

func TestDoor_exportAndPurge(t *testing.T) {
	onBoth(t, func(t *testing.T, databaseURL string) {
		d := startDoor(t, databaseURL)
		const secret = "a-review-that-must-go"
		d.review(d.visitor, secret)
		d.webhook(d.signer.sign(t, d.id, "AppInstalled", time.Now(), map[string]any{"appId": appID}))
		d.until("the export has all of it", func() bool {
			got := fmt.Sprint(d.export(databaseURL, d.id))
			return strings.Contains(got, secret) && strings.Contains(got, `"installed"`) && strings.Contains(got, "Corner Café") && strings.Contains(got, "AppInstalled")
		})
		// The refresh that the event asked for would come back after the purge.
		d.until("nothing is under way", func() bool { return strings.Count(fmt.Sprint(d.export(databaseURL, d.id)), `"pending"`) == 0 })

		store, err := OpenStore(t.Context(), databaseURL, newReviews, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Delete(t.Context(), d.id); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"reviews", "history"} {
			var n int
			if err := store.QueryRow(t.Context(), "SELECT count(*) FROM "+table+" WHERE instance_id = ?", d.id).Scan(&n); err != nil || n != 0 {
				t.Errorf("%d rows are left in %s: %v", n, table, err)
			}
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		if path, ok := strings.CutPrefix(databaseURL, "sqlite:"); ok {
			for _, file := range []string{path, path + "-wal"} {
				content, err := os.ReadFile(file)
				if err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Fatal(err)
				}
				for _, text := range []string{d.id, secret, "Corner Café"} {
					if bytes.Contains(content, []byte(text)) {
						t.Errorf("%s still holds %q", filepath.Base(file), text)
					}
				}
			}
		}
		// The server may still have the row in its cache.
		if got := d.review(d.visitor, "after the purge"); got.status != 401 && got.status != 201 {
			t.Errorf("a write after the purge: %d %s", got.status, got.text)
		} else if got.status == 401 && got.code() != "token_inactive" {
			t.Errorf("a write after the purge: %s", got.text)
		}
		d.until("the site is known again", func() bool { return d.review(d.visitor, "again").status == 201 })
	})
}

func TestDoor_acknowledgedWritesSurviveKill(t *testing.T) {
	onBoth(t, func(t *testing.T, databaseURL string) {
		sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: appSecret})
		if err != nil {
			t.Fatal(err)
		}
		upstream := httptest.NewServer(sim.REST())
		t.Cleanup(upstream.Close)
		d := &door{world: &world{t: t, sim: sim, log: &lockedBuffer{}}}
		site, err := sim.Install(wixsim.InstallRequest{})
		if err != nil {
			t.Fatal(err)
		}
		token := d.mint(wixsim.TokenRequest{InstanceID: site.InstanceID})
		environ := []string{
			asServer + "=reviews", product.EnvPrefix + "DATABASE_URL=" + databaseURL,
			"WIX_API_URL=" + upstream.URL, "WIX_APP_ID=" + appID, "WIX_APP_SECRET=" + appSecret,
		}
		var acknowledged []string
		for n := range freeReviews {
			c := spawn(t, environ...)
			d.url = c.url
			if got := d.texts(token); !slices.Equal(got, acknowledged) && len(got)+len(acknowledged) > 0 {
				t.Errorf("after %d kills: %q, want %q", n, got, acknowledged)
			}
			text := fmt.Sprint("review ", n)
			if got := d.review(token, text); got.status != 201 {
				t.Fatalf("%d %s", got.status, got.text)
			}
			acknowledged = append(acknowledged, text)
			c.kill()
		}
	})
}

func TestServe_declarationFaults(t *testing.T) {
	table := func(a *kit.App, t kit.Table) { a.Tables = append(a.Tables, t) }
	for _, tt := range []struct {
		name        string
		change      func(*kit.App)
		want        string
		declaration bool // nothing has been opened
	}{
		{"a route twice", func(a *kit.App) { a.Routes = append(a.Routes, a.Routes[0]) }, "route GET api/reviews is declared twice", true},
		{"a route of Nametag's", func(a *kit.App) { a.Routes[0].Path = "settings" }, "shadows a route of Nametag", true},
		{"a table without purge", func(a *kit.App) { a.Tables[0].Purge = nil }, "reviews", true},
		{"a table without export", func(a *kit.App) { a.Tables[0].Export = nil }, "reviews", true},
		{"a table twice", func(a *kit.App) { table(a, a.Tables[0]) }, "reviews", true},
		{"a migration for one database alone", func(a *kit.App) {
			a.Migrations.(fstest.MapFS)["sqlite/00003_more.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nSELECT 1;")}
		}, "other migrations for SQLite", true},
		{"a table that is forgotten", func(a *kit.App) { a.Tables = a.Tables[:1] }, "history", false},
		{"a table that is not there", func(a *kit.App) { table(a, kit.Owned("stars", "instance_id")) }, "stars", false},
		{"a migration that fails", func(a *kit.App) {
			for _, dialect := range []string{"sqlite", "postgres"} {
				a.Migrations.(fstest.MapFS)[dialect+"/00003_broken.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABEL x;")}
			}
		}, "00003_broken.sql", false},
		{"a start that fails", func(a *kit.App) { a.Start = func(context.Context) error { return errors.New("no gas") } }, "start the app: no gas", false},
		{"a start that panics", func(a *kit.App) { a.Start = func(context.Context) error { panic("no gas") } }, "start the app: panic: no gas", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "app.db")
			config, err := LoadConfig([]string{
				"WIX_APP_ID=" + appID, "WIX_APP_SECRET=" + appSecret, product.EnvPrefix + "ADDR=127.0.0.1:0", product.EnvPrefix + "ADMIN_ADDR=127.0.0.1:0",
				product.EnvPrefix + "DATABASE_URL=sqlite:" + path, product.EnvPrefix + "DEMO=false",
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = Serve(t.Context(), config, fakeBundles(), func(tools kit.Tools) (kit.App, error) {
				a, err := newReviews(tools)
				tt.change(&a)
				return a, err
			}, slog.New(slog.DiscardHandler))
			var fault *DeclarationError
			if err == nil || !strings.Contains(err.Error(), tt.want) || errors.As(err, &fault) != tt.declaration {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if _, err := os.Stat(path); tt.declaration && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a database was made: %v", err)
			}
		})
	}
	_, err := declare(func(kit.Tools) (kit.App, error) { panic("no gas") }, kit.Tools{})
	if err == nil || !strings.Contains(err.Error(), "declare the app: panic: no gas") {
		t.Errorf("a New that panics: %v", err)
	}
	_, err = declare(func(tools kit.Tools) (kit.App, error) {
		tools.DB.Dialect()
		return kit.App{}, nil
	}, kit.Tools{DB: new(database)})
	if err == nil || !strings.Contains(err.Error(), "answers from App.Start on") {
		t.Errorf("a New that uses the database: %v", err)
	}
}

func TestDoor_faultsOfTheAppCostOneRequest(t *testing.T) {
	sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: appSecret})
	if err != nil {
		t.Fatal(err)
	}
	w := startApp(t, func(tools kit.Tools) (kit.App, error) {
		a, err := newReviews(tools)
		a.Routes = append(a.Routes,
			kit.Route{Method: "GET", Path: "panic", Role: identity.Visitor, Handle: func(context.Context, kit.Call) (any, error) { panic("boom") }},
			kit.Route{Method: "GET", Path: "error", Role: identity.Visitor, Handle: func(context.Context, kit.Call) (any, error) { return nil, errors.New("boom") }},
		)
		return a, err
	}, sim)
	token := w.mint(wixsim.TokenRequest{})
	for _, path := range []string{"/api/panic", "/api/error"} {
		if got := w.as(token, path); got.status != 500 || got.code() != apierr.Internal.Name {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
		if !strings.Contains(w.log.String(), `"route":"`+path+`"`) {
			t.Errorf("the log does not name the route %s", path)
		}
		if got := w.as(token, "/api/reviews"); got.status != 200 {
			t.Errorf("after %s: %d %s", path, got.status, got.text)
		}
	}
}

func TestDoor_toolsOfTheApp(t *testing.T) {
	sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: appSecret})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { // after the server's own
		select {
		case <-ended:
		default:
			t.Error("the app was not closed")
		}
	})
	w := startApp(t, func(tools kit.Tools) (kit.App, error) {
		a, err := newReviews(tools)
		counted := prometheus.NewCounter(prometheus.CounterOpts{Name: "reviews_counted_total", Help: "Answers."})
		tools.Metrics.MustRegister(counted)
		answer := a.Answer
		a.Answer = func(ctx context.Context, c kit.Call) (any, error) {
			counted.Inc()
			c.Log().Info("answered")
			return answer(ctx, c)
		}
		a.Start = func(ctx context.Context) error {
			var n int
			return tools.DB.QueryRow(ctx, `SELECT count(*) FROM reviews`).Scan(&n)
		}
		a.Close = func() error { close(ended); return nil }
		return a, err
	}, sim, product.EnvPrefix+"DEMO=false")
	site, err := sim.Install(wixsim.InstallRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.as(w.mint(wixsim.TokenRequest{InstanceID: site.InstanceID}), "/api/get-instance"); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.text)
	}
	if log := w.log.String(); !strings.Contains(log, `"msg":"answered","instanceId":"`+site.InstanceID) {
		t.Errorf("the app's line is not in the log: %s", log)
	}
	w.url = w.admin
	if got := w.ask("GET", "/metrics", ""); !strings.Contains(got.text, "reviews_counted_total 1\n") {
		t.Errorf("the app's metric is not among the others:\n%s", got.text)
	}
}
