// Package settings declares what a site's owner may set: one struct, whose tags say of
// each field its kind, its default and its limits. From it come validation, the defaults
// for what a stored object lacks, and the typed value.
//
//	type Site struct {
//		Greeting string `json:"greeting" setting:"text" default:"Hello" min:"1" max:"80"`
//		Stars    int    `json:"stars" setting:"number" default:"5" min:"1" max:"10"`
//		Shadow   bool   `json:"shadow" setting:"toggle" default:"true"`
//		Align    string `json:"align" setting:"choice" default:"start" of:"start,center,end"`
//	}
//
// The kinds are text (a string; min and max count characters, Unicode code points),
// number (an int or a float64; min and max are its limits), toggle (a bool) and choice (a
// string; of lists the choices).
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
)

// Schema is a declared set of settings. The zero value declares none.
type Schema struct {
	fields []field
}

// field is one declared setting.
type field struct {
	name     string
	fallback json.RawMessage
	// parse returns a value in the form in which it is stored, or what is wrong with it, as
	// the end of a sentence that begins with the name.
	parse func(json.RawMessage) (value json.RawMessage, wrong string)
}

// For reads the declaration in the tags of T, a struct. The error names every field
// whose declaration makes no sense.
func For[T any]() (Schema, error) { return schemaFor(reflect.TypeFor[T]()) }

func schemaFor(t reflect.Type) (Schema, error) {
	if t.Kind() != reflect.Struct {
		return Schema{}, fmt.Errorf("settings are declared by a struct, not by %s", t)
	}
	var (
		s     Schema
		wrong []error
	)
	for i := range t.NumField() {
		f, err := fieldOf(t.Field(i))
		if err == nil && slices.ContainsFunc(s.fields, func(other field) bool { return other.name == f.name }) {
			err = fmt.Errorf("another field is named %q, too", f.name)
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("setting %s.%s: %w", t.Name(), t.Field(i).Name, err))
		}
		s.fields = append(s.fields, f)
	}
	return s, errors.Join(wrong...)
}

// Decode returns settings as T. It never fails on what Parse or Complete returned.
func Decode[T any](values json.RawMessage) (T, error) {
	var t T
	if len(values) == 0 {
		return t, nil
	}
	if err := json.Unmarshal(values, &t); err != nil {
		return t, fmt.Errorf("decode settings: %w", err)
	}
	return t, nil
}

// Parse validates a request body: one JSON object with every declared setting and no
// other field. The error is an *apierr.Error with InvalidSettings that names what is wrong
// with each field at once.
func (s Schema) Parse(body []byte) (json.RawMessage, error) {
	if !utf8.Valid(body) {
		return nil, invalid(apierr.Field{Reason: "is not valid UTF-8"})
	}
	given, ok := object(body)
	if !ok {
		return nil, invalid(apierr.Field{Reason: "must be one JSON object"})
	}
	var wrong []apierr.Field
	values, err := s.write(func(f field) json.RawMessage {
		raw, present := given[f.name]
		delete(given, f.name)
		if !present {
			wrong = append(wrong, apierr.Field{Name: f.name, Reason: "is required"})
			return f.fallback
		}
		value, reason := f.parse(raw)
		if reason != "" {
			wrong = append(wrong, apierr.Field{Name: f.name, Reason: reason})
			return f.fallback
		}
		return value
	})
	for name := range given {
		wrong = append(wrong, apierr.Field{Name: shorten(name), Reason: "is not a known setting"})
	}
	if len(wrong) > 0 {
		slices.SortFunc(wrong, func(a, b apierr.Field) int { return strings.Compare(a.Name, b.Name) })
		return nil, invalid(wrong...)
	}
	return values, err
}

// Complete returns stored settings as the app reads them: each declared setting has its
// stored value, or its default where none is stored or the stored one is no longer valid.
// What is stored and not declared is left out.
func (s Schema) Complete(stored json.RawMessage) json.RawMessage {
	given, _ := object(stored)
	values, err := s.write(func(f field) json.RawMessage {
		if raw, present := given[f.name]; present {
			if value, reason := f.parse(raw); reason == "" {
				return value
			}
		}
		return f.fallback
	})
	if err != nil {
		panic(err) // every value was encoded by this package
	}
	return values
}

// Names returns the names of the settings, in the order of their declaration.
func (s Schema) Names() []string {
	var names []string
	for _, f := range s.fields {
		names = append(names, f.name)
	}
	return names
}

// write makes the JSON object of one value for each field, in the order of declaration.
func (s Schema) write(value func(field) json.RawMessage) (json.RawMessage, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range s.fields {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(f.name)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value(f))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
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
