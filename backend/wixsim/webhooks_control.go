package wixsim

// The control API for webhooks: send them, list them, set their receiver. And for plans.

import (
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// webhookBody is the JSON form of a Webhook.
type webhookBody struct {
	EventType  string          `json:"eventType"`
	InstanceID string          `json:"instanceId"`
	Data       json.RawMessage `json:"data"`
	At         moment          `json:"at"`
	Delay      span            `json:"delay"`
	Duplicates int             `json:"duplicates"`
	URL        string          `json:"url"`
	KeyID      string          `json:"kid"`
	TTL        span            `json:"ttl"`
	Forge      string          `json:"forge"`
	Resign     bool            `json:"resign"`
}

func (b webhookBody) webhook() Webhook {
	return Webhook{EventType: b.EventType, InstanceID: b.InstanceID, Data: b.Data, At: b.At.Time,
		Delay: time.Duration(b.Delay), Duplicates: b.Duplicates, URL: b.URL, KeyID: b.KeyID,
		TTL: time.Duration(b.TTL), Forge: b.Forge, Resign: b.Resign}
}

// notLocal is the refusal of a receiver: someone who can reach the control API must not be able
// to make this machine call others. The command line accepts any URL.
const notLocal = "url must be http or https, and of this machine"

func (s *Sim) postWebhooks(w http.ResponseWriter, r *http.Request) {
	var in struct {
		webhookBody
		Events  []webhookBody `json:"events"`
		Shuffle bool          `json:"shuffle"`
	}
	if !ReadJSON(w, r, &in) {
		return
	}
	events := in.Events
	if events == nil {
		events = []webhookBody{in.webhookBody}
	} else if in.EventType != "" {
		writeFault(w, "eventType and events exclude each other")
		return
	}
	webhooks := make([]Webhook, len(events))
	for i, e := range events {
		if e.URL != "" && !IsLocalURL(e.URL) {
			writeFault(w, notLocal)
			return
		}
		webhooks[i] = e.webhook()
	}
	ids, err := s.send(webhooks, in.Shuffle)
	if err != nil {
		refuse(w, err)
		return
	}
	writeJSON(w, http.StatusAccepted, map[string][]int64{"ids": ids})
}

// attemptItem is an Attempt in JSON, and deliveryItem a Delivery.
type attemptItem struct {
	At         string  `json:"at"`
	Status     int     `json:"status,omitempty"`
	Error      string  `json:"error,omitempty"`
	DurationMS float64 `json:"durationMs"`
}

type deliveryItem struct {
	ID         int64         `json:"id"`
	EventType  string        `json:"eventType"`
	InstanceID string        `json:"instanceId"`
	URL        string        `json:"url"`
	At         string        `json:"at"`
	State      string        `json:"state"`
	Attempts   []attemptItem `json:"attempts"`
}

func attemptItemOf(a Attempt) attemptItem {
	return attemptItem{a.At.Format(time.RFC3339Nano), a.Status, a.Error, float64(a.Duration) / float64(time.Millisecond)}
}

func deliveryItemOf(d Delivery) deliveryItem {
	attempts := []attemptItem{}
	for _, a := range d.Attempts {
		attempts = append(attempts, attemptItemOf(a))
	}
	return deliveryItem{d.ID, d.EventType, d.InstanceID, d.URL, isoTime(d.At), d.State, attempts}
}

func (s *Sim) getWebhooks(w http.ResponseWriter, r *http.Request) {
	q, ok := readQuery(w, r, "instanceId", "limit")
	if !ok {
		return
	}
	out := []deliveryItem{}
	for _, d := range latest(q, s.Webhooks(), func(d Delivery) string { return d.InstanceID }) {
		out = append(out, deliveryItemOf(d))
	}
	writeJSON(w, http.StatusOK, out)
}

func (s *Sim) getWebhook(w http.ResponseWriter, r *http.Request) {
	id, ok := pathID(w, r, "delivery")
	if !ok {
		return
	}
	d, body, err := s.delivery(id)
	if err != nil {
		refuse(w, err)
		return
	}
	type detail struct {
		attemptItem
		Answer string `json:"answer"`
	}
	attempts := []detail{}
	for _, a := range d.Attempts {
		attempts = append(attempts, detail{attemptItemOf(a), s.mask(a.Answer)})
	}
	answer := struct {
		deliveryItem
		Attempts []detail `json:"attempts"`
		Header   any      `json:"header"`
		Claims   any      `json:"claims"`
	}{deliveryItem: deliveryItemOf(d), Attempts: attempts}
	if jwt, ok := readJWT(body); ok { // it is stored, and it is a webhook
		answer.Header, answer.Claims = jwt.header, jwt.claims
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *Sim) postReplay(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Data json.RawMessage `json:"data"`
		At   moment          `json:"at"`
		New  bool            `json:"new"`
	}
	id, ok := pathID(w, r, "delivery")
	if !ok || !ReadJSON(w, r, &in) {
		return
	}
	replayed, err := s.Replay(id, Replay{Data: in.Data, At: in.At.Time, New: in.New})
	if err != nil {
		refuse(w, err)
		return
	}
	writeJSON(w, http.StatusAccepted, map[string][]int64{"ids": {replayed}})
}

func (s *Sim) deleteWebhooks(w http.ResponseWriter, _ *http.Request) {
	s.ClearWebhooks()
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) getWebhookURL(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"url": s.WebhookURL()})
}

func (s *Sim) putWebhookURL(w http.ResponseWriter, r *http.Request) {
	var in struct {
		URL string `json:"url"`
	}
	if !ReadJSON(w, r, &in) {
		return
	}
	if in.URL != "" && !IsLocalURL(in.URL) {
		writeFault(w, notLocal)
		return
	}
	_ = s.SetWebhookURL(in.URL) // fails only for a URL that is not http or https
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) getPublicKey(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, s.PublicKey()) // an error means that the client has gone
}

func (s *Sim) putPlan(w http.ResponseWriter, r *http.Request) {
	var in PlanRequest
	if !ReadJSON(w, r, &in) {
		return
	}
	installation, err := s.SetPlan(r.PathValue("id"), in)
	if err != nil {
		refuse(w, err)
		return
	}
	writeJSON(w, http.StatusOK, installation)
}
