package wixsim

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestNew_configuration(t *testing.T) {
	tests := map[string]struct {
		cfg  Config
		fine bool
	}{
		"credentials are enough": {Config{AppID: "a", AppSecret: "s"}, true},
		"no app id":              {Config{AppSecret: "s"}, false},
		"no secret":              {Config{AppID: "a"}, false},
		"a negative lifetime":    {Config{AppID: "a", AppSecret: "s", TokenTTL: -1}, false},
		"an endless lifetime":    {Config{AppID: "a", AppSecret: "s", TokenTTL: maxTTL + 1}, false},
		"a key in two forms":     {Config{AppID: "a", AppSecret: "s", PrivateKey: testKey(), Key: testRSAKey}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := New(tt.cfg)
			if (err == nil) != tt.fine {
				t.Fatal(err)
			}
			if tt.fine && len(s.Installations()) != 1 {
				t.Error("it does not begin with one installation")
			}
		})
	}
	empty := newSim(t, func(c *Config) { c.NoSites = true })
	if n := len(empty.Installations()); n != 0 {
		t.Errorf("NoSites starts with %d", n)
	}
	id, secret := NewCredentials()
	id2, secret2 := NewCredentials()
	if !isGUID(id) || !isGUID(secret) || id == secret || id == id2 || secret == secret2 {
		t.Error("credentials are not GUIDs of their own")
	}
}

func TestInstallations_orderAndIDs(t *testing.T) {
	s := newSim(t)
	a := s.Installations()[0]
	b := install(t, s, InstallRequest{SiteDisplayName: "B", Languages: []string{"en", "fr"}})
	c := install(t, s, InstallRequest{})
	ids := func() (out []string) {
		for _, in := range s.Installations() {
			out = append(out, in.InstanceID)
		}
		return out
	}
	if diff := cmp.Diff([]string{a.InstanceID, b.InstanceID, c.InstanceID}, ids()); diff != "" {
		t.Error("not in the order of installation", diff)
	}
	guids := map[string]bool{}
	for _, in := range s.Installations() {
		for _, id := range []string{in.InstanceID, in.SiteID, in.OwnerID, in.AccountID} {
			if guids[id] = true; !isGUID(id) {
				t.Errorf("%q is no GUID", id)
			}
		}
	}
	if len(guids) != 12 {
		t.Error("ids are shared")
	}

	b.Languages[0] = "xx" // what is returned is the caller's own
	if got, ok := s.Installation(b.InstanceID); !ok || got.Languages[0] != "en" || got.SiteDisplayName != "B" {
		t.Errorf("%v %v", got, ok)
	}

	if !s.Uninstall(a.InstanceID) || s.Uninstall(a.InstanceID) || s.Uninstall("") {
		t.Error("an installation goes once")
	}
	if _, ok := s.Installation(a.InstanceID); ok {
		t.Error("it is still there")
	}
	if _, _, err := s.Mint(TokenRequest{Subject: App, InstanceID: a.InstanceID}); err != ErrNotInstalled {
		t.Error("a token of a removed instance:", err)
	}
	if _, err := s.Install(InstallRequest{InstanceID: b.InstanceID}); err != ErrInstalled {
		t.Error("installed twice:", err)
	}
	again := install(t, s, InstallRequest{InstanceID: a.InstanceID})
	if diff := cmp.Diff(a, again); diff != "" {
		t.Error("a reinstallation is another", diff)
	}
	if diff := cmp.Diff([]string{b.InstanceID, c.InstanceID, a.InstanceID}, ids()); diff != "" {
		t.Error(diff)
	}
}

