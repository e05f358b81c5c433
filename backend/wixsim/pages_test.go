package wixsim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var bundleForTests = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/site.js" {
		http.NotFound(w, r)
		return
	}
	_, _ = io.WriteString(w, "the bundle")
})

// newPages returns an offline Wix with a bundle and two sites, and the id of each.
func newPages(t *testing.T, change ...func(*Config)) (handler http.Handler, first, second string) {
	t.Helper()
	s := newSim(t, append([]func(*Config){func(c *Config) {
		c.AppURL, c.Assets = "http://app.test:8080", bundleForTests
	}}, change...)...)
	in, err := s.Install(InstallRequest{SiteDisplayName: "<b>Second</b>"})
	if err != nil {
		t.Fatal(err)
	}
	return s.Handler(), s.Installations()[0].InstanceID, in.InstanceID
}

func visit(h http.Handler, target string) *httptest.ResponseRecorder {
	return ask(h, http.MethodGet, target, "")
}

// bootOf returns what a page left for its script.
func bootOf(t *testing.T, page string) map[string]any {
	t.Helper()
	m := regexp.MustCompile(`(?s)<script id="boot" type="application/json">(.*?)</script>`).FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page has no boot data")
	}
	var boot map[string]any
	if err := json.Unmarshal([]byte(m[1]), &boot); err != nil {
		t.Fatal(err)
	}
	return boot
}

func TestPagesAnswer(t *testing.T) {
	h, first, second := newPages(t)
	tests := []struct {
		name, target string
		status       int
		holds        string
	}{
		{"the index lists every site", "/", 200, second},
		{"the index names the app", "/", 200, testAppID},
		{"a site's name is text", "/", 200, "&lt;b&gt;Second&lt;/b&gt;"},
		{"the site page loads the app's widget", "/site", 200, `src="http://app.test:8080/widget.js"`},
		{"the site page without an instance is the oldest one's", "/site", 200, first},
		{"the site page of an instance", "/site?instance=" + second, 200, second},
		{"the editor of an instance", "/editor?instance=" + second, 200, second},
		{"the editor knows the panel", "/editor", 200, `http://app.test:8080/panel/`},
		{"the bundle", "/_sim/assets/site.js", 200, "the bundle"},
		{"an attribute's value is text", "/site?attr.display-name=" + url.QueryEscape(`"><script>`), 200, `display-name="&#34;&gt;&lt;script&gt;"`},
		{"a file that is not in the bundle", "/_sim/assets/nothing.js", 404, ""},
		{"the site page of an instance that is not installed", "/site?instance=" + noSuchID, 404, "not installed"},
		{"the editor of an instance that is not installed", "/editor?instance=" + noSuchID, 404, "not installed"},
		{"an instance that is none", "/site?instance=%00", 404, "not installed"},
		{"no copies", "/site?copies=0", 400, "copies must"},
		{"too many copies", "/site?copies=21", 400, "copies must"},
		{"copies that are no number", "/site?copies=two", 400, "copies must"},
		{"an owner does not visit the site", "/site?viewer=USER", 400, "viewer must"},
		{"an unknown token", "/site?token=stolen", 400, "token must"},
		{"an unknown policy", "/site?csp=lax", 400, "csp must"},
		{"a direction that is none", "/site?dir=up", 400, "dir must"},
		{"a language that is none", "/site?language=en%22", 400, "language must"},
		{"an unknown parameter", "/site?instanceId=x", 400, "is not known"},
		{"a parameter given twice", "/site?copies=1&copies=2", 400, "once"},
		{"an event handler as attribute", "/site?attr.onclick=x", 400, "cannot be an attribute"},
		{"a style as attribute", "/site?attr.style=x", 400, "cannot be an attribute"},
		{"an attribute without a name", "/site?attr.=x", 400, "cannot be an attribute"},
		{"an attribute that is too long", "/site?attr.align=" + strings.Repeat("x", maxAttribute+1), 400, "must be text"},
		{"every fault is told at once", "/site?copies=0&csp=lax", 400, "csp must"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := visit(h, tt.target)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.holds) {
				t.Errorf("got %d, want %d with %q in\n%s", w.Code, tt.status, tt.holds, w.Body)
			}
		})
	}
}

