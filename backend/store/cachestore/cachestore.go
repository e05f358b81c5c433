// Package cachestore caches the instances of another store in memory, so that a known
// instance costs no query.
//
// A row is cached until it changes. Every write goes to the inner store and then drops the
// row; only a load puts a row into the cache, and the cache discards a load during which
// the row was dropped. So once a write has returned, no caller gets the row of before it.
//
// What other processes write arrives as change notifications, for Invalidate. As long as
// they arrive, a row is known to be true. Once they may be missed (Disconnected), it is
// served for DisconnectedAge more, counted from the moment up to which it was known to be
// true, and then it has to be read again. So a database that goes away takes nothing from
// those who come in that time. Where nothing is notified, MaxAge is what bounds the age of
// a row.
package cachestore

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
)

const (
	// DefaultSize is how many rows are cached unless Options says otherwise.
	DefaultSize = 10_000
	// DisconnectedAge is how long ago a row may have been known to be true while change
	// notifications may be missed.
	DisconnectedAge = 5 * time.Second
	// LoadTimeout bounds the read of one row: callers wait for it.
	LoadTimeout = 3 * time.Second
	// TouchTimeout bounds a write that only records another visit of a known instance:
	// its caller gets the row without it.
	TouchTimeout = time.Second
)

var errClosed = errors.New("the store is closed")

// Options may be left zero.
type Options struct {
	// Size is how many rows are cached at most.
	Size int
	// MaxAge is after how long a row is read again although no change was notified. Where
	// it cannot be read, it is served on if it is known to be true. 0 is without end, which
	// is right where every change is made through this store or notified to Invalidate.
	MaxAge time.Duration
	// Logger receives failed writes that their caller does not see.
	Logger *slog.Logger
	// Now is the clock for MaxAge and DisconnectedAge.
	Now func() time.Time
}

// Storage is what a Store caches.
type Storage interface {
	instance.Store
	instance.Jobs
	kit.DB
}

// The calls of Storage that change no instance are the inner store's own.
type (
	jobs = instance.Jobs
	data = kit.DB
)

// cache is an otter.Cache. As an interface it spares every package that imports this one the
// compilation of otter: a generic type is compiled again wherever a struct with it is known.
type cache interface {
	Get(context.Context, string, otter.Loader[string, *entry]) (*entry, error)
	Invalidate(string) (*entry, bool)
	InvalidateAll()

	// For tests.
	CleanUp()
	EstimatedSize() int
}

// Store is a Storage in front of another, whose Close closes both.
type Store struct {
	jobs
	data
	inner  Storage
	cache  cache
	load   otter.LoaderFunc[string, *entry]
	maxAge time.Duration
	log    *slog.Logger
	now    func() time.Time
	epoch  epoch
	closed atomic.Bool
}

var _ Storage = (*Store)(nil)

// New returns a Store in front of inner. It is connected.
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
	s := &Store{jobs: inner, data: inner, inner: inner, cache: otter.Must(config), maxAge: o.MaxAge, log: o.Logger, now: o.Now}
	s.load = s.read // once, because a method value costs an allocation
	return s
}

// read reads a row from the inner store.
func (s *Store) read(ctx context.Context, id string) (*entry, error) {
	ctx, cancel := context.WithTimeout(ctx, LoadTimeout)
	defer cancel()
	e := &entry{epoch: s.epoch.begin(), readAt: s.now()} // before the read, so that the row is no older than this
	row, err := s.inner.Find(ctx, id)
	if err != nil {
		return nil, err // not cached: an instance may come at any moment
	}
	e.due = e.readAt.Add(s.maxAge)
	e.row = row
	e.row.Encodings = new(instance.Encodings)
	return e, nil
}

// readOr is read, and returns the row as it was if that fails while it is known to be true.
func (s *Store) readOr(old *entry) otter.LoaderFunc[string, *entry] {
	return func(ctx context.Context, id string) (*entry, error) {
		e, err := s.read(ctx, id)
		if err == nil || errors.Is(err, instance.ErrNotFound) {
			return e, err
		}
		now := s.now()
		if !s.epoch.isSame(old.epoch) || now.Sub(s.epoch.knownAt(old.readAt, now)) >= DisconnectedAge {
			return nil, err
		}
		return &entry{row: old.row, epoch: old.epoch, readAt: old.readAt, due: now.Add(retryAfter)}, nil
	}
}

// Find implements instance.Store. Callers that miss the same row at once cause one
// query.
func (s *Store) Find(ctx context.Context, id string) (instance.Instance, error) {
	e, err := s.entry(ctx, id)
	if err != nil {
		return instance.Instance{}, err
	}
	return e.row.Clone(), nil
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
	if e.isUpToDate(v) || !e.claim(v.SiteID, v.At) {
		return e.row.Clone(), nil
	}
	return s.touch(ctx, e, v)
}

// touch writes a claimed visit.
func (s *Store) touch(ctx context.Context, e *entry, v instance.Visit) (instance.Instance, error) {
	short, cancel := context.WithTimeout(ctx, TouchTimeout)
	defer cancel()
	row, err := s.inner.Seen(short, v)
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
	s.log.WarnContext(ctx, "the visit of an instance could not be recorded", "instanceId", v.InstanceID, "cause", err)
	return e.row.Clone(), nil
}

