package settings

// The kinds of settings: what each accepts, and how its tags are read.

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fieldName is what may name a setting: it becomes a JSON name and a column of a table in
// the documents.
var fieldName = regexp.MustCompile(`^[a-z][A-Za-z0-9]{0,63}$`)

// parser reads one value: see field.parse.
type parser = func(json.RawMessage) (json.RawMessage, string)

func fieldOf(f reflect.StructField) (field, error) {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if !fieldName.MatchString(name) {
		return field{}, fmt.Errorf("its json name is %q: it must be letters and digits, beginning with a small letter", name)
	}
	parse, err := parserOf(f)
	if err != nil {
		return field{}, err
	}
	text, given := f.Tag.Lookup("default")
	if !given {
		return field{}, errors.New("it has no default")
	}
	raw := json.RawMessage(text)
	if f.Type.Kind() == reflect.String {
		if raw, err = json.Marshal(text); err != nil {
			return field{}, err
		}
	}
	fallback, wrong := parse(raw)
	if wrong != "" {
		return field{}, fmt.Errorf("its default %q %s", text, wrong)
	}
	return field{name, fallback, parse}, nil
}

func parserOf(f reflect.StructField) (parser, error) {
	kind := f.Tag.Get("setting")
	types := map[string][]reflect.Kind{
		"text": {reflect.String}, "choice": {reflect.String}, "toggle": {reflect.Bool}, "number": {reflect.Int, reflect.Float64},
	}
	fits, known := types[kind]
	if !known {
		return nil, fmt.Errorf("its kind is %q: the kinds are choice, number, text and toggle", kind)
	}
	if !slices.Contains(fits, f.Type.Kind()) {
		return nil, fmt.Errorf("a %s cannot be of type %s", kind, f.Type)
	}
	least, most, err := limits(f)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "text":
		return textParser(int(max(least, 0)), int(min(most, 10_000))), nil
	case "number":
		return numberParser(least, most, f.Type.Kind() == reflect.Int), nil
	case "toggle":
		return parseToggle, nil
	}
	choices := strings.Split(f.Tag.Get("of"), ",")
	if f.Tag.Get("of") == "" || len(slices.Compact(slices.Sorted(slices.Values(choices)))) != len(choices) {
		return nil, errors.New(`a choice needs a list of different values, such as of:"start,center,end"`)
	}
	return choiceParser(choices), nil
}

func limits(f reflect.StructField) (least, most float64, err error) {
	least, most = math.Inf(-1), math.Inf(1)
	for tag, limit := range map[string]*float64{"min": &least, "max": &most} {
		if text, given := f.Tag.Lookup(tag); given {
			if *limit, err = strconv.ParseFloat(text, 64); err != nil {
				return 0, 0, fmt.Errorf("its %s is %q, which is not a number", tag, text)
			}
		}
	}
	if least > most {
		return 0, 0, errors.New("its min is above its max")
	}
	return least, most, nil
}

// textParser trims spaces. A lone surrogate in JSON arrives as the replacement character.
func textParser(least, most int) parser {
	return func(raw json.RawMessage) (json.RawMessage, string) {
		text, ok := stringOf(raw)
		if !ok {
			return nil, "must be text"
		}
		text = strings.TrimSpace(text)
		switch n := utf8.RuneCountInString(text); {
		case n == 0 && least > 0:
			return nil, "must not be empty"
		case n < least:
			return nil, fmt.Sprintf("must have at least %d characters", least)
		case n > most:
			return nil, fmt.Sprintf("must have at most %d characters", most)
		case strings.ContainsRune(text, utf8.RuneError):
			return nil, "is not valid Unicode text"
		case strings.ContainsFunc(text, unicode.IsControl):
			return nil, "must not contain control characters"
		}
		return encode(text), ""
	}
}

func numberParser(least, most float64, whole bool) parser {
	return func(raw json.RawMessage) (json.RawMessage, string) {
		var n *float64
		if json.Unmarshal(raw, &n) != nil || n == nil {
			return nil, "must be a number"
		}
		switch {
		case whole && *n != math.Trunc(*n):
			return nil, "must be a whole number"
		case *n < least:
			return nil, "must be at least " + encodeNumber(least)
		case *n > most:
			return nil, "must be at most " + encodeNumber(most)
		case whole && math.Abs(*n) > 1<<53:
			return nil, "must be a smaller number"
		}
		return json.RawMessage(encodeNumber(*n)), ""
	}
}

func parseToggle(raw json.RawMessage) (json.RawMessage, string) {
	var on *bool
	if json.Unmarshal(raw, &on) != nil || on == nil {
		return nil, "must be true or false"
	}
	return encode(*on), ""
}

func choiceParser(choices []string) parser {
	return func(raw json.RawMessage) (json.RawMessage, string) {
		text, ok := stringOf(raw)
		if !ok || !slices.Contains(choices, text) {
			return nil, "must be one of " + strings.Join(choices, ", ")
		}
		return encode(text), ""
	}
}

func stringOf(raw json.RawMessage) (string, bool) {
	var text *string
	if json.Unmarshal(raw, &text) != nil || text == nil {
		return "", false
	}
	return *text, true
}

func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a string or a bool
	}
	return b
}

// encodeNumber writes whole numbers without an exponent, so that they decode into an int.
func encodeNumber(n float64) string {
	if n == math.Trunc(n) && math.Abs(n) <= 1<<53 {
		return strconv.FormatInt(int64(n), 10)
	}
	return strconv.FormatFloat(n, 'g', -1, 64)
}
