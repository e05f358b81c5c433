package api

// The context of one call of a function of the app.

import (
	"context"
	"sync"
)

// callContext ends when the request's context does, and when the call is over. Unlike
// context.WithCancel, it costs next to nothing for a function that does not look at it,
// which is what most answers of get-instance do.
type callContext struct {
	context.Context // the request's

	mu   sync.Mutex
	over bool
	// inner is a child of the request's context from the first look on.
	inner  context.Context
	cancel context.CancelFunc
}

// end makes the call over and runs last, if any, under the lock, so that no one else answers
// the request at the same time. It reports false, and does nothing, if the call was over.
func (c *callContext) end(last func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return false
	}
	c.over = true
	if c.cancel != nil {
		c.cancel()
	}
	if last != nil {
		last()
	}
	return true
}

func (c *callContext) look() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		c.inner, c.cancel = context.WithCancel(c.Context)
		if c.over {
			c.cancel()
		}
	}
	return c.inner
}

// Done implements context.Context.
func (c *callContext) Done() <-chan struct{} { return c.look().Done() }

// Err implements context.Context.
func (c *callContext) Err() error { return c.look().Err() }

// Value implements context.Context. Package context asks for its own cancelable contexts in
// this way, so that it finds inner and need not start a goroutine for each child.
func (c *callContext) Value(key any) any { return c.look().Value(key) }
