package wixsim

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

func ptr[T any](v T) *T { return &v }

func TestMint_layoutOfWixsTokens(t *testing.T) {
	s := newSim(t)
	site := s.Installations()[0]
	tests := map[string]struct {
		req  TokenRequest
		want map[string]any
		own  map[string]func(string) bool // fields that differ in each token
	}{
		"visitor": {TokenRequest{Subject: Visitor}, map[string]any{"permissions": ""},
			map[string]func(string) bool{"aid": isGUID}},
		"member": {TokenRequest{Subject: Member}, map[string]any{"permissions": ""},
			map[string]func(string) bool{"uid": isGUID, "siteMemberId": isGUID}},
		"owner": {TokenRequest{Subject: User}, map[string]any{"permissions": "OWNER", "uid": site.OwnerID}, nil},
		"app":   {TokenRequest{Subject: App}, map[string]any{"permissions": "", "ps": testAppID + ":^1.0.0"}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			parts := strings.Split(mint(t, s, tt.req), ".")
			if len(parts) != 5 || parts[0] != "OauthNG" || parts[1] != "JWS" {
				t.Fatalf("the token is not OauthNG.JWS. and three parts")
			}
			decode := func(text string, v any) {
				b, err := base64.RawURLEncoding.DecodeString(text)
				if err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(b, v); err != nil {
					t.Fatal(err)
				}
			}
			var header map[string]string
			decode(parts[2], &header)
			if header["alg"] != "HS256" || len(header["kid"]) != 8 || len(header) != 2 {
				t.Errorf("header %v", header)
			}
			var payload struct {
				Data     string
				Iat, Exp int64
			}
			decode(parts[3], &payload)
			if payload.Iat != testTime.Unix() || payload.Exp-payload.Iat != 14400 {
				t.Errorf("iat %d, exp %d", payload.Iat, payload.Exp)
			}
			var data struct{ Instance map[string]any }
			if err := json.Unmarshal([]byte(payload.Data), &data); err != nil {
				t.Fatal(err)
			}
			want := map[string]any{"instanceId": site.InstanceID, "appDefId": testAppID, "demoMode": false,
				"siteOwnerId": site.OwnerID, "metaSiteId": site.SiteID,
				"signDate": "2026-05-04T03:02:01.000Z", "expirationDate": "2026-05-04T07:02:01.000Z"}
			for k, v := range tt.want {
				want[k] = v
			}
			for k, valid := range tt.own {
				if v, _ := data.Instance[k].(string); !valid(v) {
					t.Errorf("%s is %q", k, v)
				}
				delete(data.Instance, k)
			}
			if diff := cmp.Diff(want, data.Instance); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTokenInfo_activeTokens(t *testing.T) {
	s := newSim(t)
	free := s.Installations()[0]
	paid := install(t, s, InstallRequest{Plan: "premium"})
	base := func(in Installation, kind, id string) map[string]any {
		return map[string]any{"active": true, "subjectType": kind, "subjectId": id, "siteId": in.SiteID,
			"instanceId": in.InstanceID, "clientId": testAppID, "accountId": in.AccountID,
			"iat": float64(testTime.Unix()), "exp": float64(testTime.Unix() + 14400)}
	}
	with := func(m map[string]any, k string, v any) map[string]any {
		if m[k] = v; v == nil {
			delete(m, k)
		}
		return m
	}
	const own = "differs in each token"
	tests := map[string]struct {
		req  TokenRequest
		want map[string]any
	}{
		"a visitor":                     {TokenRequest{Subject: Visitor}, base(free, "VISITOR", own)},
		"a member":                      {TokenRequest{Subject: Member}, base(free, "MEMBER", own)},
		"the owner":                     {TokenRequest{Subject: User}, base(free, "USER", free.OwnerID)},
		"the app":                       {TokenRequest{Subject: App}, base(free, "APP", testAppID)},
		"a given instance, with a plan": {TokenRequest{Subject: User, InstanceID: paid.InstanceID}, with(base(paid, "USER", paid.OwnerID), "vendorProductId", "premium")},
		"a short life":                  {TokenRequest{Subject: User, TTL: 1500 * time.Millisecond}, with(base(free, "USER", free.OwnerID), "exp", float64(testTime.Unix()+2))},
		"active, set explicitly":        {TokenRequest{Subject: App, Active: ptr(true)}, base(free, "APP", testAppID)},
		"another app's token is genuine, and its clientId is the other app": {TokenRequest{Subject: User, AppID: otherAppID},
			with(with(base(free, "USER", free.OwnerID), "clientId", otherAppID), "accountId", nil)},
		"another app's token of an instance unknown here": {TokenRequest{Subject: App, AppID: otherAppID, InstanceID: noSuchID},
			map[string]any{"active": true, "subjectType": "APP", "subjectId": otherAppID, "clientId": otherAppID, "instanceId": noSuchID,
				"siteId": derivedID("site", noSuchID), "iat": float64(testTime.Unix()), "exp": float64(testTime.Unix() + 14400)}},
		"no instance": {TokenRequest{Subject: Visitor, NoInstance: true},
			with(with(with(base(free, "VISITOR", own), "siteId", nil), "instanceId", nil), "accountId", nil)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := ask(s.REST(), "POST", "/oauth2/token-info", quote("token", mint(t, s, tt.req)))
			got := object(t, w)
			if tt.want["subjectId"] == own {
				if id, _ := got["subjectId"].(string); !isGUID(id) {
					t.Errorf("subjectId %v", got["subjectId"])
				}
				got["subjectId"] = own
			}
			if diff := cmp.Diff(tt.want, got); w.Code != 200 || diff != "" {
				t.Error(w.Code, diff)
			}
		})
	}
}

func TestMint_eachVisitorHasAnID(t *testing.T) {
	s := newSim(t)
	subject := func() any {
		return object(t, ask(s.REST(), "POST", "/oauth2/token-info", quote("token", mint(t, s, TokenRequest{Subject: Visitor}))))["subjectId"]
	}
	if subject() == subject() {
		t.Error("two visitors have one id")
	}
}

func TestTokenInfo_inactiveTokens(t *testing.T) {
	s := newSim(t)
	gone := install(t, s, InstallRequest{})
	removed := mint(t, s, TokenRequest{Subject: App, InstanceID: gone.InstanceID})
	s.Uninstall(gone.InstanceID)
	stranger := newSim(t)
	stranger.keys.Live.ID = s.keys.Live.ID // the same key id, another key
	good := mint(t, s, TokenRequest{Subject: User})

	// signed makes a token with a genuine key, as no one else could.
	signed := func(method jwt.SigningMethod, key any, claims jwt.MapClaims, header map[string]any) string {
		token := jwt.NewWithClaims(method, claims)
		token.Header["kid"] = s.keys.Live.ID
		for k, v := range header {
			token.Header[k] = v
		}
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return tokenPrefix + text
	}
	secret := s.keys.Live.Secret
	exp := testTime.Add(time.Hour).Unix()
	data := `{"instance":{"appDefId":"` + testAppID + `","uid":"` + noSuchID + `"}}`
	parts := strings.Split(good, ".")
	tampered := func(i int, text string) string {
		p := append([]string(nil), parts...)
		p[i] = text
		return strings.Join(p, ".")
	}
	tests := map[string]string{
		"expired":                       mint(t, s, TokenRequest{Subject: User, TTL: -time.Minute}),
		"expiring this very second":     mint(t, s, TokenRequest{Subject: User, TTL: -time.Nanosecond}),
		"revoked":                       mint(t, s, TokenRequest{Subject: User, Active: ptr(false)}),
		"of a removed instance":         removed,
		"of another Wix":                mint(t, stranger, TokenRequest{Subject: User}),
		"with another payload":          tampered(3, parts[3][:len(parts[3])-4]+"AAAA"),
		"without a signature":           tampered(4, ""),
		"with alg none":                 signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, jwt.MapClaims{"data": data, "exp": exp, "iat": exp}, nil),
		"with alg HS512, the right key": signed(jwt.SigningMethodHS512, secret, jwt.MapClaims{"data": data, "exp": exp, "iat": exp}, nil),
		"without a key id":              signed(jwt.SigningMethodHS256, secret, jwt.MapClaims{"data": data, "exp": exp, "iat": exp}, map[string]any{"kid": nil}),
		"without an end":                signed(jwt.SigningMethodHS256, secret, jwt.MapClaims{"data": data, "iat": exp}, nil),
		"whose data is no JSON":         signed(jwt.SigningMethodHS256, secret, jwt.MapClaims{"data": "?", "exp": exp, "iat": exp}, nil),
		"without its prefix":            strings.TrimPrefix(good, tokenPrefix),
		"with its prefix in lower case": "oauthng.jws." + strings.TrimPrefix(good, tokenPrefix),
		"with Bearer before it":         "Bearer " + good,
		"with a newline after it":       good + "\n",
		"the prefix alone":              tokenPrefix,
		"garbage":                       "garbage",
		"garbage after the prefix":      tokenPrefix + "a.b.c",
		"a legacy signed instance":      "c2lnbmF0dXJl.eyJpbnN0YW5jZUlkIjoieCJ9",
		"half a megabyte":               strings.Repeat("x", 1<<19),
	}
	for name, token := range tests {
		t.Run(name, func(t *testing.T) {
			w := ask(s.REST(), "POST", "/oauth2/token-info", quote("token", token))
			if got := w.Body.String(); w.Code != 200 || got != "{\"active\":false}\n" {
				t.Errorf("%d %s", w.Code, got)
			}
			// Such a token opens nothing else either.
			if w := ask(s.REST(), "GET", "/apps/v1/instance", "", "Authorization", token); w.Code != 401 && name != "with Bearer before it" && name != "with a newline after it" {
				t.Errorf("the instance answers %d", w.Code)
			}
			w = ask(s.REST(), "POST", "/oauth2/token", quote("grant_type", "strip_bound_session", "client_secret", testSecret, "access_token", token))
			if got := object(t, w)["error"]; w.Code != 400 || got != "invalid_grant" {
				t.Errorf("strip_bound_session answers %d %v", w.Code, got)
			}
		})
	}
	// The rows above fail for their own reason: the untouched token is fine, and so
	// is one that is made like them, with nothing wrong.
	for name, token := range map[string]string{
		"untouched": good,
		"made here": signed(jwt.SigningMethodHS256, secret, jwt.MapClaims{"data": data, "exp": exp, "iat": exp}, nil),
	} {
		if got := object(t, ask(s.REST(), "POST", "/oauth2/token-info", quote("token", token)))["active"]; got != true {
			t.Errorf("%s: active is %v", name, got)
		}
	}
}

func TestTokenInfo_expiry(t *testing.T) {
	now := testTime
	s := newSim(t, func(c *Config) { c.Now = func() time.Time { return now }; c.TokenTTL = time.Minute })
	token := mint(t, s, TokenRequest{Subject: Visitor})
	for _, tt := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {59400 * time.Millisecond, true}, {59500 * time.Millisecond, false}, {time.Hour, false}} {
		now = testTime.Add(tt.after)
		if got := object(t, ask(s.REST(), "POST", "/oauth2/token-info", quote("token", token)))["active"]; got != tt.want {
			t.Errorf("after %v: active is %v", tt.after, got)
		}
	}
}

