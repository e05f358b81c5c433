package placeholder

import (
	"strconv"
	"strings"
	"testing"
)

// FuzzNumber holds Number to what it may change: a ? becomes $1, the next one that is no
// part of a text $2, and nothing else is another.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{"a = ? AND b = '?'", `"a""?" = ?`, "E'a\\'?' || ?", "$t$ ? $$ ? $t$ || ?", "/* /* ? */ ? */ ?", "-- ?\n?", "'never closed ?", "$1 ?", "?$$?$$", "é?"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		got := Number(query)
		rest, n := got, 0
		for i := range len(query) {
			if next := "$" + strconv.Itoa(n+1); query[i] == '?' && strings.HasPrefix(rest, next) {
				rest, n = rest[len(next):], n+1
			} else if rest != "" && rest[0] == query[i] {
				rest = rest[1:]
			} else {
				t.Fatalf("%q becomes %q", query, got)
			}
		}
		if rest != "" {
			t.Fatalf("%q becomes %q", query, got)
		}
		if plain := !strings.ContainsAny(query, `'"$-/`); plain && n != strings.Count(query, "?") {
			t.Errorf("%q becomes %q, with %d arguments", query, got, n)
		}
		literal := "'" + strings.ReplaceAll(query, "'", "''") + "'"
		if got, want := Number("? = "+literal+" || ?"), "$1 = "+literal+" || $2"; got != want {
			t.Errorf("a text becomes %q, want %q", got, want)
		}
	})
}
