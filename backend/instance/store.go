package instance

import (
	"context"
	"errors"
	"time"
)

// SeenEvery is how exact LastSeen is: a caller who comes again within it causes
// no write.
const SeenEvery = 5 * time.Minute

// ErrNotFound says that the store holds no such instance.
var ErrNotFound = errors.New("no such instance")

// Visit is a verified caller coming.
type Visit struct {
	InstanceID, SiteID string
	// IssuedAt is when Wix made the caller's token, or zero when Wix did not tell.
	IssuedAt time.Time
	At       time.Time
}

// Store keeps instances. All times are given by the caller and returned in UTC,
// exact to the millisecond. It is safe for concurrent use. What it returns is the
// caller's own: changing it changes nothing in the store.
type Store interface {
	// Find returns an instance, or ErrNotFound.
	Find(ctx context.Context, id string) (Instance, error)

	// Seen records that a verified caller of the instance came, and returns it: a new
	// one is NewInstance with the visit's SiteID, and StatusAt from IssuedAt; a known one is changed
	// by Instance.Record. A visit that is not admitted (Instance.Admits) changes
	// nothing, and the instance is returned with its RemovedAt. An empty InstanceID is
	// an error.
	Seen(ctx context.Context, v Visit) (Instance, error)

	// SaveSettings replaces the settings of an existing instance, if its Version
	// is still the given one, and returns the instance with its new Version. A
	// stale version is an *Error with CodeVersionConflict and nothing is written.
	SaveSettings(ctx context.Context, id string, s Settings, version int64) (Instance, error)

	// SaveProfile records what Wix said of an existing instance at the given time,
	// and returns the instance. News older than what is stored changes nothing (of
	// the same time, it replaces); the plan is kept when PlanAt is later than the news,
	// and PlanAt becomes the news' time when it is not.
	SaveProfile(ctx context.Context, id string, p Profile, at time.Time) (Instance, error)

	// Delete forgets an instance and all that is held on it, its jobs included. An instance that is
	// not there is no error.
	Delete(ctx context.Context, id string) error

	// Ping says whether the store can be reached.
	Ping(ctx context.Context) error

	Close() error
}
