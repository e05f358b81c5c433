package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
	"github.com/nametag-dev/nametag/backend/store/storetest"
)

// onEachDatabase runs a test on SQLite in a file and on Postgres.
func onEachDatabase(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { test(t, newURL(t)) })
	t.Run("Postgres", func(t *testing.T) { test(t, pgtest.URL(t)) })
}

// appData declares an app by its migrations, the same for both databases, in order from
// version 1. It declares its tables as Owned, by the column owner.
func appData(tables []string, migrations ...string) kit.Data {
	files := fstest.MapFS{}
	for i, text := range migrations {
		for _, dialect := range []string{"sqlite", "postgres"} {
			files[fmt.Sprintf("%s/%05d_step.sql", dialect, i+1)] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + text + "\n")}
		}
	}
	data := kit.Data{Migrations: files}
	for _, name := range tables {
		data.Tables = append(data.Tables, kit.Owned(name, "owner"))
	}
	return data
}

const (
	createPets = "CREATE TABLE pets (owner TEXT NOT NULL, name TEXT NOT NULL);"
	createToys = "CREATE TABLE toys (owner TEXT NOT NULL);"
)

// app returns an app of one or two versions.
func app(version int) kit.Data {
	if version == 1 {
		return appData([]string{"pets"}, createPets)
	}
	return appData([]string{"pets", "toys"}, createPets, createToys)
}

func TestCheckData(t *testing.T) {
	noHooks := func(context.Context, kit.Tx, string) (any, error) { return nil, nil }
	noPurge := func(context.Context, kit.Tx, string) error { return nil }
	with := func(tables ...kit.Table) kit.Data {
		data := app(1)
		data.Tables = tables
		return data
	}
	unequal := app(1)
	delete(unequal.Migrations.(fstest.MapFS), "postgres/00001_step.sql")
	for _, tt := range []struct {
		name string
		data kit.Data
		want []string // a part of each fault
	}{
		{"no app", kit.Data{}, nil},
		{"an event hook alone", kit.Data{OnEvent: func(context.Context, kit.Tx, kit.Event) error { return nil }}, nil},
		{"an app with a table", app(1), nil},
		{"a shared table", with(kit.Table{Name: "pets", Shared: true}), nil},
		{"a table without Export", with(kit.Table{Name: "pets", Purge: noPurge}), []string{`"pets" needs an Export`}},
		{"a table without Purge", with(kit.Table{Name: "pets", Export: noHooks}), []string{`"pets" needs a Purge`}},
		{"a table with neither", with(kit.Table{Name: "pets"}), []string{`"pets" needs an Export`, `"pets" needs a Purge`}},
		{"a table without a name", with(kit.Table{Shared: true}), []string{"without a name"}},
		{"one name twice", with(kit.Owned("pets", "owner"), kit.Table{Name: "Pets", Shared: true}), []string{`"Pets" is declared twice`}},
		{"a table of Nametag's", with(kit.Owned("instances", "id")), []string{`"instances" has a name that Nametag keeps`}},
		{"a table that Nametag may add", with(kit.Owned("nametag_x", "id")), []string{`"nametag_x" has a name that Nametag keeps`}},
		{"the version table", with(kit.Table{Name: "APP_DB_VERSION", Shared: true}), []string{"keeps for itself"}},
		{"a shared table with functions", with(kit.Table{Name: "pets", Shared: true, Purge: noPurge}), []string{"never be called"}},
		{"tables without migrations", kit.Data{Tables: []kit.Table{kit.Owned("pets", "owner")}}, []string{"no migrations"}},
		{"migrations in another folder", kit.Data{Migrations: fstest.MapFS{"00001_x.sql": {}}}, []string{"without a file sqlite/*.sql"}},
		{"a migration for one database", unequal, []string{"SQLite (00001_step.sql) than for Postgres (none)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := CheckData(tt.data)
			if (err == nil) != (tt.want == nil) {
				t.Fatalf("CheckData: %v", err)
			}
			var fault *DataError
			if err != nil && !errors.As(err, &fault) {
				t.Errorf("%T is no *DataError", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("CheckData: %v; want it to say %q", err, want)
				}
			}
			if err != nil {
				if _, opened := Open(t.Context(), "nonsense", Options{App: tt.data}); !errors.As(opened, &fault) {
					t.Errorf("Open: %v; want the fault before the database is looked at", opened)
				}
			}
		})
	}
}

