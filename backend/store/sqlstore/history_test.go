package sqlstore

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
)

// migrateTo brings a new or a newer database to a version of the schema.
func migrateTo(t *testing.T, url string, version int64) *Store {
	t.Helper()
	s, err := connect(t.Context(), url, Options{}, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	provider, err := s.provider(t.Context(), s.schemas()[0])
	if err != nil {
		t.Fatal(err)
	}
	current, _, err := provider.GetVersions(t.Context())
	if err == nil && current > version {
		_, err = provider.DownTo(t.Context(), version)
	} else if err == nil {
		_, err = provider.UpTo(t.Context(), version)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOpen_upgradesFromVersion1(t *testing.T) {
	for name, url := range map[string]string{"SQLite": newURL(t), "Postgres": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			old := migrateTo(t, url, 1)
			ms := noon().UnixMilli()
			for _, row := range [][]any{
				{"plain", "", ms, ms, `{}`, 0, nil, nil},
				{"read", "site", ms - 1000, ms, `{"greeting":"Hi"}`, 3, `{"plan":{"name":"gold","isFree":false},"locale":"he"}`, ms + 5},
			} {
				_, err := old.write.Exec(old.dialect.rebind(`
INSERT INTO instances (id, site_id, first_seen, last_seen, settings, settings_version, profile, profile_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)`), row...)
				if err != nil {
					t.Fatal(err)
				}
			}
			plain := instance.NewInstance("plain", noon())
			plain.Settings = json.RawMessage(`{}`)
			read := instance.Instance{
				ID: "read", SiteID: "site", FirstSeen: noon().Add(-time.Second), LastSeen: noon(),
				Settings: greeting("Hi"), Version: 3,
				Profile:   instance.Profile{Plan: instance.NewPlan("gold"), Locale: "he"},
				ProfileAt: noon().Add(5 * time.Millisecond), PlanAt: noon().Add(5 * time.Millisecond),
			}
			// Forth, back, and forth again.
			for round := range 2 {
				s := open(t, url)
				got, err := s.List(t.Context(), "", 10)
				if want := []instance.Instance{plain, read}; err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("round %d: after the migration: %+v, %v; want %+v", round, got, err, want)
				}
				if _, err := s.Accept(t.Context(), delivery(1)); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				migrateTo(t, url, 1).Close()
			}
		})
	}
}

// The sweep runs in every server each hour, whatever the number of instances.
func TestStore_PurgeRemoved_usesTheIndex(t *testing.T) {
	for name, tt := range map[string]struct{ url, explain, many string }{
		"SQLite":   {newURL(t), "EXPLAIN QUERY PLAN ", "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n < 5000) SELECT n FROM c"},
		"Postgres": {pgtest.URL(t), "EXPLAIN (FORMAT JSON) ", "SELECT generate_series(1, 5000) AS n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, tt.url)
			for _, statement := range []string{
				`INSERT INTO instances (id, site_id, first_seen, last_seen, settings, settings_version)
				SELECT CAST(n AS TEXT), '', 0, 0, '{}', 0 FROM (` + tt.many + `) AS many`,
				`UPDATE instances SET removed_at = 1 WHERE id IN ('7', '77')`,
				`ANALYZE`,
			} {
				if _, err := s.write.Exec(statement); err != nil {
					t.Fatal(err)
				}
			}
			rows, err := s.read.Query(s.dialect.rebind(tt.explain+removedSQL), 2)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			var plan strings.Builder
			for rows.Next() {
				columns, err := rows.Columns()
				if err != nil {
					t.Fatal(err)
				}
				values := make([]any, len(columns))
				for n := range values {
					values[n] = new(any)
				}
				if err := rows.Scan(values...); err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&plan, "%s\n", *values[len(values)-1].(*any))
			}
			if err := rows.Err(); err != nil || !strings.Contains(plan.String(), "instances_removed_at") {
				t.Errorf("%v, by the plan: %s", err, plan.String())
			}
		})
	}
}

// Version 4 makes ids lower case and renames the readings of the first edition.
func TestOpen_upgradesToLowerCase(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, url string) {
		old := migrateTo(t, url, 3)
		exec := func(query string, args ...any) {
			t.Helper()
			if _, err := old.write.Exec(old.dialect.rebind(query), args...); err != nil {
				t.Fatal(err)
			}
		}
		for _, id := range []string{"plain", "UPPER", "Two", "TWO", "twin", "TWIN"} {
			exec(`INSERT INTO instances (id, site_id, first_seen, last_seen, settings, settings_version, origin_id) VALUES (?, 'SITE', 0, 0, '{}', 0, 'ORIGIN')`, id)
			exec(`INSERT INTO jobs (id, instance_id, state, due, attempts, last_error) VALUES (?, ?, 'pending', 0, 2, 'busy')`, "reread:"+id, id)
			exec(`INSERT INTO jobs (id, instance_id, event, event_at, received_at, state, due, attempts, last_error) VALUES (?, ?, '{"kind":"other"}', 0, 0, 'pending', 0, 0, '')`, "event of "+id, id)
		}
		exec(`INSERT INTO jobs (id, instance_id, state, due, attempts, last_error) VALUES ('reread:NONE', 'NONE', 'dead', 0, 8, 'busy')`)
		s := open(t, url)
		rows, err := s.List(t.Context(), "", 100)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range rows {
			got = append(got, row.ID)
			if row.SiteID != "site" || row.OriginID != "origin" {
				t.Errorf("%s has the site %q and the origin %q", row.ID, row.SiteID, row.OriginID)
			}
			jobs, err := s.JobsOf(t.Context(), row.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range jobs {
				got = append(got, "  "+j.ID)
				if j.Event == nil && (j.Attempts != 2 || j.LastError != "busy" || j.State != instance.JobPending) {
					t.Errorf("the refresh became %+v", j)
				}
			}
		}
		want := []string{
			"TWIN", "  event of TWIN", "  refresh:TWIN", "Two", "  event of Two", "  refresh:Two",
			"plain", "  event of plain", "  refresh:plain",
			"twin", "  event of twin", "  refresh:twin",
			"two", "  event of TWO", "  refresh:two",
			"upper", "  event of UPPER", "  refresh:upper",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if jobs, err := s.JobsOf(t.Context(), "none"); err != nil || len(jobs) != 1 || jobs[0].ID != "refresh:none" || jobs[0].State != instance.JobDead {
			t.Errorf("the jobs of none are %+v, %v", jobs, err)
		}
		// Another round changes nothing more.
		s.Close()
		migrateTo(t, url, 3).Close()
		if again, err := open(t, url).List(t.Context(), "", 100); err != nil || !reflect.DeepEqual(again, rows) {
			t.Errorf("after another round: %+v, %v", again, err)
		}
	})
}
