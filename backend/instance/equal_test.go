package instance

import (
	"reflect"
	"testing"
	"time"
)

// TestEveryFieldCountsForEqual changes each field by itself: one that is added and
// forgotten in Equal shows here.
func TestEveryFieldCountsForEqual(t *testing.T) {
	if !(Instance{}).Equal(Instance{}) {
		t.Error("nothing is not equal to nothing")
	}
	var changed Instance
	leaves(reflect.ValueOf(&changed).Elem(), "Instance", func(name string, leaf reflect.Value) {
		before := reflect.New(leaf.Type()).Elem()
		before.Set(leaf)
		switch leaf.Interface().(type) {
		case string:
			leaf.SetString("x")
		case bool:
			leaf.SetBool(true)
		case int64:
			leaf.SetInt(1)
		case time.Time:
			leaf.Set(reflect.ValueOf(time.Unix(1, 0)))
		case []string:
			leaf.Set(reflect.ValueOf([]string{"x"}))
		default:
			t.Fatalf("%s: how is a %s changed?", name, leaf.Type())
		}
		if changed.Equal(Instance{}) || (Instance{}).Equal(changed) {
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
	if v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[time.Time]() {
		f(name, v)
		return
	}
	for n := range v.NumField() {
		leaves(v.Field(n), name+"."+v.Type().Field(n).Name, f)
	}
}
