package instance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

func TestSecrets_revealNothing(t *testing.T) {
	const value = "sk-live-123"
	i := Instance{ID: "i", Settings: json.RawMessage(`{"a":1}`), Secrets: NewSecrets(json.RawMessage(`{"key":"` + value + `"}`))}
	type hidden struct{ row Instance }
	var log bytes.Buffer
	for _, logger := range []*slog.Logger{slog.New(slog.NewJSONHandler(&log, nil)), slog.New(slog.NewTextHandler(&log, nil))} {
		logger.Info("x", "secrets", i.Secrets, "row", i, "pointer", &i, "hidden", hidden{i}, "views", []View{i.OwnerView(), i.VisitorView()})
	}
	encoded, err := json.Marshal(map[string]any{"row": i, "secrets": i.Secrets, "owner": i.OwnerView(), "visitor": i.VisitorView()})
	if err != nil {
		t.Fatal(err)
	}
	printed := log.String() + string(encoded)
	for _, v := range []any{i, &i, i.Secrets, &i.Secrets, hidden{i}, &hidden{i}, []Instance{i}, map[string]hidden{"a": {i}}} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			printed += fmt.Sprintf(format, v)
		}
		printed += fmt.Sprint(v)
	}
	for _, trace := range []string{value, fmt.Sprintf("%x", value), fmt.Sprint([]byte(value))} {
		if strings.Contains(printed, trace) {
			t.Errorf("%q is in %s", trace, printed)
		}
	}
	if !strings.Contains(printed, redacted) || i.Secrets.GoString() != redacted {
		t.Error("nothing was redacted")
	}
}

func TestSecrets(t *testing.T) {
	given := json.RawMessage(`{"b":"2","a":"1"}`)
	s := NewSecrets(given)
	given[2] = 'x'
	s.Reveal()[2] = 'y'
	if got := string(s.Reveal()); got != `{"b":"2","a":"1"}` {
		t.Errorf("they became %s", got)
	}
	if got := s.Names(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("their names are %q", got)
	}
	if !s.Equal(NewSecrets(json.RawMessage(`{"b":"2","a":"1"}`))) || s.Equal(Secrets{}) || !(Secrets{}).Equal(NewSecrets(nil)) {
		t.Error("they are compared wrongly")
	}
	if (Secrets{}).Reveal() != nil || (Secrets{}).Names() != nil {
		t.Error("there are secrets in nothing")
	}
	c := Instance{Secrets: s}.Clone()
	if !c.Secrets.Equal(s) {
		t.Error("a clone has lost them")
	}
	saved := Instance{ID: "o", Settings: json.RawMessage(`{}`), Secrets: s, Version: 7}
	i := Instance{ID: "i"}
	if !i.CopySettings(saved) || !i.Secrets.Equal(Secrets{}) {
		t.Errorf("a copy took the secrets of its origin")
	}
}
