package web_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"github.com/nametag-dev/nametag/backend/wixsim"
	"github.com/nametag-dev/nametag/web"
)

var update = flag.Bool("update", false, "write the golden files")

func render(t *testing.T, page templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// hostile is text that must be rendered as text.
const hostile = `"><script>alert(1)</script>`

// names hold what must be rendered as text.
var names = web.Product{Name: "Badge & <Co>", ID: "badge-co", Description: "Shows <what> & who.", EnvPrefix: "BADGE_CO_"}

func installData() web.InstallData {
	return web.InstallData{
		Product: names, BasePath: "/app", PublicURL: "https://badge.example/app", AppID: "an-app-id", Tag: "badge-widget",
		ClassURL: "https://badge.example/app/widget-class.js", APIURL: "https://badge.example/app/api/",
		ComponentID: "a-component-id", PresetID: "a-preset-id",
		WidgetURL: "https://badge.example/app/widget.js", PanelURL: "https://badge.example/app/panel/",
		WebhookURL:   "https://badge.example/app/webhooks/wix",
		ThumbnailURL: "https://badge.example/app/widget/thumbnail.svg", DefaultWidth: 450, DefaultHeight: 250,
	}
}

func editorData() web.EditorData {
	return web.EditorData{
		Assets: "_sim/assets/", AppID: "an-app-id", InstanceID: "an-instance-id", SiteID: "a-site-id",
		SiteName: hostile, Tag: "badge-widget", WidgetURL: "https://app.example/widget.js",
		PanelURL: "https://app.example/panel/", TokensURL: "_sim/tokens", PublishURL: "_sim/published/an-instance-id",
		SiteURL:  "site?instance=an-instance-id",
		Elements: []web.Element{{Attributes: []web.Attribute{{Name: "display-name", Value: hostile}}}},
		App:      web.AppState{Installed: true, Plan: hostile, BillingCycle: "YEARLY", RenewalCancelled: true},
		RetryMS:  []float64{60_000, 600_000},
	}
}

func siteData() web.SiteData {
	return web.SiteData{
		Assets: "_sim/assets/", Language: "en", Tag: "badge-widget", WidgetURL: "https://app.example/widget.js",
		Elements: []web.Element{
			{Attributes: []web.Attribute{{Name: "display-name", Value: hostile}, {Name: "align", Value: ""}}},
			{},
		},
		TokensURL: "_sim/tokens", Token: map[string]any{"subject": "VISITOR", "instanceId": "an-instance-id"},
	}
}

func everyPage() map[string]templ.Component {
	unready, rtl, none, removed := installData(), siteData(), siteData(), siteData()
	unready.PublicURL, unready.AppID, unready.WebhookURL = "http://localhost:8080", "", ""
	live := installData()
	live.PublicURL, live.State = "http://badge.example", &web.InstallState{AppID: "an-app-id", Findings: []web.Finding{
		{Check: "credentials", State: "ok", Saw: "Wix accepts the app's secret", Do: "nothing"},
		{Check: "public address", State: "fault", Saw: hostile, Do: "Set BADGE_CO_PUBLIC_URL to https://badge.example, then restart", Variables: []string{"BADGE_CO_PUBLIC_URL"}},
		{Check: "clock", State: "warning", Saw: "this machine's clock is 60 s ahead of Wix's"},
		{Check: "webhooks", State: "skipped", Saw: "none has come since the start", Do: "Press Trigger test"},
	}}
	rtl.RightToLeft, rtl.Language = true, "he"
	none.Token, none.Elements = nil, nil
	removed.Token, removed.Elements, removed.Removed = nil, nil, true
	return map[string]templ.Component{
		"home":            web.Home(web.HomeData{Product: names, Demo: true}),
		"home-no-demo":    web.Home(web.HomeData{Product: names, BasePath: "/app"}),
		"install":         web.Install(installData()),
		"install-unready": web.Install(unready),
		"install-live":    web.Install(live),
		"site":            web.SitePage(siteData()),
		"site-rtl":        web.SitePage(rtl),
		"site-no-token":   web.SitePage(none),
		"site-removed":    web.SitePage(removed),
		"editor":          web.EditorPage(editorData()),
		"open": web.Open(web.OpenData{Product: names, BasePath: "/app", InstanceID: "an-instance-id", SiteName: hostile, Plan: hostile,
			UpgradeURL: "https://wix.example/apps/upgrade/an-app-id?appInstanceId=an-instance-id",
			FirstSeen:  time.Date(2026, 11, 3, 9, 5, 0, 0, time.UTC), LastSeen: time.Date(2026, 12, 1, 18, 30, 0, 0, time.UTC),
			Settings: []web.OpenSetting{{Label: "Greeting", Value: hostile}, {Label: "Link"}}}),
		"open-unseen": web.Open(web.OpenData{Product: names, InstanceID: "an-instance-id", Plan: "Free"}),
		"upgrade": web.UpgradePage(web.UpgradeData{Assets: "../../_sim/assets/", SiteName: hostile, InstanceID: "an-instance-id",
			EditorURL: "../../editor?instance=an-instance-id", SiteURL: "../../site?instance=an-instance-id", ControlURL: "../../_sim/",
			App: web.AppState{Installed: true}, RetryMS: []float64{60_000}}),
		"sim": web.SimIndex(web.SimData{Assets: "_sim/assets/", AppID: "an-app-id", AppURL: "http://127.0.0.1:8080",
			RetryMS: []float64{60_000},
			Sites: web.SimSites{Query: hostile, Page: 2, Pages: 3, First: 51, Total: 104, Installs: []web.SimInstall{
				{InstanceID: "an-instance-id", SiteName: hostile},
				{InstanceID: "another", SiteName: "B", Plan: "premium", BillingCycle: "YEARLY", RenewalCancelled: true},
				{InstanceID: "a-third", SiteName: "C", Removed: true}}}}),
		"sim-empty":     web.SimIndex(web.SimData{Assets: "_sim/assets/", AppID: "an-app-id", Sites: web.SimSites{Page: 1, Pages: 1}}),
		"message":       web.Message(web.MessageData{BasePath: "/app", Title: "Not Found", Text: hostile, Status: 404}),
		"message-plain": web.Message(web.MessageData{Assets: "_sim/assets/", Title: "The bundles are missing", Text: "Run make build."}),
	}
}

func TestPages_goldenFiles(t *testing.T) {
	for name, page := range everyPage() {
		t.Run(name, func(t *testing.T) {
			html := render(t, page)
			if name == "install-live" { // the rest is in install
				html, _, _ = strings.Cut(html, `<section aria-labelledby="widget-title">`)
			}
			got := strings.ReplaceAll(html, "><", ">\n<") + "\n"
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the page has changed (go test ./web -update writes the golden file):\n%s", diff)
			}
		})
	}
}

