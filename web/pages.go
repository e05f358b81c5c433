// Package web renders the HTML pages: the home page with the demo, the install guide,
// the pages of the offline Wix and the error page. They are templ components whose
// input is the plain values of this file. Their browser code is in web/src and is built
// into web/dist.
//
// Every page works under a Content-Security-Policy of 'self' for scripts and styles: it
// has no inline script, no inline style and no style attribute. A page passes data to
// its script in a <script type="application/json" id="boot">, which browsers do not run.
package web

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Product is what the pages call the product.
type Product struct {
	// Name is for people, ID for the command line. Description is a sentence.
	Name, ID, Description string
	// EnvPrefix begins the names of its environment variables, such as "BADGE_".
	EnvPrefix string
}

// headline is the description without the full stop of a sentence.
func (p Product) headline() string { return strings.TrimSuffix(p.Description, ".") }

// HomeData is what the home page shows.
type HomeData struct {
	Product Product
	// BasePath is the path of the server's public URL, such as "/app", or "".
	BasePath string
	// Demo shows the demo, which the server has at BasePath+"/demo/".
	Demo bool
}

type homeBoot struct {
	Demo   string `json:"demo"`
	Assets string `json:"assets"`
}

// OpenData is what the page of an installation shows to the site's owner.
type OpenData struct {
	Product Product
	// BasePath is the path of the server's public URL, such as "/app", or "".
	BasePath   string
	InstanceID string
	// SiteName is "" until Wix has reported it.
	SiteName string
	Plan     string
	// UpgradeURL is Wix's page with the app's plans, or "" where there is none to choose.
	UpgradeURL string
	// FirstSeen and LastSeen are zero where nobody has come from the site yet.
	FirstSeen, LastSeen time.Time
	Settings            []OpenSetting
}

// OpenSetting is one setting, as text.
type OpenSetting struct{ Label, Value string }

// title is what the page is about.
func (d OpenData) title() string {
	if d.SiteName == "" {
		return "Your site"
	}
	return d.SiteName
}

// moment is a time for people of any time zone.
func moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// InstallData is what the install guide shows: the values to enter in the Wix app
// dashboard. All URLs are absolute.
type InstallData struct {
	Product Product
	// BasePath is the path of the server's public URL, such as "/app", or "".
	BasePath string
	// PublicURL is the server's public address.
	PublicURL string
	// AppID is the app's id at Wix, or "" when it is not configured.
	AppID     string
	Tag       string
	WidgetURL string
	// ClassURL is the widget's class without a tag.
	ClassURL string
	PanelURL string
	// APIURL is where the routes of the API are, with a slash at its end.
	APIURL string
	// ComponentID and PresetID are the ids of the widget in a project of Wix's CLI, GUIDs.
	ComponentID, PresetID string
	// WebhookURL is "" when the server accepts no webhooks.
	WebhookURL   string
	ThumbnailURL string
	// DefaultWidth and DefaultHeight are the widget's initial size in CSS pixels.
	DefaultWidth, DefaultHeight int
	// State is what the server has found out about itself, or nil in the demo.
	State *InstallState
}

// InstallState is what a server has found out about its own set-up.
type InstallState struct {
	AppID    string    `json:"appId"`
	Findings []Finding `json:"findings"`
}

// Finding is the outcome of one check of the set-up.
type Finding struct {
	// Check names it. State is ok, warning, fault or skipped.
	Check string `json:"check"`
	State string `json:"state"`
	// Saw is what was found, Do what to do about it or "", Variables those to look at.
	Saw       string   `json:"saw"`
	Do        string   `json:"do,omitempty"`
	Variables []string `json:"variables,omitempty"`
}

// title is what people call the check.
func (f Finding) title() string {
	switch f.Check {
	case "credentials":
		return "App id and secret"
	case "wix":
		return "Wix"
	case "tokens":
		return "Access tokens"
	}
	return sentence(f.Check)
}

