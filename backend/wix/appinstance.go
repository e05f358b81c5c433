package wix

// AppInstance is Wix's answer to "Get App Instance" in Wix's own JSON shape. Fields
// that Wix adds are dropped; enum values that it adds are passed on unchanged.
// (Fields and enums: @wix/auto_sdk_app-management_app-instances 1.0.49.)
//
// Copies share their lists: replace a list instead of writing into it.
type AppInstance struct {
	Instance Instance `json:"instance,omitzero"`
	Site     Site     `json:"site,omitzero"`
}

// Instance is the installation of the app.
type Instance struct {
	// InstanceID is the only field that is always present.
	InstanceID string           `json:"instanceId,omitempty"`
	AppName    Optional[string] `json:"appName,omitzero"`
	AppVersion Optional[string] `json:"appVersion,omitzero"`
	// IsFree is true while the site has no paid plan.
	IsFree Optional[bool] `json:"isFree,omitzero"`
	// Billing is present only when IsFree is false.
	Billing        Optional[Billing]         `json:"billing,omitzero"`
	Permissions    Optional[[]string]        `json:"permissions,omitzero"`
	AvailablePlans Optional[[]AvailablePlan] `json:"availablePlans,omitzero"`
	// OriginInstanceID is the instance on the site that this site was copied from.
	OriginInstanceID Optional[string] `json:"originInstanceId,omitzero"`
	// IsOriginSiteTemplate is deprecated by Wix in favour of CopiedFromTemplate.
	IsOriginSiteTemplate Optional[bool] `json:"isOriginSiteTemplate,omitzero"`
	CopiedFromTemplate   Optional[bool] `json:"copiedFromTemplate,omitzero"`
	FreeTrialAvailable   Optional[bool] `json:"freeTrialAvailable,omitzero"`
}

// Billing is the paid plan of an instance. Times are ISO 8601, as Wix wrote them.
type Billing struct {
	// PackageName is the plan's id in the app dashboard (vendorProductId elsewhere).
	PackageName  Optional[string]       `json:"packageName,omitzero"`
	BillingCycle Optional[BillingCycle] `json:"billingCycle,omitzero"`
	// TimeStamp is when the plan was bought.
	TimeStamp Optional[string] `json:"timeStamp,omitzero"`
	// ExpirationDate is present for yearly and longer cycles only.
	ExpirationDate Optional[string] `json:"expirationDate,omitzero"`
	AutoRenewing   Optional[bool]   `json:"autoRenewing,omitzero"`
	InvoiceID      Optional[string] `json:"invoiceId,omitzero"`
	// Source is the coupon's name, or "".
	Source        Optional[string]        `json:"source,omitzero"`
	FreeTrialInfo Optional[FreeTrialInfo] `json:"freeTrialInfo,omitzero"`
}

// BillingCycle is how often a plan is paid for.
type BillingCycle string

// Wix's billing cycles.
const (
	NoCycle    BillingCycle = "NO_CYCLE"
	Monthly    BillingCycle = "MONTHLY"
	Yearly     BillingCycle = "YEARLY"
	OneTime    BillingCycle = "ONE_TIME"
	TwoYears   BillingCycle = "TWO_YEARS"
	ThreeYears BillingCycle = "THREE_YEARS"
	FourYears  BillingCycle = "FOUR_YEARS"
	FiveYears  BillingCycle = "FIVE_YEARS"
)

// FreeTrialInfo is the state of the plan's free trial.
type FreeTrialInfo struct {
	Status Optional[FreeTrialStatus] `json:"status,omitzero"`
	// EndDate is present only once the trial has ended.
	EndDate Optional[string] `json:"endDate,omitzero"`
}

// FreeTrialStatus is the state of a free trial.
type FreeTrialStatus string

// Wix's free trial statuses.
const (
	TrialInProgress   FreeTrialStatus = "IN_PROGRESS"
	TrialEnded        FreeTrialStatus = "ENDED"
	TrialNotAvailable FreeTrialStatus = "NOT_AVAILABLE"
)

// AvailablePlan is a plan that the site may buy.
type AvailablePlan struct {
	PackageName Optional[string] `json:"packageName,omitzero"`
	Source      Optional[string] `json:"source,omitzero"`
}

// Site is the Wix site that the app is installed on.
type Site struct {
	SiteDisplayName Optional[string] `json:"siteDisplayName,omitzero"`
	// Locale is an ISO 639-1 code.
	Locale Optional[string] `json:"locale,omitzero"`
	// PaymentCurrency is an ISO 4217 code.
	PaymentCurrency Optional[string]       `json:"paymentCurrency,omitzero"`
	Multilingual    Optional[Multilingual] `json:"multilingual,omitzero"`
	// URL is absent until the site is published.
	URL              Optional[string]   `json:"url,omitzero"`
	Description      Optional[string]   `json:"description,omitzero"`
	InstalledWixApps Optional[[]string] `json:"installedWixApps,omitzero"`
	// OwnerEmail is deprecated by Wix in favour of OwnerInfo. Each needs a permission of
	// its own.
	OwnerEmail Optional[string]    `json:"ownerEmail,omitzero"`
	OwnerInfo  Optional[OwnerInfo] `json:"ownerInfo,omitzero"`
	SiteID     Optional[string]    `json:"siteId,omitzero"`
	// SiteUserType is "Channel DIY", "Channel DIFM" or "Enterprise".
	SiteUserType Optional[string] `json:"siteUserType,omitzero"`
}

// Multilingual is the site's set of languages.
type Multilingual struct {
	IsMultiLingual     Optional[bool]                `json:"isMultiLingual,omitzero"`
	SupportedLanguages Optional[[]SupportedLanguage] `json:"supportedLanguages,omitzero"`
}

// SupportedLanguage is one language of a multilingual site.
type SupportedLanguage struct {
	LanguageCode     Optional[string]           `json:"languageCode,omitzero"`
	Locale           Optional[Locale]           `json:"locale,omitzero"`
	IsPrimary        Optional[bool]             `json:"isPrimary,omitzero"`
	CountryCode      Optional[string]           `json:"countryCode,omitzero"`
	ResolutionMethod Optional[ResolutionMethod] `json:"resolutionMethod,omitzero"`
	IsVisitorPrimary Optional[bool]             `json:"isVisitorPrimary,omitzero"`
}

// Locale is a language and the country whose form of it is meant.
type Locale struct {
	LanguageCode Optional[string] `json:"languageCode,omitzero"`
	Country      Optional[string] `json:"country,omitzero"`
}

// ResolutionMethod is how the address of a page names its language.
type ResolutionMethod string

// Wix's resolution methods.
const (
	ByQueryParam   ResolutionMethod = "QUERY_PARAM"
	BySubdomain    ResolutionMethod = "SUBDOMAIN"
	BySubdirectory ResolutionMethod = "SUBDIRECTORY"
)

// OwnerInfo is the site owner's e-mail address.
type OwnerInfo struct {
	Email       Optional[string]      `json:"email,omitzero"`
	EmailStatus Optional[EmailStatus] `json:"emailStatus,omitzero"`
}

// EmailStatus is whether an address is verified, and whether its owner agreed to
// receive messages.
type EmailStatus string

// Wix's e-mail statuses.
const (
	VerifiedOptIn     EmailStatus = "VERIFIED_OPT_IN"
	VerifiedOptOut    EmailStatus = "VERIFIED_OPT_OUT"
	NotVerifiedOptIn  EmailStatus = "NOT_VERIFIED_OPT_IN"
	NotVerifiedOptOut EmailStatus = "NOT_VERIFIED_OPT_OUT"
)
