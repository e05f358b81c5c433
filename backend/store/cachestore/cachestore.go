// Package cachestore keeps the rows of another instance.Store in memory, so that a
// known instance costs no query.
//
// A row is kept until it changes. Every write goes to the store behind and then
// drops the row; nothing is ever put into the cache but what a load has read, and
// the cache discards a load during which the row was dropped. So once a write has
// returned, nobody is told what was there before it.
package cachestore

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"nametag/backend/instance"
)

const (
	// DefaultSize is how many rows are kept unless Options says otherwise.
	DefaultSize = 10_000
	// TouchTimeout bounds a write whose only news is that a known instance was seen:
	// the caller who does it for all gets the row without it.
	TouchTimeout = time.Second
)

var errClosed = errors.New("the store is closed")

// Options may be left zero.
type Options struct {
	// Size is how many rows are kept at most.
	Size int
	// MaxAge is how long a row is kept at most. 0 is without end, which is right
	// where every change is made through this store or told to Invalidate.
	MaxAge time.Duration
	// Logger hears of writes that failed without their caller being told.
	Logger *slog.Logger
	// Now is the clock for MaxAge.
	Now func() time.Time
}

// Store is an instance.Store in front of another, whose Close closes both.
type Store struct {
	inner  instance.Store
	cache  *otter.Cache[string, *entry]
	load   otter.Loader[string, *entry]
	log    *slog.Logger
	closed atomic.Bool
}

var _ instance.Store = (*Store)(nil)

// New returns a Store in front of inner.
func New(inner instance.Store, o Options) *Store {
	if o.Size <= 0 {
		o.Size = DefaultSize
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	config := &otter.Options[string, *entry]{MaximumSize: o.Size, Logger: cacheLog{o.Logger}}
	if o.MaxAge > 0 {
		config.ExpiryCalculator = otter.ExpiryWriting[string, *entry](o.MaxAge)
		config.Clock = clock(o.Now)
	}
	return &Store{
		inner: inner,
		cache: otter.Must(config),
		load: otter.LoaderFunc[string, *entry](func(ctx context.Context, id string) (*entry, error) {
			row, err := inner.Find(ctx, id)
			if err != nil {
				return nil, err // not kept: an instance may come at any moment
			}
			return &entry{row: row}, nil
		}),
		log: o.Logger,
	}
}

// Find implements instance.Store. Callers that miss the same row at once cause one
// query.
func (s *Store) Find(ctx context.Context, id string) (instance.Instance, error) {
	e, err := s.entry(ctx, id)
	if err != nil {
		return instance.Instance{}, err
	}
	return e.own(), nil
}

// Seen implements instance.Store. When LastSeen is due, one caller writes it while
// the others get the row as it was. If that write fails, the caller gets the row all
// the same and the failure is logged: a full disk must not stop those who read.
func (s *Store) Seen(ctx context.Context, id, siteID string, at time.Time) (instance.Instance, error) {
	e, err := s.entry(ctx, id)
	if errors.Is(err, instance.ErrNotFound) {
		defer s.cache.Invalidate(id)
		return s.inner.Seen(ctx, id, siteID, at)
	}
	if err != nil {
		return instance.Instance{}, err
	}
	if e.current(siteID, at) || !e.claim(siteID, at) {
		return e.own(), nil
	}
	touch, cancel := context.WithTimeout(ctx, TouchTimeout)
	defer cancel()
	row, err := s.inner.Seen(touch, id, siteID, at)
	switch {
	case err == nil:
		s.cache.Invalidate(id)
		return row, nil
	case s.closed.Load():
		return instance.Instance{}, errClosed
	case ctx.Err() != nil:
		e.release()
		return instance.Instance{}, err
	}
	e.postpone(at)
	s.log.WarnContext(ctx, "recording that an instance was seen failed", "instance", id, "err", err)
	return e.own(), nil
}

// SaveSettings implements instance.Store.
func (s *Store) SaveSettings(ctx context.Context, id string, settings instance.Settings, version int64) (instance.Instance, error) {
	// Dropped whatever the outcome: after an error the row may have changed too, and
	// a conflict shows that the one kept here may be behind.
	defer s.cache.Invalidate(id)
	return s.inner.SaveSettings(ctx, id, settings, version)
}

// SaveProfile implements instance.Store.
func (s *Store) SaveProfile(ctx context.Context, id string, p instance.Profile, at time.Time) (instance.Instance, error) {
	defer s.cache.Invalidate(id)
	return s.inner.SaveProfile(ctx, id, p, at)
}

// Delete implements instance.Store.
func (s *Store) Delete(ctx context.Context, id string) error {
	defer s.cache.Invalidate(id)
	return s.inner.Delete(ctx, id)
}

// Ping implements instance.Store: it asks the store behind.
func (s *Store) Ping(ctx context.Context) error { return s.inner.Ping(ctx) }

// Close closes the store behind, too.
func (s *Store) Close() error {
	s.closed.Store(true)
	return s.inner.Close()
}

// Invalidate drops a row that was changed elsewhere. Whoever asks after it has
// returned gets what is stored now.
func (s *Store) Invalidate(id string) { s.cache.Invalidate(id) }

func (s *Store) entry(ctx context.Context, id string) (*entry, error) {
	if s.closed.Load() {
		return nil, errClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.cache.Get(ctx, id, s.load)
}

// own is the row with nothing in it that the cache or another caller holds.
func (e *entry) own() instance.Instance {
	row := e.row
	row.Profile.Languages = slices.Clone(row.Profile.Languages)
	return row
}

// clock tells the cache the time. It has no ticks: what is too old is noticed when
// it is asked for, and what is never asked for again is pushed out by Size.
type clock func() time.Time

func (c clock) NowNano() int64                    { return c().UnixNano() }
func (clock) Tick(time.Duration) <-chan time.Time { return nil }

// cacheLog hands on what the cache itself complains of.
type cacheLog struct{ log *slog.Logger }

func (l cacheLog) Warn(ctx context.Context, msg string, err error) {
	l.log.WarnContext(ctx, msg, "err", err)
}

func (l cacheLog) Error(ctx context.Context, msg string, err error) {
	l.log.ErrorContext(ctx, msg, "err", err)
}
