package etag

import "testing"

func TestMatches(t *testing.T) {
	const tag = `"v1"`
	for _, tt := range []struct {
		name         string
		lists        []string
		weak, strong bool
	}{
		{"no header", nil, false, false},
		{"the tag", []string{`"v1"`}, true, true},
		{"another tag", []string{`"v2"`}, false, false},
		{"a list", []string{`"v0", "v1"`}, true, true},
		{"a second header", []string{`"v0"`, `"v1"`}, true, true},
		{"a weak tag matches a weak comparison only", []string{`W/"v1"`}, true, false},
		{"a weak tag before a strong one", []string{`W/"v1", "v1"`}, true, true},
		{"a star", []string{" * "}, true, true},
		{"a star inside a tag", []string{`"*"`}, false, false},
		{"a comma inside a tag", []string{`"v0,\"v1"`}, false, false},
		{"no quotes", []string{`v1`}, false, false},
		{"no closing quote", []string{`"v1`}, false, false},
		{"empty elements", []string{`,, "v1"`}, true, true},
		{"nonsense ends the list", []string{`x, "v1"`}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := MatchesWeak(tt.lists, tag); got != tt.weak {
				t.Errorf("MatchesWeak(%q) = %v", tt.lists, got)
			}
			if got := MatchesStrong(tt.lists, tag); got != tt.strong {
				t.Errorf("MatchesStrong(%q) = %v", tt.lists, got)
			}
		})
	}
}
