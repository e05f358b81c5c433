// Package instance is Nametag's domain: the app instance (one installation of
// the app on one Wix site), its settings and plan, the caller of a request, the
// views that each kind of caller may see, and the errors that all of Nametag
// speaks. It imports nothing else of Nametag.
package instance

import (
	"slices"
	"time"
)

// Role is what a verified caller may see and do.
type Role string

const (
	// Visitor is anyone who looks at a site: token-info's VISITOR, MEMBER, UNKNOWN
	// and whatever subject type Wix adds tomorrow.
	Visitor Role = "visitor"
	// Owner is a Wix user who edits the site: token-info's USER.
	Owner Role = "owner"
	// App is the app's own identity: token-info's APP. It sees what a visitor sees.
	App Role = "app"
)

// Caller is who stands behind a verified access token.
type Caller struct {
	// InstanceID is the app instance (a GUID) that the token was issued for, or
	// "" when Wix named none.
	InstanceID string
	// SiteID is the site (metasite) id, or "".
	SiteID string
	Role   Role
	// IssuedAt is when Wix made the token, or zero when Wix did not tell.
	IssuedAt time.Time
	// Expires is when the token stops being valid. It is never zero.
	Expires time.Time
}

// Plan is the paid plan of an instance.
type Plan struct {
	// Name is the plan's id in the app dashboard (Wix's packageName, the same as
	// vendorProductId), or "" for the free plan.
	Name string `json:"name"`
	Free bool   `json:"isFree"`
}

// Profile is what Wix last said of an instance, as far as Nametag keeps it.
type Profile struct {
	Plan            Plan     `json:"plan"`
	Locale          string   `json:"locale"`   // ISO 639-1
	Currency        string   `json:"currency"` // ISO 4217
	SiteDisplayName string   `json:"siteDisplayName"`
	Languages       []string `json:"languages"` // language codes of a multilingual site
}

// Equal says that two profiles are the same, field by field.
func (p Profile) Equal(q Profile) bool {
	return p.Plan == q.Plan && p.Locale == q.Locale && p.Currency == q.Currency &&
		p.SiteDisplayName == q.SiteDisplayName && slices.Equal(p.Languages, q.Languages)
}

// Instance is our own record of one installation. Its JSON is what an export holds.
type Instance struct {
	ID     string `json:"id"`
	SiteID string `json:"siteId"`
	// FirstSeen and LastSeen are when a verified caller of the instance first and
	// last came, or, while none has, when Wix first told of it. LastSeen is kept to
	// within SeenEvery.
	FirstSeen time.Time `json:"firstSeen"`
	LastSeen  time.Time `json:"lastSeen"`
	Settings  Settings  `json:"settings"`
	// Version counts the saves of Settings. It is 0 until the first one, while
	// Settings holds the defaults.
	Version int64 `json:"settingsVersion"`
	// Profile is what Wix said when it was last read, at ProfileAt. While that is
	// zero, nothing of it is known, except the plan if PlanAt is not zero.
	Profile   Profile   `json:"profile"`
	ProfileAt time.Time `json:"profileAt,omitzero"`
	// PlanAt is when the plan became what it is: the time of the newest event about
	// it or of the newest reading, whichever is later.
	PlanAt time.Time `json:"planAt,omitzero"`
	// RemovedAt is when the app was removed from the site, or zero while it is installed.
	RemovedAt time.Time `json:"removedAt,omitzero"`
	// StatusAt is the time of the newest news about being installed or removed.
	StatusAt time.Time `json:"statusAt,omitzero"`
	// OriginID is the instance of the site that this site was copied from, or "".
	OriginID string `json:"originInstanceId,omitempty"`
}

// Equal says that two records are the same, field by field.
func (i Instance) Equal(j Instance) bool {
	return i.ID == j.ID && i.SiteID == j.SiteID && i.FirstSeen.Equal(j.FirstSeen) && i.LastSeen.Equal(j.LastSeen) &&
		i.Settings == j.Settings && i.Version == j.Version && i.Profile.Equal(j.Profile) && i.ProfileAt.Equal(j.ProfileAt) &&
		i.PlanAt.Equal(j.PlanAt) && i.RemovedAt.Equal(j.RemovedAt) && i.StatusAt.Equal(j.StatusAt) && i.OriginID == j.OriginID
}

// View is what a caller is told of an instance. It is an allow-list: what is not
// named here is not told.
type View struct {
	Plan            *Plan    `json:"plan,omitempty"`
	Locale          string   `json:"locale,omitempty"`
	Currency        string   `json:"currency,omitempty"`
	SiteDisplayName string   `json:"siteDisplayName,omitempty"`
	Languages       []string `json:"languages,omitempty"`

	// For the owner alone.
	InstanceID string     `json:"instanceId,omitempty"`
	SiteID     string     `json:"siteId,omitempty"`
	FirstSeen  *time.Time `json:"firstSeen,omitempty"`
	LastSeen   *time.Time `json:"lastSeen,omitempty"`
	ProfileAt  *time.Time `json:"profileReadAt,omitempty"`
}

// ViewFor returns what a caller of that role is told of the instance. The plan
// and the site's facts are absent until Wix has told them.
func (i Instance) ViewFor(role Role) View {
	// What is pointed at is copied first, or every call would put the whole instance on
	// the heap.
	var v View
	if !i.PlanAt.IsZero() {
		plan := i.Profile.Plan
		v.Plan = &plan
	}
	if !i.ProfileAt.IsZero() {
		v.Locale = i.Profile.Locale
		v.Currency = i.Profile.Currency
		v.SiteDisplayName = i.Profile.SiteDisplayName
		v.Languages = i.Profile.Languages
	}
	if role != Owner {
		return v
	}
	v.InstanceID, v.SiteID = i.ID, i.SiteID
	first, last := i.FirstSeen, i.LastSeen
	v.FirstSeen, v.LastSeen = &first, &last
	if !i.ProfileAt.IsZero() {
		read := i.ProfileAt
		v.ProfileAt = &read
	}
	return v
}
