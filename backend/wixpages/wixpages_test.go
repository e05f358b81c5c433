package wixpages

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
	"time"

	"github.com/nametag-dev/nametag/backend/wixsim"
)

const (
	testAppID  = "7f58c233-72b6-4e45-889c-56aca8dbb2ba"
	testSecret = "5e3c1b1e-0f52-4a4c-9a67-6f3f1f7a3d21"
	noSuchID   = "00000000-0000-4000-8000-000000000000"
)

func newSim(t *testing.T) *wixsim.Sim {
	t.Helper()
	s, err := wixsim.New(wixsim.Config{AppID: testAppID, AppSecret: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func install(t *testing.T, s *wixsim.Sim, req wixsim.InstallRequest) wixsim.Installation {
	t.Helper()
	in, err := s.Install(req)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// ask sends one request from this machine.
func ask(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:8081"+path, strings.NewReader(body))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// testOptions are those of an app with all of its parts at one address.
func testOptions() Options {
	return Options{Tag: "test-widget", AppURL: "http://app.test:8080", Assets: bundleForTests}
}

func handlerOf(t *testing.T, s *wixsim.Sim, o Options) http.Handler {
	t.Helper()
	h, err := New(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var bundleForTests = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/site.js" {
		http.NotFound(w, r)
		return
	}
	_, _ = io.WriteString(w, "the bundle")
})

// pagesOfTwoSites returns the handler of an offline Wix with two sites, and the id of each.
func pagesOfTwoSites(t *testing.T, change ...func(*Options)) (handler http.Handler, first, second string) {
	t.Helper()
	s, o := newSim(t), testOptions()
	for _, c := range change {
		c(&o)
	}
	in := install(t, s, wixsim.InstallRequest{SiteDisplayName: "<b>Second</b>"})
	return handlerOf(t, s, o), s.Installations()[0].InstanceID, in.InstanceID
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

// TestPages_sites is about the list of the first page: a part of all sites, the newest first.
func TestPages_sites(t *testing.T) {
	s := newSim(t)
	for i := range 51 {
		install(t, s, wixsim.InstallRequest{SiteDisplayName: fmt.Sprintf("Bakery %02d", i)})
	}
	advance := func() {
		if err := s.Advance(time.Second); err != nil {
			t.Fatal(err)
		}
	}
	advance()
	removed := install(t, s, wixsim.InstallRequest{SiteDisplayName: "Old Mill"})
	advance()
	last := install(t, s, wixsim.InstallRequest{SiteDisplayName: "New Mill", Plan: "gold"})
	s.Uninstall(removed.InstanceID)
	h := handlerOf(t, s, testOptions())
	for query, want := range map[string]string{
		"":                        "50 from New Mill, 1 to 50 of 54 sites",
		"?page=2":                 "4 from Bakery 02, 51 to 54 of 54 sites",
		"?page=99":                "4 from Bakery 02, 51 to 54 of 54 sites",
		"?page=-1":                "50 from New Mill, 1 to 50 of 54 sites",
		"?page=x":                 "50 from New Mill, 1 to 50 of 54 sites",
		"?q=MILL":                 "2 from New Mill, 2 sites",
		"?q=" + last.InstanceID:   "1 from New Mill, 1 site",
		"?q=bakery":               "50 from Bakery 50, 1 to 50 of 51 sites",
		"?q=bakery&page=2":        "1 from Bakery 00, 51 to 51 of 51 sites",
		"?q=%3Cb%3E&page=2&x=&y=": "0 from , ",
	} {
		page := visit(h, "/"+query).Body.String()
		names := submatches(page, `data-name="(.*?)"`)
		got := fmt.Sprintf("%d from %s, %s", len(names), append(names, "")[0], strings.Join(submatches(page, `<p>([^<]* sites?)</p>`), ""))
		if got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	page := visit(h, "/?q=mill").Body.String()
	if names := submatches(page, `data-name="(.*?)"`); !slices.Equal(names, []string{"New Mill", "Old Mill"}) || !strings.Contains(page, "Install again") {
		t.Errorf("got %q: a site that the app was removed from must stay in its place", names)
	}
	if page := visit(h, "/?q=bakery").Body.String(); !strings.Contains(page, `href="?page=2&amp;q=bakery"`) {
		t.Error("the next page forgets what was searched for")
	}
}

// submatches returns the first group of each match.
func submatches(text, pattern string) (found []string) {
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}

func TestPages_answer(t *testing.T) {
	h, first, second := pagesOfTwoSites(t)
	tests := []struct {
		name, target string
		status       int
		holds        string
	}{
		{"the index lists every site", "/", 200, second},
		{"the index names the app", "/", 200, testAppID},
		{"a site's name is text", "/", 200, "&lt;b&gt;Second&lt;/b&gt;"},
		{"the site page loads the app's widget", "/site", 200, `src="http://app.test:8080/widget.js"`},
		{"a module", "/site", 200, `<script type="module" src="http://app.test:8080/widget.js">`},
		{"a classic script", "/site?script=classic", 200, `<script defer src="http://app.test:8080/widget.js">`},
		{"an unknown kind of script", "/site?script=async", 400, "script must"},
		{"an unknown page", "/site?page=shop", 400, "page must"},
		{"a locked page", "/site", 200, `"locked":true`},
		{"the site page without an instance is the oldest one's", "/site", 200, first},
		{"the site page of an instance", "/site?instance=" + second, 200, second},
		{"the editor of an instance", "/editor?instance=" + second, 200, second},
		{"the editor knows the panel", "/editor", 200, `http://app.test:8080/panel/`},
		{"the dashboard of an instance", "/dashboard?instance=" + second, 200, second},
		{"the dashboard knows the app's page", "/dashboard", 200, `"pageUrl":"http://app.test:8080/open"`},
		{"the dashboard of an instance that is not installed", "/dashboard?instance=" + noSuchID, 404, "not installed"},
		{"the bundle", "/_sim/assets/site.js", 200, "the bundle"},
		{"an attribute's value is text", "/site?attr.display-name=" + url.QueryEscape(`"><script>`), 200, `display-name="&#34;&gt;&lt;script&gt;"`},
		{"a file that is not in the bundle", "/_sim/assets/nothing.js", 404, ""},
		{"the site page of an instance that is not installed", "/site?instance=" + noSuchID, 404, "not installed"},
		{"the editor of an instance that is not installed", "/editor?instance=" + noSuchID, 404, "not installed"},
		{"an invalid instance", "/site?instance=%00", 404, "not installed"},
		{"no copies", "/site?copies=0", 400, "copies must"},
		{"too many copies", "/site?copies=21", 400, "copies must"},
		{"copies that are no number", "/site?copies=two", 400, "copies must"},
		{"an owner does not visit the site", "/site?viewer=USER", 400, "viewer must"},
		{"an unknown token", "/site?token=stolen", 400, "token must"},
		{"an unknown policy", "/site?csp=lax", 400, "csp must"},
		{"an unknown direction", "/site?dir=up", 400, "dir must"},
		{"an invalid language", "/site?language=en%22", 400, "language must"},
		{"an unknown parameter", "/site?instanceId=x", 400, "is not known"},
		{"a parameter given twice", "/site?copies=1&copies=2", 400, "once"},
		{"an event handler as attribute", "/site?attr.onclick=x", 400, "cannot be an attribute"},
		{"a style as attribute", "/site?attr.style=x", 400, "cannot be an attribute"},
		{"an attribute without a name", "/site?attr.=x", 400, "cannot be an attribute"},
		{"an attribute that is too long", "/site?attr.align=" + strings.Repeat("x", 4097), 400, "must be text"},
		{"every problem is reported at once", "/site?copies=0&csp=lax", 400, "csp must"},
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

func TestUpgrade(t *testing.T) {
	s := newSim(t)
	h := handlerOf(t, s, testOptions())
	in, gone := install(t, s, wixsim.InstallRequest{SiteDisplayName: "<b>A</b>"}), install(t, s, wixsim.InstallRequest{})
	plan := "gold"
	if _, err := s.SetPlan(in.InstanceID, wixsim.PlanRequest{Plan: &plan}); err != nil {
		t.Fatal(err)
	}
	s.Uninstall(gone.InstanceID)
	for _, tt := range []struct {
		name, app, instance string
		status              int
	}{
		{"a site with the app", testAppID, in.InstanceID, 200},
		{"ids in capitals", strings.ToUpper(testAppID), strings.ToUpper(in.InstanceID), 200},
		{"another app", noSuchID, in.InstanceID, 404},
		{"another instance", testAppID, noSuchID, 404},
		{"no instance", testAppID, "", 404},
		{"a site that removed the app", testAppID, gone.InstanceID, 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := visit(h, "/apps/upgrade/"+tt.app+"?appInstanceId="+tt.instance)
			page := w.Body.String()
			if w.Code != tt.status || strings.Contains(page, "<b>A</b>") || strings.Contains(page, testSecret) {
				t.Fatalf("got %d: %s", w.Code, page)
			}
			if !strings.Contains(page, `href="../../_sim/assets/style.css"`) || !strings.Contains(w.Header().Get("Content-Security-Policy"), "script-src 'self'") {
				t.Errorf("the bundle or the policy is missing: %v %s", w.Header(), page)
			}
			if tt.status == 200 {
				app := bootOf(t, page)["app"].(map[string]any)
				if app["plan"] != "gold" || app["installed"] != true {
					t.Errorf("the app is %v", app)
				}
			}
		})
	}
}

func TestPages_headOfAPage(t *testing.T) {
	h, _, _ := pagesOfTwoSites(t)
	if w := ask(h, http.MethodHead, "/site", ""); w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
}

func TestSite_copies(t *testing.T) {
	h, _, _ := pagesOfTwoSites(t)
	for target, want := range map[string]int{"/site": 1, "/site?copies=1": 1, "/site?copies=3": 3, "/site?copies=20": 20} {
		page := visit(h, target).Body.String()
		if n := strings.Count(page, "<test-widget"); n != want {
			t.Errorf("%s has %d widgets, want %d", target, n, want)
		}
	}
}

func TestSite_tokenRequests(t *testing.T) {
	h, first, _ := pagesOfTwoSites(t)
	tests := []struct {
		name, query, want string
	}{
		{"a visitor's, by default", "", `{"instanceId":"ID","subject":"VISITOR"}`},
		{"a member's", "viewer=MEMBER", `{"instanceId":"ID","subject":"MEMBER"}`},
		{"one that has expired", "token=expired", `{"instanceId":"ID","subject":"VISITOR","ttl":"-1h"}`},
		{"one that Wix has revoked", "token=inactive", `{"active":false,"instanceId":"ID","subject":"VISITOR"}`},
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
			if w := ask(h, http.MethodPost, "/_sim/tokens", string(request)); w.Code != 200 || !strings.Contains(w.Body.String(), `"OauthNG.JWS.`) {
				t.Errorf("the control API answers %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestPages_contentSecurityPolicies(t *testing.T) {
	tests := []struct {
		name, target string
		change       func(*Options)
		holds, lacks []string
	}{
		{"a site sets none of its own", "/site", nil, nil, []string{"script-src"}},
		{"a strict site lets the widget's script, its calls and nothing else", "/site?csp=strict", nil,
			[]string{"default-src 'none'", "script-src 'self' http://app.test:8080;", "connect-src 'self' http://app.test:8080;", "style-src 'self';", "require-trusted-types-for 'script'"},
			[]string{"unsafe", "*"}},
		{"a widget of another host than its server may call both", "/site?csp=strict",
			func(o *Options) { o.WidgetURL = "https://cdn.test/w.js" },
			[]string{"script-src 'self' https://cdn.test;", "connect-src 'self' https://cdn.test http://app.test:8080;"}, nil},
		{"the editor frames the panel", "/editor",
			func(o *Options) { o.PanelURL = "https://panel.test/p/" },
			[]string{"script-src 'self' http://app.test:8080;", "frame-src 'self' https://panel.test;"}, []string{"script-src *"}},
		{"an invalid address cannot widen a policy", "/editor",
			func(o *Options) { o.PanelURL = "https://a;script-src/" }, []string{"frame-src 'self' ;"}, []string{"a;script-src"}},
		{"the index runs its own code alone", "/", nil, []string{"script-src 'self';"}, []string{"http:"}},
		{"and calls its own server", "/", nil, []string{"connect-src 'self'"}, nil},
		{"a page that refuses runs its own code too, and calls no one", "/site?copies=0", nil, []string{"script-src 'self';"}, []string{"http:", "connect-src"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var changes []func(*Options)
			if tt.change != nil {
				changes = append(changes, tt.change)
			}
			h, _, _ := pagesOfTwoSites(t, changes...)
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

func TestNew_defaults(t *testing.T) {
	tests := []struct {
		name string
		o    Options
		want Options
	}{
		{"both URLs follow from the server's address", Options{Tag: "my-tag", AppURL: "http://a:1"},
			Options{Tag: "my-tag", WidgetURL: "http://a:1/widget.js", PanelURL: "http://a:1/panel/"}},
		{"a slash at its end makes no difference", Options{Tag: "my-tag", AppURL: "http://a:1/x/"},
			Options{Tag: "my-tag", WidgetURL: "http://a:1/x/widget.js", PanelURL: "http://a:1/x/panel/"}},
		{"configured URLs are used", Options{Tag: "my-tag", AppURL: "http://a:1", WidgetURL: "http://b/w.js", PanelURL: "http://c/p"},
			Options{Tag: "my-tag", WidgetURL: "http://b/w.js", PanelURL: "http://c/p"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := newPages(newSim(t), tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if p.o.Tag != tt.want.Tag || p.o.WidgetURL != tt.want.WidgetURL || p.o.PanelURL != tt.want.PanelURL {
				t.Errorf("got %+v, want %+v", p.o, tt.want)
			}
		})
	}
}

func TestNew_refusesATagThatIsNoElement(t *testing.T) {
	for _, tag := range []string{"", "widget", "My-Widget", "my-widget>"} {
		if _, err := New(newSim(t), Options{Tag: tag}); err == nil {
			t.Errorf("%q is accepted", tag)
		}
	}
}

func TestNew_servesTheAPIsToo(t *testing.T) {
	h, first, _ := pagesOfTwoSites(t)
	tests := []struct {
		name, method, target, body string
		status                     int
		holds                      string
	}{
		{"the REST API", "POST", "/oauth2/token-info", `{"token":"x"}`, 200, `{"active":false}`},
		{"the control API", "GET", "/_sim/installs", "", 200, first},
		{"an unknown path is Wix's", "GET", "/nowhere", "", 404, `"details"`},
		{"an unknown path of the control API", "GET", "/_sim/nowhere", "", 404, `"error"`},
		{"another method of the index is Wix's", "POST", "/", "", 404, `"details"`},
		{"another method of a page is Wix's", "POST", "/site", "", 404, `"details"`},
		{"another method of publishing", "GET", "/_sim/published/" + first, "", 405, `"error"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if w := ask(h, tt.method, tt.target, tt.body); w.Code != tt.status || !strings.Contains(w.Body.String(), tt.holds) {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestWebhookURL(t *testing.T) {
	tests := []struct{ name, appURL, want string }{
		{"of an app without an address", "", ""},
		{"of an app on this machine", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/webhooks/wix"},
		{"below the app's path", "http://localhost:8080/app", "http://localhost:8080/app/webhooks/wix"},
		{"of an app on another machine", "https://app.example.com", ""},
		{"of a relative address", "/app", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := WebhookURL(tt.appURL); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPages_ofWhatIsPublished(t *testing.T) {
	h, first, second := pagesOfTwoSites(t)
	publish := func(id, body string) int {
		return ask(h, http.MethodPut, "/_sim/published/"+id, body).Code
	}
	const ada = `{"attributes":[{"name":"display-name","value":"Ada"}]}`
	if code := publish(first, `{"elements":[`+ada+`,`+ada+`]}`); code != 204 {
		t.Fatalf("publishing answers %d", code)
	}
	shown := []struct {
		name, target, holds string
		widgets             int
	}{
		{"the site shows what was published", "/site?instance=" + first, `display-name="Ada"`, 2},
		{"the query's attributes are added", "/site?instance=" + first + "&attr.align=end", `display-name="Ada" align="end"`, 2},
		{"they override the published ones", "/site?instance=" + first + "&attr.display-name=Bo", `<test-widget display-name="Bo">`, 2},
		{"copies are copies of the first", "/site?copies=3&instance=" + first, `display-name="Ada"`, 3},
		{"what the query changed stays published as it was", "/site?instance=" + first, `<test-widget display-name="Ada">`, 2},
		{"another site is as it was", "/site?instance=" + second, `<test-widget>`, 1},
	}
	for _, tt := range shown {
		t.Run(tt.name, func(t *testing.T) {
			page := visit(h, tt.target).Body.String()
			if n := strings.Count(page, "<test-widget"); n != tt.widgets || !strings.Contains(page, tt.holds) {
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
		if page := visit(h, "/site?instance="+second).Body.String(); strings.Contains(page, "<test-widget") {
			t.Error("the page has a widget")
		}
		if page := visit(h, "/site?copies=2&instance="+second).Body.String(); strings.Count(page, "<test-widget>") != 2 {
			t.Error("copies of no widget have no attributes")
		}
	})
}

func TestPages_ofASiteWithoutTheApp(t *testing.T) {
	s := newSim(t)
	h, in := handlerOf(t, s, testOptions()), install(t, s, wixsim.InstallRequest{SiteDisplayName: "Gone & Back", Plan: "gold"})
	const widget, note = "<test-widget", `class="site-note"`
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

	install(t, s, wixsim.InstallRequest{InstanceID: in.InstanceID})
	check("installed again",
		row{"the site has the widget that it had", site, []string{widget, "Ada"}, []string{note}},
		row{"the editor finds the site's name and the free plan", editor, []string{"Gone &amp; Back", `"app":{"installed":true,"plan":""`}, nil},
		row{"the index lists it once", "/", []string{"Remove the app from Gone &amp; Back"}, []string{"Install again"}})
}

func TestPages_withoutABundle(t *testing.T) {
	h, _, _ := pagesOfTwoSites(t, func(o *Options) { o.Assets = nil })
	for _, target := range []string{"/", "/site", "/editor", "/dashboard"} {
		if w := visit(h, target); w.Code != 503 || !strings.Contains(w.Body.String(), "make build") {
			t.Errorf("%s answers %d", target, w.Code)
		}
	}
}

func TestPages_holdNoSecret(t *testing.T) {
	h, _, _ := pagesOfTwoSites(t)
	for _, target := range []string{"/", "/site", "/editor", "/dashboard"} {
		if strings.Contains(visit(h, target).Body.String(), testSecret) {
			t.Errorf("%s shows the app's secret", target)
		}
	}
}

func TestEditor_behavior(t *testing.T) {
	s := newSim(t)
	h := handlerOf(t, s, testOptions())
	check := func(token, sandbox, classic bool) {
		t.Helper()
		page := visit(h, "/editor").Body.String()
		for id, want := range map[string]bool{"stage-token": token, "sandbox": sandbox} {
			if got := regexp.MustCompile(`id="` + id + `"[^>]* checked`).MatchString(page); got != want {
				t.Errorf("the switch %s is on: %v", id, got)
			}
		}
		if got := bootOf(t, page)["classicScript"]; got != classic {
			t.Errorf("the script is classic: %v", got)
		}
	}
	check(false, true, false)
	b := s.Behavior()
	b.StageToken, b.StageSandbox, b.ClassicScript = true, false, true
	if err := s.SetBehavior(b); err != nil {
		t.Fatal(err)
	}
	check(true, false, true)
}

func TestEditor_signedInstance(t *testing.T) {
	s := newSim(t)
	h := handlerOf(t, s, testOptions())
	for _, subject := range []string{wixsim.User, wixsim.App, wixsim.Member} {
		b := s.Behavior()
		b.OwnerSubject = subject
		if err := s.SetBehavior(b); err != nil {
			t.Fatal(err)
		}
		boot := bootOf(t, visit(h, "/editor").Body.String())
		if boot["ownerSubject"] != subject {
			t.Errorf("the panel's tokens are of %v, want %s", boot["ownerSubject"], subject)
		}
		answer := ask(h, http.MethodPost, "/oauth2/token-info", fmt.Sprintf(`{"token":%q}`, boot["instance"])).Body.String()
		if !strings.Contains(answer, `"active":true`) || !strings.Contains(answer, `"subjectType":"`+subject+`"`) {
			t.Errorf("%s: token-info says %s of the instance", subject, answer)
		}
	}
	in := s.Installations()[0]
	s.UninstallSilently(in.InstanceID)
	if boot := bootOf(t, visit(h, "/editor?instance="+in.InstanceID).Body.String()); boot["instance"] != "" {
		t.Errorf("a removed app gets the instance %v", boot["instance"])
	}
}
