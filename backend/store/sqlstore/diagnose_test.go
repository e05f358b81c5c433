package sqlstore

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
)

func TestDiagnose(t *testing.T) {
	steps := func(names ...string) Options {
		files := fstest.MapFS{}
		for _, name := range names {
			files["sqlite/"+name] = &fstest.MapFile{Data: []byte("-- +goose Up\nSELECT 1;")}
			files["postgres/"+name] = files["sqlite/"+name]
		}
		return Options{App: kit.Data{Migrations: files}}
	}
	for name, newURL := range map[string]func() string{
		"SQLite": func() string { return newURL(t) }, "Postgres": func() string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			fresh := newURL()
			if name == "SQLite" {
				if err := os.WriteFile(strings.TrimPrefix(fresh, "sqlite:"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if d := Diagnose(t.Context(), fresh, Options{}); d.Open != nil || d.Pending == 0 || d.Newer != nil {
				t.Errorf("an empty database: %+v", d)
			}
			old := newURL()
			migrateTo(t, old, 1)
			if d := Diagnose(t.Context(), old, Options{}); d.Open != nil || d.Pending == 0 || d.Write != nil {
				t.Errorf("an old schema: %+v", d)
			}
			current := newURL()
			s := open(t, current)
			if _, err := s.Seen(t.Context(), instance.Visit{InstanceID: "site-a", At: noon()}); err != nil {
				t.Fatal(err)
			}
			d := Diagnose(t.Context(), current, Options{})
			if d.Open != nil || d.Pending != 0 || d.Newer != nil || d.Write != nil || d.TransactionPooler || d.Instance != "site-a" {
				t.Errorf("a current schema: %+v", d)
			}
			if d.Free < 0 == (name == "SQLite") {
				t.Errorf("free space: %d", d.Free)
			}
			if d.Target != s.Target() || strings.Contains(d.Target, "PASSWORD") {
				t.Errorf("the target is %q", d.Target)
			}
			if d := Diagnose(t.Context(), current, steps("00001_more.sql")); d.Pending != 1 || d.Newer != nil {
				t.Errorf("a new migration of the app: %+v", d)
			}
			if _, err := s.write.Exec(`INSERT INTO ` + versionTable + ` (version_id, is_applied) VALUES (9999, ` + map[string]string{"SQLite": "1", "Postgres": "true"}[name] + `)`); err != nil {
				t.Fatal(err)
			}
			if d := Diagnose(t.Context(), current, Options{}); d.Newer == nil || !strings.Contains(d.Newer.Error(), "start the newer program") {
				t.Errorf("a newer schema: %+v", d)
			}
			app := newURL()
			if s, err := Open(t.Context(), app, steps("00001_a.sql", "00002_b.sql")); err != nil {
				t.Fatal(err)
			} else if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if d := Diagnose(t.Context(), app, steps("00001_a.sql")); d.Newer == nil {
				t.Errorf("a newer schema of the app: %+v", d)
			}
			if d := Diagnose(t.Context(), app, Options{}); d.Newer == nil {
				t.Errorf("the schema of another app: %+v", d)
			}
		})
	}
}

func TestDiagnose_changesNothing(t *testing.T) {
	dir := t.TempDir()
	url := "sqlite:" + filepath.Join(dir, "app.db")
	if d := Diagnose(t.Context(), url, Options{}); !d.Missing || d.Open != nil {
		t.Errorf("a file that is missing: %+v", d)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("in the folder: %v, %v", left, err)
	}
	migrateTo(t, url, 1)
	before, err := Status(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	Diagnose(t.Context(), url, Options{})
	after, err := Status(t.Context(), url, Options{})
	if err != nil || len(before) != len(after) {
		t.Fatal(after, err)
	}
	for i := range after {
		if before[i] != after[i] {
			t.Errorf("step %d: %+v, before: %+v", i, after[i], before[i])
		}
	}
}

func TestDiagnose_faults(t *testing.T) {
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return "sqlite:" + path
	}
	good, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	changed := func(change func(*url.URL)) string {
		u := *good
		change(&u)
		return u.String()
	}
	for _, tt := range []struct{ name, url, want string }{
		{"another kind of database", "mysql://root:hunter2@localhost/x", "must be sqlite:PATH"},
		{"a folder that is missing", "sqlite:" + filepath.Join(t.TempDir(), "no", "app.db"), "no such file or directory"},
		{"a read-only file", file("app.db", "", 0o400), "read-only"},
		{"another file", file("app.db", strings.Repeat("no database ", 100), 0o600), "not a database"},
		{"a server that is away", "postgres://user:hunter2@127.0.0.1:1/x", "connection refused"},
		{"a database that is missing", changed(func(u *url.URL) { u.Path = "/nothing" }), "does not exist"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := Diagnose(t.Context(), tt.url, Options{})
			if d.Open == nil || !strings.Contains(d.Open.Error(), tt.want) || strings.Contains(d.Open.Error(), "hunter2") {
				t.Errorf("%+v", d)
			}
		})
	}
	open(t, good.String())
	readOnly := changed(func(u *url.URL) {
		query := u.Query()
		query.Set("default_transaction_read_only", "on")
		u.RawQuery = query.Encode()
	})
	if d := Diagnose(t.Context(), readOnly, Options{}); d.Open != nil || d.Write == nil {
		t.Errorf("a session that only reads: %+v", d)
	}
}

func TestDiagnose_transactionPooler(t *testing.T) {
	database := pgtest.URL(t)
	for mode, want := range map[string]bool{"session": false, "transaction": true, "statement": true} {
		if d := Diagnose(t.Context(), pgtest.Pooler(t, database, mode), Options{}); d.TransactionPooler != want || d.Open != nil {
			t.Errorf("%s mode: %+v", mode, d)
		}
	}
}
