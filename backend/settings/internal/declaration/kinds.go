package declaration

// The kinds of settings: which Go types and keys they have, and which values they accept.

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is what a setting is.
type Kind string

const (
	KindText   Kind = "text"
	KindColor  Kind = "color"
	KindFont   Kind = "font"
	KindChoice Kind = "choice"
	KindToggle Kind = "toggle"
	KindNumber Kind = "number"
	KindLink   Kind = "link"
	KindSecret Kind = "secret"
)

// Kinds are all kinds, by name.
func Kinds() []Kind {
	return []Kind{KindChoice, KindColor, KindFont, KindLink, KindNumber, KindSecret, KindText, KindToggle}
}

// rule is what a kind can be declared with: Go types, and keys beside the common ones.
type rule struct{ types, keys []string }

func ruleOf(kind Kind) (r rule, known bool) {
	text := []string{"string"}
	switch kind {
	case KindText, KindLink:
		return rule{text, []string{"default", "min", "max", "placeholder"}}, true
	case KindColor:
		return rule{text, []string{"default", "on"}}, true
	case KindFont:
		return rule{[]string{FontType}, []string{"default", "placeholder"}}, true
	case KindChoice:
		return rule{text, []string{"default", "of", "labels", "also"}}, true
	case KindToggle:
		return rule{[]string{"bool"}, []string{"default"}}, true
	case KindNumber:
		return rule{[]string{"int", "float64"}, []string{"default", "min", "max", "step", "unit", "placeholder"}}, true
	case KindSecret:
		return rule{[]string{SecretType}, []string{"max", "placeholder"}}, true
	}
	return rule{}, false
}

// The longest values, in characters, where no max is declared.
const (
	maxText   = 10_000
	maxLink   = 2_048
	maxSecret = 10_000
	maxColor  = 200
	maxFont   = 500
)

// parser reads one value: see Field.Parse.
type parser = func(json.RawMessage) (json.RawMessage, string)

func (r *reader) parser() parser {
	least, most := math.Inf(-1), math.Inf(1)
	if r.Min != nil {
		least = *r.Min
	}
	if r.Max != nil {
		most = *r.Max
	}
	characters := func(limit int) (int, int) { return int(max(least, 0)), int(min(most, float64(limit))) }
	switch r.Kind {
	case KindText:
		return textParser(characters(maxText))
	case KindLink:
		return linkParser(characters(maxLink))
	case KindSecret:
		return textParser(characters(maxSecret))
	case KindColor:
		return colorParser(r.tag["default"] == "")
	case KindFont:
		return parseFont
	case KindChoice:
		return choiceParser(r.Choices, r.Also)
	case KindToggle:
		return parseToggle
	default:
		return numberParser(least, most, r.Step, r.Whole)
	}
}

func (r *reader) readLimits() {
	r.Whole = r.goType == "int"
	for _, limit := range []struct {
		key   string
		value **float64
	}{{"min", &r.Min}, {"max", &r.Max}, {"step", &r.Step}} {
		key := limit.key
		text, given := r.tag[key]
		if !given {
			continue
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			r.fault("its %s is %q, which is not a number", key, text)
			continue
		}
		if (r.Kind != KindNumber || r.Whole) && n != math.Trunc(n) {
			r.fault("its %s is %q, which is not a whole number", key, text)
			continue
		}
		*limit.value = &n
	}
	switch most := map[Kind]float64{KindText: maxText, KindLink: maxLink, KindSecret: maxSecret}[r.Kind]; {
	case r.Min != nil && r.Max != nil && *r.Min > *r.Max:
		r.fault("its min is above its max")
	case most > 0 && r.Min != nil && *r.Min < 0:
		r.fault("its min is below 0")
	case most > 0 && r.Max != nil && (*r.Max < 1 || *r.Max > most):
		r.fault("its max is %s: a %s has 1 to %s characters at most", formatNumber(*r.Max), r.Kind, formatNumber(most))
	case r.Step != nil && *r.Step <= 0:
		r.fault("its step is %s: it must be above 0", formatNumber(*r.Step))
	case r.Step != nil && r.Min != nil && r.Max != nil && *r.Step > *r.Max-*r.Min:
		r.fault("its step is %s, more than lies between its min and its max", formatNumber(*r.Step))
	}
}

func (r *reader) readChoices() {
	if r.Kind != KindChoice {
		return
	}
	values, also := split(r.tag["of"]), split(r.tag["also"])
	all := append(slices.Clone(values), also...)
	switch {
	case len(values) == 0 || len(slices.Compact(slices.Sorted(slices.Values(all)))) != len(all):
		r.fault(`a choice needs a list of different values, such as of:"start,center,end"`)
		return
	case slices.ContainsFunc(all, func(v string) bool { return v == "" || v != strings.TrimSpace(v) }):
		r.fault("its values are %q: they must not be empty or have spaces around them", all)
		return
	}
	r.Also = also
	labels := r.texts("labels")
	for i, value := range values {
		option := Option{Value: value, Label: Texts{{English, sentence(value)}}}
		for _, text := range labels {
			words := split(text.Text)
			if len(words) != len(values) {
				if i == 0 {
					r.fault("it has %d choices, and %d labels (%s)", len(values), len(words), text.Text)
				}
				continue
			}
			if text.Language == English {
				option.Label[0].Text = strings.TrimSpace(words[i])
			} else {
				option.Label = append(option.Label, Text{text.Language, strings.TrimSpace(words[i])})
			}
		}
		r.Choices = append(r.Choices, option)
	}
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
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
		case hasControls(text):
			return nil, "must not contain control characters"
		}
		return encode(text), ""
	}
}

