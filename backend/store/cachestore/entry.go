package cachestore

// One cached row, and the caller who is about to write a visit to it.

import (
	"cmp"
	"sync"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// retryAfter is the pause after such a write has failed.
const retryAfter = 30 * time.Second

// entry is a row as it was read. The row is never changed; the claim on it is.
type entry struct {
	row instance.Instance
	// epoch is what epoch.begin returned when the read of the row began, at readAt.
	epoch  uint64
	readAt time.Time
	// due is when the row is to be read again although no change was notified.
	due time.Time
	// drop takes the row out of the cache once, however many find that it is too old.
	drop sync.Once

	mu sync.Mutex
	// claimedAt and claimedSite are the visit that the newest claimed write records;
	// claimedAt is zero if there was none.
	claimedAt   time.Time
	claimedSite string
}

// revives reports that the instance was removed, and that the caller's token shows
// that the app has been installed again.
func (e *entry) revives(v instance.Visit) bool {
	return !e.row.RemovedAt.IsZero() && e.row.Admits(v.IssuedAt)
}

// isUpToDate reports that a visit which does not revive the instance has not to be
// written: what Instance.Visit reports, without a copy of the row.
func (e *entry) isUpToDate(v instance.Visit) bool {
	return !e.row.Admits(v.IssuedAt) ||
		v.At.Sub(e.row.LastSeen) < instance.SeenEvery && (v.SiteID == "" || v.SiteID == e.row.SiteID)
}

// claim reports that the caller has to write its visit. It does not if another caller is
// writing, or has written, one that covers it.
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
