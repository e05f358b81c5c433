package sqlstore

// Whether the database can be used: that it is sound at the start, and takes writes.

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

const (
	// provedWriteFor is how long a write that succeeded stands for the next ones, and
	// failedWriteFor one that failed.
	provedWriteFor = 5 * time.Second
	failedWriteFor = time.Second

	// The version that goose records before any migration is a row that every database
	// has. The time is another one each time, because SQLite does not write what has not
	// changed.
	proveWriteSQL = `UPDATE ` + versionTable + ` SET tstamp = ? WHERE version_id = 0`
)

// writeProof is the outcome of the last write of Ping.
type writeProof struct {
	// turn has room for the one who writes.
	turn chan struct{}
	at   time.Time
	err  error
}

// Ping proves that a read and a write would succeed now, or would have a moment ago: it
// writes, but at most once in a few seconds.
func (s *Store) Ping(ctx context.Context) error {
	if _, err := s.Find(ctx, ""); !errors.Is(err, instance.ErrNotFound) {
		return err
	}
	if err := s.keeper.inPlace(); err != nil {
		return err
	}
	select {
	case s.writes.turn <- struct{}{}:
		defer func() { <-s.writes.turn }()
	case <-ctx.Done():
		return fmt.Errorf("prove a write: %w", ctx.Err())
	}
	lasts := provedWriteFor
	if s.writes.err != nil {
		lasts = failedWriteFor
	}
	if !s.writes.at.IsZero() && time.Since(s.writes.at) < lasts {
		return s.writes.err
	}
	err := s.proveWrite(ctx)
	if !errors.Is(err, context.Canceled) { // which says nothing of the database
		s.writes.at, s.writes.err = time.Now(), err
	}
	return err
}

func (s *Store) proveWrite(ctx context.Context) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	n, err := s.execCount(ctx, s.write, proveWriteSQL, time.Now().UTC().Format("2006-01-02 15:04:05.000000"))
	if err == nil && n == 0 {
		err = errors.New("the table " + versionTable + " has lost its first row")
	}
	if err != nil {
		return fmt.Errorf("prove a write: %w", err)
	}
	return nil
}

// verifyFor bounds Verify. A file of some hundred megabytes is read in that time.
const verifyFor = time.Second

// Verify looks for corrupt pages in a SQLite file, for a second at most: a file that is too
// large for that is verified in part.
func (s *Store) Verify(ctx context.Context) error {
	if s.dialect.file == "" {
		return nil
	}
	short, cancel := context.WithTimeout(ctx, verifyFor)
	defer cancel()
	var verdict string
	err := s.read.QueryRowContext(short, `PRAGMA quick_check(1)`).Scan(&verdict)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case short.Err() != nil, err == nil && verdict == "ok":
		return nil
	case err == nil:
		err = errors.New(verdict)
	}
	return fmt.Errorf("the SQLite database %s is corrupt, restore a backup: %w", s.dialect.file, err)
}
