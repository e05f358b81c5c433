package wixsim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSend_eventData(t *testing.T) {
	s := newSigner(t)
	s.SetWebhookURL("") // no webhooks while installing
	origin := s.Installations()[0]
	yearly := install(t, s, InstallRequest{Plan: "gold", BillingCycle: "TWO_YEARS", OriginInstanceID: origin.InstanceID})
	basic := install(t, s, InstallRequest{Plan: "basic", Trial: trialInProgress})
	if err := s.SetWebhookURL(receiverURL); err != nil {
		t.Fatal(err)
	}
	const at, end = "2026-05-04T03:02:01.500Z", "2028-05-04T03:02:01.500Z"
	invoice := derivedID("invoice", yearly.InstanceID)
	plan := func(more ...string) map[string]any {
		m := map[string]any{"operationTimeStamp": at, "vendorProductId": "gold", "cycle": "TWO_YEARS"}
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	tests := []struct {
		name    string
		webhook Webhook
		want    map[string]any
	}{
		{"installed", Webhook{EventType: AppInstalled}, map[string]any{"appId": testAppID}},
		{"installed, as a copy", Webhook{EventType: AppInstalled, InstanceID: yearly.InstanceID}, map[string]any{"appId": testAppID, "originInstanceId": origin.InstanceID}},
		{"removed", Webhook{EventType: AppRemoved, InstanceID: yearly.InstanceID}, map[string]any{"appId": testAppID}},
		{"bought", Webhook{EventType: PaidPlanPurchased, InstanceID: yearly.InstanceID}, plan("expiresOn", end, "invoiceId", invoice)},
		{"changed", Webhook{EventType: PaidPlanChanged, InstanceID: yearly.InstanceID}, plan("previousVendorProductId", "basic", "previousCycle", "TWO_YEARS", "invoiceId", invoice)},
		{"cancelled", Webhook{EventType: PaidPlanAutoRenewalCancelled, InstanceID: yearly.InstanceID}, plan("cancelReason", "USER_CANCEL",
			"userReason", "Not needed any more", "subscriptionCancellationType", "AT_END_OF_PERIOD", "cancelledDuringFreeTrial", "NOT_DURING_FREE_TRIAL")},
		{"converted", Webhook{EventType: PlanConvertedToPaid, InstanceID: yearly.InstanceID}, plan("expiresOn", end)},
		{"reactivated", Webhook{EventType: PlanReactivated, InstanceID: yearly.InstanceID}, plan("expiresOn", end, "invoiceId", invoice, "reason", "AUTO_RENEW_TURNED_ON")},
		{"transferred", Webhook{EventType: PlanTransferred, InstanceID: yearly.InstanceID}, plan("invoiceId", invoice)},

		{"a trial has no invoice yet", Webhook{EventType: PaidPlanPurchased, InstanceID: basic.InstanceID},
			map[string]any{"operationTimeStamp": at, "vendorProductId": "basic", "cycle": "MONTHLY"}},
		{"a plan changed is another", Webhook{EventType: PaidPlanChanged, InstanceID: basic.InstanceID}, map[string]any{"operationTimeStamp": at,
			"vendorProductId": "basic", "cycle": "MONTHLY", "previousVendorProductId": "premium", "previousCycle": "MONTHLY"}},
		{"a free site's event is of a plan all the same", Webhook{EventType: PlanTransferred, InstanceID: origin.InstanceID},
			map[string]any{"operationTimeStamp": at, "vendorProductId": "premium", "cycle": "MONTHLY", "invoiceId": derivedID("invoice", origin.InstanceID)}},
		{"an unknown site", Webhook{EventType: AppRemoved, InstanceID: noSuchID}, map[string]any{"appId": testAppID}},
		{"an unknown type", Webhook{EventType: "InvoiceStatusUpdated"}, map[string]any{}},
		{"an unknown type with data", Webhook{EventType: "X", Data: json.RawMessage(`{"a":{"b":[1]}}`)}, map[string]any{"a": map[string]any{"b": []any{1.0}}}},
		{"fields put over, added and taken away", Webhook{EventType: AppInstalled, InstanceID: yearly.InstanceID,
			Data: json.RawMessage(`{"appId":"` + otherAppID + `","originInstanceId":null,"more":1}`)}, map[string]any{"appId": otherAppID, "more": 1.0}},
		{"no data", Webhook{EventType: AppRemoved, Data: json.RawMessage(`null`)}, map[string]any{"appId": testAppID}},
		{"data in one piece", Webhook{EventType: AppRemoved, Data: json.RawMessage(`"{\"a\":\"é\"}"`)}, map[string]any{"a": "é"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, open(t, s, signedBy(t, s, tt.webhook)).event); diff != "" {
				t.Error(diff)
			}
		})
	}
	broken, err := read(s, signedBy(t, s, Webhook{EventType: AppRemoved, Data: json.RawMessage(`"{not JSON"`)}))
	if err != nil || broken.Data != "{not JSON" {
		t.Errorf("%q %v", broken.Data, err)
	}
}

