package identity

import (
	"context"
	"iter"
	"time"

	"github.com/maypok86/otter/v2"
)

// clock makes the caches read the injected time.
type clock struct{ now func() time.Time }

func (c clock) NowNano() int64                        { return c.now().UnixNano() }
func (c clock) Tick(d time.Duration) <-chan time.Time { return time.Tick(d) }

// cache is an otter.Cache. As an interface it spares every package that imports this one the
// compilation of otter: a generic type is compiled again wherever a struct with it is known.
type cache[K comparable, V any] interface {
	Get(context.Context, K, otter.Loader[K, V]) (V, error)
	GetIfPresent(K) (V, bool)
	ComputeIfAbsent(K, func() (V, bool)) (V, bool)
	Set(K, V) (V, bool)
	Invalidate(K) (V, bool)
	All() iter.Seq2[K, V]
	StopAllGoroutines() bool

	// For tests.
	CleanUp()
	EstimatedSize() int
	SetExpiresAfter(K, time.Duration)
}

// newCache returns a cache of at most size entries.
func newCache[K comparable, V any](size int, now func() time.Time, expiry otter.ExpiryCalculator[K, V]) cache[K, V] {
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
