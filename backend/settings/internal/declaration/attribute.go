package declaration

import (
	"slices"
	"strings"
)

// frameAttributes are the element's own.
func frameAttributes() []string { return []string{"settings-version", "api-base"} }

// htmlAttributes are HTML's global attributes (HTML Living Standard, "Global attributes"),
// with role (ARIA in HTML) and those that browsers add.
func htmlAttributes() []string {
	return strings.Fields(`accesskey anchor autocapitalize autocorrect autofocus class contenteditable dir draggable
		elementtiming enterkeyhint exportparts headingoffset headingreset hidden id inert inputmode is itemid itemprop
		itemref itemscope itemtype lang nonce part popover role slot spellcheck style tabindex title translate
		virtualkeyboardpolicy writingsuggestions xmlns`)
}

// reservedBy says whom an attribute belongs to, or "".
func reservedBy(attribute string) string {
	switch {
	case slices.Contains(frameAttributes(), attribute):
		return "the widget's frame"
	case slices.Contains(htmlAttributes(), attribute), strings.HasPrefix(attribute, "on"),
		strings.HasPrefix(attribute, "aria-"), strings.HasPrefix(attribute, "data-"):
		return "HTML"
	}
	return ""
}