func TestTokenInfo_stringFields(t *testing.T) {
	s := newSim(t, behaving(func(b *Behavior) { b.StringFields = true }))
	got := object(t, ask(s.REST(), "POST", "/oauth2/token-info", quote("token", mint(t, s, TokenRequest{Subject: App}))))
	if got["active"] != "true" || got["exp"] != "1777878121" || got["iat"] != "1777863721" {
		t.Errorf("active %v, exp %v, iat %v", got["active"], got["exp"], got["iat"])
	}
	w := ask(s.REST(), "POST", "/oauth2/token-info", quote("token", "?"))
	if got := w.Body.String(); got != "{\"active\":\"false\"}\n" {
		t.Errorf("inactive: %s", got)
	}
}

func TestMint_refuses(t *testing.T) {
	s := newSim(t)
	empty := newSim(t)
	empty.Uninstall(empty.Installations()[0].InstanceID)
	tests := map[string]struct {
		s   *Sim
		req TokenRequest
	}{
		"no subject":                      {s, TokenRequest{}},
		"a subject that Wix has not":      {s, TokenRequest{Subject: "visitor"}},
		"an instance that is no GUID":     {s, TokenRequest{Subject: App, InstanceID: "x"}},
		"an instance without hyphens":     {s, TokenRequest{Subject: App, InstanceID: strings.ReplaceAll(noSuchID, "-", "")}},
		"an instance and none":            {s, TokenRequest{Subject: App, InstanceID: s.Installations()[0].InstanceID, NoInstance: true}},
		"an instance that is not there":   {s, TokenRequest{Subject: App, InstanceID: noSuchID}},
		"the first where there is none":   {empty, TokenRequest{Subject: App}},
		"a life too long":                 {s, TokenRequest{Subject: App, TTL: maxTTL + 1}},
		"an app id too long":              {s, TokenRequest{Subject: App, AppID: strings.Repeat("x", 101)}},
		"an app id that is not UTF-8":     {s, TokenRequest{Subject: App, AppID: "\xff"}},
		"another app's broken instanceId": {s, TokenRequest{Subject: App, AppID: otherAppID, InstanceID: "{" + noSuchID + "}"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if token, expires, err := tt.s.Mint(tt.req); err == nil || token != "" || !expires.IsZero() {
				t.Errorf("a token was made; error %v", err)
			}
		})
	}
}

