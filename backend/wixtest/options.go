package wixtest

// The options of package identity.

import (
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/wix"
)

// Options returns the options with which package identity verifies the tokens of this Wix.
// Its clock is that of the Wix, so that Advance ends cached tokens too.
func (w *Wix) Options() identity.Options {
	return identity.Options{
		AppID: w.AppID, AppSecret: wix.Secret(w.AppSecret),
		WixURL: BaseURL, Transport: w.Transport(), Now: w.Now,
	}
}
