package main

// The table in the documents, and the JSON Schema.

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nametag-dev/nametag/backend/settings/internal/declaration"
)

func writeDocument(d declared) string {
	var b strings.Builder
	b.WriteString("<!-- " + generated + " -->\n\n# Settings\n\n")
	b.WriteString("How they are declared is in [your own app](own-app.md#settings); the same as a JSON Schema is [settings.schema.json](settings.schema.json).\n")

	b.WriteString("\n## One widget\n\nAttributes of the element. One that is absent or not valid has its default.\n\n")
	if len(d.widget) == 0 {
		b.WriteString("There are none.\n")
	} else {
		b.WriteString("| Attribute | Value | Default | |\n|---|---|---|---|\n")
		for _, f := range d.widget {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Attribute, limitsOf(f), defaultOf(f), meaningOf(f))
		}
	}

	b.WriteString("\n## The site\n\nFields of [`api/settings`](http-api.md#settings).\n\n")
	if len(d.site) == 0 {
		b.WriteString("There are none.\n")
		return b.String()
	}
	b.WriteString("| Setting | Value | Default | |\n|---|---|---|---|\n")
	for _, f := range d.site {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Name, limitsOf(f), defaultOf(f), meaningOf(f))
	}
	if len(public(d.site)) < len(d.site) {
		b.WriteString("\nA secret is written by the site's owner and never leaves the server again: no answer, view, log or export has it.\n")
	}
	return b.String()
}

// limitsOf is what a setting accepts, in words.
func limitsOf(f declaration.Field) string {
	limits := func(unit string) string {
		least, most := numberOr(f.Min, "").flat(), numberOr(f.Max, "").flat()
		switch {
		case least == "1" && most == "" && f.Kind != declaration.KindNumber:
			return ", not empty"
		case least != "" && most != "":
			return ", " + least + " to " + most + unit
		case least != "":
			return ", at least " + least + unit
		case most != "":
			return ", at most " + most + unit
		}
		return ""
	}
	switch f.Kind {
	case declaration.KindText, declaration.KindSecret:
		return string(f.Kind) + limits(" characters")
	case declaration.KindLink:
		return "link (http, https, mailto, tel)" + limits(" characters")
	case declaration.KindColor:
		return "CSS color, also of the theme: `var(--wst-…, #fallback)`"
	case declaration.KindFont:
		return "`" + `{"font":"…","textDecoration":"…"}` + "`, CSS"
	case declaration.KindToggle:
		return "`true`, `false`"
	case declaration.KindChoice:
		var offered []string
		for _, c := range f.Choices {
			offered = append(offered, code(c.Value))
		}
		cell := strings.Join(offered, ", ")
		if f.Also != nil {
			var also []string
			for _, value := range f.Also {
				also = append(also, code(value))
			}
			cell += "; also " + strings.Join(also, ", ")
		}
		return cell
	}
	kind := "number"
	if f.Whole {
		kind = "whole number"
	}
	unit := ""
	if f.Unit != "" {
		unit = " " + cell(f.Unit)
	}
	step := ""
	if f.Step != nil && !(f.Whole && *f.Step == 1) {
		step = ", in steps of " + numberOr(f.Step, "").flat()
	}
	if f.Min == nil && f.Max == nil && unit != "" {
		unit = "," + unit
	}
	if l := limits(unit); l != "" {
		return kind + l + step
	}
	return kind + unit + step
}

func defaultOf(f declaration.Field) string {
	switch {
	case f.Kind == declaration.KindSecret:
		return "not set"
	case f.Kind == declaration.KindFont:
		return "the widget's own"
	case string(f.Default) == `""`:
		return "empty"
	case f.Default[0] == '"':
		return code(stringOf(f.Default))
	}
	return code(string(f.Default))
}

// meaningOf is the label and the help.
func meaningOf(f declaration.Field) string {
	if help := f.Help.English(); help != "" {
		return cell(f.Label.English() + ": " + help)
	}
	return cell(f.Label.English())
}

func code(s string) string {
	if strings.ContainsAny(s, "`|") {
		return cell(s)
	}
	return "`" + s + "`"
}

// cell is text for a cell of a table.
func cell(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "`", "\\`", "<", `\<`, "*", `\*`, "_", `\_`).Replace(s)
}

