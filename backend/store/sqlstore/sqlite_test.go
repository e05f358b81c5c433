package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/settings"
)

func TestOpen_sqlitePragmas(t *testing.T) {
	s := open(t, newURL(t))
	s.write.SetMaxOpenConns(2)
	for _, pool := range []struct {
		name      string
		db        *sql.DB
		queryOnly string
	}{{"write", s.write, "0"}, {"read", s.read, "1"}} {
		want := map[string]string{
			"busy_timeout": "5000", "journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "secure_delete": "1", "journal_size_limit": "8388608", "query_only": pool.queryOnly,
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

func TestStore_tx_takesTheWriteLockAtOnce(t *testing.T) {
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

func TestOpen_sqlitePoolSizes(t *testing.T) {
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

func TestStore_Find_olderProgramsRows(t *testing.T) {
	s := openWith(t, newURL(t), Options{Settings: func(stored json.RawMessage) (settings, secrets json.RawMessage) {
		return append(slices.Clone(stored), "\n"...), nil
	}})
	must(t)(s.Seen(t.Context(), visit("a", "", noon())))
	for _, row := range []struct {
		settings, profile string
		plan              instance.Plan
	}{
		{`{}`, `{}`, instance.Plan{}},
		{`{"greeting":null,"newer":1}`, `{"newer":{"a":[1]}}`, instance.Plan{}},
		{`{"greeting":"Hi"}`, `{"plan":{"isFree":true}}`, instance.NewPlan("")},
		{`{}`, `{"plan":{"name":"gold","isFree":false}}`, instance.NewPlan("gold")},
		{`{}`, `{"plan":{"name":"","isFree":false}}`, instance.Plan{Kind: instance.PlanPaid}},
	} {
		store(t, s, row.settings, row.profile)
		got := must(t)(s.Find(t.Context(), "a"))
		if string(got.Settings) != row.settings+"\n" || got.Version != 7 || got.Profile.Locale != "" || !got.ProfileAt.Equal(noon()) || got.Profile.Plan != row.plan {
			t.Errorf("%s, %s: %+v", row.settings, row.profile, got)
		}
	}
	if _, err := s.write.Exec(`UPDATE instances SET plan_at = NULL`); err != nil {
		t.Fatal(err)
	}
	if got := must(t)(s.Find(t.Context(), "a")); got.Profile.Plan != (instance.Plan{}) {
		t.Errorf("a plan of no time is %+v", got.Profile.Plan)
	}
}

// What is completed on the way out is not written back, and no row has secrets among its
// settings.
func TestStore_partsSettings(t *testing.T) {
	schema, err := settings.For[struct {
		A   int             `json:"a" setting:"number" default:"5"`
		B   int             `json:"b" setting:"number" default:"6"`
		Key settings.Secret `json:"key" setting:"secret"`
	}]()
	if err != nil {
		t.Fatal(err)
	}
	s := openWith(t, newMemoryURL(t), Options{Settings: schema.Complete})
	ctx := t.Context()
	check := func(what string, row instance.Instance, err error, want, wantSecrets string) {
		t.Helper()
		if err != nil || string(row.Settings) != want || string(row.Secrets.Reveal()) != wantSecrets {
			t.Errorf("%s: %s, %s, %v; want %s, %s", what, row.Settings, row.Secrets.Reveal(), err, want, wantSecrets)
		}
	}
	stored := func(id, want string) {
		t.Helper()
		var got string
		if err := s.QueryRow(ctx, `SELECT settings FROM instances WHERE id = ?`, id).Scan(&got); err != nil || got != want {
			t.Errorf("of %s there is stored %s, %v; want %s", id, got, err, want)
		}
	}
	row, err := s.Seen(ctx, visit("a", "", noon()))
	check("the first Seen", row, err, `{"a":5,"b":6}`, "")
	stored("a", `{}`)
	const saved, complete, secrets = `{"a":1,"key":"k-1"}`, `{"a":1,"b":6}`, `{"key":"k-1"}`
	row, err = s.SaveSettings(ctx, "a", json.RawMessage(saved), 0)
	check("SaveSettings", row, err, complete, secrets)
	row, err = s.Seen(ctx, visit("a", "", noon().Add(time.Hour)))
	check("Seen", row, err, complete, secrets)
	row, err = s.SaveProfile(ctx, "a", instance.Profile{}, noon())
	check("SaveProfile", row, err, complete, secrets)
	row, err = s.Find(ctx, "a")
	check("Find", row, err, complete, secrets)
	row, _, err = s.ApplyEvent(ctx, instance.Event{ID: "0", InstanceID: "a", Kind: instance.EventInstalled, At: noon(), ReceivedAt: noon()}, noon())
	check("ApplyEvent", row, err, complete, secrets)
	stored("a", saved)

	row, _, err = s.ApplyEvent(ctx, instance.Event{ID: "1", InstanceID: "b", Kind: instance.EventInstalled, OriginID: "a", At: noon(), ReceivedAt: noon()}, noon())
	check("ApplyEvent of a copy", row, err, complete, "")
	stored("b", complete)
	rows, err := s.List(ctx, "", 10)
	if len(rows) != 2 {
		t.Fatalf("List = %+v, %v", rows, err)
	}
	check("List", rows[0], err, complete, secrets)
	check("List", rows[1], err, complete, "")

	export, err := s.Export(ctx, "a")
	if export.Instance == nil {
		t.Fatal(err)
	}
	check("Export", *export.Instance, err, complete, secrets)
	text, err := json.Marshal(export)
	if err != nil || strings.Contains(string(text), "k-1") || !strings.Contains(string(text), `"secrets":["key"]`) {
		t.Errorf("the export is %s, %v", text, err)
	}
}

func TestStore_Find_unreadableRow(t *testing.T) {
	s := open(t, newURL(t))
	must(t)(s.Seen(t.Context(), visit("a", "", noon())))
	for _, row := range []struct{ settings, profile, want string }{
		{``, `{}`, "stored settings"},
		{`{"greeting":`, `{}`, "stored settings"},
		{`{}`, `nonsense`, "stored profile"},
		{`{}`, `{"languages":"en"}`, "stored profile"},
	} {
		store(t, s, row.settings, row.profile)
		_, err := s.Find(t.Context(), "a")
		if err == nil || errors.Is(err, instance.ErrNotFound) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s, %s: %v; want one that says %q", row.settings, row.profile, err, row.want)
		}
	}
	// It can still be deleted.
	if err := s.Delete(t.Context(), "a"); err != nil {
		t.Errorf("Delete: %v", err)
	}
}

// store writes behind the store's back.
func store(t *testing.T, s *Store, settings, profile string) {
	t.Helper()
	_, err := s.write.Exec(`UPDATE instances SET settings = ?, settings_version = 7, profile = ?, profile_at = ?, plan_at = ?`,
		settings, profile, noon().UnixMilli(), noon().UnixMilli())
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

func TestStore_Seen_unchangedNeedsNoWriteLock(t *testing.T) {
	s := open(t, newURL(t))
	must(t)(s.Seen(t.Context(), visit("a", "site", noon())))
	defer lock(t, s)()
	for _, site := range []string{"", "site"} {
		must(t)(s.Seen(t.Context(), visit("a", site, noon().Add(instance.SeenEvery-time.Millisecond))))
		must(t)(s.Seen(t.Context(), visit("a", site, noon().Add(-time.Hour))))
	}
	must(t)(s.Find(t.Context(), "a"))
}

func TestStore_Claim_nothingNeedsNoWriteLock(t *testing.T) {
	s := open(t, newURL(t))
	if _, err := s.Accept(t.Context(), delivery(1)); err != nil {
		t.Fatal(err)
	}
	if jobs, err := s.Claim(t.Context(), noon(), time.Minute, 10); err != nil || len(jobs) != 1 {
		t.Fatalf("Claim = %v, %v", jobs, err)
	}
	defer lock(t, s)()
	for name, claim := range map[string]func(context.Context, time.Time, time.Duration, int) ([]instance.Job, error){
		"Claim": s.Claim, "ClaimRefreshes": s.ClaimRefreshes,
	} {
		if jobs, err := claim(t.Context(), noon(), time.Minute, 10); err != nil || len(jobs) != 0 {
			t.Errorf("%s = %v, %v", name, jobs, err)
		}
	}
	if purged, err := s.PurgeRemoved(t.Context(), noon()); err != nil || len(purged) != 0 {
		t.Errorf("PurgeRemoved = %v, %v", purged, err)
	}
}

// writes are the calls that change row "a" of version 0.
func writes(s *Store) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"record a visit": func(ctx context.Context) error {
			_, err := s.Seen(ctx, visit("a", "", noon().Add(time.Hour)))
			return err
		},
		"save the settings of an instance": func(ctx context.Context) error {
			_, err := s.SaveSettings(ctx, "a", greeting("Hi"), 0)
			return err
		},
		"save the profile of an instance": func(ctx context.Context) error {
			_, err := s.SaveProfile(ctx, "a", instance.Profile{}, noon())
			return err
		},
		"delete an instance": func(ctx context.Context) error { return s.Delete(ctx, "a") },
	}
}

// jobWrites are the calls that change what forWrites makes.
func jobWrites(s *Store) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"accept an event": func(ctx context.Context) error { _, err := s.Accept(ctx, delivery(2)); return err },
		"claim jobs":      func(ctx context.Context) error { _, err := s.Claim(ctx, noon(), time.Minute, 1); return err },
		"apply an event": func(ctx context.Context) error {
			_, _, err := s.ApplyEvent(ctx, delivery(1), noon())
			return err
		},
		"request a refresh": func(ctx context.Context) error { return s.RequestRefresh(ctx, "a", noon()) },
		"finish a job":      func(ctx context.Context) error { return s.Finish(ctx, instance.Job{ID: delivery(1).ID}) },
		"postpone a job":    func(ctx context.Context) error { return s.Retry(ctx, instance.Job{ID: delivery(1).ID}, noon(), 0, "") },
		"bury a job":        func(ctx context.Context) error { return s.Bury(ctx, instance.Job{ID: delivery(1).ID}, "") },
		"delete old events": func(ctx context.Context) error { _, err := s.DeleteDone(ctx, noon().Add(time.Hour)); return err },
		"purge the removed instance": func(ctx context.Context) error {
			_, err := s.PurgeRemoved(ctx, noon().Add(time.Hour))
			return err
		},
	}
}

// forWrites makes the row "a", an event that is due and an instance that was removed, and
// returns what checks that they are as they were.
func forWrites(t *testing.T, s *Store) (unchanged func()) {
	t.Helper()
	must(t)(s.Seen(t.Context(), visit("a", "", noon())))
	if _, err := s.Accept(t.Context(), delivery(1)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.ApplyEvent(t.Context(), instance.Event{ID: "removal", InstanceID: "gone", Kind: instance.EventRemoved, At: noon()}, noon()); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		rows, err := s.List(t.Context(), "", 10)
		if err != nil || len(rows) != 2 || rows[0].Version != 0 || !rows[0].LastSeen.Equal(noon()) || !rows[0].ProfileAt.IsZero() {
			t.Errorf("writes that failed left %+v, %v", rows, err)
		}
		for id, want := range map[string]instance.JobState{delivery(1).InstanceID: instance.JobPending, "gone": instance.JobDone} {
			jobs, err := s.JobsOf(t.Context(), id)
			if err != nil || len(jobs) != 1 || jobs[0].State != want || jobs[0].Attempts != 0 || jobs[0].Due.After(noon()) {
				t.Errorf("writes that failed left the jobs %+v, %v", jobs, err)
			}
		}
	}
}

func TestStore_writes_waitUntilTheContextEnds(t *testing.T) {
	s := open(t, newURL(t))
	unchanged := forWrites(t, s)
	unlock := lock(t, s)
	all := writes(s)
	maps.Copy(all, jobWrites(s))
	for doing, write := range all {
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := write(short); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), doing) {
			t.Errorf("%s: %v", doing, err)
		}
		cancel()
	}
	unlock()
	unchanged()
	must(t)(s.SaveSettings(t.Context(), "a", greeting("Hi"), 0))
}

