package api

import "github.com/nametag-dev/nametag/backend/wix"

// visitorView copies what an anonymous visitor may see of an app instance, in
// Wix's own shape: the plan's name, locale, currency, the site's name and its
// languages. Nothing else is copied, so what Wix adds tomorrow stays hidden too.
func visitorView(said *wix.AppInstance) wix.AppInstance {
	var v wix.AppInstance
	v.Instance.IsFree = said.Instance.IsFree
	if said.Instance.Billing.Present {
		v.Instance.Billing = wix.Some(wix.Billing{PackageName: said.Instance.Billing.Value.PackageName})
	}
	v.Site.SiteDisplayName = said.Site.SiteDisplayName
	v.Site.Locale = said.Site.Locale
	v.Site.PaymentCurrency = said.Site.PaymentCurrency
	v.Site.Multilingual = languagesOf(said.Site.Multilingual)
	return v
}

func languagesOf(said wix.Optional[wix.Multilingual]) wix.Optional[wix.Multilingual] {
	if !said.Present {
		return said
	}
	v := wix.Multilingual{IsMultiLingual: said.Value.IsMultiLingual}
	if said.Value.SupportedLanguages.Present {
		languages := []wix.SupportedLanguage{} // none is a list too
		for _, l := range said.Value.SupportedLanguages.Value {
			languages = append(languages, wix.SupportedLanguage{
				LanguageCode: l.LanguageCode, Locale: l.Locale, IsPrimary: l.IsPrimary, CountryCode: l.CountryCode,
			})
		}
		v.SupportedLanguages = wix.Some(languages)
	}
	return wix.Some(v)
}
