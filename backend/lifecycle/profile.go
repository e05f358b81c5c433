package lifecycle

import (
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

// profileOf keeps what Nametag needs of Wix's app instance. isFree decides about
// the plan; when it is absent, a plan with a name is a paid one.
func profileOf(said *wix.AppInstance) instance.Profile {
	name := said.Instance.Billing.Value.PackageName.Value
	free := said.Instance.IsFree.Value
	if !said.Instance.IsFree.Present {
		free = name == ""
	}
	if free {
		name = ""
	}
	p := instance.Profile{
		Plan:            instance.Plan{Name: name, Free: free},
		Locale:          said.Site.Locale.Value,
		Currency:        said.Site.PaymentCurrency.Value,
		SiteDisplayName: said.Site.SiteDisplayName.Value,
	}
	for _, l := range said.Site.Multilingual.Value.SupportedLanguages.Value {
		if code := l.LanguageCode.Value; code != "" {
			p.Languages = append(p.Languages, code)
		}
	}
	return p
}
