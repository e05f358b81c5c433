package wixsim

// The state: everything that outlives a Sim. Faults and the log of calls are no part of it.

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// StateVersion is the version of the State that this package reads and writes.
const StateVersion = 1

// ErrOtherApp says that a state has other credentials or keys than the Sim.
var ErrOtherApp = errors.New("the state is of another app")

var errNoState = errors.New("this is no state of the offline Wix: it must be one JSON object with a version")

// State is the state of a Sim, for a file or a scenario. It holds the app's secret and the
// keys that sign. A later Sim with the same State is the same Wix: it accepts the tokens,
// has the sites, and sends the webhooks that are pending.
type State struct {
	Version int `json:"version"` // StateVersion

	// The credentials and keys may be left out: the Sim's are used then.
	AppID      string     `json:"appId,omitempty"`
	AppSecret  string     `json:"appSecret,omitempty"`
	PrivateKey string     `json:"privateKey,omitempty"` // PEM
	TokenKeys  *TokenKeys `json:"tokenKeys,omitempty"`

	// Behavior is nil where it is the default one.
	Behavior *Behavior `json:"behavior,omitempty"`
	// Ahead is how far the clock has been advanced.
	Ahead         time.Duration   `json:"aheadNanoseconds"`
	Installations []Installation  `json:"installations"` // the oldest first
	Removed       []Installation  `json:"removed"`       // the latest last
	Published     []Page          `json:"published"`     // the latest last
	LastDelivery  int64           `json:"lastDelivery"`  // the highest id so far
	Deliveries    []SavedDelivery `json:"deliveries"`    // the oldest first
}

// Page is what has been published on a site.
type Page struct {
	InstanceID string    `json:"instanceId"`
	Elements   []Element `json:"elements"`
}

// SavedDelivery is a delivery, and what its further attempts need while it is pending. One
// that was under way is made again: a receiver may get it twice. A delivery that has ended has
// its body as long as it can be replayed.
type SavedDelivery struct {
	Delivery
	URL    string    `json:"url,omitempty"` // "" is the Sim's webhook URL
	Body   string    `json:"body,omitempty"`
	Due    time.Time `json:"due,omitzero"` // zero is at once
	Resign *Unsigned `json:"resign,omitempty"`
}

// ReadState reads a State that State's JSON was written to. The error says why it is none.
func ReadState(r io.Reader) (State, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return State{}, err
	}
	var s State
	var any struct{ Version *int }
	if err := json.Unmarshal(text, &any); err != nil || any.Version == nil {
		return State{}, errNoState
	}
	if *any.Version != StateVersion {
		return State{}, fmt.Errorf("version is not right: the state is of version %d, and this offline Wix knows version %d", *any.Version, StateVersion)
	}
	if decodeStrictly(text, &s) != nil {
		return State{}, errors.New(fieldFault(text, &s))
	}
	return s, s.check()
}

// State returns the state. The first call may make the key that signs webhooks, which takes
// about 0.1 s.
func (s *Sim) State() State {
	key := s.appKey().pem()
	s.mu.RLock()
	defer s.mu.RUnlock()
	keys := s.keys
	state := State{
		Version: StateVersion,
		AppID:   s.cfg.AppID, AppSecret: s.cfg.AppSecret, PrivateKey: key, TokenKeys: &keys,
		Installations: []Installation{}, Removed: []Installation{}, Published: []Page{},
	}
	if b := s.behavior; b != DefaultBehavior() {
		state.Behavior = &b
	}
	for _, key := range s.order {
		state.Installations = append(state.Installations, s.installs[key].clone())
	}
	for _, in := range s.removed {
		state.Removed = append(state.Removed, in.clone())
	}
	for _, p := range s.published {
		state.Published = append(state.Published, Page{p.InstanceID, cloneElements(p.Elements)})
	}
	s.outbox.save(&state)
	return state
}

