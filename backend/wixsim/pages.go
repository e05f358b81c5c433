package wixsim

// The simulated pages: a site that shows the widget, an editor that holds its
// settings panel, and an index of what there is.

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/a-h/templ"

	"github.com/nametag-dev/nametag/web"
)

// assetsPath is where the pages, which all lie at the root, find the bundle.
const assetsPath = "_sim/assets/"

const (
	maxCopies     = 20
	maxAttributes = 50
	maxAttribute  = 4096 // characters of one attribute's value
	maxPublished  = 1000 // sites whose published page is kept
)

// pages is the state of the simulated pages: what has been published on each site.
type pages struct {
	sim *Sim

	mu        sync.Mutex
	published map[string][]web.Element
	order     []string // instance ids, the one published longest ago first
}

// registerPages adds the simulated pages and their bundle.
func (s *Sim) registerPages(mux *http.ServeMux) {
	newPageState(s).register(mux)
	if s.cfg.Assets != nil {
		mux.Handle("GET /"+assetsPath, http.StripPrefix("/"+strings.TrimSuffix(assetsPath, "/"), s.cfg.Assets))
	}
}

func newPageState(s *Sim) *pages {
	return &pages{sim: s, published: map[string][]web.Element{}}
}

func (p *pages) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", p.index)
	mux.HandleFunc("GET /site", p.site)
	mux.HandleFunc("GET /editor", p.editor)
	mux.Handle("PUT /_sim/published/{instance}", localOnly(http.HandlerFunc(p.publish)))
}

// app is where the widget and the panel of the app under test are.
type app struct{ tag, widgetURL, panelURL string }

func (c Config) app() app {
	base := strings.TrimSuffix(c.AppURL, "/")
	a := app{c.Tag, c.WidgetURL, c.PanelURL}
	if a.tag == "" {
		a.tag = "nametag-widget"
	}
	if a.widgetURL == "" {
		a.widgetURL = base + "/widget.js"
	}
	if a.panelURL == "" {
		a.panelURL = base + "/panel/"
	}
	return a
}

func (p *pages) index(w http.ResponseWriter, r *http.Request) {
	data := web.SimData{Assets: assetsPath, AppID: p.sim.cfg.AppID, AppURL: p.sim.cfg.AppURL}
	for _, in := range p.sim.Installations() {
		data.Installs = append(data.Installs, web.SimInstall{
			InstanceID: in.InstanceID, SiteName: in.SiteDisplayName, Plan: in.Plan,
		})
	}
	for _, in := range p.sim.Removed() {
		data.Installs = append(data.Installs, web.SimInstall{
			InstanceID: in.InstanceID, SiteName: in.SiteDisplayName, Removed: true,
		})
	}
	data.RetryMS = p.sim.outbox.retryMS()
	p.show(w, r, http.StatusOK, ownPagePolicy+"; connect-src 'self'", web.SimIndex(data))
}

func (p *pages) editor(w http.ResponseWriter, r *http.Request) {
	in, installed, ok := p.installation(r.URL.Query().Get("instance"))
	if !ok {
		p.notInstalled(w, r)
		return
	}
	a := p.sim.cfg.app()
	state := web.AppState{Installed: installed}
	if installed {
		state.Plan, state.BillingCycle, state.RenewalCancelled = in.Plan, in.BillingCycle, in.RenewalCancelled
	}
	p.show(w, r, http.StatusOK, editorPolicy(a), web.EditorPage(web.EditorData{
		Assets: assetsPath, AppID: p.sim.cfg.AppID, InstanceID: in.InstanceID, SiteID: in.SiteID,
		SiteName: in.SiteDisplayName, Tag: a.tag, WidgetURL: a.widgetURL, PanelURL: a.panelURL,
		TokensURL: "_sim/tokens", PublishURL: "_sim/published/" + in.InstanceID,
		SiteURL: "site?instance=" + in.InstanceID, Elements: p.elements(in.InstanceID),
		App: state, RetryMS: p.sim.outbox.retryMS(),
	}))
}

