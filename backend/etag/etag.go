// Package etag compares entity tags as HTTP's conditional requests do (RFC 9110 §8.8.3).
package etag

import "strings"

// MatchesWeak applies If-None-Match: it reports whether one of the header's lists names
// tag, a strong entity tag with its quotes, or is "*". What cannot be parsed matches nothing.
func MatchesWeak(lists []string, tag string) bool { return matches(lists, tag, true) }

// MatchesStrong applies If-Match: as MatchesWeak, but a weak entity tag (W/"…") matches
// nothing.
func MatchesStrong(lists []string, tag string) bool { return matches(lists, tag, false) }

func matches(lists []string, tag string, weak bool) bool {
	for _, list := range lists {
		if strings.TrimSpace(list) == "*" {
			return true
		}
		for {
			list = strings.TrimLeft(list, " \t,")
			rest, isWeak := strings.CutPrefix(list, "W/")
			if len(rest) == 0 || rest[0] != '"' {
				break
			}
			end := strings.IndexByte(rest[1:], '"') + 2
			if end == 1 {
				break
			}
			if rest[:end] == tag && (weak || !isWeak) {
				return true
			}
			list = rest[end:]
		}
	}
	return false
}
