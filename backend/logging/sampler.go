package logging

// Lines that repeat themselves.

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// Of lines that are alike, writeFirst are written in each period. A period that drops
	// lines is followed by one of twice its length, from firstPeriod up to lastPeriod.
	writeFirst  = 10
	firstPeriod = 10 * time.Second
	lastPeriod  = 5 * time.Minute
	// maxKinds bounds the memory. Further kinds of lines count as one.
	maxKinds = 500
)

// kind is what lines that are alike have in common. Whatever a stranger can choose, such as
// an address or an id, is an attribute and no part of the message.
type kind struct{ message, code string }

// sampler is a slog.Handler that drops lines, counts them, and reports how many there were
// when their period ends. Its clock is the time of the records, and timers.
type sampler struct {
	next  slog.Handler
	code  string // of WithAttrs
	state *samples
}

type samples struct {
	report slog.Handler // sampler.next without attributes

	mu    sync.Mutex
	kinds map[kind]*period
}

// period counts the lines of one kind.
type period struct {
	kind
	level            slog.Level // of the gravest line dropped
	end              time.Time
	length           time.Duration
	written, dropped int
	flooded          bool        // lines were dropped, reported or not
	timer            *time.Timer // reports at the end, if lines were dropped
}

func newSampler(next slog.Handler) sampler {
	return sampler{next: next, state: &samples{report: next, kinds: make(map[kind]*period)}}
}

func (s sampler) Enabled(ctx context.Context, level slog.Level) bool {
	return s.next.Enabled(ctx, level)
}

func (s sampler) Handle(ctx context.Context, r slog.Record) error {
	k := kind{r.Message, s.code}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "code" {
			k.code = a.Value.String()
		}
		return a.Key != "code"
	})
	if !s.state.admit(k, r.Level, r.Time) {
		return nil
	}
	return s.next.Handle(ctx, r)
}

func (s sampler) WithAttrs(attrs []slog.Attr) slog.Handler {
	s.next = s.next.WithAttrs(attrs)
	for _, a := range attrs {
		if a.Key == "code" {
			s.code = a.Value.String()
		}
	}
	return s
}

func (s sampler) WithGroup(name string) slog.Handler {
	s.next = s.next.WithGroup(name)
	return s
}

// admit reports whether a line may be written, and counts it.
func (s *samples) admit(k kind, level slog.Level, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.period(k, at)
	if p.written < writeFirst {
		p.written++
		return true
	}
	p.dropped++
	p.level = max(p.level, level)
	if p.timer == nil {
		p.flooded, p.level = true, level
		p.timer = time.AfterFunc(p.end.Sub(at), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.close(p)
		})
	}
	return false
}

// period returns the current period of a kind.
func (s *samples) period(k kind, at time.Time) *period {
	if s.kinds[k] == nil && len(s.kinds) >= maxKinds {
		for k, p := range s.kinds {
			if !at.Before(p.end) {
				s.close(p)
				delete(s.kinds, k)
			}
		}
		if len(s.kinds) >= maxKinds {
			k = kind{message: "(lines of many kinds)"}
		}
	}
	p := s.kinds[k]
	// A clock that was set back must not make a period endless.
	if p != nil && at.Before(p.end) && p.end.Sub(at) <= p.length {
		return p
	}
	next := &period{kind: k, length: firstPeriod}
	if p != nil {
		if p.flooded {
			next.length = min(2*p.length, lastPeriod)
		}
		s.close(p)
	}
	next.end = at.Add(next.length)
	s.kinds[k] = next
	return next
}

// close reports what a period has dropped, once.
func (s *samples) close(p *period) {
	if p.timer == nil {
		return
	}
	p.timer.Stop()
	p.timer = nil
	r := slog.NewRecord(time.Now(), p.level, "more lines like this were dropped", 0)
	r.AddAttrs(slog.String("message", p.message))
	if p.code != "" {
		r.AddAttrs(slog.String("code", p.code))
	}
	r.AddAttrs(slog.Int("dropped", p.dropped), slog.String("within", p.length.String()))
	p.dropped = 0
	if ctx := context.Background(); s.report.Enabled(ctx, p.level) {
		_ = s.report.Handle(ctx, r) // as slog does with an error
	}
}

// flush closes all periods.
func (s *samples) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.kinds {
		s.close(p)
	}
}
