package api

// The page that Wix opens for a site's owner ("Open App" in the site's dashboard): the
// installation, read-only. The address proves which site it is, by the signed instance.

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
	"github.com/nametag-dev/nametag/web"
)

// dashboardHosts are those of Wix's dashboard, which may frame the page where no other hosts
// are configured: @wix/dashboard accepts no others as its parent.
const dashboardHosts = "https://manage.wix.com https://*.manage.wix.com"

// openPolicy keeps the address, which is a credential for a day, out of caches and out of
// what the page's links send.
func (s *Server) openPolicy() policy {
	p := policy{strings.TrimSpace(dashboardHosts + " " + s.opts.Dashboard), "no-referrer", "no-store"}
	if hosts := s.opts.FrameAncestors; len(hosts) > 0 {
		p.frameAncestors = strings.Join(hosts, " ")
	}
	return p
}

// open answers the page. It changes nothing, and is no visit.
func (s *Server) open(production *Composition) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Set(openKey, true)
		signed, row, err := find(c, production)
		if err != nil {
			return err
		}
		return write(c, http.StatusOK, web.Open(s.openData(production, signed, row)), s.openPolicy())
	}
}

// find returns the signed instance of a request and our record of it, which is empty where
// nobody has come from the site yet.
func find(c echo.Context, production *Composition) (wix.SignedInstance, instance.Instance, error) {
	var raw string
	if given := c.QueryParams()["instance"]; len(given) == 1 {
		raw = given[0]
	} else if len(given) > 1 {
		return wix.SignedInstance{}, instance.Instance{}, &apierr.Error{Code: apierr.TokenMalformed, Err: errors.New("more than one parameter instance")}
	}
	signed, err := production.Identity.SignedInstance(raw)
	if err == nil && !signed.Owner() {
		err = &apierr.Error{Code: apierr.OwnerRequired, Err: errors.New("the signed instance has not the owner's permissions")}
	}
	if err != nil {
		return signed, instance.Instance{}, err
	}
	row, err := production.Store.Find(c.Request().Context(), signed.InstanceID)
	switch {
	case errors.Is(err, instance.ErrNotFound):
		return signed, instance.Instance{ID: signed.InstanceID}, nil
	case err != nil:
		return signed, row, storeError(c.Request().Context(), err)
	case !row.Admits(signed.SignDate):
		return signed, row, &apierr.Error{Code: apierr.InstanceUnknown, Err: errRemoved}
	}
	return signed, row, nil
}

func (s *Server) openData(production *Composition, signed wix.SignedInstance, row instance.Instance) web.OpenData {
	d := web.OpenData{
		Product: s.opts.Product, BasePath: s.opts.BasePath, InstanceID: row.ID,
		SiteName: row.Profile.SiteDisplayName, FirstSeen: row.FirstSeen, LastSeen: row.LastSeen,
	}
	plan := row.Profile.Plan
	if plan.Kind == instance.PlanUnknown {
		plan = instance.NewPlan(signed.VendorProductID.Value)
	}
	switch {
	case !plan.Paid():
		d.Plan = "Free"
	case plan.Name == "":
		d.Plan = "Paid"
	default:
		d.Plan = plan.Name
	}
	if production.UpgradePage != "" && !plan.Paid() {
		d.UpgradeURL = production.UpgradePage + row.ID
	}
	values, secrets := row.Settings, row.Secrets.Reveal()
	if values == nil {
		values, secrets = production.App.Settings.Complete(nil)
	}
	for _, shown := range production.App.Settings.Show(values, secrets) {
		d.Settings = append(d.Settings, web.OpenSetting(shown))
	}
	return d
}

// writeOpenError answers with a page that says what the owner can do, and nothing of the site.
func (s *Server) writeOpenError(c echo.Context, e *apierr.Error) error {
	m := web.MessageData{Title: http.StatusText(e.Code.Status), Text: e.Code.Message, Status: e.Code.Status, BasePath: s.opts.BasePath}
	const again = " Open the app from your site’s dashboard again."
	switch e.Code {
	case apierr.TokenMissing:
		m.Title, m.Text = "Open this page from Wix", "Your site’s dashboard adds to this address which site is yours. Here that is missing."+again
	case apierr.TokenMalformed, apierr.TokenInactive:
		m.Title, m.Text = "This link is not valid", "It does not show which site is yours."+again
	case apierr.TokenExpired:
		m.Title, m.Text = "This link has expired", "It is valid for a day at most."+again
	case apierr.TokenForeign:
		m.Title, m.Text = "This link is for another app", "It was not made for "+s.opts.Product.Name+"."
	case apierr.OwnerRequired:
		m.Title, m.Text = "This page is for the site’s owner", "Sign in to Wix as someone who may edit the site."+again
	case apierr.InstanceUnknown:
		m.Title, m.Text = "The app is not on this site", "It has been removed from the site that this link is for."
	}
	return write(c, e.Code.Status, web.Message(m), s.openPolicy())
}
