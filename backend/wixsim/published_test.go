package wixsim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestAttribute_Check(t *testing.T) {
	for name, want := range map[string]bool{
		"display-name": true, "align": true, "a1": true, strings.Repeat("a", 64): true,
		"": false, "onclick": false, "style": false, "class": false, "id": false, "is": false, "slot": false,
		"Display": false, "a b": false, "a--b": false, "-a": false, "a-": false, `a"`: false, "a>": false,
		strings.Repeat("a", 65): false,
	} {
		if err := (Attribute{Name: name}).Check(); (err == nil) != want {
			t.Errorf("%q: got %v, want %v", name, err, want)
		}
	}
}

func TestPublish(t *testing.T) {
	s := newSim(t)
	h, in := s.Handler(), install(t, s, InstallRequest{})
	elements := func(n int, attributes string) string {
		return `{"elements":[` + strings.Join(slices.Repeat([]string{`{"attributes":[` + attributes + `]}`}, n), ",") + `]}`
	}
	many := make([]string, maxAttributes+1)
	for i := range many {
		many[i] = fmt.Sprintf(`{"name":"a%d","value":""}`, i)
	}
	const ada = `{"name":"display-name","value":"Ada"}`
	for _, tt := range []struct {
		name, id, body string
		status         int
	}{
		{"two widgets", in.InstanceID, elements(2, ada), 204},
		{"an id in capitals", strings.ToUpper(in.InstanceID), elements(2, ada), 204},
		{"an instance that is not installed", noSuchID, elements(1, ""), 404},
		{"no JSON", in.InstanceID, "<p>", 400},
		{"a field that is not known", in.InstanceID, `{"elements":[],"more":1}`, 422},
		{"too many widgets", in.InstanceID, elements(MaxElements+1, ""), 422},
		{"too many attributes", in.InstanceID, elements(1, strings.Join(many, ",")), 422},
		{"an attribute that is not allowed", in.InstanceID, elements(1, `{"name":"onclick","value":"x"}`), 422},
		{"an attribute twice", in.InstanceID, elements(1, `{"name":"a","value":""},{"name":"a","value":""}`), 422},
		{"a value that is too long", in.InstanceID, elements(1, `{"name":"a","value":"`+strings.Repeat("x", maxAttribute+1)+`"}`), 422},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if w := ask(h, http.MethodPut, "/_sim/published/"+tt.id, tt.body); w.Code != tt.status {
				t.Errorf("got %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if got := s.Published(in.InstanceID); len(got) != 2 || got[1].Attributes[0].Value != "Ada" {
				t.Errorf("the page has %v", got)
			}
		})
	}
	t.Run("a page of another origin cannot publish", func(t *testing.T) {
		w := ask(h, http.MethodPut, "/_sim/published/"+in.InstanceID, `{"elements":[]}`, "Origin", "http://evil.test")
		if w.Code != 403 {
			t.Errorf("got %d", w.Code)
		}
	})
	t.Run("an empty page", func(t *testing.T) {
		if err := s.Publish(in.InstanceID, nil); err != nil || len(s.Published(in.InstanceID)) != 0 {
			t.Errorf("got %v, %v", s.Published(in.InstanceID), err)
		}
	})
	t.Run("a page that was never published has one widget", func(t *testing.T) {
		if got := s.Published(noSuchID); len(got) != 1 || len(got[0].Attributes) != 0 {
			t.Errorf("got %v", got)
		}
	})
}

func TestPublish_storesABoundedNumberOfPages(t *testing.T) {
	s := newSim(t)
	for range maxPublished + 1 {
		if err := s.Publish(install(t, s, InstallRequest{}).InstanceID, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.published) != maxPublished {
		t.Errorf("%d pages are stored, want %d", len(s.published), maxPublished)
	}
}
