package wix

// How an answer of Wix is read: more strictly than encoding/json does.

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"
)

const (
	// maxDepth is of objects and lists in one another. Real answers have 6.
	maxDepth = 32
	// maxText is in bytes, and maxList in elements. What is longer in an app instance is cut:
	// what an app gets from it is stored, and sent to each visitor.
	maxText = 2000
	maxList = 200
)

// decode reads one JSON object into the struct that into points to. A name must be spelled
// as in the struct, where encoding/json ignores case and takes "ACTIVE" for "active", and
// may come once in an object, since readers differ in which one they believe. A field of the
// wrong type is left at its zero value; any other fault is an error whose text quotes nothing.
func decode(body []byte, into any) error {
	body = bytes.TrimSpace(body)
	if !bytes.HasPrefix(body, []byte("{")) {
		return errors.New("the body is not a JSON object")
	}
	if own, ok := into.(json.Unmarshaler); ok {
		return own.UnmarshalJSON(body) // TokenInfo's, which comes back to this function
	}
	names := make(map[string]bool)
	addNames(names, reflect.TypeOf(into).Elem())
	known, err := onlyNamed(body, names, maxDepth)
	if err != nil {
		return err
	}
	var wrongType *json.UnmarshalTypeError
	if err := json.Unmarshal(known, into); err != nil && !errors.As(err, &wrongType) {
		return errNotExpected
	}
	return nil
}

var errNotExpected = errors.New("the body is not the JSON that was expected")

// addNames adds the names of the fields of a type, at any depth.
func addNames(names map[string]bool, t reflect.Type) {
	switch t.Kind() {
	case reflect.Slice:
		addNames(names, t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			field := t.Field(i)
			if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" {
				names[name] = true
			}
			addNames(names, field.Type)
		}
	}
}

// onlyNamed returns the value without the fields of other names.
func onlyNamed(value json.RawMessage, names map[string]bool, depth int) (json.RawMessage, error) {
	value = bytes.TrimSpace(value)
	if depth < 0 || len(value) == 0 {
		return nil, errNotExpected
	}
	switch value[0] {
	case '{':
		fields, err := fieldsOf(value)
		if err != nil {
			return nil, err
		}
		for name, field := range fields {
			if !names[name] {
				delete(fields, name)
			} else if fields[name], err = onlyNamed(field, names, depth-1); err != nil {
				return nil, err
			}
		}
		return json.Marshal(fields)
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(value, &list) != nil {
			return nil, errNotExpected
		}
		for i, element := range list {
			var err error
			if list[i], err = onlyNamed(element, names, depth-1); err != nil {
				return nil, err
			}
		}
		return json.Marshal(list)
	}
	return value, nil
}

// fieldsOf reads one JSON object in which no name comes twice.
func fieldsOf(object []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return nil, errNotExpected
	}
	fields := make(map[string]json.RawMessage)
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return nil, errNotExpected
		}
		if _, twice := fields[name.(string)]; twice {
			return nil, errors.New("the body has a field twice")
		}
		fields[name.(string)] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, errNotExpected
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errNotExpected
	}
	return fields, nil
}

// shorten cuts the texts and lists of a value that can be set.
func shorten(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(cut(v.String()))
	case reflect.Slice:
		v.SetLen(min(v.Len(), maxList))
		for i := range v.Len() {
			shorten(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			shorten(v.Field(i))
		}
	}
}

// cut returns the beginning of a text that is too long, without half a character at its end.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
