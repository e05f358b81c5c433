package wixsim

// Installations: the sites that have the app, and what Wix stores about each.

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/language"
)

// Both bound memory: the sites with the app, and the removed ones that are remembered.
const (
	maxInstallations = 10_000
	maxRemoved       = 1_000
	maxMembers       = 100 // of one site
)

var (
	// ErrNotInstalled says that no site has the app under that instance id.
	ErrNotInstalled = errors.New("the app is not installed under this instance id")
	// ErrInstalled says that the instance id of a request is in use.
	ErrInstalled = errors.New("the app is installed under this instance id already")
	// ErrFull says that there are too many installations.
	ErrFull = fmt.Errorf("there are %d installations already: remove some", maxInstallations)
)

// InstallRequest describes the site on which the app is installed. Every field is
// optional.
type InstallRequest struct {
	// InstanceID is for a reinstallation: with Wix, an instance keeps its id when
	// the app is removed and installed again ("About App Instances"). The site's fields
	// that the request leaves out are then what they were. The default is a new GUID.
	InstanceID string `json:"instanceId"`
	// SiteDisplayName is at most 200 characters; the default is "My Wix Site", or
	// "Copy of …" for a copy.
	SiteDisplayName string `json:"siteDisplayName"`
	// Plan is the paid plan's id (Wix's packageName), at most 100 characters; ""
	// is the free plan.
	Plan string `json:"plan"`
	// BillingCycle is one of Wix's, and only for a paid plan; the default is MONTHLY.
	BillingCycle string `json:"billingCycle,omitempty"`
	// Trial is "", IN_PROGRESS or ENDED, and only for a paid plan.
	Trial string `json:"trial,omitempty"`
	// OriginInstanceID makes the site a copy of the one with that instance.
	OriginInstanceID string `json:"originInstanceId,omitempty"`
	// Languages are BCP 47 tags such as "en" or "pt-BR", the primary one first; the
	// default is "en". More than one makes the site multilingual.
	Languages []string `json:"languages"`
	// Currency is the ISO 4217 code of the site's payments; the default is USD.
	Currency string `json:"currency"`
	// OwnerEmail is the owner's address; the default is owner@example.com.
	OwnerEmail string `json:"ownerEmail"`
	// Members are the names or e-mail addresses of the site's members, at most 100, for tokens
	// of a certain one.
	Members []string `json:"members,omitempty"`
	// Unpublished is a site that has no URL yet.
	Unpublished bool `json:"unpublished"`
	// Silent sends no webhook, as if Wix had lost it.
	Silent bool `json:"silent,omitempty"`
}

// Installation is the app on one site: the request with its defaults filled in,
// and the ids that Wix would have assigned. The ids follow from the instance id, so
// that a reinstallation finds the same site and owner.
type Installation struct {
	InstallRequest
	SiteID      string    `json:"siteId"`
	OwnerID     string    `json:"ownerId"`
	AccountID   string    `json:"accountId"`
	InstalledAt time.Time `json:"installedAt"`
	// PlanSince is when the plan was bought, or its trial began.
	PlanSince    time.Time `json:"planSince,omitzero"`
	TrialEndedAt time.Time `json:"trialEndedAt,omitzero"`
	// RenewalCancelled is a plan that ends with the billing cycle.
	RenewalCancelled bool `json:"renewalCancelled,omitempty"`
}

// Install installs the app on a new site, and sends AppInstalled if there is a
// webhook URL. The error is ErrInstalled, ErrFull or says what is wrong with the request.
func (s *Sim) Install(req InstallRequest) (Installation, error) {
	in, err := s.install(req)
	if err == nil && !req.Silent {
		s.notify(Webhook{EventType: AppInstalled, At: in.InstalledAt}, in, in)
	}
	return in, err
}

func (s *Sim) install(req InstallRequest) (Installation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.InstanceID == "" {
		req.InstanceID = s.newInstanceID()
	}
	req, err := s.siteOf(req).complete()
	if err != nil {
		return Installation{}, err
	}
	key := idKey(req.InstanceID)
	if _, taken := s.installs[key]; taken {
		return Installation{}, ErrInstalled
	}
	if len(s.order) >= maxInstallations {
		return Installation{}, ErrFull
	}
	in := withIDs(req).installedAt(s.Now().UTC().Truncate(time.Millisecond))
	s.installs[key] = in
	s.order = append(s.order, key)
	if i := s.removedAt(in.InstanceID); i >= 0 {
		s.removed = slices.Delete(s.removed, i, i+1)
	}
	s.changed()
	s.publishInstall(in.InstanceID, false)
	s.cfg.Logger.Info("app installed", "instanceId", in.InstanceID)
	return in.clone(), nil
}

