package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Font is what Wix's font picker returns.
type Font struct {
	// Font is a CSS font shorthand, or "" for the page's own.
	Font string `json:"font"`
	// TextDecoration is a CSS text-decoration, or "".
	TextDecoration string `json:"textDecoration"`
}

const redacted = "[redacted]"

// Secret is a setting that the site's owner writes and nobody reads but the app on the
// server: a key for another service. fmt, slog and encoding/json write "[redacted]" in its
// place; Reveal returns it.
type Secret struct {
	// A pointer, because fmt does not ask a value in an unexported field how it prints.
	value *string
}

// NewSecret returns a secret, for tests.
func NewSecret(value string) Secret { return Secret{&value} }

// Reveal returns the secret, or "" where none is set.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsSet reports whether there is a secret.
func (s Secret) IsSet() bool { return s.Reveal() != "" }

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// GoString returns "[redacted]".
func (Secret) GoString() string { return redacted }

// Format writes "[redacted]" for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]", as JSON too.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (s *Secret) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) != nil {
		return errors.New("a secret is text") // without what it is instead
	}
	s.value = &text
	return nil
}
