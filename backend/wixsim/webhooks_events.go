package wixsim

// The content of the app-instance events: the fields of
// @wix/auto_sdk_app-management_app-instances 1.0.49, filled in from the installation.

import (
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// The types of Wix's app-instance events. Any other type can be sent too.
const (
	AppInstalled                 = "AppInstalled"
	AppRemoved                   = "AppRemoved"
	PaidPlanPurchased            = "PaidPlanPurchased"
	PaidPlanChanged              = "PaidPlanChanged"
	PaidPlanAutoRenewalCancelled = "PaidPlanAutoRenewalCancelled"
	PlanConvertedToPaid          = "PlanConvertedToPaid"
	PlanReactivated              = "PlanReactivated"
	PlanTransferred              = "PlanTransferred"
)

func isPlanEvent(eventType string) bool {
	return slices.Contains([]string{PaidPlanPurchased, PaidPlanChanged, PaidPlanAutoRenewalCancelled,
		PlanConvertedToPaid, PlanReactivated, PlanTransferred}, eventType)
}

// Webhook is an event to send. It changes no installation: Install, Uninstall and SetPlan
// do, and send their events themselves. Only EventType is required.
type Webhook struct {
	// EventType is one of Wix's or any other text.
	EventType string
	// InstanceID defaults to the oldest installation. It need not be installed, nor
	// be a GUID.
	InstanceID string
	// Data is a JSON object whose fields override those of the event's type (null removes
	// one), or a JSON string that replaces the event's data as it is.
	Data json.RawMessage
	// At is the event's time, its operationTimeStamp and the JWT's iat; the default is now.
	At time.Time
	// Delay is the time until the first attempt, at most a day.
	Delay time.Duration
	// Duplicates is the number of further deliveries that carry the same JWT, at most 1,000.
	Duplicates int
	// URL is the receiver; the default is the Sim's.
	URL string
	// KeyID is the JWT's kid; the default is the key's.
	KeyID string
	// TTL is the time from now, or from At if that is later, to the JWT's exp; 0 means
	// 72 hours, and a negative one makes a JWT that has expired.
	TTL time.Duration
	// Forge is "" or one of the Forge constants.
	Forge string
	// Resign signs each retry again, with the time of the retry. Otherwise a retry carries
	// the same JWT. Which of the two Wix does is not documented.
	Resign bool
}

// subject returns the installation that a webhook is about, and a former state of it for
// events of a change. A site without the app has the ids that it would have with it.
func (s *Sim) subject(w Webhook) (in, before Installation) {
	in, ok := s.Installation(w.InstanceID)
	if w.InstanceID == "" {
		in, ok = s.First()
	}
	if !ok && w.InstanceID != "" {
		in = withIDs(InstallRequest{InstanceID: w.InstanceID})
	}
	at := w.At
	if at.IsZero() {
		at = s.Now()
	}
	if in.Plan == "" { // the event of a plan needs one
		in.Plan, in.BillingCycle, in.PlanSince = "premium", "MONTHLY", at
	}
	before = in
	before.Plan = "basic"
	if in.Plan == before.Plan {
		before.Plan = "premium"
	}
	return in, before
}

// eventFields returns the fields of an event. Those that Wix documents as optional are left
// out where they have no value.
func (s *Sim) eventFields(w Webhook, in, before Installation) map[string]any {
	fields := map[string]any{}
	put := func(name, value string) {
		if value != "" {
			fields[name] = value
		}
	}
	if w.EventType == AppInstalled || w.EventType == AppRemoved {
		put("appId", s.cfg.AppID)
		if w.EventType == AppInstalled {
			put("originInstanceId", in.OriginInstanceID)
		}
		return fields
	}
	bill := in.billing(s.Now())
	if !isPlanEvent(w.EventType) || bill == nil {
		return fields
	}
	put("operationTimeStamp", isoTime(w.At))
	put("vendorProductId", bill.PackageName)
	put("cycle", bill.BillingCycle)
	switch w.EventType {
	case PaidPlanPurchased:
		put("expiresOn", bill.ExpirationDate)
		put("invoiceId", bill.InvoiceID)
	case PaidPlanChanged:
		put("previousVendorProductId", before.Plan)
		put("previousCycle", before.BillingCycle)
		put("invoiceId", bill.InvoiceID)
	case PaidPlanAutoRenewalCancelled:
		// The SDK declares subscriptionCancellationType as a string; no page lists its values.
		// This one is made up for a plan that lasts until its end.
		put("cancelReason", "USER_CANCEL")
		put("userReason", "Not needed any more")
		put("subscriptionCancellationType", "AT_END_OF_PERIOD")
		put("cancelledDuringFreeTrial", "NOT_DURING_FREE_TRIAL")
		if in.Trial == trialInProgress {
			put("cancelledDuringFreeTrial", "DURING_FREE_TRIAL")
		}
	case PlanConvertedToPaid:
		put("expiresOn", bill.ExpirationDate)
	case PlanReactivated:
		put("expiresOn", bill.ExpirationDate)
		put("invoiceId", bill.InvoiceID)
		put("reason", "AUTO_RENEW_TURNED_ON")
	case PlanTransferred:
		put("invoiceId", bill.InvoiceID)
	}
	return fields
}

// eventData returns the innermost layer: the fields, overridden by the given ones.
func eventData(given json.RawMessage, fields map[string]any) (string, error) {
	var whole string
	if len(given) > 0 && given[0] == '"' && json.Unmarshal(given, &whole) == nil {
		return whole, nil
	}
	var over map[string]json.RawMessage
	if len(given) > 0 && json.Unmarshal(given, &over) != nil {
		return "", errors.New("data must be a JSON object, or a JSON string to be sent as it is")
	}
	for name, value := range over {
		if fields[name] = value; string(value) == "null" {
			delete(fields, name)
		}
	}
	return mustJSON(fields), nil
}
