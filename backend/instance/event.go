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
	// EventBilling concerns the plan's billing and leaves the plan as it is, such as a
	// cancelled renewal: the plan stays until the end of the paid period.
	EventBilling EventKind = "billing"
	// EventOther is an event of a type that Nametag does not know. It is stored, and
	// changes nothing.
	EventOther EventKind = "other"

	// EventRevived and EventPlanRefreshed do not come from Wix. The store adds them when
	// it has found such a change otherwise than in an event, so that what reacts to it
	// runs from the job queue.

	// EventRevived means that a token showed that the app has been installed again.
	EventRevived EventKind = "revived"
	// EventPlanRefreshed means that reading Wix showed another plan.
	EventPlanRefreshed EventKind = "plan_refreshed"
)

// Internal reports whether the store itself adds events of this kind.
func (k EventKind) Internal() bool { return k == EventRevived || k == EventPlanRefreshed }

// Event is something that happened to an instance, as a rule what Wix reported in a
// webhook. Its JSON is what an export contains.
type Event struct {
	// ID is the same for every delivery of one webhook: the SHA-256 of its JWT, in hex.
	ID         string    `json:"id"`
	InstanceID string    `json:"instanceId"`
	Kind       EventKind `json:"kind"`
	// Type is Wix's own name of the event, such as "AppInstalled".
	Type string `json:"type"`
	// At is when it happened, by Wix's clock. Deliveries come late, twice and in any
	// order; At alone decides which of two events is the newer. Never zero.
	At time.Time `json:"at"`
	// Plan is the plan's id, for EventPlan. "" is the free plan.
	Plan string `json:"plan,omitempty"`
	// OriginID is the instance of the site that this site was copied from, or "".
	OriginID string `json:"originInstanceId,omitempty"`
	// Payload is the event's own JSON object.
	Payload json.RawMessage `json:"payload,omitempty"`
	// ReceivedAt is when the delivery arrived, by our clock.
	ReceivedAt time.Time `json:"receivedAt"`
}

// Change is what an event did to an instance.
type Change struct {
	// Installed means that the event is an installation which no later removal undoes.
	Installed bool
	// Removed and Revived mean that the instance has just become removed, or installed
	// again after a removal.
	Removed, Revived bool
	// Plan means that the plan is another one now. The first known plan counts.
	Plan bool
	// Copied means that the instance has just become known as a copy of OriginID.
	Copied bool
	// CopySettings means that the origin's settings have to be copied.
	CopySettings bool
	// Refresh means that the app instance should be read from Wix again, because only
	// Wix knows the plan for sure.
	Refresh bool
}

// Apply brings an instance up to date with an event. Whatever the order in which events
// come, and however often, the result is the one that their own times give: of two events
// about the same thing the newer wins; of two at the same moment, a removal wins over an
// installation, and the plan whose name sorts later wins. The origin is the exception: the
// first that is reported stays, because a site is a copy of one other.
func (i *Instance) Apply(e Event) Change {
	var c Change
	switch e.Kind {
	case EventInstalled:
		if e.OriginID != "" && i.OriginID == "" {
			i.OriginID = e.OriginID
			c.Copied = i.OriginID != i.ID
			c.CopySettings = c.Copied && i.Version == 0
		}
		c.Revived = i.install(e.At)
		c.Installed = i.RemovedAt.IsZero()
		c.Refresh = true
	case EventRemoved:
		if e.At.After(i.LastRemovedAt) {
			i.LastRemovedAt = e.At
		}
		if !e.At.Before(i.StatusAt) {
			c.Removed = i.RemovedAt.IsZero()
			i.RemovedAt, i.StatusAt = e.At, e.At
		}
	case EventPlan:
		c.Refresh = true
		if e.At.After(i.PlanAt) || e.At.Equal(i.PlanAt) && e.Plan > i.Profile.Plan.Name {
			c.Plan = i.setPlan(NewPlan(e.Plan), e.At)
		}
	case EventBilling:
		c.Refresh = true
	}
	return c
}

// ApplyProfile brings an instance up to date with what Wix reported at a time. A report
// that is older than the last one changes nothing; one of the same time replaces it. The
// plan stays when PlanAt is later than the report, or the report does not say what it is.
// planChanged means that the plan is another one now; the first known plan counts.
func (i *Instance) ApplyProfile(p Profile, at time.Time) (changed, planChanged bool) {
	if at.Before(i.ProfileAt) {
		return false, false
	}
	reported := p.Plan
	p.Plan = i.Profile.Plan
	i.Profile, i.ProfileAt = p.clone(), at
	if reported.Kind != PlanUnknown && !i.PlanAt.After(at) {
		planChanged = i.setPlan(reported, at)
	}
	return true, planChanged
}

func (i *Instance) setPlan(p Plan, at time.Time) (changed bool) {
	changed = i.PlanAt.IsZero() || i.Profile.Plan != p
	i.Profile.Plan, i.PlanAt = p, at
	return changed
}

// CopySettings takes over the settings of the instance that this one is a copy of, and
// reports whether there were any to copy. Saved settings are never overwritten, and secrets
// are not copied: the copy may belong to someone else.
func (i *Instance) CopySettings(origin Instance) (changed bool) {
	if i.Version > 0 || origin.Version == 0 {
		return false
	}
	i.Settings, i.Version = origin.Settings, 1
	return true
}

// install records that the app was installed at a moment, and reports whether that
// ended a removal.
func (i *Instance) install(at time.Time) (revived bool) {
	if !at.After(i.StatusAt) {
		return false
	}
	revived = !i.RemovedAt.IsZero()
	i.RemovedAt, i.StatusAt = time.Time{}, at
	return revived
}

// Admits reports whether a token that Wix issued at a moment is valid for the instance. A
// token from before a removal is not, even if the app has been installed again since; one
// from after it shows that it has. When Wix did not say when it issued the token (the zero
// time), the instance stays as it is: a removed one admits nobody, an installed one does.
func (i *Instance) Admits(issued time.Time) bool {
	if !i.RemovedAt.IsZero() {
		return issued.After(i.RemovedAt)
	}
	// Wix writes into a token when it was issued in whole seconds.
	return issued.IsZero() || !issued.Before(i.LastRemovedAt.Truncate(time.Second))
}

// Visit records a visit, and reports whether the instance has to be written. A token from
// after a removal revives the instance; one that is not admitted changes nothing.
func (i *Instance) Visit(v Visit) (changed, revived bool) {
	if !i.Admits(v.IssuedAt) {
		return false, false
	}
	if !i.RemovedAt.IsZero() {
		revived = i.install(v.IssuedAt)
		changed = revived
	}
	if v.SiteID != "" && v.SiteID != i.SiteID {
		i.SiteID, changed = v.SiteID, true
	}
	if changed || v.At.Sub(i.LastSeen) >= SeenEvery {
		// The token shows that the app was installed when Wix issued it: an earlier
		// removal that is delivered late must not remove the instance.
		i.install(v.IssuedAt)
		if v.At.After(i.LastSeen) {
			i.LastSeen = v.At
		}
		changed = true
	}
	return changed, revived
}

// NewInstance returns an instance of which only the id is known, since a moment.
func NewInstance(id string, at time.Time) Instance {
	return Instance{ID: id, FirstSeen: at, LastSeen: at}
}

// NewVisited returns the instance that a first visit creates. The visitor's token shows
// that the app was installed when Wix issued it.
func NewVisited(v Visit) Instance {
	i := NewInstance(v.InstanceID, v.At)
	i.SiteID, i.StatusAt = v.SiteID, v.IssuedAt
	return i
}
