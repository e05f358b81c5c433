package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/app"
	"github.com/nametag-dev/nametag/backend/business"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
	"github.com/nametag-dev/nametag/backend/terminal"
)

const (
	idA = "11111111-1111-4111-8111-111111111111"
	idB = "22222222-2222-4222-8222-222222222222"
)

// inDatabase runs a function on the store of a database.
func inDatabase(t *testing.T, database string, do func(*sqlstore.Store) error) {
	t.Helper()
	store, err := app.OpenStore(t.Context(), database, business.New, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(do(store), store.Close()); err != nil {
		t.Fatal(err)
	}
}

// command runs a command on a database.
func command(database, in string, args ...string) (code int, printed string) {
	var out bytes.Buffer
	code = run(append([]string{"instances"}, args...), []string{product.EnvPrefix + "DATABASE_URL=" + database}, strings.NewReader(in), &out, &out)
	return code, out.String()
}

func TestRun_instancesRetry(t *testing.T) {
	for name, database := range map[string]string{
		"SQLite": "sqlite:" + filepath.Join(t.TempDir(), "a.db"), "Postgres": pgtest.URL(t),
	} {
		t.Run(name, func(t *testing.T) {
			at := time.Now()
			inDatabase(t, database, func(s *sqlstore.Store) error {
				for _, e := range []instance.Event{
					{ID: "a1", InstanceID: idA, Kind: instance.EventRemoved, Type: "AppRemoved", At: at, ReceivedAt: at},
					{ID: "a2", InstanceID: idA, Kind: instance.EventPlan, Type: "PaidPlanChanged", At: at, ReceivedAt: at},
					{ID: "b1", InstanceID: idB, Kind: instance.EventOther, Type: "SiteTickled", At: at, ReceivedAt: at},
				} {
					if _, err := s.Accept(t.Context(), e); err != nil {
						return err
					}
				}
				if err := s.RequestRefresh(t.Context(), idB, at); err != nil {
					return err
				}
				for _, id := range []string{idA, idB} {
					jobs, err := s.JobsOf(t.Context(), id)
					if err != nil {
						return err
					}
					for _, j := range jobs {
						if j.ID == "a2" {
							continue
						}
						if err := s.Bury(t.Context(), j, "broken"); err != nil {
							return err
						}
					}
				}
				return nil
			})
			for _, tt := range []struct {
				args    []string
				code    int
				has     []string
				hasNone []string
			}{
				{args: []string{"retry"}, code: 2, has: []string{"--all"}},
				{args: []string{"retry", "--all", idA}, code: 2, has: []string{"--all"}},
				{args: []string{"show", idA}, has: []string{"dead", "broken", "now"}},
				{args: []string{"retry", strings.ToUpper(idA)}, has: []string{idA, "AppRemoved of", "1 jobs start again"}, hasNone: []string{"PaidPlanChanged", idB}},
				{args: []string{"show", idA}, hasNone: []string{"dead", "broken"}},
				{args: []string{"retry", idA}, has: []string{"no dead letter"}, hasNone: []string{"INSTANCE"}},
				{args: []string{"retry", "33333333-3333-4333-8333-333333333333"}, has: []string{"no dead letter"}},
				{args: []string{"retry", "--all"}, has: []string{idB, "SiteTickled of", "refresh from Wix", "2 jobs start again"}, hasNone: []string{idA}},
				{args: []string{"retry", "--all"}, has: []string{"no dead letter"}},
			} {
				code, printed := command(database, "", tt.args...)
				if code != tt.code {
					t.Errorf("%v: exit code %d, want %d:\n%s", tt.args, code, tt.code, printed)
				}
				for _, part := range tt.has {
					if !strings.Contains(printed, part) {
						t.Errorf("%v: no %q in\n%s", tt.args, part, printed)
					}
				}
				for _, part := range tt.hasNone {
					if strings.Contains(printed, part) {
						t.Errorf("%v: %q in\n%s", tt.args, part, printed)
					}
				}
			}
			inDatabase(t, database, func(s *sqlstore.Store) error {
				due, err := s.Backlog(t.Context(), time.Now())
				if due.Jobs != 4 {
					t.Errorf("%d jobs are due, want all", due.Jobs)
				}
				return err
			})
		})
	}
}

// What others wrote moves no cursor and hides nothing in the operator's terminal.
func TestRun_instancesEscapeWhatOthersWrote(t *testing.T) {
	const hostile = "\x1b]0;pwn\a\x1b[31mRED\x1b[2J\r\nfake\trow\u009b31m\u202eabc\u2066\U000e0061\u2028\u200b\x7f"
	database := "sqlite:" + filepath.Join(t.TempDir(), "a.db")
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	inDatabase(t, database, func(s *sqlstore.Store) error {
		e := instance.Event{ID: "e", InstanceID: idA, Kind: instance.EventPlan, Type: "Odd" + hostile, Plan: "plan" + hostile, OriginID: "origin" + hostile, At: at, ReceivedAt: at}
		_, err := s.Accept(t.Context(), e)
		if err == nil {
			_, _, err = s.ApplyEvent(t.Context(), e, at)
		}
		if err == nil {
			_, err = s.SaveProfile(t.Context(), idA, instance.Profile{SiteDisplayName: "Shop" + hostile, Plan: instance.NewPlan("gold" + hostile)}, at.Add(time.Hour))
		}
		dead := instance.Event{ID: "dead", InstanceID: idA, Kind: instance.EventOther, Type: "Dead" + hostile, Payload: json.RawMessage(`{"reason":"x\u009by` + "\u202e\u009b\U000e0061" + `"}`), At: at, ReceivedAt: at}
		if err == nil {
			_, err = s.Accept(t.Context(), dead)
		}
		if err == nil {
			err = s.Bury(t.Context(), instance.Job{ID: "dead"}, "broken"+hostile)
		}
		return err
	})
	for _, tt := range []struct {
		args []string
		code int
		has  string
	}{
		{[]string{"list"}, 0, `Shop\x1b]0;pwn\a\x1b[31mRED\x1b[2J\r\nfake\trow\u009b31m\u202eabc\u2066\U000e0061`},
		{[]string{"show", idA}, 0, `broken\x1b]0;pwn\a`},
		{[]string{"purge", idA}, 1, `(Shop\x1b]0;pwn\a`},
		{[]string{"export", idA}, 0, `\u202e\u009b\udb40\udc61`},
		{[]string{"retry", idA}, 0, `Dead\x1b]0;pwn\a`},
		{[]string{"show", "no\x1b[2J\u202e"}, 1, `nothing is stored on "no\x1b[2j\u202e"`},
	} {
		code, printed := command(database, "", tt.args...)
		if code != tt.code || !strings.Contains(printed, tt.has) {
			t.Errorf("%q: exit code %d, want %d with %s:\n%s", tt.args, code, tt.code, tt.has, printed)
		}
		for _, r := range printed {
			if r != '\n' && !terminal.IsVisible(r) {
				t.Errorf("%q: %q reaches the terminal", tt.args, r)
			}
		}
		if tt.args[0] == "export" && !json.Valid([]byte(printed)) {
			t.Errorf("this is not JSON: %s", printed)
		}
	}
}
