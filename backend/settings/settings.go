// Package settings declares what a site's owner may set: one struct, whose tags say of
// each field its kind, its default and its limits. From it come validation, the defaults
// for what a stored object lacks, and the typed value; and, by `make generate`, the panel's
// fields, the reading in the widget, and the tables in the documents.
//
//	type Site struct {
//		Greeting string          `json:"greeting" setting:"text" default:"Hello" min:"1" max:"80"`
//		Accent   string          `json:"accent" setting:"color" default:"#1b2440"`
//		Heading  settings.Font   `json:"heading" setting:"font" default:""`
//		Align    string          `json:"align" setting:"choice" default:"start" of:"start,center,end"`
//		Shadow   bool            `json:"shadow" setting:"toggle" default:"true"`
//		Stars    int             `json:"stars" setting:"number" default:"5" min:"1" max:"10" step:"1"`
//		Imprint  string          `json:"imprint" setting:"link" default:""`
//		APIKey   settings.Secret `json:"apiKey" setting:"secret"`
//	}
//
// All kinds and keys are in docs/own-app.md.
package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/settings/internal/declaration"
)

// Schema is a declared set of settings. The zero value declares none.
type Schema struct {
	fields []declaration.Field
}

// For reads the declaration in the tags of T, a struct. The error names every fault.
func For[T any]() (Schema, error) { return schemaFor(reflect.TypeFor[T]()) }

func schemaFor(t reflect.Type) (Schema, error) {
	if t.Kind() != reflect.Struct {
		return Schema{}, fmt.Errorf("settings are declared by a struct, not by %s", t)
	}
	var raws []declaration.Raw
	for i := range t.NumField() {
		f := t.Field(i)
		raws = append(raws, declaration.Raw{GoName: f.Name, Embedded: f.Anonymous, Type: typeName(f.Type), Tag: string(f.Tag)})
	}
	fields, faults := declaration.Of(declaration.Site, raws)
	var wrong []error
	for _, f := range faults {
		wrong = append(wrong, fmt.Errorf("setting %s.%s: %s", t.Name(), raws[f.Index].GoName, f.Reason))
	}
	return Schema{fields}, errors.Join(wrong...)
}

// typeName is a type as declaration.Raw has it.
func typeName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[Font]():
		return declaration.FontType
	case t == reflect.TypeFor[Secret]():
		return declaration.SecretType
	case t.PkgPath() != "":
		return t.PkgPath() + "." + t.Name()
	}
	return t.String()
}

// Decode returns settings as T; of several objects, all their fields. It never fails on
// what Complete returned.
func Decode[T any](objects ...json.RawMessage) (T, error) {
	var t T
	for _, object := range objects {
		if len(object) == 0 {
			continue
		}
		if err := json.Unmarshal(object, &t); err != nil {
			return t, fmt.Errorf("decode settings: %w", err)
		}
	}
	return t, nil
}

// Parse validates the body of a request that sets everything: one JSON object with every
// declared setting and no other field, in which secrets may be left out. The error is an
// *apierr.Error with InvalidSettings that names what is wrong with each field at once.
func (s Schema) Parse(body []byte) (json.RawMessage, error) { return s.Replace(body, nil) }

// Replace is Parse where secrets are set already: one that the body leaves out stays, and
// one that is "" is removed. The result contains both, for the store alone.
func (s Schema) Replace(body []byte, secrets json.RawMessage) (json.RawMessage, error) {
	return s.change(body, nil, secrets, true)
}

// Merge validates the body of a request that sets something: one JSON object with any of
// the declared settings. All others stay as they are in values and secrets, which Complete
// has returned. Errors and the result are as those of Replace.
func (s Schema) Merge(body []byte, values, secrets json.RawMessage) (json.RawMessage, error) {
	return s.change(body, values, secrets, false)
}

func (s Schema) change(body []byte, values, secrets json.RawMessage, all bool) (json.RawMessage, error) {
	if !utf8.Valid(body) {
		return nil, invalid(apierr.Field{Reason: "is not valid UTF-8"})
	}
	given, ok := object(body)
	if !ok {
		return nil, invalid(apierr.Field{Reason: "must be one JSON object"})
	}
	current, _ := object(values)
	set, _ := object(secrets)
	var wrong []apierr.Field
	changed := write(s.fields, func(f declaration.Field) json.RawMessage {
		raw, present := given[f.Name]
		delete(given, f.Name)
		switch {
		case present:
			value, reason := f.Parse(raw)
			if reason != "" {
				wrong = append(wrong, apierr.Field{Name: f.Name, Reason: reason})
			}
			return value
		case f.Kind == declaration.KindSecret:
			return set[f.Name]
		case all:
			wrong = append(wrong, apierr.Field{Name: f.Name, Reason: "is required"})
		}
		if value, known := current[f.Name]; known {
			return value
		}
		return f.Default
	})
	for name := range given {
		wrong = append(wrong, apierr.Field{Name: shorten(name), Reason: "is not a known setting"})
	}
	if len(wrong) > 0 {
		slices.SortFunc(wrong, func(a, b apierr.Field) int { return strings.Compare(a.Name, b.Name) })
		return nil, invalid(wrong...)
	}
	return changed, nil
}

