package wixsim

// Replay: a delivery is sent again, as it was or changed.

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// Replay says how a delivery is sent again: unchanged, with the same JWT, when it is empty.
type Replay struct {
	// Data is a JSON object whose fields override those of the event (null removes one).
	Data json.RawMessage
	// At is the event's new time; the default is what it was.
	At time.Time
	// New signs the webhook again. The event's time is now, unless At is given.
	New bool
}

// Replay sends the webhook of a delivery to its receiver once more, as a delivery of its own,
// and returns that one's id. The error is ErrNoDelivery, ErrBusy, ErrClosed, or says that the
// webhook is stored no more or what is wrong with the change.
func (s *Sim) Replay(id int64, change Replay) (int64, error) {
	d, body, err := s.delivery(id)
	if err != nil {
		return 0, err
	}
	if body == "" {
		return 0, errNotStored
	}
	if string(change.Data) == "null" {
		change.Data = nil
	}
	if change.Data != nil || !change.At.IsZero() || change.New {
		if body, err = s.signChanged(&d, body, change); err != nil {
			return 0, err
		}
	}
	again := &delivery{
		Delivery:      Delivery{EventType: d.EventType, InstanceID: d.InstanceID, URL: d.URL, At: d.At},
		signedWebhook: signedWebhook{body: body},
	}
	ids, err := s.outbox.add([]*delivery{again}, false)
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

// delivery returns a delivery and its body, which is "" where it is stored no more.
func (s *Sim) delivery(id int64) (Delivery, string, error) {
	o := s.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	i, ok := slices.BinarySearchFunc(o.all, id, func(d *delivery, id int64) int { return cmp.Compare(d.ID, id) })
	if !ok {
		return Delivery{}, "", ErrNoDelivery
	}
	return o.all[i].copy(), o.all[i].body, nil
}

// signChanged returns the body of a delivery after the change, and sets the delivery's time.
func (s *Sim) signChanged(d *Delivery, body string, change Replay) (string, error) {
	jwt, ok := readJWT(body)
	var middle envelope
	if !ok || json.Unmarshal([]byte(jwt.data), &middle) != nil {
		return "", errNotStored // only a state that was made by hand has such a one
	}
	if len(change.Data) > 0 {
		var fields map[string]any
		if change.Data[0] == '{' && json.Unmarshal([]byte(middle.Data), &fields) != nil {
			return "", errors.New("data cannot be changed by fields: that of this webhook is no JSON object")
		}
		data, err := eventData(change.Data, fields)
		if err != nil {
			return "", err
		}
		middle.Data = data
	}
	now := s.Now()
	switch {
	case !change.At.IsZero():
		d.At = change.At.UTC().Truncate(time.Millisecond)
	case change.New:
		d.At = now.UTC().Truncate(time.Millisecond)
	}
	return s.signWebhook(mustJSON(middle), Webhook{At: d.At}, now), nil
}