func TestOpen_tablesMustBeDeclared(t *testing.T) {
	undeclared := app(2)
	undeclared.Tables = undeclared.Tables[:1]
	missing := app(1)
	missing.Tables = append(missing.Tables, kit.Owned("ghosts", "owner"))
	dropped := appData([]string{"pets"}, createPets, createToys, "DROP TABLE toys;")
	quoted := appData([]string{"pets"}, `CREATE TABLE "pets" (owner TEXT);`, `CREATE TABLE IF NOT EXISTS toys(owner TEXT);`)
	for _, tt := range []struct {
		name string
		data kit.Data
		want string
	}{
		{"all declared", app(2), ""},
		{"a table that is not declared", undeclared, `"toys" is made by the app's migrations, but not declared`},
		{"another way to make one", quoted, `"toys" is made by`},
		{"a declared table that no migration makes", missing, `"ghosts" is declared`},
		{"a table that was dropped again", dropped, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onEachDatabase(t, func(t *testing.T, url string) {
				// What belongs to neither Nametag nor the app's migrations is left alone.
				foreign := open(t, url)
				if _, err := foreign.write.Exec(`CREATE TABLE somebody_elses (id TEXT)`); err != nil {
					t.Fatal(err)
				}
				s, err := Open(t.Context(), url, Options{App: tt.data})
				if err == nil {
					s.Close()
				}
				var fault *DataError
				if tt.want == "" && err != nil || tt.want != "" && (!errors.As(err, &fault) || !strings.Contains(err.Error(), tt.want)) {
					t.Errorf("Open: %v; want one that says %q", err, tt.want)
				}
			})
		})
	}
}

// wantAppVersion checks the app's version table, in which each version stands once.
func wantAppVersion(t *testing.T, s *Store, want int) {
	t.Helper()
	var rows, versions, newest int
	err := s.write.QueryRow(`SELECT count(*), count(DISTINCT version_id), max(version_id) FROM app_db_version`).Scan(&rows, &versions, &newest)
	if err != nil || rows != want+1 || versions != want+1 || newest != want {
		t.Errorf("the app's version table has %d rows, %d versions, newest %d (%v); want %d steps", rows, versions, newest, err, want)
	}
}

