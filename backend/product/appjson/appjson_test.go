package appjson

import (
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	f, err := Parse([]byte(`{"name": "Café & <Co>", "id": "cafe-co-2", "tag": "cafe-co", "description": "Shows what guests say.", "apiOrigins": ["https://api.example"], "budgets": {"widget": 1, "panel": 2}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := File{Name: "Café & <Co>", ID: "cafe-co-2", Tag: "cafe-co", Description: "Shows what guests say.", APIOrigins: []string{"https://api.example"}, Budgets: Budgets{1, 2}}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("got %+v", f)
	}
	if got := f.EnvPrefix(); got != "CAFE_CO_2_" {
		t.Errorf("environment prefix: got %q", got)
	}
	if got := f.MetricPrefix(); got != "cafe_co_2_" {
		t.Errorf("metric prefix: got %q", got)
	}
}

func TestParse_refuses(t *testing.T) {
	for _, tt := range []struct {
		name, content string
		faults        []string
	}{
		{"what is not JSON", `name: x`, []string{"read the JSON"}},
		{"what is no object", `["name"]`, []string{"read the JSON"}},
		{"null", `null`, []string{"name is missing", "id is missing", "tag is missing", "description is missing", "budgets must be"}},
		{"something after it", `{} {}`, []string{"read the JSON"}},
		{"a text that is a number", `{"name": 1, "id": "a", "tag": "a-b", "description": "c", "budgets": {"widget": 1, "panel": 2}}`, []string{"name must be a text"}},
		{"unknown keys", `{"name": "A", "id": "a", "tag": "a-b", "description": "c", "budgets": {"widget": 1, "panel": 2}, "colour": "", "ID": "a"}`, []string{"ID is no key", "colour is no key"}},
		{"a budget of nothing", `{"name": "A", "id": "a", "tag": "a-b", "description": "c", "budgets": {"widget": 1}}`, []string{"budgets must be"}},
		{"half a byte", `{"name": "A", "id": "a", "tag": "a-b", "description": "c", "budgets": {"widget": 1.5, "panel": 2}}`, []string{"budgets must be"}},
		{"origins that are no list", `{"name": "A", "id": "a", "tag": "a-b", "description": "c", "budgets": {"widget": 1, "panel": 2}, "apiOrigins": "https://a.example"}`, []string{"apiOrigins must be a list"}},
		{"an origin that is a number, and one with a path", `{"name": "A", "id": "a", "tag": "a-b", "description": "c", "budgets": {"widget": 1, "panel": 2}, "apiOrigins": [1, "https://a.example/"]}`, []string{"apiOrigins has 1: it must be", `apiOrigins has "https://a.example/": it must be`}},
		{"all faults at once", `{"name": "", "id": "A", "tag": "a", "descripton": "c"}`, []string{
			`name is ""`, `id is "A"`, `tag is "a"`, "description is missing", "budgets must be", "descripton is no key",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.content))
			if err == nil {
				t.Fatal("got no error")
			}
			if lines := strings.Split(err.Error(), "\n"); len(lines) != len(tt.faults) {
				t.Errorf("got %d faults, not %d:\n%v", len(lines), len(tt.faults), err)
			}
			for _, fault := range tt.faults {
				if !strings.Contains(err.Error(), fault) {
					t.Errorf("%q is not in:\n%v", fault, err)
				}
			}
		})
	}
}

func TestChecks(t *testing.T) {
	for _, tt := range []struct {
		name  string
		check func(string) error
		good  []string
		bad   map[string]string
	}{
		{"the name", CheckName, []string{"N", "Review Badge", "名札", `A & "B" <C>`, strings.Repeat("ü", 40)}, map[string]string{
			"": "1 to 40", strings.Repeat("a", 41): "1 to 40", " a": "space", "a ": "space",
			"a\nb": "U+000A", "a\x00b": "U+0000", "a\u202eb": "U+202E", "a\u00a0b": "U+00A0", "a\xffb": "UTF-8",
		}},
		{"the description", CheckDescription, []string{"Shows what guests say.", strings.Repeat("a", 200)}, map[string]string{
			"": "1 to 200", strings.Repeat("a", 201): "1 to 200", "a\tb": "U+0009",
		}},
		{"the id", CheckID, []string{"a", "nametag", "review-badge", "a1-2-b", strings.Repeat("a", 40)}, map[string]string{
			"": "lowercase letters", "Nametag": "lowercase letters", "1a": "lowercase letters", "-a": "lowercase letters", "a-": "lowercase letters",
			"a--b": "lowercase letters", "a_b": "lowercase letters", "a b": "lowercase letters", "é": "lowercase letters", "a\n": "lowercase letters",
			strings.Repeat("a", 41): "at most 40",
		}},
		{"an origin", CheckOrigin, []string{"https://a.example", "https://api-2.a.example:8443", "https://xn--caf-dma.example", "https://127.0.0.1", "http://localhost:8080", "http://127.0.0.1"}, map[string]string{
			"": "https origin", "a.example": "https origin", "//a.example": "https origin", "http://a.example": "https origin", "https://": "https origin",
			"https://a.example/": "https origin", "https://a.example/api": "https origin", "https://a.example?": "https origin", "https://A.example": "https origin",
			"https://u@a.example": "https origin", "https://*.a.example": "https origin", "*": "https origin", "null": "https origin", "https://a.example.": "https origin",
			"https://a.example:": "https origin", "https://a.example:0": "https origin", "https://a.example:443": "own port", "http://localhost:80": "own port",
			"https://café.example": "https origin", " https://a.example": "https origin", "https://a.example\n": "https origin", "http://localhost.evil.example": "https origin",
			"javascript:alert(1)": "https origin", "data:,": "https origin", "wss://a.example": "https origin",
		}},
		{"the tag", CheckTag, []string{"a-b", "nametag-widget", "review-badge-2", "a1-1", "a" + strings.Repeat("-b", 31)}, map[string]string{
			"": "hyphen", "badge": "hyphen", "Name-tag": "hyphen", "a--b": "hyphen", "-a": "hyphen", "a-": "hyphen", "1-a": "hyphen",
			"a-b>": "hyphen", "a.b-c": "hyphen", "a" + strings.Repeat("-b", 32): "at most 64",
			"annotation-xml": "reserves", "color-profile": "reserves", "font-face": "reserves", "font-face-format": "reserves",
			"font-face-name": "reserves", "font-face-src": "reserves", "font-face-uri": "reserves", "missing-glyph": "reserves",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, value := range tt.good {
				if err := tt.check(value); err != nil {
					t.Errorf("%q: %v", value, err)
				}
			}
			for value, reason := range tt.bad {
				if err := tt.check(value); err == nil || !strings.Contains(err.Error(), reason) {
					t.Errorf("%q: got %v, not a reason with %q", value, err, reason)
				}
			}
		})
	}
}
