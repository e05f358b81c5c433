// News of changes that other processes made on the same database.

package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

// Handlers are told what a listener hears, one call after the other. They must return
// soon, and none may be nil.
type Handlers struct {
	// Changed is told that an instance has changed. removed says that it is gone, or
	// that the app has been removed from its site. A process hears of its own changes, too.
	Changed func(instanceID string, removed bool)
	// Lost is told that news may be missed from now on. That is so from the
	// beginning, when err is nil, and whenever the connection is lost.
	Lost func(err error)
	// Regained is told that from now on no news is missed. What was read before it is
	// called may be out of date.
	Regained func()
}

// Listen tells of every change of an instance in the database, as soon as it is
// committed, until ctx ends. It has a connection of its own, which it makes again
// whenever it is lost; a loss is noticed within 4 seconds. Where the database serves one
// process (SQLite), nothing is ever to be heard, and Listen returns at once without
// having called anyone. An error says that the URL is wrong.
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

// listener holds what tests need to make shorter.
type listener struct {
	config   *pgx.ConnConfig
	handlers Handlers
	log      *slog.Logger
	// pingEvery is how long silence is believed, and patience how long an answer to
	// the question whether anyone is there may take.
	pingEvery, patience time.Duration
	// retry is the pause after the first attempt to connect that failed. It doubles up to
	// retryMost.
	retry, retryMost time.Duration
}

func newListener(databaseURL string, h Handlers, log *slog.Logger) (listener, error) {
	config, err := parsePostgres(databaseURL)
	return listener{
		config: config, handlers: h, log: log,
		pingEvery: 2 * time.Second, patience: 2 * time.Second,
		retry: 100 * time.Millisecond, retryMost: 5 * time.Second,
	}, err
}

func (l listener) run(ctx context.Context) {
	l.handlers.Lost(nil)
	pause := l.retry
	for {
		listening, err := l.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		if listening {
			pause = l.retry
			l.handlers.Lost(err)
			l.log.WarnContext(ctx, "news of changed instances may be missed: the database connection was lost", "err", err)
		} else {
			l.log.WarnContext(ctx, "news of changed instances may be missed: connecting to the database failed", "err", err)
		}
		// Replicas that lost the same server do not come back all at once.
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause = min(2*pause, l.retryMost)
	}
}

// listen hears one connection out, and says whether it ever listened.
func (l listener) listen(ctx context.Context) (listening bool, err error) {
	conn, err := pgx.ConnectConfig(ctx, l.config.Copy())
	if err != nil {
		return false, fmt.Errorf("connecting: %w", err)
	}
	defer func() {
		// A connection that does not answer is not waited for.
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.patience)
		defer cancel()
		conn.Close(ending)
	}()
	if err := l.ask(ctx, conn, "LISTEN "+channel); err != nil {
		return false, err
	}
	l.handlers.Regained()
	l.log.InfoContext(ctx, "hearing of changed instances")
	for {
		quiet, cancel := context.WithTimeout(ctx, l.pingEvery)
		news, err := conn.WaitForNotification(quiet)
		silent := errors.Is(quiet.Err(), context.DeadlineExceeded)
		cancel()
		switch {
		case err == nil:
			l.hear(news.Payload)
		case ctx.Err() != nil || !silent || conn.IsClosed():
			return true, fmt.Errorf("listening: %w", err)
		default:
			if err := l.ask(ctx, conn, "-- still there?"); err != nil {
				return true, err
			}
		}
	}
}

// ask runs a statement that must be answered soon.
func (l listener) ask(ctx context.Context, conn *pgx.Conn, statement string) error {
	soon, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	if _, err := conn.Exec(soon, statement); err != nil {
		return fmt.Errorf("asking the database server: %w", err)
	}
	return nil
}

// hear undoes payload.
func (l listener) hear(payload string) {
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
	// News of nobody in particular, or from a newer program: whatever was read may be
	// out of date.
	l.handlers.Lost(errors.New("news that names no instance"))
	l.handlers.Regained()
}
