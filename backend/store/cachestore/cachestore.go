// Package cachestore keeps the rows of another store in memory, so that a known
// instance costs no query.
//
// A row is kept until it changes. Every write goes to the store behind and then
// drops the row; nothing is ever put into the cache but what a load has read, and
// the cache discards a load during which the row was dropped. So once a write has
// returned, nobody is told what was there before it.
//
// What other processes write is told to Invalidate. While nobody can tell it, the
// store is not trusted (Trust), and a row older than UntrustedAge is read again.
package cachestore

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/nametag-dev/nametag/backend/instance"
)

const (
	// DefaultSize is how many rows are kept unless Options says otherwise.
	DefaultSize = 10_000
	// UntrustedAge is how old a row may be while the store is not trusted.
	UntrustedAge = 5 * time.Second
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
	// Now is the clock for MaxAge and UntrustedAge.
	Now func() time.Time
}

// Storage is what a Store stands in front of.
type Storage interface {
	instance.Store
	instance.Inbox
}

// inbox makes the calls of Storage that change no instance the Store's own.
type inbox = instance.Inbox

// Store is a Storage in front of another, whose Close closes both.
type Store struct {
	inbox
	inner  Storage
	cache  *otter.Cache[string, *entry]
	load   otter.Loader[string, *entry]
	log    *slog.Logger
	now    func() time.Time
	trust  trust
	closed atomic.Bool
}

var _ Storage = (*Store)(nil)

// New returns a Store in front of inner. It is trusted.
func New(inner Storage, o Options) *Store {
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
	s := &Store{inbox: inner, inner: inner, cache: otter.Must(config), log: o.Logger, now: o.Now}
	s.load = otter.LoaderFunc[string, *entry](func(ctx context.Context, id string) (*entry, error) {
		e := &entry{trust: s.trust.of(), readAt: s.now()} // before it is read, to be no younger than it says
		row, err := inner.Find(ctx, id)
		if err != nil {
			return nil, err // not kept: an instance may come at any moment
		}
		e.row = row
		return e, nil
	})
	return s
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
// the same and the failure is logged: a full disk must not stop those who read. A
// visit that revives a removed instance has to be written.
func (s *Store) Seen(ctx context.Context, v instance.Visit) (instance.Instance, error) {
	e, err := s.entry(ctx, v.InstanceID)
	if err != nil && !errors.Is(err, instance.ErrNotFound) {
		return instance.Instance{}, err
	}
	if err != nil || e.revives(v) {
		defer s.cache.Invalidate(v.InstanceID)
		return s.inner.Seen(ctx, v)
	}
	if e.current(v) || !e.claim(v.SiteID, v.At) {
		return e.own(), nil
	}
	touch, cancel := context.WithTimeout(ctx, TouchTimeout)
	defer cancel()
	row, err := s.inner.Seen(touch, v)
	switch {
	case err == nil:
		s.cache.Invalidate(v.InstanceID)
		return row, nil
	case s.closed.Load():
		return instance.Instance{}, errClosed
	case ctx.Err() != nil:
		e.release()
		return instance.Instance{}, err
	}
	e.postpone(v.At)
	s.log.WarnContext(ctx, "recording that an instance was seen failed", "instance", v.InstanceID, "err", err)
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

// ApplyEvent implements instance.Inbox.
func (s *Store) ApplyEvent(ctx context.Context, e instance.Event, now time.Time) (instance.Instance, instance.Change, error) {
	defer s.cache.Invalidate(e.InstanceID)
	return s.inner.ApplyEvent(ctx, e, now)
}

// PurgeRemoved implements instance.Inbox.
func (s *Store) PurgeRemoved(ctx context.Context, before time.Time) ([]string, error) {
	purged, err := s.inner.PurgeRemoved(ctx, before)
	if err != nil {
		s.InvalidateAll() // which ones are gone is not known for sure
	}
	for _, id := range purged {
		s.cache.Invalidate(id)
	}
	return purged, err
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

// InvalidateAll drops every row, when what was changed elsewhere is not known.
// Whoever asks after it has returned gets what is stored now.
func (s *Store) InvalidateAll() {
	s.trust.renew()
	s.cache.InvalidateAll()
}

// Trust says whether every change made elsewhere is told to Invalidate from now on.
// While it is not, a row that was read longer than UntrustedAge ago is read again. What
// was missed meanwhile is for InvalidateAll.
func (s *Store) Trust(trusted bool) { s.trust.set(trusted) }

func (s *Store) entry(ctx context.Context, id string) (*entry, error) {
	if s.closed.Load() {
		return nil, errClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e, err := s.cache.Get(ctx, id, s.load)
	if err != nil || s.trust.holds(e.trust) {
		return e, err
	}
	return s.doubted(ctx, id, e)
}

// doubted returns e if it is good enough, or an entry that is.
func (s *Store) doubted(ctx context.Context, id string, e *entry) (*entry, error) {
	oldest := s.now().Add(-UntrustedAge)
	for !s.trust.valid(e.trust) || !e.readAt.After(oldest) {
		e.drop.Do(func() { s.cache.Invalidate(id) })
		var err error
		if e, err = s.cache.Get(ctx, id, s.load); err != nil {
			return nil, err
		}
	}
	return e, nil
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

// own is the row with nothing in it that the cache or another caller holds.
func (e *entry) own() instance.Instance {
	row := e.row
	row.Profile.Languages = slices.Clone(row.Profile.Languages)
	return row
}
