package wix

import (
	"bytes"
	"encoding/json"
)

// Optional is a field that Wix may leave out. An absent field, a null and a value of the
// wrong type are all read as absent (Present is false, Value is the zero value), so that
// one unexpected field never makes the whole document unreadable. Tagged omitzero, an
// absent field is absent again when it is encoded.
type Optional[T any] struct {
	Value   T
	Present bool
}

// Some returns a present value.
func Some[T any](v T) Optional[T] { return Optional[T]{Value: v, Present: true} }

// IsZero reports whether the field is absent, whatever Value is.
func (o Optional[T]) IsZero() bool { return !o.Present }

// MarshalJSON writes the bare value; an absent one is null unless omitzero drops it.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if !o.Present {
		return []byte("null"), nil
	}
	return json.Marshal(o.Value)
}

// UnmarshalJSON never fails. A bool may also be "true" or "false": Wix's own
// documentation shows both.
func (o *Optional[T]) UnmarshalJSON(b []byte) error {
	*o = Optional[T]{}
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	if _, isBool := any(o.Value).(bool); isBool {
		b = bytes.Trim(b, `"`)
	}
	var v T
	if json.Unmarshal(b, &v) == nil {
		*o = Some(v)
	}
	return nil
}
