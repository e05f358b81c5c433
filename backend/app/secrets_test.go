package app

// A secret through the whole server: the app gets it, and nobody else.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/settings"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

type keyedSettings struct {
	Title string          `json:"title" setting:"text" default:"Reviews"`
	Key   settings.Secret `json:"apiKey" setting:"secret"`
}

// newKeyed declares an app that is as careless with its secret as an app can be without
// asking for it: it answers, logs, panics and fails with all that it has.
func newKeyed(kit.Tools) (kit.App, error) {
	schema, err := settings.For[keyedSettings]()
	route := func(path string, handle func(kit.Call, keyedSettings) (any, error)) kit.Route {
		return kit.Route{Method: http.MethodGet, Path: path, Role: identity.Visitor, Handle: func(_ context.Context, c kit.Call) (any, error) {
			site, err := kit.Settings[keyedSettings](c)
			if err != nil {
				return nil, err
			}
			return handle(c, site)
		}}
	}
	return kit.App{
		Settings: schema,
		Answer: func(_ context.Context, c kit.Call) (any, error) {
			return map[string]any{"settings": c.Instance.Settings, "instance": c.View(), "row": c.Instance, "secrets": c.Instance.Secrets}, nil
		},
		Routes: []kit.Route{
			route("length", func(_ kit.Call, site keyedSettings) (any, error) { return len(site.Key.Reveal()), nil }),
			route("site", func(_ kit.Call, site keyedSettings) (any, error) { return site, nil }),
			route("printed", func(c kit.Call, site keyedSettings) (any, error) {
				return fmt.Sprintf("%v %+v %#v %s %v %+v %#v %+v", site, site, site, site.Key, c.Instance, *c.Instance, *c.Instance, c), nil
			}),
			route("logged", func(c kit.Call, site keyedSettings) (any, error) {
				c.Log().Info("careless", "site", site, "key", site.Key, "row", c.Instance, "copy", *c.Instance, "call", fmt.Sprint(c))
				return nil, nil
			}),
			route("error", func(c kit.Call, site keyedSettings) (any, error) {
				return nil, errors.Join(fmt.Errorf("careless: %v %+v", site, c.Instance), kit.Invalid())
			}),
			route("failure", func(c kit.Call, site keyedSettings) (any, error) {
				return nil, fmt.Errorf("careless: %v %+v", site, c.Instance)
			}),
			route("panic", func(_ kit.Call, site keyedSettings) (any, error) { panic(site) }),
			route("panic-row", func(c kit.Call, _ keyedSettings) (any, error) { panic(c.Instance) }),
		},
	}, err
}

