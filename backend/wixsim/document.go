package wixsim

// GET /apps/v1/instance: the app instance and its site, with every field of
// @wix/auto_sdk_app-management_app-instances 1.0.49. Fields that Wix documents as
// optional are left out where they have no value, and are never null.

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
)

const (
	appName    = "App under test"
	appVersion = "^1.0.0"

	trialInProgress = "IN_PROGRESS"
	trialEnded      = "ENDED"
	trialNone       = "NOT_AVAILABLE"
)

type document struct {
	Instance instanceDoc `json:"instance"`
	Site     siteDoc     `json:"site"`
}

type instanceDoc struct {
	InstanceID           string      `json:"instanceId"`
	AppName              string      `json:"appName"`
	AppVersion           string      `json:"appVersion"`
	IsFree               bool        `json:"isFree"`
	Billing              *billingDoc `json:"billing,omitempty"`
	Permissions          []string    `json:"permissions"`
	AvailablePlans       []planDoc   `json:"availablePlans"`
	OriginInstanceID     string      `json:"originInstanceId,omitempty"`
	IsOriginSiteTemplate bool        `json:"isOriginSiteTemplate"`
	CopiedFromTemplate   bool        `json:"copiedFromTemplate"`
	FreeTrialAvailable   bool        `json:"freeTrialAvailable"`
}

type billingDoc struct {
	PackageName    string   `json:"packageName"`
	BillingCycle   string   `json:"billingCycle"`
	TimeStamp      string   `json:"timeStamp"`
	ExpirationDate string   `json:"expirationDate,omitempty"`
	AutoRenewing   bool     `json:"autoRenewing"`
	InvoiceID      string   `json:"invoiceId,omitempty"`
	Source         string   `json:"source"`
	FreeTrialInfo  trialDoc `json:"freeTrialInfo"`
}

type trialDoc struct {
	Status  string `json:"status"`
	EndDate string `json:"endDate,omitempty"`
}

type planDoc struct {
	PackageName string `json:"packageName"`
	Source      string `json:"source"`
}

type siteDoc struct {
	SiteDisplayName  string          `json:"siteDisplayName"`
	Locale           string          `json:"locale"`
	PaymentCurrency  string          `json:"paymentCurrency"`
	Multilingual     multilingualDoc `json:"multilingual"`
	URL              string          `json:"url,omitempty"`
	Description      string          `json:"description"`
	InstalledWixApps []string        `json:"installedWixApps"`
	OwnerEmail       string          `json:"ownerEmail"`
	OwnerInfo        ownerDoc        `json:"ownerInfo"`
	SiteID           string          `json:"siteId"`
	SiteUserType     string          `json:"siteUserType"`
}

type multilingualDoc struct {
	IsMultiLingual     bool          `json:"isMultiLingual"`
	SupportedLanguages []languageDoc `json:"supportedLanguages,omitempty"`
}

type languageDoc struct {
	LanguageCode     string    `json:"languageCode"`
	Locale           localeDoc `json:"locale"`
	IsPrimary        bool      `json:"isPrimary"`
	CountryCode      string    `json:"countryCode"`
	ResolutionMethod string    `json:"resolutionMethod"`
	IsVisitorPrimary bool      `json:"isVisitorPrimary"`
}

type localeDoc struct {
	LanguageCode string `json:"languageCode"`
	Country      string `json:"country"`
}

type ownerDoc struct {
	Email       string `json:"email"`
	EmailStatus string `json:"emailStatus"`
}

// serveInstance answers the app itself or a Wix user; visitors and members have no
// permission ("Get App Instance" page). The token may come with Bearer, as in the
// page's sample, or bare, as from the SDK.
func (s *Sim) serveInstance(x *exchange, r *http.Request, _ []byte) {
	token := strings.TrimSpace(r.Header.Get("Authorization"))
	if scheme, rest, ok := strings.Cut(token, " "); ok && strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimSpace(rest)
	}
	v, active := s.verify(token)
	if !active {
		systemError(x, http.StatusUnauthorized, "Access token is missing, wrong or expired")
		return
	}
	x.instanceID = v.InstanceID
	if kind, _ := v.subject(); kind != App && kind != User {
		applicationError(x, http.StatusForbidden, "PERMISSION_DENIED", "Only the app or a Wix user may read the app instance")
		return
	}
	// The instances of another app are unknown here.
	in, installed := s.Installation(v.InstanceID)
	if !installed || !s.isApp(v.AppDefID) {
		applicationError(x, http.StatusNotFound, "NOT_FOUND", "App instance not found")
		return
	}
	writeJSON(x, http.StatusOK, in.document(s.Now()))
}

