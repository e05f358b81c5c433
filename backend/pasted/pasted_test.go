package pasted_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/nametag-dev/nametag/backend/pasted"
)

func TestClean(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"as it is", "value", "value"},
		{"spaces", " \t value  ", "value"},
		{"no-break spaces", "\u00a0value\u202f\u3000", "value"},
		{"CRLF", "value\r\n", "value"},
		{"a byte order mark", "\ufeffvalue", "value"},
		{"what a web page hides", "\u200bvalue\u2060\u200e", "value"},
		{"straight quotes", `"value"`, "value"},
		{"single quotes", `'value'`, "value"},
		{"typographic quotes", "“value”", "value"},
		{"other typographic quotes", "«value»", "value"},
		{"quotes of two kinds", "“value\"", "value"},
		{"quotes in quotes", `"'value'"`, "value"},
		{"quotes with backslashes", `\"value\"`, "value"},
		{"a line break that is written out", `value\n`, "value"},
		{"one that is escaped twice", `value\\r\\n`, "value"},
		{"a line that goes on", "value \\\n", "value"},
		{"a semicolon", "value;", "value"},
		{"a comma after quotes", `"value",`, "value"},
		{"a comma in quotes", `"value,"`, "value"},
		{"everything", "\ufeff \u201c\\\"value\\n\\\"\u201d ; \r\n", "value"},
		{"nothing but wrapping", `"'\n'";`, ""},
		{"one quote", `"`, `"`},
		{"a quote without its partner", `"value`, `"value`},
		{"quotes inside", `a "b" c`, `a "b" c`},
		{"a backslash inside", `C:\new`, `C:\new`},
		{"spaces and invisible characters inside", "a \u200d b", "a \u200d b"},
		{"bytes that are no text", "\xffvalue\xff", "\xffvalue\xff"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := pasted.Clean(tt.text); got != tt.want {
				t.Errorf("Clean(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestText(t *testing.T) {
	for _, tt := range []struct{ name, content, want string }{
		{"UTF-8", "vé\n", "vé\n"},
		{"UTF-16, little-endian", "\xff\xfev\x00\xe9\x00\r\x00\n\x00", "\ufeffvé\r\n"},
		{"UTF-16, big-endian", "\xfe\xff\x00v\x00\xe9", "\ufeffvé"},
		{"UTF-16 that is cut short", "\xff\xfev\x00\xe9", "\ufeffv"},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := pasted.Text([]byte(tt.content)); got != tt.want {
				t.Errorf("Text(%q) = %q, want %q", tt.content, got, tt.want)
			}
		})
	}
}

func TestList(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", " , ", nil},
		{"one", "a", []string{"a"}},
		{"by comma", "a, b ,c,", []string{"a", "b", "c"}},
		{"by space and line", "a b\r\nc\n", []string{"a", "b", "c"}},
		{"by a line break that is written out", `a\nb\n`, []string{"a", "b"}},
		{"in quotes", `"a,b"`, []string{"a", "b"}},
		{"each in quotes", `"a", 'b',“c”`, []string{"a", "b", "c"}},
		{"some in quotes", `a,'b'`, []string{"a", "b"}},
		{"a byte order mark in the middle", "a,\ufeffb", []string{"a", "b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := pasted.List(tt.text); !slices.Equal(got, tt.want) {
				t.Errorf("List(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

// FuzzClean holds Clean to what a caller may rely on, whatever the text is: cleaning again
// changes nothing, nothing is invented, and what is put around a clean value goes.
func FuzzClean(f *testing.F) {
	for _, text := range []string{"", "value", ` "va lue\n"; `, "\ufeff“value”\r\n", `\\"`, `'self',"x"`, "a\\", ",;,"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		clean := pasted.Clean(text)
		if again := pasted.Clean(clean); again != clean {
			t.Fatalf("%q becomes %q, which becomes %q", text, clean, again)
		}
		if !strings.Contains(text, clean) {
			t.Fatalf("%q becomes %q, which it does not contain", text, clean)
		}
		if strings.TrimFunc(clean, pasted.Blank) != clean {
			t.Fatalf("%q becomes %q, with something blank around it", text, clean)
		}
		if clean != "" && utf8.ValidString(clean) {
			for _, form := range []string{` %`, "\ufeff%\r\n", `"%"`, `'%'`, "“%”", `%;`, `%,`, `"%";`, `\"%\"`, "\u00a0%\u00a0", `"%\n"`, `%\\n`} {
				if got := pasted.Clean(strings.ReplaceAll(form, "%", clean)); got != clean {
					t.Fatalf("%q in the form %s becomes %q", clean, form, got)
				}
			}
		}
		for _, value := range pasted.List(text) {
			if value == "" || pasted.Clean(value) != value || strings.ContainsFunc(value, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
				t.Fatalf("the list %q has the value %q", text, value)
			}
		}
	})
}
