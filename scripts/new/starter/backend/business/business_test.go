package business_test

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
	"github.com/nametag-dev/nametag/scripts/new/starter/backend/business"
)

const site = "11111111-1111-4111-8111-111111111111"

// open returns the app on a database in memory, with an installation on one site.
func open(t *testing.T) (kit.App, *sqlstore.Store) {
	t.Helper()
	declared, err := business.New(kit.Tools{})
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlstore.Open(t.Context(), "sqlite::memory:", sqlstore.Options{App: declared.Data, Settings: declared.Settings.Complete})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	app, err := business.New(kit.Tools{DB: store, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Seen(t.Context(), instance.Visit{InstanceID: site, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	return app, store
}

func TestAnswer(t *testing.T) {
	app, store := open(t)
	row, err := store.Find(t.Context(), site)
	if err != nil {
		t.Fatal(err)
	}
	call := kit.Call{Caller: identity.Caller{InstanceID: site, Role: identity.Visitor}, Instance: &row, At: time.Now()}
	reply, err := app.Answer(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(reply.(kit.Reply).BodyFor(call))
	if err != nil || !strings.Contains(string(body), `"message":"This is your new app."`) {
		t.Errorf("got %s, %v", body, err)
	}
}
