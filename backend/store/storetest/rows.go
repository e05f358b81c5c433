// What holds for rows as such: they do not mix, they go when they are deleted, and
// a caller's copy is the caller's.

package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

func rowChecks() []check {
	return []check{
		{"a deleted instance is not found", func(t *testing.T, s instance.Store) {
			full(t, s, "a")
			remove(t, s, "a")
			wantMissing(t, s, "a")
		}},
		{"deleting twice, or what was never there, is no error", func(t *testing.T, s instance.Store) {
			full(t, s, "a")
			remove(t, s, "a")
			remove(t, s, "a")
			remove(t, s, "never there")
			wantMissing(t, s, "a")
		}},
		{"many instances do not mix", func(t *testing.T, s instance.Store) {
			want := map[string]instance.Instance{}
			for i := range 100 {
				id := fmt.Sprintf("instance %d", i)
				want[id] = full(t, s, id)
			}
			for i := range 100 {
				if id := fmt.Sprintf("instance %d", i); i%3 == 0 {
					remove(t, s, id)
					delete(want, id)
				}
			}
			for i := range 100 {
				id := fmt.Sprintf("instance %d", i)
				if row, kept := want[id]; kept {
					wantRow(t, id, find(t, s, id), row)
				} else {
					wantMissing(t, s, id)
				}
			}
		}},
		{"ids are compared byte by byte", func(t *testing.T, s instance.Store) {
			ids := []string{"a", "A", "a ", " a", "á", "a\u0301", "a'", "a%", "%", "_", "1", "01", strings.Repeat("a", 1000)}
			for _, id := range ids {
				full(t, s, id)
			}
			for _, id := range ids {
				if row := find(t, s, id); row.ID != id || row.Settings.Greeting != "Hello from "+id {
					t.Errorf("under %q lies %+v", id, row)
				}
			}
		}},
		{"what is returned is the caller's own", func(t *testing.T, s instance.Store) {
			want := full(t, s, "a")
			for name, get := range map[string]func() instance.Instance{
				"Find":                  func() instance.Instance { return find(t, s, "a") },
				"Find, read before":     func() instance.Instance { return find(t, s, "a") },
				"Seen":                  func() instance.Instance { return seen(t, s, "a", "", noon()) },
				"Seen with a write":     func() instance.Instance { return seen(t, s, "a", "new site", noon()) },
				"SaveProfile":           func() instance.Instance { return saveProfile(t, s, "a", profile("a"), want.ProfileAt) },
				"SaveProfile, old news": func() instance.Instance { return saveProfile(t, s, "a", profile("b"), noon()) },
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
		}},
		{"what is given stays the caller's own", func(t *testing.T, s instance.Store) {
			seen(t, s, "a", "", noon())
			p := profile("a")
			saveProfile(t, s, "a", p, noon())
			find(t, s, "a")
			p.Languages[0] = "spoilt"
			if got := find(t, s, "a").Profile.Languages[0]; got != "en" {
				t.Errorf("a change to what was saved reached the store: %q", got)
			}
		}},
		{"the store can be reached", func(t *testing.T, s instance.Store) {
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
		}},
	}
}
