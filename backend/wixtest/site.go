package wixtest

// A site with the app, and its tokens.

import (
	"time"

	"github.com/nametag-dev/nametag/backend/wixsim"
)

// SiteOption changes the site that Install makes. Any function on the request is one:
//
//	w.Install(func(r *wixsim.InstallRequest) { r.Currency = "EUR" })
type SiteOption func(*wixsim.InstallRequest)

// Named gives the site a name.
func Named(name string) SiteOption {
	return func(r *wixsim.InstallRequest) { r.SiteDisplayName = name }
}

// Plan installs the app with a paid plan.
func Plan(name string) SiteOption { return func(r *wixsim.InstallRequest) { r.Plan = name } }

// CopyOf makes the site a copy of another.
func CopyOf(origin Site) SiteOption {
	return func(r *wixsim.InstallRequest) { r.OriginInstanceID = origin.InstanceID }
}

// Silent sends no webhook, as if Wix had lost it.
func Silent() SiteOption { return func(r *wixsim.InstallRequest) { r.Silent = true } }

// Site is a site with the app. It is a value: copies are the same site.
type Site struct {
	// InstanceID is the id of the app instance, a GUID.
	InstanceID string
	// SiteID is the id of the site (metasite), a GUID.
	SiteID string

	w *Wix
}

// Visitor makes the access token of a new visitor.
func (s Site) Visitor() string {
	s.w.t.Helper()
	return s.Token(wixsim.TokenRequest{Subject: wixsim.Visitor})
}

// Member makes the access token of a new site member: a visitor who has logged in.
func (s Site) Member() string {
	s.w.t.Helper()
	return s.Token(wixsim.TokenRequest{Subject: wixsim.Member})
}

// Owner makes the access token that the editor and the dashboard hand out to the site's owner:
// a Wix user's, unless Behaving has another OwnerSubject. Two that are made within one second
// are the same, since the owner is: Advance the clock for another.
func (s Site) Owner() string {
	s.w.t.Helper()
	return s.Token(wixsim.TokenRequest{Subject: s.w.sim.Behavior().OwnerSubject})
}

// SignedInstance makes the parameter "instance" with which Wix opens the app's pages for the
// site's owner. Token-info takes it as a token.
func (s Site) SignedInstance() string {
	s.w.t.Helper()
	text, err := s.w.sim.SignedInstance(s.InstanceID, s.w.sim.Behavior().OwnerSubject)
	if err != nil {
		s.w.t.Fatalf("wixtest: sign an instance: %v", err)
	}
	return text
}

// App makes an access token of the app's own identity on the site: an elevated one, which
// Wix's dashboard may also give a page of the app. identity.Owner admits it.
func (s Site) App() string {
	s.w.t.Helper()
	return s.Token(wixsim.TokenRequest{Subject: wixsim.App})
}

// Expired makes a visitor's token that expired an hour ago.
func (s Site) Expired() string {
	s.w.t.Helper()
	return s.Token(wixsim.TokenRequest{Subject: wixsim.Visitor, TTL: -time.Hour})
}

// Revoked makes a visitor's token that Wix has revoked before it expired.
func (s Site) Revoked() string {
	s.w.t.Helper()
	active := false
	return s.Token(wixsim.TokenRequest{Subject: wixsim.Visitor, Active: &active})
}

// Foreign makes a visitor's token that is genuine and was issued for another app.
func (s Site) Foreign() string {
	s.w.t.Helper()
	return s.Token(wixsim.TokenRequest{Subject: wixsim.Visitor, AppID: s.w.id("another app")})
}

// Token makes any access token of the site.
func (s Site) Token(request wixsim.TokenRequest) string {
	s.w.t.Helper()
	request.InstanceID = s.InstanceID
	return s.w.Token(request)
}

// SetPlan gives the site another paid plan, or the free one for "", and sends the event
// that follows.
func (s Site) SetPlan(name string) {
	s.w.t.Helper()
	if _, err := s.w.sim.SetPlan(s.InstanceID, wixsim.PlanRequest{Plan: &name}); err != nil {
		s.w.t.Fatalf("wixtest: set the plan of %s: %v", s.InstanceID, err)
	}
}

// Remove removes the app from the site, and sends AppRemoved. The site's tokens are
// inactive from then on.
func (s Site) Remove() {
	s.w.t.Helper()
	if !s.w.sim.Uninstall(s.InstanceID) {
		s.w.t.Fatalf("wixtest: remove the app from %s: %v", s.InstanceID, wixsim.ErrNotInstalled)
	}
}

// Reinstall installs the app again on the site that it was removed from, and sends
// AppInstalled. The instance keeps its id, as with Wix.
func (s Site) Reinstall(opts ...SiteOption) {
	s.w.t.Helper()
	s.w.install(wixsim.InstallRequest{InstanceID: s.InstanceID}, opts)
}
