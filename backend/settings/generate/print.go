package main

// Prints TypeScript and JSON in the form that Biome gives them: a value stands on one line
// if it fits, and otherwise has one line for each of its parts.

import (
	"encoding/json"
	"strings"

	"golang.org/x/text/width"
)

const lineWidth = 100

// node is a value.
type node interface {
	// flat is the value on one line.
	flat() string
	// broken is the value on several lines, of which the first begins in a column.
	broken(indent, column int) string
	// breaks says that it never stands on one line.
	breaks() bool
}

// render prints a value that begins in a column and is followed by some characters.
func render(n node, indent, column, after int) string {
	if flat := n.flat(); !n.breaks() && column+widthOf(flat)+after <= lineWidth {
		return flat
	}
	return n.broken(indent, column)
}

// literal is what cannot be broken.
type literal string

func (l literal) flat() string           { return string(l) }
func (l literal) broken(int, int) string { return string(l) }
func (literal) breaks() bool             { return false }

// text is a string of TypeScript, in the quotes that need fewer escapes.
type text string

func (t text) flat() string {
	quote := byte('"')
	if strings.Count(string(t), `"`) > strings.Count(string(t), "'") {
		quote = '\''
	}
	b := []byte{quote}
	for _, c := range []byte(t) {
		if c == quote || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return string(append(b, quote))
}
func (t text) broken(int, int) string { return t.flat() }
func (text) breaks() bool             { return false }

// array is a list. plain leaves the comma after the last element out, as JSON needs.
type array struct {
	items []node
	plain bool
}

func (a array) flat() string { return "[" + join(a.items) + "]" }

func (a array) broken(indent, _ int) string {
	if len(a.items) == 0 {
		return "[]"
	}
	return "[\n" + lines(a.items, indent, a.plain) + pad(indent) + "]"
}

// breaks is Biome's rule for several objects of several fields, and what is inside.
func (a array) breaks() bool {
	rich := len(a.items) > 1
	for _, item := range a.items {
		if item.breaks() {
			return true
		}
		o, isObject := item.(object)
		rich = rich && isObject && len(o.fields) > 1
	}
	return rich && !a.plain
}

// object is an object. quoted is JSON's form.
type object struct {
	fields []property
	quoted bool
	// open is on several lines in any case.
	open bool
}

type property struct {
	name  string
	value node
}

func (o *object) add(name string, value node) { o.fields = append(o.fields, property{name, value}) }

func (o object) key(name string) string {
	if o.quoted || strings.Contains(name, "-") {
		return quoteJSON(name)
	}
	return name
}

func (o object) flat() string {
	if len(o.fields) == 0 {
		return "{}"
	}
	var parts []string
	for _, f := range o.fields {
		parts = append(parts, o.key(f.name)+": "+f.value.flat())
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

func (o object) broken(indent, _ int) string {
	if len(o.fields) == 0 {
		return "{}"
	}
	var b strings.Builder
	b.WriteString("{\n")
	for i, f := range o.fields {
		comma := ","
		if o.quoted && i == len(o.fields)-1 {
			comma = ""
		}
		key := o.key(f.name)
		column := indent + 2 + len(key) + 2
		b.WriteString(pad(indent+2) + key + ":")
		// A long text begins on a line of its own, unless the key is so short that this gains nothing.
		if t, isText := f.value.(text); isText && !o.quoted && len(key) > 4 && column+widthOf(t.flat())+len(comma) > lineWidth {
			b.WriteString("\n" + pad(indent+4) + t.flat())
		} else {
			b.WriteString(" " + render(f.value, indent+2, column, len(comma)))
		}
		b.WriteString(comma + "\n")
	}
	b.WriteString(pad(indent) + "}")
	return b.String()
}

func (o object) breaks() bool {
	for _, f := range o.fields {
		if f.value.breaks() {
			return true
		}
	}
	return o.open
}

// call is a call of a function.
type call struct {
	function string
	args     []node
}

func (c call) flat() string { return c.function + "(" + join(c.args) + ")" }

func (c call) broken(indent, column int) string {
	last := len(c.args) - 1
	switch c.args[last].(type) {
	case object, array:
		head := c.function + "("
		if last > 0 {
			head += join(c.args[:last]) + ", "
		}
		if column+widthOf(head)+1 <= lineWidth {
			return head + c.args[last].broken(indent, column+widthOf(head)) + ")"
		}
	}
	return c.function + "(\n" + lines(c.args, indent, false) + pad(indent) + ")"
}

func (c call) breaks() bool {
	for _, arg := range c.args {
		if arg.breaks() {
			return true
		}
	}
	return false
}

// lines prints one item a line.
func lines(items []node, indent int, plain bool) string {
	var b strings.Builder
	for i, item := range items {
		comma := ","
		if plain && i == len(items)-1 {
			comma = ""
		}
		b.WriteString(pad(indent+2) + render(item, indent+2, indent+2, len(comma)) + comma + "\n")
	}
	return b.String()
}

func join(items []node) string {
	var parts []string
	for _, item := range items {
		parts = append(parts, item.flat())
	}
	return strings.Join(parts, ", ")
}

func pad(n int) string { return strings.Repeat(" ", n) }

// widthOf counts columns: Chinese, Japanese and Korean characters take two.
func widthOf(line string) (n int) {
	for _, c := range line {
		n++
		if k := width.LookupRune(c).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}

func quoteJSON(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string
	}
	return strings.TrimSuffix(b.String(), "\n")
}
