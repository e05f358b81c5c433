package wixsim

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func signedInstanceOf(t *testing.T, s *Sim, instanceID, subject string) string {
	t.Helper()
	text, err := s.SignedInstance(instanceID, subject)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// sealed signs a payload with the secret of a Sim.
func sealed(s *Sim, payload string) string {
	encoded := base64.RawURLEncoding.EncodeToString([]byte(payload))
	return s.signature(encoded) + "." + encoded
}

func TestSignedInstance_layout(t *testing.T) {
	s := newSim(t)
	first := s.Installations()[0]
	site := install(t, s, InstallRequest{Plan: "gold", OriginInstanceID: first.InstanceID})
	const own = "differs each time"
	base := map[string]any{"instanceId": site.InstanceID, "appDefId": testAppID, "demoMode": false,
		"signDate": "2026-05-04T03:02:01.500Z", "expirationDate": "2026-05-04T07:02:01.500Z", "permissions": "",
		"siteOwnerId": site.OwnerID, "pai": nil, "lpai": nil, "vendorProductId": "gold", "originInstanceId": first.InstanceID}
	for subject, also := range map[string]map[string]any{
		User:    {"uid": site.OwnerID, "permissions": "OWNER", "loginAccountId": site.AccountID},
		App:     {"permissions": "OWNER"},
		Member:  {"uid": own, "siteMemberId": own},
		Visitor: {"aid": own},
	} {
		t.Run(subject, func(t *testing.T) {
			_, payload, _ := strings.Cut(signedInstanceOf(t, s, site.InstanceID, subject), ".")
			text, err := base64.RawURLEncoding.DecodeString(payload)
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			want := map[string]any{}
			for _, m := range []map[string]any{base, also} {
				for k, v := range m {
					if want[k] = v; v == own {
						want[k] = got[k]
						if id, _ := got[k].(string); !isGUID(id) {
							t.Errorf("%s is %v", k, got[k])
						}
					}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	_, payload, _ := strings.Cut(signedInstanceOf(t, s, "", User), ".")
	if text, _ := base64.RawURLEncoding.DecodeString(payload); !strings.Contains(string(text), first.InstanceID) || strings.Contains(string(text), "vendorProductId") {
		t.Errorf("the first site on the free plan: %s", text)
	}
	if _, err := s.SignedInstance(noSuchID, User); !errors.Is(err, ErrNotInstalled) {
		t.Error(err)
	}
	if _, err := s.SignedInstance("", "OWNER"); err == nil {
		t.Error("a subject that Wix has not")
	}
}

func TestTokenInfo_signedInstances(t *testing.T) {
	now := testTime
	s := newSim(t, func(c *Config) { c.Now = func() time.Time { return now } })
	site := s.Installations()[0]
	info := func(token string) map[string]any {
		return object(t, ask(s.REST(), "POST", "/oauth2/token-info", quote("token", token)))
	}
	for _, subject := range []string{User, App, Member, Visitor} {
		got := info(signedInstanceOf(t, s, "", subject))
		if id, _ := got["subjectId"].(string); !isGUID(id) {
			t.Errorf("subjectId %v", got["subjectId"])
		}
		delete(got, "subjectId")
		want := map[string]any{"active": true, "subjectType": subject, "clientId": testAppID, "instanceId": site.InstanceID,
			"siteId": site.SiteID, "accountId": site.AccountID, "iat": float64(testTime.Unix()), "exp": float64(testTime.Unix() + 14400)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(subject, diff)
		}
	}

	start := `{"instanceId":"` + site.InstanceID + `","appDefId":"` + testAppID + `"`
	dates := `,"signDate":"2026-05-04T03:02:01.500Z","expirationDate":"2026-05-04T07:02:01.500Z"`
	for name, text := range map[string]string{
		"made here":                            start + dates + `}`,
		"an owner with a member's id":          start + dates + `,"uid":"u","permissions":"OWNER","siteMemberId":"m"}`,
		"without an end":                       start + `,"signDate":"2026-05-04T03:02:01.500Z"}`,
		"with fields that Wix does not know":   start + dates + `,"x":{"y":[]}}`,
		"with null for what is not documented": start + dates + `,"pai":null,"lpai":null}`,
	} {
		t.Run(name, func(t *testing.T) {
			got := info(sealed(s, text))
			if got["active"] != true || strings.Contains(text, "OWNER") && got["subjectType"] != "USER" {
				t.Error(got)
			}
		})
	}

	good := signedInstanceOf(t, s, "", User)
	signature, payload, _ := strings.Cut(good, ".")
	gone := install(t, s, InstallRequest{})
	removed := signedInstanceOf(t, s, gone.InstanceID, User)
	s.Uninstall(gone.InstanceID)
	other := newSim(t, func(c *Config) { c.AppSecret = "another" })
	for name, text := range map[string]string{
		"of a removed instance":           removed,
		"of another app's secret":         sealed(other, start+dates+`}`),
		"of another app":                  sealed(s, strings.Replace(start, testAppID, otherAppID, 1)+dates+`}`),
		"of no app":                       sealed(s, `{"instanceId":"`+site.InstanceID+`"`+dates+`}`),
		"of an unknown instance":          sealed(s, strings.Replace(start, site.InstanceID, noSuchID, 1)+dates+`}`),
		"of no instance":                  sealed(s, `{"appDefId":"`+testAppID+`"`+dates+`}`),
		"without a date":                  sealed(s, start+`}`),
		"with a date that is none":        sealed(s, start+`,"signDate":"today"}`),
		"with an end that is none":        sealed(s, start+`,"signDate":"2026-05-04T03:02:01.500Z","expirationDate":"never"}`),
		"expired":                         sealed(s, start+`,"signDate":"2026-05-04T03:02:01.500Z","expirationDate":"2026-05-04T03:02:01.500Z"}`),
		"with a number for an id":         sealed(s, `{"instanceId":5}`),
		"with another payload":            signature + "." + base64.RawURLEncoding.EncodeToString([]byte(start+dates+`}`)),
		"without a signature":             "." + payload,
		"with its parts in another order": payload + "." + signature,
		"with a third part":               good + ".x",
		"with padding":                    good + "=",
		"with a newline":                  good + "\n",
		"with a space before it":          " " + good,
		"no JSON":                         sealed(s, "x"),
		"no UTF-8":                        sealed(s, "{\"instanceId\":\"\xff\"}"),
	} {
		t.Run(name, func(t *testing.T) {
			if got := info(text); got["active"] != false || len(got) != 1 {
				t.Error(got)
			}
		})
	}

	// It is no access token: what Wix does not document, it does not open.
	if w := ask(s.REST(), "GET", "/apps/v1/instance", "", "Authorization", good); w.Code != 401 {
		t.Errorf("the instance answers %d", w.Code)
	}
	if now = testTime.Add(4*time.Hour - 501*time.Millisecond); info(good)["active"] != true {
		t.Error("it ends early")
	}
	if now = testTime.Add(4*time.Hour - 500*time.Millisecond); info(good)["active"] != false {
		t.Error("it does not end")
	}
}

func TestControl_signedInstance(t *testing.T) {
	s := newSim(t)
	id := s.Installations()[0].InstanceID
	w := ask(s.Handler(), "POST", "/_sim/tokens", `{"subject":"USER","instanceId":"`+id+`","signedInstance":true}`)
	if got := object(t, w); got["token"] != signedInstanceOf(t, s, id, User) || got["expires"] != "2026-05-04T07:02:01.500Z" {
		t.Errorf("%d %v", w.Code, got)
	}
	for _, tt := range []struct {
		fields string
		status int
	}{
		{`"subject":"USER","ttl":"1h"`, 422}, {`"subject":"USER","active":false`, 422}, {`"subject":"USER","count":1`, 422},
		{`"subject":"MEMBER","member":"bo@example.com"`, 422},
		{`"subject":"USER","noInstance":true`, 422}, {`"subject":"USER","appId":"x"`, 422}, {`"subject":"OWNER"`, 422},
		{`"subject":"USER","instanceId":"` + noSuchID + `"`, 404},
	} {
		if w := ask(s.Handler(), "POST", "/_sim/tokens", `{"signedInstance":true,`+tt.fields+`}`); w.Code != tt.status {
			t.Errorf("%s: %d %s", tt.fields, w.Code, w.Body)
		}
	}
}
