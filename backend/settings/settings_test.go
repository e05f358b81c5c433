package settings

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nametag-dev/nametag/backend/apierr"
)

type greeting struct {
	Greeting string `json:"greeting" setting:"text" default:"Hello" min:"1" max:"80"`
}

type badge struct {
	Title string  `json:"title" setting:"text" default:"" max:"10"`
	Stars int     `json:"stars" setting:"number" default:"5" min:"1" max:"10"`
	Ratio float64 `json:"ratio" setting:"number" default:"0.5"`
	Show  bool    `json:"show" setting:"toggle" default:"true"`
	Align string  `json:"align" setting:"choice" default:"start" of:"start,center,end"`
}

func schemaOf[T any](t *testing.T) Schema {
	t.Helper()
	s, err := For[T]()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchema_Parse_text(t *testing.T) {
	schema := schemaOf[greeting](t)
	eighty := strings.Repeat("å", 80)
	for _, tt := range []struct {
		name   string
		body   string
		want   string   // the greeting
		faults []string // "field: reason" of each fault
	}{
		{name: "a greeting is taken", body: `{"greeting":"Welcome"}`, want: "Welcome"},
		{name: "spaces around it are dropped", body: `{"greeting":"  Hi \t"}`, want: "Hi"},
		{name: "80 characters of two bytes each fit", body: `{"greeting":"` + eighty + `"}`, want: eighty},
		{name: "right-to-left text and emoji fit", body: `{"greeting":"שלום 👋🏽"}`, want: "שלום 👋🏽"},
		{name: "the flag of Scotland, joined emoji, a half-space and a mark of direction fit", body: `{"greeting":"🏴\udb40\udc67\udb40\udc62\udb40\udc73\udb40\udc63\udb40\udc74\udb40\udc7f 👩\u200d🚀 می\u200cخواهم\u200fx"}`,
			want: "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f 👩\u200d🚀 می\u200cخواهم\u200fx"},
		{name: "an escaped character counts once", body: `{"greeting":"\u00e9t\u00e9"}`, want: "été"},

		{name: "81 characters do not fit", body: `{"greeting":"` + eighty + `x"}`, faults: []string{"greeting: must have at most 80 characters"}},
		{name: "an empty greeting", body: `{"greeting":""}`, faults: []string{"greeting: must not be empty"}},
		{name: "a greeting of spaces", body: `{"greeting":"   "}`, faults: []string{"greeting: must not be empty"}},
		{name: "no greeting", body: `{}`, faults: []string{"greeting: is required"}},
		{name: "a number", body: `{"greeting":7}`, faults: []string{"greeting: must be text"}},
		{name: "null", body: `{"greeting":null}`, faults: []string{"greeting: must be text"}},
		{name: "a NUL inside", body: `{"greeting":"a\u0000b"}`, faults: []string{"greeting: must not contain control characters"}},
		{name: "a newline inside", body: `{"greeting":"a\nb"}`, faults: []string{"greeting: must not contain control characters"}},
		{name: "a line separator", body: `{"greeting":"a\u2028b"}`, faults: []string{"greeting: must not contain control characters"}},
		{name: "an override of the direction", body: `{"greeting":"a\u202eb"}`, faults: []string{"greeting: must not contain control characters"}},
		{name: "an isolate", body: `{"greeting":"a\u2067b\u2069"}`, faults: []string{"greeting: must not contain control characters"}},
		{name: "text hidden in tag characters", body: `{"greeting":"a\udb40\udc61\udb40\udc62"}`, faults: []string{"greeting: must not contain control characters"}},
		{name: "tag characters after a flag", body: `{"greeting":"🏴\udb40\udc67\udb40\udc62\udb40\udc73\udb40\udc63\udb40\udc74\udb40\udc7f\udb40\udc61"}`, faults: []string{"greeting: must not contain control characters"}},
		{name: "half a surrogate pair", body: `{"greeting":"\ud83d"}`, faults: []string{"greeting: is not valid Unicode text"}},
		{name: "all faults are reported at once", body: `{"greeting":"","color":1,"size":2}`, faults: []string{
			"color: is not a known setting", "greeting: must not be empty", "size: is not a known setting",
		}},
		{name: "an unknown field with too deep a value", body: `{"greeting":"a","x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, faults: []string{"x: is not a known setting"}},
		{name: "JSON deeper than any parser should go", body: strings.Repeat("[", 20000), faults: []string{": must be one JSON object"}},
		{name: "a list", body: `[]`, faults: []string{": must be one JSON object"}},
		{name: "the word null", body: `null`, faults: []string{": must be one JSON object"}},
		{name: "nothing", body: ``, faults: []string{": must be one JSON object"}},
		{name: "two objects", body: `{"greeting":"a"}{"greeting":"b"}`, faults: []string{": must be one JSON object"}},
		{name: "half an object", body: `{"greeting":`, faults: []string{": must be one JSON object"}},
		{name: "bytes that are not UTF-8", body: "{\"greeting\":\"a\xff\"}", faults: []string{": is not valid UTF-8"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			values, err := schema.Parse([]byte(tt.body))
			if tt.faults != nil {
				wantFaults(t, err, tt.faults)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := Decode[greeting](values)
			if err != nil || got.Greeting != tt.want {
				t.Errorf("got %q, %v; want %q", got.Greeting, err, tt.want)
			}
		})
	}
}

func wantFaults(t *testing.T, err error, want []string) {
	t.Helper()
	var e *apierr.Error
	if !errors.As(err, &e) || e.Code != apierr.InvalidSettings {
		t.Fatalf("got %v, want %s", err, apierr.InvalidSettings)
	}
	var got []string
	for _, f := range e.Fields {
		got = append(got, f.Name+": "+f.Reason)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSchema_Parse_kinds(t *testing.T) {
	schema := schemaOf[badge](t)
	full := `{"title":"A","stars":3,"ratio":0.25,"show":false,"align":"end"}`
	for _, tt := range []struct {
		name   string
		body   string
		want   string
		faults []string
	}{
		{name: "every field is written in the order of declaration", body: `{"align":"end","show":false,"ratio":0.25,"stars":3,"title":"A"}`, want: full},
		{name: "text may be empty where no min is declared", body: strings.Replace(full, `"A"`, `" "`, 1), want: strings.Replace(full, `"A"`, `""`, 1)},
		{name: "a whole number may be written with an exponent", body: strings.Replace(full, "3", "3e0", 1), want: full},
		{name: "the limits themselves are allowed", body: strings.Replace(full, "3", "10", 1), want: strings.Replace(full, "3", "10", 1)},
		{name: "every kind names its fault", body: `{"title":"01234567890","stars":11,"ratio":"1","show":1,"align":"left"}`, faults: []string{
			"align: must be one of start, center, end", "ratio: must be a number", "show: must be true or false",
			"stars: must be at most 10", "title: must have at most 10 characters",
		}},
		{name: "a fraction and null", body: `{"title":null,"stars":1.5,"ratio":null,"show":null,"align":null}`, faults: []string{
			"align: must be one of start, center, end", "ratio: must be a number", "show: must be true or false",
			"stars: must be a whole number", "title: must be text",
		}},
		{name: "below the least", body: strings.Replace(full, "3", "0", 1), faults: []string{"stars: must be at least 1"}},
		{name: "a number beyond any float", body: strings.Replace(full, "0.25", "1e999", 1), faults: []string{"ratio: must be a number"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			values, err := schema.Parse([]byte(tt.body))
			if tt.faults != nil {
				wantFaults(t, err, tt.faults)
				return
			}
			if err != nil || string(values) != tt.want {
				t.Errorf("got %s, %v; want %s", values, err, tt.want)
			}
			if _, err := Decode[badge](values); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSchema_Parse_shortensUnknownNames(t *testing.T) {
	_, err := schemaOf[greeting](t).Parse([]byte(`{"greeting":"a","` + strings.Repeat("x", 5000) + `":1}`))
	if e := apierr.As(err); len(e.Fields) != 1 || len(e.Fields[0].Name) > 100 {
		t.Errorf("the error repeats the client's own text at length: %v", e.Fields)
	}
}

func TestSchema_Complete(t *testing.T) {
	schema := schemaOf[badge](t)
	const defaults = `{"title":"","stars":5,"ratio":0.5,"show":true,"align":"start"}`
	for _, tt := range []struct{ name, stored, want string }{
		{"nothing is stored", ``, defaults},
		{"an empty object", `{}`, defaults},
		{"a field that an older program did not store", `{"title":"Hi"}`, strings.Replace(defaults, `""`, `"Hi"`, 1)},
		{"a value that is no longer valid", `{"align":"left","stars":7}`, strings.Replace(defaults, "5,", "7,", 1)},
		{"a setting that is no longer declared", `{"old":1,"stars":7}`, strings.Replace(defaults, "5,", "7,", 1)},
		{"what is not an object", `[1]`, defaults},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := schema.Complete(json.RawMessage(tt.stored)); string(got) != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	if got, _ := (Schema{}).Complete(nil); string(got) != "{}" {
		t.Errorf("a schema without settings gives %s", got)
	}
}

func TestFor_refusesWhatMakesNoSense(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"no struct", second(For[int]()), "settings are declared by a struct, not by int"},
		{"no json name", second(For[struct {
			A string `setting:"text" default:""`
		}]()), `its json name is ""`},
		{"an unknown kind", second(For[struct {
			A string `json:"a" setting:"colour" default:""`
		}]()), `its kind is "colour": the kinds are choice, color, font, link, number, secret, text and toggle`},
		{"a type that does not fit", second(For[struct {
			A bool `json:"a" setting:"text" default:""`
		}]()), "a text cannot be of type bool"},
		{"no default", second(For[struct {
			A string `json:"a" setting:"text"`
		}]()), "it has no default"},
		{"a default outside the limits", second(For[struct {
			A int `json:"a" setting:"number" default:"11" max:"10"`
		}]()), `its default "11" must be at most 10`},
		{"limits the wrong way round", second(For[struct {
			A int `json:"a" setting:"number" default:"1" min:"2" max:"1"`
		}]()), "its min is above its max"},
		{"a limit that is no number", second(For[struct {
			A int `json:"a" setting:"number" default:"1" min:"x"`
		}]()), `its min is "x", which is not a number`},
		{"a choice without choices", second(For[struct {
			A string `json:"a" setting:"choice" default:"x"`
		}]()), "a choice needs a list of different values"},
		{"a choice named twice", second(For[struct {
			A string `json:"a" setting:"choice" default:"x" of:"x,x"`
		}]()), "a choice needs a list of different values"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) {
				t.Errorf("got %v, want %q", tt.err, tt.want)
			}
		})
	}
}

func TestFor_refusesANameTwice(t *testing.T) {
	// Not in a struct literal: vet reports the repeated tag itself.
	f := reflect.StructField{Name: "A", Type: reflect.TypeFor[string](), Tag: `json:"a" setting:"text" default:""`}
	g := f
	g.Name = "B"
	if _, err := schemaFor(reflect.StructOf([]reflect.StructField{f, g})); err == nil || !strings.Contains(err.Error(), `another field is named "a", too`) {
		t.Errorf("got %v", err)
	}
}

func second(_ Schema, err error) error { return err }

func TestSchema_Show(t *testing.T) {
	type all struct {
		Title  string `json:"title" setting:"text" default:"" label:"The title"`
		Align  string `json:"align" setting:"choice" default:"start" of:"start,end" labels:"At the start,At the end"`
		Shadow bool   `json:"shadow" setting:"toggle" default:"true"`
		Stars  int    `json:"stars" setting:"number" default:"5" min:"1" max:"10" unit:"px"`
		Font   Font   `json:"font" setting:"font" default:""`
		Key    Secret `json:"key" setting:"secret"`
		Other  Secret `json:"other" setting:"secret"`
	}
	schema, err := For[all]()
	if err != nil {
		t.Fatal(err)
	}
	values, secrets := schema.Complete(json.RawMessage(`{"title":"Hi","align":"end","shadow":false,"stars":7,"font":{"font":"16px serif","textDecoration":""},"key":"k-1"}`))
	want := []Shown{
		{"The title", "Hi"}, {"Align", "At the end"}, {"Shadow", "Off"}, {"Stars", "7 px"}, {"Font", "16px serif"}, {"Key", "Set"}, {"Other", "Not set"},
	}
	if got := schema.Show(values, secrets); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	values, secrets = schema.Complete(nil)
	if got := schema.Show(values, secrets); got[0].Value != "" || got[2].Value != "On" || got[5].Value != "Not set" {
		t.Errorf("the defaults: %q", got)
	}
}