// reported is how Wix reports a change of an installation: the type and some fields of its
// event, and the answer of GET /apps/v1/instance.
type reported struct {
	event   string
	fields  string // "name=value …" of the event, in the order of the test
	billing string // "plan cycle renews expiration trial" of GET /apps/v1/instance
}

func TestNotify_eventsAgreeWithTheInstance(t *testing.T) {
	const hour = time.Hour
	names := []string{"appId", "vendorProductId", "previousVendorProductId", "cycle", "previousCycle", "expiresOn",
		"cancelReason", "cancelledDuringFreeTrial", "reason", "couponName"}
	steps := []struct {
		name, method, body string
		want               reported
	}{
		{"bought", "PUT", `{"plan":"basic"}`, reported{PaidPlanPurchased, "vendorProductId=basic cycle=MONTHLY", "basic MONTHLY true - NOT_AVAILABLE"}},
		{"bought again, which changes nothing", "PUT", `{"plan":"basic"}`, reported{"", "", "basic MONTHLY true - NOT_AVAILABLE"}},
		{"changed", "PUT", `{"plan":"gold","billingCycle":"YEARLY","data":{"couponName":"MAY"}}`, reported{PaidPlanChanged,
			"vendorProductId=gold previousVendorProductId=basic cycle=YEARLY previousCycle=MONTHLY couponName=MAY", "gold YEARLY true 2001-01-01T03:00:00.000Z NOT_AVAILABLE"}},
		{"cancelled", "PUT", `{"autoRenewing":false,"data":{"cancelReason":"FAILED_PAYMENT"}}`, reported{PaidPlanAutoRenewalCancelled,
			"vendorProductId=gold cycle=YEARLY cancelReason=FAILED_PAYMENT cancelledDuringFreeTrial=NOT_DURING_FREE_TRIAL", "gold YEARLY false 2001-01-01T03:00:00.000Z NOT_AVAILABLE"}},
		{"cancelled again, which changes nothing", "PUT", `{"autoRenewing":false}`, reported{"", "", "gold YEARLY false 2001-01-01T03:00:00.000Z NOT_AVAILABLE"}},
		{"reactivated", "PUT", `{"autoRenewing":true}`, reported{PlanReactivated, "vendorProductId=gold cycle=YEARLY expiresOn=2001-01-01T03:00:00.000Z reason=AUTO_RENEW_TURNED_ON",
			"gold YEARLY true 2001-01-01T03:00:00.000Z NOT_AVAILABLE"}},
		{"cancelled by the event's name", "PUT", `{"event":"PaidPlanAutoRenewalCancelled"}`, reported{PaidPlanAutoRenewalCancelled,
			"vendorProductId=gold cycle=YEARLY cancelReason=USER_CANCEL cancelledDuringFreeTrial=NOT_DURING_FREE_TRIAL", "gold YEARLY false 2001-01-01T03:00:00.000Z NOT_AVAILABLE"}},
		{"reactivated by the event's name", "PUT", `{"event":"PlanReactivated"}`, reported{PlanReactivated, "vendorProductId=gold cycle=YEARLY expiresOn=2001-01-01T03:00:00.000Z reason=AUTO_RENEW_TURNED_ON",
			"gold YEARLY true 2001-01-01T03:00:00.000Z NOT_AVAILABLE"}},
		{"transferred", "PUT", `{"event":"PlanTransferred"}`, reported{PlanTransferred, "vendorProductId=gold cycle=YEARLY", "gold YEARLY true 2001-01-01T03:00:00.000Z NOT_AVAILABLE"}},
		{"changed, and the event is lost", "PUT", `{"plan":"silver","billingCycle":"MONTHLY","silent":true}`, reported{"", "", "silver MONTHLY true - NOT_AVAILABLE"}},
		{"ended, for which Wix has no event", "PUT", `{"plan":""}`, reported{"", "", "free"}},
		{"a trial", "PUT", `{"plan":"gold","trial":"IN_PROGRESS"}`, reported{PaidPlanPurchased, "vendorProductId=gold cycle=MONTHLY", "gold MONTHLY true - IN_PROGRESS"}},
		{"cancelled in the trial", "PUT", `{"autoRenewing":false}`, reported{PaidPlanAutoRenewalCancelled,
			"vendorProductId=gold cycle=MONTHLY cancelReason=USER_CANCEL cancelledDuringFreeTrial=DURING_FREE_TRIAL", "gold MONTHLY false - IN_PROGRESS"}},
		{"a change renews", "PUT", `{"billingCycle":"YEARLY"}`, reported{PaidPlanChanged,
			"vendorProductId=gold previousVendorProductId=gold cycle=YEARLY previousCycle=MONTHLY", "gold YEARLY true 2001-01-01T14:00:00.000Z IN_PROGRESS"}},
		{"the trial ends", "PUT", `{"trial":"ENDED"}`, reported{PlanConvertedToPaid, "vendorProductId=gold cycle=YEARLY expiresOn=2001-01-01T14:00:00.000Z",
			"gold YEARLY true 2001-01-01T14:00:00.000Z ENDED 2000-01-01T15:00:00.000Z"}},
		{"removed", "DELETE", ``, reported{AppRemoved, "appId=" + testAppID, "gone"}},
		{"installed again", "POST", `{"plan":"basic"}`, reported{AppInstalled, "appId=" + testAppID, "basic MONTHLY true - NOT_AVAILABLE"}},
		{"removed, and the event is lost", "DELETE", `{"silent":true}`, reported{"", "", "gone"}},
		{"installed, and the event is lost", "POST", `{"silent":true}`, reported{"", "", "free"}},
		{"a trial to be converted by the event's name", "PUT", `{"plan":"gold","trial":"IN_PROGRESS","silent":true}`, reported{"", "", "gold MONTHLY true - IN_PROGRESS"}},
		{"converted by the event's name", "PUT", `{"event":"PlanConvertedToPaid"}`, reported{PlanConvertedToPaid, "vendorProductId=gold cycle=MONTHLY",
			"gold MONTHLY true - ENDED 2000-01-01T21:00:00.000Z"}},
	}
	synctest.Test(t, func(t *testing.T) {
		s, v := newSender(t)
		id := s.Installations()[0].InstanceID
		h := s.Handler()
		for _, step := range steps {
			time.Sleep(hour) // so that no two things happen at one time
			before := len(v.all())
			path, body := "/_sim/installs/"+id, step.body
			switch step.method {
			case "PUT":
				path += "/plan"
			case "POST":
				path, body = "/_sim/installs", strings.Replace(body, "{", `{"instanceId":"`+id+`",`, 1)
			}
			if w := ask(h, step.method, path, body); w.Code >= 300 || strings.Contains(w.Body.String(), "silent") {
				t.Fatalf("%s: %d %s", step.name, w.Code, w.Body)
			}
			synctest.Wait()
			var got reported
			for _, r := range v.all()[before:] {
				o := open(t, s, r.body)
				if got.event != "" || o.InstanceID != id {
					t.Errorf("%s: another event: %+v", step.name, o)
				}
				got.event = o.EventType
				var fields []string
				for _, name := range names {
					if value, ok := o.event[name].(string); ok {
						fields = append(fields, name+"="+value)
					}
				}
				got.fields = strings.Join(fields, " ")
				if at, ok := o.event["operationTimeStamp"]; ok && at != isoTime(time.Now()) || o.issued != float64(time.Now().Unix()) {
					t.Errorf("%s: its time is %v", step.name, at)
				}
			}
			got.billing = billingOf(t, h, s, id)
			if diff := cmp.Diff(step.want, got, cmp.AllowUnexported(reported{})); diff != "" {
				t.Errorf("%s: %s", step.name, diff)
			}
		}
	})
}

