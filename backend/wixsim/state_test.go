package wixsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// written returns the state of a Sim as it is read from its JSON.
func written(t *testing.T, s *Sim) State {
	t.Helper()
	text, err := json.Marshal(s.State())
	if err != nil {
		t.Fatal(err)
	}
	state, err := ReadState(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// continued returns a Sim that continues another one: a restart.
func continued(t *testing.T, s *Sim, change ...func(*Config)) (*Sim, *receiver) {
	t.Helper()
	state := written(t, s)
	return newSender(t, append([]func(*Config){func(c *Config) {
		c.AppID, c.AppSecret, c.PrivateKey, c.State = "", "", "", &state
	}}, change...)...)
}

// busySim returns a Sim with something of everything, and tokens of it by what they are.
func busySim(t *testing.T) (*Sim, *receiver, map[string]string) {
	t.Helper()
	s, v := newSender(t)
	first, _ := s.First()
	plan, off := "gold", false
	paid := install(t, s, InstallRequest{SiteDisplayName: "Päid", Languages: []string{"pt-BR", "en"}, Currency: "BRL"})
	if _, err := s.SetPlan(paid.InstanceID, PlanRequest{Plan: &plan, BillingCycle: "YEARLY"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetPlan(paid.InstanceID, PlanRequest{AutoRenewing: &off}); err != nil {
		t.Fatal(err)
	}
	install(t, s, InstallRequest{OriginInstanceID: paid.InstanceID, Plan: "basic", Trial: trialEnded, Unpublished: true})
	gone := install(t, s, InstallRequest{SiteDisplayName: "Gone"})
	if err := s.Publish(paid.InstanceID, []Element{{[]Attribute{{"display-name", "Ada"}}}, {}}); err != nil {
		t.Fatal(err)
	}
	tokens := map[string]string{
		"visitor":        mint(t, s, TokenRequest{Subject: Visitor, InstanceID: paid.InstanceID}),
		"member":         mint(t, s, TokenRequest{Subject: Member, InstanceID: first.InstanceID}),
		"owner":          mint(t, s, TokenRequest{Subject: User, InstanceID: paid.InstanceID}),
		"app":            mint(t, s, TokenRequest{Subject: App, InstanceID: paid.InstanceID}),
		"no instance":    mint(t, s, TokenRequest{Subject: Visitor, NoInstance: true}),
		"another app":    mint(t, s, TokenRequest{Subject: Visitor, AppID: otherAppID}),
		"revoked":        mint(t, s, TokenRequest{Subject: Visitor, Active: new(bool)}),
		"expired":        mint(t, s, TokenRequest{Subject: Visitor, TTL: -time.Minute}),
		"removed":        mint(t, s, TokenRequest{Subject: Visitor, InstanceID: gone.InstanceID}),
		"ends in 2 h":    mint(t, s, TokenRequest{Subject: Visitor, TTL: 2 * time.Hour}),
		"not a token":    "x",
		"of a later day": mint(t, s, TokenRequest{Subject: Visitor, TTL: 48 * time.Hour}),
	}
	s.Uninstall(gone.InstanceID)
	advance(t, s, 3*time.Hour)
	v.answer = always(500)
	post(t, s, Webhook{EventType: "Retried", InstanceID: paid.InstanceID}, Webhook{EventType: "Resigned", Resign: true},
		Webhook{EventType: "Delayed", Delay: time.Hour}, Webhook{EventType: "Elsewhere", URL: "http://other.test/hook"})
	s.WaitIdle()
	return s, v, tokens
}

func TestState_survives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, tokens := busySim(t)
		after, _ := continued(t, s)
		if diff := gocmp.Diff(written(t, s), written(t, after)); diff != "" {
			t.Error(diff)
		}
		if s.PublicKey() != after.PublicKey() || s.AppID() != after.AppID() {
			t.Error("it has another key or id")
		}
		for what, token := range tokens {
			for _, call := range [][]string{
				{"POST", "/oauth2/token-info", quote("token", token)},
				{"GET", "/apps/v1/instance", "", "Authorization", token},
			} {
				want := ask(s.Handler(), call[0], call[1], call[2], call[3:]...)
				got := ask(after.Handler(), call[0], call[1], call[2], call[3:]...)
				if got.Code != want.Code || got.Body.String() != want.Body.String() {
					t.Errorf("%s of a token that is %s: %d %s, before: %d %s", call[1], what, got.Code, got.Body, want.Code, want.Body)
				}
			}
		}
		for _, in := range s.Installations() {
			if diff := gocmp.Diff(s.Published(in.InstanceID), after.Published(in.InstanceID)); diff != "" {
				t.Error(diff)
			}
			body := quote("grant_type", "client_credentials", "client_id", testAppID, "client_secret", testSecret, "instance_id", in.InstanceID)
			if w := ask(after.Handler(), "POST", "/oauth2/token", body); w.Code != 200 {
				t.Errorf("the app's own token: %d %s", w.Code, w.Body)
			}
		}
	})
}

func TestState_pendingWebhooksAreSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v, _ := busySim(t)
		before := map[string]received{}
		for _, r := range v.all()[len(v.all())-3:] {
			before[open(t, s, r.body).EventType] = r
		}
		state := written(t, s)
		s.Close()
		time.Sleep(11 * time.Minute) // the retry of two falls due in this time
		started := time.Now()
		after, v := newSender(t, func(c *Config) { c.State, c.WebhookURL = &state, "http://moved.test/hook" })
		after.WaitIdle()
		if n := len(v.all()); n != 3 {
			t.Fatalf("%d attempts at the start", n)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		for _, r := range v.all() {
			event := open(t, after, r.body)
			want := map[string]string{"Elsewhere": "http://other.test/hook"}[event.EventType]
			if want == "" {
				want = "http://moved.test/hook" // it follows the receiver
			}
			if r.url != want {
				t.Errorf("%s went to %s", event.EventType, r.url)
			}
			switch same := r.body == before[event.EventType].body; event.EventType {
			case "Delayed":
				if wait := r.at.Sub(started); wait != 49*time.Minute {
					t.Errorf("the delayed one is sent after %v", wait)
				}
			case "Resigned":
				if same || event.issued != float64(after.Now().Add(-time.Hour).Unix()) {
					t.Errorf("the retry was not signed again: %v", event)
				}
			default:
				if !same {
					t.Errorf("%s has another body", event.EventType)
				}
			}
		}
		for _, d := range after.Webhooks() {
			if d.State != DeliveryDelivered {
				t.Errorf("%+v", d)
			}
		}
		last := after.Webhooks()[len(after.Webhooks())-1].ID
		if id := post(t, after, Webhook{EventType: "Next"})[0]; id != last+1 {
			t.Errorf("the next id is %d after %d", id, last)
		}
	})
}

