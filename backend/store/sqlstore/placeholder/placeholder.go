// Package placeholder turns the placeholders of a query into those of Postgres: queries are
// written once, with ? for each argument.
package placeholder

import (
	"strconv"
	"strings"
)

// Number turns each ? of a query into $1, $2 and so on, except in string literals,
// quoted identifiers and comments. Postgres' operators with a ? have functions of the same
// meaning, such as jsonb_exists.
func Number(query string) string {
	var b strings.Builder
	for i, n := 0, 1; i < len(query); {
		if query[i] == '?' {
			b.WriteString("$" + strconv.Itoa(n))
			n++
			i++
			continue
		}
		end := i + max(quotedLength(query, i), 1)
		b.WriteString(query[i:end])
		i = end
	}
	return b.String()
}

// quotedLength returns how many bytes of a query, from i on, are one literal, quoted
// identifier or comment; 0 if none begins there.
func quotedLength(query string, i int) int {
	rest := query[i:]
	switch {
	case rest[0] == '\'':
		escapes := i > 0 && (query[i-1] == 'E' || query[i-1] == 'e') && (i == 1 || !isWord(query[i-2]))
		return literalLength(rest, escapes)
	case rest[0] == '"':
		return literalLength(rest, false)
	case strings.HasPrefix(rest, "--"):
		if end := strings.IndexByte(rest, '\n'); end >= 0 {
			return end
		}
		return len(rest)
	case strings.HasPrefix(rest, "/*"):
		return commentLength(rest)
	case rest[0] == '$' && (i == 0 || !isWord(query[i-1])):
		return dollarLength(rest)
	}
	return 0
}

// literalLength measures text in single or double quotes. A doubled quote does not end
// it: what follows counts as the next literal. escapes says that a backslash takes the next
// character with it.
func literalLength(text string, escapes bool) int {
	for i := 1; i < len(text); i++ {
		switch {
		case escapes && text[i] == '\\':
			i++
		case text[i] == text[0]:
			return i + 1
		}
	}
	return len(text)
}

// commentLength measures a comment, in which others may be nested.
func commentLength(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], "/*"):
			depth++
			i++
		case strings.HasPrefix(text[i:], "*/"):
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// dollarLength measures a literal such as $$text$$ or $tag$text$tag$; 0 if it is none.
func dollarLength(text string) int {
	end := 1
	for end < len(text) && isWord(text[end]) {
		end++
	}
	if end == len(text) || text[end] != '$' || end > 1 && text[1] >= '0' && text[1] <= '9' {
		return 0
	}
	tag := text[:end+1]
	if closing := strings.Index(text[len(tag):], tag); closing >= 0 {
		return closing + 2*len(tag)
	}
	return len(text)
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
