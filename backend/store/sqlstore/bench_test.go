package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
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
func delivery(n int) instance.Event {
	return instance.Event{
		ID: fmt.Sprintf("%064d", n), InstanceID: fmt.Sprint("instance ", n%3), Kind: instance.EventPlan, Type: "PaidPlanPurchased",
		At: noon().Add(time.Duration(n) * time.Millisecond), Plan: fmt.Sprint("plan ", n), Payload: json.RawMessage(`{"vendorProductId":"plan"}`), ReceivedAt: noon(),
	}
}
