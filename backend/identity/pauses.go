package identity

// Wix's own rate limit. Where Wix answers 429, it is not asked again before the time that
// it named.

import (
	"errors"
	"net/netip"
	"sync"
	"time"
)

const (
	// A pause is for the tokens of one instance from one wide network, as claims are not
	// verified. After pauseNetworks networks it is for all tokens of the instance.
	pauseNetworks = 3
	// maxPause bounds what Wix asks for: an answer of a day would shut a site out for a day.
	maxPause  = 10 * time.Minute
	maxPauses = 10_000
)

// errPaused is the cause of a refusal while Wix wants no calls.
var errPaused = errors.New("a rate limit of Wix, which asked to wait")

// pauses are the pauses that Wix has asked for.
type pauses struct {
	of cache[pauseKey, pause]
	mu sync.Mutex // serializes pause
}

// pauseKey is an instance, or "" for tokens that name none, and a network, or none for all.
type pauseKey struct {
	instanceID string
	network    netip.Prefix
}

type pause struct {
	until    time.Time
	networks int
}

func newPauses(now func() time.Time) *pauses {
	return &pauses{of: newCache(maxPauses, now, afterWrite[pauseKey](func(p pause) time.Duration { return p.until.Sub(now()) }))}
}

// remaining returns how long the tokens of an instance from a network have to wait.
func (p *pauses) remaining(instanceID string, network netip.Prefix, now time.Time) time.Duration {
	var until time.Time
	if own, ok := p.of.GetIfPresent(pauseKey{instanceID, network}); ok {
		until = own.until
	}
	if all, ok := p.of.GetIfPresent(pauseKey{instanceID: instanceID}); ok && all.networks >= pauseNetworks && all.until.After(until) {
		until = all.until
	}
	return max(until.Sub(now), 0)
}

// pause begins a pause.
func (p *pauses) pause(instanceID string, network netip.Prefix, wait time.Duration, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	until := now.Add(min(wait, maxPause))
	own := pauseKey{instanceID, network}
	_, again := p.of.GetIfPresent(own)
	p.of.Set(own, pause{until: until})
	of := pauseKey{instanceID: instanceID}
	all, _ := p.of.GetIfPresent(of)
	if !again {
		all.networks++
	}
	if until.After(all.until) {
		all.until = until
	}
	p.of.Set(of, all)
}