// subdivisionFlag is the emoji of a flag such as Scotland's: a black flag, and its code in
// tag characters, which are seen nowhere else.
var subdivisionFlag = regexp.MustCompile(`\x{1F3F4}[\x{E0030}-\x{E0039}\x{E0061}-\x{E007A}]{3,6}\x{E007F}`)

// hasControls reports whether a text does something other than to be seen: it contains control
// characters or line breaks, overrides the direction of what follows, or hides text in tag
// characters. What words and emoji need (joiners, the marks of a direction) is none of these.
func hasControls(text string) bool {
	return strings.ContainsFunc(subdivisionFlag.ReplaceAllLiteralString(text, ""), func(r rune) bool {
		return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' ||
			'\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069' || '\U000e0000' <= r && r <= '\U000e007f'
	})
}

// linkParser accepts an empty text, for no link, where least is 0.
func linkParser(least, most int) parser {
	parseText := textParser(least, most)
	return func(raw json.RawMessage) (json.RawMessage, string) {
		value, wrong := parseText(raw)
		if wrong != "" {
			return nil, wrong
		}
		if text, _ := stringOf(value); text != "" && !isLink(text) {
			return nil, "must be a link that begins with https://, http://, mailto: or tel:"
		}
		return value, ""
	}
}

// isLink reports whether a text is an absolute URL that a page may link to. A space or a
// backslash would make browsers read it in another way than package url.
func isLink(text string) bool {
	u, err := url.Parse(text)
	if err != nil || strings.ContainsAny(text, "\\<>\"") || strings.ContainsFunc(text, unicode.IsSpace) {
		return false
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		return u.Hostname() != "" && u.Opaque == ""
	case "mailto", "tel":
		return u.Opaque != ""
	}
	return false
}

func colorParser(mayBeEmpty bool) parser {
	return func(raw json.RawMessage) (json.RawMessage, string) {
		text, ok := stringOf(raw)
		text = strings.TrimSpace(text)
		if !ok || !isColor(text) && !(mayBeEmpty && text == "") {
			return nil, "must be a CSS color"
		}
		return encode(text), ""
	}
}

// font is what Wix's font picker returns. An empty text is the page's own.
type font struct {
	Font           string `json:"font"`
	TextDecoration string `json:"textDecoration"`
}

func parseFont(raw json.RawMessage) (json.RawMessage, string) {
	var given map[string]json.RawMessage
	if json.Unmarshal(raw, &given) != nil || given == nil {
		return nil, "must be an object with font and textDecoration"
	}
	var f font
	for name, value := range given {
		text, ok := stringOf(value)
		text = strings.TrimSpace(text)
		switch {
		case name != "font" && name != "textDecoration":
			return nil, "must have no fields but font and textDecoration"
		case !ok || !isHarmless(text) || utf8.RuneCountInString(text) > maxFont:
			return nil, "must be a CSS font and a CSS text-decoration"
		case name == "font":
			f.Font = text
		default:
			f.TextDecoration = text
		}
	}
	return encode(f), ""
}

func parseToggle(raw json.RawMessage) (json.RawMessage, string) {
	var on *bool
	if json.Unmarshal(raw, &on) != nil || on == nil {
		return nil, "must be true or false"
	}
	return encode(*on), ""
}

func choiceParser(offered []Option, also []string) parser {
	var names []string
	for _, option := range offered {
		names = append(names, option.Value)
	}
	return func(raw json.RawMessage) (json.RawMessage, string) {
		text, ok := stringOf(raw)
		if !ok || !slices.Contains(names, text) && !slices.Contains(also, text) {
			return nil, "must be one of " + strings.Join(names, ", ")
		}
		return encode(text), ""
	}
}

func numberParser(least, most float64, step *float64, whole bool) parser {
	return func(raw json.RawMessage) (json.RawMessage, string) {
		var n *float64
		if json.Unmarshal(raw, &n) != nil || n == nil {
			return nil, "must be a number"
		}
		switch {
		case whole && *n != math.Trunc(*n):
			return nil, "must be a whole number"
		case *n < least:
			return nil, "must be at least " + formatNumber(least)
		case *n > most:
			return nil, "must be at most " + formatNumber(most)
		case whole && math.Abs(*n) > 1<<53:
			return nil, "must be a smaller number"
		}
		if step == nil {
			return json.RawMessage(formatNumber(*n)), ""
		}
		from := 0.0
		if !math.IsInf(least, 0) {
			from = least
		}
		switch steps := (*n - from) / *step; {
		case math.Abs(steps-math.Round(steps)) < 1e-6:
			return json.RawMessage(formatNumber(*n)), ""
		case math.Mod(from, *step) == 0:
			return nil, "must be a multiple of " + formatNumber(*step)
		}
		return nil, "must be in steps of " + formatNumber(*step) + " from " + formatNumber(from)
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
		panic(err) // strings and bools
	}
	return b
}

// formatNumber writes whole numbers without an exponent, so that they decode into an int.
func formatNumber(n float64) string {
	if n == math.Trunc(n) && math.Abs(n) <= 1<<53 {
		return strconv.FormatInt(int64(n), 10)
	}
	return strconv.FormatFloat(n, 'g', -1, 64)
}
