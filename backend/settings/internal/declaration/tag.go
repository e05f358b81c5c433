package declaration

// The keys of a field's tag.

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// allKeys are all keys that a tag may have.
func allKeys() []string {
	return []string{
		"json", "setting", "default", "min", "max", "step", "unit", "of", "labels", "also", "on", "placeholder", "help", "label",
		"group", "was",
	}
}

// commonKeys are those that every kind has.
func commonKeys() []string { return []string{"json", "setting", "help", "label", "group", "was"} }

// textKeys are those that may be given per language.
func textKeys() []string { return []string{"label", "help", "labels", "group", "placeholder"} }

var tagPair = regexp.MustCompile(`^ *([^\x00-\x20":\x7f]+):("(?:[^"\\]|\\.)*")`)

// parseTag reads all pairs of a tag. reflect.StructTag can only be asked for one, and
// ignores what it cannot read.
func parseTag(text string) (tag map[string]string, wrong []string) {
	tag = map[string]string{}
	for rest := text; strings.TrimLeft(rest, " ") != ""; {
		pair := tagPair.FindStringSubmatch(rest)
		if pair == nil {
			return tag, append(wrong, fmt.Sprintf(`its tag cannot be read from %q on: it must be pairs such as json:"name"`, strings.TrimLeft(rest, " ")))
		}
		rest = rest[len(pair[0]):]
		value, err := strconv.Unquote(pair[2])
		key := pair[1]
		_, again := tag[key]
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Sprintf("its tag has a text that cannot be read: %s", pair[2]))
		case again:
			wrong = append(wrong, fmt.Sprintf("its tag has the key %q twice", key))
		case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
			wrong = append(wrong, fmt.Sprintf("its %s is %q: it must be one line of text", key, value))
		}
		if err == nil {
			tag[key] = value
		}
	}
	return tag, wrong
}

// English is the language of a text without one.
const English = "en"

// languageCode is a language, with a region where that matters.
var languageCode = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z]{2})?$`)

// Texts are one text for people in several languages: English first, then by language.
type Texts []Text

// Text is a text in one language.
type Text struct{ Language, Text string }

// English is the text without a language, or "".
func (t Texts) English() string {
	if len(t) == 0 {
		return ""
	}
	return t[0].Text
}

func (t Texts) in(language string) (string, bool) {
	i := slices.IndexFunc(t, func(text Text) bool { return text.Language == language })
	if i < 0 {
		return "", false
	}
	return t[i].Text, true
}

func sortTexts(t Texts) {
	slices.SortFunc(t, func(a, b Text) int {
		if (a.Language == English) != (b.Language == English) {
			return map[bool]int{true: -1, false: 1}[a.Language == English]
		}
		return strings.Compare(a.Language, b.Language)
	})
}

// texts reads a text for people in all its languages. The English one may be missing where
// there is another for it: a label is made of the name.
func (r *reader) texts(key string) Texts {
	var all Texts
	for _, k := range slices.Sorted(maps.Keys(r.tag)) {
		text := r.tag[k]
		base, language, given := strings.Cut(k, ".")
		if base != key {
			continue
		}
		if !given {
			language = English
		}
		if text == "" || text != strings.TrimSpace(text) {
			r.fault("its %s is %q: it must be text without spaces around it", k, text)
		}
		all = append(all, Text{language, text})
	}
	sortTexts(all)
	if len(all) > 0 && all[0].Language != English && !slices.Contains([]string{"label", "labels"}, key) {
		r.fault("it has %s.%s, but no %s: that is the English text", key, all[0].Language, key)
	}
	return all
}

// shareGroups gives a group the translations that any of its fields has, so that they need
// to be declared only once. It returns a fault for a field whose translation is another one.
func shareGroups(fields []Field) map[int]string {
	faults := map[int]string{}
	groups := map[string]Texts{}
	for i, f := range fields {
		known := groups[f.Group.English()]
		for _, text := range f.Group {
			before, translated := known.in(text.Language)
			if !translated {
				known = append(known, text)
			} else if before != text.Text {
				faults[i] = fmt.Sprintf("its group %q is %q in %s, and was %q before", f.Group.English(), text.Text, text.Language, before)
			}
		}
		groups[f.Group.English()] = known
	}
	for i := range fields {
		if fields[i].Group != nil {
			fields[i].Group = groups[fields[i].Group.English()]
			sortTexts(fields[i].Group)
		}
	}
	return faults
}