// forbidden matches what a policy of 'self' for scripts and styles would block, and text
// that has become markup.
var forbidden = map[string]*regexp.Regexp{
	"an inline script":       regexp.MustCompile(`<script(?:>|\s+(?:type="module")?>)`),
	"a style element":        regexp.MustCompile(`<style`),
	"a style attribute":      regexp.MustCompile(`\sstyle="`),
	"an event handler":       regexp.MustCompile(`<[^>]*\son[a-z]+="`),
	"a foreign resource":     regexp.MustCompile(`<(?:link|img|iframe)[^>]*(?:href|src)="https?:`),
	"markup made from text":  regexp.MustCompile(`<script>alert`),
	"a javascript: address":  regexp.MustCompile(`(?i)javascript:`),
	"a link without address": regexp.MustCompile(`<a(?:\s+[a-z-]+="[^"]*")*\s+href=""`),
}

func TestPages_obeyAStrictPolicy(t *testing.T) {
	for name, page := range everyPage() {
		html := render(t, page)
		for what, pattern := range forbidden {
			if found := pattern.FindString(html); found != "" {
				t.Errorf("%s has %s: %s", name, what, found)
			}
		}
	}
}

func TestPages_policyPatternsMatch(t *testing.T) {
	html := `<script>x</script><style></style><p style="a" ><b onclick="x"></b><img src="https://x"><script>alert(1)` +
		`<a href="javascript:x"></a><a class="b" href="">`
	for what, pattern := range forbidden {
		if !pattern.MatchString(html) {
			t.Errorf("%s is not matched", what)
		}
	}
}

