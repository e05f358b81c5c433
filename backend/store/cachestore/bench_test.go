package cachestore

import (
	"context"
	"testing"

	"github.com/nametag-dev/nametag/backend/kit"
)

func BenchmarkStore_Seen_known(b *testing.B) {
	ctx, at := context.Background(), noon()
	for name, url := range databases(b) {
		b.Run(name, func(b *testing.B) {
			s := New(openInner(b, url(b), kit.Data{}), Options{})
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
