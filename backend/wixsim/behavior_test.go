package wixsim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const defaultBehaviorJSON = `{"ownerSubject":"USER","strict":false,"formRequests":false,"stringFields":false,"resignRetries":false,` +
	`"stageToken":false,"stageSandbox":true,"classicScript":false,"lockedPage":true}` + "\n"

// otherBehavior differs from the default one in each field.
var otherBehavior = Behavior{OwnerSubject: App, Strict: true, FormRequests: true, StringFields: true, ResignRetries: true, StageToken: true, ClassicScript: true}

func TestBehavior_control(t *testing.T) {
	changes := 0
	s := newSim(t, func(c *Config) { c.Changed = func() { changes++ } })
	changes = 0
	get := func() string { return ask(s.Handler(), "GET", "/_sim/behavior", "").Body.String() }
	if got := get(); got != defaultBehaviorJSON {
		t.Errorf("the default: %s", got)
	}
	for _, tt := range []struct {
		name, body string
		status     int
		want       string // the answer after it, or the error
		changes    int
	}{
		{"nothing", ``, 200, defaultBehaviorJSON, 0},
		{"what is so already", `{"ownerSubject":"USER","lockedPage":true}`, 200, defaultBehaviorJSON, 0},
		{"one field", `{"strict":true}`, 200, strings.Replace(defaultBehaviorJSON, `"strict":false`, `"strict":true`, 1), 1},
		{"another field leaves the first", `{"ownerSubject":"MEMBER"}`, 200,
			strings.NewReplacer(`"strict":false`, `"strict":true`, "USER", "MEMBER").Replace(defaultBehaviorJSON), 1},
		{"all fields back", defaultBehaviorJSON, 200, defaultBehaviorJSON, 1},
		{"a subject that no owner has", `{"strict":true,"ownerSubject":"VISITOR"}`, 422, "ownerSubject must be USER, APP or MEMBER", 0},
		{"no subject", `{"ownerSubject":""}`, 422, "ownerSubject must be", 0},
		{"a wrong type", `{"strict":"yes"}`, 422, "strict must be true or false", 0},
		{"an unknown field", `{"strickt":true}`, 422, "strickt is no field", 0},
		{"a list", `[]`, 400, "one JSON object", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			changes = 0
			before := get()
			w := ask(s.Handler(), "PUT", "/_sim/behavior", tt.body)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) || changes != tt.changes {
				t.Errorf("%d %s, %d changes", w.Code, w.Body, changes)
			}
			if field, _, _ := strings.Cut(tt.want, " "); w.Code == 422 && object(t, w)["field"] != field {
				t.Errorf("the field is not named: %s", w.Body)
			}
			if want := map[bool]string{true: tt.want, false: before}[w.Code == 200]; get() != want {
				t.Errorf("it is now %s", get())
			}
		})
	}
}

func TestBehavior_isPartOfTheState(t *testing.T) {
	s := newSim(t)
	saved := func(s *Sim) (text []byte) {
		t.Helper()
		text, err := json.Marshal(s.State())
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	standard := saved(s)
	if bytes.Contains(standard, []byte("behavior")) {
		t.Error("the default behavior is saved: an offline Wix from before it cannot read that")
	}
	if err := s.SetBehavior(otherBehavior); err != nil {
		t.Fatal(err)
	}
	state, err := ReadState(bytes.NewReader(saved(s)))
	if err != nil {
		t.Fatal(err)
	}
	again := newSim(t, func(c *Config) { c.State = &state })
	if diff := cmp.Diff(otherBehavior, again.Behavior()); diff != "" {
		t.Error(diff)
	}
	given := DefaultBehavior()
	given.ClassicScript = true
	if got := newSim(t, func(c *Config) { c.State, c.Behavior = &state, &given }).Behavior(); got != given {
		t.Errorf("the configuration does not win: %+v", got)
	}
	if w := ask(again.Handler(), "PUT", "/_sim/state", string(standard)); w.Code != 204 || again.Behavior() != DefaultBehavior() {
		t.Errorf("a state without behavior: %d %s, %+v", w.Code, w.Body, again.Behavior())
	}
	for name, tt := range map[string]struct{ behavior, want string }{
		"some fields":      {`{"strict":true}`, ""},
		"no owner":         {`{"ownerSubject":"VISITOR"}`, "behavior.ownerSubject must be"},
		"an unknown field": {`{"strickt":true}`, "strickt"},
		"a wrong type":     {`{"strict":1}`, "behavior holds strict, which must be true or false"},
	} {
		t.Run(name, func(t *testing.T) {
			state, err := ReadState(strings.NewReader(`{"version":1,"behavior":` + tt.behavior + `}`))
			if tt.want == "" {
				want := DefaultBehavior()
				want.Strict = true
				if err != nil || *state.Behavior != want {
					t.Errorf("%+v, %v", state.Behavior, err)
				}
			} else if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Error(err)
			}
		})
	}
}

