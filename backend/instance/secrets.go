package instance

// The settings that never leave the server.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
)

const redacted = "[redacted]"

// Secrets are the settings that the owner writes and nobody reads but the app on the
// server. They are never changed, so that copies may share them. fmt, slog and
// encoding/json write "[redacted]" in their place.
type Secrets struct {
	// A pointer, because fmt does not ask a value in an unexported field how it prints.
	object *json.RawMessage
}

// NewSecrets takes one JSON object with the secrets that are set, or nil for none.
func NewSecrets(object json.RawMessage) Secrets {
	if len(object) == 0 {
		return Secrets{}
	}
	own := slices.Clone(object)
	return Secrets{&own}
}

// Reveal returns the JSON object, or nil where no secret is set.
func (s Secrets) Reveal() json.RawMessage {
	if s.object == nil {
		return nil
	}
	return slices.Clone(*s.object)
}

// Names are the names of the secrets that are set, sorted.
func (s Secrets) Names() []string {
	var set map[string]json.RawMessage
	_ = json.Unmarshal(s.Reveal(), &set) // nothing is set in what is no object
	return slices.Sorted(maps.Keys(set))
}

// Equal reports whether two are the same.
func (s Secrets) Equal(other Secrets) bool { return bytes.Equal(s.Reveal(), other.Reveal()) }

// String returns "[redacted]".
func (Secrets) String() string { return redacted }

// GoString returns "[redacted]".
func (Secrets) GoString() string { return redacted }

// Format writes "[redacted]" for every verb.
func (Secrets) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[redacted]".
func (Secrets) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]", as JSON too.
func (Secrets) MarshalText() ([]byte, error) { return []byte(redacted), nil }
