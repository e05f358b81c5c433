package wix

// The app's secret, and the other one while it is being changed.

import (
	"errors"
	"net/http"
	"sync/atomic"
)

// secrets are the one or two secrets of a Client.
type secrets struct {
	pair atomic.Pointer[pair]
	// taken is Options.SecretTaken, or nil.
	taken func(old bool)
}

// pair is a secret and, if there is one, the old secret. They are closures because fmt
// prints private fields, even those of redacted types.
type pair struct {
	secrets [2]func() string
	// inUse is the one that Wix took last: 0 or 1. It is 0 where there is one secret.
	inUse atomic.Int32
	// reported is 1 + the one that taken was last called with, or 0.
	reported atomic.Int32
}

// SetSecrets replaces the app's secret, and the old one, for the calls that begin later.
// old may be "". While there are both, AppToken uses the one that Wix took last and, when
// Wix refuses that, the other: whichever of them is the app's secret at Wix, and whenever
// it is changed there, no call fails.
func (c *Client) SetSecrets(secret, old Secret) {
	p := &pair{secrets: [2]func() string{func() string { return string(secret) }}}
	if old != "" && old != secret {
		p.secrets[1] = func() string { return string(old) }
	}
	c.secrets.pair.Store(p)
}

// SignedInstance is ParseSignedInstance with the app's secrets, the Client's clock and
// SignedInstanceMaxAge.
func (c *Client) SignedInstance(raw string) (SignedInstance, error) {
	p := c.secrets.pair.Load()
	var old Secret
	if p.secrets[1] != nil {
		old = Secret(p.secrets[1]())
	}
	return ParseSignedInstance(raw, Secret(p.secrets[0]()), c.now(), SignedInstanceMaxAge, old)
}

// try calls with the secret in use, and then perhaps with the other.
func (s *secrets) try(call func(secret string) (AppToken, error)) (AppToken, error) {
	p := s.pair.Load()
	use := p.inUse.Load()
	token, err := call(p.secrets[use]())
	if p.secrets[1] == nil {
		return token, err
	}
	var refusal *Error
	if errors.As(err, &refusal) && refusal.Kind == Refused {
		use = 1 - use
		again, otherErr := call(p.secrets[use]())
		var other *Error
		if errors.As(otherErr, &other) && other.Kind == Refused && refusal.Status != http.StatusUnauthorized {
			return token, err // it is not the secret that is refused
		}
		token, err = again, otherErr
	}
	if err == nil {
		p.inUse.Store(use)
		if p.reported.Swap(use+1) != use+1 && s.taken != nil {
			s.taken(use == 1)
		}
	}
	return token, err
}
