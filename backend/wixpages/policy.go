package wixpages

// The pages' Content-Security-Policies.

import (
	"net/url"
	"strings"
)

const ownPagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// editorPolicy restricts the editor's own code. The stage inherits the policy, and may
// hold any app's widget, which may style itself and call any server.
func editorPolicy(o Options) string {
	return "default-src 'none'; script-src 'self' " + origin(o.WidgetURL) + "; style-src * 'unsafe-inline'; " +
		"img-src * data: blob:; font-src * data:; media-src *; connect-src *; frame-src 'self' " + origin(o.PanelURL) +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// dashboardPolicy restricts the dashboard's own code, in which the app's page is.
func dashboardPolicy(o Options) string {
	return ownPagePolicy + "; connect-src 'self'; frame-src 'self' " + origin(o.DashboardURL)
}

// strictPolicy is that of a site whose owner allows as little as possible, with Trusted
// Types: no string may become code or markup.
func strictPolicy(o Options) string {
	widget := origin(o.WidgetURL)
	connect := []string{"'self'", widget}
	if o := origin(o.AppURL); o != "" && o != widget {
		connect = append(connect, o)
	}
	return "default-src 'none'; script-src 'self' " + widget + "; style-src 'self'; img-src 'self' data:; " +
		"connect-src " + strings.Join(connect, " ") + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'"
}

// origin returns the scheme and host of a URL for a policy, or "" for a relative URL, which
// 'self' covers.
func origin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || strings.ContainsAny(u.Host, " ;,'") {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