func TestState_whatIsUnderWayIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newSender(t)
		v.answer = hang
		post(t, s, Webhook{EventType: AppInstalled, Duplicates: 2 * maxSending})
		synctest.Wait()
		after, w := continued(t, s)
		after.WaitIdle()
		if n := len(w.all()); n != 1+2*maxSending {
			t.Errorf("%d were sent", n)
		}
	})
}

func TestNew_completesAState(t *testing.T) {
	state := State{Version: StateVersion, Installations: []Installation{withIDs(InstallRequest{
		InstanceID: noSuchID, Languages: []string{"en"}, Currency: "USD"})}}
	s := newSim(t, func(c *Config) { c.State = &state })
	if got := s.Installations(); len(got) != 1 || got[0].InstanceID != noSuchID {
		t.Errorf("the sites are %v", got)
	}
	if s.AppID() != testAppID || s.State().AppSecret != testSecret || s.State().PrivateKey == "" || !s.State().TokenKeys.valid() {
		t.Error("the credentials and keys are not the Sim's")
	}
}

func TestNew_refusesTheStateOfAnotherApp(t *testing.T) {
	state := newSim(t).State()
	for name, change := range map[string]func(*Config){
		"id":     func(c *Config) { c.AppID = otherAppID },
		"secret": func(c *Config) { c.AppSecret = "another" },
		"key":    func(c *Config) { c.PrivateKey = testKey() },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Config{State: &state}
			change(&cfg)
			_, err := New(cfg)
			if !errors.Is(err, ErrOtherApp) || strings.Contains(err.Error(), testSecret) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// changedState returns the JSON of a state with one change.
func changedState(t *testing.T, s *Sim, path []any, value any) string {
	t.Helper()
	text, err := json.Marshal(s.State())
	if err != nil {
		t.Fatal(err)
	}
	var root any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	at := root
	for _, step := range path[:len(path)-1] {
		switch step := step.(type) {
		case string:
			at = at.(map[string]any)[step]
		case int:
			at = at.([]any)[step]
		}
	}
	switch step := path[len(path)-1].(type) {
	case string:
		at.(map[string]any)[step] = value
	case int:
		at.([]any)[step] = value
	}
	text, err = json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestReadState_refuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := busySim(t)
		install := s.State().Installations[0]
		many := func(n int, v any) []any {
			all := make([]any, n)
			for i := range all {
				all[i] = v
			}
			return all
		}
		pending := len(s.Webhooks()) - 1
		type path = []any
		for _, tt := range []struct {
			name  string
			path  path
			value any
			want  string
		}{
			{"a newer version", path{"version"}, 2, "is of version 2, and this offline Wix knows version 1"},
			{"no version", path{"version"}, nil, "no state of the offline Wix"},
			{"a field that is not known", path{"later"}, 1, "later"},
			{"a wrong type", path{"installations"}, "x", "installations"},
			{"a clock that goes back", path{"aheadNanoseconds"}, -1, "aheadNanoseconds must"},
			{"a token key that is too short", path{"tokenKeys", "live", "secret"}, "AAAA", "tokenKeys must"},
			{"one token key twice", path{"tokenKeys", "retired", "id"}, s.State().TokenKeys.Live.ID, "tokenKeys must"},
			{"too many sites", path{"installations"}, many(maxInstallations+1, install), "installations must be at most 10000"},
			{"too many removed", path{"removed"}, many(maxRemoved+1, install), "removed must be at most 1000"},
			{"too many pages", path{"published"}, many(maxPublished+1, map[string]any{}), "published must be at most 1000"},
			{"too many deliveries", path{"deliveries"}, many(maxDeliveries+1, map[string]any{}), "deliveries must be at most 10000"},
			{"an instance that is no GUID", path{"installations", 1, "instanceId"}, "x", "installations[1].instanceId must be a GUID"},
			{"a site that is no GUID", path{"installations", 1, "siteId"}, "x", "installations[1].siteId"},
			{"no language", path{"installations", 0, "languages"}, many(0, 0), "installations[0].languages"},
			{"a language that is none", path{"installations", 0, "languages"}, []any{"?"}, "installations[0].languages"},
			{"a currency that is none", path{"installations", 0, "currency"}, "x", "installations[0].currency"},
			{"one site twice", path{"installations", 1}, install, "installations[1].instanceId is there twice"},
			{"a removed site that is installed", path{"removed", 0}, install, "removed[0].instanceId is there twice"},
			{"a page of no site", path{"published", 0, "instanceId"}, "x", "published[0].instanceId must be a GUID"},
			{"an attribute that runs code", path{"published", 0, "elements", 0, "attributes", 0, "name"}, "onclick", "published[0].elements[0].attributes: \"onclick\" cannot be"},
			{"a delivery's id twice", path{"deliveries", 1, "id"}, 1, "deliveries[1].id must"},
			{"a delivery of a later id", path{"lastDelivery"}, 1, "deliveries[1].id must"},
			{"a state that no delivery has", path{"deliveries", 0, "state"}, "x", "deliveries[0].state must"},
			{"a pending one without a body", path{"deliveries", pending, "body"}, "", "body must"},
			{"a receiver that is no URL", path{"deliveries", pending, "url"}, "file:///x", "url must"},
			{"more attempts than there are", path{"deliveries", 0, "attempts"}, many(14, map[string]any{}), "attempts are"},
		} {
			_, err := ReadState(strings.NewReader(changedState(t, s, tt.path, tt.value)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: got %v", tt.name, err)
			}
		}
		for _, text := range []string{"", "{", "[]", "x", `{"version":1} {}`, "\x00", changedState(t, s, path{"version"}, 1)[:300]} {
			if _, err := ReadState(strings.NewReader(text)); err == nil {
				t.Errorf("%.20q is read", text)
			}
		}
	})
}

func TestRestore_replacesEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, tokens := busySim(t)
		scenario := written(t, s)
		s.ClearWebhooks()
		for _, in := range s.Installations() {
			s.Uninstall(in.InstanceID)
		}
		late := install(t, s, InstallRequest{})
		lateToken := mint(t, s, TokenRequest{Subject: Visitor, InstanceID: late.InstanceID})
		advance(t, s, 100*time.Hour)
		if err := s.Restore(scenario); err != nil {
			t.Fatal(err)
		}
		got := written(t, s)
		got.LastDelivery = scenario.LastDelivery // an id is never used twice
		if diff := gocmp.Diff(scenario, got); diff != "" {
			t.Error(diff)
		}
		if _, active := s.verify(tokens["owner"]); !active {
			t.Error("a token of the scenario is not active")
		}
		if _, active := s.verify(lateToken); active {
			t.Error("a token of a site that is not there is active")
		}
	})
}

