package wixsim

// Installations: which sites have the app, and what Wix knows of each.

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

// Both bound memory: the installations, and the sites that are remembered without one.
const (
	maxInstallations = 10_000
	maxRemoved       = 1_000
)

var (
	// ErrNotInstalled says that no site has the app under that instance id.
	ErrNotInstalled = errors.New("the app is not installed under this instance id")
	// ErrInstalled says that the instance id of a request is in use.
	ErrInstalled = errors.New("the app is installed under this instance id already")
	// ErrFull says that there are too many installations.
	ErrFull = fmt.Errorf("there are %d installations already: remove some", maxInstallations)
)

// InstallRequest says how the site is on which the app gets installed. Every
// field may be left out.
type InstallRequest struct {
	// InstanceID is for a reinstallation: with Wix, an instance keeps its id when
	// the app is removed and installed again ("About App Instances"). What is left out
	// of the site is then what it was. The default is a new GUID.
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
	// OwnerEmail is the default's owner@example.com, for tests that it leaks nowhere.
	OwnerEmail string `json:"ownerEmail"`
	// Unpublished is a site that has no URL yet.
	Unpublished bool `json:"unpublished"`
	// Silent sends no webhook, as if Wix had lost it.
	Silent bool `json:"silent,omitempty"`
}

// Installation is the app on one site: the request with its defaults filled in,
// and the ids that Wix would have given. The ids follow from the instance id, so
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
		s.tell(Webhook{EventType: AppInstalled, At: in.InstalledAt}, in, in)
	}
	return in, err
}

func (s *Sim) install(req InstallRequest) (Installation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.removedAt(req.InstanceID); i >= 0 {
		req = req.onSite(s.removed[i])
	}
	if req.SiteDisplayName == "" {
		req.SiteDisplayName = "My Wix Site"
		if origin, ok := s.installs[req.OriginInstanceID]; ok {
			req.SiteDisplayName = clip("Copy of "+origin.SiteDisplayName, 200)
		}
	}
	req, err := req.complete()
	if err != nil {
		return Installation{}, err
	}
	if _, taken := s.installs[req.InstanceID]; taken {
		return Installation{}, ErrInstalled
	}
	if len(s.order) >= maxInstallations {
		return Installation{}, ErrFull
	}
	in := withIDs(req)
	in.InstalledAt = s.cfg.Now().UTC().Truncate(time.Millisecond)
	const day = 24 * time.Hour
	switch {
	case in.Trial == trialEnded: // it began 30 days ago and lasted 14
		in.PlanSince = in.InstalledAt.Add(-30 * day)
		in.TrialEndedAt = in.PlanSince.Add(14 * day)
	case in.Plan != "":
		in.PlanSince = in.InstalledAt
	}
	s.installs[in.InstanceID] = in
	s.order = append(s.order, in.InstanceID)
	if i := s.removedAt(in.InstanceID); i >= 0 {
		s.removed = slices.Delete(s.removed, i, i+1)
	}
	s.cfg.Logger.Info("app installed", "instance_id", in.InstanceID)
	return in.clone(), nil
}

// removedAt is the place in the list of what has been removed, or -1. The lock is held.
func (s *Sim) removedAt(instanceID string) int {
	return slices.IndexFunc(s.removed, func(in Installation) bool { return in.InstanceID == instanceID })
}

