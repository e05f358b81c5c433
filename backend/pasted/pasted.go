// Package pasted cleans values as people paste them into environment variables and files:
// from a shell, a .env file, an editor, a JSON document or a web page.
package pasted

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// marks are the quotation marks, straight and typographic.
const marks = "\"'`´“”„‟‘’‚‛«»‹›″′＂＇"

// writtenBreaks are line breaks and tabs that were written out: \n, also \\n.
var writtenBreaks = regexp.MustCompile(`\\+[nrt]`)

// Clean returns a value without what is not its own at its two ends, in any order and
// however often: spaces of every kind, line breaks, also those that are written \n, invisible
// characters such as a byte order mark, a comma or a semicolon at the end, and quotation
// marks in pairs. What is inside is not changed.
func Clean(text string) string {
	for {
		before := text
		text = cutBreaks(strings.TrimFunc(text, Blank))
		if inner, ok := cutFirstMark(text); ok {
			if inner, ok = cutLastMark(inner); ok {
				text = inner
			}
		}
		if text = strings.TrimRight(text, ",;"); text == before {
			return text
		}
	}
}

// cutBreaks cuts one line break that is written out from each end, and the backslash that
// continues a line.
func cutBreaks(text string) string {
	if rest := strings.TrimLeft(text, `\`); rest != text && rest != "" && strings.Contains("nrt", rest[:1]) {
		text = rest[1:]
	}
	if text != "" && strings.Contains("nrt", text[len(text)-1:]) {
		if rest := strings.TrimRight(text[:len(text)-1], `\`); len(rest) < len(text)-1 {
			return rest
		}
	}
	return strings.TrimRight(text, `\`)
}

// cutFirstMark and cutLastMark cut a quotation mark, and the backslashes before it.
func cutFirstMark(text string) (string, bool) {
	text = strings.TrimLeft(text, `\`)
	r, size := utf8.DecodeRuneInString(text)
	return text[size:], Mark(r)
}

func cutLastMark(text string) (string, bool) {
	r, size := utf8.DecodeLastRuneInString(text)
	return strings.TrimRight(text[:len(text)-size], `\`), Mark(r)
}

// List returns the values of a list, each cleaned. Commas, spaces and line breaks separate
// them; a quotation mark need not have its partner.
func List(text string) []string {
	text = writtenBreaks.ReplaceAllString(Clean(text), "\n")
	var values []string
	for value := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		if value = Clean(withoutMarks(value)); value != "" {
			values = append(values, value)
		}
	}
	return values
}

func withoutMarks(value string) string {
	for _, cut := range []func(string) (string, bool){cutFirstMark, cutLastMark} {
		for rest, ok := cut(value); ok; rest, ok = cut(value) {
			value = rest
		}
	}
	return value
}

// Mark reports whether a character is a quotation mark.
func Mark(r rune) bool { return strings.ContainsRune(marks, r) }

// Blank reports whether a character shows nothing: a space of any kind, a line break, a
// control character, or an invisible one such as a byte order mark.
func Blank(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// Text returns what a file says: UTF-8, or UTF-16 if it begins with a byte order mark, as
// some editors and PowerShell write it.
func Text(content []byte) string {
	var order binary.ByteOrder = binary.LittleEndian
	switch {
	case bytes.HasPrefix(content, []byte("\xff\xfe")):
	case bytes.HasPrefix(content, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return string(content)
	}
	units := make([]uint16, len(content)/2)
	for i := range units {
		units[i] = order.Uint16(content[2*i:])
	}
	return string(utf16.Decode(units))
}
