package app

// The configuration read again while the program runs. The environment of a process does not
// change; the files that it names do.

import (
	"strings"

	"github.com/nametag-dev/nametag/backend/identity"
)

// reloadable is what Reload compares with and changes.
type reloadable struct {
	config   Config
	verifier *identity.Verifier
}

// Reload reads the configuration again, and uses its secrets and public keys from now on. A
// configuration with a fault changes nothing. What cannot change in a running program is
// logged. Calls must not overlap.
func (a *App) Reload(environ []string) {
	r := &a.reloadable
	if r.verifier == nil {
		return // the demo has no configuration
	}
	next, err := LoadConfig(environ)
	if err != nil {
		a.log.Error("the configuration was not read again: what was read before stays in use", "cause", err)
		return
	}
	var changed []string
	if next.AppSecret != r.config.AppSecret || next.OldSecret != r.config.OldSecret {
		r.verifier.SetSecrets(next.AppSecret, next.OldSecret)
		r.config.AppSecret, r.config.OldSecret = next.AppSecret, next.OldSecret
		changed = append(changed, "WIX_APP_SECRET")
	}
	restart := func(name string) {
		a.log.Warn("a changed variable needs a restart: what was read at the start stays in use", "variable", name)
	}
	if next.PublicKeys != r.config.PublicKeys {
		if r.config.webhooks == nil || next.webhooks == nil {
			restart("WIX_PUBLIC_KEY") // the route of webhooks comes or goes
		} else if err := r.config.webhooks.SetKeys([]string{next.PublicKeys}); err != nil {
			a.log.Error("the public keys were not changed", "cause", err)
		} else {
			r.config.PublicKeys = next.PublicKeys
			changed = append(changed, "WIX_PUBLIC_KEY")
		}
	}
	if next.AppID != r.config.AppID {
		restart("WIX_APP_ID")
	}
	if next.DatabaseURL != r.config.DatabaseURL {
		restart(databaseURL)
	}
	if len(changed) == 0 {
		a.log.Info("the configuration was read again: no secret and no public key has changed")
		return
	}
	a.watch.reloaded(next.AppSecret, next.OldSecret)
	a.log.Info("the configuration was read again, and is in use", "changed", strings.Join(changed, ", "))
}