func TestTokenEndpoint(t *testing.T) {
	s := newSim(t)
	strict := newSim(t, behaving(func(b *Behavior) { b.Strict = true }))
	id, strictID := s.Installations()[0].InstanceID, strict.Installations()[0].InstanceID
	gone := install(t, s, InstallRequest{})
	s.Uninstall(gone.InstanceID)
	grant := func(pairs ...string) string {
		m := map[string]any{"grant_type": "client_credentials", "client_id": testAppID, "client_secret": testSecret, "instance_id": id}
		for i := 0; i < len(pairs); i += 2 {
			if m[pairs[i]] = pairs[i+1]; pairs[i+1] == "(absent)" {
				delete(m, pairs[i])
			}
		}
		b, _ := json.Marshal(m)
		return string(b)
	}
	visitor := mint(t, s, TokenRequest{Subject: Visitor})
	strip := func(secret, token string) string {
		return quote("grant_type", "strip_bound_session", "client_secret", secret, "access_token", token)
	}
	tests := map[string]struct {
		s      *Sim
		body   string
		status int
		err    string
	}{
		"the app's own identity":                  {s, grant(), 200, ""},
		"fields that Wix does not know":           {s, grant("scope", "x"), 200, ""},
		"no grant":                                {s, grant("grant_type", "(absent)"), 400, "invalid_request"},
		"a refresh token":                         {s, grant("grant_type", "refresh_token"), 400, "unsupported_grant_type"},
		"an authorisation code":                   {s, grant("grant_type", "authorization_code"), 400, "unsupported_grant_type"},
		"an anonymous visitor":                    {s, grant("grant_type", "anonymous"), 400, "unsupported_grant_type"},
		"the grant in upper case":                 {s, grant("grant_type", "CLIENT_CREDENTIALS"), 400, "unsupported_grant_type"},
		"no client id":                            {s, grant("client_id", "(absent)"), 400, "invalid_request"},
		"no secret":                               {s, grant("client_secret", ""), 400, "invalid_request"},
		"no instance":                             {s, grant("instance_id", "(absent)"), 200, ""},
		"no instance and a wrong secret":          {s, grant("instance_id", "(absent)", "client_secret", "x"), 401, "invalid_client"},
		"an empty instance":                       {s, grant("instance_id", ""), 400, "invalid_request"},
		"instanceId instead of instance_id":       {s, grant("instance_id", "(absent)", "instanceId", id), 200, ""},
		"an empty instanceId":                     {s, grant("instance_id", "(absent)", "instanceId", ""), 400, "invalid_request"},
		"an unknown instanceId":                   {s, grant("instance_id", "(absent)", "instanceId", noSuchID), 404, "not_found"},
		"both: instance_id counts":                {s, grant("instanceId", noSuchID), 200, ""},
		"both: instance_id is empty":              {s, grant("instance_id", "", "instanceId", id), 400, "invalid_request"},
		"strict: instanceId":                      {strict, grant("instance_id", "(absent)", "instanceId", strictID), 400, "invalid_request"},
		"strict: instance_id":                     {strict, grant("instance_id", strictID), 200, ""},
		"strict: both":                            {strict, grant("instance_id", strictID, "instanceId", noSuchID), 200, ""},
		"strict: neither":                         {strict, grant("instance_id", "(absent)"), 200, ""},
		"Instance_Id instead of instance_id":      {s, grant("instance_id", "(absent)", "Instance_Id", id), 400, "invalid_request"},
		"instanceID instead of instance_id":       {s, grant("instance_id", "(absent)", "instanceID", id), 400, "invalid_request"},
		"a number for the instance":               {s, `{"grant_type":"client_credentials","client_id":"a","client_secret":"b","instance_id":5}`, 400, "invalid_request"},
		"another app's id":                        {s, grant("client_id", otherAppID), 401, "invalid_client"},
		"a wrong secret":                          {s, grant("client_secret", testSecret+"x"), 401, "invalid_client"},
		"a wrong secret for an unknown instance":  {s, grant("client_secret", "x", "instance_id", noSuchID), 401, "invalid_client"},
		"an instance that is not installed":       {s, grant("instance_id", noSuchID), 404, "not_found"},
		"an instance that has been removed":       {s, grant("instance_id", gone.InstanceID), 404, "not_found"},
		"a form":                                  {s, "grant_type=client_credentials", 400, "invalid_request"},
		"nothing":                                 {s, "", 400, "invalid_request"},
		"null":                                    {s, "null", 400, "invalid_request"},
		"a list":                                  {s, "[]", 400, "invalid_request"},
		"two objects":                             {s, grant() + grant(), 400, "invalid_request"},
		"half an object":                          {s, grant()[:20], 400, "invalid_request"},
		"text that is not UTF-8":                  {s, `{"grant_type":"` + "\xff" + `"}`, 400, "invalid_request"},
		"JSON too deep":                           {s, strings.Repeat(`{"a":`, 20000), 400, "invalid_request"},
		"a stripped session":                      {s, strip(testSecret, visitor), 200, ""},
		"a stripped session, wrong secret":        {s, strip("x", visitor), 401, "invalid_client"},
		"a stripped session, no secret":           {s, strip("", visitor), 400, "invalid_request"},
		"a stripped session, no token":            {s, strip(testSecret, ""), 400, "invalid_request"},
		"a stripped session, another app's token": {s, strip(testSecret, mint(t, s, TokenRequest{Subject: Visitor, AppID: otherAppID})), 400, "invalid_grant"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := ask(tt.s.REST(), "POST", "/oauth2/token", tt.body)
			got := object(t, w)
			if tt.status != 200 {
				if got["error"] != tt.err || got["error_description"] == "" || len(got) != 2 || w.Code != tt.status {
					t.Errorf("%d %v", w.Code, got)
				}
				return
			}
			if w.Code != 200 || got["token_type"] != "Bearer" || got["expires_in"] != 14400.0 || len(got) != 3 {
				t.Errorf("%d %v", w.Code, got)
			}
			info := object(t, ask(tt.s.REST(), "POST", "/oauth2/token-info", quote("token", got["access_token"].(string))))
			kind, instance := "APP", any(tt.s.Installations()[0].InstanceID)
			if strings.Contains(tt.body, "strip") {
				kind = "VISITOR"
			} else if !strings.Contains(tt.body, "nstance") {
				instance = nil
			}
			if info["active"] != true || info["subjectType"] != kind || info["clientId"] != testAppID || info["instanceId"] != instance {
				t.Errorf("the token is %v", info)
			}
		})
	}
}

