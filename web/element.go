package web

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/a-h/templ"
)

// TagName is what may name a custom element on a Wix page: lower-case ASCII with
// a hyphen, 2 to 64 characters (@wix/app-extensions 1.0.160).
var TagName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)+$`)

// AttributeName is what may name a widget's attribute: the kebab-case that
// widget.setProp writes.
var AttributeName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// SettableAttribute tells whether a widget may carry the attribute: kebab-case,
// and nothing to which the browser itself gives a meaning that could run or hide
// something.
func SettableAttribute(name string) bool {
	if len(name) > 64 || !AttributeName.MatchString(name) || strings.HasPrefix(name, "on") {
		return false
	}
	switch name {
	case "style", "class", "id", "is", "slot", "part", "hidden", "inert", "popover", "nonce":
		return false
	}
	return true
}

// widget writes one custom element. templ has no element whose name is a value.
func widget(tag string, e Element) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		if !TagName.MatchString(tag) || len(tag) > 64 {
			return fmt.Errorf("web: %q cannot name a custom element", tag)
		}
		var b strings.Builder
		b.WriteString("<" + tag)
		for _, a := range e.Attributes {
			if !SettableAttribute(a.Name) {
				return fmt.Errorf("web: %q cannot be an attribute of a widget", a.Name)
			}
			b.WriteString(" " + a.Name + `="` + templ.EscapeString(a.Value) + `"`)
		}
		b.WriteString("></" + tag + ">")
		_, err := io.WriteString(w, b.String())
		return err
	})
}
