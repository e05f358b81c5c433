package cachestore

import (
	"context"
	"testing"
)

func BenchmarkSeenOfAKnownInstance(b *testing.B) {
	ctx, at := context.Background(), noon()
	for name, inner := range inners() {
		b.Run(name, func(b *testing.B) {
			s := New(inner(b), Options{})
			defer s.Close()
			must(b)(s.Seen(ctx, visit("a", "site", at)))
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := s.Seen(ctx, visit("a", "site", at)); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
