package wixtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/nametag-dev/nametag/backend/wixsim"
	"github.com/nametag-dev/nametag/backend/wixtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tokenInfo is the part of token-info's answer that the tests read.
type tokenInfo struct {
	Active                                    bool
	SubjectType, InstanceID, SiteID, ClientID string
	VendorProductID                           string
}

// infoAbout asks Wix about a token, without a socket.
func infoAbout(t testing.TB, w *wixtest.Wix, token string) tokenInfo {
	t.Helper()
	info, err := askInfo(&http.Client{Transport: w.Transport()}, wixtest.BaseURL, token)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func askInfo(client *http.Client, baseURL, token string) (info tokenInfo, err error) {
	body := strings.NewReader(`{"token":"` + token + `"}`)
	answer, err := client.Post(baseURL+"/oauth2/token-info", "application/json", body)
	if err != nil {
		return info, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return info, fmt.Errorf("token-info answers %d", answer.StatusCode)
	}
	return info, json.NewDecoder(answer.Body).Decode(&info)
}

// app is an app's server that receives webhooks.
type app struct {
	mu     sync.Mutex
	status int      // of its answers; 0 is 200
	events []string // that it has received, verified with key if there is one
	key    func() string
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	claims := jwt.MapClaims{}
	var err error
	if a.key == nil {
		_, _, err = jwt.NewParser().ParseUnverified(string(body), claims)
	} else {
		_, err = jwt.ParseWithClaims(string(body), claims, func(*jwt.Token) (any, error) {
			return jwt.ParseRSAPublicKeyFromPEM([]byte(a.key()))
		})
	}
	var event struct{ EventType, InstanceID string }
	if data, _ := claims["data"].(string); err == nil {
		err = json.Unmarshal([]byte(data), &event)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.events = append(a.events, "error: "+err.Error())
		return
	}
	a.events = append(a.events, fmt.Sprintf("%s %s %s", r.URL.Path, event.EventType, event.InstanceID))
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
}

func (a *app) received() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string{}, a.events...)
}

func (a *app) answer(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status = status
}

func TestRun_idsFollowFromTheTestsName(t *testing.T) {
	ids := func(t *testing.T, opts ...wixtest.Option) []string {
		w := wixtest.Run(t, opts...)
		a, b := w.Install(), w.Install()
		return []string{w.AppID, w.AppSecret, a.InstanceID, a.SiteID, b.InstanceID, b.SiteID}
	}
	var first, other []string
	t.Run("a", func(t *testing.T) {
		first = ids(t)
		if diff := cmp.Diff(first, ids(t)); diff != "" {
			t.Error("the same test has other ids", diff)
		}
		other = append(other, ids(t, wixtest.Seed("second Wix"))...)
	})
	t.Run("b", func(t *testing.T) { other = append(other, ids(t)...) })
	seen := map[string]bool{}
	for _, id := range append(first, other...) {
		if seen[id] || len(id) != 36 || uuid.Validate(id) != nil {
			t.Errorf("%s is no GUID of its own", id)
		}
		seen[id] = true
	}
}

func TestRun_startsWithoutASite(t *testing.T) {
	w := wixtest.Run(t)
	if n := len(w.Sim().Installations()); n != 0 {
		t.Errorf("%d sites", n)
	}
}

func TestRun_configure(t *testing.T) {
	start := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	w := wixtest.Run(t, wixtest.Configure(func(c *wixsim.Config) {
		c.AppID, c.TokenTTL, c.Now = "00000000-0000-4000-8000-000000000001", time.Minute, func() time.Time { return start }
	}))
	token := w.Install().Visitor()
	if info := infoAbout(t, w, token); w.AppID != "00000000-0000-4000-8000-000000000001" || info.ClientID != w.AppID {
		t.Errorf("the app is %s, the token's %s", w.AppID, info.ClientID)
	}
	w.Advance(time.Minute)
	if infoAbout(t, w, token).Active || !w.Now().Equal(start.Add(time.Minute)) {
		t.Errorf("at %v the token is active", w.Now())
	}
}

