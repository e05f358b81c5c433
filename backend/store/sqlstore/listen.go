package sqlstore

// Notifications of changes that other processes made on the same database.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

// Handlers are called by a listener, one call after the other. They must return soon, and
// none may be nil.
type Handlers struct {
	// Changed is called when an instance has changed. removed means that it was deleted,
	// or that the app has been removed from its site. A process is notified of its own
	// changes, too.
	Changed func(instanceID string, removed bool)
	// Lost is called when notifications may be missed: at the beginning, with a zero since
	// and a nil err, and whenever the connection is lost. Every change that was committed
	// before since has been notified.
	Lost func(since time.Time, err error)
	// Regained is called when from now on no notification is missed. What was read before
	// may be out of date.
	Regained func()
}

// Listen calls the handlers for every change of an instance in the database, as soon as it
// is committed, until ctx ends. It has a connection of its own, which it opens again
// whenever it is lost; a loss is noticed within 3 seconds. A server that has become
// read-only counts as lost: changes are made elsewhere then. A database that serves one
// process (SQLite) sends no notifications: Listen returns at once and calls no handler. An
// error means that the URL is wrong.
func Listen(ctx context.Context, databaseURL string, h Handlers, log *slog.Logger) error {
	if !isPostgres(databaseURL) {
		_, err := newDialect(databaseURL)
		return err
	}
	l, err := newListener(databaseURL, h, log)
	if err == nil {
		l.run(ctx)
	}
	return err
}

// listener has the intervals that tests shorten.
type listener struct {
	config   *pgx.ConnConfig
	handlers Handlers
	log      *slog.Logger
	// pingEvery is the time from one proof that the server is there to the next, and
	// pingTimeout how long it may take to give one.
	pingEvery, pingTimeout time.Duration
	// retry is the pause after the first failed attempt to connect. It doubles up to
	// maxRetry.
	retry, maxRetry time.Duration
}

func newListener(databaseURL string, h Handlers, log *slog.Logger) (listener, error) {
	config, err := parsePostgres(databaseURL)
	return listener{
		config: config, handlers: h, log: log,
		pingEvery: time.Second, pingTimeout: 2 * time.Second,
		retry: 100 * time.Millisecond, maxRetry: 2 * time.Second,
	}, err
}

func (l listener) run(ctx context.Context) {
	l.handlers.Lost(time.Time{}, nil)
	pause := l.retry
	said := false
	for {
		alive, err := l.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		if !alive.IsZero() {
			pause, said = l.retry, false
			l.handlers.Lost(alive, err)
			l.log.WarnContext(ctx, "change notifications may be missed: the database connection was lost", "cause", err)
		} else if !said {
			said = true // an outage is one line, and its end another
			l.log.WarnContext(ctx, "change notifications may be missed: connecting to the database failed", "cause", err)
		}
		// Replicas that lost the same server must not come back all at once.
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause = min(2*pause, l.maxRetry)
	}
}

// listen receives from one connection until it fails, and returns the last moment at which
// the connection was proved to be alive: what was committed before it has been notified. It
// is zero if the connection never listened.
func (l listener) listen(ctx context.Context) (alive time.Time, err error) {
	conn, err := pgx.ConnectConfig(ctx, l.config.Copy())
	if err != nil {
		return alive, fmt.Errorf("connect: %w", err)
	}
	defer func() {
		// Do not wait for a connection that does not answer.
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.pingTimeout)
		defer cancel()
		conn.Close(closing)
	}()
	asked := time.Now()
	if err := l.exec(ctx, conn, "LISTEN "+channel); err != nil {
		return alive, err
	}
	alive = asked
	l.handlers.Regained()
	l.log.InfoContext(ctx, "listening for change notifications")
	for {
		quiet, cancel := context.WithDeadline(ctx, alive.Add(l.pingEvery))
		notification, err := conn.WaitForNotification(quiet)
		silent := errors.Is(quiet.Err(), context.DeadlineExceeded)
		cancel()
		switch {
		case err == nil:
			l.dispatch(notification.Payload)
		case ctx.Err() != nil || !silent || conn.IsClosed():
			return alive, fmt.Errorf("listen: %w", err)
		default:
			asked := time.Now()
			if err := l.prove(ctx, conn); err != nil {
				return alive, err
			}
			alive = asked
		}
	}
}

// prove checks that the server answers, and that it is still the one that takes writes.
func (l listener) prove(ctx context.Context, conn *pgx.Conn) error {
	soon, cancel := context.WithTimeout(ctx, l.pingTimeout)
	defer cancel()
	if err := prove(soon, l.config, conn.PgConn()); err != nil {
		return fmt.Errorf("ask the database server: %w", err)
	}
	return nil
}

// exec runs a statement that must be answered soon.
func (l listener) exec(ctx context.Context, conn *pgx.Conn, statement string) error {
	soon, cancel := context.WithTimeout(ctx, l.pingTimeout)
	defer cancel()
	if _, err := conn.Exec(soon, statement); err != nil {
		return fmt.Errorf("ask the database server: %w", err)
	}
	return nil
}

// dispatch is the reverse of payload.
func (l listener) dispatch(payload string) {
	if len(payload) > len(changedSign) {
		id := payload[len(changedSign):]
		switch payload[:len(changedSign)] {
		case changedSign:
			l.handlers.Changed(id, false)
			return
		case removedSign:
			l.handlers.Changed(id, true)
			return
		}
	}
	// Any instance may have changed, or the notification comes from a newer program.
	l.handlers.Regained()
}