// Complete returns stored settings as the app reads them, apart from the secrets that are
// set: nil where none is. Each declared setting has its stored value, or else the one under
// its former name, or its default where none is stored or the stored one is no longer
// valid. What is stored and not declared is left out.
func (s Schema) Complete(stored json.RawMessage) (values, secrets json.RawMessage) {
	given, _ := object(stored)
	read := func(f declaration.Field) json.RawMessage {
		raw, present := given[f.Name]
		if !present && f.Was != "" {
			raw, present = given[f.Was]
		}
		if present {
			if value, reason := f.Parse(raw); reason == "" {
				return value
			}
		}
		return f.Default
	}
	var open, closed []declaration.Field
	for _, f := range s.fields {
		if f.Kind != declaration.KindSecret {
			open = append(open, f)
		} else if !isUnset(f, read(f)) {
			closed = append(closed, f)
		}
	}
	if closed != nil {
		secrets = write(closed, read)
	}
	return write(open, read), secrets
}

// SecretsSet reports of each declared secret whether one is set; it is nil where none is
// declared.
func (s Schema) SecretsSet(secrets json.RawMessage) map[string]bool {
	set, _ := object(secrets)
	var all map[string]bool
	for _, f := range s.fields {
		if f.Kind == declaration.KindSecret {
			if all == nil {
				all = map[string]bool{}
			}
			_, all[f.Name] = set[f.Name]
		}
	}
	return all
}

// Shown is one setting as people read it.
type Shown struct{ Label, Value string }

// Show returns all settings in the order of their declaration, as text in English. values and
// secrets are those that Complete has returned. Of a secret it says whether it is set.
func (s Schema) Show(values, secrets json.RawMessage) []Shown {
	given, _ := object(values)
	set := s.SecretsSet(secrets)
	var all []Shown
	for _, f := range s.fields {
		text := shown(f, given[f.Name])
		if f.Kind == declaration.KindSecret {
			if text = "Not set"; set[f.Name] {
				text = "Set"
			}
		}
		all = append(all, Shown{f.Label.English(), text})
	}
	return all
}

// shown is a value for people.
func shown(f declaration.Field, raw json.RawMessage) string {
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return ""
	}
	switch v := value.(type) {
	case bool:
		if v {
			return "On"
		}
		return "Off"
	case float64:
		return strings.TrimSpace(string(raw) + " " + f.Unit)
	case map[string]any: // a font
		font, _ := v["font"].(string)
		return font
	case string:
		for _, c := range f.Choices {
			if c.Value == v {
				return c.Label.English()
			}
		}
		return v
	}
	return ""
}

// Names returns the names of the settings, in the order of their declaration.
func (s Schema) Names() []string {
	var names []string
	for _, f := range s.fields {
		names = append(names, f.Name)
	}
	return names
}

// write makes the JSON object of one value for each field, in the order of declaration. A
// secret that is not set is left out.
func write(fields []declaration.Field, value func(declaration.Field) json.RawMessage) json.RawMessage {
	b := []byte{'{'}
	for _, f := range fields {
		v := value(f)
		if isUnset(f, v) {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, f.Name...) // letters and digits
		b = append(b, `":`...)
		b = append(b, v...)
	}
	return append(b, '}')
}

func isUnset(f declaration.Field, value json.RawMessage) bool {
	return f.Kind == declaration.KindSecret && (value == nil || bytes.Equal(value, []byte(`""`)))
}

func object(body []byte) (fields map[string]json.RawMessage, ok bool) {
	err := json.Unmarshal(body, &fields)
	return fields, err == nil && fields != nil
}

// shorten bounds a name that the client chose.
func shorten(name string) string {
	const most = 64
	if utf8.RuneCountInString(name) <= most {
		return name
	}
	return string([]rune(name)[:most]) + "…"
}

func invalid(fields ...apierr.Field) *apierr.Error {
	return &apierr.Error{Code: apierr.InvalidSettings, Fields: fields}
}