func TestBehavior_refusesAnImpossibleOne(t *testing.T) {
	s := newSim(t)
	if err := s.SetBehavior(Behavior{}); err == nil || s.Behavior() != DefaultBehavior() {
		t.Errorf("%v, %+v", err, s.Behavior())
	}
	if _, err := New(Config{AppID: "a", AppSecret: "s", Behavior: &Behavior{OwnerSubject: Visitor}}); err == nil {
		t.Error("the configuration is taken")
	}
}

func TestToken_strictSaysWhatToSend(t *testing.T) {
	s := newSim(t, behaving(func(b *Behavior) { b.Strict = true }))
	w := ask(s.REST(), "POST", "/oauth2/token", quote("grant_type", "client_credentials", "client_id", testAppID,
		"client_secret", testSecret, "instanceId", s.Installations()[0].InstanceID))
	if got := object(t, w)["error_description"]; got != "send instance_id, not instanceId" {
		t.Error(got)
	}
}

func TestREST_forms(t *testing.T) {
	s := newSim(t, behaving(func(b *Behavior) { b.FormRequests = true }))
	json := newSim(t)
	id := s.Installations()[0].InstanceID
	token := mint(t, s, TokenRequest{Subject: Visitor})
	credentials := "grant_type=client_credentials&client_id=" + testAppID + "&client_secret=" + testSecret
	const form = "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		name              string
		s                 *Sim
		kind, path, body  string
		status            int
		want, wantInError string
	}{
		{"credentials", s, form, pathToken, credentials + "&instance_id=" + id, 200, "access_token", ""},
		{"credentials with a charset", s, form + "; charset=utf-8", pathToken, credentials + "&instance_id=" + id, 200, "access_token", ""},
		{"credentials, percent-encoded", s, form, pathToken, "grant%5Ftype=client%5Fcredentials" + credentials[len("grant_type=client_credentials"):], 200, "access_token", ""},
		{"a token", s, form, pathTokenInfo, "token=" + token, 200, `"active":true`, ""},
		{"JSON sent as a form, as by curl", s, form, pathTokenInfo, quote("token", token), 200, `"active":true`, ""},
		{"JSON sent as a form, no forms", json, form, pathTokenInfo, quote("token", "x"), 200, `"active":false`, ""},
		{"a form that says it is JSON", s, "application/json", pathTokenInfo, "token=" + token, 400, "", "JSON object"},
		{"a field twice", s, form, pathToken, credentials + "&grant_type=client_credentials", 400, "", "once"},
		{"a token twice", s, form, pathTokenInfo, "token=a&token=b", 400, "", "once"},
		{"an empty token", s, form, pathTokenInfo, "token=", 400, "", "must not be empty"},
		{"no field", s, form, pathTokenInfo, "", 400, "", "must not be empty"},
		{"half an escape", s, form, pathTokenInfo, "token=%2", 400, "", "percent-encoded"},
		{"a semicolon", s, form, pathTokenInfo, "token=a;b=c", 400, "", "percent-encoded"},
		{"bytes that are no UTF-8", s, form, pathTokenInfo, "token=%ff", 400, "", "UTF-8"},
		{"a list sent as a form", s, form, pathTokenInfo, "[]", 400, "", "JSON object"},
		{"credentials, no forms", json, form, pathToken, credentials, 400, "", "not a form: start the offline Wix with --form-requests"},
		{"a token, no forms", json, form, pathTokenInfo, "token=x", 400, "", "not a form"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := ask(tt.s.REST(), "POST", tt.path, tt.body, "Content-Type", tt.kind)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			got := object(t, w)
			text, _ := got["message"].(string)
			if tt.path == pathToken {
				text, _ = got["error_description"].(string)
			}
			if tt.status != http.StatusOK && !strings.Contains(text, tt.wantInError) {
				t.Errorf("the error is %q", text)
			}
		})
	}
}

func TestBehavior_isAnEvent(t *testing.T) {
	s := newSim(t)
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	defer s.Close()
	next := listen(t, server.URL)
	for _, body := range []string{`{"strict":false}`, `{"strict":true}`} { // the first changes nothing
		if w := ask(s.Handler(), "PUT", "/_sim/behavior", body); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if kind, data := next(); kind != "behavior" || data+"\n" != strings.Replace(defaultBehaviorJSON, `"strict":false`, `"strict":true`, 1) {
		t.Errorf("%s: %s", kind, data)
	}
}
