// Package wixpages serves the offline Wix with pages for people: a simulated site that
// shows the widget, a simulated editor with its settings panel, and an index of both.
package wixpages

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/nametag-dev/nametag/backend/product/appjson"
	"github.com/nametag-dev/nametag/backend/wixsim"
	"github.com/nametag-dev/nametag/web"
)

// assetsPath is the URL of the bundle, relative to the pages, which are at the root but for
// one.
const assetsPath = "_sim/assets/"

// Options describe the app that the pages show. Only Tag is required.
type Options struct {
	// Tag is the name of the app's custom element.
	Tag string
	// AppURL is the address of the app's server.
	AppURL string
	// WidgetURL is the element's script; "" means widget.js below AppURL.
	WidgetURL string
	// PanelURL is the page of the settings panel; "" means panel/ below AppURL.
	PanelURL string
	// DashboardURL is the app's page in the dashboard of a site; "" means open below AppURL.
	DashboardURL string
	// Assets serves the browser bundle of the pages. Without one the pages answer 503.
	Assets http.Handler
	// Logger is for pages that cannot be written; nil means no log.
	Logger *slog.Logger
}

// New returns a handler that serves the REST API and the control API of an offline Wix, and
// the pages: GET / is the index, GET /site a site, GET /editor the editor, GET /dashboard the
// dashboard with the app's page, and GET /apps/upgrade/{appId}?appInstanceId= the page with
// the plans.
func New(sim *wixsim.Sim, o Options) (http.Handler, error) {
	p, err := newPages(sim, o)
	if err != nil {
		return nil, err
	}
	return p.handler(), nil
}

// WebhookURL returns the URL at which an app on this machine is expected to receive webhooks:
// webhooks/wix below appURL. It returns "" where appURL is not of this machine: webhooks leave
// the machine only to a URL that was configured.
func WebhookURL(appURL string) string {
	if !wixsim.IsLocalURL(appURL) {
		return ""
	}
	return strings.TrimRight(appURL, "/") + "/webhooks/wix"
}

type pages struct {
	sim *wixsim.Sim
	o   Options
}

func newPages(sim *wixsim.Sim, o Options) (*pages, error) {
	if err := appjson.CheckTag(o.Tag); err != nil {
		return nil, fmt.Errorf("the pages of the offline Wix cannot show the tag %q: %w", o.Tag, err)
	}
	base := strings.TrimSuffix(o.AppURL, "/")
	o.WidgetURL = cmp.Or(o.WidgetURL, base+"/widget.js")
	o.PanelURL = cmp.Or(o.PanelURL, base+"/panel/")
	o.DashboardURL = cmp.Or(o.DashboardURL, base+"/open")
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return &pages{sim: sim, o: o}, nil
}

func (p *pages) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", p.sim.Handler())
	mux.HandleFunc("GET /{$}", p.index)
	mux.HandleFunc("GET /site", p.site)
	mux.HandleFunc("GET /editor", p.editor)
	mux.HandleFunc("GET /dashboard", p.dashboard)
	mux.HandleFunc("GET /apps/upgrade/{app}", p.upgrade)
	if p.o.Assets != nil {
		mux.Handle("GET /"+assetsPath, http.StripPrefix("/"+strings.TrimSuffix(assetsPath, "/"), p.o.Assets))
	}
	return p.guard(mux)
}

