package simulation

// The guards that a run may be without, to see that some run notices.

import (
	"context"
	"fmt"
	"time"

	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
)

// mutant is what is wrong in a run.
type mutant string

const (
	none mutant = ""
	// storesRepeats does not recognize a repeated delivery.
	storesRepeats mutant = "stores repeats"
	// trustsOrder takes an event that comes later for a newer one.
	trustsOrder mutant = "trusts the order of delivery"
	// acknowledgesEarly answers before the event is stored.
	acknowledgesEarly mutant = "acknowledges early"
	// ignoresRemovals applies no removal.
	ignoresRemovals mutant = "ignores removals"
	// admitsRemoved does not look at whether the app was removed.
	admitsRemoved mutant = "admits tokens of removed instances"
	// forgetsRemovals does not remember a removal after the app was installed again.
	forgetsRemovals mutant = "forgets removals"
	// notifiesNobody sends no change notification.
	notifiesNobody mutant = "notifies nobody"
	// trustsSilence does not notice that no notification comes.
	trustsSilence mutant = "trusts silence"
	// regainsBlindly keeps what was cached while notifications were lost.
	regainsBlindly mutant = "regains blindly"
	// leasesForever leaves to the dead what they have begun.
	leasesForever mutant = "leases forever"
	// buriesAtOnce gives up after the first failure.
	buriesAtOnce mutant = "buries at once"
	// trustsClocks dates what Wix reports by the clock of the replica, whatever is stored.
	trustsClocks mutant = "trusts clocks"
	// mixesRows returns the row of another instance at times.
	mixesRows mutant = "mixes rows"
	// savesOver saves settings whatever their version is.
	savesOver mutant = "saves over"
	// forgetsBudget has a new budget for each call of Wix.
	forgetsBudget mutant = "forgets the budget"
)

// mutants are all of them, each with a seed that has noticed it, to be tried first.
func mutants() map[mutant]uint64 {
	return map[mutant]uint64{
		storesRepeats: 1, trustsOrder: 0, acknowledgesEarly: 0, ignoresRemovals: 0, admitsRemoved: 6, forgetsRemovals: 6, notifiesNobody: 5, trustsSilence: 6,
		regainsBlindly: 26, leasesForever: 4, buriesAtOnce: 1, trustsClocks: 215, mixesRows: 3, savesOver: 97, forgetsBudget: 1,
	}
}

// reads is what is read of an instance.
func (m mutant) reads(w *world, row instance.Instance) instance.Instance {
	switch {
	case m == admitsRemoved:
		row.RemovedAt, row.LastRemovedAt = time.Time{}, time.Time{}
	case m == forgetsRemovals:
		row.LastRemovedAt = time.Time{}
	case m == mixesRows && row.ID == siteID(0) && w.spread(10, "mix") == 0:
		if other, found := w.db.stored(siteID(1)); found {
			return other
		}
	}
	return row
}

// accepts is what is stored of an event.
func (m mutant) accepts(w *world, e instance.Event) instance.Event {
	if m == storesRepeats {
		e.ID = fmt.Sprint(e.ID, " ", int64(w.spread(time.Hour, "repeat", e.ID)))
	}
	return e
}

// applies is what is applied of an event.
func (m mutant) applies(e instance.Event) instance.Event {
	switch {
	case m == trustsOrder:
		e.At = e.ReceivedAt
	case m == ignoresRemovals && e.Kind == instance.EventRemoved:
		e.Kind = instance.EventOther
	}
	return e
}

// lease is for how long a job is claimed.
func (m mutant) lease(d time.Duration) time.Duration {
	if m == leasesForever {
		return 1000 * time.Hour
	}
	return d
}

// version is the version over which settings are saved.
func (m mutant) version(l *link, id string, version int64) int64 {
	if m == savesOver {
		if row, found := l.stored(id); found {
			return row.Version
		}
	}
	return version
}

// forgotten makes one call with a budget of its own.
func (w *world) forgotten(r *replica, s step) func() {
	v, err := identity.New(r.identity())
	if err != nil {
		panic(err)
	}
	_, _ = v.Refresh(context.Background(), siteID(s.site)) // what matters is that it asks Wix
	return v.Close
}
