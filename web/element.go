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

// attributeName matches the names of attributes that are neither markup nor code, unless
// they begin with "on". Which of them a widget may have is a rule of package wixsim.
var attributeName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// widget renders one custom element. In templ an element's name cannot be a value.
func widget(tag string, e Element) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		if err := appjson.CheckTag(tag); err != nil {
			return fmt.Errorf("render the widget %q: %w", tag, err)
		}
		var b strings.Builder
		b.WriteString("<" + tag)
		for _, a := range e.Attributes {
			if !attributeName.MatchString(a.Name) || strings.HasPrefix(a.Name, "on") {
				return fmt.Errorf("render the widget: %q cannot be an attribute", a.Name)
			}
			b.WriteString(" " + a.Name + `="` + templ.EscapeString(a.Value) + `"`)
		}
		b.WriteString("></" + tag + ">")
		_, err := io.WriteString(w, b.String())
		return err
	})
}
