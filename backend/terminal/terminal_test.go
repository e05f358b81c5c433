package terminal

import (
	"encoding/json"
	"testing"
)

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"Laden 👋🏽 café": "Laden 👋🏽 café", "שלום": "שלום", "می\u200cخواهم": "می\u200cخواهم", "👩\u200d🚀": "👩\u200d🚀",
		"a\x00b\xffc\x9b": `a\x00b\xffc\x9b`, "\u200f\ufeff\u00ad": `\u200f\ufeff\u00ad`, "\U000f0000": `\U000f0000`, `\x1b`: `\x1b`,
	} {
		if got := Visible(text); got != want {
			t.Errorf("%q is shown as %s, want %s", text, got, want)
		}
	}
}

func TestVisibleJSON(t *testing.T) {
	const hostile = "Laden 👩\u200d🚀 \u202e\U000E0041\u009b\x7f\u2028"
	text, err := json.MarshalIndent(map[string]string{"name": hostile}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	shown := VisibleJSON(string(text))
	if want := "{\n  \"name\": \"Laden 👩\u200d🚀 \\u202e\\udb40\\udc41\\u009b\\u007f\\u2028\"\n}"; shown != want {
		t.Errorf("got %s, want %s", shown, want)
	}
	var back map[string]string
	if err := json.Unmarshal([]byte(shown), &back); err != nil || back["name"] != hostile {
		t.Errorf("it means %q, %v", back, err)
	}
}