// Restore replaces the state. Webhooks that are pending are given up; those of the new state
// are sent. The error is ErrOtherApp or says what is wrong with the state, and nothing is
// changed then.
func (s *Sim) Restore(state State) error {
	if err := state.check(); err != nil {
		return err
	}
	if err := s.sameApp(state); err != nil {
		return err
	}
	s.outbox.advancing.Lock()
	defer s.outbox.advancing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behavior = or(state.Behavior, DefaultBehavior())
	s.installs, s.order, s.removed, s.published = map[string]Installation{}, nil, nil, nil
	for _, in := range state.Installations {
		key := idKey(in.InstanceID)
		s.installs[key] = in.clone()
		s.order = append(s.order, key)
	}
	for _, in := range state.Removed {
		s.removed = append(s.removed, in.clone())
	}
	for _, p := range state.Published {
		s.published = append(s.published, Page{idKey(p.InstanceID), cloneElements(p.Elements)})
	}
	if state.TokenKeys != nil {
		s.keys = *state.TokenKeys
	}
	s.outbox.load(state)
	s.changed()
	s.publish("state", struct{}{})
	return nil
}

// sameApp returns ErrOtherApp for a state with other credentials or another private key.
func (s *Sim) sameApp(state State) error {
	switch {
	case state.AppID != "" && !sameID(state.AppID, s.cfg.AppID):
		return fmt.Errorf("%w: its app id is %s, not %s", ErrOtherApp, state.AppID, s.cfg.AppID)
	case state.AppSecret != "" && !sameSecret(state.AppSecret, s.cfg.AppSecret):
		return fmt.Errorf("%w: its app secret is another", ErrOtherApp)
	case state.PrivateKey != "":
		private, err := parseKey(state.PrivateKey)
		if err != nil {
			return err
		}
		if !private.Equal(s.appKey().private) {
			return fmt.Errorf("%w: its private key is another", ErrOtherApp)
		}
	}
	return nil
}

// check returns what is wrong with a state, naming the place.
func (s State) check() error {
	err := check(
		rule{s.Version == StateVersion, fmt.Sprintf("version must be %d", StateVersion)},
		rule{s.Ahead >= 0, "aheadNanoseconds must not be negative"},
		rule{s.TokenKeys == nil || s.TokenKeys.valid(), "tokenKeys must be two keys, each an id and 32 bytes"},
		rule{len(s.Installations) <= maxInstallations, fmt.Sprintf("installations must be at most %d", maxInstallations)},
		rule{len(s.Removed) <= maxRemoved, fmt.Sprintf("removed must be at most %d", maxRemoved)},
		rule{len(s.Published) <= maxPublished, fmt.Sprintf("published must be at most %d", maxPublished)},
		rule{len(s.Deliveries) <= maxDeliveries, fmt.Sprintf("deliveries must be at most %d", maxDeliveries)},
	)
	if err != nil {
		return err
	}
	if s.Behavior != nil {
		if err := s.Behavior.check(); err != nil {
			return fmt.Errorf("behavior.%w", err)
		}
	}
	instances := map[string]bool{}
	pages := map[string]bool{}
	last := int64(0)
	return cmp.Or(
		each("installations", s.Installations, func(in Installation) error { return in.checkSaved(instances) }),
		each("removed", s.Removed, func(in Installation) error { return in.checkSaved(instances) }),
		each("published", s.Published, func(p Page) error {
			return cmp.Or(once(pages, p.InstanceID), checkElements(p.Elements))
		}),
		each("deliveries", s.Deliveries, func(d SavedDelivery) error {
			ascends := d.ID > last && d.ID <= s.LastDelivery
			last = d.ID
			return d.check(ascends)
		}),
	)
}

// each returns the first fault of a list, with its place. A fault begins with a field's name.
func each[T any](name string, list []T, check func(T) error) error {
	for i, v := range list {
		if err := check(v); err != nil {
			return fmt.Errorf("%s[%d].%w", name, i, err)
		}
	}
	return nil
}

