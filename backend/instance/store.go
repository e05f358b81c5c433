package instance

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// SeenEvery is the precision of LastSeen: a caller who comes again within it causes no
// write.
const SeenEvery = 5 * time.Minute

// ErrNotFound means that the store has no such instance.
var ErrNotFound = errors.New("no such instance")

// ErrVersionConflict means that someone else saved the settings first.
var ErrVersionConflict = errors.New("the settings have another version")

// ErrRemoved means that the app has been removed from the instance's site.
var ErrRemoved = errors.New("the app was removed from the site")

// Visit is a request of a verified caller.
type Visit struct {
	InstanceID, SiteID string
	// IssuedAt is when Wix issued the caller's token, or zero when Wix did not say.
	IssuedAt time.Time
	At       time.Time
}

// Store stores instances. All times are given by the caller and returned in UTC, to the
// millisecond. It is safe for concurrent use. What it returns belongs to the caller:
// changing it changes nothing in the store.
type Store interface {
	// Find returns an instance, or ErrNotFound.
	Find(ctx context.Context, id string) (Instance, error)

	// Seen records a visit and returns the instance: a new one is NewVisited, a known one
	// is changed by Instance.Visit. A visit that is not admitted (Instance.Admits)
	// changes nothing, and the instance is returned as it is stored. An empty
	// InstanceID is an error.
	Seen(ctx context.Context, v Visit) (Instance, error)

	// SaveSettings replaces the settings of an existing instance, secrets included, if its
	// Version is still the given one, and returns the instance with its new Version. A stale
	// version is ErrVersionConflict, and nothing is written.
	SaveSettings(ctx context.Context, id string, settings json.RawMessage, version int64) (Instance, error)

	// SaveProfile stores what Wix reported about an existing instance at the given time
	// (Instance.ApplyProfile), and returns the instance.
	SaveProfile(ctx context.Context, id string, p Profile, at time.Time) (Instance, error)

	// List returns at most n instances whose id is greater than after, by id.
	List(ctx context.Context, after string, n int) ([]Instance, error)

	// Delete deletes an instance and everything that is stored about it, its jobs
	// included. Deleting an instance that does not exist is no error.
	Delete(ctx context.Context, id string) error

	// PurgeRemoved deletes, as Delete does, the instances that were removed before a
	// time, and returns their ids. An instance that cannot be deleted does not keep the
	// others from it; the error names it.
	PurgeRemoved(ctx context.Context, before time.Time) ([]string, error)

	// Ping checks that the store answers.
	Ping(ctx context.Context) error

	Close() error
}