// guard requires of every page what the Sim requires, but for the bundle, which is public, and
// which a page of an opaque origin loads without a password. Wix's API stays open to the app,
// and the Sim guards its control API itself.
func (p *pages) guard(mux *http.ServeMux) http.Handler {
	guarded := p.sim.Guard(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); p.sim.KnownHost(r.Host) && (pattern == "/" || pattern == "GET /"+assetsPath) {
			mux.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

func (p *pages) index(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	page, _ := strconv.Atoi(query.Get("page")) // what is no number is the first page
	p.show(w, r, http.StatusOK, ownPagePolicy+"; connect-src 'self'", web.SimIndex(web.SimData{
		Assets: assetsPath, AppID: p.sim.AppID(), AppURL: p.o.AppURL,
		Sites: p.sites(strings.TrimSpace(query.Get("q")), page), RetryMS: p.retryMS(),
	}))
}

// sitesPerPage bounds a page of the list: there may be 10,000 sites.
const sitesPerPage = 50

// sites returns a page of the sites whose name or instance id contains the text, those with the
// newest installation first. A site that the app was removed from stays at its place.
func (p *pages) sites(text string, page int) web.SimSites {
	found := []wixsim.Installation{}
	removed := map[string]bool{}
	add := func(in wixsim.Installation) {
		if contains(in.SiteDisplayName, text) || contains(in.InstanceID, text) {
			found = append(found, in)
		}
	}
	for _, in := range slices.Backward(p.sim.Installations()) {
		add(in)
	}
	for _, in := range slices.Backward(p.sim.Removed()) {
		removed[in.InstanceID] = true
		add(in)
	}
	slices.SortStableFunc(found, func(a, b wixsim.Installation) int { return b.InstalledAt.Compare(a.InstalledAt) })
	pages := max(1, (len(found)+sitesPerPage-1)/sitesPerPage)
	page = min(max(page, 1), pages)
	first := (page - 1) * sitesPerPage
	sites := web.SimSites{Query: text, Page: page, Pages: pages, First: first + 1, Total: len(found)}
	for _, in := range found[first:min(first+sitesPerPage, len(found))] {
		sites.Installs = append(sites.Installs, web.SimInstall{
			InstanceID: in.InstanceID, SiteName: in.SiteDisplayName, Plan: in.Plan, BillingCycle: in.BillingCycle,
			RenewalCancelled: in.RenewalCancelled, Removed: removed[in.InstanceID],
		})
	}
	return sites
}

// contains ignores case.
func contains(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}

func (p *pages) editor(w http.ResponseWriter, r *http.Request) {
	in, installed, ok := p.installation(r.URL.Query().Get("instance"))
	if !ok {
		p.notInstalled(w, r)
		return
	}
	b, state, instance := p.sim.Behavior(), web.AppState{}, ""
	if installed {
		state = stateOf(in)
		// An installation that is removed at this moment has no instance.
		instance, _ = p.sim.SignedInstance(in.InstanceID, b.OwnerSubject)
	}
	p.show(w, r, http.StatusOK, editorPolicy(p.o), web.EditorPage(web.EditorData{
		Assets: assetsPath, AppID: p.sim.AppID(), InstanceID: in.InstanceID, SiteID: in.SiteID,
		SiteName: in.SiteDisplayName, Tag: p.o.Tag, WidgetURL: p.o.WidgetURL, PanelURL: p.o.PanelURL,
		OwnerSubject: b.OwnerSubject, Instance: instance, TokensURL: "_sim/tokens", PublishURL: "_sim/published/" + in.InstanceID,
		ClassicScript: b.ClassicScript, StageToken: b.StageToken, Sandbox: b.StageSandbox, SiteURL: "site?instance=" + in.InstanceID, Elements: p.elements(in.InstanceID),
		App: state, RetryMS: p.retryMS(),
	}))
}

func (p *pages) dashboard(w http.ResponseWriter, r *http.Request) {
	in, installed, _ := p.installation(r.URL.Query().Get("instance"))
	subject := p.sim.Behavior().OwnerSubject
	instance, err := p.sim.SignedInstance(in.InstanceID, subject)
	if !installed || err != nil {
		p.notInstalled(w, r)
		return
	}
	p.show(w, r, http.StatusOK, dashboardPolicy(p.o), web.DashboardPage(web.DashboardData{
		Assets: assetsPath, InstanceID: in.InstanceID, SiteName: in.SiteDisplayName, PageURL: p.o.DashboardURL,
		Instance: instance, OwnerSubject: subject, TokensURL: "_sim/tokens",
	}))
}

func stateOf(in wixsim.Installation) web.AppState {
	return web.AppState{Installed: true, Plan: in.Plan, BillingCycle: in.BillingCycle, RenewalCancelled: in.RenewalCancelled}
}

// upgrade is the page to which an app's upgrade buttons lead. On Wix it is
// https://www.wix.com/apps/upgrade/<app id>?appInstanceId=<instance id>.
func (p *pages) upgrade(w http.ResponseWriter, r *http.Request) {
	const root = "../../"
	in, installed := p.sim.Installation(r.URL.Query().Get("appInstanceId"))
	if !installed || !strings.EqualFold(r.PathValue("app"), p.sim.AppID()) {
		p.show(w, r, http.StatusNotFound, ownPagePolicy, web.Message(web.MessageData{
			Assets: root + assetsPath, Status: http.StatusNotFound, Title: "There are no plans here",
			Text: "This app is not known, or no site has it under this instance id. The first page lists the app and its sites.",
		}))
		return
	}
	p.show(w, r, http.StatusOK, ownPagePolicy+"; connect-src 'self'", web.UpgradePage(web.UpgradeData{
		Assets: root + assetsPath, SiteName: in.SiteDisplayName, InstanceID: in.InstanceID,
		EditorURL: root + "editor?instance=" + in.InstanceID, SiteURL: root + "site?instance=" + in.InstanceID,
		ControlURL: root + "_sim/", App: stateOf(in), RetryMS: p.retryMS(),
	}))
}

// installation returns the one with that id, or the oldest for "". One that has been
// removed is found too, as its site still exists.
func (p *pages) installation(id string) (in wixsim.Installation, installed, ok bool) {
	if id == "" {
		in, installed = p.sim.First()
		return in, installed, installed
	}
	if in, installed = p.sim.Installation(id); installed {
		return in, true, true
	}
	removed := p.sim.Removed()
	i := slices.IndexFunc(removed, func(in wixsim.Installation) bool { return strings.EqualFold(in.InstanceID, id) })
	if i < 0 {
		return wixsim.Installation{}, false, false
	}
	return removed[i], false, true
}

// elements returns the widgets of a site's page.
func (p *pages) elements(instanceID string) []web.Element {
	elements := []web.Element{}
	for _, e := range p.sim.Published(instanceID) {
		attributes := []web.Attribute{}
		for _, a := range e.Attributes {
			attributes = append(attributes, web.Attribute(a))
		}
		elements = append(elements, web.Element{Attributes: attributes})
	}
	return elements
}

// retryMS is the retry schedule of webhooks in milliseconds.
func (p *pages) retryMS() []float64 {
	var ms []float64
	for _, delay := range p.sim.RetryDelays() {
		ms = append(ms, float64(delay)/float64(time.Millisecond))
	}
	return ms
}

func (p *pages) notInstalled(w http.ResponseWriter, r *http.Request) {
	p.message(w, r, http.StatusNotFound, "The app is not installed there",
		"No site has the app under this instance id. The first page lists those that have.")
}

func (p *pages) message(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	p.show(w, r, status, ownPagePolicy, web.Message(web.MessageData{
		Assets: assetsPath, Title: title, Text: text, Status: status,
	}))
}

// show writes a page. Without the bundle the pages cannot work, and the answer says so.
func (p *pages) show(w http.ResponseWriter, r *http.Request, status int, policy string, page templ.Component) {
	if p.o.Assets == nil {
		status, policy = http.StatusServiceUnavailable, ownPagePolicy
		page = web.Message(web.MessageData{
			Assets: assetsPath, Title: "The bundles are missing", Status: status,
			Text: "This program was built without the browser code of its pages. Run “make build”. The API works all the same.",
		})
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	if policy != "" {
		h.Set("Content-Security-Policy", policy)
	}
	w.WriteHeader(status)
	if err := page.Render(r.Context(), w); err != nil {
		p.o.Logger.Warn("simulated page not written", "cause", err)
	}
}