func TestSecret_neverLeavesTheServer(t *testing.T) {
	onBoth(t, func(t *testing.T, databaseURL string) {
		const secret = "sk-live-0123456789"
		sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: appSecret})
		if err != nil {
			t.Fatal(err)
		}
		signer := newSigner(t)
		w := startApp(t, newKeyed, sim, "WIX_PUBLIC_KEY="+signer.public, product.EnvPrefix+"DATABASE_URL="+databaseURL)
		site, err := sim.Install(wixsim.InstallRequest{})
		if err != nil {
			t.Fatal(err)
		}
		tokens := map[string]string{}
		for _, subject := range []string{"VISITOR", "USER", "APP"} {
			tokens[subject] = w.mint(wixsim.TokenRequest{Subject: subject, InstanceID: site.InstanceID})
		}
		save := func(method, version, body string) reply {
			return w.ask(method, "/api/settings", body, "Authorization: "+tokens["USER"], "Content-Type: application/json", "If-Match: "+version)
		}
		answers := []reply{
			save("PATCH", `"0"`, `{"apiKey":"`+secret+`"}`),
			save("PUT", `"1"`, `{"title":"Ours"}`),
			save("PATCH", `"0"`, `{"apiKey":"`+secret+`"}`),
			save("PATCH", `"2"`, `{"apiKey":"`+secret+`\u0000"}`),
			save("PATCH", `"2"`, `{"apiKey":["`+secret+`"]}`),
		}
		for i, want := range []int{200, 200, 412, 422, 422} {
			if answers[i].status != want {
				t.Errorf("save %d: %d %s, want %d", i, answers[i].status, answers[i].text, want)
			}
		}
		// The second reading is from the cache of rows.
		for range 2 {
			for subject, token := range tokens {
				if got := w.as(token, "/api/length"); got.text != fmt.Sprint(len(secret)) {
					t.Fatalf("the app does not get the secret: %d %s", got.status, got.text)
				}
				for _, path := range []string{"get-instance", "get-instance-data", "settings", "site", "printed", "logged", "error", "failure", "panic", "panic-row"} {
					got := w.as(token, "/api/"+path)
					answers = append(answers, got)
					wantSet := subject != "VISITOR" && path == "settings" // the app is the owner, too
					if set := strings.Contains(got.text, `"secrets":{"apiKey":true}`); set != wantSet {
						t.Errorf("%s learns of a set secret by %s: %s", subject, path, got.text)
					}
				}
			}
		}

		copied, err := sim.Install(wixsim.InstallRequest{OriginInstanceID: site.InstanceID, Silent: true})
		if err != nil {
			t.Fatal(err)
		}
		event := map[string]any{"appId": appID, "originInstanceId": site.InstanceID}
		if got := w.webhook(signer.sign(t, copied.InstanceID, "AppInstalled", time.Now(), event)); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.text)
		}
		owner := w.mint(wixsim.TokenRequest{Subject: "USER", InstanceID: copied.InstanceID})
		w.until("the copy has the origin's settings, and no secret", func() bool {
			return strings.Contains(w.as(owner, "/api/settings").text, `{"settings":{"title":"Ours"},"secrets":{"apiKey":false},"version":1}`)
		})
		if got := w.as(owner, "/api/length"); got.text != "0" {
			t.Errorf("the copy's app has a secret of %s characters", got.text)
		}

		// What the commands of the command line print.
		store, err := OpenStore(t.Context(), databaseURL, newKeyed, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		rows, err := store.List(t.Context(), "", 10)
		if err != nil || len(rows) != 2 {
			t.Fatal(rows, err)
		}
		row, err := store.Find(t.Context(), site.InstanceID)
		if err != nil || !slices.Equal(row.Secrets.Names(), []string{"apiKey"}) {
			t.Errorf("the names of its secrets are %q, %v", row.Secrets.Names(), err)
		}
		export, err := store.Export(t.Context(), site.InstanceID)
		if err != nil {
			t.Fatal(err)
		}
		exported, err := json.MarshalIndent(export, "", "  ")
		if err != nil || !strings.Contains(string(exported), `"secrets": [
    "apiKey"
  ]`) {
			t.Errorf("the export does not name the secret: %s, %v", exported, err)
		}
		for _, id := range []string{site.InstanceID, copied.InstanceID} {
			var stored string
			if err := store.QueryRow(t.Context(), `SELECT settings FROM instances WHERE id = ?`, id).Scan(&stored); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(stored, secret) != (id == site.InstanceID) {
				t.Errorf("of %s there is stored %s", id, stored)
			}
		}
		w.url = w.admin
		everything := map[string]string{
			"the log": w.log.String(), "the export": string(exported), "a row": string(row.Settings), "metrics": w.ask("GET", "/metrics", "").text,
			"all rows": fmt.Sprintf("%v %+v %#v", rows, rows, export),
		}
		for i, a := range answers {
			everything[fmt.Sprint("answer ", i)] = fmt.Sprint(a.text, a.header)
		}
		for where, text := range everything {
			for _, trace := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprint([]byte(secret))} {
				if strings.Contains(text, trace) {
					t.Errorf("the secret is in %s: %s", where, text)
				}
			}
		}
		if !strings.Contains(w.log.String(), "careless") || strings.Count(w.log.String(), "panic in a function of the app") < 6 {
			t.Error("the log lacks what the app wrote into it")
		}
	})
}
