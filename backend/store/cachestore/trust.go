// Whether the rows that were read so far may still be believed.

package cachestore

import "sync/atomic"

// trust is a number of which the lowest bit says that the store is not trusted, and
// the others count how often everything was dropped. A row remembers the number of
// the moment it began to be read with the lowest bit cleared, so that a single
// comparison shows that all is well.
type trust struct{ state atomic.Uint64 }

const untrusted = 1

// of is the number for a row that begins to be read.
func (t *trust) of() uint64 { return t.state.Load() &^ untrusted }

// holds says that nothing has happened since a row was read.
func (t *trust) holds(row uint64) bool { return t.state.Load() == row }

// valid says that a row has not been dropped since, be it trusted or not.
func (t *trust) valid(row uint64) bool { return t.of() == row }

// renew drops all rows.
func (t *trust) renew() { t.state.Add(2) }

func (t *trust) set(trusted bool) {
	if trusted {
		t.state.And(^uint64(untrusted))
	} else {
		t.state.Or(untrusted)
	}
}
