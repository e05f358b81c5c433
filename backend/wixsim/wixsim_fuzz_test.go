package wixsim

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// FuzzToken asks whether a token is active. None may be that was not signed here with the
// live key, or has expired.
func FuzzToken(f *testing.F) {
	s, err := New(Config{AppID: testAppID, AppSecret: testSecret, Now: func() time.Time { return testTime }})
	if err != nil {
		f.Fatal(err)
	}
	inactive := false
	for _, req := range []TokenRequest{
		{Subject: Visitor}, {Subject: User}, {Subject: App}, {Subject: Visitor, TTL: -time.Hour}, {Subject: User, Active: &inactive},
		{Subject: Visitor, NoInstance: true}, {Subject: User, AppID: "bbbbbbbb-0000-4000-8000-000000000001"},
	} {
		token, _, err := s.Mint(req)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(token, true)
		f.Add(strings.TrimPrefix(token, tokenPrefix), false)
		parts := strings.Split(token, ".")
		f.Add(strings.Join(append(parts[:2], "eyJhbGciOiJub25lIn0", parts[3], ""), "."), false)
	}
	f.Add(`{"data":"{}","iat":1,"exp":99999999999}`, true)
	f.Fuzz(func(t *testing.T, text string, sign bool) {
		key := s.tokenKeys().Live
		if sign { // the text is a payload
			head := base64.RawURLEncoding.EncodeToString([]byte(`{"kid":"` + key.ID + `","alg":"HS256"}`))
			text = head + "." + base64.RawURLEncoding.EncodeToString([]byte(text))
			text = tokenPrefix + text + "." + seal(text, key)
		}
		v, active := s.verify(text)
		if !active {
			return
		}
		signed := strings.TrimPrefix(text, tokenPrefix)
		last := strings.LastIndexByte(signed, '.')
		switch {
		case signed == text || last < 0 || signed[last+1:] != seal(signed[:last], key):
			t.Errorf("%q is active, and was not signed", text)
		case !v.expires.After(s.Now()):
			t.Errorf("%q is active, and expired at %v", text, v.expires)
		case s.isApp(v.AppDefID) && v.InstanceID != "":
			if _, installed := s.Installation(v.InstanceID); !installed {
				t.Errorf("%q is active for %q, which is not installed", text, v.InstanceID)
			}
		}
	})
}

// FuzzSignedInstance asks whether a signed instance, or one with the given payload, is active.
// None may be that the app's secret did not sign, or outside its time.
func FuzzSignedInstance(f *testing.F) {
	s, err := New(Config{AppID: testAppID, AppSecret: testSecret, Now: func() time.Time { return testTime }})
	if err != nil {
		f.Fatal(err)
	}
	for _, subject := range []string{Visitor, Member, User, App} {
		text, err := s.SignedInstance("", subject)
		if err != nil {
			f.Fatal(err)
		}
		_, payload, _ := strings.Cut(text, ".")
		content, _ := base64.RawURLEncoding.DecodeString(payload)
		f.Add(text, false)
		f.Add(payload+"."+payload, false)
		f.Add(string(content), true)
	}
	f.Add(`{"instanceId":"","appDefId":"`+testAppID+`","signDate":"2026-05-04T03:02:01Z","expirationDate":"9999-12-31T23:59:59Z"}`, true)
	f.Fuzz(func(t *testing.T, text string, sign bool) {
		if sign {
			text = sealed(s, text)
		}
		v, active := s.verifySignedInstance(text)
		if !active {
			return
		}
		signature, payload, _ := strings.Cut(text, ".")
		if signature != s.signature(payload) || !v.expires.After(s.Now()) || !s.isApp(v.AppDefID) {
			t.Errorf("%q is active", text)
		}
		if in, installed := s.Installation(v.InstanceID); !installed || v.MetaSiteID != in.SiteID {
			t.Errorf("%q is active for %q", text, v.InstanceID)
		}
		if _, active := s.verify(text); active {
			t.Errorf("%q is an access token, too", text)
		}
	})
}

// FuzzForm sends a body as a form. It means the same as JSON with the same fields.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{"grant_type=client_credentials&client_id=a", "a=b&a=c", "a=%zz", "a=b;c", "%ff=", "=", "&", `{"a":"b"}`, "[]", "5", "a+b=c%20d", "a=\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest("POST", "/oauth2/token", nil)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		got, problem := readFields(r, []byte(body), true)
		if (got == nil) == (problem == "") || len(problem) > 100 {
			t.Fatalf("%q: %v, %q", body, got, problem)
		}
		if problem != "" {
			return
		}
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		again, problem := readFields(httptest.NewRequest("POST", "/oauth2/token", nil), text, false)
		if diff := cmp.Diff(got, again); diff != "" || problem != "" {
			t.Errorf("%q: %s %s", body, diff, problem)
		}
	})
}

// FuzzScrub records an exchange. Its secrets are in no recording, wherever they have been.
func FuzzScrub(f *testing.F) {
	const token = "OauthNG.JWS.aaaaaaaa.bbbbbbbb.cccccccc"
	for _, seed := range []string{`{"client_secret":"` + testSecret + `"}`, testSecret, "a=" + testSecret + "&token=" + token,
		`{"data":"{\"x\":\"` + testSecret + `\"}"}`, `["` + token + `x"]`, `{"` + testSecret + `":{"` + token + `":1}}`, `"\u0035` + testSecret[1:] + `"`,
		"<x>" + token, "\xff" + testSecret, "token=" + testSecret + token, `{"email":"` + testSecret + `@example.org"}`} {
		for _, kind := range []string{"application/json", "application/x-www-form-urlencoded", "text/plain", "image/png"} {
			f.Add(seed, kind, "/x/"+url.PathEscape(testSecret), "q="+token)
		}
	}
	c := scrubber{[]byte(testSecret)}
	f.Fuzz(func(t *testing.T, body, kind, path, query string) {
		r := httptest.NewRequest("POST", "/", nil)
		r.URL = &url.URL{Path: path, RawQuery: query}
		r.Header.Set("Authorization", token)
		r.Header.Set("Content-Type", kind)
		text, err := c.exchange(r, []byte(body), reply(200, "", "Location", query), []byte(body))
		if err != nil || !json.Valid(text) {
			t.Fatalf("%s, %v", text, err)
		}
		if bytes.Contains(text, []byte(testSecret)) || bytes.Contains(text, []byte(token)) {
			t.Errorf("a secret is in %s", text)
		}
	})
}

