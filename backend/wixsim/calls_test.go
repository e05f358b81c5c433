package wixsim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// detail asks for the latest call with its headers and bodies.
func detail(t *testing.T, s *Sim) map[string]any {
	t.Helper()
	calls := s.Calls()
	w := ask(s.Handler(), "GET", fmt.Sprint("/_sim/calls/", calls[len(calls)-1].ID), "")
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return object(t, w)
}

func TestCall_detail(t *testing.T) {
	s := newSim(t)
	in := install(t, s, InstallRequest{OwnerEmail: "ada@owner.example", SiteDisplayName: "Bakery"})
	app := mint(t, s, TokenRequest{Subject: App, InstanceID: in.InstanceID})
	ask(s.REST(), "GET", "/apps/v1/instance?q=1", "", "Authorization", "Bearer "+app, "X-Mine", "yes")
	got := detail(t, s)
	header, _ := got["requestHeaders"].(map[string]any)
	answer, _ := got["responseHeaders"].(map[string]any)
	body, _ := got["responseBody"].(string)
	if header["X-Mine"] != "yes" || header["Authorization"] != "Bearer OauthN…"+app[len(app)-4:] ||
		answer["Content-Type"] != "application/json" || answer["X-Wix-Request-Id"] == nil ||
		got["query"] != "q=1" || got["stored"] != true || got["status"] != 200.0 || got["instanceId"] != in.InstanceID {
		t.Errorf("%v", got)
	}
	if !strings.Contains(body, `"siteDisplayName":"Bakery"`) || !strings.Contains(body, `"ownerEmail":"…@…"`) {
		t.Error(body)
	}

	if err := s.SetFault(Fault{BodyBytes: 1 << 20, Count: 1}); err != nil {
		t.Fatal(err)
	}
	ask(s.REST(), "POST", "/oauth2/token", strings.Repeat("é", 1<<19))
	got = detail(t, s)
	if request, _ := got["requestBody"].(string); got["fault"] != true || len(request) != maxText || len(got["responseBody"].(string)) != maxText {
		t.Errorf("%v, %d and %d bytes", got["fault"], len(request), len(got["responseBody"].(string)))
	}
	ask(s.REST(), "GET", "/site-list/v2/sites", "")
	if got = detail(t, s); got["notSimulated"] != true || got["fault"] != false {
		t.Errorf("%v", got)
	}
	for path, status := range map[string]int{"/_sim/calls/99": 404, "/_sim/calls/x": 404, "/_sim/calls?limit=0": 422, "/_sim/calls?max=1": 422} {
		if w := ask(s.Handler(), "GET", path, ""); w.Code != status {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	list := ask(s.Handler(), "GET", "/_sim/calls?limit=1&instanceId="+strings.ToUpper(in.InstanceID), "").Body.String()
	if strings.Count(list, `"id"`) != 1 || !strings.Contains(list, "/apps/v1/instance") {
		t.Error(list)
	}
}

func TestCall_hidesSecrets(t *testing.T) {
	s := newSim(t)
	token := mint(t, s, TokenRequest{Subject: User})
	signed := strings.TrimPrefix(token, tokenPrefix)
	const instance = "Zmlyc3QtaGFsZi1vZi1hLXNpZ25hdHVyZS1vZi0zMmJ5dGVz.eyJpbnN0YW5jZUlkIjoieCJ9"
	secrets := []string{token, signed, signed[:60], instance, testSecret, "s3cret-of-another-app", "refresh-0123456789abcdefgh", "ada@owner.example", "ada%40owner.example", `qu"oted-secret`}
	for _, text := range []string{
		quote("token", token), quote("token", signed), quote("client_secret", testSecret, "access_token", token),
		quote("clientSecret", "s3cret-of-another-app"), quote("refresh_token", "refresh-0123456789abcdefgh"), quote("secret", `qu"oted-secret`),
		`{"inner":"{\"client_secret\":\"s3cret-of-another-app\",\"refreshToken\":\"refresh-0123456789abcdefgh\"}"}`,
		"grant_type=refresh_token&refresh_token=refresh-0123456789abcdefgh&client_secret=s3cret-of-another-app",
		"instance=" + instance + "&email=ada%40owner.example", "plain " + instance, "mail ada@owner.example", signed[:60],
		quote("token", token)[:80], `{"client_secret":"s3cret-of-another-app`,
	} {
		masked := s.mask(text)
		for _, secret := range secrets {
			if strings.Contains(masked, secret) || strings.Contains(masked, strings.ReplaceAll(secret, `"`, `\"`)) {
				t.Errorf("%s\nshows %s", masked, secret)
			}
		}
		if masked == text {
			t.Errorf("%s is shown as it is", text)
		}
	}
	for _, text := range []string{"", `{"code":"NOT_FOUND","token_type":"Bearer","expires_in":3}`, "/apps/v1/instance", `{"instance":{"instanceId":"` + noSuchID + `"}}`} {
		if got := s.mask(text); got != text {
			t.Errorf("%s becomes %s", text, got)
		}
	}
	header := s.maskHeader(http.Header{"Authorization": {token}, "Cookie": {"a=b; session=0123456789"}, "X-Api-Key": {"0123456789"}})
	if all := fmt.Sprint(header); strings.Contains(all, signed) || strings.Contains(all, "0123456789") {
		t.Error(all)
	}
}

func TestCalls_textsAreBounded(t *testing.T) {
	s := newSim(t)
	body := strings.Repeat("x", maxText)
	for range 2 * maxTexts {
		ask(s.REST(), "POST", "/x", body)
	}
	size := 0
	for _, text := range s.calls.texts {
		size += text.size()
	}
	if n := len(s.calls.texts); n == 0 || n > maxTexts || size > maxTextBytes || size != s.calls.bytes {
		t.Errorf("%d texts of %d bytes, counted as %d", n, size, s.calls.bytes)
	}
	first := object(t, ask(s.Handler(), "GET", "/_sim/calls/1", ""))
	if first["stored"] != false || first["requestBody"] != "" || first["path"] != "/x" {
		t.Errorf("%v", first)
	}
	s.ClearCalls()
	ask(s.REST(), "POST", "/y", body)
	if got := detail(t, s); got["path"] != "/y" || got["requestBody"] != body {
		t.Errorf("%v", got["path"])
	}
}