func (p *pages) site(w http.ResponseWriter, r *http.Request) {
	ask, faults := parseSiteQuery(r.URL.Query())
	if len(faults) > 0 {
		p.message(w, r, http.StatusBadRequest, "This address is not understood", strings.Join(faults, " "))
		return
	}
	in, installed, ok := p.installation(ask.instance)
	if !ok {
		p.notInstalled(w, r)
		return
	}
	a := p.sim.cfg.app()
	if !installed && ask.tokenKind != "kept" {
		p.show(w, r, http.StatusOK, "", web.SitePage(web.SiteData{
			Assets: assetsPath, Language: ask.language, RightToLeft: ask.rightToLeft,
			Tag: a.tag, WidgetURL: a.widgetURL, Removed: true,
		}))
		return
	}
	elements := p.elements(in.InstanceID)
	if ask.copies > 0 {
		elements = slices.Repeat(elements[:min(1, len(elements))], ask.copies)
		if len(elements) == 0 {
			elements = make([]web.Element, ask.copies)
		}
	}
	for i := range elements {
		elements[i].Attributes = merge(elements[i].Attributes, ask.attributes)
	}
	policy := ""
	if ask.strict {
		policy = strictPolicy(a, p.sim.cfg.AppURL)
	}
	p.show(w, r, http.StatusOK, policy, web.SitePage(web.SiteData{
		Assets: assetsPath, Language: ask.language, RightToLeft: ask.rightToLeft,
		Tag: a.tag, WidgetURL: a.widgetURL, Elements: elements,
		TokensURL: "_sim/tokens", Token: ask.token(in.InstanceID), KeepToken: ask.tokenKind == "kept",
	}))
}