// document returns Wix's answer about an installation at a time.
func (in Installation) document(now time.Time) document {
	plans := []planDoc{{"basic", "3rd-party app"}, {"premium", "3rd-party app"}}
	known := func(p planDoc) bool { return p.PackageName == in.Plan }
	if in.Plan != "" && !slices.ContainsFunc(plans, known) {
		plans = append(plans, planDoc{in.Plan, "3rd-party app"})
	}
	primary, _ := language.Parse(in.Languages[0]) // Install has checked the tag
	base, _ := primary.Base()
	d := document{
		Instance: instanceDoc{
			InstanceID: in.InstanceID, AppName: appName, AppVersion: appVersion,
			IsFree: in.Plan == "", Billing: in.billing(now), AvailablePlans: plans,
			// The scopes that @wix/app-management names for Get App Instance.
			Permissions:          []string{"SCOPE.DC.MANAGE-YOUR-APP", "SCOPE.DEV_CENTER.APP-INSTANCE-READ-BASIC-INFO"},
			OriginInstanceID:     in.OriginInstanceID,
			IsOriginSiteTemplate: false,
			CopiedFromTemplate:   in.OriginInstanceID != "",
			FreeTrialAvailable:   in.Plan == "",
		},
		Site: siteDoc{
			SiteDisplayName: in.SiteDisplayName, Locale: base.String(), PaymentCurrency: in.Currency,
			Multilingual: multilingual(in.Languages), Description: "A site of the offline Wix",
			InstalledWixApps: []string{"blog"}, OwnerEmail: in.OwnerEmail,
			OwnerInfo: ownerDoc{in.OwnerEmail, "VERIFIED_OPT_IN"},
			SiteID:    in.SiteID, SiteUserType: "Channel DIY",
		},
	}
	if !in.Unpublished {
		d.Site.URL = "https://site-" + in.SiteID[:8] + ".example.com"
	}
	return d
}

// cycleYears is the length of the billing cycles that have an expirationDate:
// yearly and longer.
func cycleYears(cycle string) int {
	switch cycle {
	case "YEARLY":
		return 1
	case "TWO_YEARS":
		return 2
	case "THREE_YEARS":
		return 3
	case "FOUR_YEARS":
		return 4
	case "FIVE_YEARS":
		return 5
	}
	return 0
}

func isBillingCycle(cycle string) bool {
	return cycleYears(cycle) > 0 || cycle == "NO_CYCLE" || cycle == "MONTHLY" || cycle == "ONE_TIME"
}

// renews says whether a billing cycle is followed by another.
func renews(cycle string) bool { return cycleYears(cycle) > 0 || cycle == "MONTHLY" }

// billing returns nil for the free plan. Only a trial that has ended has an endDate.
func (in Installation) billing(now time.Time) *billingDoc {
	if in.Plan == "" {
		return nil
	}
	b := &billingDoc{
		PackageName: in.Plan, BillingCycle: in.BillingCycle, TimeStamp: isoTime(in.PlanSince),
		AutoRenewing:  renews(in.BillingCycle) && !in.RenewalCancelled,
		FreeTrialInfo: trialDoc{Status: trialNone},
	}
	if in.Trial != "" {
		b.FreeTrialInfo.Status = in.Trial
	}
	if in.Trial == trialEnded {
		b.FreeTrialInfo.EndDate = isoTime(in.TrialEndedAt)
	}
	if in.Trial != trialInProgress { // nothing is paid during a trial
		b.InvoiceID = derivedID("invoice", in.InstanceID)
		if in.PlanSince.After(in.InstalledAt) { // each purchase has its own
			b.InvoiceID = derivedID("invoice", in.InstanceID+b.TimeStamp)
		}
	}
	if cycleYears(in.BillingCycle) > 0 {
		b.ExpirationDate = isoTime(in.cycleEnd(now))
	}
	return b
}

// multilingual lists the languages only if there are several, as Wix does.
func multilingual(tags []string) multilingualDoc {
	m := multilingualDoc{IsMultiLingual: len(tags) > 1}
	if !m.IsMultiLingual {
		return m
	}
	for i, text := range tags {
		tag, _ := language.Parse(text)
		base, _ := tag.Base()
		region, _ := tag.Region()
		m.SupportedLanguages = append(m.SupportedLanguages, languageDoc{
			LanguageCode: base.String(),
			Locale:       localeDoc{base.String(), region.String()},
			IsPrimary:    i == 0, IsVisitorPrimary: i == 0,
			CountryCode:      region.ISO3(),
			ResolutionMethod: "SUBDIRECTORY",
		})
	}
	return m
}
