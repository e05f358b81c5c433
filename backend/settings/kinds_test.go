package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// account has the kinds that badge has not.
type account struct {
	Accent  string  `json:"accent" setting:"color" default:"#1b2440" was:"color"`
	Heading Font    `json:"heading" setting:"font" default:""`
	Imprint string  `json:"imprint" setting:"link" default:""`
	Side    string  `json:"side" setting:"choice" default:"start" of:"start,end" also:"left"`
	Size    float64 `json:"size" setting:"number" default:"1" min:"0.5" max:"2" step:"0.25"`
	Key     Secret  `json:"key" setting:"secret" max:"20" was:"token"`
	Other   Secret  `json:"other" setting:"secret"`
}

const (
	accountDefaults = `{"accent":"#1b2440","heading":{"font":"","textDecoration":""},"imprint":"","side":"start","size":1}`
	accountFull     = `{"accent":"red","heading":{"font":"12px Arial","textDecoration":"underline"},"imprint":"https://example.com/","side":"left","size":1.25}`
)

func TestSchema_Parse_moreKinds(t *testing.T) {
	schema := schemaOf[account](t)
	for _, tt := range []struct {
		name, body, want string
		faults           []string
	}{
		{name: "secrets may be left out", body: accountFull, want: accountFull},
		{name: "a secret is trimmed", body: strings.TrimSuffix(accountFull, "}") + `,"key":" k-1 "}`, want: strings.TrimSuffix(accountFull, "}") + `,"key":"k-1"}`},
		{name: "an empty secret is none", body: strings.TrimSuffix(accountFull, "}") + `,"key":" "}`, want: accountFull},
		{name: "a font may lack its fields", body: strings.Replace(accountFull, `{"font":"12px Arial","textDecoration":"underline"}`, `{}`, 1), want: strings.Replace(accountFull, `{"font":"12px Arial","textDecoration":"underline"}`, `{"font":"","textDecoration":""}`, 1)},
		{name: "spaces around are dropped", body: strings.Replace(strings.Replace(accountFull, `"red"`, `" red "`, 1), `"https://example.com/"`, `" https://example.com/ "`, 1), want: accountFull},
		{name: "every kind names its fault", body: `{"accent":"#12","heading":"12px Arial","imprint":"example.com","side":"right","size":1.1,"key":7,"other":"a\u0000"}`, faults: []string{
			"accent: must be a CSS color", "heading: must be an object with font and textDecoration",
			"imprint: must be a link that begins with https://, http://, mailto: or tel:", "key: must be text",
			"other: must not contain control characters", "side: must be one of start, end", "size: must be a multiple of 0.25",
		}},
		{name: "null is none of them", body: `{"accent":null,"heading":null,"imprint":null,"side":null,"size":null,"key":null}`, faults: []string{
			"accent: must be a CSS color", "heading: must be an object with font and textDecoration", "imprint: must be text",
			"key: must be text", "side: must be one of start, end", "size: must be a number",
		}},
		{name: "a font that is a number", body: strings.Replace(accountFull, `"12px Arial"`, `12`, 1), faults: []string{"heading: must be a CSS font and a CSS text-decoration"}},
		{name: "a font with another field", body: strings.Replace(accountFull, `"font":`, `"size":"1px","font":`, 1), faults: []string{"heading: must have no fields but font and textDecoration"}},
		{name: "a font that covers the page", body: strings.Replace(accountFull, "12px Arial", "9999px Arial", 1), faults: []string{"heading: must not have a size of 1000 or more"}},
		{name: "a font with an exponent", body: strings.Replace(accountFull, "12px Arial", "bold calc(1px + 9E9px) Arial", 1), faults: []string{"heading: must not have a size of 1000 or more"}},
		{name: "a font with many digits", body: strings.Replace(accountFull, "12px Arial", "clamp(1rem, 2.0833vw, 999px)/1.2em avenir-lt-w01_35-light1475496", 1), want: strings.Replace(accountFull, "12px Arial", "clamp(1rem, 2.0833vw, 999px)/1.2em avenir-lt-w01_35-light1475496", 1)},
		{name: "a color for the font", body: strings.Replace(accountFull, "12px Arial", "12px Arial; color: red", 1), faults: []string{"heading: must be a CSS font and a CSS text-decoration"}},
		{name: "too long a secret", body: strings.TrimSuffix(accountFull, "}") + `,"key":"` + strings.Repeat("k", 21) + `"}`, faults: []string{"key: must have at most 20 characters"}},
		{name: "the former names", body: strings.TrimSuffix(accountFull, "}") + `,"color":"red","token":"k-1"}`, faults: []string{"color: is not a known setting", "token: is not a known setting"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			values, err := schema.Parse([]byte(tt.body))
			if tt.faults != nil {
				wantFaults(t, err, tt.faults)
				return
			}
			if err != nil || string(values) != tt.want {
				t.Errorf("got  %s, %v\nwant %s", values, err, tt.want)
			}
			if _, err := Decode[account](values); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSchema_Replace(t *testing.T) {
	schema := schemaOf[account](t)
	full := strings.TrimSuffix(accountFull, "}")
	secrets := `{"key":"k-1","other":"o-1"}`
	for _, tt := range []struct{ name, body, want string }{
		{"a secret that is left out stays", accountFull, full + `,"key":"k-1","other":"o-1"}`},
		{"one is replaced", full + `,"key":"k-2"}`, full + `,"key":"k-2","other":"o-1"}`},
		{"one is removed", full + `,"key":""}`, full + `,"other":"o-1"}`},
		{"all are removed", full + `,"other":"","key":" "}`, accountFull},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := schema.Replace([]byte(tt.body), json.RawMessage(secrets))
			if err != nil || string(got) != tt.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
	_, err := schema.Replace([]byte(`{"key":"k-2"}`), json.RawMessage(secrets))
	wantFaults(t, err, []string{"accent: is required", "heading: is required", "imprint: is required", "side: is required", "size: is required"})
}

func TestSchema_Merge(t *testing.T) {
	schema := schemaOf[account](t)
	const secrets = `{"key":"k-1"}`
	for _, tt := range []struct {
		name, body, want string
		faults           []string
	}{
		{name: "nothing", body: `{}`, want: strings.TrimSuffix(accountDefaults, "}") + `,"key":"k-1"}`},
		{name: "one setting", body: `{"side":"end"}`, want: strings.TrimSuffix(strings.Replace(accountDefaults, "start", "end", 1), "}") + `,"key":"k-1"}`},
		{name: "a secret", body: `{"other":"o-1"}`, want: strings.TrimSuffix(accountDefaults, "}") + `,"key":"k-1","other":"o-1"}`},
		{name: "no secret any more", body: `{"key":""}`, want: accountDefaults},
		{name: "all faults at once", body: `{"side":"top","size":9,"new":1}`, faults: []string{"new: is not a known setting", "side: must be one of start, end", "size: must be at most 2"}},
		{name: "a list", body: `[]`, faults: []string{": must be one JSON object"}},
		{name: "the word null", body: `null`, faults: []string{": must be one JSON object"}},
		{name: "bytes that are not UTF-8", body: "{\"side\":\"\xff\"}", faults: []string{": is not valid UTF-8"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := schema.Merge([]byte(tt.body), json.RawMessage(accountDefaults), json.RawMessage(secrets))
			if tt.faults != nil {
				wantFaults(t, err, tt.faults)
				return
			}
			if err != nil || string(got) != tt.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
	// Where nothing is known, what is not given has its default.
	got, err := schema.Merge([]byte(`{"side":"end"}`), nil, nil)
	if want := strings.Replace(accountDefaults, "start", "end", 1); err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

func TestSchema_Complete_secretsAndFormerNames(t *testing.T) {
	schema := schemaOf[account](t)
	for _, tt := range []struct{ name, stored, want, secrets string }{
		{"no secret", accountFull, accountFull, ""},
		{"a secret", strings.TrimSuffix(accountFull, "}") + `,"key":"k-1"}`, accountFull, `{"key":"k-1"}`},
		{"both", `{"other":"o-1","key":"k-1"}`, accountDefaults, `{"key":"k-1","other":"o-1"}`},
		{"one that is not valid any more", `{"other":"o-1","key":"` + strings.Repeat("k", 21) + `"}`, accountDefaults, `{"other":"o-1"}`},
		{"one that is no text", `{"key":{"a":1},"other":""}`, accountDefaults, ""},
		{"one that is not declared any more", `{"password":"p-1"}`, accountDefaults, ""},
		{"former names", `{"color":"red","token":"k-1"}`, strings.Replace(accountDefaults, "#1b2440", "red", 1), `{"key":"k-1"}`},
		{"a former name beside the new one", `{"color":"red","accent":"blue"}`, strings.Replace(accountDefaults, "#1b2440", "blue", 1), ""},
		{"a former name beside a new one that is not valid", `{"color":"red","accent":"blu"}`, accountDefaults, ""},
		{"a former name whose value is not valid", `{"color":"rot"}`, accountDefaults, ""},
		{"each field by itself", `{"accent":1,"heading":{"font":"12px Arial","textDecoration":"underline"},"imprint":[],"side":"left","size":1.1}`,
			strings.NewReplacer("red", "#1b2440", "https://example.com/", "", "1.25", "1").Replace(accountFull), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			values, secrets := schema.Complete(json.RawMessage(tt.stored))
			if string(values) != tt.want || string(secrets) != tt.secrets {
				t.Errorf("got  %s, %s\nwant %s, %s", values, secrets, tt.want, tt.secrets)
			}
			if _, err := Decode[account](values, secrets); err != nil {
				t.Error(err)
			}
			// What is complete stays as it is, once it is stored.
			stored, err := schema.Merge([]byte(`{}`), values, secrets)
			again, secretsAgain := schema.Complete(stored)
			if err != nil || !bytes.Equal(again, values) || !bytes.Equal(secretsAgain, secrets) {
				t.Errorf("then %s, %s, %v", again, secretsAgain, err)
			}
		})
	}
}

func TestSchema_SecretsSet(t *testing.T) {
	got := schemaOf[account](t).SecretsSet(json.RawMessage(`{"key":"k-1"}`))
	if diff := cmp.Diff(map[string]bool{"key": true, "other": false}, got); diff != "" {
		t.Error(diff)
	}
	if got := schemaOf[badge](t).SecretsSet(nil); got != nil {
		t.Errorf("where none is declared: %v", got)
	}
}

func TestSecret_revealsNothing(t *testing.T) {
	const value = "sk-live-123"
	type hidden struct{ key Secret }
	all, err := Decode[account](json.RawMessage(`{"key":"` + value + `"}`))
	if err != nil || all.Key.Reveal() != value || !all.Key.IsSet() || all.Other.IsSet() {
		t.Fatalf("%q, %v", all.Key.Reveal(), err)
	}
	var log bytes.Buffer
	for _, logger := range []*slog.Logger{slog.New(slog.NewJSONHandler(&log, nil)), slog.New(slog.NewTextHandler(&log, nil))} {
		logger.Info("x", "key", all.Key, "all", all, "pointer", &all, "hidden", hidden{all.Key})
	}
	encoded, err := json.Marshal(map[string]any{"all": all, "key": all.Key, "keys": map[Secret]int{all.Key: 1}})
	if err != nil {
		t.Fatal(err)
	}
	printed := log.String() + string(encoded)
	for _, v := range []any{all, &all, all.Key, &all.Key, hidden{all.Key}, &hidden{all.Key}, []Secret{all.Key}, map[string]hidden{"a": {all.Key}}} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
			printed += fmt.Sprintf(format, v)
		}
		printed += fmt.Sprint(v) + fmt.Sprintln(v)
	}
	for _, trace := range []string{value, fmt.Sprintf("%x", value), fmt.Sprintf("%X", value), fmt.Sprint([]byte(value))} {
		if strings.Contains(printed, trace) {
			t.Errorf("%q is in %s", trace, printed)
		}
	}
	if !strings.Contains(printed, redacted) {
		t.Error("nothing was redacted")
	}
	if err := json.Unmarshal([]byte(`{"key":["`+value+`"]}`), &all); err == nil || strings.Contains(err.Error(), value) {
		t.Errorf("a secret that is no text: %v", err)
	}
	if NewSecret("a").Reveal() != "a" || NewSecret("a").GoString() != redacted || (Secret{}).Reveal() != "" {
		t.Error("a secret of a test")
	}
}