func TestRestore_changesNothingWhenItRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := busySim(t)
		want := written(t, s)
		for name, spoil := range map[string]func(*State){
			"another app": func(o *State) { o.AppID = otherAppID },
			"another key": func(o *State) { o.PrivateKey = "x" },
			"a fault":     func(o *State) { o.Removed = append(o.Removed, o.Removed...) },
		} {
			state := written(t, s)
			spoil(&state)
			if err := s.Restore(state); err == nil {
				t.Errorf("%s: it is restored", name)
			}
			if diff := gocmp.Diff(want, written(t, s)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})
}

func TestControl_state(t *testing.T) {
	s := newSim(t)
	h := s.Handler()
	get := func() string {
		w := ask(h, "GET", "/_sim/state", "")
		if w.Code != 200 || w.Header().Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %v", w.Code, w.Header())
		}
		return w.Body.String()
	}
	scenario := get()
	install(t, s, InstallRequest{})
	remote := `{"version":1,"lastDelivery":1,"deliveries":[{"id":1,"state":"pending","eventType":"A","instanceId":"x","at":"2026-01-01T00:00:00Z","attempts":[],"body":"b","url":"http://example.com/"}]}`
	for _, tt := range []struct {
		name, body string
		status     int
	}{
		{"a fault", `{"version":1,"aheadNanoseconds":-1}`, 422},
		{"nothing", "", 400},
		{"a newer version", `{"version":2}`, 422},
		{"another app", `{"version":1,"appId":"` + otherAppID + `"}`, 409},
		{"a receiver on another machine", remote, 422},
		{"the scenario", scenario, 204},
		{"a scenario without credentials", `{"version":1}`, 204},
		{"the scenario again", scenario, 204},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if w := ask(h, "PUT", "/_sim/state", tt.body); w.Code != tt.status {
				t.Errorf("got %d: %s", w.Code, w.Body)
			}
		})
	}
	if got := get(); got != scenario {
		t.Errorf("got  %s\nwant %s", got, scenario)
	}
	if w := ask(h, "GET", "/_sim/state", "", "Origin", "http://evil.test"); w.Code != 403 {
		t.Errorf("a page of another origin gets %d", w.Code)
	}
}

