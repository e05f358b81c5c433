package lifecycle

import (
	"context"
	"errors"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

// Receiver accepts Wix's webhooks: it verifies a delivery, stores its event, and only then
// acknowledges it. The Worker applies the event.
type Receiver struct {
	verifier *wix.Webhooks
	jobs     instance.Jobs
	wake     func()
	now      func() time.Time
}

// NewReceiver returns a Receiver; wake is called after each new event.
func NewReceiver(v *wix.Webhooks, jobs instance.Jobs, wake func(), now func() time.Time) *Receiver {
	return &Receiver{v, jobs, wake, now}
}

// Receive stores the event of a delivery. A repeat of one that is stored already is no
// error, and neither is an event that concerns no instance: Wix would send it 12 times more,
// to no use. The error is an *apierr.Error: webhook_malformed, webhook_refused, or
// store_unavailable when Wix should send the delivery again.
func (r *Receiver) Receive(ctx context.Context, body []byte) error {
	event, err := r.verifier.Verify(body)
	if err != nil {
		var refusal *wix.WebhookError
		switch {
		case !errors.As(err, &refusal):
		case refusal.Kind == wix.WebhookNoInstance:
			return nil
		case refusal.Kind == wix.WebhookMalformed:
			return &apierr.Error{Code: apierr.WebhookMalformed, Err: err}
		}
		return &apierr.Error{Code: apierr.WebhookRefused, Err: err}
	}
	fresh, err := r.jobs.Accept(ctx, FromWebhook(event, r.now()))
	if err != nil {
		return &apierr.Error{Code: apierr.StoreUnavailable, Err: err}
	}
	if fresh {
		r.wake()
	}
	return nil
}
