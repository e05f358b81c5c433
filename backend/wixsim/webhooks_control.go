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
	At         time.Time       `json:"at"`
	Delay      span            `json:"delay"`
	Duplicates int             `json:"duplicates"`
	URL        string          `json:"url"`
	KeyID      string          `json:"kid"`
	TTL        span            `json:"ttl"`
	Forge      string          `json:"forge"`
	Resign     bool            `json:"resign"`
}

func (b webhookBody) webhook() Webhook {
	return Webhook{EventType: b.EventType, InstanceID: b.InstanceID, Data: b.Data, At: b.At,
		Delay: time.Duration(b.Delay), Duplicates: b.Duplicates, URL: b.URL, KeyID: b.KeyID,
		TTL: time.Duration(b.TTL), Forge: b.Forge, Resign: b.Resign}
}

// notLocal is the refusal of a receiver: someone who can reach the control API must not be able
// to make this machine call others. The command line accepts any URL.
const notLocal = "the URL must be http or https, and of this machine"

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
		WriteError(w, http.StatusBadRequest, "eventType and events exclude each other")
		return
	}
	webhooks := make([]Webhook, len(events))
	for i, e := range events {
		if e.URL != "" && !IsLocalURL(e.URL) {
			WriteError(w, http.StatusBadRequest, notLocal)
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

func (s *Sim) getWebhooks(w http.ResponseWriter, _ *http.Request) {
	type attempt struct {
		At         string  `json:"at"`
		Status     int     `json:"status,omitempty"`
		Error      string  `json:"error,omitempty"`
		DurationMS float64 `json:"durationMs"`
	}
	type delivery struct {
		ID         int64     `json:"id"`
		EventType  string    `json:"eventType"`
		InstanceID string    `json:"instanceId"`
		At         string    `json:"at"`
		State      string    `json:"state"`
		Attempts   []attempt `json:"attempts"`
	}
	out := []delivery{}
	for _, d := range s.Webhooks() {
		attempts := []attempt{}
		for _, a := range d.Attempts {
			attempts = append(attempts, attempt{a.At.Format(time.RFC3339Nano), a.Status, a.Error,
				float64(a.Duration) / float64(time.Millisecond)})
		}
		out = append(out, delivery{d.ID, d.EventType, d.InstanceID, isoTime(d.At), d.State, attempts})
	}
	writeJSON(w, http.StatusOK, out)
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
		WriteError(w, http.StatusBadRequest, notLocal)
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
