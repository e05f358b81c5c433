// Package instance is Nametag's domain: the app instance (one installation of
// the app on one Wix site), its settings and plan, the caller of a request, the
// views that each kind of caller may see, and the errors that all of Nametag
// speaks. It imports nothing else of Nametag.
package instance

import "time"

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

// Instance is our own record of one installation.
type Instance struct {
	ID     string
	SiteID string
	// FirstSeen and LastSeen are when a verified caller of the instance first and
	// last came. LastSeen is kept to within SeenEvery.
	FirstSeen, LastSeen time.Time
	Settings            Settings
	// Version counts the saves of Settings. It is 0 until the first one, while
	// Settings holds the defaults.
	Version int64
	// Profile is meaningless while ProfileAt, the time it was read from Wix, is zero.
	Profile   Profile
	ProfileAt time.Time
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
	var v View
	if !i.ProfileAt.IsZero() {
		v.Plan = &i.Profile.Plan
		v.Locale = i.Profile.Locale
		v.Currency = i.Profile.Currency
		v.SiteDisplayName = i.Profile.SiteDisplayName
		v.Languages = i.Profile.Languages
	}
	if role != Owner {
		return v
	}
	v.InstanceID, v.SiteID = i.ID, i.SiteID
	v.FirstSeen, v.LastSeen = &i.FirstSeen, &i.LastSeen
	if !i.ProfileAt.IsZero() {
		v.ProfileAt = &i.ProfileAt
	}
	return v
}
