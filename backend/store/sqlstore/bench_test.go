package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
)

func BenchmarkStore_Find(b *testing.B) {
	s := open(b, newURL(b))
	ctx := context.Background()
	must(b)(s.Seen(ctx, visit("a", "site", noon())))
	b.ReportAllocs()
	for b.Loop() {
		must(b)(s.Find(ctx, "a"))
	}
}

func BenchmarkStore_Seen_unchanged(b *testing.B) {
	s := open(b, newURL(b))
	ctx := context.Background()
	must(b)(s.Seen(ctx, visit("a", "site", noon())))
	b.ReportAllocs()
	for b.Loop() {
		must(b)(s.Seen(ctx, visit("a", "site", noon())))
	}
}

func BenchmarkStore_Seen_written(b *testing.B) {
	s := open(b, newURL(b))
	ctx, at := context.Background(), noon()
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(instance.SeenEvery)
		must(b)(s.Seen(ctx, visit("a", "site", at)))
	}
}

func BenchmarkStore_SaveSettings(b *testing.B) {
	s := open(b, newURL(b))
	ctx := context.Background()
	row := must(b)(s.Seen(ctx, visit("a", "site", noon())))
	b.ReportAllocs()
	for b.Loop() {
		row = must(b)(s.SaveSettings(ctx, "a", greeting("Hi"), row.Version))
	}
}

func BenchmarkStore_Accept(b *testing.B) {
	for name, url := range map[string]string{"SQLite": newURL(b), "Postgres": pgtest.URL(b)} {
		b.Run(name, func(b *testing.B) {
			s, n := open(b, url), 0
			b.ReportAllocs()
			for b.Loop() {
				n++
				if fresh, err := s.Accept(b.Context(), delivery(n)); err != nil || !fresh {
					b.Fatalf("Accept = %v, %v", fresh, err)
				}
			}
		})
	}
}

func BenchmarkStore_ApplyEvent(b *testing.B) {
	for name, url := range map[string]string{"SQLite": newURL(b), "Postgres": pgtest.URL(b)} {
		b.Run(name, func(b *testing.B) {
			s, n := open(b, url), 0
			b.ReportAllocs()
			for b.Loop() {
				n++
				if _, _, err := s.ApplyEvent(b.Context(), delivery(n), noon()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkStore_Claim_nothing(b *testing.B) {
	s := open(b, newURL(b))
	b.ReportAllocs()
	for b.Loop() {
		if jobs, err := s.Claim(b.Context(), noon(), time.Minute, 10); err != nil || len(jobs) != 0 {
			b.Fatalf("Claim = %v, %v", jobs, err)
		}
	}
}

// delivery is one of many plan events of a few instances.
// One clean-up of 300,000 old events while others write all the time: how long one of them
// waits at most.
func BenchmarkStore_DeleteDone_300k(b *testing.B) {
	for name, url := range map[string]string{"SQLite": newURL(b), "Postgres": pgtest.URL(b)} {
		b.Run(name, func(b *testing.B) {
			s := open(b, url)
			payload := strings.Repeat("x", 800)
			for n := range b.N {
				err := s.tx(b.Context(), func(tx *sql.Tx) error {
					return s.exec(b.Context(), tx, `
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
INSERT INTO jobs (id, instance_id, event, payload, event_at, received_at, state, due, attempts, last_error)
SELECT 'event of round `+fmt.Sprint(n)+` ' || i, 'instance ' || i % 1000, '{}', '`+payload+`', 1, 1, 'done', i, 0, '' FROM n`)
				})
				if err != nil {
					b.Fatal(err)
				}
				done := make(chan time.Duration)
				ctx, stop := context.WithCancel(b.Context())
				go func() {
					var longest time.Duration
					for i := 0; ctx.Err() == nil; i++ {
						began := time.Now()
						if _, err := s.Accept(b.Context(), delivery(n*10_000_000+i)); err != nil {
							b.Error(err)
						}
						longest = max(longest, time.Since(began))
					}
					done <- longest
				}()
				began := time.Now()
				if n, err := s.DeleteDone(b.Context(), noon()); err != nil || n != 300_000 {
					b.Errorf("DeleteDone = %d, %v", n, err)
				}
				b.ReportMetric(time.Since(began).Seconds(), "s/clean-up")
				stop()
				b.ReportMetric(float64((<-done).Milliseconds()), "ms/longest-wait")
			}
		})
	}
}

func delivery(n int) instance.Event {
	return instance.Event{
		ID: fmt.Sprintf("%064d", n), InstanceID: fmt.Sprint("instance ", n%3), Kind: instance.EventPlan, Type: "PaidPlanPurchased",
		At: noon().Add(time.Duration(n) * time.Millisecond), Plan: fmt.Sprint("plan ", n), Payload: json.RawMessage(`{"vendorProductId":"plan"}`), ReceivedAt: noon(),
	}
}
