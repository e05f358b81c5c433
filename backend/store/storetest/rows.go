package storetest

// What holds for rows as such: they do not mix, they go when they are deleted, and
// a caller's copy is the caller's.

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// A deleted instance is not found.
func rowsDeletedIsNotFound(t *testing.T, s Storage) {
	full(t, s, "a")
	deleteInstance(t, s, "a")
	wantMissing(t, s, "a")
}

// Deleting twice, or what never existed, is no error.
func rowsDeletingTwice(t *testing.T, s Storage) {
	full(t, s, "a")
	deleteInstance(t, s, "a")
	deleteInstance(t, s, "a")
	deleteInstance(t, s, "never there")
	wantMissing(t, s, "a")
}

// Many instances do not mix.
func rowsDoNotMix(t *testing.T, s Storage) {
	want := map[string]instance.Instance{}
	for i := range 100 {
		id := fmt.Sprintf("instance %d", i)
		want[id] = full(t, s, id)
	}
	for i := range 100 {
		if id := fmt.Sprintf("instance %d", i); i%3 == 0 {
			deleteInstance(t, s, id)
			delete(want, id)
		}
	}
	for i := range 100 {
		id := fmt.Sprintf("instance %d", i)
		if row, found := want[id]; found {
			wantRow(t, id, find(t, s, id), row)
		} else {
			wantMissing(t, s, id)
		}
	}
}

// Ids are compared byte by byte.
func rowsComparedByByte(t *testing.T, s Storage) {
	ids := []string{"a", "A", "a ", " a", "á", "a\u0301", "a'", "a%", "%", "_", "1", "01", strings.Repeat("a", 1000)}
	for _, id := range ids {
		full(t, s, id)
	}
	for _, id := range ids {
		if row := find(t, s, id); row.ID != id || greetingOf(row) != "Hello from "+id {
			t.Errorf("under %q lies %+v", id, row)
		}
	}
}

// What is returned belongs to the caller.
func rowsReturnedBelongToCaller(t *testing.T, s Storage) {
	want := full(t, s, "a")
	for name, get := range map[string]func() instance.Instance{
		"Find":               func() instance.Instance { return find(t, s, "a") },
		"Find, read before":  func() instance.Instance { return find(t, s, "a") },
		"Seen":               func() instance.Instance { return seen(t, s, "a", "", noon()) },
		"Seen with a write":  func() instance.Instance { return seen(t, s, "a", "new site", noon()) },
		"SaveProfile":        func() instance.Instance { return saveProfile(t, s, "a", profile("a"), want.ProfileAt) },
		"SaveProfile, older": func() instance.Instance { return saveProfile(t, s, "a", profile("b"), noon()) },
		"SaveSettings": func() instance.Instance {
			return save(t, s, "a", "Hi", find(t, s, "a").Version)
		},
	} {
		row := get()
		row.Profile.Languages[0] = "spoilt"
		row.Profile.Languages = append(row.Profile.Languages[:1], "spoilt too")
		if got := find(t, s, "a").Profile.Languages; strings.Join(got, " ") != "en he pt-BR" {
			t.Errorf("a change to what %s returned reached the store: %q", name, got)
		}
	}
}

// What is given still belongs to the caller.
func rowsGivenBelongToCaller(t *testing.T, s Storage) {
	seen(t, s, "a", "", noon())
	p := profile("a")
	saveProfile(t, s, "a", p, noon())
	find(t, s, "a")
	p.Languages[0] = "spoilt"
	if got := find(t, s, "a").Profile.Languages[0]; got != "en" {
		t.Errorf("a change to what was saved reached the store: %q", got)
	}
}

// The store answers a ping, which changes nothing.
func rowsPing(t *testing.T, s Storage) {
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
	full(t, s, "a")
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping of a store in use: %v", err)
	}
	wantMissing(t, s, "")
	if row := find(t, s, "a"); !row.LastSeen.Equal(noon()) || row.ProfileAt.Sub(noon()) != time.Second {
		t.Errorf("Ping changed the row to %+v", row)
	}
}