// word is the state for people.
func (f Finding) word() string {
	switch f.State {
	case "ok":
		return "In order"
	case "warning":
		return "Look at this"
	case "fault":
		return "Wrong"
	}
	return "Waiting"
}

var apostrophe = regexp.MustCompile(`([a-z])'([a-z])`)

// sentence makes a finding's text one of the page's.
func sentence(text string) string {
	text = apostrophe.ReplaceAllString(text, "${1}’${2}")
	first, size := utf8.DecodeRuneInString(text)
	if strings.HasPrefix(text, "http") || strings.HasPrefix(text, "widget.js") {
		return text
	}
	return string(unicode.ToUpper(first)) + text[size:]
}

// prose parts a text into what is written as code (names of variables, addresses) and what is
// between. The two alternate, and text is first.
func prose(text string) (parts []string) {
	at := 0
	for _, code := range codeInProse.FindAllStringIndex(text, -1) {
		parts = append(parts, text[at:code[0]], text[code[0]:code[1]])
		at = code[1]
	}
	return append(parts, text[at:])
}

var codeInProse = regexp.MustCompile(`\b[A-Z]+(?:_[A-Z]+)+\b|https?://[^\s;,]+`)

// finding returns what was found about a check, if anything was.
func (d InstallData) finding(check string) (Finding, bool) {
	if d.State != nil {
		for _, f := range d.State.Findings {
			if f.Check == check {
				return f, true
			}
		}
	}
	return Finding{}, false
}

// unusable returns the Warnings, unless the server says more of the address itself.
func (d InstallData) unusable() []string {
	if f, ok := d.finding("public address"); ok && f.State == "fault" {
		return nil
	}
	return d.Warnings()
}

// extension is the declaration of the hosted widget and panel in a project of Wix's CLI.
func (d InstallData) extension() string {
	text := func(s string) string {
		b, _ := json.Marshal(s) // of a string it never fails
		return string(b)
	}
	return `import { extensions } from "@wix/astro/builders";

export default extensions.genericExtension({
  compId: ` + text(d.ComponentID) + `,
  compName: ` + text(d.Product.Name) + `,
  compType: "CUSTOM_ELEMENT_WIDGET",
  compData: {
    customElementWidget: {
      base: { name: ` + text(d.Product.Name) + ` },
      widgetData: {
        tagName: ` + text(d.Tag) + `,
        scriptType: "ES_MODULE",
        scriptUrl: ` + text(d.WidgetURL) + `,
      },
      size: {
        width: { defaultWidth: ` + strconv.Itoa(d.DefaultWidth) + `, allowStretch: true },
        height: { defaultHeight: ` + strconv.Itoa(d.DefaultHeight) + ` },
      },
      behaviors: { settings: { settingsUrl: ` + text(d.PanelURL) + ` } },
      presets: [
        {
          id: ` + text(d.PresetID) + `,
          name: ` + text(d.Product.Name) + `,
          thumbnailUrl: ` + text(d.ThumbnailURL) + `,
        },
      ],
    },
  },
});`
}

// events are the events of Wix that the server takes, by their names in the webhook. Wix's
// dashboard shows them as titles: App Installed, Paid Plan Purchased.
func events() []string {
	return []string{
		"AppInstalled", "AppRemoved", "PaidPlanPurchased", "PaidPlanChanged",
		"PaidPlanAutoRenewalCancelled", "PlanConvertedToPaid", "PlanReactivated", "PlanTransferred",
	}
}

// Warnings returns the reasons why Wix cannot use the public URL, as sentences.
func (d InstallData) Warnings() []string {
	u, err := url.Parse(d.PublicURL)
	if err != nil || u.Host == "" {
		return []string{"The public URL is not an address that a browser can open."}
	}
	var w []string
	if u.Scheme != "https" {
		w = append(w, "The public URL does not start with https. Wix loads widgets and panels over https only.")
	}
	host := u.Hostname()
	ip := net.ParseIP(host)
	if ip == nil && !strings.Contains(host, ".") || strings.HasSuffix(host, ".localhost") || (ip != nil && (ip.IsLoopback() || ip.IsPrivate() || ip.IsUnspecified())) {
		w = append(w, "The public URL is on this machine or in a private network. Visitors of a Wix site cannot reach it.")
	}
	return w
}

