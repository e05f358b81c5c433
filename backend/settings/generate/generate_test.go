package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateGolden = flag.Bool("update", false, "Write the golden files.")

// project makes a scratch project that declares settings, and returns its root.
func project(t *testing.T, declaration string) string {
	t.Helper()
	root := t.TempDir()
	path := filepath.Join(root, filepath.FromSlash(source))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(declaration), 0o644); err != nil {
		t.Fatal(err)
	}
	return root
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func generateIn(t *testing.T, root string) {
	t.Helper()
	var stderr bytes.Buffer
	if code := run(root, &stderr); code != 0 || stderr.Len() > 0 {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
}

// The golden files are in Biome's form: `biome ci` checks them with all others.
func TestRun_golden(t *testing.T) {
	for _, name := range []string{"every", "none"} {
		t.Run(name, func(t *testing.T) {
			golden := filepath.Join("testdata", name)
			if *updateGolden {
				generateIn(t, golden)
			}
			root := project(t, content(t, filepath.Join(golden, source)))
			generateIn(t, root)
			for _, o := range outputs() {
				if diff := cmp.Diff(content(t, filepath.Join(golden, o.path)), content(t, filepath.Join(root, o.path))); diff != "" {
					t.Errorf("%s (-want +got):\n%s", o.path, diff)
				}
			}
		})
	}
}

func TestRun_committedFilesAreUpToDate(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	d, faults := read(root)
	if faults != nil {
		t.Fatal(faults)
	}
	for _, o := range outputs() {
		if content(t, filepath.Join(root, o.path)) != o.write(d) {
			t.Errorf("%s is out of date: run make generate, and commit it", o.path)
		}
	}
}

func TestRun_writesWhatChanged(t *testing.T) {
	root := project(t, content(t, filepath.Join("testdata", "every", source)))
	generateIn(t, root)
	times := func() map[string]int64 {
		all := map[string]int64{}
		for _, o := range outputs() {
			path := filepath.Join(root, o.path)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if all[o.path] = info.ModTime().UnixNano(); info.Mode().Perm() != 0o400 {
				if err := os.Chmod(path, 0o400); err != nil {
					t.Fatal(err)
				}
			}
		}
		return all
	}
	before := times()
	generateIn(t, root)
	if diff := cmp.Diff(before, times()); diff != "" {
		t.Errorf("what did not change was written: %s", diff)
	}
}

// One more setting is one more line.
func TestRun_oneMoreSetting(t *testing.T) {
	declaration := content(t, filepath.Join("..", "..", "..", source))
	site := "type Site struct {\n"
	root := project(t, strings.Replace(declaration, site, site+"\tSubtitle string `json:\"subtitle\" setting:\"text\" default:\"\"`\n", 1))
	generateIn(t, root)
	for _, o := range outputs() {
		if !strings.Contains(content(t, filepath.Join(root, o.path)), "subtitle") {
			t.Errorf("%s lacks the new setting", o.path)
		}
	}
}

const head = "package business\n\nimport \"example.com/x/backend/settings\"\n\n"

func TestRun_refuses(t *testing.T) {
	const (
		noWidget = "type Widget struct{}\n"
		noSite   = "type Site struct{}\n"
	)
	site := func(fields string) string { return head + noWidget + "type Site struct {\n" + fields + "\n}\n" }
	widget := func(fields string) string { return head + noSite + "type Widget struct {\n" + fields + "\n}\n" }
	for _, tt := range []struct {
		name, source string
		want         []string // each with its line
	}{
		{"no struct Site", head + noWidget, []string{"1: there is no struct Site: one without fields declares no settings"}},
		{"no struct at all", head, []string{"1: there is no struct Widget:", "1: there is no struct Site:"}},
		{"a struct twice", head + noWidget + noSite + noSite, []string{"7: Site is declared twice"}},
		{"an alias", head + noWidget + "type Site = Widget\n", []string{"6: Site is no plain struct: it must be declared as type Site struct { … }"}},
		{"another type's struct", head + noWidget + "type Site Widget\n", []string{"6: Site is no plain struct"}},
		{"a struct with type parameters", head + noWidget + "type Site[T any] struct{}\n", []string{"6: Site is no plain struct"}},
		{"what is no Go", "package business\n\ntype Site struct {\n\tA string `\n", []string{"4: raw string literal not terminated"}},

		{"an embedded field", site("Widget"), []string{"7: Site.Widget: it is embedded: a setting is a field of its own"}},
		{"an unexported field", site("a string `json:\"a\" setting:\"text\" default:\"\"`"), []string{"7: Site.a: it is not exported"}},
		{"a blank field", site("_ string `json:\"a\" setting:\"text\" default:\"\"`"), []string{"7: Site._: it is not exported"}},
		{"an untagged field", site("A string"), []string{"7: Site.A: it has no tag"}},
		{"two fields of one tag", site("A, B string `json:\"a\" setting:\"text\" default:\"\"`"), []string{`7: Site.B: another field is named "a", too`}},
		{"a tag that is none", site("A string `json: \"a\"`"), []string{`7: Site.A: its tag cannot be read from "json: \"a\"" on`, `7: Site.A: its json name is ""`, `7: Site.A: its kind is ""`}},
		{"a text that is none", site("A string `json:\"a\" setting:\"text\" default:\"\" label:\"\\q\"`"), []string{`7: Site.A: its tag has a text that cannot be read: "\q"`}},
		{"a key twice", site("A string `json:\"a\" setting:\"text\" default:\"\" default:\"b\"`"), []string{`7: Site.A: its tag has the key "default" twice`}},
		{"a line break", site("A string `json:\"a\" setting:\"text\" default:\"\" help:\"a\\nb\"`"), []string{`7: Site.A: its help is "a\nb": it must be one line of text`}},
		{"a name with a hyphen", site("A string `json:\"my-a\" setting:\"text\" default:\"\"`"), []string{`7: Site.A: its json name is "my-a": it must be letters and digits, beginning with a small letter`}},
		{"an option of the name", site("A string `json:\"a,omitempty\" setting:\"text\" default:\"\"`"), []string{`7: Site.A: its json name has the option "omitempty": it must have none`}},

		{"an unknown kind", site("A string `json:\"a\" setting:\"colour\" default:\"\"`"), []string{`7: Site.A: its kind is "colour": the kinds are choice, color, font, link, number, secret, text and toggle`}},
		{"a wrong type", site("A bool `json:\"a\" setting:\"text\" default:\"\"`"), []string{"7: Site.A: a text cannot be of type bool: it is of type string"}},
		{"a pointer", site("A *string `json:\"a\" setting:\"text\" default:\"\"`"), []string{"7: Site.A: a text cannot be of type *string"}},
		{"a number of another size", site("A int64 `json:\"a\" setting:\"number\" default:\"1\"`"), []string{"7: Site.A: a number cannot be of type int64: it is of type int or float64"}},
		{"a list", site("A []string `json:\"a\" setting:\"choice\" default:\"a\" of:\"a\"`"), []string{"7: Site.A: a choice cannot be of type []string"}},
		{"a font that is a string", site("A string `json:\"a\" setting:\"font\" default:\"\"`"), []string{"7: Site.A: a font cannot be of type string: it is of type settings.Font"}},
		{"another package's font", strings.Replace(site("A settings.Font `json:\"a\" setting:\"font\" default:\"\"`"), "/backend/settings", "/settings", 1), []string{"7: Site.A: a font cannot be of type example.com/x/settings.Font"}},
		{"a secret that is a string", site("A string `json:\"a\" setting:\"secret\"`"), []string{"7: Site.A: a secret cannot be of type string: it is of type settings.Secret"}},

		{"no default", site("A string `json:\"a\" setting:\"text\"`"), []string{"7: Site.A: it has no default"}},
		{"a default outside the limits", site("A int `json:\"a\" setting:\"number\" default:\"11\" max:\"10\"`"), []string{`7: Site.A: its default "11" must be at most 10`}},
		{"an empty default below the min", site("A string `json:\"a\" setting:\"text\" default:\"\" min:\"1\"`"), []string{`7: Site.A: its default "" must not be empty`}},
		{"a default that is no number", site("A int `json:\"a\" setting:\"number\" default:\"five\"`"), []string{`7: Site.A: its default "five" must be a number`}},
		{"a fraction for a whole number", site("A int `json:\"a\" setting:\"number\" default:\"0.5\"`"), []string{`7: Site.A: its default "0.5" must be a whole number`}},
		{"a default that is not offered", site("A string `json:\"a\" setting:\"choice\" default:\"c\" of:\"a,b\"`"), []string{`7: Site.A: its default "c" must be one of a, b`}},
		{"a default that is not offered any more", site("A string `json:\"a\" setting:\"choice\" default:\"c\" of:\"a,b\" also:\"c\"`"), []string{`7: Site.A: its default "c" must be one that is offered`}},
		{"a default that is no color", site("A string `json:\"a\" setting:\"color\" default:\"#12345\"`"), []string{`7: Site.A: its default "#12345" must be a CSS color`}},
		{"a default that is no link", site("A string `json:\"a\" setting:\"link\" default:\"example.com\"`"), []string{`7: Site.A: its default "example.com" must be a link`}},
		{"a default that is neither", site("A bool `json:\"a\" setting:\"toggle\" default:\"yes\"`"), []string{`7: Site.A: its default "yes" must be true or false`}},
		{"a default for a font", site("A settings.Font `json:\"a\" setting:\"font\" default:\"Arial\"`"), []string{`7: Site.A: its default is "Arial": that of a font is empty`}},
		{"a default for a secret", site("A settings.Secret `json:\"a\" setting:\"secret\" default:\"x\"`"), []string{`7: Site.A: its tag has the key "default", which a secret does not have`}},

		{"limits the wrong way round", site("A int `json:\"a\" setting:\"number\" default:\"1\" min:\"2\" max:\"1\"`"), []string{"7: Site.A: its min is above its max"}},
		{"a limit that is no number", site("A int `json:\"a\" setting:\"number\" default:\"1\" min:\"x\"`"), []string{`7: Site.A: its min is "x", which is not a number`}},
		{"a limit without end", site("A float64 `json:\"a\" setting:\"number\" default:\"1\" max:\"Inf\"`"), []string{`7: Site.A: its max is "Inf", which is not a number`}},
		{"half a character", site("A string `json:\"a\" setting:\"text\" default:\"\" max:\"1.5\"`"), []string{`7: Site.A: its max is "1.5", which is not a whole number`}},
		{"fewer than no characters", site("A string `json:\"a\" setting:\"text\" default:\"\" min:\"-1\"`"), []string{"7: Site.A: its min is below 0"}},
		{"too many characters", site("A string `json:\"a\" setting:\"text\" default:\"\" max:\"20000\"`"), []string{"7: Site.A: its max is 20000: a text has 1 to 10000 characters at most"}},
		{"a step of nothing", site("A int `json:\"a\" setting:\"number\" default:\"1\" step:\"0\"`"), []string{"7: Site.A: its step is 0: it must be above 0"}},
		{"half a step", site("A int `json:\"a\" setting:\"number\" default:\"1\" step:\"0.5\"`"), []string{`7: Site.A: its step is "0.5", which is not a whole number`}},
		{"a step that the default is not on", site("A int `json:\"a\" setting:\"number\" default:\"6\" min:\"1\" step:\"2\"`"), []string{`7: Site.A: its default "6" must be in steps of 2 from 1`}},
		{"a step beyond the limits", site("A int `json:\"a\" setting:\"number\" default:\"1\" min:\"1\" max:\"5\" step:\"10\"`"), []string{"7: Site.A: its step is 10, more than lies between its min and its max"}},

		{"no choices", site("A string `json:\"a\" setting:\"choice\" default:\"x\"`"), []string{"7: Site.A: a choice needs a list of different values"}},
		{"a choice twice", site("A string `json:\"a\" setting:\"choice\" default:\"x\" of:\"x\" also:\"x\"`"), []string{"7: Site.A: a choice needs a list of different values"}},
		{"an empty choice", site("A string `json:\"a\" setting:\"choice\" default:\"x\" of:\"x,,y\"`"), []string{`7: Site.A: its values are ["x" "" "y"]: they must not be empty`}},
		{"fewer labels than choices", site("A string `json:\"a\" setting:\"choice\" default:\"x\" of:\"x,y\" labels:\"X,Y\" labels.de:\"X\"`"), []string{"7: Site.A: it has 2 choices, and 1 labels (X)"}},

		{"an unknown key", site("A string `json:\"a\" setting:\"text\" default:\"\" maximum:\"3\"`"), []string{`7: Site.A: its tag has the key "maximum": the keys are json, setting, default,`}},
		{"another kind's key", site("A bool `json:\"a\" setting:\"toggle\" default:\"true\" max:\"3\"`"), []string{`7: Site.A: its tag has the key "max", which a toggle does not have`}},
		{"a language for what has none", site("A string `json:\"a\" setting:\"text\" default:\"\" default.de:\"x\"`"), []string{`7: Site.A: its tag has the key "default.de": only label, help, labels, group and placeholder are given per language`}},
		{"no language code", site("A string `json:\"a\" setting:\"text\" default:\"\" label.german:\"x\"`"), []string{`7: Site.A: its tag has the key "label.german": "german" is no language code`}},
		{"English twice", site("A string `json:\"a\" setting:\"text\" default:\"\" label.en:\"x\"`"), []string{`7: Site.A: its tag has the key "label.en": the English text has no language, as label`}},
		{"a help in German alone", site("A string `json:\"a\" setting:\"text\" default:\"\" help.de:\"x\"`"), []string{"7: Site.A: it has help.de, but no help"}},
		{"an empty label", site("A string `json:\"a\" setting:\"text\" default:\"\" label:\" \"`"), []string{`7: Site.A: its label is " ": it must be text without spaces around it`}},
		{"a group of two names", site("A string `json:\"a\" setting:\"text\" default:\"\" group:\"G\" group.de:\"H\"`\nB string `json:\"b\" setting:\"text\" default:\"\" group:\"G\" group.de:\"I\"`"), []string{`8: Site.B: its group "G" is "I" in de, and was "H" before`}},

		{"a name twice", site("A string `json:\"a\" setting:\"text\" default:\"\"`\nB string `json:\"a\" setting:\"text\" default:\"\"`"), []string{`8: Site.B: another field is named "a", too`}},
		{"a former name that is taken", site("A string `json:\"a\" setting:\"text\" default:\"\"`\nB string `json:\"b\" setting:\"text\" default:\"\" was:\"a\"`"), []string{`8: Site.B: it was "a", which a field is named now`}},
		{"a former name that is its own", site("A string `json:\"a\" setting:\"text\" default:\"\" was:\"a\"`"), []string{`7: Site.A: it was "a", which a field is named now`}},
		{"a former name twice", site("A string `json:\"a\" setting:\"text\" default:\"\" was:\"c\"`\nB string `json:\"b\" setting:\"text\" default:\"\" was:\"c\"`"), []string{`8: Site.B: another field was "c", too`}},
		{"a former name that is none", site("A string `json:\"a\" setting:\"text\" default:\"\" was:\"A b\"`"), []string{`7: Site.A: it was "A b": a name is letters and digits`}},
		{"a former name of an attribute", widget("A string `json:\"a\" setting:\"text\" default:\"\" was:\"b\"`"), []string{`7: Widget.A: it was "b": the attributes of widgets are in the pages of sites.`}},
		{"on no color", site("A string `json:\"a\" setting:\"color\" default:\"red\" on:\"b\"`"), []string{`7: Site.A: it stands on "b", which is no other color here`}},
		{"on itself", site("A string `json:\"a\" setting:\"color\" default:\"red\" on:\"a\"`"), []string{`7: Site.A: it stands on "a", which is no other color here`}},
		{"on a text", site("A string `json:\"a\" setting:\"color\" default:\"red\" on:\"b\"`\nB string `json:\"b\" setting:\"text\" default:\"\"`"), []string{`7: Site.A: it stands on "b", which is no other color here`}},

		{"HTML's attribute", widget("A string `json:\"title\" setting:\"text\" default:\"\"`"), []string{"7: Widget.A: its attribute would be title, which belongs to HTML"}},
		{"an event's attribute", widget("A string `json:\"onclick\" setting:\"text\" default:\"\"`"), []string{"7: Widget.A: its attribute would be onclick, which belongs to HTML"}},
		{"ARIA's attribute", widget("A string `json:\"ariaLabel\" setting:\"text\" default:\"\"`"), []string{"7: Widget.A: its attribute would be aria-label, which belongs to HTML"}},
		{"an attribute of data", widget("A string `json:\"dataX\" setting:\"text\" default:\"\"`"), []string{"7: Widget.A: its attribute would be data-x, which belongs to HTML"}},
		{"the frame's attribute", widget("A string `json:\"apiBase\" setting:\"text\" default:\"\"`\nB string `json:\"settingsVersion\" setting:\"text\" default:\"\"`"), []string{
			"7: Widget.A: its attribute would be api-base, which belongs to the widget's frame", "8: Widget.B: its attribute would be settings-version, which",
		}},
		{"a secret in a page", widget("A settings.Secret `json:\"a\" setting:\"secret\"`"), []string{"7: Widget.A: a secret cannot belong to a widget: its attributes are in the page"}},

		{"all faults at once", site("B bool `json:\"b\" setting:\"toggle\" maks:\"1\"`\nA string `json:\"B\" setting:\"txt\"`"), []string{
			`7: Site.B: its tag has the key "maks"`, "7: Site.B: it has no default", `8: Site.A: its json name is "B"`, `8: Site.A: its kind is "txt"`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := project(t, tt.source)
			var stderr bytes.Buffer
			if code := run(root, &stderr); code != 1 {
				t.Errorf("exit %d", code)
			}
			got := strings.Split(strings.TrimSuffix(stderr.String(), "\n"), "\n")
			if len(got) != len(tt.want) {
				t.Fatalf("got %d faults, want %d:\n%s", len(got), len(tt.want), &stderr)
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(got[i], source+":"+want) {
					t.Errorf("got  %s\nwant %s:%s", got[i], source, want)
				}
			}
			for _, o := range outputs() {
				if _, err := os.Stat(filepath.Join(root, o.path)); err == nil {
					t.Errorf("%s was written", o.path)
				}
			}
		})
	}
}

func TestRun_noSource(t *testing.T) {
	var stderr bytes.Buffer
	if code := run(t.TempDir(), &stderr); code != 1 || !strings.Contains(stderr.String(), "settings.go") {
		t.Errorf("exit %d: %s", code, &stderr)
	}
}

func TestRun_cannotWrite(t *testing.T) {
	root := project(t, head+"type Widget struct{}\ntype Site struct{}\n")
	if err := os.WriteFile(filepath.Join(root, "widget"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	if code := run(root, &stderr); code != 1 || !strings.HasPrefix(stderr.String(), "generate the settings: ") {
		t.Errorf("exit %d: %s", code, &stderr)
	}
}
