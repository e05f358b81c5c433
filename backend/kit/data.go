package kit

// The app's own tables: how it reads and writes them, and what they owe to the data
// promises.

import (
	"context"
	"database/sql"
	"time"
)

// DB is the database that Nametag uses, for the app's own tables. Queries are written
// once for both databases, with ? for each argument; Dialect says which it is where that
// is not enough. It is safe for concurrent use. A call whose context has no deadline ends
// after 8 s, so that a route can still say that the database is away.
type DB interface {
	// Query reads rows. The caller closes them, and does so before it writes: a database
	// in memory has one connection.
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	// QueryRow reads one row.
	QueryRow(ctx context.Context, query string, args ...any) *sql.Row

	// Write runs f in a transaction on data of one instance, which is committed if f
	// returns no error. f may run several times. While it runs, the instance can neither be
	// removed nor purged, and no other Write for it runs, so that f may count rows and then
	// add one. Where the instance has been removed or purged, f does not run, and the error is
	// instance.ErrRemoved or instance.ErrNotFound, which a client sees as 401
	// token_inactive. Read through tx inside f: DB would wait for the transaction.
	Write(ctx context.Context, instanceID string, f func(tx Tx) error) error

	// WriteEach is Write for many instances in one transaction: it calls f for each of them
	// that is there and not removed, and leaves the others out.
	WriteEach(ctx context.Context, instanceIDs []string, f func(tx Tx, instanceID string) error) error

	// WriteShared is Write for tables that hold data of no instance.
	WriteShared(ctx context.Context, f func(tx Tx) error) error

	// Dialect is "sqlite" or "postgres".
	Dialect() string
}

// Tx is a transaction. Its placeholders are DB's.
type Tx interface {
	Exec(ctx context.Context, query string, args ...any) (sql.Result, error)
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) *sql.Row
}

// Table says how one table of the app keeps the promises about data. Owned makes the
// usual one.
type Table struct {
	Name string
	// Shared is a table that holds data of no instance; the functions below are nil then.
	Shared bool
	// Export returns what the table holds on an instance, as a JSON value, for
	// the command `instances export`. Required.
	Export func(ctx context.Context, tx Tx, instanceID string) (any, error)
	// Purge deletes what the table holds on an instance, in the transaction that deletes the
	// instance. Required.
	Purge func(ctx context.Context, tx Tx, instanceID string) error
	// Copy gives the copy of a site what the origin holds, in the transaction that makes the
	// copy known. Nil lets a copy start empty.
	Copy func(ctx context.Context, tx Tx, originID, instanceID string) error
}

// EventKind is what happened to an instance.
type EventKind string

const (
	// Installed is the app being on a site. It comes again when Wix repeats itself.
	Installed EventKind = "installed"
	// Copied is a site being a copy of another, Event.OriginID. It comes after Installed.
	Copied EventKind = "copied"
	// Removed is the app being removed from the site. The data stays until the retention
	// time is over.
	Removed EventKind = "removed"
	// Revived is the app being installed again after a removal. It is not reported if the
	// app has been removed once more before OnEvent could be called.
	Revived EventKind = "revived"
	// PlanChanged is another plan, free or paid. Event.Plan and Event.Paid are the plan
	// that the instance has when OnEvent is called.
	PlanChanged EventKind = "plan_changed"
)

// Event is something that happened to an instance.
type Event struct {
	Kind       EventKind
	InstanceID string
	// At is when it happened, by Wix's clock.
	At time.Time
	// OriginID is the instance that the site was copied from, for Copied.
	OriginID string
	// Plan is the plan's id in the app dashboard, or "" for the free plan, for PlanChanged.
	Plan string
	// Paid says that the plan is a paid one, for PlanChanged.
	Paid bool
}
