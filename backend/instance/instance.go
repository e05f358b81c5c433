// Package instance is Nametag's domain: the app instance (one installation of
// the app on one Wix site), its settings and plan, the events that change it, what callers
// may see of it, and the interfaces of its storage. It imports nothing else of Nametag.
package instance

import (
	"encoding/json"
	"slices"
	"sync/atomic"
	"time"
)

// Profile is what Wix last reported about an instance, as far as Nametag stores it.
type Profile struct {
	Plan            Plan     `json:"plan"`
	Locale          string   `json:"locale"`   // ISO 639-1
	Currency        string   `json:"currency"` // ISO 4217
	SiteDisplayName string   `json:"siteDisplayName"`
	Languages       []string `json:"languages"` // language codes of a multilingual site
}

// Equal reports whether two profiles are the same, field by field.
func (p Profile) Equal(q Profile) bool {
	return p.Plan == q.Plan && p.Locale == q.Locale && p.Currency == q.Currency &&
		p.SiteDisplayName == q.SiteDisplayName && slices.Equal(p.Languages, q.Languages)
}

func (p Profile) clone() Profile {
	p.Languages = slices.Clone(p.Languages)
	return p
}

// Instance is our own record of one installation. Its JSON is what an export contains.
type Instance struct {
	ID     string `json:"id"`
	SiteID string `json:"siteId"`
	// FirstSeen and LastSeen are when a verified caller of the instance first and last
	// came, or, before the first one, when Wix first reported the instance. LastSeen is
	// exact to SeenEvery.
	FirstSeen time.Time `json:"firstSeen"`
	LastSeen  time.Time `json:"lastSeen"`
	// Settings are what the owner has set for the site: one JSON object, which the app
	// has validated. The domain knows no setting by name.
	Settings json.RawMessage `json:"settings"`
	// Secrets are the secret ones of them, which are no part of Settings or of any JSON.
	Secrets Secrets `json:"-"`
	// Version counts the saves of both. It is 0 until the first one, while Settings contains
	// the defaults.
	Version int64 `json:"settingsVersion"`
	// Profile is what Wix reported when it was last asked, at ProfileAt. While that is
	// zero, nothing of it is known, except the plan if PlanAt is not zero.
	Profile   Profile   `json:"profile"`
	ProfileAt time.Time `json:"profileAt,omitzero"`
	// PlanAt is when the plan became what it is: the time of the newest event about
	// it or of the newest profile, whichever is later. It is zero while the plan is unknown.
	PlanAt time.Time `json:"planAt,omitzero"`
	// RemovedAt is when the app was removed from the site, or zero while it is installed.
	RemovedAt time.Time `json:"removedAt,omitzero"`
	// LastRemovedAt is the newest removal that is known, or zero. It stays when the app is
	// installed again: tokens from before it are worth nothing.
	LastRemovedAt time.Time `json:"lastRemovedAt,omitzero"`
	// StatusAt is the time of the newest installation or removal that is known.
	StatusAt time.Time `json:"statusAt,omitzero"`
	// OriginID is the instance of the site that this site was copied from, or "".
	OriginID string `json:"originInstanceId,omitempty"`

	// Encodings is where encoded answers are cached that are made of this record alone. A
	// cached record has one, which ends with it; that of any other record is nil.
	Encodings *Encodings `json:"-"`
}

// Encodings are encoded answers, one for the owner and one for all others.
type Encodings struct{ owner, visitor atomic.Pointer[Encoding] }

// Encoding is an encoded answer: its JSON and its entity tag, as header values.
type Encoding struct {
	JSON []byte
	ETag []string
}

// Of returns where the encoding for the owner, or for all others, is.
func (e *Encodings) Of(owner bool) *atomic.Pointer[Encoding] {
	if owner {
		return &e.owner
	}
	return &e.visitor
}

// Paid reports whether the instance has a paid plan. An unknown plan is not one.
func (i Instance) Paid() bool { return i.Profile.Plan.Paid() }

// Clone returns a copy that shares nothing with the instance.
func (i Instance) Clone() Instance {
	i.Profile, i.Settings = i.Profile.clone(), slices.Clone(i.Settings)
	return i
}

// UnmarshalJSON implements json.Unmarshaler. An export of the first edition states a plan
// even where it was unknown, which PlanAt shows.
func (i *Instance) UnmarshalJSON(data []byte) error {
	type plain Instance
	if err := json.Unmarshal(data, (*plain)(i)); err != nil {
		return err
	}
	if i.PlanAt.IsZero() {
		i.Profile.Plan = Plan{}
	}
	return nil
}

// PlanView is what a caller may see of a plan.
type PlanView struct {
	Name   string `json:"name"`
	IsFree bool   `json:"isFree"`
	known  bool
}

// IsZero reports whether the plan is unknown. It is absent from JSON then.
func (p PlanView) IsZero() bool { return !p.known }

// View is what a caller may see of an instance. It is an allow-list: what has no field
// here is never sent.
type View struct {
	Plan            PlanView `json:"plan,omitzero"`
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
	// UpgradeURL is Wix's page with the app's plans, while none is paid for.
	UpgradeURL string `json:"upgradeUrl,omitempty"`
}

// VisitorView returns what anyone may see of the instance. The plan and the site's
// facts are absent until Wix has reported them.
func (i *Instance) VisitorView() View {
	// What is pointed at is copied first, or every call would put the whole instance on
	// the heap.
	var v View
	if plan := i.Profile.Plan; plan.Kind != PlanUnknown {
		v.Plan = PlanView{plan.Name, plan.Kind == PlanFree, true}
	}
	if !i.ProfileAt.IsZero() {
		v.Locale = i.Profile.Locale
		v.Currency = i.Profile.Currency
		v.SiteDisplayName = i.Profile.SiteDisplayName
		v.Languages = i.Profile.Languages
	}
	return v
}

// OwnerView returns what the site's owner may see of the instance: VisitorView, the
// ids and the times.
func (i *Instance) OwnerView() View {
	v := i.VisitorView()
	v.InstanceID, v.SiteID = i.ID, i.SiteID
	first, last := i.FirstSeen, i.LastSeen
	v.FirstSeen, v.LastSeen = &first, &last
	if !i.ProfileAt.IsZero() {
		read := i.ProfileAt
		v.ProfileAt = &read
	}
	return v
}