// Origin returns the scheme and host of the public URL, for the preconnect link.
func (d InstallData) Origin() string {
	u, err := url.Parse(d.PublicURL)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Attribute is one attribute of a widget on a page.
type Attribute struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Element is one copy of the widget on a page.
type Element struct {
	Attributes []Attribute `json:"attributes"`
}

// SiteData is a page of a simulated Wix site.
type SiteData struct {
	// Assets is the URL of the bundle's folder, with a slash at its end.
	Assets string
	SiteID string
	// Language is the page's language, such as "en" or "pt-BR".
	Language string
	// RightToLeft sets the page's direction to rtl.
	RightToLeft bool
	// Tag is the widget's element name. WidgetURL is the script that defines it.
	Tag, WidgetURL string
	Elements       []Element
	// Removed shows a note instead of the widgets: the app was removed from the site.
	Removed bool
	// TokensURL answers a post of Token with {"token"}, the visitor's access token.
	TokensURL string
	// Token is the body of that request, or nil for a page without a token.
	Token any
	// KeepToken makes the tab use its first token for all later visits, as a page that
	// was left open does.
	KeepToken bool
	// ClassicScript loads the widget's script as a classic one, not as a module.
	ClassicScript bool
	// Locked makes fetch, XMLHttpRequest and cookies those of Wix's pages.
	Locked bool
}

type siteBoot struct {
	Tag       string `json:"tag"`
	SiteID    string `json:"siteId"`
	Language  string `json:"language"`
	TokensURL string `json:"tokensUrl"`
	Token     any    `json:"token"`
	KeepToken bool   `json:"keepToken"`
	Locked    bool   `json:"locked"`
}

// EditorData is the simulated Wix editor of one site.
type EditorData struct {
	// Assets is the URL of the bundle's folder, with a slash at its end.
	Assets string `json:"assets"`
	// AppID, InstanceID and SiteID are the ids that Wix's editor has.
	AppID      string `json:"appId"`
	InstanceID string `json:"instanceId"`
	SiteID     string `json:"siteId"`
	SiteName   string `json:"siteName"`
	// OwnerSubject is the subject of the panel's tokens, and Instance the signed app
	// instance that Wix's editor passes to the panel: "" when the app is not installed.
	OwnerSubject string `json:"ownerSubject"`
	Instance     string `json:"instance"`
	// Tag is the widget's element name. WidgetURL is the script that defines it.
	Tag       string `json:"tag"`
	WidgetURL string `json:"widgetUrl"`
	// ClassicScript loads it as a classic script.
	ClassicScript bool `json:"classicScript"`
	// StageToken and Sandbox are the first positions of the editor's switches: whether the
	// widgets of the stage get a token, and whether it is of another origin, without storage.
	StageToken bool   `json:"-"`
	Sandbox    bool   `json:"-"`
	PanelURL   string `json:"panelUrl"`
	// TokensURL answers a post of {"subject","instanceId"} with {"token"}.
	TokensURL string `json:"tokensUrl"`
	// PublishURL stores the elements of the stage, by PUT.
	PublishURL string `json:"publishUrl"`
	// SiteURL is the published page.
	SiteURL  string    `json:"siteUrl"`
	Elements []Element `json:"elements"`
	App      AppState  `json:"app"`
	// RetryMS is Wix's retry schedule of webhooks: the milliseconds after each failed
	// attempt.
	RetryMS []float64 `json:"retryMs"`
}

// DashboardData is the simulated dashboard of one site.
type DashboardData struct {
	// Assets is the URL of the bundle's folder, with a slash at its end.
	Assets     string `json:"-"`
	InstanceID string `json:"instanceId"`
	SiteName   string `json:"siteName"`
	// PageURL is the app's page.
	PageURL string `json:"pageUrl"`
	// Instance is the signed app instance, and OwnerSubject the subject of the tokens that
	// the page gets.
	Instance     string `json:"instance"`
	OwnerSubject string `json:"ownerSubject"`
	// TokensURL answers a post of {"subject","instanceId"} with {"token"}.
	TokensURL string `json:"tokensUrl"`
}

// AppState is the state of the app on a site.
type AppState struct {
	Installed bool `json:"installed"`
	// Plan is the paid plan's id, or "" for the free plan.
	Plan             string `json:"plan"`
	BillingCycle     string `json:"billingCycle"`
	RenewalCancelled bool   `json:"renewalCancelled"`
}

// UpgradeData is Wix's page with the plans of the app, for one site. The addresses are
// relative to the page's.
type UpgradeData struct {
	// Assets is the URL of the bundle's folder, with a slash at its end.
	Assets     string `json:"-"`
	SiteName   string `json:"-"`
	EditorURL  string `json:"-"`
	SiteURL    string `json:"-"`
	InstanceID string `json:"instanceId"`
	// ControlURL is that of the control API, with a slash at its end.
	ControlURL string   `json:"controlUrl"`
	App        AppState `json:"app"`
	// RetryMS is the same as in EditorData.
	RetryMS []float64 `json:"retryMs"`
}

// SimData is the first page of the offline Wix.
type SimData struct {
	Assets        string
	AppID, AppURL string
	Sites         SimSites
	// RetryMS is the same as in EditorData.
	RetryMS []float64
}

// SimSites is one page of the list of sites.
type SimSites struct {
	// Query is what was searched for, or "".
	Query string
	// Page counts from 1. Pages is at least 1.
	Page, Pages int
	// First is the number of the first of Installs among all that were found, counted from 1;
	// Total is how many there are.
	First, Total int
	Installs     []SimInstall
}

// shown says which sites the page has.
func (d SimSites) shown() string {
	if d.Pages == 1 && d.Total == 1 {
		return "1 site"
	}
	if d.Pages == 1 {
		return strconv.Itoa(d.Total) + " sites"
	}
	return fmt.Sprintf("%d to %d of %d sites", d.First, d.First+len(d.Installs)-1, d.Total)
}

// address is that of another page of the same list.
func (d SimSites) address(page int) string {
	query := url.Values{"page": {strconv.Itoa(page)}}
	if d.Query != "" {
		query.Set("q", d.Query)
	}
	return "?" + query.Encode()
}

// simTabs are the parts of the first page: the id and the title of each.
func simTabs() [][2]string {
	return [][2]string{
		{"sites", "Sites"}, {"calls", "Calls"}, {"webhooks", "Webhooks"},
		{"tokens", "Tokens"}, {"faults", "Faults, clock"}, {"behavior", "Behavior"},
	}
}

// SimInstall is one installation of the app in the list of the first page.
type SimInstall struct {
	InstanceID, SiteName, Plan, BillingCycle string
	// RenewalCancelled is a plan that ends with the billing cycle.
	RenewalCancelled bool
	// Removed is true after the app was removed from the site.
	Removed bool
}

func (in SimInstall) plan() string {
	switch {
	case in.Removed:
		return "Removed"
	case in.Plan == "":
		return "Free plan"
	case in.RenewalCancelled:
		return "Plan " + in.Plan + ", not renewed"
	}
	return "Plan " + in.Plan
}

type simBoot struct {
	RetryMS []float64 `json:"retryMs"`
}

// MessageData is a page with one message, such as an error.
type MessageData struct {
	// BasePath is the path of the server's public URL, such as "/app", or "".
	BasePath string
	// Assets is the URL of the bundle's folder, with a slash at its end, or "" for
	// BasePath+"/web/". The page is readable without the bundle.
	Assets string
	Title  string
	Text   string
	// Status is the HTTP status to show, or 0 for none.
	Status int
}

func direction(rightToLeft bool) string {
	if rightToLeft {
		return "rtl"
	}
	return "ltr"
}

func (d MessageData) assets() string {
	if d.Assets != "" {
		return d.Assets
	}
	return d.BasePath + "/web/"
}
