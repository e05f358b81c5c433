package api

import "nametag/backend/wix"

// visitorAppInstance is what an anonymous visitor may see of an app instance, in
// Wix's own shape: the plan's name, locale, currency, the site's name and its
// languages. What is not named here is not told, so what Wix adds tomorrow stays
// hidden too. Fields that Wix left out stay out.
type visitorAppInstance struct {
	Instance visitorInstance `json:"instance,omitzero"`
	Site     visitorSite     `json:"site,omitzero"`
}

type visitorInstance struct {
	IsFree  *bool           `json:"isFree,omitempty"`
	Billing *visitorBilling `json:"billing,omitempty"`
}

type visitorBilling struct {
	PackageName *string `json:"packageName,omitempty"`
}

type visitorSite struct {
	SiteDisplayName *string              `json:"siteDisplayName,omitempty"`
	Locale          *string              `json:"locale,omitempty"`
	PaymentCurrency *string              `json:"paymentCurrency,omitempty"`
	Multilingual    *visitorMultilingual `json:"multilingual,omitempty"`
}

type visitorMultilingual struct {
	IsMultiLingual     *bool              `json:"isMultiLingual,omitempty"`
	SupportedLanguages *[]visitorLanguage `json:"supportedLanguages,omitempty"`
}

type visitorLanguage struct {
	LanguageCode *string     `json:"languageCode,omitempty"`
	Locale       *wix.Locale `json:"locale,omitempty"`
	IsPrimary    *bool       `json:"isPrimary,omitempty"`
	CountryCode  *string     `json:"countryCode,omitempty"`
}

// visitorView points into what Wix said, and copies none of it.
func visitorView(said *wix.AppInstance) *visitorAppInstance {
	v := &visitorAppInstance{
		Instance: visitorInstance{IsFree: said.Instance.IsFree.Pointer()},
		Site: visitorSite{
			SiteDisplayName: said.Site.SiteDisplayName.Pointer(),
			Locale:          said.Site.Locale.Pointer(),
			PaymentCurrency: said.Site.PaymentCurrency.Pointer(),
			Multilingual:    languagesOf(said.Site.Multilingual.Pointer()),
		},
	}
	if billing := said.Instance.Billing.Pointer(); billing != nil {
		v.Instance.Billing = &visitorBilling{billing.PackageName.Pointer()}
	}
	return v
}

func languagesOf(said *wix.Multilingual) *visitorMultilingual {
	if said == nil {
		return nil
	}
	v := &visitorMultilingual{IsMultiLingual: said.IsMultiLingual.Pointer()}
	if said.SupportedLanguages.Present {
		languages := make([]visitorLanguage, len(said.SupportedLanguages.Value))
		for n := range languages {
			l := &said.SupportedLanguages.Value[n]
			languages[n] = visitorLanguage{l.LanguageCode.Pointer(), l.Locale.Pointer(), l.IsPrimary.Pointer(), l.CountryCode.Pointer()}
		}
		v.SupportedLanguages = &languages
	}
	return v
}
