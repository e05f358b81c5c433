package wixsim

// The clock, which Advance moves.

import (
	"errors"
	"sync/atomic"
	"time"
)

// clock is Config.Now plus what Advance has added.
type clock struct {
	base  func() time.Time
	added atomic.Int64 // a time.Duration
}

func (c *clock) now() time.Time { return c.base().Add(c.offset()) }

func (c *clock) offset() time.Duration { return time.Duration(c.added.Load()) }

func (c *clock) set(offset time.Duration) { c.added.Store(int64(offset)) }

func (c *clock) advance(d time.Duration) { c.added.Add(int64(d)) }

// Now returns the time of this Wix: Config.Now plus what Advance has added.
func (s *Sim) Now() time.Time { return s.clock.now() }

// Advance moves the clock forward. Tokens expire, and the attempts of webhooks that fall
// due within d are made one after the other, each at its own time and with the retries that
// follow from it, as if d had passed. Advance returns when they have ended. A receiver that
// does not answer delays it by 1.25 s per attempt. The error says what is wrong with d, and
// nothing is moved then.
func (s *Sim) Advance(d time.Duration) error {
	if d < 0 || d > maxTTL {
		return errors.New("the clock can be advanced by 0 to ten years at a time")
	}
	s.outbox.advance(d)
	return nil
}
