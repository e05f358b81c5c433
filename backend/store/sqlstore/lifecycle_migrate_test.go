package sqlstore

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

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
	provider, err := s.provider(t.Context())
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

func TestInstancesFromBeforeTheWebhooksAreKept(t *testing.T) {
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
			read := instance.Instance{
				ID: "read", SiteID: "site", FirstSeen: noon().Add(-time.Second), LastSeen: noon(),
				Settings: instance.Settings{Greeting: "Hi"}, Version: 3,
				Profile:   instance.Profile{Plan: instance.Plan{Name: "gold"}, Locale: "he"},
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
func TestTheRemovedAreFoundWithoutALookAtTheOthers(t *testing.T) {
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
