// Package web holds the HTML pages that people see in a browser: the home page
// with the demo, the install guide, the pages of the offline Wix and the error
// page. They are templ components over the plain values of this file; what moves
// in them is the browser code in web/src, built into web/dist.
//
// Every page works under a Content-Security-Policy of 'self' for scripts and
// styles: it has no inline script, no inline style and no style attribute. What
// its script must know stands in a <script type="application/json" id="boot">,
// which browsers never run.
package web

import (
	"net"
	"net/url"
	"strings"
)

// HomeData is what the home page shows.
type HomeData struct {
	// BasePath is the path that every link starts with: "" or, say, "/app".
	BasePath string
	// Demo is nil when the demo is switched off.
	Demo *DemoData
}

// DemoData says that the demo is there. It is mounted at BasePath+"/demo/", and a
// session, which the page's script asks for, names everything else.
type DemoData struct{}

type homeBoot struct {
	Demo   string `json:"demo"`
	Assets string `json:"assets"`
}

// InstallData is what the install guide shows: values to be typed into the Wix
// app dashboard, all of them absolute URLs where they are URLs.
type InstallData struct {
	// BasePath is the path that every link starts with: "" or, say, "/app".
	BasePath string
	// PublicURL is where the world reaches this server (NAMETAG_PUBLIC_URL).
	PublicURL string
	// AppID is the app's id at Wix, or "" while it is not configured.
	AppID     string
	Tag       string
	WidgetURL string
	PanelURL  string
	// WebhookURL is "" where the server takes no webhooks.
	WebhookURL   string
	ThumbnailURL string
	// DefaultWidth and DefaultHeight are the widget's first size in CSS pixels.
	DefaultWidth, DefaultHeight int
}

// Warnings are the reasons why Wix cannot use the public URL, as sentences.
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
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || (ip != nil && (ip.IsLoopback() || ip.IsPrivate() || ip.IsUnspecified())) {
		w = append(w, "The public URL names this machine or a private network. Visitors of a Wix site cannot reach it.")
	}
	return w
}

// Origin is the scheme and host of the public URL, for the preconnect advice.
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
	// Assets is the URL that the bundle's file names are appended to.
	Assets string
	// Language is the page's language, such as "en" or "pt-BR".
	Language string
	// RightToLeft turns the page's direction.
	RightToLeft bool
	// Tag is the widget's element name; WidgetURL the module that defines it.
	Tag, WidgetURL string
	Elements       []Element
	// Removed is a site that the app has been removed from: a note stands where the
	// widgets were.
	Removed bool
	// TokensURL is where the page gets its visitor's access token.
	TokensURL string
	// Token is the request that is posted there, or nil when the page hands its
	// widgets no token at all.
	Token any
	// KeepToken makes the tab use its first token again at each visit, as a page that
	// was left open would.
	KeepToken bool
}

type siteBoot struct {
	Tag       string `json:"tag"`
	Language  string `json:"language"`
	TokensURL string `json:"tokensUrl"`
	Token     any    `json:"token"`
	KeepToken bool   `json:"keepToken"`
}

// EditorData is the simulated Wix editor with one site open.
type EditorData struct {
	// Assets is the URL that the bundle's file names are appended to.
	Assets string `json:"assets"`
	// AppID, InstanceID and SiteID are what Wix's editor knows of the site.
	AppID      string `json:"appId"`
	InstanceID string `json:"instanceId"`
	SiteID     string `json:"siteId"`
	SiteName   string `json:"siteName"`
	// Tag is the widget's element name; WidgetURL the module that defines it.
	Tag       string `json:"tag"`
	WidgetURL string `json:"widgetUrl"`
	PanelURL  string `json:"panelUrl"`
	// TokensURL answers a posted {"subject","instanceId"} with {"token"}.
	TokensURL string `json:"tokensUrl"`
	// PublishURL takes the elements of the stage by PUT.
	PublishURL string `json:"publishUrl"`
	// SiteURL is the published page.
	SiteURL  string    `json:"siteUrl"`
	Elements []Element `json:"elements"`
	App      AppState  `json:"app"`
	// RetryMS is Wix's schedule: the milliseconds from each failed attempt of a
	// webhook to the next.
	RetryMS []float64 `json:"retryMs"`
}

// AppState is what has become of the app on a site.
type AppState struct {
	Installed bool `json:"installed"`
	// Plan is the paid plan's id, or "" for the free plan.
	Plan             string `json:"plan"`
	BillingCycle     string `json:"billingCycle"`
	RenewalCancelled bool   `json:"renewalCancelled"`
}

// SimData is the index page of the offline Wix.
type SimData struct {
	Assets        string
	AppID, AppURL string
	Installs      []SimInstall
	// RetryMS is as in EditorData.
	RetryMS []float64
}

// SimInstall is one installation of the app, as the index page lists it.
type SimInstall struct {
	InstanceID, SiteName, Plan string
	// Removed is a site that had the app.
	Removed bool
}

func (in SimInstall) plan() string {
	switch {
	case in.Removed:
		return "Removed"
	case in.Plan == "":
		return "Free plan"
	}
	return "Plan " + in.Plan
}

type simBoot struct {
	RetryMS []float64 `json:"retryMs"`
}

// MessageData is a page that says one thing: a fault, or what is missing.
type MessageData struct {
	// BasePath is the path that every link starts with: "" or, say, "/app".
	BasePath string
	// Assets is the URL that the bundle's file names are appended to, or "" for
	// BasePath+"/web/". The page stays readable when there is no bundle.
	Assets string
	Title  string
	Text   string
	// Status is the HTTP status that is shown, or 0 to show none.
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
