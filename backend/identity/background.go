package identity

// Calls to Wix that several callers wait for, and that outlive the request that began them.

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// background runs work that may outlive the request that began it.
type background struct {
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
}

func newBackground() *background {
	b := new(background)
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

// close cancels the work and waits for it.
func (b *background) close() {
	b.cancel()
	b.work.Wait()
}

// attach returns a context that ends with ctx, after the timeout, or by close.
func (b *background) attach(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	stop := context.AfterFunc(b.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// detach returns a context with the values of ctx that ends only after the timeout or by
// close.
func (b *background) detach(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return b.attach(context.WithoutCancel(ctx), timeout)
}

// sleep waits for d and returns true. It returns false if close comes first.
func (b *background) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-b.ctx.Done():
		return false
	}
}

// flight is work in progress, for everyone who waits for its result.
type flight[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// launch starts work in the background. After close it fails with context.Canceled.
func launch[V any](b *background, work func() (V, error)) *flight[V] {
	f := &flight[V]{done: make(chan struct{})}
	if f.err = b.ctx.Err(); f.err != nil {
		close(f.done)
		return f
	}
	b.work.Go(func() {
		defer close(f.done)
		f.value, f.err = recovered(work)
	})
	return f
}

// recovered runs work and turns a panic into an error: a panic in a goroutine of this
// package would end the process, unlike one in the goroutine of a request.
func recovered[V any](work func() (V, error)) (value V, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return work()
}

// wait returns the result, or ctx's error when ctx ends first. The work goes on then.
func (f *flight[V]) wait(ctx context.Context) (V, error) {
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}