func once(seen map[string]bool, id string) error {
	key := idKey(id)
	err := check(
		rule{isGUID(id), "instanceId must be a GUID"},
		rule{!seen[key], "instanceId is there twice"},
	)
	seen[key] = true
	return err
}

func (in Installation) checkSaved(seen map[string]bool) error {
	return cmp.Or(once(seen, in.InstanceID), in.InstallRequest.check(), check(
		rule{len(in.Languages) > 0 && !slices.ContainsFunc(in.Languages, isNoLanguage), "languages must be BCP 47 tags such as en or pt-BR"},
		rule{isGUID(in.SiteID) && isGUID(in.OwnerID) && isGUID(in.AccountID), "siteId, ownerId and accountId must be GUIDs"},
	))
}

func (d SavedDelivery) check(ascends bool) error {
	pending := d.State == DeliveryPending
	return check(
		rule{ascends, "id must be above the one before, and at most lastDelivery"},
		rule{pending || d.State == DeliveryDelivered || d.State == DeliveryFailed, "state must be pending, delivered or failed"},
		rule{isText(d.EventType, 150) && isText(d.InstanceID, 100), "eventType and instanceId must be text"},
		rule{len(d.Attempts) <= len(retryDelays())+1, "attempts are more than Wix makes"},
		rule{!pending || d.Body != "", "body must be there while it is pending"},
		rule{d.URL == "" || isHTTP(d.URL), "url must be an absolute one, http or https"},
	)
}

// save adds the clock and the deliveries to a state.
func (o *outbox) save(state *State) {
	o.mu.Lock()
	defer o.mu.Unlock()
	state.Ahead, state.LastDelivery, state.Deliveries = o.clock.offset(), o.lastID, []SavedDelivery{}
	for _, d := range o.all {
		saved := SavedDelivery{Delivery: d.Delivery, URL: d.URL, Body: d.body, Due: d.due.UTC(), Resign: d.again}
		saved.Attempts = append([]Attempt{}, d.Attempts...)
		if saved.URL == o.url {
			saved.URL = "" // it follows the receiver to another address
		}
		state.Deliveries = append(state.Deliveries, saved)
	}
}

// load replaces the clock and the deliveries by those of a state.
func (o *outbox) load(state State) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop()
	o.clock.set(state.Ahead)
	o.all, o.lastID = nil, max(o.lastID, state.LastDelivery)
	o.stored, o.stripped = 0, 0
	now := o.clock.now()
	for _, saved := range state.Deliveries {
		d := &delivery{Delivery: saved.Delivery}
		d.URL, d.body = cmp.Or(saved.URL, o.url), saved.Body
		d.Attempts = slices.Clone(saved.Attempts)
		o.all = append(o.all, d)
		if saved.State != DeliveryPending {
			o.store(d, d.size())
			continue
		}
		d.again = saved.Resign
		o.pending++
		switch {
		case o.closed || d.URL == "": // there is nowhere to send it to
			o.finish(d, DeliveryFailed)
		case saved.Due.After(now):
			o.await(d, saved.Due)
		default:
			o.makeReady(d)
		}
	}
}

// maxState is the largest state that the control API takes, in bytes.
const maxState = 64 << 20

func (s *Sim) getState(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, s.State())
}

func (s *Sim) putState(w http.ResponseWriter, r *http.Request) {
	state, err := ReadState(http.MaxBytesReader(w, r.Body, maxState))
	if err == nil {
		err = each("deliveries", state.Deliveries, func(d SavedDelivery) error {
			return check(rule{d.URL == "" || IsLocalURL(d.URL), notLocal})
		})
	}
	if err == nil {
		err = s.Restore(state)
	}
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.As(err, new(*http.MaxBytesError)):
		WriteError(w, http.StatusRequestEntityTooLarge, "the request body is too large")
	case errors.Is(err, ErrOtherApp):
		WriteError(w, http.StatusConflict, err.Error())
	case errors.Is(err, errNoState):
		WriteError(w, http.StatusBadRequest, err.Error())
	default:
		writeFault(w, err.Error())
	}
}
