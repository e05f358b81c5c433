package main

import (
	"bytes"
	"encoding/json"
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
)

// addEvent puts an instance with an event into a new database.
func addEvent(t *testing.T, database, id string) {
	t.Helper()
	store, err := app.OpenStore(t.Context(), database, business.New, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	event := instance.Event{
		ID: strings.Repeat("ab", 32), InstanceID: id, Kind: instance.EventPlan, Type: "PaidPlanChanged", At: at,
		Plan: "gold", Payload: json.RawMessage(`{"vendorProductId":"gold"}`), ReceivedAt: at,
	}
	if _, err := store.Accept(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.ApplyEvent(t.Context(), event, at); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	const id, gone = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	stored := product.EnvPrefix + "DATABASE_URL=sqlite:" + filepath.Join(dir, "stored.db")
	addEvent(t, strings.TrimPrefix(stored, product.EnvPrefix+"DATABASE_URL="), id)
	for _, tt := range []struct {
		name     string
		args     []string
		environ  []string
		in       string
		code     int
		out, err string // part of what is printed
	}{
		{name: "help", args: []string{"--help"}, code: 0, out: "offline Wix"},
		{name: "help of a command", args: []string{"sim", "run", "--help"}, code: 0, out: "--app-secret"},
		{name: "the version", args: []string{"version"}, code: 0, out: product.ID + " "},
		{name: "the version by a flag", args: []string{"--version"}, code: 0, out: "(commit "},
		{name: "health without a server", args: []string{"health"}, environ: []string{product.EnvPrefix + "ADDR=127.0.0.1:1"}, code: 1, err: "does not answer"},
		{name: "health of no address", args: []string{"health"}, environ: []string{product.EnvPrefix + "ADDR=nowhere"}, code: 2, err: "ADDR"},
		{name: "nothing", code: 2, err: product.ID + " --help"},
		{name: "an unknown command", args: []string{"server"}, code: 2, err: "server"},
		{name: "an unknown flag", args: []string{"sim", "--port=1"}, code: 2, err: "--port"},
		{name: "serve without a configuration", args: []string{"serve"}, code: 2, err: "WIX_APP_SECRET is missing"},
		{name: "the offline Wix off loopback", args: []string{"sim", "--addr=0.0.0.0:0"}, code: 1, err: "loopback alone"},
		{name: "migrate", args: []string{"migrate"}, environ: []string{product.EnvPrefix + "DATABASE_URL=sqlite:" + filepath.Join(dir, "a.db")}, code: 0, out: "00001"},
		{name: "migrate again", args: []string{"migrate"}, environ: []string{product.EnvPrefix + "DATABASE_URL=sqlite:" + filepath.Join(dir, "a.db")}, code: 0, out: "00001"},
		{name: "a database that cannot be", args: []string{"migrate"}, environ: []string{product.EnvPrefix + "DATABASE_URL=sqlite:" + filepath.Join(dir, "no", "b.db")}, code: 1, err: "no"},
		{name: "a database of another kind", args: []string{"migrate"}, environ: []string{product.EnvPrefix + "DATABASE_URL=mysql://u:PASSW0RD@x"}, code: 2, err: "sqlite:"},
		{name: "serve with a malformed database URL beside other faults", args: []string{"serve"}, environ: []string{product.EnvPrefix + "DATABASE_URL=postgres://u:PASSW0RD@h:x/db", "WIX_API_URL=ftp://u:PASSW0RD@h"}, code: 2, err: "\nWIX_API_URL must be a URL"},
		{name: "a database of the hosting platform", args: []string{"migrate"}, environ: []string{"DATABASE_URL=postgres://u:PASSW0RD@h:x/db"}, code: 2, err: "DATABASE_URL cannot be used"},

		{name: "list", args: []string{"instances", "list"}, environ: []string{stored}, code: 0, out: id},
		{name: "show", args: []string{"instances", "show", id}, environ: []string{stored}, code: 0, out: "PaidPlanChanged of 2026-11-22T10:00:00Z"},
		{name: "show what is not stored", args: []string{"instances", "show", gone}, environ: []string{stored}, code: 1, err: "nothing is stored"},
		{name: "an id in capitals", args: []string{"instances", "show", strings.ToUpper(id)}, environ: []string{stored}, code: 0, out: id},
		{name: "export", args: []string{"instances", "export", id}, environ: []string{stored}, code: 0, out: `"vendorProductId": "gold"`},
		{name: "purge asks, and no is no", args: []string{"instances", "purge", id}, environ: []string{stored}, in: "no\n", code: 1, out: "Type yes", err: "nothing was deleted"},
		{name: "purge asks, and silence is no", args: []string{"instances", "purge", id}, environ: []string{stored}, code: 1, err: "nothing was deleted"},
		{name: "it is still there", args: []string{"instances", "show", id}, environ: []string{stored}, code: 0, out: "gold"},
		{name: "purge asks, and yes is yes", args: []string{"instances", "purge", id}, environ: []string{stored}, in: "yes\n", code: 0, out: "Deleted."},
		{name: "it is gone", args: []string{"instances", "export", id}, environ: []string{stored}, code: 1, err: "nothing is stored"},
		{name: "purge what is not stored", args: []string{"instances", "purge", "--yes", id}, environ: []string{stored}, code: 1, err: "nothing is stored"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(tt.args, tt.environ, strings.NewReader(tt.in), &stdout, &stderr); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if !strings.Contains(stdout.String(), tt.out) || !strings.Contains(stderr.String(), tt.err) {
				t.Errorf("stdout:\n%s\nstderr:\n%s\nwant %q and %q", &stdout, &stderr, tt.out, tt.err)
			}
			if strings.Contains(stderr.String(), "PASSW0RD") {
				t.Errorf("a password is printed: %s", &stderr)
			}
		})
	}
}

func TestRun_instancesOnPostgres(t *testing.T) {
	const id = "11111111-1111-4111-8111-111111111111"
	database := pgtest.URL(t)
	addEvent(t, database, id)
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"migrate"}, 0, "00002"},
		{[]string{"instances", "list"}, 0, id},
		{[]string{"instances", "show", id}, 0, "gold"},
		{[]string{"instances", "export", id}, 0, `"vendorProductId": "gold"`},
		{[]string{"instances", "purge", "--yes", id}, 0, "Deleted."},
		{[]string{"instances", "show", id}, 1, "nothing is stored"},
	} {
		var out bytes.Buffer
		code := run(tt.args, []string{product.EnvPrefix + "DATABASE_URL=" + database}, strings.NewReader(""), &out, &out)
		if code != tt.code || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%v: exit code %d, want %d with %q:\n%s", tt.args, code, tt.code, tt.want, &out)
		}
	}
}

// What is stored beyond the declared settings may have been a secret of an app that has
// none now.
func TestRun_instancesShowOnlyDeclaredSettings(t *testing.T) {
	const id, secret = "11111111-1111-4111-8111-111111111111", "sk-live-0123456789"
	database := "sqlite:" + filepath.Join(t.TempDir(), "stored.db")
	addEvent(t, database, id)
	store, err := app.OpenStore(t.Context(), database, business.New, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.SaveSettings(t.Context(), id, json.RawMessage(`{"apiKey":"`+secret+`"}`), 0); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"list", "show", "export"} {
		args := []string{"instances", command}
		if command != "list" {
			args = append(args, id)
		}
		var out bytes.Buffer
		if code := run(args, []string{product.EnvPrefix + "DATABASE_URL=" + database}, strings.NewReader(""), &out, &out); code != 0 || !strings.Contains(out.String(), id) || strings.Contains(out.String(), secret) {
			t.Errorf("%s: exit code %d:\n%s", command, code, &out)
		}
	}
}
