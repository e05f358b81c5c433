// Package business is the app: its settings, its answer to get-instance, its endpoints and
// its tables. docs/own-app.md says what it can declare.
package business

import (
	"context"
	"encoding/json"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/settings"
)

// New declares the app.
func New(kit.Tools) (kit.App, error) {
	schema, err := settings.For[Site]()
	if err != nil {
		return kit.App{}, err
	}
	return kit.App{
		Settings: schema,
		Answer: func(context.Context, kit.Call) (any, error) {
			return kit.Reply{OfInstance: answerOf}, nil
		},
	}, nil
}

// answer is what the widget and the panel read. Add what your widget shows.
type answer struct {
	Status   string          `json:"status"`
	Settings json.RawMessage `json:"settings"`
	Instance instance.View   `json:"instance"`
}

// answerOf is made of nothing but the record of the site and the caller's role, so that its
// encoding is cached. An answer that reads a table is returned from Answer itself.
func answerOf(c kit.Call) any { return answer{"Success", c.Instance.Settings, c.View()} }