func writeSchema(d declared) string {
	site, widget := jsonObject(), jsonObject()
	var required array
	required.plain = true
	for _, f := range d.site {
		site.add(f.Name, valueSchema(f))
		if f.Kind != declaration.KindSecret {
			required.items = append(required.items, jsonText(f.Name))
		}
	}
	for _, f := range d.widget {
		widget.add(f.Attribute, attributeSchema(f))
	}
	put := object{quoted: true, fields: []property{
		{"description", jsonText("The body of PUT api/settings. A secret may be left out.")},
		{"$ref", jsonText("#/$defs/site")},
		{"required", required},
	}}
	patch := object{quoted: true, fields: []property{
		{"description", jsonText("The body of PATCH api/settings.")},
		{"$ref", jsonText("#/$defs/site")},
	}}
	defs := object{quoted: true, open: true, fields: []property{
		{"put", put}, {"patch", patch},
		{"site", object{quoted: true, fields: []property{
			{"type", jsonText("object")}, {"properties", site}, {"additionalProperties", literal("false")},
		}}},
		{"widget", object{quoted: true, fields: []property{
			{"description", jsonText("The attributes of one widget, by name.")}, {"type", jsonText("object")}, {"properties", widget},
		}}},
	}}
	return render(object{quoted: true, open: true, fields: []property{
		{"$schema", jsonText("https://json-schema.org/draft/2020-12/schema")},
		{"$comment", jsonText(generated)},
		{"title", jsonText("Settings")},
		{"$ref", jsonText("#/$defs/put")},
		{"$defs", defs},
	}}, 0, 0, 0) + "\n"
}

func jsonObject() object { return object{quoted: true, open: true} }

func jsonText(s string) literal { return literal(quoteJSON(s)) }

func jsonTexts(values []string) array {
	a := array{plain: true}
	for _, v := range values {
		a.items = append(a.items, jsonText(v))
	}
	return a
}

// valueSchema describes a value of the site's settings.
func valueSchema(f declaration.Field) object {
	o := titled(f)
	switch f.Kind {
	case declaration.KindToggle:
		o.add("type", jsonText("boolean"))
	case declaration.KindNumber:
		kind := "number"
		if f.Whole {
			kind = "integer"
		}
		o.add("type", jsonText(kind))
		addNumber(&o, "minimum", f.Min)
		addNumber(&o, "maximum", f.Max)
		if f.Step != nil && stepsFromZero(f) {
			addNumber(&o, "multipleOf", f.Step)
		}
	case declaration.KindFont:
		part := object{quoted: true, fields: []property{{"type", jsonText("string")}}}
		o.add("type", jsonText("object"))
		o.add("properties", object{quoted: true, fields: []property{{"font", part}, {"textDecoration", part}}})
		o.add("additionalProperties", literal("false"))
	default:
		addText(&o, f)
	}
	switch f.Kind {
	case declaration.KindSecret:
		o.add("writeOnly", literal("true"))
	case declaration.KindFont:
		o.add("default", object{quoted: true, fields: []property{{"font", jsonText("")}, {"textDecoration", jsonText("")}}})
	default:
		o.add("default", literal(f.Default))
	}
	return o
}

// attributeSchema describes an attribute, which is text always.
func attributeSchema(f declaration.Field) object {
	o := titled(f)
	switch f.Kind {
	case declaration.KindToggle:
		o.add("type", jsonText("string"))
		o.add("enum", jsonTexts([]string{"true", "false"}))
	case declaration.KindNumber:
		o.add("type", jsonText("string"))
		o.add("description", jsonText(strings.ReplaceAll(limitsOf(f), `\`, "")))
	case declaration.KindFont:
		o.add("type", jsonText("string"))
		o.add("contentMediaType", jsonText("application/json"))
	default:
		addText(&o, f)
	}
	switch fallback := strings.Trim(string(f.Default), `"`); f.Kind {
	case declaration.KindFont:
	case declaration.KindToggle, declaration.KindNumber:
		o.add("default", jsonText(fallback))
	default:
		o.add("default", literal(f.Default))
	}
	return o
}

func titled(f declaration.Field) object {
	o := object{quoted: true}
	o.add("title", jsonText(f.Label.English()))
	if help := f.Help.English(); help != "" {
		o.add("description", jsonText(help))
	}
	return o
}

func addText(o *object, f declaration.Field) {
	o.add("type", jsonText("string"))
	switch f.Kind {
	case declaration.KindChoice:
		o.add("enum", jsonTexts(f.Values()))
	case declaration.KindLink:
		o.add("pattern", jsonText(linkPattern(f)))
	}
	addNumber(o, "minLength", f.Min)
	addNumber(o, "maxLength", f.Max)
}

func linkPattern(f declaration.Field) string {
	pattern := `^\s*([Hh][Tt][Tt][Pp][Ss]?://|[Mm][Aa][Ii][Ll][Tt][Oo]:|[Tt][Ee][Ll]:)`
	if mayBeEmpty(f) {
		pattern = `^\s*$|` + pattern
	}
	return pattern
}

func addNumber(o *object, name string, n *float64) {
	if n != nil {
		o.add(name, literal(strconv.FormatFloat(*n, 'f', -1, 64)))
	}
}

// stepsFromZero reports whether the steps begin at 0, as JSON Schema's do.
func stepsFromZero(f declaration.Field) bool {
	if f.Min == nil {
		return true
	}
	steps := *f.Min / *f.Step
	return steps == float64(int64(steps))
}
