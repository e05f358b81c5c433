package api

// The start's check of what an app declares.

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/kit"
)

// builtIn are the paths below api/ that are Nametag's own.
var builtIn = []string{"get-instance", "get-instance-data", "settings"}

var (
	routeSegment = regexp.MustCompile(`^(:[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9._~-]+)$`)
	codeName     = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
)

// Check reports every fault in an app's answer, routes and error codes.
func Check(app kit.App) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if app.Answer == nil {
		fault("the app has no Answer")
	}
	for i, plan := range app.Plans {
		if strings.TrimSpace(plan) == "" || slices.Contains(app.Plans[:i], plan) {
			fault("plan %q: the plans must be different ids of the app dashboard", plan)
		}
	}
	taken := map[string]string{}
	for _, path := range builtIn {
		taken[shape(path)] = "Nametag"
	}
	for _, r := range app.Routes {
		name := r.Method + " api/" + r.Path
		if !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, r.Method) {
			fault("route %s: its method must be GET, POST, PUT, PATCH or DELETE", name)
		}
		for segment := range strings.SplitSeq(r.Path, "/") {
			if !routeSegment.MatchString(segment) || segment == "." || segment == ".." {
				fault("route %s: its path must be such as reviews or reviews/:id, without a slash at either end", name)
				break
			}
		}
		if !slices.Contains([]identity.Role{identity.Visitor, identity.Owner, identity.App}, r.Role) {
			fault("route %s: its role must be identity.Visitor, identity.Owner or identity.App", name)
		}
		if r.Handle == nil {
			fault("route %s has no Handle", name)
		}
		if taken[shape(r.Path)] == "Nametag" {
			fault("route %s shadows a route of Nametag", name)
		} else if taken[r.Method+" "+shape(r.Path)] != "" {
			fault("route %s is declared twice", name)
		}
		taken[r.Method+" "+shape(r.Path)] = "the app"
	}
	codes := map[string]bool{}
	for _, c := range apierr.Codes() {
		codes[c.Name] = true
	}
	for _, c := range app.Errors {
		switch {
		case !codeName.MatchString(c.Name):
			fault("error code %q: it must be lower case, such as review_limit", c.Name)
		case codes[c.Name]:
			fault("error code %q is declared twice", c.Name)
		case c.Status < 400 || c.Status > 599:
			fault("error code %q: its status is %d, which is not one of an error", c.Name, c.Status)
		case c.Message == "":
			fault("error code %q has no sentence", c.Name)
		}
		codes[c.Name] = true
	}
	return errors.Join(faults...)
}

// shape is a path with its parameters' names left out: two paths of one shape are the
// same to the router.
func shape(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, ":") {
			segments[i] = ":"
		}
	}
	return strings.Join(segments, "/")
}
