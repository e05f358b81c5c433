package sqlstore

// Which sessions of a Postgres server may be used: those that may write, and are a client's
// own for as long as it has them.

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// provedFor is how long a session is taken to be what it was.
const provedFor = time.Second

// sessions makes pools of connections to one database. After a failover a pool may still
// hold sessions of a server that has become read-only, or sessions that have begun
// read-only: they answer every read. So a session is asked again before it is used, once in
// provedFor; and one that refuses a write is closed at once, after which all the others are
// asked.
type sessions struct {
	config *pgx.ConnConfig
	// refused counts the writes that a session has refused as read-only.
	refused atomic.Int64
}

func newSessions(config *pgx.ConnConfig) *sessions {
	s := &sessions{config: config.Copy()}
	closes := s.config.OnPgError // on every FATAL error
	s.config.OnPgError = func(conn *pgconn.PgConn, err *pgconn.PgError) bool {
		if isReadOnly(err) {
			s.refused.Add(1)
			return false
		}
		return closes == nil || closes(conn, err)
	}
	return s
}

func (s *sessions) open() *sql.DB {
	return stdlib.OpenDB(*s.config.Copy(), stdlib.OptionResetSession(s.reset),
		stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false }))
}

// proof is when a session was last found to be what the URL asks for, and how many writes
// had been refused by then.
type proof struct {
	at      time.Time
	refused int64
}

const proofKey = "proof"

// reset is called before a connection of a pool is used again.
func (s *sessions) reset(ctx context.Context, conn *pgx.Conn) error {
	now := proof{time.Now(), s.refused.Load()}
	last, _ := conn.PgConn().CustomData()[proofKey].(proof)
	if last.refused == now.refused && now.at.Sub(last.at) < provedFor {
		return nil
	}
	if prove(ctx, s.config, conn.PgConn()) != nil {
		return driver.ErrBadConn
	}
	conn.PgConn().CustomData()[proofKey] = now
	return nil
}

// prove asks a server whether it is there, and still what the URL asks for.
func prove(ctx context.Context, config *pgx.ConnConfig, conn *pgconn.PgConn) error {
	if config.ValidateConnect == nil { // target_session_attrs=any
		return conn.Ping(ctx)
	}
	err := config.ValidateConnect(ctx, conn)
	var second *pgconn.NotPreferredError
	if errors.As(err, &second) {
		return nil
	}
	return err
}

// isReadOnly reports whether Postgres has refused a write because the session may only
// read. Nothing was written.
func isReadOnly(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "25006"
}

// ErrTransactionPooler says that a pooler stands before the database which gives each
// transaction, or each statement, another session.
var ErrTransactionPooler = errors.New("a pooler in transaction mode stands before it, where change notifications, locks and settings of a session are lost: " +
	"use the direct address, or session mode (PgBouncer: pool_mode = session; Supabase: port 5432; Neon: the host without -pooler)")

// poolerRounds is how often two clients compare their sessions. Another client may take the
// session that would have shown it.
const poolerRounds = 3

// refuseTransactionPooler returns ErrTransactionPooler if a session is not the client's own
// between transactions: if another client gets it, or the client another.
func refuseTransactionPooler(ctx context.Context, db *sql.DB) error {
	one, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer one.Close()
	first, direct, err := sessionOf(ctx, one, "")
	if err != nil || direct {
		return err
	}
	other, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer other.Close()
	for range poolerRounds {
		taken, _, err := sessionOf(ctx, other, "BEGIN;")
		var refused *pgconn.PgError
		if errors.As(err, &refused) && refused.Code == "08P01" { // statement mode knows no BEGIN
			return ErrTransactionPooler
		}
		if err == nil && taken != first {
			var next string
			if next, _, err = sessionOf(ctx, one, ""); err == nil && next == first {
				_, _, err = sessionOf(ctx, other, "ROLLBACK;")
				if err == nil {
					continue
				}
			}
		}
		if err != nil {
			return err
		}
		return ErrTransactionPooler
	}
	return nil
}

// sessionOf names the server process behind a connection, after it has run the statements
// before. direct means that it is the one which the connection was made to.
func sessionOf(ctx context.Context, conn *sql.Conn, before string) (process string, direct bool, err error) {
	err = conn.Raw(func(raw any) error {
		c := raw.(*stdlib.Conn).Conn().PgConn()
		results, err := c.Exec(ctx, before+"SELECT pg_backend_pid()").ReadAll()
		if err != nil {
			return fmt.Errorf("ask for the session's process: %w", err)
		}
		process = string(results[len(results)-1].Rows[0][0])
		direct = process == fmt.Sprint(c.PID())
		return nil
	})
	return process, direct, err
}
