package identity

// The few lines that every cache and every load of this package share.

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
)

// clock lets the caches read the injected time.
type clock struct{ now func() time.Time }

func (c clock) NowNano() int64                        { return c.now().UnixNano() }
func (c clock) Tick(d time.Duration) <-chan time.Time { return time.Tick(d) }

// newCache returns a bounded cache whose entries live as long as life says when
// they are written.
func newCache[K comparable, V any](size int, now func() time.Time, life func(V) time.Duration) *otter.Cache[K, V] {
	return otter.Must(&otter.Options[K, V]{
		MaximumSize: size,
		Clock:       clock{now},
		Logger:      &otter.NoopLogger{},
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[K, V]) time.Duration {
			return max(life(e.Value), 1)
		}),
	})
}

// loads runs the work that may outlive the request that began it.
type loads struct {
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
}

func newLoads() *loads {
	l := new(loads)
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// close ends the loads and waits for them.
func (l *loads) close() {
	l.cancel()
	l.work.Wait()
}

// detach returns a context with the values of ctx that ends only by its own
// timeout or by close.
func (l *loads) detach(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	stop := context.AfterFunc(l.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// await returns what f returns. The caller leaves when its own context ends; f goes
// on for the others who wait for the same.
func await[V any](ctx context.Context, l *loads, f func() (V, error)) (V, error) {
	type result struct {
		value V
		err   error
	}
	done := make(chan result, 1)
	l.work.Go(func() {
		var r result
		defer func() {
			// This goroutine is not the server's, which would have survived a panic.
			if p := recover(); p != nil {
				r.err = fmt.Errorf("panic: %v", p)
			}
			done <- r
		}()
		r.value, r.err = f()
	})
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

func orDiscard(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}
