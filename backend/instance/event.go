package instance

import (
	"encoding/json"
	"time"
)

// EventKind is what an event means for an instance.
type EventKind string

const (
	// EventInstalled is the app being installed on the site.
	EventInstalled EventKind = "installed"
	// EventRemoved is the app being removed from the site.
	EventRemoved EventKind = "removed"
	// EventPlan is a change of the paid plan to Event.Plan.
	EventPlan EventKind = "plan"
	// EventBilling is news of the plan's billing that leaves the plan as it is, such
	// as a cancelled renewal: the plan is kept until the end of what was paid for.
	EventBilling EventKind = "billing"
	// EventOther is an event of a type that Nametag does not know. It is kept, and
	// changes nothing.
	EventOther EventKind = "other"
)

// Event is what Wix told of an instance in a webhook. Its JSON is what an export holds.
type Event struct {
	// ID is the same for every delivery of one webhook: the SHA-256 of its JWT, in hex.
	ID         string    `json:"id"`
	InstanceID string    `json:"instanceId"`
	Kind       EventKind `json:"kind"`
	// Type is Wix's own name of the event, such as "AppInstalled".
	Type string `json:"type"`
	// At is when it happened, by Wix's clock. Deliveries come late, twice and in any
	// order; this alone decides which of two events is the newer. Never zero.
	At time.Time `json:"at"`
	// Plan is the plan's id, for EventPlan. "" is the free plan.
	Plan string `json:"plan,omitempty"`
	// OriginID is the instance of the site that this site was copied from, or "".
	OriginID string `json:"originInstanceId,omitempty"`
	// Payload is the event's own JSON object.
	Payload json.RawMessage `json:"payload,omitempty"`
	// ReceivedAt is when the delivery reached us, by our clock.
	ReceivedAt time.Time `json:"receivedAt"`
}

// Change is what an event did to an instance.
type Change struct {
	// Removed and Revived say that the instance has just become removed, or installed
	// again after a removal.
	Removed, Revived bool
	// Plan says that the plan is another one now.
	Plan bool
	// Copy says that the settings of the instance OriginID are to be taken over, if
	// it has saved any.
	Copy bool
	// Reread says that the app instance should be read from Wix again, which is the
	// truth about plans.
	Reread bool
}

// Apply brings an instance up to date with an event. Whatever the order in which
// events come, and however often, the end is the one that their own times give: of
// two events about the same thing the newer wins; of two at the same moment, a
// removal over an installation, and the later plan by name. The origin alone is the
// one that was told first: a site is a copy of one other.
func (i *Instance) Apply(e Event) Change {
	var c Change
	switch e.Kind {
	case EventInstalled:
		if e.OriginID != "" && i.OriginID == "" {
			i.OriginID = e.OriginID
			c.Copy = i.Version == 0
		}
		c.Revived = i.install(e.At)
		c.Reread = true
	case EventRemoved:
		if !e.At.Before(i.StatusAt) {
			c.Removed = i.RemovedAt.IsZero()
			i.RemovedAt, i.StatusAt = e.At, e.At
		}
	case EventPlan:
		c.Reread = true
		if e.At.After(i.PlanAt) || e.At.Equal(i.PlanAt) && e.Plan > i.Profile.Plan.Name {
			plan := Plan{Name: e.Plan, Free: e.Plan == ""}
			c.Plan = i.PlanAt.IsZero() || i.Profile.Plan != plan
			i.Profile.Plan, i.PlanAt = plan, e.At
		}
	case EventBilling:
		c.Reread = true
	}
	return c
}

// install records that the app was installed at a moment, and says whether that
// ended a removal.
func (i *Instance) install(at time.Time) (revived bool) {
	if !at.After(i.StatusAt) {
		return false
	}
	revived = !i.RemovedAt.IsZero()
	i.RemovedAt, i.StatusAt = time.Time{}, at
	return revived
}

// Admits says whether a token that Wix issued at a moment speaks for the instance. A
// token from before a removal does not; one from after it shows that the app has
// been installed again. When Wix did not tell the moment (the zero time), a removed
// instance stays removed.
func (i *Instance) Admits(issued time.Time) bool {
	return i.RemovedAt.IsZero() || issued.After(i.RemovedAt)
}

// Record takes a visit into account, and says whether that is worth writing down. A
// token from after a removal revives the instance; one from before it changes nothing.
func (i *Instance) Record(v Visit) (changed bool) {
	if !i.Admits(v.IssuedAt) {
		return false
	}
	if !i.RemovedAt.IsZero() {
		changed = i.install(v.IssuedAt)
	}
	if v.SiteID != "" && v.SiteID != i.SiteID {
		i.SiteID, changed = v.SiteID, true
	}
	if changed || v.At.Sub(i.LastSeen) >= SeenEvery {
		// A token is news that the app was installed when Wix issued it: a removal from
		// before, delivered late, must not take the instance away.
		i.install(v.IssuedAt)
		if v.At.After(i.LastSeen) {
			i.LastSeen = v.At
		}
		changed = true
	}
	return changed
}

// NewInstance is an instance of which only the id is known, since a moment.
func NewInstance(id string, at time.Time) Instance {
	return Instance{ID: id, FirstSeen: at, LastSeen: at, Settings: DefaultSettings()}
}
