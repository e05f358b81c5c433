package api

import (
	"strings"
	"testing"

	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/settings"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
)

func TestSettings_severalAndSecret(t *testing.T) {
	schema, err := settings.For[struct {
		Title string          `json:"title" setting:"text" default:"Reviews" min:"1" max:"40"`
		Stars int             `json:"stars" setting:"number" default:"5" min:"1" max:"10"`
		Key   settings.Secret `json:"apiKey" setting:"secret"`
	}]()
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlstore.Open(t.Context(), "sqlite::memory:", sqlstore.Options{Settings: schema.Complete})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	s, _ := newServer(t, setup{store: store, app: func(a *kit.App) { a.Settings = schema }})

	for _, tt := range []struct {
		name, method, as, version, body string
		status                          int
		want                            string
	}{
		{"before the first save", "GET", owner, ``, ``, 200, `{"settings":{"title":"Reviews","stars":5},"secrets":{"apiKey":false},"version":0}`},
		{"for a visitor", "GET", visitor, ``, ``, 200, `{"settings":{"title":"Reviews","stars":5},"version":0}`},
		{"one setting", "PATCH", owner, `"0"`, `{"stars":7}`, 200, `{"settings":{"title":"Reviews","stars":7},"secrets":{"apiKey":false},"version":1}`},
		{"another one leaves the first alone", "PATCH", owner, `"1"`, `{"title":"Hi"}`, 200, `{"settings":{"title":"Hi","stars":7},"secrets":{"apiKey":false},"version":2}`},
		{"the secret", "PATCH", owner, `"2"`, `{"apiKey":"k-1"}`, 200, `{"settings":{"title":"Hi","stars":7},"secrets":{"apiKey":true},"version":3}`},
		{"all settings without the secret", "PUT", owner, `"3"`, `{"title":"Ho","stars":8}`, 200, `{"settings":{"title":"Ho","stars":8},"secrets":{"apiKey":true},"version":4}`},
		{"the owner does not get it back", "GET", owner, ``, ``, 200, `{"settings":{"title":"Ho","stars":8},"secrets":{"apiKey":true},"version":4}`},
		{"nothing", "PATCH", owner, `"4"`, `{}`, 200, `{"settings":{"title":"Ho","stars":8},"secrets":{"apiKey":true},"version":5}`},
		{"the secret goes", "PATCH", owner, `"5"`, `{"apiKey":""}`, 200, `{"settings":{"title":"Ho","stars":8},"secrets":{"apiKey":false},"version":6}`},
		{"all settings and the secret", "PUT", owner, `"6"`, `{"title":"Ho","stars":8,"apiKey":"k-2"}`, 200, `{"settings":{"title":"Ho","stars":8},"secrets":{"apiKey":true},"version":7}`},
	} {
		w := ask(s, tt.method, "/api/settings", tt.body, "Authorization: "+tt.as, "Content-Type: application/json", "If-Match: "+tt.version)
		if got := w.Body.String(); w.Code != tt.status || got != tt.want+"\n" {
			t.Errorf("%s: got %d %s\nwant %d %s", tt.name, w.Code, got, tt.status, tt.want)
		}
	}
	row, err := store.Find(t.Context(), site1)
	if err != nil || string(row.Secrets.Reveal()) != `{"apiKey":"k-2"}` || string(row.Settings) != `{"title":"Ho","stars":8}` {
		t.Errorf("stored %s, %s, %v", row.Settings, row.Secrets.Reveal(), err)
	}
	for body, want := range map[string]string{
		`{"title":"","stars":11,"apiKey":7,"x":1}`: `"fields":[{"name":"apiKey","reason":"must be text"},{"name":"stars","reason":"must be at most 10"},{"name":"title","reason":"must not be empty"},{"name":"x","reason":"is not a known setting"}]`,
		`{"apiKey":"a\u0007b-is-the-secret"}`:      `"fields":[{"name":"apiKey","reason":"must not contain control characters"}]`,
	} {
		w := ask(s, "PATCH", "/api/settings", body, "Authorization: "+owner, "Content-Type: application/json", `If-Match: "7"`)
		if w.Code != 422 || !strings.Contains(w.Body.String(), want) || strings.Contains(w.Body.String(), "is-the-secret") {
			t.Errorf("%s: got %d %s", body, w.Code, w.Body)
		}
	}
	if w := ask(s, "OPTIONS", "/api/settings", "", "Origin: https://shop.example", "Access-Control-Request-Method: PATCH"); !strings.Contains(w.Header().Get("Access-Control-Allow-Methods"), "PATCH") {
		t.Errorf("a preflight allows %q", w.Header().Get("Access-Control-Allow-Methods"))
	}
}