func TestInstall_refuses(t *testing.T) {
	s := newSim(t)
	tests := map[string]InstallRequest{
		"an instance that is no GUID":   {InstanceID: "x"},
		"an instance in braces":         {InstanceID: "{" + noSuchID + "}"},
		"an origin that is no GUID":     {OriginInstanceID: "x"},
		"a name too long":               {SiteDisplayName: strings.Repeat("é", 201)},
		"a name that is not UTF-8":      {SiteDisplayName: "\xff"},
		"a plan too long":               {Plan: strings.Repeat("x", 101)},
		"an e-mail too long":            {OwnerEmail: strings.Repeat("x", 255)},
		"a billing cycle without plan":  {BillingCycle: "YEARLY"},
		"an unknown billing cycle":      {Plan: "p", BillingCycle: "WEEKLY"},
		"a trial without plan":          {Trial: "ENDED"},
		"an unknown trial":              {Plan: "p", Trial: "NOT_AVAILABLE"},
		"an invalid language":           {Languages: []string{"en", "english please"}},
		"an empty language":             {Languages: []string{""}},
		"a language of endless parts":   {Languages: []string{"en-x" + strings.Repeat("-aaaaaaaa", 10)}},
		"a language for each country":   {Languages: strings.Split(strings.Repeat("en,", 50)+"en", ",")},
		"a currency in lower case":      {Currency: "usd"},
		"a currency of four characters": {Currency: "USDT"},
	}
	for name, req := range tests {
		t.Run(name, func(t *testing.T) {
			if in, err := s.Install(req); err == nil {
				t.Errorf("installed: %+v", in)
			}
		})
	}
	if len(s.Installations()) != 1 {
		t.Error("something was installed")
	}
}

func TestSim_memoryIsBounded(t *testing.T) {
	s := newSim(t)
	for range maxInstallations - 1 {
		install(t, s, InstallRequest{})
	}
	if _, err := s.Install(InstallRequest{}); err != ErrFull {
		t.Fatal("one too many:", err)
	}
	for _, in := range s.Installations() {
		s.Uninstall(in.InstanceID)
	}
	if len(s.installs) != 0 || len(s.order) != 0 {
		t.Errorf("%d and %d remain", len(s.installs), len(s.order))
	}

	rest := s.REST()
	for i := range maxCalls + 3 {
		ask(rest, "GET", fmt.Sprint("/", i), "")
	}
	calls := s.Calls()
	if len(calls) != maxCalls || calls[0].Path != "/3" || calls[maxCalls-1].Path != fmt.Sprint("/", maxCalls+2) {
		t.Errorf("%d calls, from %s to %s", len(calls), calls[0].Path, calls[len(calls)-1].Path)
	}
	s.ClearCalls()
	ask(rest, strings.Repeat("X", 1000), "/"+strings.Repeat("é", 1000), "")
	calls = s.Calls()
	if len(calls) != 1 || len(calls[0].Method) != 32 || utf8.RuneCountInString(calls[0].Path) != 256 {
		t.Errorf("%v", calls)
	}
}

