package lifecycle

import (
	"encoding/hex"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

// kinds says what Wix's events mean. PlanTransferred moves a plan to another Wix
// account, and names the plan that the site has from then on.
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

// FromWebhook says what a verified webhook means for its instance. Where Wix did not
// tell when it happened, it is taken to have happened when it was received. Times are
// cut to the millisecond, as stores keep them, so that no order of two is lost there.
func FromWebhook(w wix.Event, receivedAt time.Time) instance.Event {
	e := instance.Event{
		ID:         hex.EncodeToString(w.Hash[:]),
		InstanceID: w.InstanceID,
		Kind:       instance.EventOther,
		Type:       string(w.Type),
		At:         w.Time.UTC().Truncate(time.Millisecond),
		Payload:    w.Data,
		ReceivedAt: receivedAt.UTC().Truncate(time.Millisecond),
	}
	if kind, known := kinds[w.Type]; known {
		e.Kind = kind
	}
	switch e.Kind {
	case instance.EventInstalled:
		e.OriginID = w.OriginInstanceID
	case instance.EventPlan:
		e.Plan = w.VendorProductID
	}
	if e.At.IsZero() {
		e.At = e.ReceivedAt
	}
	return e
}
