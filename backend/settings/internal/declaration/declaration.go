// Package declaration is what the tags of a struct of settings say. It is the one model
// behind settings.For, which reads a struct by reflection, and the generator, which reads it
// from the source: both refuse the same faults.
package declaration

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Scope is what settings belong to.
type Scope int

const (
	// Site is what belongs to a whole site. It is stored.
	Site Scope = iota
	// Widget is what belongs to one widget: attributes of the element.
	Widget
)

// FontType and SecretType are how Raw.Type writes the types of package settings.
const (
	FontType   = "settings.Font"
	SecretType = "settings.Secret"
)

// Raw is a field of a struct as it was found.
type Raw struct {
	// GoName is the field's name. An embedded field has that of its type.
	GoName   string
	Embedded bool
	// Type is the Go type, such as "string" or FontType.
	Type string
	Tag  string
}

// Field is one declared setting.
type Field struct {
	GoName string
	// Name is the JSON name, Attribute the name as an attribute of an element, and Was the
	// former JSON name or "".
	Name, Attribute, Was string
	Kind                 Kind
	// Default is in the form in which a value is stored. A secret has none.
	Default json.RawMessage
	// Min, Max and Step are nil where they are not declared.
	Min, Max, Step *float64
	// Whole is a number without a fraction.
	Whole bool
	Unit  string
	// Choices are what a choice offers, and Also the values that it accepts beside them.
	Choices []Option
	Also    []string
	// On is the name of the color that this color stands on, or "".
	On string
	// Label is never empty, the others may be.
	Label, Help, Group, Placeholder Texts

	parse parser
}

// Option is one value of a choice.
type Option struct {
	Value string
	Label Texts
}

// Parse returns a value in the form in which it is stored, or what is wrong with it, as
// the end of a sentence that begins with the name.
func (f Field) Parse(raw json.RawMessage) (value json.RawMessage, wrong string) { return f.parse(raw) }

// Values are all values that a choice accepts.
func (f Field) Values() []string {
	var values []string
	for _, c := range f.Choices {
		values = append(values, c.Value)
	}
	return append(values, f.Also...)
}

// Fault is one thing that makes no sense.
type Fault struct {
	// Index is the field's, among those that Of was given.
	Index int
	// Reason is a sentence about the field, such as "it has no default".
	Reason string
}

// fieldName is what may name a setting: it becomes a JSON name, a property in TypeScript
// and, in lowercase letters with hyphens, an attribute.
var fieldName = regexp.MustCompile(`^[a-z][A-Za-z0-9]{0,63}$`)

// Of reads the fields of a struct. Where there are faults, all of them are returned, in the
// order of the fields, and the fields are not to be used.
func Of(scope Scope, raws []Raw) (fields []Field, faults []Fault) {
	for i, raw := range raws {
		f, wrong := fieldOf(scope, raw)
		fields = append(fields, f)
		for _, reason := range wrong {
			faults = append(faults, Fault{i, reason})
		}
	}
	for i, f := range fields {
		for _, reason := range clashes(fields, f, i) {
			faults = append(faults, Fault{i, reason})
		}
	}
	for i, reason := range shareGroups(fields) {
		faults = append(faults, Fault{i, reason})
	}
	slices.SortStableFunc(faults, func(a, b Fault) int { return a.Index - b.Index })
	return fields, faults
}

// clashes are the faults of a field beside the others.
func clashes(fields []Field, f Field, index int) (wrong []string) {
	if f.Name == "" {
		return nil // it has a fault already
	}
	for _, other := range fields[:index] {
		switch {
		case other.Name == f.Name:
			wrong = append(wrong, fmt.Sprintf("another field is named %q, too", f.Name))
		case f.Was != "" && other.Was == f.Was:
			wrong = append(wrong, fmt.Sprintf("another field was %q, too", f.Was))
		}
	}
	named := func(name string) int {
		return slices.IndexFunc(fields, func(other Field) bool { return other.Name == name })
	}
	if f.Was != "" && named(f.Was) >= 0 {
		wrong = append(wrong, fmt.Sprintf("it was %q, which a field is named now", f.Was))
	}
	if on := named(f.On); f.On != "" && (on < 0 || on == index || fields[on].Kind != KindColor) {
		wrong = append(wrong, fmt.Sprintf("it stands on %q, which is no other color here", f.On))
	}
	return wrong
}

func fieldOf(scope Scope, raw Raw) (Field, []string) {
	switch {
	case raw.Embedded:
		return Field{}, []string{"it is embedded: a setting is a field of its own"}
	case raw.GoName == "_" || strings.ToLower(raw.GoName[:1]) == raw.GoName[:1]:
		return Field{}, []string{"it is not exported, so that nothing can be read into it"}
	case raw.Tag == "":
		return Field{}, []string{"it has no tag"}
	}
	tag, wrong := parseTag(raw.Tag)
	r := &reader{Field: Field{GoName: raw.GoName}, scope: scope, goType: raw.Type, tag: tag, wrong: wrong}
	r.read()
	return r.Field, r.wrong
}