func TestCalls(t *testing.T) {
	now := testTime
	s := newSim(t, func(c *Config) {
		c.Now = func() time.Time { now = now.Add(time.Millisecond); return now }
	})
	id := s.Installations()[0].InstanceID
	visitor, app := mint(t, s, TokenRequest{Subject: Visitor}), mint(t, s, TokenRequest{Subject: App})
	rest := s.REST()
	ask(rest, "POST", "/oauth2/token-info?x=1", quote("token", visitor))
	ask(rest, "POST", "/oauth2/token-info", quote("token", "?"))
	ask(rest, "POST", "/oauth2/token", quote("grant_type", "client_credentials", "client_id", testAppID, "client_secret", testSecret, "instance_id", id))
	ask(rest, "GET", "/apps/v1/instance", "", "Authorization", app)
	ask(rest, "GET", "/apps/v1/instance", "", "Authorization", visitor)
	ask(rest, "GET", "/site-list/v2/sites", "")
	ask(s.Handler(), "GET", "/_sim/health", "") // no call of Wix's API
	var got []Call
	for _, c := range s.Calls() {
		if c.At.Before(testTime) || c.At.Location() != time.UTC || c.Duration <= 0 {
			t.Errorf("at %v for %v", c.At, c.Duration)
		}
		c.At, c.Duration = time.Time{}, 0
		got = append(got, c)
	}
	want := []Call{
		{ID: 1, Method: "POST", Path: "/oauth2/token-info", Query: "x=1", Status: 200, InstanceID: id},
		{ID: 2, Method: "POST", Path: "/oauth2/token-info", Status: 200},
		{ID: 3, Method: "POST", Path: "/oauth2/token", Status: 200, InstanceID: id},
		{ID: 4, Method: "GET", Path: "/apps/v1/instance", Status: 200, InstanceID: id},
		{ID: 5, Method: "GET", Path: "/apps/v1/instance", Status: 403, InstanceID: id},
		{ID: 6, Method: "GET", Path: "/site-list/v2/sites", Status: 404, NotSimulated: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	s.ClearCalls()
	if n := len(s.Calls()); n != 0 {
		t.Errorf("%d calls are left", n)
	}
}

func TestREST_logsNoSecret(t *testing.T) {
	var log bytes.Buffer
	s := newSim(t, func(c *Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	in := install(t, s, InstallRequest{OwnerEmail: "secret@owner.example"})
	token := mint(t, s, TokenRequest{Subject: User})
	h := s.Handler()
	ask(h, "POST", "/oauth2/token-info?token="+token, quote("token", token))
	ask(h, "POST", "/oauth2/token", quote("grant_type", "client_credentials", "client_id", testAppID, "client_secret", testSecret, "instance_id", in.InstanceID))
	ask(h, "POST", "/oauth2/token", quote("grant_type", "strip_bound_session", "client_secret", testSecret, "access_token", token))
	ask(h, "GET", "/apps/v1/instance?x="+token, "", "Authorization", token)
	ask(h, "POST", "/_sim/tokens", quote("subject", "USER"))
	s.Uninstall(in.InstanceID)
	for _, secret := range []string{"OauthNG", strings.Split(token, ".")[4], testSecret, "secret@owner.example"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log contains %.10s…", secret)
		}
	}
	if n := strings.Count(log.String(), "wix call"); n != 4 {
		t.Errorf("%d calls are logged, want 4", n)
	}
}

func TestControl_statuses(t *testing.T) {
	s := newSim(t)
	h := s.Handler()
	id := s.Installations()[0].InstanceID
	tests := map[string]struct {
		method, path, body string
		status             int
	}{
		"health":                          {"GET", "/_sim/health", ``, 200},
		"health, POST":                    {"POST", "/_sim/health", ``, 405},
		"nothing there":                   {"GET", "/_sim/", ``, 404},
		"nothing there either":            {"POST", "/_sim/token", `{}`, 404},
		"a visitor's token":               {"POST", "/_sim/tokens", `{"subject":"VISITOR"}`, 200},
		"a token with everything":         {"POST", "/_sim/tokens", `{"subject":"APP","instanceId":"` + id + `","appId":"` + otherAppID + `","ttl":"1m","active":false}`, 200},
		"a token for some seconds":        {"POST", "/_sim/tokens", `{"subject":"APP","ttl":90}`, 200},
		"a token for null seconds":        {"POST", "/_sim/tokens", `{"subject":"APP","ttl":null}`, 200},
		"a token without an instance":     {"POST", "/_sim/tokens", `{"subject":"APP","noInstance":true}`, 200},
		"two tokens":                      {"POST", "/_sim/tokens", `{"subject":"VISITOR","count":2}`, 200},
		"no token":                        {"POST", "/_sim/tokens", `{"subject":"VISITOR","count":0}`, 422},
		"too many tokens":                 {"POST", "/_sim/tokens", `{"subject":"VISITOR","count":10001}`, 422},
		"half a token":                    {"POST", "/_sim/tokens", `{"subject":"VISITOR","count":1.5}`, 422},
		"a token without subject":         {"POST", "/_sim/tokens", ``, 422},
		"a token of an unknown subject":   {"POST", "/_sim/tokens", `{"subject":"ROBOT"}`, 422},
		"a token of an unknown instance":  {"POST", "/_sim/tokens", `{"subject":"APP","instanceId":"` + noSuchID + `"}`, 404},
		"a token, ttl no duration":        {"POST", "/_sim/tokens", `{"subject":"APP","ttl":"soon"}`, 422},
		"a token, ttl a list":             {"POST", "/_sim/tokens", `{"subject":"APP","ttl":[]}`, 422},
		"a token, ttl out of range":       {"POST", "/_sim/tokens", `{"subject":"APP","ttl":1e300}`, 422},
		"a token, active as text":         {"POST", "/_sim/tokens", `{"subject":"APP","active":"false"}`, 422},
		"a token, an unknown field":       {"POST", "/_sim/tokens", `{"subject":"APP","instance_id":"x"}`, 422},
		"a token, two objects":            {"POST", "/_sim/tokens", `{"subject":"APP"}{}`, 400},
		"a token, a list":                 {"POST", "/_sim/tokens", `[{"subject":"APP"}]`, 400},
		"a token, null":                   {"POST", "/_sim/tokens", `null`, 400},
		"a token, half a body":            {"POST", "/_sim/tokens", `{"subject":`, 400},
		"a token, too deep":               {"POST", "/_sim/tokens", strings.Repeat(`{"subject":`, 20000), 400},
		"a token, not UTF-8":              {"POST", "/_sim/tokens", "{\"subject\":\"\xff\"}", 400},
		"a token, too large":              {"POST", "/_sim/tokens", strings.Repeat(" ", 1<<20+1), 413},
		"a token by GET":                  {"GET", "/_sim/tokens", ``, 405},
		"the installations":               {"GET", "/_sim/installs", ``, 200},
		"an installation":                 {"POST", "/_sim/installs", ``, 201},
		"an installation with everything": {"POST", "/_sim/installs", `{"siteDisplayName":"X","plan":"p","billingCycle":"YEARLY","trial":"ENDED","originInstanceId":"` + id + `","languages":["en","fr"],"currency":"EUR","ownerEmail":"a@b.example","unpublished":true}`, 201},
		"a bad installation":              {"POST", "/_sim/installs", `{"currency":"euro"}`, 422},
		"an installation, misspelt":       {"POST", "/_sim/installs", `{"displayName":"X"}`, 422},
		"an installation twice":           {"POST", "/_sim/installs", `{"instanceId":"` + id + `"}`, 409},
		"removing what is not there":      {"DELETE", "/_sim/installs/" + noSuchID, ``, 404},
		"removing nothing":                {"DELETE", "/_sim/installs/", ``, 404},
		"removing all":                    {"DELETE", "/_sim/installs", ``, 405},
		"one installation by GET":         {"GET", "/_sim/installs/" + id, ``, 405},
		"a fault":                         {"PUT", "/_sim/faults", `{"endpoint":"token","status":503,"latency":"1ms","body":"x","count":1,"retryAfter":2}`, 204},
		"a fault of latency":              {"PUT", "/_sim/faults", `{"endpoint":"/oauth2/token-info","latency":"1ms"}`, 204},
		"an outage":                       {"PUT", "/_sim/faults", `{"outage":true}`, 204},
		"an empty fault":                  {"PUT", "/_sim/faults", `{"endpoint":"token"}`, 422},
		"a fault of an unknown endpoint":  {"PUT", "/_sim/faults", `{"endpoint":"/","status":503}`, 422},
		"a fault, latency no duration":    {"PUT", "/_sim/faults", `{"latency":"200"}`, 422},
		"a fault, an unknown field":       {"PUT", "/_sim/faults", `{"status":503,"delay":"1s"}`, 422},
		"a fault by POST":                 {"POST", "/_sim/faults", `{"status":503}`, 405},
		"the end of faults":               {"DELETE", "/_sim/faults", ``, 204},
		"the calls":                       {"GET", "/_sim/calls", ``, 200},
		"the end of the calls":            {"DELETE", "/_sim/calls", ``, 204},
		"calls by POST":                   {"POST", "/_sim/calls", ``, 405},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := ask(h, tt.method, tt.path, tt.body)
			if w.Code != tt.status {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if tt.status == 405 && w.Header().Get("Allow") == "" {
				t.Error("no Allow")
			}
			if tt.status >= 400 {
				answer := object(t, w)
				sentence, _ := answer["error"].(string)
				if sentence == "" || len(sentence) > 300 {
					t.Errorf("error %q", sentence)
				}
				if field, _ := answer["field"].(string); tt.status == 422 && (field == "" || !strings.HasPrefix(sentence, field)) || tt.status != 422 && field != "" {
					t.Errorf("field %q of %q", field, sentence)
				}
			}
		})
	}
}

func TestControl_answers(t *testing.T) {
	s := newSim(t)
	h := s.Handler()
	in := object(t, ask(h, "POST", "/_sim/installs", `{"siteDisplayName":"Bakery","plan":"premium"}`))
	id, _ := in["instanceId"].(string)
	known, ok := s.Installation(id)
	if !ok || in["siteId"] != known.SiteID || known.Plan != "premium" || known.SiteDisplayName != "Bakery" {
		t.Errorf("installed %v", in)
	}
	if body := ask(h, "GET", "/_sim/installs", "").Body.String(); strings.Count(body, `"siteId"`) != 2 || !strings.Contains(body, id) {
		t.Errorf("installations %s", body)
	}
	minted := object(t, ask(h, "POST", "/_sim/tokens", `{"subject":"USER","instanceId":"`+id+`","ttl":"90s"}`))
	token, _ := minted["token"].(string)
	info := object(t, ask(h, "POST", "/oauth2/token-info", quote("token", token)))
	if info["active"] != true || info["instanceId"] != id || info["subjectType"] != "USER" || minted["expires"] != "2026-05-04T03:03:31.000Z" {
		t.Errorf("minted %v, which is %v", minted["expires"], info)
	}
	two, _ := object(t, ask(h, "POST", "/_sim/tokens", `{"subject":"VISITOR","count":2}`))["tokens"].([]any)
	if len(two) != 2 || two[0] == two[1] {
		t.Errorf("minted %v", two)
	}
	if body := ask(h, "GET", "/_sim/calls", "").Body.String(); body !=
		`[{"id":1,"method":"POST","path":"/oauth2/token-info","query":"","status":200,"at":"2026-05-04T03:02:01.5Z","durationMs":0,"instanceId":"`+id+`","notSimulated":false,"fault":false}]`+"\n" {
		t.Errorf("calls %s", body)
	}
	ask(h, "DELETE", "/_sim/calls", "")
	if body := ask(h, "GET", "/_sim/calls", "").Body.String(); body != "[]\n" {
		t.Errorf("no calls: %s", body)
	}
	ask(h, "PUT", "/_sim/faults", `{"endpoint":"token-info","status":429,"retryAfter":7}`)
	if w := ask(h, "POST", "/oauth2/token-info", "{}"); w.Code != 429 || w.Header().Get("Retry-After") != "7" {
		t.Errorf("fault: %d", w.Code)
	}
	ask(h, "DELETE", "/_sim/faults", "")
	if w := ask(h, "POST", "/oauth2/token-info", quote("token", token)); w.Code != 200 {
		t.Errorf("after the fault: %d", w.Code)
	}
	ask(h, "DELETE", "/_sim/installs/"+id, "")
	if info := object(t, ask(h, "POST", "/oauth2/token-info", quote("token", token))); info["active"] != false {
		t.Errorf("after the removal: %v", info)
	}
}

func TestLocalOnly(t *testing.T) {
	h := newSim(t).Handler()
	tests := map[string]struct {
		host   string
		header []string
		status int
	}{
		"a tool":                          {"127.0.0.1:8081", nil, 200},
		"a tool, without a port":          {"127.0.0.1", nil, 200},
		"another loopback address":        {"127.9.8.7:1", nil, 200},
		"IPv6":                            {"[::1]:8081", nil, 200},
		"IPv6, without a port":            {"[::1]", nil, 200},
		"localhost":                       {"LocalHost:8081", nil, 200},
		"a page of ours":                  {"127.0.0.1:8081", []string{"Origin", "http://127.0.0.1:8081", "Sec-Fetch-Site", "same-origin"}, 200},
		"the address bar":                 {"127.0.0.1:8081", []string{"Sec-Fetch-Site", "none"}, 200},
		"a rebound name":                  {"evil.example:8081", nil, 403},
		"a rebound name, its own page":    {"evil.example:8081", []string{"Origin", "http://evil.example:8081", "Sec-Fetch-Site", "same-origin"}, 403},
		"a name that begins like ours":    {"127.0.0.1.evil.example", nil, 403},
		"a name that ends like ours":      {"evil.localhost", nil, 403},
		"the network's address":           {"192.168.1.7:8081", nil, 403},
		"any address":                     {"0.0.0.0:8081", nil, 403},
		"no name":                         {"", nil, 403},
		"a page elsewhere":                {"127.0.0.1:8081", []string{"Origin", "https://evil.example"}, 403},
		"a page on another port":          {"127.0.0.1:8081", []string{"Origin", "http://127.0.0.1:8080"}, 403},
		"a page under another local name": {"127.0.0.1:8081", []string{"Origin", "http://localhost:8081"}, 403},
		"a page over https":               {"127.0.0.1:8081", []string{"Origin", "https://127.0.0.1:8081"}, 403},
		"a sandboxed page":                {"127.0.0.1:8081", []string{"Origin", "null"}, 403},
		"two origins":                     {"127.0.0.1:8081", []string{"Origin", "http://127.0.0.1:8081", "Origin", "https://evil.example"}, 403},
		"an image elsewhere":              {"127.0.0.1:8081", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"a link on another port":          {"127.0.0.1:8081", []string{"Sec-Fetch-Site", "same-site"}, 403},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			hosted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Host = tt.host
				h.ServeHTTP(w, r)
			})
			for _, path := range []string{"/_sim/health", "/_sim/calls", "/_sim/installs"} {
				if w := ask(hosted, "GET", path, "", tt.header...); w.Code != tt.status || w.Header().Get("Access-Control-Allow-Origin") != "" {
					t.Errorf("%s answers %d", path, w.Code)
				}
			}
		})
	}
}

