package business_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nametag-dev/nametag/backend/business"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
)

const site, other = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"

// app is the app on a database, with a clock of the test's own.
type app struct {
	kit.App
	t     *testing.T
	store *sqlstore.Store
	mu    sync.Mutex
	now   time.Time
}

func open(t *testing.T, databaseURL string) *app {
	t.Helper()
	a := &app{t: t, now: time.Date(2026, 11, 25, 23, 59, 0, 0, time.UTC)}
	declare := func(db kit.DB) kit.App {
		declared, err := business.New(kit.Tools{DB: db, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Now: a.clock})
		if err != nil {
			t.Fatal(err)
		}
		return declared
	}
	declared := declare(nil)
	var err error
	a.store, err = sqlstore.Open(t.Context(), databaseURL, sqlstore.Options{App: declared.Data, Settings: declared.Settings.Complete})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.store.Close() })
	a.App = declare(a.store)
	for _, id := range []string{site, other} {
		if _, err := a.store.Seen(t.Context(), instance.Visit{InstanceID: id, At: a.now}); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *app) clock() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now
}

func (a *app) advance(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = a.now.Add(d)
}

func (a *app) call(handle kit.Handler, id string, role identity.Role) string {
	a.t.Helper()
	row, err := a.store.Find(a.t.Context(), id)
	if err != nil {
		a.t.Fatal(err)
	}
	call := kit.Call{Caller: identity.Caller{InstanceID: id, Role: role}, Instance: &row, At: a.clock()}
	answer, err := handle(a.t.Context(), call)
	if err != nil {
		a.t.Fatal(err)
	}
	if reply, ok := answer.(kit.Reply); ok {
		answer = reply.BodyFor(call)
	}
	text, err := json.Marshal(answer)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(text)
}

// guests are the numbers of the last days, the oldest first.
func (a *app) guests(id string) string {
	a.t.Helper()
	var answer struct{ Days []struct{ Guests int } }
	if err := json.Unmarshal([]byte(a.call(a.Routes[0].Handle, id, identity.Owner)), &answer); err != nil {
		a.t.Fatal(err)
	}
	var numbers []int
	for _, d := range answer.Days {
		numbers = append(numbers, d.Guests)
	}
	return fmt.Sprint(numbers)
}

func onBoth(t *testing.T, test func(t *testing.T, databaseURL string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, "sqlite:"+filepath.Join(t.TempDir(), "app.db")) })
	t.Run("Postgres", func(t *testing.T) { test(t, pgtest.URL(t)) })
}

func TestGuests(t *testing.T) {
	onBoth(t, func(t *testing.T, databaseURL string) {
		a := open(t, databaseURL)
		if got := a.guests(site); got != "[0 0 0 0 0 0 0]" {
			t.Errorf("without a guest: %s", got)
		}
		for _, role := range []identity.Role{identity.Visitor, identity.App, identity.Owner} {
			a.call(a.Answer, site, role)
		}
		a.call(a.Answer, other, identity.Visitor)
		if got := a.guests(site); got != "[0 0 0 0 0 0 1]" {
			t.Errorf("before anything is written, without the owner and the app: %s", got)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if err := a.store.Close(); err != nil {
			t.Fatal(err)
		}

		a = open(t, databaseURL)
		if got := a.guests(site); got != "[0 0 0 0 0 0 1]" {
			t.Errorf("after a restart: %s", got)
		}
		a.call(a.Answer, site, identity.Visitor)
		a.advance(2 * time.Minute) // the next day, in UTC
		a.call(a.Answer, site, identity.Visitor)
		if got := a.guests(site); got != "[0 0 0 0 0 2 1]" {
			t.Errorf("past midnight: %s", got)
		}
		if days := a.call(a.Routes[0].Handle, site, identity.Owner); !strings.HasSuffix(days, `{"day":"2026-11-25","guests":2},{"day":"2026-11-26","guests":1}]}`) {
			t.Errorf("the days: %s", days)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		a.advance(5 * 24 * time.Hour)
		if got := a.guests(site); got != "[2 1 0 0 0 0 0]" {
			t.Errorf("five days later: %s", got)
		}
		if got := a.guests(other); got != "[1 0 0 0 0 0 0]" {
			t.Errorf("another site: %s", got)
		}
		export, err := a.store.Export(t.Context(), site)
		if err != nil || !strings.Contains(string(export.Tables["guest_days"]), `"guests":2`) {
			t.Errorf("the export: %s, %v", export.Tables["guest_days"], err)
		}
		if err := a.store.Delete(t.Context(), site); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := a.store.QueryRow(t.Context(), `SELECT count(*) FROM guest_days`).Scan(&n); err != nil || n != 1 {
			t.Errorf("%d rows are left, %v; want the other site's", n, err)
		}
	})
}

func TestGuests_ofAPurgedInstance(t *testing.T) {
	a := open(t, "sqlite::memory:")
	a.call(a.Answer, site, identity.Visitor)
	a.call(a.Answer, other, identity.Visitor)
	if err := a.store.Delete(t.Context(), site); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	var ids string
	if err := a.store.QueryRow(t.Context(), `SELECT group_concat(instance_id) FROM guest_days`).Scan(&ids); err != nil || ids != other {
		t.Errorf("guests of %q were stored, %v", ids, err)
	}
}

func TestGuests_whileTheDatabaseIsAway(t *testing.T) {
	a := open(t, "sqlite::memory:")
	away := &awayDB{DB: a.store}
	declared, err := business.New(kit.Tools{DB: away, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := declared.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.call(declared.Answer, site, identity.Visitor)
	if err := declared.Close(); err == nil {
		t.Error("the failure is not reported")
	}
	away.back = true
	if err := declared.Close(); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := a.store.QueryRow(t.Context(), `SELECT guests FROM guest_days`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d guests were stored in the end, %v", n, err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

// awayDB fails to write until it is back.
type awayDB struct {
	kit.DB
	back bool
}

func (d *awayDB) WriteEach(ctx context.Context, ids []string, f func(kit.Tx, string) error) error {
	if !d.back {
		return context.DeadlineExceeded
	}
	return d.DB.WriteEach(ctx, ids, f)
}
