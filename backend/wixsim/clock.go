package wixsim

// The clock, which Advance moves.

import (
	"errors"
	"net/http"
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

// Advance moves the clock forward. Tokens expire, trials and the plans whose renewal was
// cancelled end, and the attempts of webhooks that fall due within d are made one after the
// other, each at its own time and with the retries that follow from it, as if d had passed.
// Advance returns when they have ended. A receiver that does not answer delays it by 1.25 s
// per attempt. The error says what is wrong with d, and nothing is moved then.
func (s *Sim) Advance(d time.Duration) error {
	if d < 0 || d > maxTTL {
		return errors.New("advance must be 0 to ten years at a time")
	}
	for now := s.Now(); ; {
		at, ok := s.nextPlanChange(now)
		if !ok || at.Sub(now) > d {
			break
		}
		s.outbox.advance(at.Sub(now))
		s.changePlansAt(at, now)
		d -= at.Sub(now)
		now = at
	}
	s.outbox.advance(d)
	s.publish("clock", s.clockValue())
	return nil
}

// clockValue is the answer of GET /_sim/clock.
func (s *Sim) clockValue() map[string]any {
	return map[string]any{"now": isoTime(s.Now()), "aheadMs": s.clock.offset().Milliseconds()}
}

func (s *Sim) getClock(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.clockValue())
}

func (s *Sim) putClock(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Advance *span   `json:"advance"`
		At      *moment `json:"at"`
	}
	if !ReadJSON(w, r, &in) {
		return
	}
	now := s.Now()
	err := check(
		rule{in.Advance != nil || in.At != nil, "advance or at must be given"},
		rule{in.Advance == nil || in.At == nil, "at and advance exclude each other"},
		rule{in.At == nil || !in.At.Before(now), "at must not be before now, which is " + isoTime(now)},
		rule{in.At == nil || in.At.Sub(now) <= maxTTL, "at must be within ten years from now"},
	)
	if err == nil && in.At != nil {
		err = s.Advance(in.At.Sub(now))
	} else if err == nil {
		err = s.Advance(time.Duration(*in.Advance))
	}
	if err != nil {
		refuse(w, err)
		return
	}
	s.getClock(w, r)
}