func TestTokenEndpoint_strippingDoesNotProlong(t *testing.T) {
	s := newSim(t)
	body := quote("grant_type", "strip_bound_session", "client_secret", testSecret,
		"access_token", mint(t, s, TokenRequest{Subject: Member, TTL: time.Minute}))
	if got := object(t, ask(s.REST(), "POST", "/oauth2/token", body))["expires_in"]; got != 60.0 {
		t.Errorf("expires_in %v, want 60", got)
	}
}

func TestTokenInfo_refusesBadRequests(t *testing.T) {
	s := newSim(t)
	tests := map[string]struct {
		method, body string
		status       int
		violation    string // the field of a validationError
	}{
		"no token":            {"POST", `{}`, 400, "token"},
		"an empty token":      {"POST", `{"token":""}`, 400, "token"},
		"null":                {"POST", `{"token":null}`, 400, "token"},
		"a number":            {"POST", `{"token":5}`, 400, "token"},
		"TOKEN":               {"POST", `{"TOKEN":"x"}`, 400, "token"},
		"no JSON":             {"POST", `token=x`, 400, ""},
		"no object":           {"POST", `"x"`, 400, ""},
		"not UTF-8":           {"POST", "{\"token\":\"\xff\"}", 400, ""},
		"GET":                 {"GET", ``, 405, ""},
		"PUT":                 {"PUT", `{"token":"x"}`, 405, ""},
		"OPTIONS":             {"OPTIONS", ``, 405, ""},
		"one byte over a MiB": {"POST", strings.Repeat(" ", 1<<20+1), 413, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := ask(s.REST(), tt.method, "/oauth2/token-info", tt.body)
			got := object(t, w)
			if w.Code != tt.status || got["message"] == "" {
				t.Errorf("%d %v", w.Code, got)
			}
			want := map[string]any{}
			if tt.violation != "" {
				violations := got["details"].(map[string]any)["validationError"].(map[string]any)["fieldViolations"].([]any)
				first := violations[0].(map[string]any)
				if len(violations) != 1 || first["field"] != tt.violation || first["description"] == "" || first["violatedRule"] == "" {
					t.Errorf("violations %v", violations)
				}
			} else if diff := cmp.Diff(want, got["details"]); diff != "" {
				t.Error(diff)
			}
			if tt.status == 405 && w.Header().Get("Allow") != "POST" {
				t.Errorf("Allow is %q", w.Header().Get("Allow"))
			}
		})
	}
}

func TestREST_requestIDs(t *testing.T) {
	s := newSim(t)
	seen := map[string]bool{}
	if err := s.SetFault(Fault{Endpoint: "token", Status: 503}); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		for _, path := range []string{"/oauth2/token-info", "/oauth2/token", "/apps/v1/instance", "/", "/apps/v2/instance"} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				seen[ask(s.REST(), method, path, "{}").Header().Get("x-wix-request-id")] = true
			}
		}
	}
	if len(seen) != 1000 || seen[""] {
		t.Errorf("1000 answers have %d ids", len(seen))
	}
}