// publish keeps the elements of a stage as the page of its site.
func (p *pages) publish(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("instance")
	if _, ok := p.sim.Installation(id); !ok {
		refuse(w, ErrNotInstalled)
		return
	}
	var in struct {
		Elements []web.Element `json:"elements"`
	}
	if !readControl(w, r, &in) {
		return
	}
	if fault := elementsFault(in.Elements); fault != "" {
		controlError(w, http.StatusUnprocessableEntity, fault)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.order = append(slices.DeleteFunc(p.order, func(o string) bool { return o == id }), id)
	p.published[id] = in.Elements
	if len(p.order) > maxPublished {
		delete(p.published, p.order[0])
		p.order = p.order[1:]
	}
	w.WriteHeader(http.StatusNoContent)
}

// elements returns a copy of what is published on a site: one widget as it comes, at first.
func (p *pages) elements(instanceID string) []web.Element {
	p.mu.Lock()
	defer p.mu.Unlock()
	published, ok := p.published[instanceID]
	if !ok {
		return []web.Element{{Attributes: []web.Attribute{}}}
	}
	return slices.Clone(published)
}

// installation returns the one with that id, or the oldest for "". One that has been
// removed is found too, for its site is still there.
func (p *pages) installation(id string) (in Installation, installed, ok bool) {
	if id == "" {
		in, installed = p.sim.first()
		return in, installed, installed
	}
	if in, installed = p.sim.Installation(id); installed {
		return in, true, true
	}
	removed := p.sim.Removed()
	i := slices.IndexFunc(removed, func(in Installation) bool { return in.InstanceID == id })
	if i < 0 {
		return Installation{}, false, false
	}
	return removed[i], false, true
}

// retryMS is Wix's retry schedule as the outbox keeps it, in milliseconds.
func (o *outbox) retryMS() []float64 {
	var ms []float64
	for _, delay := range retryDelays() {
		ms = append(ms, float64(delay)/float64(time.Millisecond)/o.factor)
	}
	return ms
}

// siteQuery is what the address of a site page asks for.
type siteQuery struct {
	instance, viewer, language string
	tokenKind                  string // "", kept, expired, inactive, foreign or none
	copies                     int    // 0 for what is published
	attributes                 []web.Attribute
	rightToLeft, strict        bool
}

var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z]{2})?$`)

// parseSiteQuery reads the address of a site page. The faults are sentences.
func parseSiteQuery(q url.Values) (siteQuery, []string) {
	ask := siteQuery{viewer: Visitor, language: "en"}
	var faults []string
	oneOf := func(name, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			faults = append(faults, fmt.Sprintf("%s must be one of: %s.", name, strings.Join(allowed, ", ")))
		}
	}
	for _, name := range sortedKeys(q) {
		values := q[name]
		if len(values) > 1 {
			faults = append(faults, fmt.Sprintf("%s may be given once.", quoted(name)))
			continue
		}
		value := values[0]
		attribute, isAttribute := strings.CutPrefix(name, "attr.")
		switch {
		case isAttribute:
			if fault := attributeFault(attribute, value); fault != "" {
				faults = append(faults, fault)
			}
			ask.attributes = append(ask.attributes, web.Attribute{Name: attribute, Value: value})
		case name == "instance":
			ask.instance = value
		case name == "viewer":
			ask.viewer = value
			oneOf(name, value, Visitor, Member)
		case name == "copies":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > maxCopies {
				faults = append(faults, fmt.Sprintf("copies must be a number from 1 to %d.", maxCopies))
			}
			ask.copies = n
		case name == "language":
			ask.language = value
			if !languageTag.MatchString(value) {
				faults = append(faults, "language must be a code such as en or pt-BR.")
			}
		case name == "dir":
			ask.rightToLeft = value == "rtl"
			oneOf(name, value, "ltr", "rtl")
		case name == "token":
			ask.tokenKind = value
			oneOf(name, value, "kept", "expired", "inactive", "foreign", "none")
		case name == "csp":
			ask.strict = value == "strict"
			oneOf(name, value, "strict")
		default:
			faults = append(faults, fmt.Sprintf("%s is not known.", quoted(name)))
		}
	}
	return ask, faults
}

// foreignApp is the app that a foreign token was issued for.
const foreignApp = "11111111-2222-4333-8444-555555555555"

// token is what the page posts to the token endpoint, or nil for no token at all.
func (ask siteQuery) token(instanceID string) any {
	request := map[string]any{"subject": ask.viewer, "instanceId": instanceID}
	switch ask.tokenKind {
	case "none":
		return nil
	case "expired":
		request["ttl"] = "-1h"
	case "inactive":
		request["active"] = false
	case "foreign":
		request["appId"] = foreignApp
	}
	return request
}

func elementsFault(elements []web.Element) string {
	if len(elements) > maxCopies {
		return fmt.Sprintf("a page holds at most %d widgets", maxCopies)
	}
	for _, e := range elements {
		if len(e.Attributes) > maxAttributes {
			return fmt.Sprintf("a widget has at most %d attributes", maxAttributes)
		}
		seen := map[string]bool{}
		for _, a := range e.Attributes {
			if fault := attributeFault(a.Name, a.Value); fault != "" {
				return fault
			}
			if seen[a.Name] {
				return "an attribute may be given once"
			}
			seen[a.Name] = true
		}
	}
	return ""
}

func attributeFault(name, value string) string {
	switch {
	case !web.SettableAttribute(name):
		return fmt.Sprintf("%s cannot be an attribute of a widget.", quoted(name))
	case utf8.RuneCountInString(value) > maxAttribute || !utf8.ValidString(value):
		return fmt.Sprintf("The attribute %s must be text of at most %d characters.", name, maxAttribute)
	}
	return ""
}

// merge returns the attributes with those of over put in or added.
func merge(attributes, over []web.Attribute) []web.Attribute {
	merged := slices.Clone(attributes)
	for _, a := range over {
		i := slices.IndexFunc(merged, func(m web.Attribute) bool { return m.Name == a.Name })
		if i < 0 {
			merged = append(merged, a)
		} else {
			merged[i] = a
		}
	}
	return merged
}

func quoted(name string) string { return strconv.Quote(clip(name, 64)) }

func sortedKeys(q url.Values) []string {
	keys := make([]string, 0, len(q))
	for k := range q {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

const ownPagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// editorPolicy keeps the editor's own code strict. The stage inherits it, and may
// hold anyone's widget, which may style itself and call its server as it likes.
func editorPolicy(a app) string {
	return "default-src 'none'; script-src 'self' " + origin(a.widgetURL) + "; style-src * 'unsafe-inline'; " +
		"img-src * data: blob:; font-src * data:; media-src *; connect-src *; frame-src 'self' " + origin(a.panelURL) +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// strictPolicy is that of a site whose owner allows as little as can be, with
// Trusted Types: no string may become code or markup.
func strictPolicy(a app, appURL string) string {
	widget := origin(a.widgetURL)
	connect := []string{"'self'", widget}
	if o := origin(appURL); o != "" && o != widget {
		connect = append(connect, o)
	}
	return "default-src 'none'; script-src 'self' " + widget + "; style-src 'self'; img-src 'self' data:; " +
		"connect-src " + strings.Join(connect, " ") + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'"
}

// origin is the scheme and host of a URL as a policy names them, or "" for a
// relative one, which 'self' covers.
func origin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || strings.ContainsAny(u.Host, " ;,'") {
		return ""
	}
	return u.Scheme + "://" + u.Host
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
	if p.sim.cfg.Assets == nil {
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
		p.sim.cfg.Logger.Warn("a simulated page could not be written", "cause", err)
	}
}
