package main

// The two TypeScript files: what the widget reads, and what the panel shows.

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nametag-dev/nametag/backend/settings/internal/declaration"
)

const generated = "Code generated from " + source + " by make generate. DO NOT EDIT."

// public are the fields whose values leave the server.
func public(fields []declaration.Field) (open []declaration.Field) {
	for _, f := range fields {
		if f.Kind != declaration.KindSecret {
			open = append(open, f)
		}
	}
	return open
}

func writeWidget(d declared) string {
	site := public(d.site)
	var b strings.Builder
	b.WriteString("// " + generated + "\n\n")
	var names []string
	for _, kind := range kindsOf(d.widget, site) {
		if kind == declaration.KindFont {
			names = append(names, "type Font")
		}
		names = append(names, string(kind))
	}
	if names != nil {
		b.WriteString(importOf(names, "./frame/kinds") + "\n")
	}
	b.WriteString(interfaceOf("WidgetSettings", "What belongs to one widget.", d.widget))

	var attributes array
	for _, f := range d.widget {
		attributes.items = append(attributes.items, text(f.Attribute))
	}
	name, arg := "widgetAttributes", "attribute"
	if len(d.widget) == 0 {
		name, arg = "widgetAttributes: string[]", "_attribute"
	}
	b.WriteString("\n/** The element's attributes that hold them. */\n")
	b.WriteString(constOf(name, attributes, ""))
	b.WriteString("\n/** Reads the attributes. A value that is absent or not valid becomes the default. */\n")
	fmt.Fprintf(&b, "export const readWidget = (%s: (name: string) => unknown): WidgetSettings => (%s);\n", arg,
		readerOf(d.widget, func(f declaration.Field) node { return attributeReader(f) }))

	b.WriteString("\n" + interfaceOf("SiteSettings", "What belongs to the whole site, without its secrets.", site))
	arg = "values"
	if len(site) == 0 {
		arg = "_values"
	}
	b.WriteString("\n/** Reads the settings of an answer; any other value gives the defaults. */\n")
	fmt.Fprintf(&b, "export const readSite = (%s?: Record<string, unknown>): SiteSettings => (%s);\n", arg,
		readerOf(site, func(f declaration.Field) node { return valueReader(f) }))
	return b.String()
}

func readerOf(fields []declaration.Field, read func(declaration.Field) node) string {
	o := object{open: true}
	for _, f := range fields {
		o.add(f.Name, read(f))
	}
	return render(o, 0, 0, 0)
}

// attributeReader reads a setting of a widget. A color that is absent is "", as a font is,
// so that the face shows its own.
func attributeReader(f declaration.Field) call {
	value := call{"attribute", []node{text(f.Attribute)}}
	if f.Kind == declaration.KindColor {
		return call{string(f.Kind), []node{value}}
	}
	return call{string(f.Kind), append([]node{value}, readerArguments(f)...)}
}

// valueReader reads a setting of the site.
func valueReader(f declaration.Field) call {
	value := literal("values?." + f.Name)
	if (f.Kind == declaration.KindText || f.Kind == declaration.KindLink) && mayBeEmpty(f) && stringOf(f.Default) != "" {
		// An empty text is what the owner has set, not one that is absent.
		return call{string(f.Kind), []node{value + " ?? " + literal(text(stringOf(f.Default)).flat())}}
	}
	return call{string(f.Kind), append([]node{value}, readerArguments(f)...)}
}

// mayBeEmpty reports whether an empty text is valid.
func mayBeEmpty(f declaration.Field) bool { return f.Min == nil || *f.Min == 0 }

// readerArguments are what a reader in frame/kinds.ts takes after the value.
func readerArguments(f declaration.Field) []node {
	switch f.Kind {
	case declaration.KindFont:
		return nil
	case declaration.KindText, declaration.KindLink, declaration.KindColor:
		if stringOf(f.Default) == "" {
			return nil
		}
	case declaration.KindChoice:
		values := array{}
		for _, value := range f.Values() {
			values.items = append(values.items, text(value))
		}
		if stringOf(f.Default) == f.Values()[0] {
			return []node{values}
		}
		return []node{values, valueOf(f.Default)}
	case declaration.KindNumber:
		args := []node{valueOf(f.Default)}
		if f.Min != nil || f.Max != nil {
			args = append(args, numberOr(f.Min, "undefined"))
		}
		if f.Max != nil {
			args = append(args, numberOr(f.Max, ""))
		}
		return args
	}
	return []node{valueOf(f.Default)}
}

