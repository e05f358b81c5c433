// Package kit is what business code is written against: the declaration of an app
// (App), what one of its functions is called with (Call), its own tables (Table, DB, Tx),
// the events it may react to (Event) and the tools it is given (Tools).
//
// An app is one function, New(kit.Tools) (kit.App, error). Nametag calls it once for each
// composition (production, the demo, a command of the command line), brings the app's
// tables up to date, calls Start, and then serves.
package kit

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/settings"
)

// New makes an app out of its tools. It only declares: the database answers from
// App.Start on.
type New func(Tools) (App, error)

// App is everything that Nametag has to know of an app.
type App struct {
	// Settings are what the owner sets for a whole site.
	Settings settings.Schema
	// Answer is the app's answer to get-instance. Required.
	Answer Handler
	// Routes are the app's own endpoints below api/.
	Routes []Route
	// Plans are the ids of the app's paid plans in the app dashboard. Where there is one, the
	// owner of a site without a paid plan is offered an upgrade: instance.View.UpgradeURL.
	Plans []string
	// Errors are the codes that Answer and Routes return beside Nametag's.
	Errors []apierr.Code

	Data

	// Start, if any, runs once the app's tables are up to date, before the first request.
	Start func(context.Context) error
	// Close, if any, runs after the last request and before the database closes.
	Close func() error
}

// Data is the app's share of the database. The zero value is an app without tables.
type Data struct {
	// Migrations hold sqlite/*.sql and postgres/*.sql in goose's format. Their versions are
	// recorded in a table of their own (app_db_version), so that they never collide with
	// Nametag's.
	Migrations fs.FS
	// Tables name every table that the migrations make. One that is not named here stops the
	// start. They are purged in this order and copied in the reverse one: name a table before
	// those that its foreign keys refer to.
	Tables []Table
	// OnEvent, if any, reacts to what happened to an instance, in the transaction that
	// applies the event. It is called at least once for each event; an error (or a panic)
	// undoes the transaction, and the event comes again later.
	OnEvent func(ctx context.Context, tx Tx, e Event) error
}

// Tools are what Nametag gives an app.
type Tools struct {
	DB DB
	// Wix returns a client that calls any Wix API as the app, for one instance: the recipe's
	// auth.elevate. Its requests go to Wix's API and nowhere else; tokens are fetched,
	// cached and renewed within the instance's budget of calls.
	Wix func(instanceID string) *http.Client
	// Log is the app's logger. Call.Log has the instance in it already.
	Log *slog.Logger
	// Metrics registers the app's own metrics.
	Metrics prometheus.Registerer
	// Now is the clock.
	Now func() time.Time
}