// newInstanceID returns an id that no site has: by chance, or the next one that follows from
// Config.IDSeed. The lock is held.
func (s *Sim) newInstanceID() string {
	if s.cfg.IDSeed == "" {
		return uuid.NewString()
	}
	for {
		s.seeded++
		id := seededID(s.cfg.IDSeed, fmt.Sprint("instance ", s.seeded))
		if _, taken := s.installs[id]; !taken && s.removedAt(id) < 0 {
			return id
		}
	}
}

// siteOf fills in what is known of the request's site: that of an earlier installation, and
// the name of the site that it is a copy of. The lock is held.
func (s *Sim) siteOf(req InstallRequest) InstallRequest {
	if i := s.removedAt(req.InstanceID); i >= 0 {
		req = req.onSite(s.removed[i])
	}
	if req.SiteDisplayName != "" {
		return req
	}
	req.SiteDisplayName = "My Wix Site"
	if origin, ok := s.installs[idKey(req.OriginInstanceID)]; ok {
		req.SiteDisplayName = clip("Copy of "+origin.SiteDisplayName, 200)
	}
	return req
}

// removedAt is the index in the list of removed installations, or -1. The lock is held.
func (s *Sim) removedAt(instanceID string) int {
	return slices.IndexFunc(s.removed, func(in Installation) bool { return sameID(in.InstanceID, instanceID) })
}

// onSite returns the request with the site's fields that it leaves out taken from before.
func (r InstallRequest) onSite(before Installation) InstallRequest {
	r.SiteDisplayName = cmp.Or(r.SiteDisplayName, before.SiteDisplayName)
	r.Currency = cmp.Or(r.Currency, before.Currency)
	r.OwnerEmail = cmp.Or(r.OwnerEmail, before.OwnerEmail)
	r.Unpublished = r.Unpublished || before.Unpublished
	if len(r.Languages) == 0 {
		r.Languages = before.Languages
	}
	if len(r.Members) == 0 {
		r.Members = before.Members
	}
	return r
}

// withIDs returns an installation with the ids that follow from the instance id.
func withIDs(req InstallRequest) Installation {
	return Installation{
		InstallRequest: req,
		SiteID:         derivedID("site", req.InstanceID),
		OwnerID:        derivedID("owner", req.InstanceID),
		AccountID:      derivedID("account", req.InstanceID),
	}
}

// installedAt returns the installation with the times that follow from that of the
// installation. A trial that has ended began 30 days before and lasted 14.
func (in Installation) installedAt(now time.Time) Installation {
	const day = 24 * time.Hour
	in.InstalledAt = now
	switch {
	case in.Trial == trialEnded:
		in.PlanSince = now.Add(-30 * day)
		in.TrialEndedAt = in.PlanSince.Add(trialLength)
	case in.Plan != "":
		in.PlanSince = now
	}
	return in
}

// Uninstall removes the app from a site, and returns false if it was not there. Every
// token of the instance is inactive from then on. AppRemoved is sent if there is a
// webhook URL.
func (s *Sim) Uninstall(instanceID string) bool {
	at := s.Now()
	in, ok := s.uninstall(instanceID)
	if ok {
		s.notify(Webhook{EventType: AppRemoved, At: at}, in, in)
	}
	return ok
}

// UninstallSilently is Uninstall without the webhook, as if Wix had lost it.
func (s *Sim) UninstallSilently(instanceID string) bool {
	_, ok := s.uninstall(instanceID)
	return ok
}

func (s *Sim) uninstall(instanceID string) (Installation, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := idKey(instanceID)
	in, ok := s.installs[key]
	if !ok {
		return Installation{}, false
	}
	delete(s.installs, key)
	s.order = slices.DeleteFunc(s.order, func(id string) bool { return id == key })
	s.removed = append(s.removed, in)
	if len(s.removed) > maxRemoved {
		s.removed = slices.Delete(s.removed, 0, 1)
	}
	s.changed()
	s.publishInstall(in.InstanceID, true)
	s.cfg.Logger.Info("app removed", "instanceId", in.InstanceID)
	return in, true
}

// Installation returns one installation.
func (s *Sim) Installation(instanceID string) (Installation, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	in, ok := s.installs[idKey(instanceID)]
	return in.clone(), ok
}