func writePanel(d declared) string {
	var b strings.Builder
	b.WriteString("// " + generated + "\n\n")
	for _, kind := range kindsOf(d.widget, d.site) {
		names := []string{string(kind)}
		if kind == declaration.KindFont {
			names = []string{"type Font", "font"}
		}
		b.WriteString(importOf(names, "./kinds/"+string(kind)))
	}
	if len(d.widget)+len(d.site) > 0 {
		b.WriteByte('\n')
	}
	b.WriteString(interfaceOf("WidgetSettings", "What belongs to one widget.", d.widget))
	b.WriteString("\n" + interfaceOf("SiteSettings", "What belongs to the whole site, without its secrets.", public(d.site)))
	b.WriteString("\n" + constOf("widgetFields", fieldsOf(d.widget, true), " as const"))
	b.WriteString("\n" + constOf("siteFields", fieldsOf(d.site, false), " as const"))
	return b.String()
}

func fieldsOf(fields []declaration.Field, inWidget bool) array {
	var all array
	for _, f := range fields {
		all.items = append(all.items, call{string(f.Kind), []node{text(f.Name), specOf(f, inWidget)}})
	}
	return all
}

// specOf is what the panel has to know of a field.
func specOf(f declaration.Field, inWidget bool) object {
	var o object
	if inWidget {
		o.add("attribute", text(f.Attribute))
	}
	if f.Kind != declaration.KindFont && f.Kind != declaration.KindSecret {
		o.add("fallback", valueOf(f.Default))
	}
	for _, limit := range []struct {
		name  string
		value *float64
	}{{"min", f.Min}, {"max", f.Max}, {"step", f.Step}} {
		if limit.value != nil {
			o.add(limit.name, numberOr(limit.value, ""))
		}
	}
	if f.Kind == declaration.KindNumber && f.Whole {
		o.add("whole", literal("true"))
	}
	if f.Unit != "" {
		o.add("unit", text(f.Unit))
	}
	if f.Choices != nil {
		var of array
		for _, c := range f.Choices {
			of.items = append(of.items, object{fields: []property{{"value", text(c.Value)}, {"label", wordsOf(c.Label)}}})
		}
		o.add("of", of)
	}
	if f.Also != nil {
		var also array
		for _, value := range f.Also {
			also.items = append(also.items, text(value))
		}
		o.add("also", also)
	}
	if f.On != "" {
		o.add("on", text(f.On))
	}
	for _, words := range []struct {
		name  string
		texts declaration.Texts
	}{{"placeholder", f.Placeholder}, {"help", f.Help}, {"label", f.Label}, {"group", f.Group}} {
		if words.texts != nil {
			o.add(words.name, wordsOf(words.texts))
		}
	}
	return o
}

func wordsOf(t declaration.Texts) object {
	var o object
	for _, one := range t {
		o.add(one.Language, text(one.Text))
	}
	return o
}

// kindsOf are the kinds that are used, by name.
func kindsOf(groups ...[]declaration.Field) (kinds []declaration.Kind) {
	for _, fields := range groups {
		for _, f := range fields {
			kinds = append(kinds, f.Kind)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

func importOf(names []string, path string) string {
	line := fmt.Sprintf("import { %s } from %q;\n", strings.Join(names, ", "), path)
	if widthOf(line)-1 <= lineWidth {
		return line
	}
	return fmt.Sprintf("import {\n  %s,\n} from %q;\n", strings.Join(names, ",\n  "), path)
}

func constOf(name string, value node, suffix string) string {
	head := "export const " + name + " = "
	return head + render(value, 0, len(head), len(suffix)+1) + suffix + ";\n"
}

func interfaceOf(name, comment string, fields []declaration.Field) string {
	if len(fields) == 0 {
		return fmt.Sprintf("/** %s */\nexport type %s = Record<string, never>;\n", comment, name)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "/** %s */\nexport interface %s {\n", comment, name)
	for _, f := range fields {
		types := []string{map[declaration.Kind]string{
			declaration.KindFont: "Font", declaration.KindToggle: "boolean", declaration.KindNumber: "number",
		}[f.Kind]}
		if f.Kind == declaration.KindChoice {
			types = nil
			for _, value := range f.Values() {
				types = append(types, text(value).flat())
			}
		} else if types[0] == "" {
			types[0] = "string"
		}
		line := "  " + f.Name + ": " + strings.Join(types, " | ") + ";\n"
		if widthOf(line)-1 > lineWidth && len(types) > 1 {
			line = "  " + f.Name + ":\n    | " + strings.Join(types, "\n    | ") + ";\n"
		}
		b.WriteString(line)
	}
	b.WriteString("}\n")
	return b.String()
}

// valueOf is a stored value in TypeScript.
func valueOf(raw json.RawMessage) node {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return text(s)
	}
	var n float64
	if json.Unmarshal(raw, &n) == nil {
		return numberOr(&n, "")
	}
	return literal(raw)
}

func stringOf(raw json.RawMessage) (s string) {
	_ = json.Unmarshal(raw, &s) // of a kind that is text
	return s
}

func numberOr(n *float64, other string) literal {
	if n == nil {
		return literal(other)
	}
	return literal(strconv.FormatFloat(*n, 'f', -1, 64))
}
