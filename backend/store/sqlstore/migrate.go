// The schema and its versions.

package sqlstore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// Migration is one step of the schema.
type Migration struct {
	Version int64
	// Name is its file, such as 00001_instances.sql.
	Name string
	// AppliedAt is zero while the step is still to be taken. UTC.
	AppliedAt time.Time
}

// Migrate brings the schema of the database up to date, as Open does, and returns
// the status after it.
func Migrate(ctx context.Context, databaseURL string) ([]Migration, error) {
	s, err := connect(ctx, databaseURL, Options{}, true)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := s.migrate(ctx); err != nil {
		return nil, err
	}
	return s.MigrationStatus(ctx)
}

// Status tells which steps the database has taken. It takes none, and a database that
// does not exist is an error.
func Status(ctx context.Context, databaseURL string) ([]Migration, error) {
	s, err := connect(ctx, databaseURL, Options{}, false)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.MigrationStatus(ctx)
}

// MigrationStatus returns every step this program knows, oldest first.
func (s *Store) MigrationStatus(ctx context.Context) ([]Migration, error) {
	provider, err := s.provider(ctx)
	if err != nil {
		return nil, err
	}
	steps, err := provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the schema version of %s: %w", s.dialect.target, err)
	}
	status := make([]Migration, len(steps))
	for i, step := range steps {
		status[i] = Migration{Version: step.Source.Version, Name: path.Base(step.Source.Path)}
		if step.State == goose.StateApplied {
			status[i].AppliedAt = step.AppliedAt.UTC()
		}
	}
	return status, nil
}

// migrate takes the steps that are missing. On Postgres an advisory lock keeps
// processes that do the same at once apart. On SQLite it is the database's own write
// lock: a step and the record of its version are one transaction, and a version can be
// recorded only once, so of two processes one takes the step and the other's attempt is
// undone whole. The other then looks again.
func (s *Store) migrate(ctx context.Context) error {
	provider, err := s.provider(ctx)
	if err != nil {
		return err
	}
	for {
		before, newest, err := provider.GetVersions(ctx)
		if err != nil {
			return fmt.Errorf("reading the schema version of %s: %w", s.dialect.target, err)
		}
		if before > newest {
			return fmt.Errorf("the database %s has schema version %d, but this program knows none after %d: start the newer Nametag that wrote it",
				s.dialect.target, before, newest)
		}
		_, failed := provider.Up(ctx)
		if failed == nil {
			return nil
		}
		if after, _, err := provider.GetVersions(ctx); err != nil || after == before {
			return errors.Join(fmt.Errorf("migrating the database %s: %w", s.dialect.target, failed), err)
		}
	}
}

func (s *Store) provider(ctx context.Context) (*goose.Provider, error) {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("locking the database %s: %w", s.dialect.target, err)
	}
	defer tx.Rollback()
	for _, statement := range s.dialect.versionTable {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return nil, fmt.Errorf("preparing the database %s for migrations: %w", s.dialect.target, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("preparing the database %s for migrations: %w", s.dialect.target, err)
	}
	folder, err := fs.Sub(migrations, s.dialect.migrations)
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(s.dialect.goose, s.write, folder,
		append(s.dialect.gooseOptions, goose.WithDisableGlobalRegistry(true))...)
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	return provider, nil
}
