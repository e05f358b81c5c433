// Package business is the app: its settings, its answer to get-instance, its endpoints and
// its tables. It is what a team rewrites for an app of its own; it is written against
// package kit, and everything else of Nametag stays as it is.
//
// The app that ships is the name tag: it greets a site's visitors with what the owner has
// set, and shows the owner how many guests it greeted on each day.
package business

import (
	"context"
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"

	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/settings"
)

//go:embed migrations
var migrations embed.FS

// New declares the app.
func New(t kit.Tools) (kit.App, error) {
	schema, err := settings.For[Site]()
	if err != nil {
		return kit.App{}, err
	}
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return kit.App{}, err
	}
	guests := newGuests(t)
	return kit.App{
		Settings: schema,
		Answer: func(_ context.Context, c kit.Call) (any, error) {
			if !c.Caller.Owns() {
				guests.greet(c.Instance.ID, c.At)
			}
			return kit.Reply{OfInstance: answerOf}, nil
		},
		Routes: []kit.Route{
			{Method: http.MethodGet, Path: "guests", Role: identity.Owner, Handle: guests.lastDays},
		},
		Data: kit.Data{
			Migrations: folder,
			Tables:     []kit.Table{kit.Owned("guest_days", "instance_id")},
		},
		Start: guests.start,
		Close: guests.close,
	}, nil
}

// answerOf is made of nothing but the record and the role.
func answerOf(c kit.Call) any { return answer{"Success", c.Instance.Settings, c.View()} }

// answer is what the widget and the panel read.
type answer struct {
	Status   string          `json:"status"`
	Settings json.RawMessage `json:"settings"`
	Instance instance.View   `json:"instance"`
}
