package wixtest

// Webhooks and their receiver.

import (
	"net/http"
	"sync"

	"github.com/nametag-dev/nametag/backend/wixsim"
)

// defaultWebhookURL is the URL that a handler sees.
const defaultWebhookURL = "http://app.invalid/webhooks/wix"

// SetWebhooks sends the webhooks from now on to a handler, without a network.
func (w *Wix) SetWebhooks(receiver http.Handler) {
	w.t.Helper()
	w.receiver.set(receiver)
	if w.sim.WebhookURL() == "" {
		w.setWebhookURL(defaultWebhookURL)
	}
}

// SetWebhookURL sends the webhooks from now on to a URL; "" sends none.
func (w *Wix) SetWebhookURL(url string) {
	w.t.Helper()
	w.receiver.set(nil)
	w.setWebhookURL(url)
}

func (w *Wix) setWebhookURL(url string) {
	w.t.Helper()
	if err := w.sim.SetWebhookURL(url); err != nil {
		w.t.Fatalf("wixtest: set the webhook URL: %v", err)
	}
}

// Send sends events to the receiver. Only EventType is required: the instance is the oldest
// site by default, and the event's data follows from it. Settled waits for the answers.
func (w *Wix) Send(events ...wixsim.Webhook) {
	w.t.Helper()
	if _, err := w.sim.Send(events...); err != nil {
		w.t.Fatalf("wixtest: send webhooks: %v", err)
	}
}

// Settled waits until the receiver has answered every webhook that is due, and returns the
// deliveries so far, the oldest first. A delivery that failed is pending until its retry: a
// minute later at first, which Advance brings about.
func (w *Wix) Settled() []wixsim.Delivery {
	w.sim.WaitIdle()
	return w.sim.Webhooks()
}

// receiver is the http.RoundTripper of the webhooks: it calls the handler, or the network
// where there is none.
type receiver struct {
	network *http.Transport

	mu      sync.Mutex
	handler http.Handler
}

func newReceiver(handler http.Handler) *receiver {
	return &receiver{handler: handler, network: &http.Transport{}}
}

func (v *receiver) set(handler http.Handler) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.handler = handler
}

func (v *receiver) RoundTrip(r *http.Request) (*http.Response, error) {
	v.mu.Lock()
	handler := v.handler
	v.mu.Unlock()
	if handler == nil {
		return v.network.RoundTrip(r)
	}
	return wixsim.Transport{Handler: handler}.RoundTrip(r)
}

func (v *receiver) CloseIdleConnections() { v.network.CloseIdleConnections() }
