package wixsim

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInstanceEndpoint_whoMayRead(t *testing.T) {
	s := newSim(t)
	app, owner := mint(t, s, TokenRequest{Subject: App}), mint(t, s, TokenRequest{Subject: User})
	tests := map[string]struct {
		header []string
		status int
		code   any // of the applicationError
	}{
		"the app":                        {[]string{"Authorization", app}, 200, nil},
		"the app, with Bearer":           {[]string{"Authorization", "Bearer " + app}, 200, nil},
		"the app, with bEARER":           {[]string{"Authorization", "bEARER  " + app}, 200, nil},
		"the owner":                      {[]string{"Authorization", owner}, 200, nil},
		"a visitor":                      {[]string{"Authorization", mint(t, s, TokenRequest{Subject: Visitor})}, 403, "PERMISSION_DENIED"},
		"a member":                       {[]string{"Authorization", mint(t, s, TokenRequest{Subject: Member})}, 403, "PERMISSION_DENIED"},
		"another app":                    {[]string{"Authorization", mint(t, s, TokenRequest{Subject: App, AppID: otherAppID})}, 404, "NOT_FOUND"},
		"the app, without an instance":   {[]string{"Authorization", mint(t, s, TokenRequest{Subject: App, NoInstance: true})}, 404, "NOT_FOUND"},
		"no header":                      {nil, 401, nil},
		"an empty header":                {[]string{"Authorization", ""}, 401, nil},
		"Bearer alone":                   {[]string{"Authorization", "Bearer "}, 401, nil},
		"Basic":                          {[]string{"Authorization", "Basic " + app}, 401, nil},
		"Bearer twice":                   {[]string{"Authorization", "Bearer Bearer " + app}, 401, nil},
		"the app, its token expired":     {[]string{"Authorization", mint(t, s, TokenRequest{Subject: App, TTL: -1})}, 401, nil},
		"the app, its token revoked":     {[]string{"Authorization", mint(t, s, TokenRequest{Subject: App, Active: ptr(false)})}, 401, nil},
		"a forged token before the good": {[]string{"Authorization", app + "x", "Authorization", app}, 401, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := ask(s.REST(), "GET", "/apps/v1/instance", "", tt.header...)
			if w.Code != tt.status {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if tt.status == 200 {
				return
			}
			got := object(t, w)
			details := got["details"].(map[string]any)
			applied, _ := details["applicationError"].(map[string]any)
			if got["message"] == "" || len(got) != 2 || applied["code"] != tt.code || (tt.code == nil && len(details) != 0) {
				t.Errorf("%v", got)
			}
		})
	}
	for _, method := range []string{"POST", "HEAD", "OPTIONS"} {
		if w := ask(s.REST(), method, "/apps/v1/instance", "", "Authorization", app); w.Code != 405 || w.Header().Get("Allow") != "GET" {
			t.Errorf("%s answers %d", method, w.Code)
		}
	}
	if w := ask(s.REST(), "GET", "/apps/v1/instance/", "", "Authorization", app); w.Code != 404 {
		t.Errorf("another path answers %d", w.Code)
	}
}

// The document of a free site, whole: what Wix sends, field by field.
const freeDocument = `{
  "instance": {
    "instanceId": "INSTANCE", "appName": "App under test", "appVersion": "^1.0.0", "isFree": true,
    "permissions": ["SCOPE.DC.MANAGE-YOUR-APP", "SCOPE.DEV_CENTER.APP-INSTANCE-READ-BASIC-INFO"],
    "availablePlans": [{"packageName": "basic", "source": "3rd-party app"}, {"packageName": "premium", "source": "3rd-party app"}],
    "isOriginSiteTemplate": false, "copiedFromTemplate": false, "freeTrialAvailable": true
  },
  "site": {
    "siteDisplayName": "My Wix Site", "locale": "en", "paymentCurrency": "USD", "multilingual": {"isMultiLingual": false},
    "url": "https://site-SITE8.example.com", "description": "A site of the offline Wix", "installedWixApps": ["blog"],
    "ownerEmail": "owner@example.com", "ownerInfo": {"email": "owner@example.com", "emailStatus": "VERIFIED_OPT_IN"},
    "siteId": "SITE", "siteUserType": "Channel DIY"
  }
}`

