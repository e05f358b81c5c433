package declaration

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestIsColor(t *testing.T) {
	for _, good := range []string{
		"#fff", "#FFFA", "#1b2440", "#1b244080", "red", "RebeccaPurple", "transparent", "currentColor",
		"rgb(27, 36, 64)", "rgba(27,36,64,.5)", "rgb(27 36 64 / 50%)", "RGB(27 36 64)", "hsl(210deg 40% 50%)", "hsla(210, 40%, 50%, 1)",
		"hwb(210 40% 10%)", "lab(50% 40 -59.5)", "lch(52.2% 72.2 50)", "oklab(59% .1 .1)", "oklch(60% 0.15 50)", "color(display-p3 1 0.5 0)",
		"color-mix(in oklab, red 20%, #fff)", "rgb(from var(--x) r g calc(b * 2))", "light-dark(white, rgb(0 0 0))",
		"var(--wst-color-fill-background-primary, #112233)", "var(--x)", "var( --x , var(--y, rgb(1 2 3)) )",
	} {
		if !isColor(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{
		"", " ", "#12", "#12345", "#1234567", "#xyz", "blu", "redd", "red blue", "red;color:blue", "red}", "{red", "<b>", "url(x)", "URL(x)", "rgb(url(x))",
		"u\\rl(x)", "rgb(1 2 3", "rgb 1 2 3)", "rgb(1,2,3))", "rgb()", "rgb(1;2;3)", "expression(1)", "attr(x)", "var(x)", "var(--x,)", "var(--x, url(y))", "var(--x, blu)",
		"var(--x", "red/**/", "red!important", "red\n", "red\u0000", "@import", "rgb(a(b))", "rgb('1')", `"red"`, "image(red)", "env(x)", "inherit",
		"rgb(" + strings.Repeat("1", 200) + ")", "\ufffd",
	} {
		if isColor(bad) {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestIsLink(t *testing.T) {
	for _, good := range []string{
		"https://example.com", "http://example.com:8080/a?b=c#d", "HTTPS://EXAMPLE.COM/", "https://münchen.example/ä", "https://[::1]/",
		"mailto:ada@example.com", "mailto:ada@example.com?subject=Hi%20there", "tel:+491234", "https://a.example/%20",
	} {
		if !isLink(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{
		"example.com", "/a", "//example.com", "javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "ftp://example.com", "https:", "https://",
		"https:///a", "https:example.com", `https:\\example.com`, `https://example.com\@evil.example`, "https://a b.example", "https://a.example/a b", "mailto:", "tel:",
		"blob:https://example.com/1", "vbscript:x", "https://example.com/<script>", "https://:80", "file:///etc", "https://exa\u00a0mple.com",
	} {
		if isLink(bad) {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestIsHarmless(t *testing.T) {
	for text, want := range map[string]bool{
		"12px \u202eArial":                  false,
		`700 20px/1.2 "Open Sans", 'Arial'`: true, "var(--wst-font, 12px Arial)": true, "underline": true, "": true,
		`12px "Open Sans`: false, "12px Arial)": false, "var(--x": false, "12px Arial; color: red": false, "12px a}": false, "url(x) 12px": false, "12px Arial /* */": false, `12px "O'Reilly"`: true,
	} {
		if isHarmless(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

func TestReservedBy(t *testing.T) {
	for attribute, want := range map[string]string{
		"title": "HTML", "hidden": "HTML", "onclick": "HTML", "once": "HTML", "aria-label": "HTML", "data-x": "HTML", "role": "HTML", "api-base": "the widget's frame",
		"display-name": "", "text-color": "", "font": "", "align": "", "headline": "", "database": "", "ariadne": "",
	} {
		if got := reservedBy(attribute); got != want {
			t.Errorf("%s belongs to %q, want %q", attribute, got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	for name, want := range map[string]string{"displayName": "Display name", "title": "Title", "aB": "A b", "top-left": "Top left", "5": "5", "-": "-"} {
		if got := sentence(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// Whatever a color or a link accepts, it accepts as it stands when it is read again, and it
// holds nothing that could leave the place that it is written into.
func FuzzField_Parse(f *testing.F) {
	fields, faults := Of(Site, []Raw{
		{GoName: "Color", Type: "string", Tag: `json:"color" setting:"color" default:"red"`},
		{GoName: "Link", Type: "string", Tag: `json:"link" setting:"link" default:""`},
		{GoName: "Font", Type: FontType, Tag: `json:"font" setting:"font" default:""`},
		{GoName: "Text", Type: "string", Tag: `json:"text" setting:"text" default:""`},
		{GoName: "Number", Type: "float64", Tag: `json:"number" setting:"number" default:"0" step:"0.1"`},
		{GoName: "Secret", Type: SecretType, Tag: `json:"secret" setting:"secret"`},
	})
	if faults != nil {
		f.Fatal(faults)
	}
	for _, seed := range []string{`"red"`, `"rgb(1 2 3)"`, `"https://example.com"`, `{"font":"12px Arial"}`, `0.3`, `1e300`, `null`, `"\ud800"`, `"var(--x, red)"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, field := range fields {
			value, wrong := field.Parse(json.RawMessage(raw))
			if wrong != "" {
				if value != nil {
					t.Errorf("%s: %s is refused, and is %s", field.Name, raw, value)
				}
				continue
			}
			again, wrong := field.Parse(value)
			if wrong != "" || string(again) != string(value) {
				t.Errorf("%s: %s is read as %s, then as %s, %s", field.Name, raw, value, again, wrong)
			}
			if field.Kind == KindColor && strings.ContainsAny(string(value), ";{}<>") {
				t.Errorf("%s: %s is accepted", field.Name, value)
			}
		}
	})
}
