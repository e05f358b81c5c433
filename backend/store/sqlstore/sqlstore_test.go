package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
	"github.com/nametag-dev/nametag/backend/store/storetest"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// newURL names a database that does not exist yet.
func newURL(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "app.db") }

func open(t testing.TB, databaseURL string) *Store {
	t.Helper()
	return openWith(t, databaseURL, Options{})
}

func openWith(t testing.TB, databaseURL string, o Options) *Store {
	t.Helper()
	s, err := Open(context.Background(), databaseURL, o)
	if err != nil {
		t.Fatalf("Open(%q): %v", databaseURL, err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func visit(id, siteID string, at time.Time) instance.Visit {
	return instance.Visit{InstanceID: id, SiteID: siteID, At: at}
}

// greeting is settings of an app that has one text.
func greeting(text string) json.RawMessage {
	encoded, err := json.Marshal(map[string]string{"greeting": text})
	if err != nil {
		panic(err)
	}
	return encoded
}

// opener opens stores on a new database each.
func opener(newURL func(t testing.TB) string) storetest.Opener {
	return func(t *testing.T, data kit.Data) storetest.Storage { return openWith(t, newURL(t), Options{App: data}) }
}

func newMemoryURL(testing.TB) string { return "sqlite::memory:" }

// migrate brings a new database to the newest schema.
func migrate(t testing.TB, databaseURL string) {
	t.Helper()
	if err := open(t, databaseURL).Close(); err != nil {
		t.Fatal(err)
	}
}

// Suites open a hundred databases, and need not migrate each: migratedFiles and
// migratedPostgres return functions that name copies of one.
func migratedFiles(t testing.TB) func(t testing.TB) string {
	t.Helper()
	return storetest.Files(t, func(databaseURL string) { migrate(t, databaseURL) })
}

func migratedPostgres(t testing.TB) func(t testing.TB) string {
	t.Helper()
	return pgtest.Template(t, func(databaseURL string) { migrate(t, databaseURL) })
}

func TestStore_sqlite(t *testing.T) { storetest.Run(t, opener(migratedFiles(t))) }
func TestStore_sqliteConcurrency(t *testing.T) {
	storetest.RunConcurrency(t, opener(migratedFiles(t)))
}
func TestStore_memory(t *testing.T)            { storetest.Run(t, opener(newMemoryURL)) }
func TestStore_memoryConcurrency(t *testing.T) { storetest.RunConcurrency(t, opener(newMemoryURL)) }
func TestStore_postgres(t *testing.T)          { storetest.Run(t, opener(migratedPostgres(t))) }
func TestStore_postgresConcurrency(t *testing.T) {
	storetest.RunConcurrency(t, opener(migratedPostgres(t)))
}

// As two processes would.
func TestStore_twoOnOneFile(t *testing.T) {
	newURL := migratedFiles(t)
	storetest.RunConcurrency(t, func(t *testing.T, data kit.Data) storetest.Storage {
		url := newURL(t)
		return &alternating{Store: openWith(t, url, Options{App: data}), other: openWith(t, url, Options{App: data})}
	})
}

// alternating reads through one store and writes through another.
type alternating struct {
	*Store
	other *Store
}

func (a *alternating) Find(ctx context.Context, id string) (instance.Instance, error) {
	return a.other.Find(ctx, id)
}

func (a *alternating) SaveProfile(ctx context.Context, id string, p instance.Profile, at time.Time) (instance.Instance, error) {
	return a.other.SaveProfile(ctx, id, p, at)
}

func TestStore_Close_dataSurvives(t *testing.T) {
	url := newURL(t)
	s := open(t, url)
	must(t)(s.Seen(t.Context(), visit("a", "site", noon())))
	must(t)(s.SaveSettings(t.Context(), "a", greeting("שלום 👋"), 0))
	want := must(t)(s.SaveProfile(t.Context(), "a", instance.Profile{Languages: []string{"he"}}, noon()))
	for range 3 {
		if err := s.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		if _, err := os.Stat(strings.TrimPrefix(url, "sqlite:") + "-wal"); err == nil {
			t.Error("a closed store left its write-ahead log behind")
		}
		s = open(t, url)
		got := must(t)(s.Find(t.Context(), "a"))
		if string(got.Settings) != string(want.Settings) || got.Version != 1 || got.SiteID != "site" ||
			!got.FirstSeen.Equal(noon()) || got.Profile.Languages[0] != "he" || !got.ProfileAt.Equal(noon()) {
			t.Errorf("after reopening: %+v, want %+v", got, want)
		}
	}
}

// must returns a function that passes a row on and ends the test on an error.
func must(t testing.TB) func(instance.Instance, error) instance.Instance {
	return func(row instance.Instance, err error) instance.Instance {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return row
	}
}

func TestOpen_anyPath(t *testing.T) {
	for _, name := range []string{
		"plain.db", "with space.db", "question?mark.db", "hash#mark.db", "per%cent.db", "%20.db", "a&_pragma=x.db",
		"plus+plus=.db", "ünïcödé 👋.db", "quote'\".db", "file:x.db", "semi;colon.db", "back\\slash.db", "?mode=memory",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			s := open(t, "sqlite:"+path)
			must(t)(s.Seen(t.Context(), visit("a", "", noon())))
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("the file has mode %v", info.Mode())
			}
			for _, suffix := range []string{"-wal", "-shm"} {
				if info, err := os.Stat(path + suffix); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("%s: %v, %v", suffix, info, err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
				t.Errorf("the directory holds %v", files)
			}
		})
	}
}

func TestOpen_relativePaths(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, path := range []string{"relative.db", "./dotted.db", "../" + filepath.Base(dir) + "/up.db", "///" + dir + "/absolute.db"} {
		s := open(t, "sqlite:"+path)
		must(t)(s.Seen(t.Context(), visit("a", "", noon())))
		if _, err := os.Stat(filepath.Join(dir, filepath.Base(path))); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		// A connection made later finds the same file from elsewhere.
		t.Chdir("/")
		must(t)(s.Find(t.Context(), "a"))
		t.Chdir(dir)
	}
}

func TestOpen_refuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := file("text.db", strings.Repeat("This is no database. ", 500), 0o600)
	readOnly := file("read-only.db", "", 0o400)
	newer := filepath.Join(dir, "newer.db")
	s := open(t, "sqlite:"+newer)
	if _, err := s.write.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`); err != nil {
		t.Fatal(err)
	}
	truncated := filepath.Join(dir, "truncated.db")
	if err := errors.Join(s.Close(), open(t, "sqlite:"+truncated).Close(), os.Truncate(truncated, 5000)); err != nil {
		t.Fatal(err)
	}

	for _, row := range []struct{ name, url, want string }{
		{"nothing at all", "", "sqlite:PATH"},
		{"a path without a scheme", "app.db", "sqlite:PATH"},
		{"Postgres without slashes", "postgres:user:secret@host/db", "sqlite:PATH"},
		{"another scheme", "mysql:secret", "sqlite:PATH"},
		{"a scheme in capitals", "SQLITE:app.db", "sqlite:PATH"},
		{"no path", "sqlite:", "names no file"},
		{"a database in memory with options", "sqlite::memory:?cache=shared", "takes no options"},
		{"a file: URI", "sqlite:file:app.db?mode=ro", "plain path"},
		{"two slashes", "sqlite://app.db", "without //"},
		{"a missing directory", "sqlite:" + dir + "/missing/app.db", "directory does not exist"},
		{"a file where the directory should be", "sqlite:" + text + "/app.db", "not a directory"},
		{"a directory", "sqlite:" + dir, "is a directory"},
		{"a device", "sqlite:/dev/null", "not a regular file"},
		{"a read-only file", "sqlite:" + readOnly, "is read-only"},
		{"a file that is not a database", "sqlite:" + text, "file is not a database"},
		{"a database that was cut off", "sqlite:" + truncated, "malformed"},
		{"a newer database", "sqlite:" + newer, "schema version 99"},
		{"a path with a NUL", "sqlite:" + dir + "/a\x00b", "invalid argument"},
		{"a name that is too long", "sqlite:" + dir + "/" + strings.Repeat("x", 300), "name too long"},
	} {
		t.Run(row.name, func(t *testing.T) {
			for name, call := range map[string]func() error{
				"Open":    func() error { _, err := Open(t.Context(), row.url, Options{}); return err },
				"Migrate": func() error { _, err := Migrate(t.Context(), row.url, Options{}); return err },
			} {
				err := call()
				if err == nil || !strings.Contains(err.Error(), row.want) {
					t.Errorf("%s: %v; want one that says %q", name, err, row.want)
				}
				if err != nil && strings.Contains(err.Error(), "secret") {
					t.Errorf("%s repeats the URL: %v", name, err)
				}
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "missing")); err == nil {
		t.Error("Open made a directory")
	}
	if content, _ := os.ReadFile(text); !strings.HasPrefix(string(content), "This is no database.") || len(content) != 500*21 {
		t.Error("Open changed a file that is not a database")
	}
}

func TestOpen_cancelledContext(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(gone, newURL(t), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v", err)
	}
}
