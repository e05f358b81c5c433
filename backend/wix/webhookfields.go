package wix

// The fields of a webhook's JSON. One of the wrong type is read as absent.

import (
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// object reads one JSON object. Names are compared by case, unlike those of a struct.
func object(b []byte) (map[string]json.RawMessage, bool) {
	var fields map[string]json.RawMessage
	ok := utf8.Valid(b) && json.Unmarshal(b, &fields) == nil && fields != nil
	return fields, ok
}

// none reports whether a field is absent, null or "".
func none(raw json.RawMessage) bool {
	return len(raw) == 0 || string(raw) == "null" || string(raw) == `""`
}

// text reads a JSON string.
func text(raw json.RawMessage) (string, bool) {
	var s *string
	if json.Unmarshal(raw, &s) != nil || s == nil {
		return "", false
	}
	return *s, true
}

// number reads a JSON number; an absent one is nil.
func number(raw json.RawMessage) (*float64, bool) {
	var n *float64
	ok := len(raw) == 0 || json.Unmarshal(raw, &n) == nil && n != nil
	return n, ok
}

// label reads a string of at most 100 characters, none of them a control character
// (Postgres stores no NUL), or "".
func label(raw json.RawMessage) string {
	s, _ := text(raw)
	if utf8.RuneCountInString(s) > 100 || strings.ContainsFunc(s, unicode.IsControl) {
		return ""
	}
	return s
}

// guid reads a string with a GUID of 36 characters, in lower case, or "".
func guid(raw json.RawMessage) string {
	s, _ := text(raw)
	id, _ := ParseGUID(s)
	return id
}

// moment reads what JavaScript's Date accepts: an RFC 3339 string, or milliseconds
// since 1970. Anything else is the zero time.
func moment(raw json.RawMessage) time.Time {
	if s, ok := text(raw); ok {
		at, _ := time.Parse(time.RFC3339, s)
		if sinceEpoch(float64(at.UnixMilli())).IsZero() {
			return time.Time{}
		}
		return at.UTC()
	}
	if ms, _ := number(raw); ms != nil {
		return sinceEpoch(*ms)
	}
	return time.Time{}
}

// sinceEpoch returns the zero time outside the years 1970 to 9999, which RFC 3339 cannot
// express.
func sinceEpoch(ms float64) time.Time {
	const end = 253_402_300_800_000
	if !(ms > 0 && ms < end) {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms)).UTC()
}