func seal(text string, key TokenKey) string {
	mac := hmac.New(sha256.New, key.Secret)
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// FuzzSpan reads a duration as the control API does.
func FuzzSpan(f *testing.F) {
	for _, seed := range []string{`"200ms"`, `1.5`, `-1`, `"-1h"`, `1e300`, `null`, `"1"`, `{}`, `9223372036.9`, `"9999999h"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return
		}
		var d span
		if err := json.Unmarshal(raw, &d); err != nil {
			if len(err.Error()) > 100 {
				t.Errorf("%s: %v", raw, err)
			}
			return
		}
		var seconds float64
		if json.Unmarshal(raw, &seconds) == nil && (time.Duration(d).Seconds() > seconds+0.001 || time.Duration(d).Seconds() < seconds-0.001) {
			t.Errorf("%s is %v", raw, time.Duration(d))
		}
		var again span
		text, _ := json.Marshal(time.Duration(d).String())
		if err := json.Unmarshal(text, &again); err != nil || again != d {
			t.Errorf("%s is %v, and again %v, %v", raw, d, again, err)
		}
	})
}

// delivered takes every webhook.
type delivered struct{}

func (delivered) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Body.Close()
	return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
}

// FuzzControl sends any body to any route of the control API and of the REST API. The
// answer is never a failure, and the state stays one that can be restored.
func FuzzControl(f *testing.F) {
	const id = "cccccccc-0000-4000-8000-000000000001"
	routes := []struct{ method, path, body string }{
		{"POST", "/_sim/tokens", `{"subject":"USER","ttl":"1h","active":false}`},
		{"POST", "/_sim/installs", `{"instanceId":"dddddddd-0000-4000-8000-000000000001","plan":"gold","languages":["en","de"],"originInstanceId":"` + id + `"}`},
		{"DELETE", "/_sim/installs/" + id, ``},
		{"PUT", "/_sim/installs/" + id + "/plan", `{"plan":"gold","billingCycle":"YEARLY","trial":"IN_PROGRESS","data":{"x":1}}`},
		{"POST", "/_sim/webhooks", `{"events":[{"eventType":"AppInstalled","delay":"1s","duplicates":2,"forge":"tampered","resign":true}],"shuffle":true}`},
		{"PUT", "/_sim/webhook-url", `{"url":"http://127.0.0.1:1/"}`},
		{"PUT", "/_sim/faults", `{"endpoint":"token","status":503,"retryAfter":1,"count":2}`},
		{"PUT", "/_sim/published/" + id, `{"elements":[{"attributes":[{"name":"a","value":"b"}]}]}`},
		{"PUT", "/_sim/state", `{"version":1,"installations":[],"removed":[],"published":[],"lastDelivery":0,"deliveries":[]}`},
		{"PUT", "/_sim/behavior", `{"ownerSubject":"APP","formRequests":true,"stageSandbox":false}`},
		{"POST", "/_sim/tokens", `{"subject":"USER","signedInstance":true}`},
		{"POST", "/stores/v3/products", `{}`},
		{"POST", "/oauth2/token-info", `{"token":"x"}`},
		{"POST", "/oauth2/token", `{"grant_type":"client_credentials","client_id":"` + testAppID + `","client_secret":"` + testSecret + `","instance_id":"` + id + `"}`},
		{"GET", "/apps/v1/instance", ``},
	}
	for n, route := range routes {
		f.Add(uint8(n), []byte(route.body), "")
		f.Add(uint8(n), []byte(`[]`), "token")
	}
	f.Fuzz(func(t *testing.T, n uint8, body []byte, authorization string) {
		s, err := New(Config{AppID: testAppID, AppSecret: testSecret, NoSites: true, Key: testRSAKey, Transport: delivered{}, WebhookURL: "http://127.0.0.1:1/"})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := s.Install(InstallRequest{InstanceID: id, Silent: true}); err != nil {
			t.Fatal(err)
		}
		route := routes[int(n)%len(routes)]
		r := httptest.NewRequest(route.method, "http://127.0.0.1:8081"+route.path, strings.NewReader(string(body)))
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		if cut(func() { s.Handler().ServeHTTP(w, r) }) {
			return // a fault that was just set may be one of the connection
		}
		if w.Code >= 500 && w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s %s of %s: %d %s", route.method, route.path, body, w.Code, w.Body)
		}
		if text := w.Body.String(); text != "" && !json.Valid([]byte(text)) {
			t.Errorf("%s %s of %s: %d %s", route.method, route.path, body, w.Code, text)
		}
		if err := s.State().check(); err != nil {
			t.Errorf("after %s %s of %s, the state cannot be restored: %v", route.method, route.path, body, err)
		}
	})
}

// cut reports whether f cuts the connection.
func cut(f func()) (yes bool) {
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			yes = true
		} else if p != nil {
			panic(fmt.Sprint(p))
		}
	}()
	f()
	return false
}
