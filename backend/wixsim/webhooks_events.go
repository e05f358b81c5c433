package wixsim

// What the app-instance events say: the fields of
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

// Webhook is an event to be sent. It changes no installation: Install, Uninstall and
// SetPlan do, and send theirs themselves. Only EventType is required.
type Webhook struct {
	// EventType is one of Wix's or any other text.
	EventType string
	// InstanceID defaults to the oldest installation. It need not be installed, nor
	// be a GUID.
	InstanceID string
	// Data is a JSON object whose fields go over those of the event's type (null takes
	// one away), or a JSON string that is sent in place of the event's data as it is.
	Data json.RawMessage
	// At is the event's time, its operationTimeStamp and the JWT's iat; the zero time is now.
	At time.Time
	// Delay is the time until the first attempt, at most a day.
	Delay time.Duration
	// Duplicates is how many more deliveries carry the same JWT.
	Duplicates int
	// URL is the receiver; the default is the Sim's.
	URL string
	// KeyID is the JWT's kid; the default is that of the key.
	KeyID string
	// TTL is the time from now, or from At if that is later, to the JWT's exp; 0 means
	// 72 hours, and a negative one makes a JWT that has expired.
	TTL time.Duration
	// Forge is "" or one of the Forge constants.
	Forge string
	// Resign signs each retry anew, with a time of its own. Otherwise a retry carries
	// the same JWT. Which of the two Wix does is not documented.
	Resign bool
}

// around returns the installation that a webhook tells of, and what it was before.
// A site that the app is not installed on has the ids that it would have.
func (s *Sim) around(w Webhook) (in, was Installation) {
	in, ok := s.Installation(w.InstanceID)
	if w.InstanceID == "" {
		in, ok = s.first()
	}
	if !ok && w.InstanceID != "" {
		in = withIDs(InstallRequest{InstanceID: w.InstanceID})
	}
	at := w.At
	if at.IsZero() {
		at = s.cfg.Now()
	}
	if in.Plan == "" { // a plan's event is of a plan
		in.Plan, in.BillingCycle, in.PlanSince = "premium", "MONTHLY", at
	}
	was = in
	was.Plan = "basic"
	if in.Plan == was.Plan {
		was.Plan = "premium"
	}
	return in, was
}

// defaults returns the fields of an event. What Wix says is only sometimes there is
// left out otherwise.
func (s *Sim) defaults(w Webhook, in, was Installation) map[string]any {
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
	bill := in.billing()
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
		put("previousVendorProductId", was.Plan)
		put("previousCycle", was.BillingCycle)
		put("invoiceId", bill.InvoiceID)
	case PaidPlanAutoRenewalCancelled:
		// subscriptionCancellationType is any text to the SDK; this is the one that the
		// renewal's end suggests.
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

// eventData returns the innermost layer: the given fields over the defaults.
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
