package app

// How the app that a team writes is declared, and given its database.

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nametag-dev/nametag/backend/api"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
)

// DeclarationError says that what the app declares makes no sense: a route twice, a table
// without its hooks and so on. Nothing has been opened or changed.
type DeclarationError struct{ Err error }

func (e *DeclarationError) Error() string { return e.Err.Error() }

func (e *DeclarationError) Unwrap() error { return e.Err }

// declare calls the app's New and checks what it returns. The error is a *DeclarationError.
func declare(business kit.New, t kit.Tools) (app kit.App, err error) {
	err = recovered("declare the app", func() (err error) {
		if app, err = business(t); err != nil {
			return err
		}
		return errors.Join(api.Check(app), sqlstore.CheckData(app.Data))
	})
	if err != nil {
		return app, &DeclarationError{err}
	}
	return app, nil
}

// startBusiness calls the app's Start, if it has one.
func startBusiness(ctx context.Context, app kit.App) error {
	if app.Start == nil {
		return nil
	}
	return recovered("start the app", func() error { return app.Start(ctx) })
}

// recovered calls a function of the app. A panic is an error.
func recovered(doing string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", doing, err)
		}
	}()
	return f()
}

// database is the app's handle. The app is declared before its database opens, because
// the database needs the app's migrations.
type database struct{ opened kit.DB }

func (d *database) db() kit.DB {
	if d.opened == nil {
		panic("the app's database answers from App.Start on")
	}
	return d.opened
}

func (d *database) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return d.db().Query(ctx, query, args...)
}

func (d *database) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return d.db().QueryRow(ctx, query, args...)
}

func (d *database) Write(ctx context.Context, instanceID string, f func(kit.Tx) error) error {
	return d.db().Write(ctx, instanceID, f)
}

func (d *database) WriteEach(ctx context.Context, instanceIDs []string, f func(kit.Tx, string) error) error {
	return d.db().WriteEach(ctx, instanceIDs, f)
}

func (d *database) WriteShared(ctx context.Context, f func(kit.Tx) error) error {
	return d.db().WriteShared(ctx, f)
}

func (d *database) Dialect() string { return d.db().Dialect() }

// OpenStore opens the database with the app's share of it, for the commands that look
// after the data. The app is not started.
func OpenStore(ctx context.Context, databaseURL string, business kit.New, log *slog.Logger) (*sqlstore.Store, error) {
	handle := new(database)
	app, err := declare(business, kit.Tools{
		DB: handle, Wix: noWix, Log: log, Metrics: prometheus.NewRegistry(), Now: time.Now,
	})
	if err != nil {
		return nil, err
	}
	store, err := sqlstore.Open(ctx, databaseURL, sqlstore.Options{App: app.Data, Settings: app.Settings.Complete, Logger: log})
	if err != nil {
		return nil, err
	}
	handle.opened = store
	return store, nil
}

// noWix is the client of commands that know no credentials.
func noWix(string) *http.Client {
	return &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("this command has no access to Wix")
	})}
}
