package web

// The custom element on the simulated pages.

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/a-h/templ"

	"github.com/nametag-dev/nametag/backend/product/appjson"
)

// AttributeName matches the names of a widget's attributes: the kebab-case that
// widget.setProp writes.
var AttributeName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// SettableAttribute reports whether a widget may have the attribute: its name is in
// kebab-case, and the browser does not use it to run or hide anything.
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

// widget renders one custom element. In templ an element's name cannot be a value.
func widget(tag string, e Element) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		if err := appjson.CheckTag(tag); err != nil {
			return fmt.Errorf("render the widget %q: %w", tag, err)
		}
		var b strings.Builder
		b.WriteString("<" + tag)
		for _, a := range e.Attributes {
			if !SettableAttribute(a.Name) {
				return fmt.Errorf("render the widget: %q cannot be an attribute", a.Name)
			}
			b.WriteString(" " + a.Name + `="` + templ.EscapeString(a.Value) + `"`)
		}
		b.WriteString("></" + tag + ">")
		_, err := io.WriteString(w, b.String())
		return err
	})
}
