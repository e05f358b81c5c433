package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"nametag/backend/instance"
)

func TestEveryConnectionHasThePragmas(t *testing.T) {
	s := open(t, newURL(t))
	s.write.SetMaxOpenConns(2)
	for _, pool := range []struct {
		name      string
		db        *sql.DB
		queryOnly string
	}{{"write", s.write, "0"}, {"read", s.read, "1"}} {
		want := map[string]string{
			"busy_timeout": "5000", "journal_mode": "wal", "synchronous": "1", "foreign_keys": "1", "query_only": pool.queryOnly,
		}
		for range 2 {
			conn, err := pool.db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close() // at the end of the test, so that the next one is another
			for pragma, want := range want {
				var got string
				if err := conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
					t.Errorf("%s pool: %s is %q (%v), want %q", pool.name, pragma, got, err, want)
				}
			}
		}
		if open := pool.db.Stats().InUse; open != 2 {
			t.Errorf("%s pool: %d connections were looked at", pool.name, open)
		}
	}
}

func TestATransactionTakesTheWriteLockAtOnce(t *testing.T) {
	url := newURL(t)
	s, other := open(t, url), open(t, url)
	tx, err := s.write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if tx, err := other.write.BeginTx(short, nil); err == nil {
		tx.Rollback()
		t.Error("two transactions hold the write lock")
	}
}

func TestThePoolsHaveTheirSizes(t *testing.T) {
	s, err := Open(t.Context(), newURL(t), Options{Readers: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if w, r := s.write.Stats().MaxOpenConnections, s.read.Stats().MaxOpenConnections; w != 1 || r != 3 {
		t.Errorf("%d writers, %d readers; want 1 and 3", w, r)
	}
	if r := open(t, newURL(t)).read.Stats().MaxOpenConnections; r < 4 {
		t.Errorf("%d readers by default", r)
	}
}

func TestWhatAnOlderProgramStoredTakesTheDefaults(t *testing.T) {
	s := open(t, newURL(t))
	must(t)(s.Seen(t.Context(), "a", "", noon()))
	for _, row := range []struct{ settings, profile, greeting string }{
		{`{}`, `{}`, instance.DefaultSettings().Greeting},
		{`{"greeting":null,"newer":1}`, `{"newer":{"a":[1]}}`, instance.DefaultSettings().Greeting},
		{`{"greeting":"Hi"}`, `{"plan":{"isFree":true}}`, "Hi"},
	} {
		store(t, s, row.settings, row.profile)
		got := must(t)(s.Find(t.Context(), "a"))
		if got.Settings.Greeting != row.greeting || got.Version != 7 || got.Profile.Locale != "" || !got.ProfileAt.Equal(noon()) {
			t.Errorf("%s, %s: %+v", row.settings, row.profile, got)
		}
	}
}

func TestWhatCannotBeReadIsAnErrorThatSaysWhat(t *testing.T) {
	s := open(t, newURL(t))
	must(t)(s.Seen(t.Context(), "a", "", noon()))
	for _, row := range []struct{ settings, profile, want string }{
		{``, `{}`, "stored settings"},
		{`{"greeting":`, `{}`, "stored settings"},
		{`{"greeting":5}`, `{}`, "stored settings"},
		{`[]`, `{}`, "stored settings"},
		{`{}`, `nonsense`, "stored profile"},
		{`{}`, `{"languages":"en"}`, "stored profile"},
	} {
		store(t, s, row.settings, row.profile)
		_, err := s.Find(t.Context(), "a")
		if err == nil || errors.Is(err, instance.ErrNotFound) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s, %s: %v; want one that says %q", row.settings, row.profile, err, row.want)
		}
	}
}

// store writes behind the store's back.
func store(t *testing.T, s *Store, settings, profile string) {
	t.Helper()
	_, err := s.write.Exec(`UPDATE instances SET settings = ?, settings_version = 7, profile = ?, profile_at = ?`,
		settings, profile, noon().UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
}

// lock takes the file's write lock as another process would, and returns what lets it go.
func lock(t *testing.T, s *Store) (unlock func()) {
	t.Helper()
	db, err := sql.Open("sqlite", s.dialect.writeDSN)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	return func() { tx.Rollback(); db.Close() }
}

func TestACallerWhoCausesNoChangeNeedsNoWriteLock(t *testing.T) {
	s := open(t, newURL(t))
	must(t)(s.Seen(t.Context(), "a", "site", noon()))
	defer lock(t, s)()
	for _, site := range []string{"", "site"} {
		must(t)(s.Seen(t.Context(), "a", site, noon().Add(instance.SeenEvery-time.Millisecond)))
		must(t)(s.Seen(t.Context(), "a", site, noon().Add(-time.Hour)))
	}
	must(t)(s.Find(t.Context(), "a"))
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
}

// writes are the calls that change row "a" of version 0.
func writes(s *Store) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"recording that an instance was seen": func(ctx context.Context) error {
			_, err := s.Seen(ctx, "a", "", noon().Add(time.Hour))
			return err
		},
		"saving the settings of an instance": func(ctx context.Context) error {
			_, err := s.SaveSettings(ctx, "a", instance.Settings{Greeting: "Hi"}, 0)
			return err
		},
		"saving the profile of an instance": func(ctx context.Context) error {
			_, err := s.SaveProfile(ctx, "a", instance.Profile{}, noon())
			return err
		},
		"deleting an instance": func(ctx context.Context) error { return s.Delete(ctx, "a") },
	}
}

