package wixsim

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

func listOf(t *testing.T, w *httptest.ResponseRecorder) []map[string]any {
	t.Helper()
	var v []map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != 200 {
		t.Fatalf("%d, %v: %.200s", w.Code, err, w.Body)
	}
	return v
}

func TestReplay(t *testing.T) {
	s, v := newSender(t)
	v.answer = always(200)
	h := s.Handler()
	in := install(t, s, InstallRequest{Plan: "gold", Silent: true})
	post(t, s, Webhook{EventType: PaidPlanPurchased, InstanceID: in.InstanceID})
	s.WaitIdle()
	first := v.all()[0].body
	replay := func(body string) (map[string]any, string) {
		t.Helper()
		w := ask(h, "POST", "/_sim/webhooks/1/replay", body)
		if w.Code != 202 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		s.WaitIdle()
		id := object(t, w)["ids"].([]any)[0]
		all := v.all()
		return object(t, ask(h, "GET", fmt.Sprint("/_sim/webhooks/", id), "")), all[len(all)-1].body
	}
	event := func(d map[string]any) map[string]any {
		return d["claims"].(map[string]any)["data"].(map[string]any)["data"].(map[string]any)
	}
	same, body := replay("")
	if body != first || event(same)["vendorProductId"] != "gold" || same["state"] != "delivered" || same["url"] != receiverURL {
		t.Errorf("unchanged: %v", same)
	}
	if same["header"].(map[string]any)["alg"] != "RS256" || same["eventType"] != PaidPlanPurchased {
		t.Errorf("unchanged: %v", same)
	}
	changed, body := replay(`{"data":{"vendorProductId":"silver","invoiceId":null},"at":"2026-05-05T00:00:00Z"}`)
	data := event(changed)
	if _, there := data["invoiceId"]; there || body == first || data["vendorProductId"] != "silver" || data["cycle"] != "MONTHLY" || changed["at"] != "2026-05-05T00:00:00.000Z" {
		t.Errorf("changed: %v", changed)
	}
	if d, ok := s.decode(body); !ok || !d.Active || d.Kind != "webhook" {
		t.Errorf("changed, and not signed again: %+v", d)
	}
	if err := s.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	if again, body := replay(`{"new":true}`); body == first || again["at"] == same["at"] || event(again)["vendorProductId"] != "gold" {
		t.Errorf("new: %v", again)
	}
	for body, status := range map[string]int{`{"data":[]}`: 422, `{"at":"x"}`: 422, `{"instanceId":"x"}`: 422, `{`: 400} {
		if w := ask(h, "POST", "/_sim/webhooks/1/replay", body); w.Code != status {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	for path, status := range map[string]int{"/_sim/webhooks/99": 404, "/_sim/webhooks/x": 404} {
		if w := ask(h, "GET", path, ""); w.Code != status {
			t.Errorf("%s: %d", path, w.Code)
		}
		if w := ask(h, "POST", path+"/replay", ""); w.Code != status {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if got := listOf(t, ask(h, "GET", "/_sim/webhooks?limit=2&instanceId="+in.InstanceID, "")); len(got) != 2 || got[1]["id"] != 4.0 {
		t.Errorf("%v", got)
	}
}

// What ended is stored for a replay, also after a restart, up to a number of bytes.
func TestReplay_isBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newSender(t)
		v.answer = always(200)
		large := quote("note", strings.Repeat("x", 1<<18))
		for range 40 {
			post(t, s, Webhook{EventType: AppInstalled, Data: json.RawMessage(large)})
		}
		s.WaitIdle()
		size := 0
		for _, d := range s.outbox.all {
			size += d.size()
		}
		if size > maxStored || size != s.outbox.stored {
			t.Errorf("%d bytes, counted as %d", size, s.outbox.stored)
		}
		if _, err := s.Replay(1, Replay{}); err != errNotStored {
			t.Error("the oldest:", err)
		}
		if w := ask(s.Handler(), "POST", "/_sim/webhooks/1/replay", ""); w.Code != 409 {
			t.Error("the oldest:", w.Code)
		}
		state := s.State()
		restored, _ := newSender(t, func(c *Config) { c.State = &state })
		if restored.outbox.stored != s.outbox.stored {
			t.Errorf("%d bytes after a restart, before %d", restored.outbox.stored, s.outbox.stored)
		}
		if id, err := restored.Replay(40, Replay{}); id != 41 || err != nil {
			t.Error("after a restart:", id, err)
		}
		restored.WaitIdle()
	})
}

func TestControl_clock(t *testing.T) {
	s := newSim(t)
	h := s.Handler()
	want := map[string]any{"now": "2026-05-04T03:02:01.500Z", "aheadMs": 0.0}
	if diff := gocmp.Diff(want, object(t, ask(h, "GET", "/_sim/clock", ""))); diff != "" {
		t.Error(diff)
	}
	want = map[string]any{"now": "2026-05-04T08:02:01.500Z", "aheadMs": 18_000_000.0}
	if diff := gocmp.Diff(want, object(t, ask(h, "PUT", "/_sim/clock", `{"advance":"5h"}`))); diff != "" {
		t.Error(diff)
	}
	if got := object(t, ask(h, "PUT", "/_sim/clock", `{"at":"2026-06-04T10:00:00+02:00"}`)); got["now"] != "2026-06-04T08:00:00.000Z" {
		t.Error(got)
	}
	for body, field := range map[string]string{
		`{"at":"2026-06-04T07:59:59Z"}`: "at", `{"at":"2099-01-01T00:00:00Z"}`: "at", `{"at":"tomorrow"}`: "at",
		`{"advance":"-1s"}`: "advance", `{"advance":"90000h"}`: "advance", `{"advance":"soon"}`: "advance", `{}`: "advance",
		`{"advance":"1s","at":"2026-06-05T00:00:00Z"}`: "at", `{"now":"1s"}`: "now",
	} {
		if w := ask(h, "PUT", "/_sim/clock", body); w.Code != 422 || object(t, w)["field"] != field {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	if got := object(t, ask(h, "GET", "/_sim/clock", "")); got["now"] != "2026-06-04T08:00:00.000Z" {
		t.Error("it has moved:", got)
	}
}

func TestControl_faultsList(t *testing.T) {
	s := newSim(t)
	h := s.Handler()
	if got := ask(h, "GET", "/_sim/faults", "").Body.String(); got != "[]\n" {
		t.Error(got)
	}
	ask(h, "PUT", "/_sim/faults", `{"endpoint":"/oauth2/token-info","status":429,"retryAfter":7,"latency":"20ms","count":3}`)
	ask(h, "PUT", "/_sim/faults", `{"outage":true}`)
	ask(h, "POST", "/oauth2/token-info", "{}")
	const want = `[{"endpoint":"*","outage":true},{"endpoint":"token-info","status":429,"latency":"20ms","retryAfter":"7s","count":2}]`
	got := strings.TrimSpace(ask(h, "GET", "/_sim/faults", "").Body.String())
	if got != want {
		t.Error(got)
	}
	ask(h, "DELETE", "/_sim/faults", "")
	for fault := range strings.SplitSeq(strings.ReplaceAll(strings.Trim(want, "[]"), "},{", "}\n{"), "\n") {
		if w := ask(h, "PUT", "/_sim/faults", fault); w.Code != 204 {
			t.Errorf("%s: %s", fault, w.Body)
		}
	}
	if again := strings.TrimSpace(ask(h, "GET", "/_sim/faults", "").Body.String()); again != want {
		t.Error(again)
	}
}

func TestControl_decode(t *testing.T) {
	s := newSim(t, func(c *Config) { c.WebhookURL, c.PrivateKey = receiverURL, testKey() })
	other := newSim(t)
	h := s.Handler()
	in := install(t, s, InstallRequest{Silent: true})
	inactive := false
	hook := s.signWebhook(`{"data":"{\"a\":1}","eventType":"AppInstalled"}`, Webhook{At: s.Now()}, s.Now())
	for _, tt := range []struct {
		name, token, kind, subject, reason string
	}{
		{"an owner's", mint(t, s, TokenRequest{Subject: User, InstanceID: in.InstanceID}), "token", "USER", ""},
		{"a visitor's", mint(t, s, TokenRequest{Subject: Visitor}), "token", "VISITOR", ""},
		{"an expired one", mint(t, s, TokenRequest{Subject: App, TTL: -time.Hour}), "token", "", "it has expired"},
		{"a revoked one", mint(t, s, TokenRequest{Subject: App, Active: &inactive}), "token", "", "has revoked it"},
		{"another Wix's", mint(t, other, TokenRequest{Subject: App}), "token", "", "has not signed it"},
		{"a webhook", hook, "webhook", "", ""},
		{"a webhook with another end", hook[:len(hook)-8] + "AAAAAAAA", "webhook", "", "signature"},
		{"an owner's instance", signedInstanceOf(t, s, in.InstanceID, User), "instance", "USER", ""},
		{"an instance that has expired", sealed(s, `{"instanceId":"`+in.InstanceID+`","expirationDate":"2026-05-04T03:02:01Z"}`), "instance", "", "it has expired"},
		{"an instance of no site", sealed(s, `{"instanceId":"`+noSuchID+`","expirationDate":"2026-05-05T03:02:01Z"}`), "instance", "", "not installed"},
		{"an instance that is not signed", "c2lnbmF0dXJl.eyJpbnN0YW5jZUlkIjoieCJ9", "instance", "", "has not signed it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := ask(h, "POST", "/_sim/tokens/decode", quote("token", tt.token))
			got := object(t, w)
			subject, _ := got["subjectType"].(string)
			reason, _ := got["reason"].(string)
			if w.Code != 200 || got["kind"] != tt.kind || got["active"] != (tt.reason == "") || subject != tt.subject || !strings.Contains(reason, tt.reason) {
				t.Errorf("%d %v", w.Code, got)
			}
			if text := w.Body.String(); strings.Contains(text, testSecret) || strings.Contains(text, "PRIVATE") || strings.Contains(text, tt.token) {
				t.Error(text)
			}
		})
	}
	got := object(t, ask(h, "POST", "/_sim/tokens/decode", quote("token", hook)))
	if data, _ := got["claims"].(map[string]any)["data"].(map[string]any); gocmp.Diff(data["data"], map[string]any{"a": 1.0}) != "" {
		t.Errorf("the layers are not parsed: %v", got)
	}
	if got := object(t, ask(h, "POST", "/_sim/tokens/decode", quote("token", mint(t, s, TokenRequest{Subject: App})))); got["expires"] != "2026-05-04T07:02:01.000Z" {
		t.Errorf("%v", got)
	}
	for _, token := range []string{"", "x", "a.b", "a.b.c", "OauthNG.JWS.x"} {
		if w := ask(h, "POST", "/_sim/tokens/decode", quote("token", token)); w.Code != 422 || object(t, w)["field"] != "token" {
			t.Errorf("%q: %d %s", token, w.Code, w.Body)
		}
	}
}

func TestControl_installsPages(t *testing.T) {
	s := newSim(t, func(c *Config) { c.NoSites = true })
	h := s.Handler()
	var ids []string
	for i := range 5 {
		ids = append(ids, install(t, s, InstallRequest{SiteDisplayName: fmt.Sprint([]string{"Bakery ", "Florist "}[i%2], i)}).InstanceID)
	}
	for query, want := range map[string][]string{
		"": ids, "?limit=2": ids[:2], "?after=" + strings.ToUpper(ids[1]): ids[2:], "?after=" + ids[1] + "&limit=1": ids[2:3],
		"?name=FLOR": {ids[1], ids[3]}, "?name=bakery&after=" + ids[0] + "&limit=1": {ids[2]}, "?name=zoo": nil, "?after=" + ids[4]: nil,
	} {
		var got []string
		for _, in := range listOf(t, ask(h, "GET", "/_sim/installs"+query, "")) {
			got = append(got, in["instanceId"].(string))
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	for query, status := range map[string]int{"?after=" + noSuchID: 404, "?limit=0": 422, "?limit=x": 422, "?limit=10001": 422, "?page=2": 422} {
		if w := ask(h, "GET", "/_sim/installs"+query, ""); w.Code != status {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
}

func TestAdvance_endsTrialsAndPlans(t *testing.T) {
	s, v := newSender(t, func(c *Config) { c.Now = func() time.Time { return testTime } })
	v.answer = always(200)
	const day = 24 * time.Hour
	trial := install(t, s, InstallRequest{Plan: "gold", Trial: trialInProgress, Silent: true})
	twin := install(t, s, InstallRequest{Plan: "gold", Trial: trialInProgress, Silent: true})
	yearly := install(t, s, InstallRequest{Plan: "gold", BillingCycle: "YEARLY", Silent: true})
	ends := install(t, s, InstallRequest{Plan: "gold", Silent: true})
	given := install(t, s, InstallRequest{Plan: "gold", Trial: trialInProgress, Silent: true})
	no := false
	for _, id := range []string{ends.InstanceID, given.InstanceID} {
		if _, err := s.SetPlan(id, PlanRequest{AutoRenewing: &no, Silent: true}); err != nil {
			t.Fatal(err)
		}
	}
	state := func(id string) string {
		in, _ := s.Installation(id)
		return strings.TrimSpace(in.Plan + " " + in.Trial)
	}
	check := func(after string, want ...string) {
		t.Helper()
		var got []string
		for _, in := range []Installation{trial, twin, ends, given} {
			got = append(got, state(in.InstanceID))
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("after %s: %s", after, diff)
		}
	}
	advance := func(d time.Duration) {
		t.Helper()
		if err := s.Advance(d); err != nil {
			t.Fatal(err)
		}
	}
	advance(14*day - time.Second)
	check("less than 14 days", "gold IN_PROGRESS", "gold IN_PROGRESS", "gold", "gold IN_PROGRESS")
	advance(time.Second)
	s.WaitIdle()
	check("14 days", "gold ENDED", "gold ENDED", "gold", "")
	var events []string
	for _, d := range s.Webhooks() {
		events = append(events, d.EventType+" "+isoTime(d.At))
	}
	if want := "PlanConvertedToPaid 2026-05-18T03:02:01.500Z"; len(events) != 2 || events[0] != want || events[1] != want {
		t.Error(events)
	}
	advance(20 * day)
	check("a month", "gold ENDED", "gold ENDED", "", "")
	advance(365 * day)
	if in, _ := s.Installation(yearly.InstanceID); in.document(s.Now()).Instance.Billing.ExpirationDate != "2028-05-04T03:02:01.500Z" || len(s.Webhooks()) != 2 {
		t.Errorf("a plan that is renewed: %+v", in.document(s.Now()).Instance.Billing)
	}
	if got := s.Now(); !got.Equal(testTime.Add(399 * day)) {
		t.Error("the time is", got)
	}
}