func TestHeadOfAPage(t *testing.T) {
	h, _, _ := newPages(t)
	if w := ask(h, http.MethodHead, "/site", ""); w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
}

func TestCopiesOnThePage(t *testing.T) {
	h, _, _ := newPages(t)
	for target, want := range map[string]int{"/site": 1, "/site?copies=1": 1, "/site?copies=3": 3, "/site?copies=20": 20} {
		page := visit(h, target).Body.String()
		if n := strings.Count(page, "<nametag-widget"); n != want {
			t.Errorf("%s has %d widgets, want %d", target, n, want)
		}
	}
}

func TestTokensThatASitePageAsksFor(t *testing.T) {
	h, first, _ := newPages(t)
	tests := []struct {
		name, query, want string
	}{
		{"a visitor's, by default", "", `{"instanceId":"ID","subject":"VISITOR"}`},
		{"a member's", "viewer=MEMBER", `{"instanceId":"ID","subject":"MEMBER"}`},
		{"one that has expired", "token=expired", `{"instanceId":"ID","subject":"VISITOR","ttl":"-1h"}`},
		{"one that Wix has withdrawn", "token=inactive", `{"active":false,"instanceId":"ID","subject":"VISITOR"}`},
		{"one of another app", "token=foreign", `{"appId":"` + foreignApp + `","instanceId":"ID","subject":"VISITOR"}`},
		{"the tab's first one", "token=kept", `{"instanceId":"ID","subject":"VISITOR"}`},
		{"none", "token=none", `null`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request, err := json.Marshal(bootOf(t, visit(h, "/site?"+tt.query).Body.String())["token"])
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.ReplaceAll(tt.want, "ID", first); string(request) != want {
				t.Fatalf("got %s, want %s", request, want)
			}
			if tt.want == "null" {
				return
			}
			// What the page asks for is what the control API gives.
			if w := ask(h, http.MethodPost, "/_sim/tokens", string(request)); w.Code != 200 || !strings.Contains(w.Body.String(), tokenPrefix) {
				t.Errorf("the control API answers %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestPolicies(t *testing.T) {
	tests := []struct {
		name, target string
		change       func(*Config)
		holds, lacks []string
	}{
		{"a site sets none of its own", "/site", nil, nil, []string{"script-src"}},
		{"a strict site lets the widget's script, its calls and nothing else", "/site?csp=strict", nil,
			[]string{"default-src 'none'", "script-src 'self' http://app.test:8080;", "connect-src 'self' http://app.test:8080;", "style-src 'self';", "require-trusted-types-for 'script'"},
			[]string{"unsafe", "*"}},
		{"a widget of another host than its server may call both", "/site?csp=strict",
			func(c *Config) { c.WidgetURL = "https://cdn.test/w.js" },
			[]string{"script-src 'self' https://cdn.test;", "connect-src 'self' https://cdn.test http://app.test:8080;"}, nil},
		{"the editor frames the panel", "/editor",
			func(c *Config) { c.PanelURL = "https://panel.test/p/" },
			[]string{"script-src 'self' http://app.test:8080;", "frame-src 'self' https://panel.test;"}, []string{"script-src *"}},
		{"an address that is none cannot widen a policy", "/editor",
			func(c *Config) { c.PanelURL = "https://a;script-src/" }, []string{"frame-src 'self' ;"}, []string{"a;script-src"}},
		{"the index runs its own code alone", "/", nil, []string{"script-src 'self';"}, []string{"http:"}},
		{"and calls its own server", "/", nil, []string{"connect-src 'self'"}, nil},
		{"a page that refuses runs its own code too, and calls no one", "/site?copies=0", nil, []string{"script-src 'self';"}, []string{"http:", "connect-src"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var changes []func(*Config)
			if tt.change != nil {
				changes = append(changes, tt.change)
			}
			h, _, _ := newPages(t, changes...)
			policy := visit(h, tt.target).Header().Get("Content-Security-Policy")
			for _, s := range tt.holds {
				if !strings.Contains(policy, s) {
					t.Errorf("%q is not in %q", s, policy)
				}
			}
			for _, s := range tt.lacks {
				if strings.Contains(policy, s) {
					t.Errorf("%q is in %q", s, policy)
				}
			}
		})
	}
}

func TestWhereTheAppIs(t *testing.T) {
	tests := []struct {
		name string
		cfg  Config
		want app
	}{
		{"all of it follows from the server's address", Config{AppURL: "http://a:1"}, app{"nametag-widget", "http://a:1/widget.js", "http://a:1/panel/"}},
		{"a slash at its end makes no difference", Config{AppURL: "http://a:1/x/"}, app{"nametag-widget", "http://a:1/x/widget.js", "http://a:1/x/panel/"}},
		{"what is said is taken", Config{AppURL: "http://a:1", Tag: "my-tag", WidgetURL: "http://b/w.js", PanelURL: "http://c/p"}, app{"my-tag", "http://b/w.js", "http://c/p"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.cfg.app(); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestPublishing(t *testing.T) {
	h, first, second := newPages(t)
	elements := func(n int, attributes string) string {
		return `{"elements":[` + strings.Join(slices.Repeat([]string{`{"attributes":[` + attributes + `]}`}, n), ",") + `]}`
	}
	many := make([]string, maxAttributes+1)
	for i := range many {
		many[i] = fmt.Sprintf(`{"name":"a%d","value":""}`, i)
	}
	publish := func(id, body string) int {
		return ask(h, http.MethodPut, "/_sim/published/"+id, body).Code
	}
	if code := publish(first, elements(2, `{"name":"display-name","value":"Ada"}`)); code != 204 {
		t.Fatalf("publishing answers %d", code)
	}
	refused := []struct {
		name, id, body string
		status         int
	}{
		{"an instance that is not installed", noSuchID, elements(1, ""), 404},
		{"no JSON", first, "<p>", 400},
		{"a field that is not known", first, `{"elements":[],"more":1}`, 400},
		{"too many widgets", first, elements(maxCopies+1, ""), 422},
		{"too many attributes", first, elements(1, strings.Join(many, ",")), 422},
		{"an attribute that is none", first, elements(1, `{"name":"onclick","value":"x"}`), 422},
		{"an attribute twice", first, elements(1, `{"name":"a","value":""},{"name":"a","value":""}`), 422},
		{"a value that is too long", first, elements(1, `{"name":"a","value":"`+strings.Repeat("x", maxAttribute+1)+`"}`), 422},
	}
	for _, tt := range refused {
		t.Run("refused: "+tt.name, func(t *testing.T) {
			if code := publish(tt.id, tt.body); code != tt.status {
				t.Errorf("got %d, want %d", code, tt.status)
			}
		})
	}
	shown := []struct {
		name, target, holds string
		widgets             int
	}{
		{"the site shows what was published", "/site?instance=" + first, `display-name="Ada"`, 2},
		{"the query's attributes come on top", "/site?instance=" + first + "&attr.align=end", `display-name="Ada" align="end"`, 2},
		{"they win over the published ones", "/site?instance=" + first + "&attr.display-name=Bo", `<nametag-widget display-name="Bo">`, 2},
		{"copies are copies of the first", "/site?copies=3&instance=" + first, `display-name="Ada"`, 3},
		{"what the query changed stays published as it was", "/site?instance=" + first, `<nametag-widget display-name="Ada">`, 2},
		{"another site is as it was", "/site?instance=" + second, `<nametag-widget>`, 1},
	}
	for _, tt := range shown {
		t.Run(tt.name, func(t *testing.T) {
			page := visit(h, tt.target).Body.String()
			if n := strings.Count(page, "<nametag-widget"); n != tt.widgets || !strings.Contains(page, tt.holds) {
				t.Errorf("%d widgets, want %d with %s in\n%s", n, tt.widgets, tt.holds, page)
			}
		})
	}
	t.Run("the editor starts from what was published", func(t *testing.T) {
		got, err := json.Marshal(bootOf(t, visit(h, "/editor?instance="+first).Body.String())["elements"])
		want := `[{"attributes":[{"name":"display-name","value":"Ada"}]},{"attributes":[{"name":"display-name","value":"Ada"}]}]`
		if err != nil || string(got) != want {
			t.Errorf("got %s", got)
		}
	})
	t.Run("an empty page can be published", func(t *testing.T) {
		if code := publish(second, `{"elements":[]}`); code != 204 {
			t.Fatalf("publishing answers %d", code)
		}
		if page := visit(h, "/site?instance="+second).Body.String(); strings.Contains(page, "<nametag-widget") {
			t.Error("the page has a widget")
		}
		if page := visit(h, "/site?copies=2&instance="+second).Body.String(); strings.Count(page, "<nametag-widget>") != 2 {
			t.Error("copies of nothing are widgets as they come")
		}
	})
	t.Run("a page of another origin cannot publish", func(t *testing.T) {
		r := httptest.NewRequest(http.MethodPut, "/_sim/published/"+first, strings.NewReader(`{"elements":[]}`))
		r.Host = "127.0.0.1:8081"
		r.Header.Set("Origin", "http://evil.test")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 403 {
			t.Errorf("got %d", w.Code)
		}
	})
}

func TestASiteThatTheAppWasRemovedFrom(t *testing.T) {
	s := newSim(t, func(c *Config) { c.AppURL, c.Assets = "http://app.test:8080", bundleForTests })
	h, in := s.Handler(), install(t, s, InstallRequest{SiteDisplayName: "Gone & Back", Plan: "gold"})
	const widget, note = "<nametag-widget", `class="site-note"`
	published := `{"elements":[{"attributes":[{"name":"display-name","value":"Ada"}]}]}`
	if w := ask(h, http.MethodPut, "/_sim/published/"+in.InstanceID, published); w.Code != 204 {
		t.Fatalf("publishing answers %d", w.Code)
	}
	body := func(path string) string {
		t.Helper()
		w := visit(h, path)
		if w.Code != 200 {
			t.Fatalf("%s answers %d", path, w.Code)
		}
		return w.Body.String()
	}
	site, editor := "/site?instance="+in.InstanceID, "/editor?instance="+in.InstanceID
	type row struct {
		name, target string
		holds, lacks []string
	}
	check := func(when string, rows ...row) {
		for _, tt := range rows {
			t.Run(when+": "+tt.name, func(t *testing.T) {
				page := body(tt.target)
				for _, text := range tt.holds {
					if !strings.Contains(page, text) {
						t.Errorf("it lacks %s:\n%s", text, page)
					}
				}
				for _, text := range tt.lacks {
					if strings.Contains(page, text) {
						t.Errorf("it has %s:\n%s", text, page)
					}
				}
			})
		}
	}
	app := `"app":{"installed":true,"plan":"gold","billingCycle":"MONTHLY","renewalCancelled":false}`
	check("installed",
		row{"the site has the widget and no note", site, []string{widget, "Ada", `"keepToken":false`}, []string{note}},
		row{"the editor knows the plan and the retries", editor, []string{app, `"retryMs":[60000,600000,`}, nil},
		row{"the index offers a copy and the removal", "/", []string{"Plan gold", "Remove the app from Gone &amp; Back"}, []string{"Install again"}})

	s.Uninstall(in.InstanceID)
	check("removed",
		row{"a new visit has a note in place of the widget, and loads no script of the app's", site, []string{note, `"token":null`}, []string{widget, "app.test", "Ada"}},
		row{"no copies bring it back", site + "&copies=3&attr.align=end", []string{note}, []string{widget}},
		row{"a page that was left open has the widget and its token", site + "&token=kept", []string{widget, "Ada", `"keepToken":true`}, []string{note}},
		row{"the editor opens without a plan", editor, []string{"Gone &amp; Back", `"app":{"installed":false,"plan":""`}, []string{`"plan":"gold"`}},
		row{"the index offers to install it again, and nothing else", "/", []string{"Removed", "Install again on Gone &amp; Back"}, []string{"Remove the app from Gone &amp; Back", "Plan gold"}})
	if w := ask(h, http.MethodPut, "/_sim/published/"+in.InstanceID, published); w.Code != 404 {
		t.Errorf("publishing there answers %d", w.Code)
	}

	install(t, s, InstallRequest{InstanceID: in.InstanceID})
	check("installed again",
		row{"the site has the widget that it had", site, []string{widget, "Ada"}, []string{note}},
		row{"the editor finds the site's name and the free plan", editor, []string{"Gone &amp; Back", `"app":{"installed":true,"plan":""`}, nil},
		row{"the index lists it once", "/", []string{"Remove the app from Gone &amp; Back"}, []string{"Install again"}})
}

func TestAReinstallationFindsItsSite(t *testing.T) {
	site := InstallRequest{SiteDisplayName: "Bakery", Languages: []string{"de", "en"}, Currency: "EUR",
		OwnerEmail: "b@example.com", Unpublished: true, Plan: "gold"}
	tests := []struct {
		name string
		ask  InstallRequest
		want InstallRequest
	}{
		{"as it was, without the plan", InstallRequest{}, InstallRequest{SiteDisplayName: "Bakery",
			Languages: []string{"de", "en"}, Currency: "EUR", OwnerEmail: "b@example.com", Unpublished: true}},
		{"but for what is said", InstallRequest{SiteDisplayName: "Baker", Languages: []string{"fr"}, Currency: "CHF", OwnerEmail: "c@example.com"},
			InstallRequest{SiteDisplayName: "Baker", Languages: []string{"fr"}, Currency: "CHF", OwnerEmail: "c@example.com", Unpublished: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSim(t)
			was := install(t, s, site)
			s.Uninstall(was.InstanceID)
			if removed := s.Removed(); len(removed) != 1 || removed[0].InstanceID != was.InstanceID {
				t.Fatalf("removed: %v", removed)
			}
			tt.ask.InstanceID, tt.want.InstanceID = was.InstanceID, was.InstanceID
			if diff := cmp.Diff(tt.want, install(t, s, tt.ask).InstallRequest); diff != "" {
				t.Error(diff)
			}
			if removed := s.Removed(); len(removed) != 0 {
				t.Errorf("still removed: %v", removed)
			}
		})
	}
}

func TestRemovedSitesAreBounded(t *testing.T) {
	s := newSim(t)
	var last string
	for range maxRemoved + 1 {
		last = install(t, s, InstallRequest{}).InstanceID
		s.Uninstall(last)
	}
	if removed := s.Removed(); len(removed) != maxRemoved || removed[maxRemoved-1].InstanceID != last {
		t.Errorf("%d are kept, want the latest %d", len(removed), maxRemoved)
	}
}

func TestPublishedPagesAreBounded(t *testing.T) {
	p := newPageState(newSim(t))
	h := http.NewServeMux()
	p.register(h)
	for i := range maxPublished + 1 {
		id := fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		if _, err := p.sim.Install(InstallRequest{InstanceID: id}); err != nil {
			t.Fatal(err)
		}
		if w := ask(h, http.MethodPut, "/_sim/published/"+id, `{"elements":[]}`); w.Code != 204 {
			t.Fatalf("publishing answers %d", w.Code)
		}
	}
	if len(p.published) != maxPublished || len(p.order) != maxPublished {
		t.Errorf("%d pages are kept, want %d", len(p.published), maxPublished)
	}
}

func TestWithoutABundleThePagesSaySo(t *testing.T) {
	h, _, _ := newPages(t, func(c *Config) { c.Assets = nil })
	for _, target := range []string{"/", "/site", "/editor"} {
		if w := visit(h, target); w.Code != 503 || !strings.Contains(w.Body.String(), "make build") {
			t.Errorf("%s answers %d", target, w.Code)
		}
	}
}

func TestThePagesHoldNoSecret(t *testing.T) {
	h, _, _ := newPages(t)
	for _, target := range []string{"/", "/site", "/editor"} {
		if strings.Contains(visit(h, target).Body.String(), testSecret) {
			t.Errorf("%s shows the app's secret", target)
		}
	}
}
