package app

import (
	"context"
	"encoding/json"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/settings"
)

// greeterSettings are the greeter's.
type greeterSettings struct {
	Greeting string `json:"greeting" setting:"text" default:"Hello" min:"1" max:"80"`
}

// newGreeter declares the app of the tests of what every app gets. It is not the one that
// ships: a team that rewrites package business changes none of these tests.
func newGreeter(kit.Tools) (kit.App, error) {
	schema, err := settings.For[greeterSettings]()
	return kit.App{
		Settings: schema,
		Answer: func(context.Context, kit.Call) (any, error) {
			return kit.Reply{OfInstance: func(c kit.Call) any {
				return struct {
					Status   string          `json:"status"`
					Settings json.RawMessage `json:"settings"`
					Instance instance.View   `json:"instance"`
				}{"Success", c.Instance.Settings, c.View()}
			}}, nil
		},
	}, err
}