func TestInstanceEndpoint_document(t *testing.T) {
	s := newSim(t)
	origin := s.Installations()[0].InstanceID
	none := map[string]any{"status": "NOT_AVAILABLE"}
	bought, longAgo := "2026-05-04T03:02:01.500Z", "2026-04-04T03:02:01.500Z"
	tests := map[string]struct {
		req InstallRequest
		// want holds what differs from the free document: a path, and its value, or nil
		// where it is absent. INVOICE stands for a GUID.
		want map[string]any
	}{
		"free": {InstallRequest{}, nil},
		"paid by the month": {InstallRequest{Plan: "premium"}, map[string]any{"instance.isFree": false, "instance.freeTrialAvailable": false,
			"instance.billing": map[string]any{"packageName": "premium", "billingCycle": "MONTHLY", "timeStamp": bought, "autoRenewing": true,
				"source": "", "invoiceId": "INVOICE", "freeTrialInfo": none}}},
		"paid by the year": {InstallRequest{Plan: "basic", BillingCycle: "YEARLY"}, map[string]any{"instance.isFree": false, "instance.freeTrialAvailable": false,
			"instance.billing": map[string]any{"packageName": "basic", "billingCycle": "YEARLY", "timeStamp": bought, "autoRenewing": true,
				"expirationDate": "2027-05-04T03:02:01.500Z", "source": "", "invoiceId": "INVOICE", "freeTrialInfo": none}}},
		"paid once, a plan of its own": {InstallRequest{Plan: "gold", BillingCycle: "ONE_TIME"}, map[string]any{"instance.isFree": false, "instance.freeTrialAvailable": false,
			"instance.availablePlans": []any{map[string]any{"packageName": "basic", "source": "3rd-party app"},
				map[string]any{"packageName": "premium", "source": "3rd-party app"}, map[string]any{"packageName": "gold", "source": "3rd-party app"}},
			"instance.billing": map[string]any{"packageName": "gold", "billingCycle": "ONE_TIME", "timeStamp": bought, "autoRenewing": false,
				"source": "", "invoiceId": "INVOICE", "freeTrialInfo": none}}},
		"on trial": {InstallRequest{Plan: "basic", Trial: "IN_PROGRESS"}, map[string]any{"instance.isFree": false, "instance.freeTrialAvailable": false,
			"instance.billing": map[string]any{"packageName": "basic", "billingCycle": "MONTHLY", "timeStamp": bought, "autoRenewing": true,
				"source": "", "freeTrialInfo": map[string]any{"status": "IN_PROGRESS"}}}},
		"after a trial, for five years": {InstallRequest{Plan: "basic", Trial: "ENDED", BillingCycle: "FIVE_YEARS"}, map[string]any{"instance.isFree": false, "instance.freeTrialAvailable": false,
			"instance.billing": map[string]any{"packageName": "basic", "billingCycle": "FIVE_YEARS", "timeStamp": longAgo, "autoRenewing": true,
				"expirationDate": "2031-04-04T03:02:01.500Z", "source": "", "invoiceId": "INVOICE",
				"freeTrialInfo": map[string]any{"status": "ENDED", "endDate": "2026-04-18T03:02:01.500Z"}}}},
		"multilingual": {InstallRequest{Languages: []string{"he", "pt-BR"}}, map[string]any{"site.locale": "he",
			"site.multilingual": map[string]any{"isMultiLingual": true, "supportedLanguages": []any{
				map[string]any{"languageCode": "he", "locale": map[string]any{"languageCode": "he", "country": "IL"}, "isPrimary": true,
					"countryCode": "ISR", "resolutionMethod": "SUBDIRECTORY", "isVisitorPrimary": true},
				map[string]any{"languageCode": "pt", "locale": map[string]any{"languageCode": "pt", "country": "BR"}, "isPrimary": false,
					"countryCode": "BRA", "resolutionMethod": "SUBDIRECTORY", "isVisitorPrimary": false}}}}},
		"in one other language": {InstallRequest{Languages: []string{"de-AT"}, Currency: "EUR"}, map[string]any{"site.locale": "de", "site.paymentCurrency": "EUR"}},
		"unpublished":           {InstallRequest{Unpublished: true}, map[string]any{"site.url": nil}},
		"copied": {InstallRequest{OriginInstanceID: origin}, map[string]any{"instance.originInstanceId": origin,
			"instance.copiedFromTemplate": true, "site.siteDisplayName": "Copy of My Wix Site"}},
		"copied from a site that is gone": {InstallRequest{OriginInstanceID: noSuchID}, map[string]any{"instance.originInstanceId": noSuchID, "instance.copiedFromTemplate": true}},
		"named, another owner": {InstallRequest{SiteDisplayName: "Ω & <b>", OwnerEmail: "o@x.example"}, map[string]any{"site.siteDisplayName": "Ω & <b>",
			"site.ownerEmail": "o@x.example", "site.ownerInfo": map[string]any{"email": "o@x.example", "emailStatus": "VERIFIED_OPT_IN"}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := install(t, s, tt.req)
			w := ask(s.REST(), "GET", "/apps/v1/instance", "", "Authorization", mint(t, s, TokenRequest{Subject: App, InstanceID: in.InstanceID}))
			var want map[string]map[string]any
			text := strings.NewReplacer("INSTANCE\"", in.InstanceID+"\"", "SITE8", in.SiteID[:8], "SITE\"", in.SiteID+"\"").Replace(freeDocument)
			if err := json.Unmarshal([]byte(text), &want); err != nil {
				t.Fatal(err)
			}
			for path, v := range tt.want {
				part, field, _ := strings.Cut(path, ".")
				if want[part][field] = v; v == nil {
					delete(want[part], field)
				}
				if billing, ok := v.(map[string]any); ok && billing["invoiceId"] != nil {
					billing["invoiceId"] = derivedID("invoice", in.InstanceID)
				}
			}
			var got map[string]map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
