package sqlstore

// Transactions.

import (
	"context"
	"database/sql"
	"errors"
)

// maxRuns is how often a transaction is run that the database asks to run again.
const maxRuns = 5

// tx runs f in a transaction, which is committed if f returns no error, and rolled back
// if it returns one or panics. f may run several times.
func (s *Store) tx(ctx context.Context, f func(tx *sql.Tx) error) error {
	for run := 1; ; run++ {
		err := s.runTx(ctx, f)
		if err == nil || run == maxRuns || !s.dialect.isRetryable(err) {
			return err
		}
	}
}

func (s *Store) runTx(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err = f(tx); err == nil {
		err = tx.Commit()
	}
	if err == nil {
		err = s.keeper.inPlace()
	}
	// The end of the context rolls a transaction back from outside, after which the
	// driver may report nothing but that.
	if gone := ctx.Err(); err != nil && gone != nil && !errors.Is(err, gone) {
		return errors.Join(gone, err)
	}
	return err
}
