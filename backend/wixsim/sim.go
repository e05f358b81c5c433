// Package wixsim is the offline Wix: a stand-in that the official npm packages
// cannot tell from the real one, as far as they reach.
package wixsim

// Sim is one offline Wix.
type Sim struct{}
