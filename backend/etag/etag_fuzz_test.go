package etag

import (
	"strings"
	"testing"
)

// FuzzMatches reads the values of an If-Match or If-None-Match header.
func FuzzMatches(f *testing.F) {
	for _, seed := range []string{`"v1"`, `W/"v1", "v1"`, `*`, ` ,"v0",,"v1`, `"a,b"`, `W/`, `"`, `"v1""v1"`} {
		f.Add(seed, `"v0"`)
	}
	const tag = `"v1"`
	f.Fuzz(func(t *testing.T, first, second string) {
		both := []string{first, second}
		strong, weak := MatchesStrong(both, tag), MatchesWeak(both, tag)
		if strong && !weak {
			t.Errorf("%q matches strongly alone", both)
		}
		if either := MatchesStrong(both[:1], tag) || MatchesStrong(both[1:], tag); strong != either {
			t.Errorf("%q matches %t, its parts %t", both, strong, either)
		}
		if weak && !strings.Contains(first+second, tag) && strings.TrimSpace(first) != "*" && strings.TrimSpace(second) != "*" {
			t.Errorf("%q matches", both)
		}
		if !strong && strings.Contains(first, tag) && strings.Trim(first, " \t") == tag {
			t.Errorf("%q does not match", both)
		}
		if MatchesWeak(both, `"another\x00"`) && strings.TrimSpace(first) != "*" && strings.TrimSpace(second) != "*" && !strings.Contains(first+second, `"another\x00"`) {
			t.Errorf("%q matches another tag", both)
		}
	})
}
