package instance

import (
	"reflect"
	"testing"
)

// A field that is added to Profile and forgotten in Equal fails here.
func TestProfile_Equal_comparesEveryField(t *testing.T) {
	if !(Profile{}).Equal(Profile{}) {
		t.Error("nothing is not equal to nothing")
	}
	var changed Profile
	leaves(reflect.ValueOf(&changed).Elem(), "Profile", func(name string, leaf reflect.Value) {
		before := reflect.New(leaf.Type()).Elem()
		before.Set(leaf)
		switch leaf.Interface().(type) {
		case string, PlanKind:
			leaf.SetString("x")
		case []string:
			leaf.Set(reflect.ValueOf([]string{"x"}))
		default:
			t.Fatalf("%s: how is a %s changed?", name, leaf.Type())
		}
		if changed.Equal(Profile{}) || (Profile{}).Equal(changed) {
			t.Errorf("%s does not count", name)
		}
		same := changed
		if !changed.Equal(same) {
			t.Errorf("a copy is not equal, by %s", name)
		}
		leaf.Set(before)
	})
}

func leaves(v reflect.Value, name string, f func(string, reflect.Value)) {
	if v.Kind() != reflect.Struct {
		f(name, v)
		return
	}
	for n := range v.NumField() {
		leaves(v.Field(n), name+"."+v.Type().Field(n).Name, f)
	}
}
