package sqlstore

// SQLite in memory: a database that lives as long as its Store.

import (
	"context"
	"crypto/rand"
	"database/sql"

	"github.com/pressly/goose/v3"
)

// memoryOptions are those of sqliteOptions that have a meaning without a file.
const memoryOptions = "vfs=memdb&_pragma=busy_timeout(5000)&_pragma=journal_mode(MEMORY)&_pragma=foreign_keys(ON)&_txlock=immediate&_error_rc=1"

// newMemory names a database of SQLite's VFS "memdb". Connections that open the same name
// share it, and it lives until the last of them is closed.
//
// memdb knows no snapshots: a reader excludes the writer, and SQLite's way to wait is to
// poll. So one connection serves reads and writes, and callers queue for it in the pool.
func newMemory() dialect {
	d := newSQLiteDialect("in memory", "file:/"+rand.Text()+"?"+memoryOptions)
	d.inMemory = true
	d.keepDSN = d.writeDSN
	d.prepare = func(context.Context, bool) error { return nil }
	return d
}

// newSQLiteDialect returns what SQLite databases have in common.
func newSQLiteDialect(target, writeDSN string) dialect {
	return dialect{
		name:          "sqlite",
		target:        target,
		open:          func(dsn string) (*sql.DB, error) { return sql.Open("sqlite", dsn) },
		writeDSN:      writeDSN,
		writers:       1,
		rebind:        func(query string) string { return query },
		isRetryable:   func(error) bool { return false },
		isUnavailable: isSQLiteUnavailable,
		snapshot:      &sql.TxOptions{ReadOnly: true},
		tablesSQL:     `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`,
		goose:         goose.DialectSQLite3,
		versionTable: func(table string) []string {
			return []string{
				`CREATE TABLE IF NOT EXISTS ` + table + ` (
					id INTEGER PRIMARY KEY AUTOINCREMENT,
					version_id INTEGER NOT NULL UNIQUE,
					is_applied INTEGER NOT NULL,
					tstamp TIMESTAMP DEFAULT (datetime('now'))
				)`,
				`INSERT INTO ` + table + ` (version_id, is_applied) VALUES (0, 1) ON CONFLICT (version_id) DO NOTHING`,
			}
		},
	}
}
