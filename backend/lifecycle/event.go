package lifecycle

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

// kinds maps Wix's events to ours. PlanTransferred moves a plan to another Wix account,
// and names the plan that the site has from then on.
var kinds = map[wix.EventType]instance.EventKind{
	wix.AppInstalled:                 instance.EventInstalled,
	wix.AppRemoved:                   instance.EventRemoved,
	wix.PaidPlanPurchased:            instance.EventPlan,
	wix.PaidPlanChanged:              instance.EventPlan,
	wix.PlanConvertedToPaid:          instance.EventPlan,
	wix.PlanReactivated:              instance.EventPlan,
	wix.PlanTransferred:              instance.EventPlan,
	wix.PaidPlanAutoRenewalCancelled: instance.EventBilling,
	wix.InvoiceStatusUpdated:         instance.EventBilling,
}

// FromWebhook converts a verified webhook to the event of its instance. An event without
// a time counts as having happened when it was received. Times are cut to the millisecond,
// the precision of the store, so that storing them does not change their order. Ids become
// lower case.
func FromWebhook(w wix.Event, receivedAt time.Time) instance.Event {
	e := instance.Event{
		ID:         hex.EncodeToString(w.Hash[:]),
		InstanceID: strings.ToLower(w.InstanceID),
		Kind:       instance.EventOther,
		Type:       string(w.Type),
		At:         w.Time.UTC().Truncate(time.Millisecond),
		Payload:    w.Data,
		ReceivedAt: receivedAt.UTC().Truncate(time.Millisecond),
	}
	if kind, found := kinds[w.Type]; found {
		e.Kind = kind
	}
	switch e.Kind {
	case instance.EventInstalled:
		e.OriginID = strings.ToLower(w.OriginInstanceID)
	case instance.EventPlan:
		e.Plan = w.VendorProductID
	}
	if e.At.IsZero() {
		e.At = e.ReceivedAt
	}
	return e
}
