// One kept row, and who is about to write that its instance was seen.

package cachestore

import (
	"cmp"
	"sync"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// retryAfter is how long nobody tries again after such a write has failed.
const retryAfter = 30 * time.Second

// entry is a row as it was read. The row is never changed; the claim on it is.
type entry struct {
	row instance.Instance
	// trust is what trust.of was when the row began to be read, at readAt.
	trust  uint64
	readAt time.Time
	// drop takes the row out of the cache once, whoever finds that it is too old.
	drop sync.Once

	mu sync.Mutex
	// claimedAt and claimedSite are what the newest write that was begun says, and
	// claimedAt is zero if none was.
	claimedAt   time.Time
	claimedSite string
}

// revives reports that the instance was removed, and that the caller's token shows
// that it has been installed again.
func (e *entry) revives(v instance.Visit) bool {
	return !e.row.RemovedAt.IsZero() && e.row.Admits(v.IssuedAt)
}

// current reports that a caller who does not revive the instance has no news to be
// written down: what Instance.Record says, without a copy of the row.
func (e *entry) current(v instance.Visit) bool {
	return !e.row.RemovedAt.IsZero() ||
		v.At.Sub(e.row.LastSeen) < instance.SeenEvery && (v.SiteID == "" || v.SiteID == e.row.SiteID)
}

// claim reports that the caller has to write its news, because no other caller is
// already writing, or has written, what makes it no news.
func (e *entry) claim(siteID string, at time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.claimedAt.IsZero() && at.Sub(e.claimedAt) < instance.SeenEvery && (siteID == "" || siteID == e.claimedSite) {
		return false
	}
	if e.claimedAt.IsZero() || at.After(e.claimedAt) {
		e.claimedAt = at
	}
	e.claimedSite = cmp.Or(siteID, e.claimedSite, e.row.SiteID)
	return true
}

// release lets the next caller write.
func (e *entry) release() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.claimedAt, e.claimedSite = time.Time{}, ""
}

// postpone lets the next caller write who comes retryAfter later.
func (e *entry) postpone(at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.claimedAt = at.Add(retryAfter - instance.SeenEvery)
}