// Installations returns all installations, the oldest first.
func (s *Sim) Installations() []Installation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]Installation, 0, len(s.order))
	for _, key := range s.order {
		all = append(all, s.installs[key].clone())
	}
	return all
}

// InstallationsAfter returns the installations after the one with that instance id, or from the
// oldest for "", whose site's name contains name in any case; at most limit of them, or all for
// 0. The error is ErrNotInstalled.
func (s *Sim) InstallationsAfter(after, name string, limit int) ([]Installation, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	rest := s.order
	if after != "" {
		i := slices.Index(rest, idKey(after))
		if i < 0 {
			return nil, ErrNotInstalled
		}
		rest = rest[i+1:]
	}
	name = strings.ToLower(name)
	found := []Installation{}
	for _, key := range rest {
		if limit > 0 && len(found) == limit {
			break
		}
		if in := s.installs[key]; strings.Contains(strings.ToLower(in.SiteDisplayName), name) {
			found = append(found, in.clone())
		}
	}
	return found, nil
}

// Removed returns the installations that have been removed, each as it was, the latest
// last: at most 1,000.
func (s *Sim) Removed() []Installation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]Installation, 0, len(s.removed))
	for _, in := range s.removed {
		all = append(all, in.clone())
	}
	return all
}

// First returns the oldest installation.
func (s *Sim) First() (Installation, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.order) == 0 {
		return Installation{}, false
	}
	return s.installs[s.order[0]].clone(), true
}

func (in Installation) clone() Installation {
	in.Languages = slices.Clone(in.Languages)
	in.Members = slices.Clone(in.Members)
	return in
}

// complete fills in the defaults and checks the request.
func (r InstallRequest) complete() (InstallRequest, error) {
	r = r.withDefaults()
	if !slices.ContainsFunc(r.Languages, isNoLanguage) {
		return r, r.check()
	}
	return r, errors.New("languages must be BCP 47 tags such as en or pt-BR")
}

func (r InstallRequest) withDefaults() InstallRequest {
	r.Silent = false // it is about the request, not the site
	r.Currency = cmp.Or(r.Currency, "USD")
	r.OwnerEmail = cmp.Or(r.OwnerEmail, "owner@example.com")
	r.Languages, r.Members = slices.Clone(r.Languages), slices.Clone(r.Members)
	if len(r.Languages) == 0 {
		r.Languages = []string{"en"}
	}
	if r.Plan != "" {
		r.BillingCycle = cmp.Or(r.BillingCycle, "MONTHLY")
	}
	return r
}

func (r InstallRequest) check() error {
	trials := []string{"", trialInProgress, trialEnded}
	return check(
		rule{isGUID(r.InstanceID), "instanceId must be a GUID"},
		rule{r.OriginInstanceID == "" || isGUID(r.OriginInstanceID), "originInstanceId must be a GUID"},
		rule{isText(r.SiteDisplayName, 200), "siteDisplayName must be text of at most 200 characters"},
		rule{isText(r.Plan, 100), "plan must be text of at most 100 characters"},
		rule{isText(r.OwnerEmail, 254), "ownerEmail must be text of at most 254 characters"},
		rule{r.Plan != "" || r.BillingCycle == "" && r.Trial == "", "plan must be there for a billingCycle or trial"},
		rule{r.Plan == "" || isBillingCycle(r.BillingCycle), "billingCycle is not one of Wix's"},
		rule{slices.Contains(trials, r.Trial), "trial must be IN_PROGRESS or ENDED"},
		rule{len(r.Languages) <= 50, "languages must be at most 50"},
		rule{isCurrency(r.Currency), "currency must be an ISO 4217 code"},
		rule{len(r.Members) <= maxMembers && distinct(r.Members), fmt.Sprintf("members must be at most %d different ones", maxMembers)},
		rule{!slices.ContainsFunc(r.Members, func(m string) bool { return m == "" || !isText(m, 254) }), "members must be text of 1 to 254 characters each"},
	)
}

func distinct(list []string) bool {
	return len(slices.Compact(slices.Sorted(slices.Values(list)))) == len(list)
}

func isNoLanguage(tag string) bool {
	_, err := language.Parse(tag)
	return err != nil || len(tag) > 35
}

func isCurrency(code string) bool {
	return len(code) == 3 && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func isText(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most
}

// clip shortens text that is to be stored or logged.
func clip(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most])
	}
	return s
}