func TestChanged_isCalledAfterEachChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes atomic.Int32
		s, v := newSender(t, func(c *Config) { c.Changed = func() { changes.Add(1) } })
		in, _ := s.First()
		v.answer = always(500)
		plan := "gold"
		steps := []struct {
			name    string
			do      func()
			changes bool
		}{
			{"install", func() { install(t, s, InstallRequest{InstanceID: noSuchID, Silent: true}) }, true},
			{"uninstall", func() { s.UninstallSilently(noSuchID) }, true},
			{"plan", func() { s.SetPlan(in.InstanceID, PlanRequest{Plan: &plan, Silent: true}) }, true},
			{"publish", func() { s.Publish(in.InstanceID, nil) }, true},
			{"send", func() { post(t, s, Webhook{EventType: "A", Delay: time.Hour}) }, true},
			{"an attempt", func() { time.Sleep(time.Hour); synctest.Wait() }, true},
			{"advance", func() { advance(t, s, time.Second) }, true},
			{"clear", s.ClearWebhooks, true},
			{"restore", func() { s.Restore(s.State()) }, true},
			{"a refusal", func() { s.Uninstall(noSuchID); s.Publish(noSuchID, nil) }, false},
			{"a token", func() { mint(t, s, TokenRequest{Subject: Visitor}) }, false},
			{"a call", func() { ask(s.Handler(), http.MethodGet, "/apps/v1/instance", "") }, false},
			{"reading", func() { s.State(); s.Installations(); s.Webhooks() }, false},
		}
		for _, step := range steps {
			changes.Store(0)
			if step.do(); (changes.Load() > 0) != step.changes {
				t.Errorf("%s: %d changes", step.name, changes.Load())
			}
		}
	})
}