// reader fills one field from its tag, and collects what is wrong with it.
type reader struct {
	Field
	scope  Scope
	goType string
	tag    map[string]string
	wrong  []string
}

func (r *reader) fault(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

func (r *reader) read() {
	r.readName()
	kind := Kind(r.tag["setting"])
	rule, known := ruleOf(kind)
	if !known {
		r.fault("its kind is %q: the kinds are %s", string(kind), listed(Kinds()))
		return
	}
	r.Kind = kind
	r.checkKeys(rule)
	if !slices.Contains(rule.types, r.goType) {
		r.fault("a %s cannot be of type %s: it is of type %s", kind, r.goType, strings.Join(rule.types, " or "))
	}
	if kind == KindSecret && r.scope == Widget {
		r.fault("a secret cannot belong to a widget: its attributes are in the page, for everyone to read")
	}
	r.Label, r.Help, r.Group, r.Placeholder = r.texts("label"), r.texts("help"), r.texts("group"), r.texts("placeholder")
	if r.Label == nil {
		r.Label = Texts{{English, sentence(r.Name)}}
	} else if r.Label[0].Language != English {
		r.Label = append(Texts{{English, sentence(r.Name)}}, r.Label...)
	}
	before := len(r.wrong)
	r.readLimits()
	r.readChoices()
	r.On, r.Unit = r.tag["on"], r.tag["unit"]
	if len(r.wrong) == before {
		r.parse = r.parser()
		r.readDefault()
	}
}

func (r *reader) readName() {
	name, option, given := strings.Cut(r.tag["json"], ",")
	switch {
	case !fieldName.MatchString(name):
		r.fault("its json name is %q: it must be letters and digits, beginning with a small letter", name)
		return
	case given:
		r.fault("its json name has the option %q: it must have none", option)
	}
	r.Name, r.Attribute = name, kebab(name)
	if owner := reservedBy(r.Attribute); r.scope == Widget && owner != "" {
		r.fault("its attribute would be %s, which belongs to %s", r.Attribute, owner)
	}
	was, renamed := r.tag["was"]
	switch {
	case renamed && r.scope == Widget:
		r.fault("it was %q: the attributes of widgets are in the pages of sites. Keep the name, and change the label", was)
	case renamed && !fieldName.MatchString(was):
		r.fault("it was %q: a name is letters and digits, beginning with a small letter", was)
	default:
		r.Was = was
	}
}

// checkKeys finds keys of the tag that no setting, or none of this kind, has.
func (r *reader) checkKeys(rule rule) {
	for _, key := range slices.Sorted(maps.Keys(r.tag)) {
		base, language, given := strings.Cut(key, ".")
		switch {
		case !slices.Contains(allKeys(), base):
			r.fault("its tag has the key %q: the keys are %s", key, strings.Join(allKeys(), ", "))
		case given && !slices.Contains(textKeys(), base):
			r.fault("its tag has the key %q: only %s are given per language", key, listed(textKeys()))
		case given && language == English:
			r.fault("its tag has the key %q: the English text has no language, as %s", key, base)
		case given && !languageCode.MatchString(language):
			r.fault("its tag has the key %q: %q is no language code, such as de or pt-BR", key, language)
		case !slices.Contains(commonKeys(), base) && !slices.Contains(rule.keys, base):
			r.fault("its tag has the key %q, which a %s does not have", key, r.Kind)
		}
	}
}

func (r *reader) readDefault() {
	text, given := r.tag["default"]
	switch {
	case r.Kind == KindSecret:
		return // checkKeys refuses one
	case !given:
		r.fault("it has no default")
		return
	case r.Kind == KindFont && text != "":
		r.fault("its default is %q: that of a font is empty, which is the font of the page", text)
		return
	}
	raw := json.RawMessage(text)
	switch r.Kind {
	case KindFont:
		raw = json.RawMessage(`{}`)
	case KindText, KindColor, KindChoice, KindLink:
		raw = encode(text)
	}
	fallback, wrong := r.parse(raw)
	if wrong == "" && r.Kind == KindChoice && slices.Contains(r.Also, text) {
		wrong = "must be one that is offered" // not one of also
	}
	if wrong != "" {
		r.fault("its default %q %s", text, wrong)
		return
	}
	r.Default = fallback
}

// kebab is a JSON name as an attribute: displayName is display-name.
func kebab(name string) string {
	var b strings.Builder
	for _, c := range name {
		if c >= 'A' && c <= 'Z' {
			b.WriteByte('-')
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String()
}

// sentence is a name as words for people: displayName is "Display name".
func sentence(name string) string {
	words := strings.Join(strings.FieldsFunc(kebab(name), func(c rune) bool { return c == '-' || c == '_' || c == ' ' }), " ")
	if words == "" {
		return name
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// listed is "a, b and c".
func listed[S ~string](items []S) string {
	var b strings.Builder
	for i, item := range items {
		switch {
		case i > 0 && i == len(items)-1:
			b.WriteString(" and ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(string(item))
	}
	return b.String()
}