// billingOf asks Wix as an app does.
func billingOf(t *testing.T, h http.Handler, s *Sim, id string) string {
	t.Helper()
	token, _, err := s.Mint(TokenRequest{Subject: App, InstanceID: id})
	if err == ErrNotInstalled {
		return "gone"
	}
	if err != nil {
		t.Fatal(err)
	}
	var d document
	w := ask(h, "GET", pathInstance, "", "Authorization", token)
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	b := d.Instance.Billing
	if b == nil {
		return "free"
	}
	renews, end := "false", b.ExpirationDate
	if b.AutoRenewing {
		renews = "true"
	}
	if end == "" {
		end = "-"
	}
	return strings.TrimSpace(strings.Join([]string{b.PackageName, b.BillingCycle, renews, end, b.FreeTrialInfo.Status, b.FreeTrialInfo.EndDate}, " "))
}

func TestSetPlan_eachPurchaseHasAnInvoice(t *testing.T) {
	now := testTime
	s := newSim(t, func(c *Config) { c.Now = func() time.Time { return now } })
	in := install(t, s, InstallRequest{Plan: "basic"})
	seen := map[string]bool{in.billing(now).InvoiceID: true}
	for _, plan := range []string{"gold", "basic", "gold"} {
		now = now.Add(time.Second)
		after, err := s.SetPlan(in.InstanceID, PlanRequest{Plan: &plan})
		if err != nil {
			t.Fatal(err)
		}
		seen[after.billing(now).InvoiceID] = true
		if after.billing(now).TimeStamp != isoTime(now) {
			t.Error("not bought now:", after.billing(now).TimeStamp)
		}
	}
	if len(seen) != 4 {
		t.Error("an invoice is shared:", seen)
	}
	free := ""
	after, err := s.SetPlan(in.InstanceID, PlanRequest{Plan: &free})
	if err != nil || after.billing(now) != nil || !after.PlanSince.IsZero() || after.BillingCycle != "" {
		t.Errorf("something of the plan is left: %+v %v", after, err)
	}
}

