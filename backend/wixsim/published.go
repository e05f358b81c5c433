package wixsim

// Publishing: the widgets of the editor's stage become the page of the site.

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// MaxElements is the largest number of widgets on a page.
	MaxElements = 20

	maxAttributes = 50
	maxAttribute  = 4096 // characters of one attribute's value
	maxPublished  = 1000 // sites whose published page is stored
)

// Element is one widget on a page.
type Element struct {
	Attributes []Attribute `json:"attributes"`
}

// Attribute is one attribute of a widget.
type Attribute struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Publish stores the widgets of a site's page. The page published longest ago is dropped
// when there are too many. The error is ErrNotInstalled or says what is wrong with the
// widgets.
func (s *Sim) Publish(instanceID string, elements []Element) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := idKey(instanceID)
	if _, ok := s.installs[key]; !ok {
		return ErrNotInstalled
	}
	if err := checkElements(elements); err != nil {
		return err
	}
	s.published = slices.DeleteFunc(s.published, func(p Page) bool { return p.InstanceID == key })
	s.published = append(s.published, Page{key, cloneElements(elements)})
	if len(s.published) > maxPublished {
		s.published = slices.Delete(s.published, 0, 1)
	}
	s.changed()
	return nil
}

// Published returns the widgets of a site's page: at first one without attributes. A site
// keeps its page when the app is removed.
func (s *Sim) Published(instanceID string) []Element {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i := slices.IndexFunc(s.published, func(p Page) bool { return p.InstanceID == idKey(instanceID) })
	if i < 0 {
		return []Element{{Attributes: []Attribute{}}}
	}
	return cloneElements(s.published[i].Elements)
}

func cloneElements(elements []Element) []Element {
	out := make([]Element, len(elements))
	for i, e := range elements {
		out[i].Attributes = append([]Attribute{}, e.Attributes...)
	}
	return out
}

func (s *Sim) putPublished(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if _, ok := s.Installation(id); !ok { // before the body is read
		refuse(w, ErrNotInstalled)
		return
	}
	var in struct {
		Elements []Element `json:"elements"`
	}
	if !ReadJSON(w, r, &in) {
		return
	}
	switch err := s.Publish(id, in.Elements); {
	case errors.Is(err, ErrNotInstalled): // it has just been removed
		refuse(w, err)
	case err != nil:
		writeFault(w, err.Error())
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func checkElements(elements []Element) error {
	if len(elements) > MaxElements {
		return fmt.Errorf("elements must be at most %d", MaxElements)
	}
	return each("elements", elements, Element.check)
}

func (e Element) check() error {
	if len(e.Attributes) > maxAttributes {
		return fmt.Errorf("attributes must be at most %d", maxAttributes)
	}
	seen := map[string]bool{}
	for _, a := range e.Attributes {
		if err := a.Check(); err != nil {
			return fmt.Errorf("attributes: %w", err)
		}
		if seen[a.Name] {
			return fmt.Errorf("attributes must name %q once", a.Name)
		}
		seen[a.Name] = true
	}
	return nil
}

// attributeName matches the kebab-case that widget.setProp writes.
var attributeName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// Check returns why a widget may not have the attribute: its name is not in kebab-case, the
// browser uses it to run or hide something, or its value is too long.
func (a Attribute) Check() error {
	settable := len(a.Name) <= 64 && attributeName.MatchString(a.Name) && !strings.HasPrefix(a.Name, "on")
	switch a.Name {
	case "style", "class", "id", "is", "slot", "part", "hidden", "inert", "popover", "nonce":
		settable = false
	}
	return check(
		rule{settable, strconv.Quote(clip(a.Name, 64)) + " cannot be an attribute of a widget"},
		rule{utf8.ValidString(a.Value) && utf8.RuneCountInString(a.Value) <= maxAttribute,
			fmt.Sprintf("%q must be text of at most %d characters", a.Name, maxAttribute)},
	)
}
