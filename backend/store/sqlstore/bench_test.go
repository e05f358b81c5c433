package sqlstore

import (
	"context"
	"testing"

	"nametag/backend/instance"
)

func BenchmarkFind(b *testing.B) {
	s := open(b, newURL(b))
	ctx := context.Background()
	must(b)(s.Seen(ctx, "a", "site", noon()))
	b.ReportAllocs()
	for b.Loop() {
		must(b)(s.Find(ctx, "a"))
	}
}

func BenchmarkSeenWithoutAChange(b *testing.B) {
	s := open(b, newURL(b))
	ctx := context.Background()
	must(b)(s.Seen(ctx, "a", "site", noon()))
	b.ReportAllocs()
	for b.Loop() {
		must(b)(s.Seen(ctx, "a", "site", noon()))
	}
}

func BenchmarkSeenWithAWrite(b *testing.B) {
	s := open(b, newURL(b))
	ctx, at := context.Background(), noon()
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(instance.SeenEvery)
		must(b)(s.Seen(ctx, "a", "site", at))
	}
}

func BenchmarkSaveSettings(b *testing.B) {
	s := open(b, newURL(b))
	ctx := context.Background()
	row := must(b)(s.Seen(ctx, "a", "site", noon()))
	b.ReportAllocs()
	for b.Loop() {
		row = must(b)(s.SaveSettings(ctx, "a", instance.Settings{Greeting: "Hi"}, row.Version))
	}
}
