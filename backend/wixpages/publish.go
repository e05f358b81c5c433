package wixpages

// Publishing: the elements of the editor's stage become the page of the site.

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nametag-dev/nametag/backend/wixsim"
	"github.com/nametag-dev/nametag/web"
)

const (
	maxCopies     = 20
	maxAttributes = 50
	maxAttribute  = 4096 // characters of one attribute's value
	maxPublished  = 1000 // sites whose published page is stored
)

// publish stores the elements of a stage as the page of its site.
func (p *pages) publish(w http.ResponseWriter, r *http.Request) {
	installation, ok := p.sim.Installation(r.PathValue("instance"))
	if !ok {
		wixsim.WriteError(w, http.StatusNotFound, wixsim.ErrNotInstalled.Error())
		return
	}
	var in struct {
		Elements []web.Element `json:"elements"`
	}
	if !wixsim.ReadJSON(w, r, &in) {
		return
	}
	if problem := checkElements(in.Elements); problem != "" {
		wixsim.WriteError(w, http.StatusUnprocessableEntity, problem)
		return
	}
	p.store(installation.InstanceID, in.Elements)
	w.WriteHeader(http.StatusNoContent)
}

// store publishes elements on the site of an instance. The site published longest ago is
// dropped when there are too many.
func (p *pages) store(instanceID string, elements []web.Element) {
	id := strings.ToLower(instanceID)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.order = append(slices.DeleteFunc(p.order, func(o string) bool { return o == id }), id)
	p.published[id] = elements
	if len(p.order) > maxPublished {
		delete(p.published, p.order[0])
		p.order = p.order[1:]
	}
}

// elements returns a copy of the elements of a site: at first one widget without attributes.
func (p *pages) elements(instanceID string) []web.Element {
	p.mu.Lock()
	defer p.mu.Unlock()
	published, ok := p.published[strings.ToLower(instanceID)]
	if !ok {
		return []web.Element{{Attributes: []web.Attribute{}}}
	}
	return slices.Clone(published)
}

// checkElements returns what is wrong with the elements of a page, or "".
func checkElements(elements []web.Element) string {
	if len(elements) > maxCopies {
		return fmt.Sprintf("a page holds at most %d widgets", maxCopies)
	}
	for _, e := range elements {
		if len(e.Attributes) > maxAttributes {
			return fmt.Sprintf("a widget has at most %d attributes", maxAttributes)
		}
		seen := map[string]bool{}
		for _, a := range e.Attributes {
			if problem := checkAttribute(a.Name, a.Value); problem != "" {
				return problem
			}
			if seen[a.Name] {
				return "an attribute may be given once"
			}
			seen[a.Name] = true
		}
	}
	return ""
}

// checkAttribute returns what is wrong with an attribute, as a sentence, or "".
func checkAttribute(name, value string) string {
	switch {
	case !web.SettableAttribute(name):
		return fmt.Sprintf("%s cannot be an attribute of a widget.", quoted(name))
	case utf8.RuneCountInString(value) > maxAttribute || !utf8.ValidString(value):
		return fmt.Sprintf("The attribute %s must be text of at most %d characters.", name, maxAttribute)
	}
	return ""
}
