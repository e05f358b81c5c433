package settings

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/nametag-dev/nametag/backend/apierr"
)

// everyKind declares a setting of each kind.
type everyKind struct {
	Text   string  `json:"text" setting:"text" default:"Hi" min:"1" max:"20"`
	Color  string  `json:"color" setting:"color" default:"#1b2440"`
	Font   Font    `json:"font" setting:"font" default:""`
	Choice string  `json:"choice" setting:"choice" default:"a" of:"a,b"`
	Toggle bool    `json:"toggle" setting:"toggle" default:"true"`
	Number float64 `json:"number" setting:"number" default:"5" min:"1" max:"10" step:"0.5"`
	Link   string  `json:"link" setting:"link" default:""`
	Secret Secret  `json:"secret" setting:"secret"`
}

// FuzzSchema saves the body of a request over settings, and reads them again.
func FuzzSchema(f *testing.F) {
	schema, err := For[everyKind]()
	if err != nil {
		f.Fatal(err)
	}
	all := `{"text":"Ho","color":"red","font":{"font":"12px Arial"},"choice":"b","toggle":false,"number":1.5,"link":"https://example.com","secret":"sk-12345678"}`
	for _, seed := range []string{all, `{}`, `{"text":1,"number":"x"}`, `{"secret":""}`, `{"secret":"sk-12345678","unknown":1}`, `{"text":"a","text":"b"}`, `[]`, `null`,
		`{"TEXT":"x"}`, `{"number":1e400}`, `{"link":"javascript:1"}`, `{"color":"url(x)"}`, "{\"text\":\"\xff\"}", `{"toggle":null}`} {
		f.Add([]byte(seed))
	}
	before, err := schema.Parse([]byte(strings.Replace(all, "sk-12345678", "sk-of-before", 1)))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		values, secrets := schema.Complete(before)
		for name, save := range map[string]func() (json.RawMessage, error){
			"Replace": func() (json.RawMessage, error) { return schema.Replace(body, secrets) },
			"Merge":   func() (json.RawMessage, error) { return schema.Merge(body, values, secrets) },
		} {
			stored, err := save()
			if err != nil {
				refused(t, name, body, stored, err)
				continue
			}
			values, secrets := schema.Complete(stored)
			if bytes.Contains(values, []byte("sk-")) && !bytes.Contains(body, []byte("sk-")) {
				t.Errorf("%s of %s: the values hold the secret: %s", name, body, values)
			}
			var names map[string]json.RawMessage
			if err := json.Unmarshal(values, &names); err != nil || names["secret"] != nil || len(names) != 7 {
				t.Fatalf("%s of %s: the values are %s", name, body, values)
			}
			if _, err := Decode[everyKind](values, secrets); err != nil {
				t.Errorf("%s of %s: %v", name, body, err)
			}
			again, err := schema.Merge(values, values, secrets)
			if err != nil || !bytes.Equal(again, stored) {
				t.Errorf("%s of %s is stored as %s, and again as %s, %v", name, body, stored, again, err)
			}
			keeps(t, schema, name, body, before, stored)
		}
	})
}

// refused is what a body must be that is not saved.
func refused(t *testing.T, name string, body []byte, stored json.RawMessage, err error) {
	e := apierr.As(err)
	if stored != nil || e.Code != apierr.InvalidSettings || len(e.Fields) == 0 {
		t.Errorf("%s of %s: %s, %v", name, body, stored, err)
	}
	var given map[string]any
	if json.Unmarshal(body, &given) != nil {
		return
	}
	secret, _ := given["secret"].(string)
	shown, _ := json.Marshal(e.Body("id"))
	if _, named := given[secret]; len(secret) >= 8 && !named && (strings.Contains(err.Error(), secret) || bytes.Contains(shown, []byte(secret))) {
		t.Errorf("%s of %s: the error repeats the secret: %v %s", name, body, err, shown)
	}
}

// keeps holds a change to the settings that it names.
func keeps(t *testing.T, schema Schema, name string, body []byte, before, after json.RawMessage) {
	var given, old, now map[string]json.RawMessage
	for raw, into := range map[*map[string]json.RawMessage]json.RawMessage{&given: body, &old: before, &now: after} {
		if err := json.Unmarshal(into, raw); err != nil {
			t.Fatal(err)
		}
	}
	for setting, value := range old {
		if given[setting] == nil && !bytes.Equal(now[setting], value) {
			t.Errorf("%s of %s changes %s from %s to %s", name, body, setting, value, now[setting])
		}
	}
}
