// Postgres: a server that several processes share.

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	gooselock "github.com/pressly/goose/v3/lock"
)

// connectTimeout bounds one attempt to connect, unless the URL has a connect_timeout.
const connectTimeout = 4 * time.Second

// A replica has at most this many connections, and one more to listen: Postgres' default
// of 100 is enough for five replicas.
const (
	postgresWriters = 8
	postgresReaders = 8
)

// channel is where a change of an instance is told.
const channel = "nametag_instances"

// postgresSettings hold for each connection, unless the URL says otherwise. The
// server gives up what the caller has given up already (CallTimeout), and a
// transaction whose process has stopped in the middle keeps its locks no longer. A
// migration that may take more time begins with SET LOCAL statement_timeout = 0.
var postgresSettings = map[string]string{
	"application_name":                    "nametag",
	"statement_timeout":                   strconv.FormatInt(CallTimeout.Milliseconds(), 10),
	"lock_timeout":                        "5000",
	"idle_in_transaction_session_timeout": "30000",
}

func newPostgres(databaseURL string) (dialect, error) {
	config, err := parsePostgres(databaseURL)
	if err != nil {
		return dialect{}, err
	}
	// Of several processes one migrates while the others ask again each second, for a
	// minute at most.
	locker, err := gooselock.NewPostgresSessionLocker(gooselock.WithLockTimeout(1, 60))
	if err != nil {
		return dialect{}, err
	}
	return dialect{
		target:       targetOf(config),
		open:         func(string) (*sql.DB, error) { return stdlib.OpenDB(*config.Copy()), nil },
		writers:      postgresWriters,
		readers:      postgresReaders,
		maxAge:       30 * time.Minute, // so that a server which has moved is found
		maxIdle:      5 * time.Minute,
		rebind:       numbered,
		forUpdate:    " FOR UPDATE",
		skipLocked:   " FOR UPDATE SKIP LOCKED",
		again:        serialization,
		notifySQL:    "SELECT pg_notify('" + channel + "', $1)",
		prepare:      func(context.Context, bool) error { return nil },
		migrations:   "migrations/postgres",
		goose:        goose.DialectPostgres,
		gooseOptions: []goose.ProviderOption{goose.WithSessionLocker(locker)},
	}, nil
}

// isPostgres says whether a database URL is for Postgres.
func isPostgres(databaseURL string) bool {
	return strings.HasPrefix(databaseURL, "postgres://") || strings.HasPrefix(databaseURL, "postgresql://")
}

// parsePostgres reads a URL with whatever parameters the driver knows, such as sslmode.
func parsePostgres(databaseURL string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		// The error repeats the URL, and where that is malformed no one can tell
		// which part of it is the password.
		text := err.Error()
		reason := text[strings.LastIndex(text, "`: ")+len("`: "):]
		if strings.HasPrefix(reason, "failed to parse") {
			reason = "it is malformed (write a special character in the password as %XX)"
		}
		return nil, fmt.Errorf("the database URL must be postgres://USER:PASSWORD@HOST/DATABASE: %s", reason)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	for name, value := range postgresSettings {
		if _, chosen := config.RuntimeParams[name]; !chosen {
			config.RuntimeParams[name] = value
		}
	}
	return config, nil
}

// targetOf names the database without its user.
func targetOf(config *pgx.ConnConfig) string {
	at := config.Host
	if !strings.HasPrefix(at, "/") {
		at = net.JoinHostPort(at, strconv.Itoa(int(config.Port)))
	}
	return config.Database + " at " + at
}

// numbered turns each ? into $1, $2 and so on. No query of the store has a ? of another
// meaning.
func numbered(query string) string {
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		query = after
	}
}

// serialization says that Postgres has sacrificed a transaction to one that runs
// beside it: a serialization failure or a deadlock.
func serialization(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}