func TestSetPlan_refuses(t *testing.T) {
	s, _ := newSender(t)
	free := s.Installations()[0]
	paid := install(t, s, InstallRequest{Plan: "gold", Silent: true})
	once := install(t, s, InstallRequest{Plan: "gold", BillingCycle: "ONE_TIME", Silent: true})
	ended := install(t, s, InstallRequest{Plan: "gold", Trial: trialEnded, Silent: true})
	tests := []struct {
		name string
		in   Installation
		body string
	}{
		{"an event that is not of a plan", paid, `{"event":"AppRemoved"}`},
		{"an unknown event", paid, `{"event":"Plan"}`},
		{"a plan too long", paid, quote("plan", strings.Repeat("x", 101))},
		{"a plan that is not UTF-8", paid, `{"plan":"` + "\xff" + `"}`},
		{"an unknown billing cycle", paid, `{"billingCycle":"WEEKLY"}`},
		{"an unknown trial", paid, `{"trial":"NOT_AVAILABLE"}`},
		{"a trial of a plan that is paid", paid, `{"trial":"IN_PROGRESS"}`},
		{"a second trial", ended, `{"trial":"IN_PROGRESS"}`},
		{"the end of no trial", paid, `{"trial":"ENDED"}`},
		{"the conversion of no trial", paid, `{"event":"PlanConvertedToPaid"}`},
		{"a trial that has ended at once", free, `{"plan":"gold","trial":"ENDED"}`},
		{"a renewal that there is not", once, `{"autoRenewing":false}`},
		{"a billing cycle of the free plan", free, `{"billingCycle":"YEARLY"}`},
		{"a renewal of the free plan", free, `{"autoRenewing":false}`},
		{"an event of the free plan", free, `{"event":"PlanTransferred"}`},
		{"a trial of the free plan", free, `{"trial":"IN_PROGRESS"}`},
		{"a plan that ends and renews", paid, `{"plan":"","autoRenewing":true}`},
		{"data that is a list", paid, `{"plan":"silver","data":[]}`},
	}
	h := s.Handler()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if w := ask(h, "PUT", "/_sim/installs/"+tt.in.InstanceID+"/plan", tt.body); w.Code != 422 && (tt.name != "a plan that is not UTF-8" || w.Code != 400) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			got, _ := s.Installation(tt.in.InstanceID)
			if diff := cmp.Diff(tt.in, got); diff != "" || len(s.Webhooks()) != 0 {
				t.Error("something happened all the same", diff)
			}
		})
	}
}

func TestNotify_withoutAWebhookURL(t *testing.T) {
	s := newSim(t)
	in := install(t, s, InstallRequest{})
	plan := "gold"
	if _, err := s.SetPlan(in.InstanceID, PlanRequest{Plan: &plan}); err != nil {
		t.Error(err)
	}
	if !s.Uninstall(in.InstanceID) || len(s.Webhooks()) != 0 {
		t.Error("something was sent")
	}
	if _, err := s.Send(Webhook{EventType: AppRemoved}); err != ErrNoWebhookURL {
		t.Error(err)
	}
	if err := s.SetWebhookURL("localhost"); err == nil || s.WebhookURL() != "" {
		t.Error("an invalid webhook URL is accepted")
	}
}
