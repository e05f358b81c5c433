package sqlstore

// What is deleted leaves the SQLite file, too.

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// secure_delete overwrites what is deleted where it stands. But when SQLite joins and
// splits the pages of a b-tree it moves rows, and what it moves stays where it was, in the
// middle of a page that nothing uses and that no later deletion finds. erase overwrites
// those, too, and empties the write-ahead log. "Database File Format", 1.6, has the layout.

const (
	// eraseRead is how many pages are looked at in one read, and eraseWrite how many one
	// transaction changes at most.
	eraseRead  = 512
	eraseWrite = 32
	// Below this number of pages (128 GB) the first byte tells the pages of b-trees from all
	// others, which begin with the number of a page.
	erasablePages = 2 << 24

	pagesSQL = `
WITH RECURSIVE wanted(n) AS (VALUES(?) UNION ALL SELECT n + 1 FROM wanted WHERE n < ?)
SELECT pgno, data FROM wanted JOIN sqlite_dbpage ON pgno = n`

	readPageSQL  = `SELECT data FROM sqlite_dbpage WHERE pgno = ?`
	writePageSQL = `UPDATE sqlite_dbpage SET data = ? WHERE pgno = ?`
)

// erase overwrites what is left of deleted rows in a SQLite file, if anything has been
// deleted since it last did, or might have been before the start. Other databases are left
// alone.
func (s *Store) erase(ctx context.Context) error {
	if s.dialect.file == "" {
		return nil
	}
	var err error
	if s.unerased.Swap(false) {
		if err = s.erasePages(ctx); err != nil {
			s.unerased.Store(true)
		}
	}
	if err == nil {
		err = s.keeper.emptyLog(ctx)
	}
	if err != nil {
		return fmt.Errorf("the rows are deleted, but not yet overwritten in the file: %w", err)
	}
	return nil
}

func (s *Store) erasePages(ctx context.Context) error {
	var last, vacuum int
	err := s.read.QueryRowContext(ctx, `SELECT (SELECT page_count FROM pragma_page_count), (SELECT auto_vacuum FROM pragma_auto_vacuum)`).Scan(&last, &vacuum)
	if err != nil {
		return err
	}
	if last >= erasablePages || vacuum != 0 {
		return errors.New("the file has more than 128 GB, or auto_vacuum: run VACUUM")
	}
	for first := 1; first <= last; first += eraseRead {
		dirty, err := s.dirtyPages(ctx, first, min(first+eraseRead-1, last))
		for err == nil && len(dirty) > 0 {
			n := min(len(dirty), eraseWrite)
			began := time.Now()
			err = s.tx(ctx, func(tx *sql.Tx) error { return clean(ctx, tx, dirty[:n]) })
			dirty = dirty[n:]
			if err == nil {
				err = rest(ctx, time.Since(began))
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dirtyPages returns the numbers of the pages that have something in their unused middle.
func (s *Store) dirtyPages(ctx context.Context, first, last int) (dirty []int, err error) {
	rows, err := s.read.QueryContext(ctx, pagesSQL, first, last)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			number int
			page   sql.RawBytes
		)
		if err := rows.Scan(&number, &page); err != nil {
			return nil, err
		}
		if isDirty(unused(page, number)) {
			dirty = append(dirty, number)
		}
	}
	return dirty, rows.Err()
}

// clean overwrites the unused middle of pages, as they are now.
func clean(ctx context.Context, tx *sql.Tx, numbers []int) error {
	for _, number := range numbers {
		var page []byte
		if err := tx.QueryRowContext(ctx, readPageSQL, number).Scan(&page); errors.Is(err, sql.ErrNoRows) {
			continue // the file has become shorter
		} else if err != nil {
			return err
		}
		if free := unused(page, number); isDirty(free) {
			clear(free)
			if _, err := tx.ExecContext(ctx, writePageSQL, page, number); err != nil {
				return err
			}
		}
	}
	return nil
}

// unused returns the part of a b-tree's page between the list of its cells and the cells.
// Other pages have none.
func unused(page []byte, number int) []byte {
	header := 0
	if number == 1 {
		header = 100 // after the header of the file
	}
	if len(page) < header+12 {
		return nil
	}
	list := header
	switch page[header] {
	case 2, 5: // interior
		list += 12
	case 10, 13: // leaf
		list += 8
	default:
		return nil
	}
	from := list + 2*int(binary.BigEndian.Uint16(page[header+3:]))
	to := int(binary.BigEndian.Uint16(page[header+5:]))
	if to == 0 {
		to = 1 << 16
	}
	if from > to || to > len(page) {
		return nil
	}
	return page[from:to]
}

func isDirty(free []byte) bool { return len(bytes.TrimLeft(free, "\x00")) > 0 }

// rest waits, so that others may write.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
