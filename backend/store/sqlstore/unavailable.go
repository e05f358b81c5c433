package sqlstore

// Which errors say that the database cannot be used now, and not that a statement is wrong.

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// IsUnavailable reports whether an error of this Store, or of a query of the app, says that
// the database cannot be used at the moment: no connection, no space, no lock in time.
func (s *Store) IsUnavailable(err error) bool {
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errMoved) ||
		s.dialect.isUnavailable(err)
}

func isSQLiteUnavailable(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB:
		return true
	}
	return false
}

func isSQLiteLocked(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code()&0xff == sqlite3.SQLITE_BUSY || e.Code()&0xff == sqlite3.SQLITE_LOCKED)
}

// isPostgresUnavailable goes by the classes of Postgres' error codes: 08 connection
// exception, 53 insufficient resources, 57 operator intervention, 58 system error; 25006 is
// a write to a server that only reads, 55P03 a lock that was not available in time, and
// XX001 and XX002 are corrupt data and a corrupt index.
func isPostgresUnavailable(err error) bool {
	var (
		connect *pgconn.ConnectError
		network net.Error
		e       *pgconn.PgError
	)
	if errors.As(err, &connect) || errors.As(err, &network) ||
		errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return true
	}
	if !errors.As(err, &e) {
		return false
	}
	for _, class := range []string{"08", "53", "57", "58", "25006", "55P03", "XX001", "XX002"} {
		if strings.HasPrefix(e.Code, class) {
			return true
		}
	}
	return false
}
