package wixpages

// The page of a simulated site.

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/nametag-dev/nametag/backend/wixsim"
	"github.com/nametag-dev/nametag/web"
)

func (p *pages) site(w http.ResponseWriter, r *http.Request) {
	query, problems := parseSiteQuery(r.URL.Query())
	if len(problems) > 0 {
		p.message(w, r, http.StatusBadRequest, "This address is not understood", strings.Join(problems, " "))
		return
	}
	in, installed, ok := p.installation(query.instance)
	if !ok {
		p.notInstalled(w, r)
		return
	}
	b := p.sim.Behavior()
	data := web.SiteData{
		Assets: assetsPath, SiteID: in.SiteID, Language: query.language, RightToLeft: query.rightToLeft,
		Tag: p.o.Tag, WidgetURL: p.o.WidgetURL, Locked: b.LockedPage, ClassicScript: b.ClassicScript,
	}
	if query.script != "" {
		data.ClassicScript = query.script == "classic"
	}
	if !installed && query.tokenKind != "kept" {
		data.Removed = true
		p.show(w, r, http.StatusOK, "", web.SitePage(data))
		return
	}
	data.Elements = query.apply(p.elements(in.InstanceID))
	data.TokensURL, data.Token, data.KeepToken = "_sim/tokens", query.token(in.InstanceID), query.tokenKind == "kept"
	policy := ""
	if query.strict {
		policy = strictPolicy(p.o)
	}
	p.show(w, r, http.StatusOK, policy, web.SitePage(data))
}

// siteQuery is the query of a site page's URL.
type siteQuery struct {
	instance, viewer, language string
	script                     string // classic, module, or "" for what the behavior says
	tokenKind                  string // "", kept, expired, inactive, foreign or none
	copies                     int    // 0 for what is published
	attributes                 []web.Attribute
	rightToLeft, strict        bool
}

var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z]{2})?$`)

// parseSiteQuery returns the query, and everything that is wrong with it, in sentences.
func parseSiteQuery(values url.Values) (siteQuery, []string) {
	q := siteQuery{viewer: wixsim.Visitor, language: "en"}
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		problem := fmt.Sprintf("%s may be given once.", quoted(name))
		if len(values[name]) == 1 {
			problem = q.set(name, values[name][0])
		}
		if problem != "" {
			problems = append(problems, problem)
		}
	}
	return q, problems
}

// set stores one parameter and returns what is wrong with it, or "".
func (q *siteQuery) set(name, value string) string {
	if attribute, ok := strings.CutPrefix(name, "attr."); ok {
		q.attributes = append(q.attributes, web.Attribute{Name: attribute, Value: value})
		if err := (wixsim.Attribute{Name: attribute, Value: value}).Check(); err != nil {
			return err.Error() + "."
		}
		return ""
	}
	switch name {
	case "instance":
		q.instance = value
	case "viewer":
		q.viewer = value
		return oneOf(name, value, wixsim.Visitor, wixsim.Member)
	case "copies":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > wixsim.MaxElements {
			return fmt.Sprintf("copies must be a number from 1 to %d.", wixsim.MaxElements)
		}
		q.copies = n
	case "language":
		if !languageTag.MatchString(value) {
			return "language must be a code such as en or pt-BR."
		}
		q.language = value
	case "dir":
		q.rightToLeft = value == "rtl"
		return oneOf(name, value, "ltr", "rtl")
	case "token":
		q.tokenKind = value
		return oneOf(name, value, "kept", "expired", "inactive", "foreign", "none")
	case "page":
		return oneOf(name, value, "visit") // the page's script goes there
	case "script":
		q.script = value
		return oneOf(name, value, "classic", "module")
	case "csp":
		q.strict = value == "strict"
		return oneOf(name, value, "strict")
	default:
		return fmt.Sprintf("%s is not known.", quoted(name))
	}
	return ""
}

func oneOf(name, value string, allowed ...string) string {
	if slices.Contains(allowed, value) {
		return ""
	}
	return fmt.Sprintf("%s must be one of: %s.", name, strings.Join(allowed, ", "))
}

// apply returns the published elements with the copies and attributes of the query. Copies
// are copies of the first element.
func (q siteQuery) apply(published []web.Element) []web.Element {
	elements := published
	if q.copies > 0 {
		elements = slices.Repeat(published[:min(1, len(published))], q.copies)
		if len(elements) == 0 {
			elements = make([]web.Element, q.copies)
		}
	}
	for i := range elements {
		elements[i].Attributes = merge(elements[i].Attributes, q.attributes)
	}
	return elements
}

// merge returns the attributes, overridden and extended by those of over.
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

// foreignApp is the app that a foreign token was issued for.
const foreignApp = "11111111-2222-4333-8444-555555555555"

// token returns the request that the page posts to the token endpoint, or nil for no token.
func (q siteQuery) token(instanceID string) any {
	request := map[string]any{"subject": q.viewer, "instanceId": instanceID}
	switch q.tokenKind {
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

// quoted returns a parameter's name for a sentence, shortened.
func quoted(name string) string {
	if runes := []rune(name); len(runes) > 64 {
		name = string(runes[:64])
	}
	return strconv.Quote(name)
}