// onSite returns the request with what is left out of the site taken from before.
func (r InstallRequest) onSite(before Installation) InstallRequest {
	r.SiteDisplayName = cmp.Or(r.SiteDisplayName, before.SiteDisplayName)
	r.Currency = cmp.Or(r.Currency, before.Currency)
	r.OwnerEmail = cmp.Or(r.OwnerEmail, before.OwnerEmail)
	r.Unpublished = r.Unpublished || before.Unpublished
	if len(r.Languages) == 0 {
		r.Languages = before.Languages
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

// Uninstall removes the app from a site, and says whether it was there. Every
// token of the instance is inactive from then on. AppRemoved is sent if there is a
// webhook URL.
func (s *Sim) Uninstall(instanceID string) bool {
	at := s.cfg.Now()
	in, ok := s.uninstall(instanceID)
	if ok {
		s.tell(Webhook{EventType: AppRemoved, At: at}, in, in)
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
	in, ok := s.installs[instanceID]
	if !ok {
		return Installation{}, false
	}
	delete(s.installs, instanceID)
	s.order = slices.DeleteFunc(s.order, func(id string) bool { return id == instanceID })
	s.removed = append(s.removed, in)
	if len(s.removed) > maxRemoved {
		s.removed = slices.Delete(s.removed, 0, 1)
	}
	s.cfg.Logger.Info("app removed", "instance_id", instanceID)
	return in, true
}

// Installation returns one installation.
func (s *Sim) Installation(instanceID string) (Installation, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	in, ok := s.installs[instanceID]
	return in.clone(), ok
}

// Installations returns all installations, the oldest first.
func (s *Sim) Installations() []Installation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]Installation, 0, len(s.order))
	for _, id := range s.order {
		all = append(all, s.installs[id].clone())
	}
	return all
}

// Removed returns what was installed and has been removed since, the latest last: at
// most 1,000, each as it was.
func (s *Sim) Removed() []Installation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]Installation, 0, len(s.removed))
	for _, in := range s.removed {
		all = append(all, in.clone())
	}
	return all
}

// first returns the oldest installation.
func (s *Sim) first() (Installation, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.order) == 0 {
		return Installation{}, false
	}
	return s.installs[s.order[0]], true
}

func (in Installation) clone() Installation {
	in.Languages = slices.Clone(in.Languages)
	return in
}

// complete checks a request and fills in the defaults.
func (r InstallRequest) complete() (InstallRequest, error) {
	r.Silent = false // it is about the request, not the site
	if r.InstanceID == "" {
		r.InstanceID = uuid.NewString()
	}
	if len(r.Languages) == 0 {
		r.Languages = []string{"en"}
	}
	if r.Currency == "" {
		r.Currency = "USD"
	}
	if r.OwnerEmail == "" {
		r.OwnerEmail = "owner@example.com"
	}
	if r.Plan != "" && r.BillingCycle == "" {
		r.BillingCycle = "MONTHLY"
	}
	r.Languages = slices.Clone(r.Languages)
	for _, tag := range r.Languages {
		if _, err := language.Parse(tag); err != nil || len(tag) > 35 {
			return r, errors.New("languages must be BCP 47 tags such as en or pt-BR")
		}
	}
	switch {
	case !isGUID(r.InstanceID):
		return r, errors.New("instanceId must be a GUID")
	case r.OriginInstanceID != "" && !isGUID(r.OriginInstanceID):
		return r, errors.New("originInstanceId must be a GUID")
	case !isText(r.SiteDisplayName, 200):
		return r, errors.New("siteDisplayName must be text of at most 200 characters")
	case !isText(r.Plan, 100):
		return r, errors.New("plan must be text of at most 100 characters")
	case !isText(r.OwnerEmail, 254):
		return r, errors.New("ownerEmail must be text of at most 254 characters")
	case r.Plan == "" && (r.BillingCycle != "" || r.Trial != ""):
		return r, errors.New("billingCycle and trial need a plan")
	case r.Plan != "" && !isBillingCycle(r.BillingCycle):
		return r, errors.New("billingCycle is not one of Wix's")
	case r.Trial != "" && r.Trial != trialInProgress && r.Trial != trialEnded:
		return r, errors.New("trial must be IN_PROGRESS or ENDED")
	case len(r.Languages) > 50:
		return r, errors.New("languages must be at most 50")
	case len(r.Currency) != 3 || strings.Trim(r.Currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return r, errors.New("currency must be an ISO 4217 code")
	}
	return r, nil
}

// isGUID takes the one spelling that Wix uses: 36 lower-case characters.
func isGUID(s string) bool {
	id, err := uuid.Parse(s)
	return err == nil && id.String() == s
}

func isText(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most
}

func derivedID(kind, instanceID string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(kind+":"+instanceID)).String()
}

// clip keeps what is stored short when its source is not.
func clip(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most])
	}
	return s
}
