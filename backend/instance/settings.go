package instance

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxGreeting is the longest greeting, in characters (Unicode code points).
const MaxGreeting = 80

// Settings is what a site owner sets once for every widget on the site.
// (What belongs to a single widget lives in that widget's attributes, in the
// Wix page itself.)
type Settings struct {
	// Greeting stands before the widget's display name: 1 to MaxGreeting
	// characters, none of them a control character.
	Greeting string `json:"greeting"`
}

// DefaultSettings are the settings of an instance that has saved none.
func DefaultSettings() Settings { return Settings{Greeting: "Hello"} }

// ParseSettings reads settings from JSON. It is strict: every field must be
// there, none may be unknown, and the error (CodeInvalidSettings) names the fault
// of each field at once.
func ParseSettings(body []byte) (Settings, error) {
	if !utf8.Valid(body) {
		return Settings{}, invalid(FieldError{Reason: "is not valid UTF-8"})
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return Settings{}, invalid(FieldError{Reason: "must be one JSON object"})
	}
	var (
		s      Settings
		faults []FieldError
	)
	greeting, present := fields["greeting"]
	switch {
	case !present:
		faults = append(faults, FieldError{"greeting", "is required"})
	default:
		var text *string
		if err := json.Unmarshal(greeting, &text); err != nil || text == nil {
			faults = append(faults, FieldError{"greeting", "must be text"})
			break
		}
		s.Greeting = strings.TrimSpace(*text)
		if reason := greetingFault(s.Greeting); reason != "" {
			faults = append(faults, FieldError{"greeting", reason})
		}
	}
	delete(fields, "greeting")
	for name := range fields {
		faults = append(faults, FieldError{clip(name), "is not a known setting"})
	}
	if len(faults) > 0 {
		slices.SortFunc(faults, func(a, b FieldError) int { return strings.Compare(a.Name, b.Name) })
		return Settings{}, invalid(faults...)
	}
	return s, nil
}

func greetingFault(g string) string {
	switch n := utf8.RuneCountInString(g); {
	case n == 0:
		return "must not be empty"
	case n > MaxGreeting:
		return "must have at most 80 characters"
	}
	// A lone surrogate in the JSON arrives as the replacement character.
	if strings.ContainsRune(g, utf8.RuneError) {
		return "is not valid Unicode text"
	}
	if strings.ContainsFunc(g, unicode.IsControl) {
		return "must not contain control characters"
	}
	return ""
}

// clip keeps an error short when the client's field name is not.
func clip(name string) string {
	const most = 64
	if utf8.RuneCountInString(name) <= most {
		return name
	}
	return string([]rune(name)[:most]) + "…"
}

func invalid(fields ...FieldError) *Error {
	return &Error{Code: CodeInvalidSettings, Fields: fields}
}
