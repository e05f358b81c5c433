// One kept row, and who is about to write that its instance was seen.

package cachestore

import (
	"cmp"
	"sync"
	"time"

	"nametag/backend/instance"
)

// retryAfter is how long nobody tries again after such a write has failed.
const retryAfter = 30 * time.Second

// entry is a row as it was read. The row is never changed; the claim on it is.
type entry struct {
	row instance.Instance

	mu sync.Mutex
	// claimedAt and claimedSite are what the newest write that was begun says, and
	// claimedAt is zero if none was.
	claimedAt   time.Time
	claimedSite string
}

// current reports that a caller at that time from that site has no news.
func (e *entry) current(siteID string, at time.Time) bool {
	return at.Sub(e.row.LastSeen) < instance.SeenEvery && (siteID == "" || siteID == e.row.SiteID)
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
