package sqlstore

// The app's access to its own tables: the methods of kit.DB.

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
)

// Query implements kit.DB.
func (s *Store) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return s.read.QueryContext(endsAfterCallTimeout(ctx), s.dialect.rebind(query), args...)
}

// QueryRow implements kit.DB.
func (s *Store) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return s.read.QueryRowContext(endsAfterCallTimeout(ctx), s.dialect.rebind(query), args...)
}

// Dialect implements kit.DB.
func (s *Store) Dialect() string { return s.dialect.name }

// Write implements kit.DB.
func (s *Store) Write(ctx context.Context, instanceID string, f func(tx kit.Tx) error) error {
	return s.WriteShared(ctx, func(tx kit.Tx) error {
		if err := s.lockInstalled(ctx, tx, instanceID); err != nil {
			return err
		}
		return f(tx)
	})
}

// WriteEach implements kit.DB. The rows are locked in the order of their ids, so that no two
// transactions wait for each other.
func (s *Store) WriteEach(ctx context.Context, instanceIDs []string, f func(tx kit.Tx, instanceID string) error) error {
	ids := slices.Compact(slices.Sorted(slices.Values(instanceIDs)))
	return s.WriteShared(ctx, func(tx kit.Tx) error {
		for _, id := range ids {
			err := s.lockInstalled(ctx, tx, id)
			if errors.Is(err, instance.ErrNotFound) || errors.Is(err, instance.ErrRemoved) {
				continue
			}
			if err != nil {
				return err
			}
			if err := f(tx, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// lockInstalled locks the row of an instance for the app's writes: what removes or deletes
// it waits, and so do other writes of its data.
func (s *Store) lockInstalled(ctx context.Context, tx kit.Tx, id string) error {
	var removedAt sql.Null[int64]
	err := tx.QueryRow(ctx, `SELECT removed_at FROM instances WHERE id = ?`+s.dialect.forUpdate, id).Scan(&removedAt)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return instance.ErrNotFound
	case err != nil:
		return fmt.Errorf("lock the instance: %w", err)
	case removedAt.Valid:
		return instance.ErrRemoved
	}
	return nil
}

// WriteShared implements kit.DB. What f returns is returned as it is.
func (s *Store) WriteShared(ctx context.Context, f func(tx kit.Tx) error) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	var failed error
	err := s.tx(ctx, func(tx *sql.Tx) error {
		failed = f(s.appTx(ctx, tx))
		return failed
	})
	if err != nil && failed == nil {
		return fmt.Errorf("write the app's data: %w", err)
	}
	return err
}

// appTx is a transaction as the app sees it. Its statements end with the transaction's
// context, whatever context they are given.
type appTx struct {
	ctx    context.Context
	tx     *sql.Tx
	rebind func(string) string
}

func (s *Store) appTx(ctx context.Context, tx *sql.Tx) kit.Tx {
	return appTx{ctx, tx, s.dialect.rebind}
}

func (t appTx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.ctx, cancel)()
	return t.tx.ExecContext(ctx, t.rebind(query), args...)
}

func (t appTx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(endsWith(ctx, t.ctx), t.rebind(query), args...)
}

func (t appTx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return t.tx.QueryRowContext(endsWith(ctx, t.ctx), t.rebind(query), args...)
}

// endsWith returns ctx, ended by other too. Rows are read after the call that returns
// them, so there is no earlier moment to release it than the end of other.
func endsWith(ctx, other context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(other, cancel)
	return ctx
}

// endsAfterCallTimeout is bounded for rows, which are read after the call that returns
// them.
func endsAfterCallTimeout(ctx context.Context) context.Context {
	if _, has := ctx.Deadline(); has {
		return ctx
	}
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	context.AfterFunc(ctx, cancel)
	return ctx
}
