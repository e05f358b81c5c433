// Transactions.

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
)

// maxRuns is how often a transaction is run that the database asks to run again.
const maxRuns = 5

// tx runs f in a transaction, which is committed if f returns no error, and undone
// whole if it does. f may be run several times.
func (s *Store) tx(ctx context.Context, f func(tx *sql.Tx) error) error {
	for run := 1; ; run++ {
		err := s.run(ctx, f)
		if err == nil || run == maxRuns || !s.dialect.again(err) {
			return err
		}
	}
}

func (s *Store) run(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err = f(tx); err == nil {
		err = tx.Commit()
	}
	// The end of the context undoes a transaction from outside, after which the
	// driver may speak of that only.
	if gone := ctx.Err(); err != nil && gone != nil && !errors.Is(err, gone) {
		return errors.Join(gone, err)
	}
	return err
}
