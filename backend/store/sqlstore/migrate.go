package sqlstore

// The schema and its versions: Nametag's own and the app's.

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// The tables in which goose records which migrations were applied: Nametag's and the app's.
const (
	versionTable    = "goose_db_version"
	appVersionTable = "app_db_version"
)

// Migration is one step of the schema.
type Migration struct {
	// App marks the app's migrations. Nametag's come first.
	App     bool
	Version int64
	// Name is its file, such as 00001_instances.sql.
	Name string
	// AppliedAt is when the step was applied, in UTC. It is zero while it is pending.
	AppliedAt time.Time
}

// MigrationStatus returns every step that this program knows, oldest first, Nametag's
// before the app's.
func (s *Store) MigrationStatus(ctx context.Context) ([]Migration, error) {
	var status []Migration
	for _, schema := range s.schemas() {
		provider, err := s.provider(ctx, schema)
		if err != nil {
			return nil, err
		}
		steps, err := provider.Status(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the schema version of %s: %w", s.dialect.target, err)
		}
		for _, step := range steps {
			m := Migration{App: schema.isApp, Version: step.Source.Version, Name: path.Base(step.Source.Path)}
			if step.State == goose.StateApplied {
				m.AppliedAt = step.AppliedAt.UTC()
			}
			status = append(status, m)
		}
	}
	return status, nil
}

// schema is one set of migrations with a version table of its own, so that the versions of
// Nametag and of the app never collide.
type schema struct {
	isApp  bool
	table  string
	files  fs.FS
	folder string
}

// schemas returns Nametag's migrations, and the app's if it has any.
func (s *Store) schemas() []schema {
	all := []schema{{table: versionTable, files: migrations, folder: "migrations/" + s.dialect.name}}
	if s.app.Migrations != nil {
		all = append(all, schema{isApp: true, table: appVersionTable, files: s.app.Migrations, folder: s.dialect.name})
	}
	return all
}

// owner names whose migrations they are, in messages.
func (m schema) owner() string {
	if m.isApp {
		return "the app's "
	}
	return ""
}

// migrate applies the missing steps, Nametag's before the app's. On Postgres an advisory
// lock, held over both, keeps processes that do the same at once apart. On SQLite it is the
// database's own write lock: a step and the record of its version are one transaction, and
// a version can be recorded only once, so of two processes one applies the step and the
// other's attempt is rolled back. The other then looks again.
func (s *Store) migrate(ctx context.Context) (err error) {
	if s.dialect.lockMigrations != nil {
		unlock, failed := s.dialect.lockMigrations(ctx, s.write)
		if failed != nil {
			return fmt.Errorf("lock the database %s for migrations: %w", s.dialect.target, failed)
		}
		defer func() { err = errors.Join(err, unlock()) }()
	}
	for _, schema := range s.schemas() {
		if err := s.migrateSchema(ctx, schema); err != nil {
			return err
		}
	}
	if s.app.Migrations == nil {
		return s.refuseAppSchema(ctx)
	}
	return nil
}

func (s *Store) migrateSchema(ctx context.Context, m schema) error {
	provider, err := s.provider(ctx, m)
	if err != nil {
		return err
	}
	for {
		before, newest, err := provider.GetVersions(ctx)
		if err != nil {
			return fmt.Errorf("read %sschema version of %s: %w", m.owner(), s.dialect.target, err)
		}
		if before > newest {
			return s.newerSchema(m, before, newest)
		}
		_, failed := provider.Up(ctx)
		if failed == nil {
			return nil
		}
		if after, _, err := provider.GetVersions(ctx); err != nil || after == before {
			return errors.Join(s.migrationError(m, failed), err)
		}
	}
}

func (s *Store) newerSchema(m schema, found, newest int64) error {
	return fmt.Errorf("the database %s has %sschema version %d, but this program knows none after %d: start the newer program that wrote it",
		s.dialect.target, m.owner(), found, newest)
}

// migrationError says which file failed, where goose knows it.
func (s *Store) migrationError(m schema, err error) error {
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		return fmt.Errorf("apply %smigration %s to the database %s: %w",
			m.owner(), path.Join(m.folder, path.Base(partial.Failed.Source.Path)), s.dialect.target, partial.Err)
	}
	return fmt.Errorf("apply %smigrations in %s to the database %s: %w", m.owner(), m.folder, s.dialect.target, err)
}

// refuseAppSchema refuses a database that an app has migrated to a program without that
// app, which would leave the app's rows behind when it deletes an instance.
func (s *Store) refuseAppSchema(ctx context.Context) error {
	tables, err := s.tables(ctx)
	if err != nil || !slices.Contains(tables, appVersionTable) {
		return err
	}
	var version int64
	if err := s.write.QueryRowContext(ctx, `SELECT max(version_id) FROM `+appVersionTable).Scan(&version); err != nil {
		return fmt.Errorf("read the app's schema version of %s: %w", s.dialect.target, err)
	}
	if version > 0 {
		return s.newerSchema(schema{isApp: true}, version, 0)
	}
	return nil
}

func (s *Store) provider(ctx context.Context, m schema) (*goose.Provider, error) {
	if err := s.createVersionTable(ctx, m.table); err != nil {
		return nil, fmt.Errorf("prepare the database %s for migrations: %w", s.dialect.target, err)
	}
	folder, err := fs.Sub(m.files, m.folder)
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(s.dialect.goose, s.write, folder,
		goose.WithTableName(m.table), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("read %smigrations in %s: %w", m.owner(), m.folder, err)
	}
	return provider, nil
}

// createVersionTable writes nothing where the table exists: a current database opens on a
// full disk.
func (s *Store) createVersionTable(ctx context.Context, table string) error {
	if s.dialect.versionTable == nil {
		return nil
	}
	if tables, err := s.tables(ctx); err != nil || slices.Contains(tables, table) {
		return err
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, statement := range s.dialect.versionTable(table) {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// tables lists the tables of the schema.
func (s *Store) tables(ctx context.Context) (names []string, err error) {
	names, err = scanStrings(s.write.QueryContext(ctx, s.dialect.tablesSQL))
	if err != nil {
		return nil, fmt.Errorf("list the tables of %s: %w", s.dialect.target, err)
	}
	return names, nil
}