func TestRun_aThousandInParallel(t *testing.T) {
	for i := range 1000 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			receiver := new(app)
			w := wixtest.Run(t, wixtest.Webhooks(receiver))
			site := w.Install(wixtest.Silent())
			if info := infoAbout(t, w, site.Owner()); !info.Active || info.InstanceID != site.InstanceID || info.ClientID != w.AppID {
				t.Errorf("token-info answers %+v", info)
			}
			w.Advance(5 * time.Hour)
			if n := len(w.Calls()); n != 1 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

func TestRun_insideSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receiver := new(app)
		w := wixtest.Run(t, wixtest.Webhooks(receiver))
		receiver.key = w.PublicKey
		site := w.Install()
		token := site.Visitor()
		if !infoAbout(t, w, token).Active {
			t.Error("the token is not active at first")
		}
		start := time.Now()
		w.Advance(5 * time.Hour)
		if infoAbout(t, w, token).Active {
			t.Error("the token is active after five hours")
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("to advance took %v", took)
		}

		token = site.Visitor()
		time.Sleep(5 * time.Hour) // time that passes counts too
		if infoAbout(t, w, token).Active {
			t.Error("the token is active after five hours of sleep")
		}
		if diff := cmp.Diff([]string{"/webhooks/wix AppInstalled " + site.InstanceID}, receiver.received()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWix_URL(t *testing.T) {
	w := wixtest.Run(t)
	site := w.Install()
	info, err := askInfo(http.DefaultClient, w.URL(), site.Member())
	if err != nil || info.InstanceID != site.InstanceID || info.SubjectType != "MEMBER" {
		t.Errorf("%+v %v", info, err)
	}
	if first, second := w.URL(), w.URL(); first != second {
		t.Errorf("it is %s, then %s", first, second)
	}
	answer, err := http.Get(w.URL() + "/_sim/health")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("the control API answers %d", answer.StatusCode)
	}
}

func TestSite_tokens(t *testing.T) {
	w := wixtest.Run(t)
	w.Install() // another site
	site := w.Install(wixtest.Named("Corner Café"), wixtest.Plan("premium"))
	ours := func(subject string) tokenInfo {
		return tokenInfo{true, subject, site.InstanceID, site.SiteID, w.AppID, "premium"}
	}
	foreign := infoAbout(t, w, site.Foreign())
	if foreign.ClientID == w.AppID || !foreign.Active || foreign.InstanceID != site.InstanceID {
		t.Errorf("a foreign token: %+v", foreign)
	}
	tests := []struct {
		name, token string
		want        tokenInfo
	}{
		{"a visitor", site.Visitor(), ours("VISITOR")},
		{"a member", site.Member(), ours("MEMBER")},
		{"the owner", site.Owner(), ours("USER")},
		{"the app", site.App(), ours("APP")},
		{"expired", site.Expired(), tokenInfo{}},
		{"revoked", site.Revoked(), tokenInfo{}},
		{"of no instance", w.NoInstance(), tokenInfo{Active: true, SubjectType: "VISITOR", ClientID: w.AppID}},
		{"any", site.Token(wixsim.TokenRequest{Subject: wixsim.User, TTL: time.Minute}), ours("USER")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, infoAbout(t, w, tt.token)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSite_life(t *testing.T) {
	receiver := new(app)
	w := wixtest.Run(t, wixtest.Webhooks(receiver))
	receiver.key = w.PublicKey
	origin := w.Install(wixtest.Silent())
	site := w.Install(wixtest.CopyOf(origin))
	token := site.Owner()
	steps := []struct {
		name  string
		do    func()
		event string
	}{
		{"a plan", func() { site.SetPlan("gold") }, "PaidPlanPurchased"},
		{"another plan", func() { site.SetPlan("silver") }, "PaidPlanChanged"},
		{"removed", site.Remove, "AppRemoved"},
		{"installed again", func() { site.Reinstall() }, "AppInstalled"},
	}
	want := []string{"/webhooks/wix AppInstalled " + site.InstanceID}
	w.Settled()
	for _, step := range steps {
		step.do()
		deliveries := w.Settled()
		if last := deliveries[len(deliveries)-1]; last.State != wixsim.DeliveryDelivered {
			t.Errorf("%s: %+v", step.name, last)
		}
		want = append(want, "/webhooks/wix "+step.event+" "+site.InstanceID)
		if active := infoAbout(t, w, token).Active; active == (step.event == "AppRemoved") {
			t.Errorf("%s: the owner's token is active: %v", step.name, active)
		}
	}
	if diff := cmp.Diff(want, receiver.received()); diff != "" {
		t.Error(diff)
	}
	in, _ := w.Sim().Installation(site.InstanceID)
	if in.OriginInstanceID != "" || in.SiteDisplayName != "Copy of My Wix Site" || in.Plan != "" {
		t.Errorf("installed again as %+v", in)
	}
}

func TestFail_untilHeal(t *testing.T) {
	w := wixtest.Run(t)
	client := &http.Client{Transport: w.Transport()}
	token := w.Install().Visitor()
	w.Fail(wixsim.Fault{Outage: true})
	if _, err := askInfo(client, wixtest.BaseURL, token); err == nil {
		t.Error("an outage answers")
	}
	w.Fail(wixsim.Fault{Status: 503})
	if _, err := askInfo(client, wixtest.BaseURL, token); err == nil || err.Error() != "token-info answers 503" {
		t.Error(err)
	}
	w.Heal()
	if _, err := askInfo(client, wixtest.BaseURL, token); err != nil {
		t.Error("after Heal:", err)
	}
	var statuses []int
	for _, call := range w.Calls() {
		statuses = append(statuses, call.Status)
	}
	if diff := cmp.Diff([]int{0, 503, 200}, statuses); diff != "" {
		t.Error(diff)
	}
	if w.ClearCalls(); len(w.Calls()) != 0 {
		t.Error("calls are left")
	}
}

func TestSettled_pendingUntilAdvance(t *testing.T) {
	receiver := new(app)
	w := wixtest.Run(t)
	w.SetWebhooks(receiver)
	receiver.answer(http.StatusInternalServerError)
	site := w.Install()
	if got := w.Settled(); len(got) != 1 || got[0].State != wixsim.DeliveryPending || len(got[0].Attempts) != 1 {
		t.Errorf("at first: %+v", got)
	}
	receiver.answer(http.StatusOK)
	w.Advance(time.Minute)
	if got := w.Settled(); got[0].State != wixsim.DeliveryDelivered || len(got[0].Attempts) != 2 {
		t.Errorf("after a minute: %+v", got)
	}
	w.Send(wixsim.Webhook{EventType: wixsim.PlanTransferred, Duplicates: 1})
	if got := w.Settled(); len(got) != 3 || got[2].State != wixsim.DeliveryDelivered {
		t.Errorf("sent: %+v", got)
	}
	installed, transferred := "/webhooks/wix AppInstalled "+site.InstanceID, "/webhooks/wix PlanTransferred "+site.InstanceID
	if diff := cmp.Diff([]string{installed, installed, transferred, transferred}, receiver.received()); diff != "" {
		t.Error(diff)
	}
}

func TestWebhookURL_overTheNetwork(t *testing.T) {
	receiver := new(app)
	server := httptest.NewServer(receiver)
	defer server.Close()
	w := wixtest.Run(t, wixtest.WebhookURL(server.URL+"/hooks"))
	receiver.key = w.PublicKey
	site := w.Install()
	if got := w.Settled(); len(got) != 1 || got[0].State != wixsim.DeliveryDelivered {
		t.Errorf("delivered: %+v", got)
	}
	w.SetWebhooks(receiver) // the URL stays the same, the network is no longer used
	server.Close()
	w.Send(wixsim.Webhook{EventType: wixsim.AppRemoved})
	w.Settled()
	want := []string{"/hooks AppInstalled " + site.InstanceID, "/hooks AppRemoved " + site.InstanceID}
	if diff := cmp.Diff(want, receiver.received()); diff != "" {
		t.Error(diff)
	}
	w.SetWebhookURL("")
	w.Install()
	if got := w.Settled(); len(got) != 2 {
		t.Errorf("without a URL: %+v", got)
	}
}

// failing is a testing.TB that records what ends the test.
type failing struct {
	testing.TB
	reason string
}

func (f *failing) Helper() {}
func (f *failing) Fatalf(format string, args ...any) {
	f.reason = fmt.Sprintf(format, args...)
	panic(f)
}

func TestWix_endsTheTestWithTheReason(t *testing.T) {
	tests := []struct {
		name, want string
		do         func(w *wixtest.Wix, site wixtest.Site)
	}{
		{"a fault of nothing", "wixtest: set a fault: status, latency", func(w *wixtest.Wix, _ wixtest.Site) { w.Fail(wixsim.Fault{}) }},
		{"back in time", "wixtest: advance the clock by -1s: ", func(w *wixtest.Wix, _ wixtest.Site) { w.Advance(-time.Second) }},
		{"a webhook without a receiver", "wixtest: send webhooks: no webhook URL", func(w *wixtest.Wix, _ wixtest.Site) { w.Send(wixsim.Webhook{EventType: "X"}) }},
		{"a receiver without a host", "wixtest: set the webhook URL: ", func(w *wixtest.Wix, _ wixtest.Site) { w.SetWebhookURL("/x") }},
		{"a token of no subject", "wixtest: make a token: subject must", func(w *wixtest.Wix, _ wixtest.Site) { w.Token(wixsim.TokenRequest{}) }},
		{"a site that is no site", "wixtest: install the app: currency must", func(w *wixtest.Wix, _ wixtest.Site) {
			w.Install(func(r *wixsim.InstallRequest) { r.Currency = "euro" })
		}},
		{"removed twice", "wixtest: remove the app from ", func(_ *wixtest.Wix, s wixtest.Site) { s.Remove(); s.Remove() }},
		{"installed twice", "wixtest: install the app: the app is installed", func(_ *wixtest.Wix, s wixtest.Site) { s.Reinstall() }},
		{"a plan too long", "wixtest: set the plan of ", func(_ *wixtest.Wix, s wixtest.Site) { s.SetPlan(strings.Repeat("x", 101)) }},
		{"a token of a removed site", "wixtest: make a token: the app is not installed", func(_ *wixtest.Wix, s wixtest.Site) { s.Remove(); s.Owner() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &failing{TB: t}
			w := wixtest.Run(f)
			site := w.Install()
			func() {
				defer func() { recover() }()
				tt.do(w, site)
			}()
			if !strings.HasPrefix(f.reason, tt.want) {
				t.Errorf("the reason is %q, want %q…", f.reason, tt.want)
			}
		})
	}
	t.Run("a configuration that is none", func(t *testing.T) {
		f := &failing{TB: t}
		func() {
			defer func() { recover() }()
			wixtest.Run(f, wixtest.WebhookURL("nowhere"))
		}()
		if !strings.HasPrefix(f.reason, "wixtest: start the offline Wix: ") {
			t.Errorf("the reason is %q", f.reason)
		}
	})
}

func BenchmarkRun(b *testing.B) {
	for b.Loop() {
		wixtest.Run(b)
	}
}
