// Package memstore keeps instances in memory, for tests and the demo.
package memstore

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

var (
	errClosed = errors.New("the memory store is closed")
	errNoID   = errors.New("an instance needs an id")
)

// Store is an instance.Store and instance.Inbox whose rows live as long as it does.
type Store struct {
	mu     sync.Mutex
	rows   map[string]instance.Instance
	jobs   map[string]*job
	closed bool
}

var _ instance.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store { return &Store{rows: map[string]instance.Instance{}, jobs: map[string]*job{}} }

// lock is how every call begins. The caller unlocks s.mu if there is no error.
func (s *Store) lock(ctx context.Context) error {
	s.mu.Lock()
	err := ctx.Err()
	if s.closed {
		err = errClosed
	}
	if err != nil {
		s.mu.Unlock()
	}
	return err
}

// Find implements instance.Store.
func (s *Store) Find(ctx context.Context, id string) (instance.Instance, error) {
	if err := s.lock(ctx); err != nil {
		return instance.Instance{}, err
	}
	defer s.mu.Unlock()
	row, known := s.rows[id]
	if !known {
		return instance.Instance{}, instance.ErrNotFound
	}
	return own(row), nil
}

// Seen implements instance.Store.
func (s *Store) Seen(ctx context.Context, v instance.Visit) (instance.Instance, error) {
	if v.InstanceID == "" {
		return instance.Instance{}, errNoID
	}
	if err := s.lock(ctx); err != nil {
		return instance.Instance{}, err
	}
	defer s.mu.Unlock()
	v.At, v.IssuedAt = exact(v.At), exact(v.IssuedAt)
	row, known := s.rows[v.InstanceID]
	if known {
		row.Record(v)
	} else {
		row = instance.NewInstance(v.InstanceID, v.At)
		row.SiteID, row.StatusAt = v.SiteID, v.IssuedAt
	}
	s.rows[v.InstanceID] = row
	return own(row), nil
}

// SaveSettings implements instance.Store.
func (s *Store) SaveSettings(ctx context.Context, id string, settings instance.Settings, version int64) (instance.Instance, error) {
	if err := s.lock(ctx); err != nil {
		return instance.Instance{}, err
	}
	defer s.mu.Unlock()
	row, known := s.rows[id]
	if !known {
		return instance.Instance{}, instance.ErrNotFound
	}
	if row.Version != version {
		return instance.Instance{}, &instance.Error{Code: instance.CodeVersionConflict}
	}
	row.Settings = settings
	row.Version++
	s.rows[id] = row
	return own(row), nil
}

// SaveProfile implements instance.Store.
func (s *Store) SaveProfile(ctx context.Context, id string, p instance.Profile, at time.Time) (instance.Instance, error) {
	if err := s.lock(ctx); err != nil {
		return instance.Instance{}, err
	}
	defer s.mu.Unlock()
	row, known := s.rows[id]
	if !known {
		return instance.Instance{}, instance.ErrNotFound
	}
	if at = exact(at); !at.Before(row.ProfileAt) {
		p.Languages = slices.Clone(p.Languages)
		if row.PlanAt.After(at) {
			p.Plan = row.Profile.Plan
		} else {
			row.PlanAt = at
		}
		row.Profile, row.ProfileAt = p, at
		s.rows[id] = row
	}
	return own(row), nil
}

// Delete implements instance.Store.
func (s *Store) Delete(ctx context.Context, id string) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.forget(id)
	return nil
}

// forget is Delete under the lock.
func (s *Store) forget(id string) {
	delete(s.rows, id)
	maps.DeleteFunc(s.jobs, func(_ string, j *job) bool { return j.InstanceID == id })
}

// Ping implements instance.Store.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	s.mu.Unlock()
	return nil
}

// Close forgets everything.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows, s.jobs, s.closed = nil, nil, true
	return nil
}

// exact is the time as the store keeps it.
func exact(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }

// own returns a row that shares nothing with the stored one.
func own(row instance.Instance) instance.Instance {
	row.Profile.Languages = slices.Clone(row.Profile.Languages)
	return row
}
