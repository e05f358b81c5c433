// Package appjson reads app.json, the one place that names the product, and holds the rules
// of its names.
package appjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// File is the content of app.json.
type File struct {
	// Name is the product's name for people, such as "Review Badge".
	Name string `json:"name"`
	// ID is its name for machines, such as "review-badge": of the program, its database
	// file, its environment variables, metrics, events and custom properties.
	ID string `json:"id"`
	// Tag is the name of the custom element, which the pages of sites hold.
	Tag string `json:"tag"`
	// Description is one sentence for people.
	Description string `json:"description"`
	// APIOrigins are where the API may be, besides the origin of the widget's script. The
	// widget sends its visitors' tokens nowhere else. None by default.
	APIOrigins []string `json:"apiOrigins,omitempty"`
	// Budgets are what `npm run budget` holds the bundles to.
	Budgets Budgets `json:"budgets"`
}

// Budgets are the most that the bundles may have, in bytes after brotli.
type Budgets struct {
	Widget int `json:"widget"`
	Panel  int `json:"panel"`
}

// EnvPrefix begins the names of the product's environment variables: "REVIEW_BADGE_".
func (f File) EnvPrefix() string { return strings.ToUpper(f.MetricPrefix()) }

// MetricPrefix begins the names of the product's metrics: "review_badge_".
func (f File) MetricPrefix() string { return strings.ReplaceAll(f.ID, "-", "_") + "_" }

// Parse reads app.json. Its error names every fault, a line each.
func Parse(content []byte) (File, error) {
	var values map[string]any
	if err := json.Unmarshal(content, &values); err != nil {
		return File{}, fmt.Errorf("read the JSON: %w", err)
	}
	var f File
	var faults []error
	for _, field := range []struct {
		key   string
		into  *string
		check func(string) error
	}{
		{"name", &f.Name, CheckName}, {"id", &f.ID, CheckID},
		{"tag", &f.Tag, CheckTag}, {"description", &f.Description, CheckDescription},
	} {
		value, ok := values[field.key]
		delete(values, field.key)
		text, isText := value.(string)
		switch {
		case !ok:
			faults = append(faults, fmt.Errorf("%s is missing", field.key))
		case !isText:
			faults = append(faults, fmt.Errorf("%s must be a text", field.key))
		default:
			*field.into = text
			if err := field.check(text); err != nil {
				faults = append(faults, fmt.Errorf("%s is %q: %w", field.key, text, err))
			}
		}
	}
	delete(values, "budgets")
	var given struct{ Budgets Budgets }
	if err := json.Unmarshal(content, &given); err != nil || min(given.Budgets.Widget, given.Budgets.Panel) < 1 {
		faults = append(faults, errors.New(`budgets must be whole numbers of bytes, such as {"widget": 3400, "panel": 153600}`))
	}
	f.Budgets = given.Budgets
	if origins, ok := values["apiOrigins"]; ok {
		delete(values, "apiOrigins")
		list, isList := origins.([]any)
		if !isList {
			faults = append(faults, errors.New(`apiOrigins must be a list of origins, such as ["https://api.example.com"]`))
		}
		for _, value := range list {
			origin, _ := value.(string)
			if err := CheckOrigin(origin); err != nil {
				faults = append(faults, fmt.Errorf("apiOrigins has %#v: %w", value, err))
			}
			f.APIOrigins = append(f.APIOrigins, origin)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		faults = append(faults, fmt.Errorf("%s is no key of app.json: it has name, id, tag, description, budgets and apiOrigins", key))
	}
	if len(faults) > 0 {
		return File{}, errors.Join(faults...)
	}
	return f, nil
}

// CheckName returns why a text cannot be the product's name, or nil.
func CheckName(name string) error { return checkLine(name, 40) }

// CheckDescription returns why a text cannot be the product's description, or nil.
func CheckDescription(description string) error { return checkLine(description, 200) }

// checkLine allows what a person can read in one line. What is special in HTML or in a
// shell is for those who render the text.
func checkLine(text string, most int) error {
	switch n := utf8.RuneCountInString(text); {
	case !utf8.ValidString(text):
		return errors.New("it must be UTF-8")
	case n < 1 || n > most:
		return fmt.Errorf("it must have 1 to %d characters", most)
	case strings.TrimSpace(text) != text:
		return errors.New("it must neither begin nor end with a space")
	}
	for _, r := range text {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("%U is not a character that can be printed", r)
		}
	}
	return nil
}

var idForm = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// CheckID returns why a text cannot be the product's id, or nil.
func CheckID(id string) error {
	switch {
	case !idForm.MatchString(id):
		return errors.New("it must be lowercase letters and digits, in words that single hyphens join, and begin with a letter, such as review-badge")
	case len(id) > 40:
		return errors.New("it must have at most 40 characters")
	}
	return nil
}

var originForm = regexp.MustCompile(`^(https://[a-z0-9]+((\.|-+)[a-z0-9]+)*|http://(localhost|127\.0\.0\.1))(:[1-9][0-9]{0,4})?$`)

// CheckOrigin returns why a text cannot be an origin to which tokens are sent, or nil. The
// widget compares it with what browsers write: in lower case, without a default port.
func CheckOrigin(origin string) error {
	switch {
	case !originForm.MatchString(origin):
		return errors.New("it must be an https origin in lower case with nothing after host and port, such as https://api.example.com (or http://localhost, to try it)")
	case strings.HasPrefix(origin, "https:") && strings.HasSuffix(origin, ":443"), strings.HasPrefix(origin, "http:") && strings.HasSuffix(origin, ":80"):
		return errors.New("it must be without its protocol's own port")
	}
	return nil
}

var tagForm = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)+$`)

// reservedTags have the form of a custom element's name, and are other elements
// (https://html.spec.whatwg.org/#valid-custom-element-name).
var reservedTags = []string{
	"annotation-xml", "color-profile", "font-face", "font-face-format", "font-face-name",
	"font-face-src", "font-face-uri", "missing-glyph",
}

// CheckTag returns why a text cannot name a custom element, or nil. Wix allows less than
// HTML does: lower-case ASCII, and at most 64 characters (@wix/app-extensions 1.0.160).
func CheckTag(tag string) error {
	switch {
	case !tagForm.MatchString(tag):
		return errors.New("it must be lowercase letters and digits with at least one hyphen between them, and begin with a letter, such as review-badge")
	case len(tag) > 64:
		return errors.New("it must have at most 64 characters")
	case slices.Contains(reservedTags, tag):
		return errors.New("HTML reserves this name for another element")
	}
	return nil
}