// addPet writes a row of the app's.
func addPet(t *testing.T, s *Store, name string) {
	t.Helper()
	must(t)(s.Seen(t.Context(), visit("a", "", noon())))
	err := s.Write(t.Context(), "a", func(tx kit.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO pets (owner, name) VALUES (?, ?)`, "a", name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func wantPets(t *testing.T, s *Store, want int) {
	t.Helper()
	var n int
	if err := s.QueryRow(t.Context(), `SELECT count(*) FROM pets`).Scan(&n); err != nil || n != want {
		t.Errorf("there are %d pets, %v; want %d", n, err, want)
	}
}

// Whichever comes first, a migration of the app's or one of Nametag's, both are applied,
// whatever their numbers are, and the data stays.
func TestOpen_migrationsInBothOrders(t *testing.T) {
	later := app(1)
	files := later.Migrations.(fstest.MapFS)
	for _, dialect := range []string{"sqlite", "postgres"} {
		files[dialect+"/00100_step.sql"] = files[dialect+"/00001_step.sql"]
		delete(files, dialect+"/00001_step.sql")
	}
	for name, data := range map[string]kit.Data{"the same number": app(1), "a later number": later} {
		t.Run(name, func(t *testing.T) {
			onEachDatabase(t, func(t *testing.T, url string) {
				t.Run("the app first", func(t *testing.T) {
					// An earlier Nametag, with the app.
					old := migrateTo(t, url, 3)
					old.app = data
					if err := old.migrateSchema(t.Context(), old.schemas()[1]); err != nil {
						t.Fatal(err)
					}
					if _, err := old.write.Exec(`INSERT INTO pets (owner, name) VALUES ('a', 'Rex')`); err != nil {
						t.Fatal(err)
					}
					s := openWith(t, url, Options{App: data})
					wantVersionsOnce(t, s, steps(t))
					wantPets(t, s, 1)
				})
			})
			onEachDatabase(t, func(t *testing.T, url string) {
				t.Run("Nametag first", func(t *testing.T) {
					open(t, url)
					s := openWith(t, url, Options{App: data})
					addPet(t, s, "Rex")
					wantVersionsOnce(t, openWith(t, url, Options{App: data}), steps(t))
					wantPets(t, s, 1)
				})
			})
		})
	}
}

func TestOpen_upgradesTheApp(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, url string) {
		first := openWith(t, url, Options{App: app(1)})
		addPet(t, first, "Rex")
		s := openWith(t, url, Options{App: app(2)})
		wantPets(t, s, 1)
		wantAppVersion(t, s, 2)
	})
}

func TestOpen_refusesANewerApp(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, url string) {
		openWith(t, url, Options{App: app(2)})
		for name, tt := range map[string]struct {
			data kit.Data
			want string
		}{
			"an older app": {app(1), "the app's schema version 2, but this program knows none after 1"},
			"no app":       {kit.Data{}, "the app's schema version 2, but this program knows none after 0"},
		} {
			if _, err := Open(t.Context(), url, Options{App: tt.data}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: Open: %v; want one that says %q", name, err, tt.want)
			}
		}
	})
}

func TestOpen_failingAppMigration(t *testing.T) {
	for name, tt := range map[string]struct{ second, want string }{
		"SQL that fails":     {"CREATE TABLE toys (owner TEXT);\nCREATE TABLE pets (again TEXT);", "apply the app's migration %s/00002_step.sql to the database"},
		"a file without SQL": {"nonsense", "00002_step.sql"},
	} {
		t.Run(name, func(t *testing.T) {
			onEachDatabase(t, func(t *testing.T, url string) {
				broken := appData([]string{"pets", "toys"}, createPets, tt.second)
				_, err := Open(t.Context(), url, Options{App: broken})
				dialect, _, _ := strings.Cut(url, ":")
				if want := strings.ReplaceAll(tt.want, "%s", dialect); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("Open: %v; want one that says %q", err, want)
				}
				// Nothing of the failed step is left: the mended one can be applied.
				wantAppVersion(t, openWith(t, url, Options{App: app(2)}), 2)
			})
		})
	}
}

func TestMigrate_statusOfBoth(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, url string) {
		o := Options{App: app(2)}
		if status, err := Status(t.Context(), url, o); !strings.HasPrefix(url, "sqlite:") && (err != nil || len(status) != steps(t)+2 || !status[steps(t)].AppliedAt.IsZero()) {
			t.Errorf("Status = %v, %v", status, err)
		}
		status, err := Migrate(t.Context(), url, o)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range status {
			if m.AppliedAt.IsZero() {
				t.Errorf("%+v is pending", m)
			}
			if m.App {
				got = append(got, fmt.Sprint(m.Version, " ", m.Name))
			}
		}
		if diff := cmp.Diff([]string{"1 00001_step.sql", "2 00002_step.sql"}, got); diff != "" || len(status) != steps(t)+2 {
			t.Errorf("%d steps; the app's (-want +got):\n%s", len(status), diff)
		}
		// The list of a program that knows one step more.
		more := appData([]string{"pets", "toys"}, createPets, createToys, "DROP TABLE toys;")
		status, err = Status(t.Context(), url, Options{App: more})
		if err != nil || len(status) != steps(t)+3 || !status[len(status)-1].AppliedAt.IsZero() {
			t.Errorf("Status = %+v, %v", status, err)
		}
	})
}

func TestMigrate_undeclaredTable(t *testing.T) {
	data := app(2)
	data.Tables = data.Tables[:1]
	var fault *DataError
	if _, err := Migrate(t.Context(), newURL(t), Options{App: data}); !errors.As(err, &fault) || fault.Table != "toys" {
		t.Errorf("Migrate: %v", err)
	}
}

// playAppOpener opens the database with an app of a version once its standard input is
// closed.
func playAppOpener(version int) func(url string) error {
	return func(url string) error {
		fmt.Println("ready")
		if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
			return err
		}
		s, err := Open(context.Background(), url, Options{App: app(version)})
		if err != nil {
			fmt.Println("refused:", err)
			return nil
		}
		fmt.Println("opened")
		return s.Close()
	}
}

func TestOpen_processesWithDifferentAppVersions(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, url string) {
		var children []process
		roles := []string{"app 2", "app 1", "app 2", "app 1"}
		for _, role := range roles {
			child := start(t, role, url)
			if line := child.line(t); line != "ready" {
				t.Fatal(line)
			}
			children = append(children, child)
		}
		for _, child := range children {
			child.stdin.Close()
		}
		for i, child := range children {
			line := child.line(t)
			refused := roles[i] == "app 1" && strings.Contains(line, "the app's schema version 2, but this program knows none after 1")
			if line != "opened" && !refused {
				t.Errorf("%s: %s", roles[i], line)
			}
			if err := child.Wait(); err != nil {
				t.Errorf("%s: %v", roles[i], err)
			}
		}
		s := openWith(t, url, Options{App: app(2)})
		wantVersionsOnce(t, s, steps(t))
		wantAppVersion(t, s, 2)
	})
}

// A later table of Nametag's must not have a name that an app may have chosen.
func TestMigrations_makeNoTableThatAnAppMayHave(t *testing.T) {
	create := regexp.MustCompile(`(?i)create\s+table\s+(?:if\s+not\s+exists\s+)?(\w+)`)
	err := fs.WalkDir(migrations, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(migrations, name)
		for _, found := range create.FindAllStringSubmatch(string(text), -1) {
			if !isReserved(strings.ToLower(found[1])) {
				t.Errorf("%s makes the table %s: begin its name with %s", name, found[1], reservedPrefix)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRunHook(t *testing.T) {
	gone := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer close(gone)
	for name, tt := range map[string]struct {
		hook func(context.Context) error
		want string
	}{
		"no error": {func(context.Context) error { return nil }, ""},
		"an error": {func(context.Context) error { return errors.New("no") }, "run the app's Purge: no"},
		"a panic":  {func(context.Context) error { panic("boom") }, "run the app's Purge: panic: boom"},
	} {
		err := runHook(ctx, "Purge", tt.hook)
		if fmt.Sprint(err) != fmt.Sprint(tt.want) && (tt.want != "" || err != nil) {
			t.Errorf("%s: %v; want %q", name, err, tt.want)
		}
		var p *HookPanic
		if errors.As(err, &p) != (name == "a panic") || p != nil && !strings.Contains(p.Stack(), "TestRunHook") {
			t.Errorf("%s: %+v", name, p)
		}
	}
	err := runHook(ctx, "Purge", func(context.Context) error { cancel(); <-gone; return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a hook that blocks: %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		begun, release := time.Now(), make(chan struct{})
		defer close(release)
		err := runHook(t.Context(), "Purge", func(context.Context) error { <-release; return nil })
		if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || took != HookTimeout || took >= CallTimeout {
			t.Errorf("a hook without an end: %v after %v", err, took)
		}
	})
}

// A statement of a hook ends with the transaction, even with a context of its own: it must
// not hold the database after the hook was given up.
func TestStore_ApplyEvent_endsTheStatementsOfAHook(t *testing.T) {
	for name, tt := range map[string]struct{ url, endless string }{
		"SQLite":   {newURL(t), `WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c`},
		"memory":   {"sqlite::memory:", `WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c`},
		"Postgres": {pgtest.URL(t), `SELECT count(*) FROM pg_sleep(3600)`},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			data := storetest.AppData()
			data.OnEvent = func(_ context.Context, tx kit.Tx, _ kit.Event) error {
				cancel()
				var n int
				err := tx.QueryRow(context.Background(), tt.endless).Scan(&n)
				ended <- err
				return err
			}
			s := openWith(t, tt.url, Options{App: data})
			if _, _, err := s.ApplyEvent(ctx, delivery(1), noon()); !errors.Is(err, context.Canceled) {
				t.Errorf("ApplyEvent: %v", err)
			}
			if err := <-ended; err == nil {
				t.Error("the endless statement came to an end")
			}
			must(t)(s.Seen(t.Context(), visit("b", "", noon())))
		})
	}
}

func TestEndsAfterCallTimeout(t *testing.T) {
	if _, has := endsAfterCallTimeout(context.Background()).Deadline(); !has {
		t.Error("a context without a deadline got none")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*CallTimeout)
	defer cancel()
	if endsAfterCallTimeout(ctx) != ctx {
		t.Error("a context with a deadline was replaced")
	}
}

// names are the keys of a map, sorted.
func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
