// Package terminal makes texts of strangers safe to show: what a site's owner or Wix wrote
// could otherwise clear the screen, move the cursor or reverse what follows.
package terminal

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible returns a text as a terminal may show it: control characters, line breaks, marks
// that turn the direction and all that is not seen is escaped as in Go. The joiners stay that
// words and emoji are made with.
func Visible(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(text[0]), 16))
		case IsVisible(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		text = text[size:]
	}
	return b.String()
}

// VisibleJSON escapes the same in JSON, where it can only stand inside of strings. Line breaks
// between them stay.
func VisibleJSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || IsVisible(r):
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			for _, half := range []rune{0xd800 + r>>10, 0xdc00 + r&0x3ff} {
				b.WriteString(`\u` + strconv.FormatInt(int64(half), 16))
			}
		default:
			b.WriteString(`\u` + strconv.FormatInt(0x10000+int64(r), 16)[1:])
		}
	}
	return b.String()
}

// IsVisible reports whether a character is shown, or joins two that are, and does nothing
// else.
func IsVisible(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return unicode.IsGraphic(r) || r == nonJoiner || r == joiner
}
