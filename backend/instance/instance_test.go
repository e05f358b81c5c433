package instance

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseSettings(t *testing.T) {
	eighty := strings.Repeat("å", MaxGreeting)
	for _, tt := range []struct {
		name   string
		body   string
		want   string   // the greeting
		faults []string // "field: reason" of each fault
	}{
		{name: "a greeting is taken", body: `{"greeting":"Welcome"}`, want: "Welcome"},
		{name: "spaces around it go", body: `{"greeting":"  Hi \t"}`, want: "Hi"},
		{name: "80 characters of two bytes each fit", body: `{"greeting":"` + eighty + `"}`, want: eighty},
		{name: "right-to-left text and emoji fit", body: `{"greeting":"שלום 👋🏽"}`, want: "שלום 👋🏽"},
		{name: "an escaped character counts once", body: `{"greeting":"\u00e9t\u00e9"}`, want: "été"},

		{name: "81 characters do not fit", body: `{"greeting":"` + eighty + `x"}`, faults: []string{"greeting: must have at most 80 characters"}},
		{name: "an empty greeting", body: `{"greeting":""}`, faults: []string{"greeting: must not be empty"}},
		{name: "a greeting of spaces", body: `{"greeting":"   "}`, faults: []string{"greeting: must not be empty"}},
		{name: "no greeting", body: `{}`, faults: []string{"greeting: is required"}},
		{name: "a number", body: `{"greeting":7}`, faults: []string{"greeting: must be text"}},
		{name: "null", body: `{"greeting":null}`, faults: []string{"greeting: must be text"}},
		{name: "a NUL inside", body: `{"greeting":"a\u0000b"}`, faults: []string{"greeting: must not contain control characters"}},
		{name: "a newline inside", body: `{"greeting":"a\nb"}`, faults: []string{"greeting: must not contain control characters"}},
		{name: "half a surrogate pair", body: `{"greeting":"\ud83d"}`, faults: []string{"greeting: is not valid Unicode text"}},
		{name: "all faults are told at once", body: `{"greeting":"","colour":1,"size":2}`, faults: []string{
			"colour: is not a known setting", "greeting: must not be empty", "size: is not a known setting",
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
			got, err := ParseSettings([]byte(tt.body))
			if tt.faults == nil {
				if err != nil || got.Greeting != tt.want {
					t.Fatalf("got %q, %v; want %q", got.Greeting, err, tt.want)
				}
				return
			}
			var e *Error
			if !errors.As(err, &e) || e.Code != CodeInvalidSettings {
				t.Fatalf("got %v, want %s", err, CodeInvalidSettings)
			}
			var faults []string
			for _, f := range e.Fields {
				faults = append(faults, f.Name+": "+f.Reason)
			}
			if diff := cmp.Diff(tt.faults, faults); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAFieldNameIsCutInTheError(t *testing.T) {
	_, err := ParseSettings([]byte(`{"greeting":"a","` + strings.Repeat("x", 5000) + `":1}`))
	if e := AsError(err); len(e.Fields) != 1 || len(e.Fields[0].Name) > 100 {
		t.Errorf("the error repeats the client's own text at length: %v", e.Fields)
	}
}

// TestViews compares the JSON itself: a field that is added to Instance or Profile
// and leaks into a view shows here.
func TestViews(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	known := Instance{
		ID: "inst", SiteID: "site", FirstSeen: at, LastSeen: at.Add(time.Hour),
		Profile:   Profile{Plan: Plan{Name: "gold"}, Locale: "de", Currency: "EUR", SiteDisplayName: "Laden", Languages: []string{"de", "en"}},
		ProfileAt: at.Add(time.Minute), PlanAt: at.Add(time.Minute),
	}
	told := Instance{ID: "inst", Profile: Profile{Plan: Plan{Name: "gold"}}, PlanAt: at}
	unknown := Instance{ID: "inst", SiteID: "site", FirstSeen: at, LastSeen: at}
	public := `{"plan":{"name":"gold","isFree":false},"locale":"de","currency":"EUR","siteDisplayName":"Laden","languages":["de","en"]`
	for _, tt := range []struct {
		name string
		of   Instance
		role Role
		want string
	}{
		{"a visitor sees the plan and the site's facts", known, Visitor, public + `}`},
		{"the app sees no more than a visitor", known, App, public + `}`},
		{"a role of tomorrow sees no more than a visitor", known, Role("admin"), public + `}`},
		{"an owner sees everything", known, Owner, public + `,"instanceId":"inst","siteId":"site","firstSeen":"2026-11-22T10:00:00Z","lastSeen":"2026-11-22T11:00:00Z","profileReadAt":"2026-11-22T10:01:00Z"}`},
		{"a plan that only an event has told", told, Visitor, `{"plan":{"name":"gold","isFree":false}}`},
		{"what Wix has not told yet is absent, not false", unknown, Visitor, `{}`},
		{"an owner sees the ids before Wix has told anything", unknown, Owner, `{"instanceId":"inst","siteId":"site","firstSeen":"2026-11-22T10:00:00Z","lastSeen":"2026-11-22T10:00:00Z"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := json.Marshal(tt.of.ViewFor(tt.role))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	cause := errors.New("disk on fire")
	wrapped := fmt.Errorf("save: %w", &Error{Code: CodeVersionConflict, Err: cause})
	if e := AsError(wrapped); e.Code != CodeVersionConflict || !errors.Is(e, cause) {
		t.Errorf("a wrapped Error is not found: %v", e)
	}
	if e := AsError(cause); e.Code != CodeInternal || strings.Contains(e.Message(), "fire") {
		t.Errorf("an unknown error must be internal and tell nothing: %v, %q", e.Code, e.Message())
	}
}

func TestEveryCodeHasASentence(t *testing.T) {
	for code, sentence := range messages {
		if e := (&Error{Code: code}); e.Message() == "" || e.Message() != sentence {
			t.Errorf("%s has no sentence", code)
		}
	}
	if len(messages) != 21 {
		t.Errorf("%d codes have a sentence, the HTTP contract lists 21", len(messages))
	}
}