func TestPages_haveTheirParts(t *testing.T) {
	template := regexp.MustCompile(`(?s)<template.*?</template>`)
	for name, page := range everyPage() {
		html := template.ReplaceAllString(render(t, page), "")
		for part, times := range map[string]int{
			"<html lang=": 1, "<title>": 1, `name="viewport"`: 1, "<h1": 1, "<main": 1, "Skip to the": 1,
		} {
			if n := strings.Count(html, part); n != times {
				t.Errorf("%s has %s %d times, want %d", name, part, n, times)
			}
		}
	}
}

func TestPages_linksStartWithTheBasePath(t *testing.T) {
	address := regexp.MustCompile(`(?:href|src)="(/[^"]*)"`)
	pages := map[string]templ.Component{
		"home":    web.Home(web.HomeData{Product: names, BasePath: "/app", Demo: true}),
		"install": web.Install(installData()),
		"message": web.Message(web.MessageData{BasePath: "/app", Title: "T"}),
	}
	for name, page := range pages {
		found := address.FindAllStringSubmatch(render(t, page), -1)
		if len(found) == 0 {
			t.Errorf("%s has no link", name)
		}
		for _, m := range found {
			if !strings.HasPrefix(m[1], "/app/") {
				t.Errorf("%s links to %s, outside /app/", name, m[1])
			}
		}
	}
}

func TestInstallData_Warnings(t *testing.T) {
	tests := []struct {
		name, url string
		want      int
	}{
		{"a public https address is fine", "https://badge.example/app", 0},
		{"plain http", "http://nametag.example", 1},
		{"localhost, even over https", "https://localhost", 1},
		{"a name below localhost", "https://app.localhost", 1},
		{"a loopback address", "https://127.0.0.1:8443", 1},
		{"the IPv6 loopback address", "https://[::1]", 1},
		{"a private network", "https://192.168.1.4", 1},
		{"the unspecified address", "https://0.0.0.0", 1},
		{"both warnings at once", "http://localhost:8080", 2},
		{"no address at all", "", 1},
		{"a path only", "/app", 1},
		{"not a URL", "http://[", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := (web.InstallData{PublicURL: tt.url}).Warnings(); len(got) != tt.want {
				t.Errorf("got %d warnings, want %d: %q", len(got), tt.want, got)
			}
		})
	}
}

func TestVariables_areListedByTheInstallGuide(t *testing.T) {
	html := render(t, web.Install(installData()))
	seen := map[string]bool{}
	for _, v := range names.Variables() {
		if seen[v.Name] {
			t.Errorf("%s is listed twice", v.Name)
		}
		seen[v.Name] = true
		for _, text := range []string{v.Name, v.Default, v.Meaning} {
			if !strings.Contains(html, templ.EscapeString(text)) {
				t.Errorf("%s: %q is missing", v.Name, text)
			}
		}
		if got := strings.Contains(html, v.Name+"_FILE"); got != v.File {
			t.Errorf("%s_FILE is listed: %v, want %v", v.Name, got, v.File)
		}
	}
}

func TestInstall_namesTheEvents(t *testing.T) {
	html := render(t, web.Install(installData()))
	for _, event := range []string{
		wixsim.AppInstalled, wixsim.AppRemoved, wixsim.PaidPlanPurchased, wixsim.PaidPlanChanged,
		wixsim.PaidPlanAutoRenewalCancelled, wixsim.PlanConvertedToPaid, wixsim.PlanReactivated, wixsim.PlanTransferred,
	} {
		if !strings.Contains(html, "<code>"+event+"</code>") {
			t.Errorf("the guide lacks the event %s", event)
		}
	}
}

func TestSitePage_refusesMarkupInNames(t *testing.T) {
	tests := map[string]func(*web.SiteData){
		"a tag without a hyphen":  func(d *web.SiteData) { d.Tag = "script" },
		"a tag with markup":       func(d *web.SiteData) { d.Tag = "a-b><script" },
		"a tag that is too long":  func(d *web.SiteData) { d.Tag = "a-" + strings.Repeat("b", 63) },
		"an event as attribute":   func(d *web.SiteData) { d.Elements[0].Attributes[0].Name = "onload" },
		"an attribute with space": func(d *web.SiteData) { d.Elements[0].Attributes[0].Name = "a b" },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			d := siteData()
			spoil(&d)
			if err := web.SitePage(d).Render(context.Background(), &bytes.Buffer{}); err == nil {
				t.Error("the page was rendered")
			}
		})
	}
}