func TestAWriteThatWaitsForALockEndsWithItsContext(t *testing.T) {
	s := open(t, newURL(t))
	must(t)(s.Seen(t.Context(), "a", "", noon()))
	unlock := lock(t, s)
	for doing, write := range writes(s) {
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := write(short); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), doing) {
			t.Errorf("%s: %v", doing, err)
		}
		cancel()
	}
	unlock()
	if row := must(t)(s.Find(t.Context(), "a")); row.Version != 0 || !row.LastSeen.Equal(noon()) || !row.ProfileAt.IsZero() {
		t.Errorf("a write that failed left %+v", row)
	}
	must(t)(s.SaveSettings(t.Context(), "a", instance.Settings{Greeting: "Hi"}, 0))
}

func TestAWriteThatFindsTheFileLockedTooLongSaysSo(t *testing.T) {
	s := open(t, newURL(t))
	must(t)(s.Seen(t.Context(), "a", "", noon()))
	if _, err := s.write.Exec(`PRAGMA busy_timeout = 1`); err != nil {
		t.Fatal(err)
	}
	defer lock(t, s)()
	for doing, write := range writes(s) {
		if err := write(t.Context()); err == nil || !strings.Contains(err.Error(), doing) || !strings.Contains(err.Error(), "locked") {
			t.Errorf("%s: %v", doing, err)
		}
	}
}

func TestAFullDatabaseRefusesWritesAndStillReads(t *testing.T) {
	s := open(t, newURL(t))
	must(t)(s.Seen(t.Context(), "a", "", noon()))
	var pages int
	if err := s.write.QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if err := s.write.QueryRow(`PRAGMA max_page_count = 1`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("x", 100_000)
	_, err := s.Seen(t.Context(), "b", big, noon())
	if err == nil || !strings.Contains(err.Error(), "recording that an instance was seen") || !strings.Contains(err.Error(), "full") {
		t.Errorf("Seen: %v", err)
	}
	if _, err := s.Find(t.Context(), "b"); !errors.Is(err, instance.ErrNotFound) {
		t.Errorf("a refused row is there: %v", err)
	}
	if _, err := s.SaveProfile(t.Context(), "a", instance.Profile{Locale: big}, noon()); err == nil {
		t.Error("SaveProfile fitted into a full database")
	}
	if row := must(t)(s.Seen(t.Context(), "a", "", noon())); !row.ProfileAt.IsZero() {
		t.Errorf("a refused profile is there: %+v", row)
	}
	if err := s.write.QueryRow(`PRAGMA max_page_count = 1000`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	must(t)(s.Seen(t.Context(), "b", big, noon()))
}

func TestACallWithoutADeadlineGetsOne(t *testing.T) {
	ctx, cancel := bounded(context.Background())
	defer cancel()
	if deadline, has := ctx.Deadline(); !has || time.Until(deadline) > CallTimeout {
		t.Errorf("the deadline is %v, %v", deadline, has)
	}
	soon, cancelSoon := context.WithTimeout(t.Context(), time.Hour)
	defer cancelSoon()
	if ctx, _ := bounded(soon); ctx != soon {
		t.Error("a context with a deadline was replaced")
	}
}
