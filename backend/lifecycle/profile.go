package lifecycle

import (
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

// profileOf returns what Nametag stores of Wix's app instance. isFree decides about the
// plan; when it is absent, a plan with a name is a paid one.
func profileOf(app *wix.AppInstance) instance.Profile {
	p := instance.Profile{
		Plan:            instance.NewPlan(app.Instance.Billing.Value.PackageName.Value),
		Locale:          app.Site.Locale.Value,
		Currency:        app.Site.PaymentCurrency.Value,
		SiteDisplayName: app.Site.SiteDisplayName.Value,
	}
	if isFree := app.Instance.IsFree; isFree.Present {
		if isFree.Value {
			p.Plan = instance.NewPlan("")
		} else {
			p.Plan.Kind = instance.PlanPaid
		}
	}
	for _, l := range app.Site.Multilingual.Value.SupportedLanguages.Value {
		if code := l.LanguageCode.Value; code != "" {
			p.Languages = append(p.Languages, code)
		}
	}
	return p
}
