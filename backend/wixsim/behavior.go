package wixsim

// The behavior: what nobody outside Wix knows for sure, as switches.

import (
	"errors"
	"net/http"
	"slices"
)

// Behavior says how this Wix does what Wix does not document, or documents in two ways. The
// defaults are those on the side on which an app has to be careful; DefaultBehavior returns
// them. The table "Behavior" in docs/offline-wix.md has the evidence for each.
//
// In JSON, fields that are left out have their defaults, and others are refused.
type Behavior struct {
	// OwnerSubject is the subject of the tokens that the editor and the dashboard hand out:
	// User (the default), App or Member.
	OwnerSubject string `json:"ownerSubject"`
	// Strict refuses instanceId at /oauth2/token, which pages of Wix's documentation send,
	// and takes instance_id alone, which its reference and its SDK send. By default both
	// are taken.
	Strict bool `json:"strict"`
	// FormRequests takes forms at /oauth2/token and /oauth2/token-info, as RFC 6749 has
	// them, besides JSON. By default they are refused.
	FormRequests bool `json:"formRequests"`
	// StringFields makes token-info send active, exp and iat as JSON strings, as Wix's REST
	// page shows them. The default is a bool and numbers, as the types of @wix/sdk 1.21.16
	// declare them.
	StringFields bool `json:"stringFields"`
	// ResignRetries signs each retry of a webhook again, with the time of the retry, as
	// Webhook.Resign does for one. By default a retry carries the same JWT.
	ResignRetries bool `json:"resignRetries"`
	// StageToken gives the widget on the stage of the editor and the preview a token. By
	// default it gets none.
	StageToken bool `json:"stageToken"`
	// StageSandbox makes the stage an opaque origin, without storage. It is the default.
	StageSandbox bool `json:"stageSandbox"`
	// ClassicScript loads the widget's script as a classic one, not as a module.
	ClassicScript bool `json:"classicScript"`
	// LockedPage replaces and locks fetch and XMLHttpRequest on the site page, and makes
	// cookies inert there. It is the default.
	LockedPage bool `json:"lockedPage"`
}

// DefaultBehavior returns the behavior of a Sim whose configuration names none.
func DefaultBehavior() Behavior {
	return Behavior{OwnerSubject: User, StageSandbox: true, LockedPage: true}
}

// errOwnerSubject says what is wrong with Behavior.OwnerSubject, the one field that can be.
var errOwnerSubject = errors.New("ownerSubject must be USER, APP or MEMBER")

func (b Behavior) check() error {
	if !slices.Contains([]string{User, App, Member}, b.OwnerSubject) {
		return errOwnerSubject
	}
	return nil
}

// UnmarshalJSON reads a Behavior. It fails for fields that a Behavior has not.
func (b *Behavior) UnmarshalJSON(text []byte) error {
	var c BehaviorChange
	if err := decodeStrictly(text, &c); err != nil {
		return err
	}
	*b = c.Apply(DefaultBehavior())
	return nil
}

// BehaviorChange is a change of the fields that are not nil. See Behavior.
type BehaviorChange struct {
	OwnerSubject  *string `json:"ownerSubject"`
	Strict        *bool   `json:"strict"`
	FormRequests  *bool   `json:"formRequests"`
	StringFields  *bool   `json:"stringFields"`
	ResignRetries *bool   `json:"resignRetries"`
	StageToken    *bool   `json:"stageToken"`
	StageSandbox  *bool   `json:"stageSandbox"`
	ClassicScript *bool   `json:"classicScript"`
	LockedPage    *bool   `json:"lockedPage"`
}

// Apply returns the behavior with the change.
func (c BehaviorChange) Apply(b Behavior) Behavior {
	return Behavior{
		OwnerSubject: or(c.OwnerSubject, b.OwnerSubject), Strict: or(c.Strict, b.Strict),
		FormRequests: or(c.FormRequests, b.FormRequests), StringFields: or(c.StringFields, b.StringFields), ResignRetries: or(c.ResignRetries, b.ResignRetries),
		StageToken: or(c.StageToken, b.StageToken), StageSandbox: or(c.StageSandbox, b.StageSandbox),
		ClassicScript: or(c.ClassicScript, b.ClassicScript), LockedPage: or(c.LockedPage, b.LockedPage),
	}
}

func or[T any](given *T, otherwise T) T {
	if given == nil {
		return otherwise
	}
	return *given
}

// Behavior returns the present behavior.
func (s *Sim) Behavior() Behavior {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.behavior
}

// SetBehavior replaces the behavior, from the next call on. The error says what is wrong
// with it, and nothing is changed then.
func (s *Sim) SetBehavior(b Behavior) error {
	_, err := s.changeBehavior(func(Behavior) Behavior { return b })
	return err
}

// changeBehavior replaces the behavior by one that follows from it, and returns that.
func (s *Sim) changeBehavior(change func(Behavior) Behavior) (Behavior, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := change(s.behavior)
	if err := b.check(); err != nil {
		return b, err
	}
	if b != s.behavior {
		s.behavior = b
		s.changed()
		s.publish("behavior", b)
	}
	return b, nil
}

func (s *Sim) getBehavior(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.Behavior())
}

// putBehavior changes the fields that are given.
func (s *Sim) putBehavior(w http.ResponseWriter, r *http.Request) {
	var c BehaviorChange
	if !ReadJSON(w, r, &c) {
		return
	}
	b, err := s.changeBehavior(c.Apply)
	if err != nil {
		writeFault(w, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, b)
}
