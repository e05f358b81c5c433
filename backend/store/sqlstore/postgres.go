package sqlstore

// Postgres, a server that several processes share.

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	gooselock "github.com/pressly/goose/v3/lock"

	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/store/sqlstore/placeholder"
)

// connectTimeout bounds one attempt to connect, unless the URL has a connect_timeout.
const connectTimeout = 4 * time.Second

// A replica has at most this many connections, and one more to listen: Postgres' default
// of 100 is enough for five replicas.
const (
	postgresWriters = 8
	postgresReaders = 8
)

// channel is where changes of instances are notified.
const channel = "nametag_instances"

// lockInstancesSQL locks by a number of two halves, of which the first is this query's own.
const lockInstancesSQL = `SELECT id FROM jobs WHERE pg_try_advisory_xact_lock(1701, hashtext(instance_id)) AND id IN `

// postgresSettings apply to each session, unless the URL says otherwise. The server
// ends what the caller has given up already (CallTimeout), and a transaction whose process
// has stopped in the middle loses its locks. A migration that may take more time begins
// with SET LOCAL statement_timeout = 0.
var postgresSettings = map[string]string{
	"statement_timeout":                   strconv.FormatInt(CallTimeout.Milliseconds(), 10),
	"lock_timeout":                        "5000",
	"idle_in_transaction_session_timeout": "30000",
}

func newPostgres(databaseURL string) (dialect, error) {
	config, err := parsePostgres(databaseURL)
	if err != nil {
		return dialect{}, err
	}
	// Of several processes one migrates while the others try again each second, for a
	// minute at most.
	locker, err := gooselock.NewPostgresSessionLocker(gooselock.WithLockTimeout(1, 60))
	if err != nil {
		return dialect{}, err
	}
	pools := newSessions(config)
	return dialect{
		name:          "postgres",
		target:        targetOf(config),
		open:          func(string) (*sql.DB, error) { return pools.open(), nil },
		writers:       postgresWriters,
		readers:       postgresReaders,
		maxAge:        30 * time.Minute, // so that a server which has moved is found
		maxIdle:       5 * time.Minute,
		rebind:        placeholder.Number,
		forUpdate:     " FOR UPDATE",
		skipLocked:    " FOR UPDATE SKIP LOCKED",
		lockInstances: lockInstancesSQL,
		isRetryable:   func(err error) bool { return isSerializationFailure(err) || isReadOnly(err) },
		isUnavailable: isPostgresUnavailable,
		snapshot:      &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		tablesSQL: `SELECT table_name FROM information_schema.tables
			WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`,
		notifySQL:      "SELECT pg_notify('" + channel + "', $1)",
		prepare:        func(context.Context, bool) error { return nil },
		accept:         refuseTransactionPooler,
		goose:          goose.DialectPostgres,
		lockMigrations: sessionLock(locker),
	}, nil
}

// sessionLock returns a function that takes goose's advisory lock on a connection of its
// own. goose itself would take it for one set of migrations only.
func sessionLock(locker gooselock.SessionLocker) func(context.Context, *sql.DB) (func() error, error) {
	return func(ctx context.Context, db *sql.DB) (func() error, error) {
		conn, err := db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		if err := locker.SessionLock(ctx, conn); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return func() error {
			return errors.Join(locker.SessionUnlock(context.WithoutCancel(ctx), conn), conn.Close())
		}, nil
	}
}

// isPostgres reports whether a database URL is for Postgres.
func isPostgres(databaseURL string) bool {
	return strings.HasPrefix(databaseURL, "postgres://") || strings.HasPrefix(databaseURL, "postgresql://")
}

// startupParameters are sent with the first message of a connection. Poolers know these;
// everything else of the URL, and postgresSettings, is set once connected, because PgBouncer
// refuses a connection whose first message has a parameter that it does not track.
var startupParameters = map[string]bool{"application_name": true, "client_encoding": true, "options": true, "replication": true}

// parsePostgres reads a URL with whatever parameters the driver knows, such as sslmode. A
// connection has to be one that may write, unless the URL says otherwise by
// target_session_attrs.
func parsePostgres(databaseURL string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		// The error repeats the URL, and in a malformed URL it is not certain which part
		// is the password.
		text := err.Error()
		reason := text[strings.LastIndex(text, "`: ")+len("`: "):]
		if strings.HasPrefix(reason, "failed to parse") {
			reason = "it is malformed (write a special character in the password as %XX)"
		}
		return nil, fmt.Errorf("the database URL must be postgres://USER:PASSWORD@HOST/DATABASE: %s", reason)
	}
	if err := checkParameters(config.RuntimeParams); err != nil {
		return nil, err
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	if u, err := url.Parse(databaseURL); err == nil && !u.Query().Has("target_session_attrs") {
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	settings := maps.Clone(postgresSettings)
	for name, value := range config.RuntimeParams {
		if settings[name] = value; startupParameters[name] {
			delete(settings, name)
		} else {
			delete(config.RuntimeParams, name)
		}
	}
	if _, chosen := config.RuntimeParams["application_name"]; !chosen {
		config.RuntimeParams["application_name"] = product.ID
	}
	config.AfterConnect = setAll(settings)
	return config, nil
}

// setAll sets the parameters of a new session.
func setAll(settings map[string]string) pgconn.AfterConnectFunc {
	var (
		query strings.Builder
		args  [][]byte
	)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		separator := ", "
		if len(args) == 0 {
			separator = "SELECT "
		}
		fmt.Fprintf(&query, "%sset_config($%d, $%d, false)", separator, len(args)+1, len(args)+2)
		args = append(args, []byte(name), []byte(settings[name]))
	}
	return func(ctx context.Context, conn *pgconn.PgConn) error {
		if err := conn.ExecParams(ctx, query.String(), args, nil, nil, nil).Read().Err; err != nil {
			return fmt.Errorf("set the parameters of the session, those of the database URL among them: %w", err)
		}
		return nil
	}
}

// targetOf names the database without its user.
func targetOf(config *pgx.ConnConfig) string {
	at := config.Host
	if !strings.HasPrefix(at, "/") {
		at = net.JoinHostPort(at, strconv.Itoa(int(config.Port)))
	}
	return config.Database + " at " + at
}

// isSerializationFailure reports whether Postgres has aborted a transaction in favor of a
// concurrent one: a serialization failure or a deadlock.
func isSerializationFailure(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}
