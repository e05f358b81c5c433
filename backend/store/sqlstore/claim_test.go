package sqlstore

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/store/pgtest"
)

// queued puts n events of one instance and n of others into the queue, at once, so that the
// database has no statistics of them yet.
func queued(t testing.TB, s *Store, n int) {
	t.Helper()
	_, err := s.write.Exec(fmt.Sprintf(`
INSERT INTO jobs (id, instance_id, event, event_at, received_at, state, due, attempts, last_error, stamp)
SELECT 'event ' || n, CASE WHEN n %% 2 = 0 THEN 'one' ELSE 'instance ' || n END, '{"kind":"other"}', 0, n, 'pending', 0, 0, '', 0
FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %d) SELECT n FROM c) AS numbers`, 2*n))
	if err != nil {
		t.Fatal(err)
	}
}

// explain returns the plan of a query.
func explain(t *testing.T, s *Store, query string, args ...any) string {
	t.Helper()
	how := map[string]string{"sqlite": "EXPLAIN QUERY PLAN ", "postgres": "EXPLAIN "}[s.dialect.name]
	rows, err := s.read.Query(s.dialect.rebind(how+query), args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		values := make([]any, len(columns))
		for n := range values {
			values[n] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&plan, "%s\n", *values[len(values)-1].(*any))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// However many events are pending, a claim looks at a few of them.
func TestStore_Claim_usesTheIndexes(t *testing.T) {
	for name, url := range map[string]string{"SQLite": newURL(t), "Postgres": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			s := open(t, url)
			queued(t, s, 5000)
			for _, tt := range []struct {
				query   string
				args    []any
				indexes []string
			}{
				{headsSQL, []any{0, "", 0, 16, 0, 0, 16}, []string{"jobs_events", "jobs_leased"}},
				{moreSQL, []any{"one", 16}, []string{"jobs_events"}},
				{anySQL, []any{1}, []string{"jobs_events", "jobs_refreshes", "jobs_resting"}},
				{refreshesSQL, []any{16}, []string{"jobs_refreshes"}},
				{jobStateSQL, []any{"event 1", "one"}, []string{"jobs_dead"}},
				{"DELETE FROM jobs WHERE state = 'done' AND received_at < ?", []any{1}, []string{"jobs_done"}},
			} {
				plan := explain(t, s, tt.query, tt.args...)
				for _, index := range tt.indexes {
					if !strings.Contains(plan, index) {
						t.Errorf("%s is not used:\n%s", index, plan)
					}
				}
				for _, costly := range []string{"Aggregate", "Sort", "Seq Scan", "TEMP B-TREE", "SCAN jobs\n"} {
					if strings.Contains(plan, costly) {
						t.Errorf("%q:\n%s", costly, plan)
					}
				}
			}
		})
	}
}

func BenchmarkStore_Claim_backlog(b *testing.B) {
	for name, url := range map[string]string{"SQLite": newURL(b), "Postgres": pgtest.URL(b)} {
		b.Run(name, func(b *testing.B) {
			s := open(b, url)
			queued(b, s, 50_000)
			for b.Loop() {
				if jobs, err := s.Claim(b.Context(), noon(), time.Minute, 16); err != nil || len(jobs) == 0 {
					b.Fatalf("Claim = %v, %v", jobs, err)
				}
			}
		})
	}
}