// SaveSettings implements instance.Store.
func (s *Store) SaveSettings(ctx context.Context, id string, settings json.RawMessage, version int64) (instance.Instance, error) {
	// Dropped whatever the outcome: after an error the row may have changed too, and
	// a conflict shows that the cached one may be outdated.
	defer s.cache.Invalidate(id)
	return s.inner.SaveSettings(ctx, id, settings, version)
}

// SaveProfile implements instance.Store.
func (s *Store) SaveProfile(ctx context.Context, id string, p instance.Profile, at time.Time) (instance.Instance, error) {
	defer s.cache.Invalidate(id)
	return s.inner.SaveProfile(ctx, id, p, at)
}

// List implements instance.Store: it reads the inner store.
func (s *Store) List(ctx context.Context, after string, n int) ([]instance.Instance, error) {
	return s.inner.List(ctx, after, n)
}

// Delete implements instance.Store.
func (s *Store) Delete(ctx context.Context, id string) error {
	defer s.cache.Invalidate(id)
	return s.inner.Delete(ctx, id)
}

// PurgeRemoved implements instance.Store.
func (s *Store) PurgeRemoved(ctx context.Context, before time.Time) ([]string, error) {
	purged, err := s.inner.PurgeRemoved(ctx, before)
	if err != nil {
		s.InvalidateAll() // which ones were deleted is not known for sure
	}
	for _, id := range purged {
		s.cache.Invalidate(id)
	}
	return purged, err
}

// ApplyEvent implements instance.Jobs.
func (s *Store) ApplyEvent(ctx context.Context, e instance.Event, now time.Time) (instance.Instance, instance.Change, error) {
	defer s.cache.Invalidate(e.InstanceID)
	return s.inner.ApplyEvent(ctx, e, now)
}

// Write implements kit.DB. Where the inner store says that the instance was removed or
// deleted, the cached row is outdated.
func (s *Store) Write(ctx context.Context, instanceID string, f func(tx kit.Tx) error) error {
	err := s.inner.Write(ctx, instanceID, f)
	if errors.Is(err, instance.ErrNotFound) || errors.Is(err, instance.ErrRemoved) {
		s.cache.Invalidate(instanceID)
	}
	return err
}

// Ping implements instance.Store: it asks the inner store.
func (s *Store) Ping(ctx context.Context) error { return s.inner.Ping(ctx) }

// Close closes the inner store, too.
func (s *Store) Close() error {
	s.closed.Store(true)
	return s.inner.Close()
}

// Invalidate drops a row that was changed elsewhere. A call that begins after it has
// returned gets what is stored now.
func (s *Store) Invalidate(id string) { s.cache.Invalidate(id) }

// InvalidateAll drops every row, when it is not known what was changed elsewhere. A call
// that begins after it has returned gets what is stored now.
func (s *Store) InvalidateAll() {
	s.epoch.advance()
	s.cache.InvalidateAll()
}

// Connected says that every change made elsewhere is notified from now on. Those of before may
// have been missed: call InvalidateAll first.
func (s *Store) Connected() { s.epoch.connect() }

// Disconnected says that changes made elsewhere after since may not be notified, until
// Connected. A row that was read before is served until DisconnectedAge after since, and one
// that is read from now on for DisconnectedAge.
func (s *Store) Disconnected(since time.Time) { s.epoch.disconnect(since) }

func (s *Store) entry(ctx context.Context, id string) (*entry, error) {
	if s.closed.Load() {
		return nil, errClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e, err := s.cache.Get(ctx, id, s.load)
	if err != nil || s.epoch.isCurrent(e.epoch) && (s.maxAge <= 0 || s.now().Before(e.due)) {
		return e, err
	}
	return s.revalidate(ctx, id, e)
}

// revalidate returns e if it may still be served, or else loads the row again.
func (s *Store) revalidate(ctx context.Context, id string, e *entry) (*entry, error) {
	now := s.now()
	for !s.mayServe(e, now) {
		e.drop.Do(func() { s.cache.Invalidate(id) })
		var err error
		if e, err = s.cache.Get(ctx, id, s.readOr(e)); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// mayServe reports whether a row need not be read again.
func (s *Store) mayServe(e *entry, now time.Time) bool {
	switch {
	case !s.epoch.isSame(e.epoch):
		return false
	case s.epoch.isConnected():
		return s.maxAge <= 0 || now.Before(e.due)
	}
	return now.Sub(s.epoch.knownAt(e.readAt, now)) < DisconnectedAge
}

// cacheLog passes the cache's own warnings on.
type cacheLog struct{ log *slog.Logger }

func (l cacheLog) Warn(ctx context.Context, msg string, err error) {
	l.log.WarnContext(ctx, msg, "cause", err)
}

func (l cacheLog) Error(ctx context.Context, msg string, err error) {
	l.log.ErrorContext(ctx, msg, "cause", err)
}