func TestStore_writes_fileLockedTooLong(t *testing.T) {
	s := open(t, newURL(t))
	unchanged := forWrites(t, s)
	if _, err := s.write.Exec(`PRAGMA busy_timeout = 1`); err != nil {
		t.Fatal(err)
	}
	defer lock(t, s)()
	all := writes(s)
	maps.Copy(all, jobWrites(s))
	for doing, write := range all {
		if err := write(t.Context()); err == nil || !strings.Contains(err.Error(), doing) || !strings.Contains(err.Error(), "locked") {
			t.Errorf("%s: %v", doing, err)
		}
	}
	unchanged()
}

func TestStore_fullDatabaseStillReads(t *testing.T) {
	s := open(t, newURL(t))
	must(t)(s.Seen(t.Context(), visit("a", "", noon())))
	var pages int
	if err := s.write.QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if err := s.write.QueryRow(`PRAGMA max_page_count = 1`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("x", 100_000)
	_, err := s.Seen(t.Context(), visit("b", big, noon()))
	if err == nil || !strings.Contains(err.Error(), "record a visit") || !strings.Contains(err.Error(), "full") {
		t.Errorf("Seen: %v", err)
	}
	if _, err := s.Find(t.Context(), "b"); !errors.Is(err, instance.ErrNotFound) {
		t.Errorf("a refused row is there: %v", err)
	}
	if _, err := s.SaveProfile(t.Context(), "a", instance.Profile{Locale: big}, noon()); err == nil {
		t.Error("SaveProfile fitted into a full database")
	}
	if row := must(t)(s.Seen(t.Context(), visit("a", "", noon()))); !row.ProfileAt.IsZero() {
		t.Errorf("a refused profile is there: %+v", row)
	}
	if err := s.write.QueryRow(`PRAGMA max_page_count = 1000`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	must(t)(s.Seen(t.Context(), visit("b", big, noon())))
}

func TestBounded(t *testing.T) {
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
