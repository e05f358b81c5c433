package wixsim

// Calls of what is not simulated.

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// apiNames returns the names of Wix's REST APIs by the first part of their paths.
func apiNames() map[string]string {
	return map[string]string{
		"analytics": "Analytics", "app-market": "App Market", "apps": "App Management", "apps-installer-service": "App Installation",
		"automations": "Automations", "benefit-programs": "Benefit Programs", "blog": "Blog", "bookings": "Bookings",
		"calendar": "Calendar", "categories": "Categories", "comments": "Comments", "contacts": "Contacts", "crm": "CRM",
		"currency_converter": "Currencies", "devcenter": "App Management", "domain-search": "Domains", "ecom": "eCommerce",
		"email-marketing": "Email Marketing", "events": "Events", "faq": "FAQ", "form-schema-service": "Forms",
		"form-submission-service": "Forms", "fulfillment-methods": "Restaurants", "gift-cards": "Gift Cards",
		"headless": "Headless", "identity": "Identity", "inbox": "Inbox", "locations": "Locations",
		"loyalty-accounts": "Loyalty", "loyalty-programs": "Loyalty", "members": "Members",
		"menu-ordering-settings": "Restaurants", "notifications": "Notifications", "oauth": "OAuth", "oauth2": "OAuth",
		"oauth-app": "OAuth Apps", "payment-links": "Payment Links", "payments": "Payments", "portfolio": "Portfolio",
		"pricing-plans": "Pricing Plans", "restaurants": "Restaurants", "restaurants-operations": "Restaurants",
		"ricos": "Rich Content", "site-list": "Sites", "site-media": "Media", "site-properties": "Site Properties",
		"site-publisher": "Site Publishing", "social-groups": "Groups", "social-publisher": "Social Posts", "stores": "Stores",
		"stores-reader": "Stores", "table-reservations": "Table Reservations", "wix-data": "Data",
	}
}

// apiOf names the API that a path belongs to: as Wix's documentation does, or else by the
// first part of the path. ok is false for a path that is of no API, such as /favicon.ico,
// which browsers ask for.
func apiOf(path string) (name string, ok bool) {
	path = strings.TrimLeft(strings.TrimPrefix(path, "/_api/"), "/")
	first, _, _ := strings.Cut(path, "/")
	if first == "" || strings.Contains(first, ".") {
		return "", false
	}
	if name, ok := apiNames()[first]; ok {
		return name, true
	}
	return clip(first, 64), true
}

// notFound answers what is not simulated.
func (s *Sim) notFound(x *exchange, r *http.Request, _ []byte) {
	api, ok := apiOf(r.URL.Path)
	if !ok {
		systemError(x, http.StatusNotFound, "No such endpoint")
		return
	}
	x.notSimulated = true
	if s.notices.due(api, s.cfg.Now()) {
		s.cfg.Logger.Info("not simulated", "api", api, "method", clip(r.Method, 32), "path", clip(r.URL.Path, 256))
	}
	systemError(x, http.StatusNotFound, "The offline Wix does not simulate this API: "+api)
}

const (
	noticeEvery = time.Minute
	maxNotices  = 1_000 // the names come from the callers
)

// notices remembers when something was last said about each API.
type notices struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// due reports whether something is to be said about an API now: once a minute at most.
func (n *notices) due(api string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if last, ok := n.last[api]; ok && now.Sub(last) < noticeEvery {
		return false
	}
	if n.last == nil || len(n.last) >= maxNotices {
		n.last = map[string]time.Time{}
	}
	n.last[api] = now
	return true
}
