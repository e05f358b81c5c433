package placeholder

import "testing"

func TestNumber(t *testing.T) {
	for query, want := range map[string]string{
		"":                          "",
		"SELECT 1":                  "SELECT 1",
		"?":                         "$1",
		"??":                        "$1$2",
		"a = ? AND b IN (?, ?)":     "a = $1 AND b IN ($2, $3)",
		"?,?,?,?,?,?,?,?,?,?, '{}'": "$1,$2,$3,$4,$5,$6,$7,$8,$9,$10, '{}'",

		"'?' || ?":               "'?' || $1",
		"'it''s ?' || ?":         "'it''s ?' || $1",
		"'a\\' || ?":             "'a\\' || $1",
		"E'a\\'?' || ?":          "E'a\\'?' || $1",
		"e'\\\\' || ?":           "e'\\\\' || $1",
		"SOME'a\\' || ?":         "SOME'a\\' || $1",
		"'never closed ?":        "'never closed ?",
		`"a?" = ?`:               `"a?" = $1`,
		`"a""?" = ?`:             `"a""?" = $1`,
		"? -- why?\n, ?":         "$1 -- why?\n, $2",
		"? -- why?":              "$1 -- why?",
		"? /* why? */ ?":         "$1 /* why? */ $2",
		"/* a /* ? */ ? */ ?":    "/* a /* ? */ ? */ $1",
		"/* never closed ?":      "/* never closed ?",
		"? - ? / ?":              "$1 - $2 / $3",
		"$$ ? $$ || ?":           "$$ ? $$ || $1",
		"$t$ ? $$ ? $t$ || ?":    "$t$ ? $$ ? $t$ || $1",
		"$t$ ?":                  "$t$ ?",
		"a$b$ = ? AND c$b$ = ?":  "a$b$ = $1 AND c$b$ = $2",
		"$1 ?":                   "$1 $1",
		"$":                      "$",
		"'é?' || ? || 'ü'":       "'é?' || $1 || 'ü'",
		"SELECT ?::text, '?'::x": "SELECT $1::text, '?'::x",
	} {
		if got := Number(query); got != want {
			t.Errorf("%q becomes %q, want %q", query, got, want)
		}
	}
}
