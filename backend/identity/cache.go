package identity

import (
	"time"

	"github.com/maypok86/otter/v2"
)

// clock makes the caches read the injected time.
type clock struct{ now func() time.Time }

func (c clock) NowNano() int64                        { return c.now().UnixNano() }
func (c clock) Tick(d time.Duration) <-chan time.Time { return time.Tick(d) }

// newCache returns a cache of at most size entries.
func newCache[K comparable, V any](size int, now func() time.Time, expiry otter.ExpiryCalculator[K, V]) *otter.Cache[K, V] {
	return otter.Must(&otter.Options[K, V]{
		MaximumSize:      max(size, 1),
		Clock:            clock{now},
		Logger:           &otter.NoopLogger{},
		ExpiryCalculator: expiry,
	})
}

// afterWrite lets an entry expire a time after it was written that depends on its value.
func afterWrite[K comparable, V any](life func(V) time.Duration) otter.ExpiryCalculator[K, V] {
	return otter.ExpiryWritingFunc(func(e otter.Entry[K, V]) time.Duration { return max(life(e.Value), 1) })
}
