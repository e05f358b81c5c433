package api

import (
	"testing"

	"github.com/nametag-dev/nametag/backend/instance"
)

func TestMemo(t *testing.T) {
	told := 0
	m := newMemo(func(from string, role instance.Role) any {
		told++
		return map[string]any{"from": from, "role": role}
	}, func(a, b string) bool { return a == b })
	for _, tt := range []struct {
		name, id string
		role     instance.Role
		from     string
		told     int
	}{
		{"at first", "a", instance.Visitor, "x", 1},
		{"again", "a", instance.Visitor, "x", 1},
		{"the owner", "a", instance.Owner, "x", 2},
		{"another instance", "b", instance.Visitor, "x", 3},
		{"something else", "a", instance.Visitor, "y", 4},
		{"the same again", "a", instance.Visitor, "y", 4},
		{"what it was before", "a", instance.Visitor, "x", 5},
		{"the owner's is kept apart", "a", instance.Owner, "x", 5},
		{"the app is told what a visitor is", "a", instance.App, "x", 5},
	} {
		body, err := m.of(tt.id, tt.role, tt.from)
		role := "visitor"
		if tt.role == instance.Owner {
			role = "owner"
		}
		want := `{"from":"` + tt.from + `","role":"` + role + `"}`
		if err != nil || string(body.json) != want || body.tag[0] != tagOf([]byte(want)) || told != tt.told {
			t.Errorf("%s: %s with %s, %v; told %d times, want %d", tt.name, body.json, body.tag, err, told, tt.told)
		}
	}
}

func TestABodyThatCannotBeEncodedIsNotKept(t *testing.T) {
	m := newMemo(func(from any, _ instance.Role) any { return from }, func(a, b any) bool { return true })
	if _, err := m.of("a", instance.Visitor, func() {}); err == nil {
		t.Fatal("a function was encoded")
	}
	if body, err := m.of("a", instance.Visitor, "x"); err != nil || string(body.json) != `"x"` {
		t.Errorf("%s, %v", body.json, err)
	}
}
