package api

import "github.com/nametag-dev/nametag/backend/wix"

// visitorView copies what an anonymous visitor may see of an app instance, in
// Wix's own shape: the plan's name, locale, currency, the site's name and its
// languages. Nothing else is copied, so what Wix adds tomorrow stays hidden too.
func visitorView(app *wix.AppInstance) wix.AppInstance {
	var v wix.AppInstance
	v.Instance.IsFree = app.Instance.IsFree
	if app.Instance.Billing.Present {
		v.Instance.Billing = wix.Some(wix.Billing{PackageName: app.Instance.Billing.Value.PackageName})
	}
	v.Site.SiteDisplayName = app.Site.SiteDisplayName
	v.Site.Locale = app.Site.Locale
	v.Site.PaymentCurrency = app.Site.PaymentCurrency
	v.Site.Multilingual = languagesOf(app.Site.Multilingual)
	return v
}

func languagesOf(reported wix.Optional[wix.Multilingual]) wix.Optional[wix.Multilingual] {
	if !reported.Present {
		return reported
	}
	v := wix.Multilingual{IsMultiLingual: reported.Value.IsMultiLingual}
	if reported.Value.SupportedLanguages.Present {
		languages := []wix.SupportedLanguage{} // none is a list too
		for _, l := range reported.Value.SupportedLanguages.Value {
			languages = append(languages, wix.SupportedLanguage{
				LanguageCode: l.LanguageCode, Locale: l.Locale, IsPrimary: l.IsPrimary, CountryCode: l.CountryCode,
			})
		}
		v.SupportedLanguages = wix.Some(languages)
	}
	return wix.Some(v)
}
