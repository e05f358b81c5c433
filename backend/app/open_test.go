package app

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

// signed is the parameter instance with any payload.
func signed(payload, secret string) string {
	encoded := base64.RawURLEncoding.EncodeToString([]byte(payload))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(encoded))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) + "." + encoded
}

func (w *world) open(parameter string) reply {
	return w.ask(http.MethodGet, "/open?instance="+url.QueryEscape(parameter), "", "Accept: text/html")
}

func (w *world) signedInstance(id, subject string) string {
	w.t.Helper()
	text, err := w.sim.SignedInstance(id, subject)
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

func TestServe_open(t *testing.T) {
	const old = "0b7c3f52-8a3e-4a57-b7a0-5c9d1e2f3a44"
	w := start(t, "WIX_APP_SECRET="+appSecret+","+old)
	id := w.install()
	owner := w.mint(wixsim.TokenRequest{Subject: "USER", InstanceID: id})
	if got := w.ask("PUT", "/api/settings", `{"greeting":"Grüß <b>Gott</b>"}`, "Authorization: "+owner,
		"Content-Type: application/json", `If-Match: "0"`); got.status != 200 {
		t.Fatal(got)
	}
	w.as(owner, "/api/get-instance-data") // the site's name and plan become known
	for _, subject := range []string{"USER", "APP"} {
		got := w.open(w.signedInstance(id, subject))
		for _, part := range []string{"Corner Café", "gold", id, "Grüß &lt;b&gt;Gott&lt;/b&gt;", time.Now().UTC().Format("2 January 2006")} {
			if got.status != 200 || !strings.Contains(got.text, part) {
				t.Errorf("%s: the page lacks %q: %d %s", subject, part, got.status, got.text)
			}
		}
		if strings.Contains(got.text, "<script") {
			t.Error("the page has a script")
		}
		for name, want := range map[string]string{
			"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "Set-Cookie": "",
			"Content-Security-Policy": "; frame-ancestors https://manage.wix.com https://*.manage.wix.com " + w.wix,
		} {
			if value := got.header.Get(name); !strings.HasSuffix(value, want) || value == "" != (want == "") {
				t.Errorf("%s: %s", name, value)
			}
		}
	}
	now := time.Now().UTC()
	payload := func(change string, at time.Time) string {
		return fmt.Sprintf(`{"instanceId":%q,"signDate":%q,"permissions":"OWNER"%s}`, id, at.Format(time.RFC3339Nano), change)
	}
	other, _ := w.sim.First()
	for name, tt := range map[string]struct {
		parameter string
		status    int
		says      string
	}{
		"the other secret, while it is being changed": {signed(payload("", now), old), 200, "Corner Café"},
		"a site that nobody has come from":            {w.signedInstance(other.InstanceID, "USER"), 200, "Nobody has opened"},
		"none":                                        {"", 401, "Open this page from Wix"},
		"no parameter of Wix":                         {"x", 401, "not valid"},
		"an access token":                             {owner, 401, "not valid"},
		"another secret":                              {signed(payload("", now), foreignID), 401, "not valid"},
		"too old":                                     {signed(payload("", now.Add(-24*time.Hour)), appSecret), 401, "has expired"},
		"expired":                                     {signed(payload(`,"expirationDate":"`+now.Add(-time.Minute).Format(time.RFC3339)+`"`, now), appSecret), 401, "has expired"},
		"another app's":                               {signed(payload(`,"appDefId":"`+foreignID+`"`, now), appSecret), 403, "another app"},
		"a member's":                                  {w.signedInstance(id, "MEMBER"), 403, "owner"},
		"an anonymous visitor's":                      {w.signedInstance(id, "VISITOR"), 403, "owner"},
		"an anonymous one's owner":                    {signed(payload(`,"aid":"x"`, now), appSecret), 403, "owner"},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.open(tt.parameter)
			if got.status != tt.status || !strings.Contains(got.text, tt.says) {
				t.Errorf("got %d %s", got.status, got.text)
			}
			if tt.status != 200 && strings.Contains(got.text, id) {
				t.Errorf("a refusal names the instance: %s", got.text)
			}
			if got.header.Get("Referrer-Policy") != "no-referrer" || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("the header is %v", got.header)
			}
		})
	}
	twice := w.ask(http.MethodGet, "/open?instance="+w.signedInstance(id, "USER")+"&instance=x", "")
	if twice.status != 401 {
		t.Errorf("two parameters: %d", twice.status)
	}
	if strings.Contains(w.log.String(), "eyJ") {
		t.Errorf("a parameter is in the log: %s", w.log)
	}
}

// TestServe_open_afterARemoval has an address from before the removal, which Wix has signed.
func TestServe_open_afterARemoval(t *testing.T) {
	key := newSigner(t)
	w := start(t, "WIX_PUBLIC_KEY="+key.public, product.EnvPrefix+"FRAME_ANCESTORS=https://a.example https://b.example")
	id := w.install()
	parameter := w.signedInstance(id, "USER")
	w.as(w.mint(wixsim.TokenRequest{Subject: "USER", InstanceID: id}), "/api/get-instance")
	if got := w.open(parameter); got.status != 200 || !strings.HasSuffix(got.header.Get("Content-Security-Policy"), "frame-ancestors https://a.example https://b.example") {
		t.Fatalf("before: %d %v", got.status, got.header)
	}
	if got := w.webhook(key.sign(t, id, "AppRemoved", time.Now().Add(2*time.Second), map[string]any{})); got.status != 200 {
		t.Fatal(got)
	}
	w.until("the removal is known", func() bool { return w.open(parameter).status == 404 })
	if got := w.open(parameter); !strings.Contains(got.text, "not on this site") || strings.Contains(got.text, id) {
		t.Errorf("after: %s", got.text)
	}
}

// TestServe_signedInstanceIsAToken passes the parameter as the token, as Wix documents.
func TestServe_signedInstanceIsAToken(t *testing.T) {
	w := start(t)
	id := w.install()
	parameter := w.signedInstance(id, "USER")
	for _, authorization := range []string{parameter, "Bearer " + parameter} {
		if got := w.as(authorization, "/api/get-instance"); got.status != 200 || !strings.Contains(got.text, id) {
			t.Errorf("got %d %s", got.status, got.text)
		}
	}
	if got := w.ask("POST", "/api/get-instance", parameter); got.status != 200 || !strings.Contains(got.text, id) {
		t.Errorf("as a body: %d %s", got.status, got.text)
	}
	if got := w.as(w.signedInstance(id, "VISITOR"), "/api/get-instance"); got.status != 200 || strings.Contains(got.text, id) {
		t.Errorf("a visitor's: %d %s", got.status, got.text)
	}
	if got := w.as(signed(`{"instanceId":"`+id+`"}`, foreignID), "/api/get-instance"); got.status != 401 || got.code() != "token_inactive" {
		t.Errorf("a forged one: %d %s", got.status, got.text)
	}
}