func TestSim_concurrentUse(t *testing.T) {
	s := newSim(t)
	h := s.Handler()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				in, err := s.Install(InstallRequest{})
				if err != nil {
					t.Error(err)
					return
				}
				token, _, err := s.Mint(TokenRequest{Subject: App, InstanceID: in.InstanceID})
				if err != nil {
					t.Error(err)
				}
				if w := ask(h, "GET", "/apps/v1/instance", "", "Authorization", token); w.Code != 200 && w.Code != 503 {
					t.Error(w.Code)
				}
				s.SetFault(Fault{Status: 503, Count: 1})
				s.ClearFaults()
				ask(h, "GET", "/_sim/calls", "")
				ask(h, "GET", "/_sim/installs", "")
				s.Uninstall(in.InstanceID)
			}
		})
	}
	all.Wait()
	if len(s.Installations()) != 1 || len(s.Calls()) != 400 {
		t.Errorf("%d installations, %d calls", len(s.Installations()), len(s.Calls()))
	}
}

func TestInstall_reinstallationFindsItsSite(t *testing.T) {
	site := InstallRequest{SiteDisplayName: "Bakery", Languages: []string{"de", "en"}, Currency: "EUR",
		OwnerEmail: "b@example.com", Unpublished: true, Plan: "gold"}
	tests := []struct {
		name string
		ask  InstallRequest
		want InstallRequest
	}{
		{"as it was, without the plan", InstallRequest{}, InstallRequest{SiteDisplayName: "Bakery",
			Languages: []string{"de", "en"}, Currency: "EUR", OwnerEmail: "b@example.com", Unpublished: true}},
		{"except for what the request names", InstallRequest{SiteDisplayName: "Baker", Languages: []string{"fr"}, Currency: "CHF", OwnerEmail: "c@example.com"},
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

func TestRemoved_isBounded(t *testing.T) {
	s := newSim(t)
	var last string
	for range maxRemoved + 1 {
		last = install(t, s, InstallRequest{}).InstanceID
		s.Uninstall(last)
	}
	if removed := s.Removed(); len(removed) != maxRemoved || removed[maxRemoved-1].InstanceID != last {
		t.Errorf("%d are stored, want the latest %d", len(removed), maxRemoved)
	}
}

func TestSim_comparesIDsWithoutCase(t *testing.T) {
	s := newSim(t, func(c *Config) { c.AppID = strings.ToUpper(testAppID) })
	upper, lower := strings.ToUpper(otherAppID), otherAppID
	in := install(t, s, InstallRequest{InstanceID: upper, SiteDisplayName: "Upper"})
	if in.InstanceID != upper || in.SiteID != derivedID("site", lower) {
		t.Errorf("installed as %s on %s", in.InstanceID, in.SiteID)
	}
	if _, err := s.Install(InstallRequest{InstanceID: lower}); err != ErrInstalled {
		t.Error("installed twice:", err)
	}
	if found, ok := s.Installation(lower); !ok || found.InstanceID != upper {
		t.Errorf("found %v %v", found.InstanceID, ok)
	}
	plan := "gold"
	if _, err := s.SetPlan(lower, PlanRequest{Plan: &plan}); err != nil {
		t.Error(err)
	}
	copied := install(t, s, InstallRequest{OriginInstanceID: lower})
	if copied.SiteDisplayName != "Copy of Upper" {
		t.Errorf("a copy is %q", copied.SiteDisplayName)
	}

	token := mint(t, s, TokenRequest{Subject: App, InstanceID: lower, AppID: testAppID})
	info := object(t, ask(s.REST(), "POST", pathTokenInfo, quote("token", token)))
	if info["active"] != true || info["instanceId"] != upper || info["vendorProductId"] != "gold" {
		t.Errorf("token-info answers %v", info)
	}
	if w := ask(s.REST(), "GET", pathInstance, "", "Authorization", token); w.Code != 200 {
		t.Errorf("the instance answers %d", w.Code)
	}
	w := ask(s.REST(), "POST", pathToken, quote("grant_type", "client_credentials",
		"client_id", testAppID, "client_secret", testSecret, "instance_id", lower))
	if w.Code != 200 {
		t.Errorf("the token endpoint answers %d %s", w.Code, w.Body)
	}

	if !s.Uninstall(lower) || len(s.Removed()) != 1 {
		t.Fatal("it was not removed")
	}
	if again := install(t, s, InstallRequest{InstanceID: lower}); again.SiteDisplayName != "Upper" || len(s.Removed()) != 0 {
		t.Errorf("reinstalled as %+v", again)
	}
}

// The description names all routes of the control API, and no others.
func TestHandler_describesItself(t *testing.T) {
	s := newSim(t, func(c *Config) { c.WebhookURL, c.PrivateKey, c.Transport = receiverURL, testKey(), new(receiver) })
	defer s.Close()
	h := s.Handler()
	w := ask(h, "GET", "/", "")
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	described := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		if methods, path, ok := strings.Cut(strings.TrimSpace(line), " /_sim/"); ok {
			described["/_sim/"+strings.ReplaceAll(path, "{instanceId}", "{id}")] = strings.TrimSpace(methods)
		}
	}
	source, err := os.ReadFile("control.go")
	if err != nil {
		t.Fatal(err)
	}
	routes := map[string]string{}
	for _, route := range regexp.MustCompile(`mux\.Handle\("(/_sim/[^"]*)", methods\{(.*)\}\)`).FindAllStringSubmatch(string(source), -1) {
		var methods []string
		for _, m := range regexp.MustCompile(`"([A-Z]+)":`).FindAllStringSubmatch(route[2], -1) {
			methods = append(methods, m[1])
		}
		routes[route[1]] = strings.Join(methods, ", ")
	}
	if diff := cmp.Diff(routes, described); len(routes) < 15 || diff != "" {
		t.Error(diff)
	}
}

func BenchmarkNew(b *testing.B) {
	for name, cfg := range map[string]Config{
		"key made when needed": {AppID: testAppID, AppSecret: testSecret},
		"key from PEM":         {AppID: testAppID, AppSecret: testSecret, PrivateKey: testKey()},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := New(cfg); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
