package kit

import (
	"math"
	"testing"
)

func TestOwned_refusesNames(t *testing.T) {
	for _, names := range [][2]string{
		{"", "id"}, {"t", ""}, {"Pets", "id"}, {"pets; DROP TABLE pets", "id"}, {"pets", "owner id"}, {"pets", `"owner"`}, {"1pets", "id"}, {"päts", "id"},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Owned(%q, %q) was taken", names[0], names[1])
				}
			}()
			Owned(names[0], names[1])
		}()
	}
	if table := Owned("pets_2", "owner_id"); table.Name != "pets_2" || table.Export == nil || table.Purge == nil || table.Copy != nil || table.Shared {
		t.Errorf("got %+v", table)
	}
}

func TestJSONValue(t *testing.T) {
	for _, tt := range []struct {
		value any
		typ   string
		want  any
	}{
		{"text", "TEXT", "text"},
		{[]byte("text"), "VARCHAR", "text"},
		{[]byte("text"), "", "text"},
		{int64(7), "INTEGER", int64(7)},
		{nil, "TEXT", nil},
		{1.5, "REAL", 1.5},
		{math.Inf(1), "REAL", "+Inf"},
		{math.NaN(), "float8", "NaN"},
		{true, "BOOL", true},
	} {
		if got := jsonValue(tt.value, tt.typ); got != tt.want {
			t.Errorf("%v of %s became %v", tt.value, tt.typ, got)
		}
	}
	for value, typ := range map[string]string{"blob": "BLOB", "bytea": "bytea", "\xff": "TEXT"} {
		if got, isBytes := jsonValue([]byte(value), typ).([]byte); !isBytes || string(got) != value {
			t.Errorf("%q of %s became %v", value, typ, got)
		}
	}
}
