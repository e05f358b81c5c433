package lifecycle

import (
	"context"
	"errors"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

// Receiver takes Wix's webhooks: verified first, made durable second, and only then
// acknowledged. The work is the Worker's.
type Receiver struct {
	verifier *wix.Webhooks
	inbox    instance.Inbox
	wake     func()
	now      func() time.Time
}

// NewReceiver returns a Receiver; wake is called after each new event.
func NewReceiver(v *wix.Webhooks, inbox instance.Inbox, wake func(), now func() time.Time) *Receiver {
	return &Receiver{v, inbox, wake, now}
}

// Receive makes the event of a delivery durable. A repeat of one that is held
// already is fine. The error is an *instance.Error: webhook_malformed,
// webhook_refused, or store_unavailable when the delivery should be sent again.
func (r *Receiver) Receive(ctx context.Context, body []byte) error {
	event, err := r.verifier.Verify(body)
	if err != nil {
		var refusal *wix.WebhookError
		if errors.As(err, &refusal) && refusal.Kind == wix.WebhookMalformed {
			return &instance.Error{Code: instance.CodeWebhookMalformed, Err: err}
		}
		return &instance.Error{Code: instance.CodeWebhookRefused, Err: err}
	}
	fresh, err := r.inbox.Accept(ctx, FromWebhook(event, r.now()))
	if err != nil {
		return &instance.Error{Code: instance.CodeStoreUnavailable, Err: err}
	}
	if fresh {
		r.wake()
	}
	return nil
}
