package wix_test

// The requests on the wire, and the answers that are understood.

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nametag-dev/nametag/backend/wix"
)

const (
	token      = "OauthNG.JWS.secretheader.secretpayload.secretsignature"
	appSecret  = "0000-app-secret-0000"
	instanceID = "9a1b2c3d-0000-4000-8000-00000000abcd"
)

// serve returns a client of a server that answers with h.
func serve(t *testing.T, h http.HandlerFunc) *wix.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return connect(t, server.URL)
}

func connect(t *testing.T, baseURL string) *wix.Client {
	t.Helper()
	c := wix.New(wix.Options{BaseURL: baseURL, AppID: "app-1", AppSecret: appSecret, Timeout: 5 * time.Second})
	t.Cleanup(c.Close)
	return c
}

func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

func TestClient_requestsAreThoseOfTheSDK(t *testing.T) {
	type seen struct{ Line, Authorization, ContentType, Body string }
	tests := []struct {
		name string
		call func(context.Context, *wix.Client) error
		want seen
	}{
		{
			"token info posts the token and carries no Authorization",
			func(ctx context.Context, c *wix.Client) error { _, err := c.TokenInfo(ctx, token); return err },
			seen{"POST /oauth2/token-info", "", "application/json", `{"token":"` + token + `"}`},
		},
		{
			"app token posts the client credentials with instance_id, in the SDK's order",
			func(ctx context.Context, c *wix.Client) error { _, err := c.AppToken(ctx, instanceID); return err },
			seen{"POST /oauth2/token", "", "application/json",
				`{"instance_id":"` + instanceID + `","client_id":"app-1","client_secret":"` + appSecret + `","grant_type":"client_credentials"}`},
		},
		{
			"app instance sends the bare token and neither query nor body",
			func(ctx context.Context, c *wix.Client) error { _, err := c.AppInstance(ctx, token); return err },
			seen{"GET /apps/v1/instance", token, "", ""},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got seen
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = seen{r.Method + " " + r.URL.String(), r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(body)}
				_, _ = io.WriteString(w, `{"active":true,"access_token":"t","expires_in":1,"instance":{"instanceId":"i"}}`)
			})
			if err := tt.call(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestClient_TokenInfo_answers(t *testing.T) {
	exp := time.Unix(1715096067, 0).UTC()
	iat := time.Unix(1715081667, 0).UTC()
	tests := []struct {
		name, body string
		want       wix.TokenInfo
	}{
		{
			"every field, as the SDK types it",
			`{"active":true,"subjectType":"USER","subjectId":"s","exp":1715096067,"iat":1715081667,"clientId":"c",
			  "accountId":"a","siteId":"m","instanceId":"i","vendorProductId":"p"}`,
			wix.TokenInfo{Active: true, SubjectType: wix.SubjectUser, SubjectID: "s", Expires: exp, Issued: iat,
				ClientID: "c", AccountID: "a", SiteID: "m", InstanceID: "i", VendorProductID: "p"},
		},
		{"strings, as the documentation shows", `{"active":"true","exp":"1715096067","iat":"1715081667"}`,
			wix.TokenInfo{Active: true, Expires: exp, Issued: iat}},
		{`"active":"false" is not active`, `{"active":"false","exp":1715096067}`, wix.TokenInfo{Expires: exp}},
		{"false is not active", `{"active":false}`, wix.TokenInfo{}},
		{"active left out is not active", `{"exp":1715096067}`, wix.TokenInfo{Expires: exp}},
		{"active null is not active", `{"active":null}`, wix.TokenInfo{}},
		{"exp left out is the zero time", `{"active":true}`, wix.TokenInfo{Active: true}},
		{"exp null is the zero time", `{"active":true,"exp":null}`, wix.TokenInfo{Active: true}},
		{"exp that is no number is the zero time", `{"active":true,"exp":"soon"}`, wix.TokenInfo{Active: true}},
		{"exp that is an object is the zero time", `{"active":true,"exp":{"a":1}}`, wix.TokenInfo{Active: true}},
		{"exp that is NaN is the zero time", `{"active":true,"exp":"NaN"}`, wix.TokenInfo{Active: true}},
		{"exp beyond the year 9999 is the zero time", `{"active":true,"exp":1e300}`, wix.TokenInfo{Active: true}},
		{"exp with a fraction is cut to seconds", `{"active":true,"exp":1715096067.9}`, wix.TokenInfo{Active: true, Expires: exp}},
		{"a subject type that Wix adds is passed on", `{"active":true,"subjectType":"ROBOT"}`, wix.TokenInfo{Active: true, SubjectType: "ROBOT"}},
		{"ids are in lower case, other texts unchanged",
			`{"active":true,"clientId":"C","siteId":"M","instanceId":"I","vendorProductId":"Gold","subjectId":"S"}`,
			wix.TokenInfo{Active: true, ClientID: "c", SiteID: "m", InstanceID: "i", VendorProductID: "Gold", SubjectID: "S"}},
		{"nulls and odd types read as absent, unknown fields are ignored",
			`{"active":true,"clientId":null,"instanceId":7,"siteId":["x"],"new":{"deep":[1]}}`, wix.TokenInfo{Active: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := serve(t, answer(tt.body)).TokenInfo(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestClient_AppToken_answers(t *testing.T) {
	for name, body := range map[string]string{
		"expires_in as a number": `{"access_token":"t","token_type":"Bearer","expires_in":14400}`,
		"expires_in as a string": `{"access_token":"t","expires_in":"14400"}`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := serve(t, answer(body)).AppToken(t.Context(), instanceID)
			if want := (wix.AppToken{AccessToken: "t", ExpiresIn: 4 * time.Hour}); err != nil || got != want {
				t.Errorf("got %s for %v, %v", string(got.AccessToken), got.ExpiresIn, err)
			}
		})
	}
}

// everything has each field that Wix documents.
const everything = `{
  "instance": {
    "instanceId": "9a1b2c3d-0000-4000-8000-00000000abcd", "appName": "Nametag", "appVersion": "^1.0.0", "isFree": false,
    "billing": {"packageName": "premium", "billingCycle": "YEARLY", "timeStamp": "2026-01-02T03:04:05.678Z",
      "expirationDate": "2027-01-02T03:04:05.678Z", "autoRenewing": true, "invoiceId": "77", "source": "",
      "freeTrialInfo": {"status": "ENDED", "endDate": "2026-01-16T03:04:05Z"}},
    "permissions": ["WIX_DEVELOPERS.VERIFY"], "availablePlans": [{"packageName": "premium", "source": "dashboard"}, {"packageName": "basic", "source": ""}],
    "originInstanceId": "9a1b2c3d-0000-4000-8000-00000000ffff", "isOriginSiteTemplate": false, "copiedFromTemplate": true, "freeTrialAvailable": false
  },
  "site": {
    "siteDisplayName": "Ann's", "locale": "en", "paymentCurrency": "USD",
    "multilingual": {"isMultiLingual": true, "supportedLanguages": [{"languageCode": "de", "locale": {"languageCode": "de", "country": "CH"},
      "isPrimary": true, "countryCode": "CHE", "resolutionMethod": "SUBDIRECTORY", "isVisitorPrimary": false}]},
    "url": "https://ann.example", "description": "", "installedWixApps": ["stores", "blog"], "ownerEmail": "ann@example.com",
    "ownerInfo": {"email": "ann@example.com", "emailStatus": "VERIFIED_OPT_OUT"}, "siteId": "m", "siteUserType": "Channel DIY"
  }
}`

func TestAppInstance_encodesAsItWasRead(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"every field", everything, everything},
		{"absent stays absent", `{"instance":{"instanceId":"i"}}`, `{"instance":{"instanceId":"i"}}`},
		{"false, empty text and empty lists stay",
			`{"instance":{"instanceId":"i","isFree":false,"appName":"","permissions":[]},"site":{"url":""}}`,
			`{"instance":{"instanceId":"i","isFree":false,"appName":"","permissions":[]},"site":{"url":""}}`},
		{"null becomes absent",
			`{"instance":{"instanceId":"i","billing":null,"appVersion":null},"site":null}`, `{"instance":{"instanceId":"i"}}`},
		{"enum values that Wix adds are passed on",
			`{"instance":{"instanceId":"i","billing":{"billingCycle":"WEEKLY","freeTrialInfo":{"status":"PAUSED"}}}}`,
			`{"instance":{"instanceId":"i","billing":{"billingCycle":"WEEKLY","freeTrialInfo":{"status":"PAUSED"}}}}`},
		{"fields that Wix adds are dropped",
			`{"instance":{"instanceId":"i","secretSauce":1},"site":{"new":{}},"extra":[]}`, `{"instance":{"instanceId":"i"}}`},
		{"booleans may come as strings",
			`{"instance":{"instanceId":"i","isFree":"true","freeTrialAvailable":"false"}}`,
			`{"instance":{"instanceId":"i","isFree":true,"freeTrialAvailable":false}}`},
		{"a field of the wrong type is dropped alone",
			`{"instance":{"instanceId":"i","isFree":"maybe","billing":"none","permissions":{"a":1},"appName":"N"},"site":{"locale":5,"url":"u"}}`,
			`{"instance":{"instanceId":"i","appName":"N"},"site":{"url":"u"}}`},
		{"a site of the wrong type is dropped alone", `{"site":[],"instance":{"instanceId":"i"}}`, `{"instance":{"instanceId":"i"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			app, err := serve(t, answer(tt.body)).AppInstance(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(app)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(parse(t, tt.want), parse(t, string(got))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAppInstance_fields(t *testing.T) {
	app, err := serve(t, answer(everything)).AppInstance(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	billing := app.Instance.Billing.Value
	language := app.Site.Multilingual.Value.SupportedLanguages.Value[0]
	if billing.BillingCycle != wix.Some(wix.Yearly) || billing.FreeTrialInfo.Value.Status != wix.Some(wix.TrialEnded) ||
		language.ResolutionMethod != wix.Some(wix.BySubdirectory) || app.Site.OwnerInfo.Value.EmailStatus != wix.Some(wix.VerifiedOptOut) ||
		app.Instance.IsFree != wix.Some(false) || app.Instance.AvailablePlans.Value[1].PackageName != wix.Some("basic") {
		t.Errorf("misread: %+v", app)
	}
}

func parse(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
