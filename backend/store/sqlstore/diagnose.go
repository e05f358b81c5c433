package sqlstore

// What can be said of a database without opening it for use: no migration is run.

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/pressly/goose/v3"
)

// Diagnosis is what Diagnose has found. A step that failed leaves the later ones at zero.
type Diagnosis struct {
	// Target names the database, without its user and password.
	Target string
	// Open is why the database cannot be opened, or nil.
	Open error
	// Missing is set if the SQLite file does not exist yet, and can be created.
	Missing bool
	// Newer is the refusal of a schema that a newer program has made, or nil.
	Newer error
	// Pending is how many migrations the next start applies.
	Pending int
	// Write is why a write failed, or nil. It is not tried while migrations are pending.
	Write error
	// Free is how many bytes the file system of a SQLite database has left, or -1 where that
	// is not known.
	Free int64
	// TransactionPooler is set if connections go through a pooler in transaction mode.
	TransactionPooler bool
	// Instance is the installation that was visited last, or "".
	Instance string
}

// Diagnose tries a database: whether it can be opened, which schema it has, whether it can be
// written. It neither creates nor migrates it, and what it writes changes nothing.
func Diagnose(ctx context.Context, databaseURL string, o Options) Diagnosis {
	d := Diagnosis{Free: -1}
	dialect, err := newDialect(databaseURL)
	if err != nil {
		d.Open = err
		return d
	}
	d.Target = dialect.target
	isFile := dialect.name == "sqlite" && !dialect.inMemory
	if isFile {
		d.Free = freeSpace(filepath.Dir(dialect.target))
		if _, err := os.Stat(dialect.target); errors.Is(err, fs.ErrNotExist) {
			d.Missing, d.Open = true, canCreate(filepath.Dir(dialect.target))
			return d
		}
	}
	s, err := connect(ctx, databaseURL, o, false)
	if d.TransactionPooler = errors.Is(err, ErrTransactionPooler); d.TransactionPooler {
		return d
	}
	if err != nil {
		d.Open = err
		return d
	}
	defer s.Close()
	if d.Pending, d.Newer, d.Open = s.pending(ctx); d.Newer != nil || d.Open != nil {
		return d
	}
	if d.Pending == 0 {
		d.Write = s.tryWrite(ctx, databaseURL, o)
		d.Instance, _ = s.LastVisited(ctx) // without one, less is tried
	}
	return d
}

// canCreate reports why no file can be made in a folder.
func canCreate(dir string) error {
	file, err := os.CreateTemp(dir, ".try-*")
	if err != nil {
		return fmt.Errorf("create a file beside the SQLite database: %w", err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// pending counts the migrations that are not applied. newer is the refusal of a schema that
// this program does not know.
func (s *Store) pending(ctx context.Context) (n int, newer, err error) {
	tables, err := s.tables(ctx)
	if err != nil {
		return 0, nil, err
	}
	schemas := s.schemas()
	if s.app.Migrations == nil {
		schemas = append(schemas, schema{isApp: true, table: appVersionTable})
	}
	for _, m := range schemas {
		known, err := m.versions()
		if err != nil {
			return 0, nil, err
		}
		var applied sql.NullInt64
		if slices.Contains(tables, m.table) {
			if err := s.read.QueryRowContext(ctx, `SELECT max(version_id) FROM `+m.table).Scan(&applied); err != nil {
				return 0, nil, fmt.Errorf("read %sschema version of %s: %w", m.owner(), s.dialect.target, err)
			}
		}
		newest := int64(0)
		for _, version := range known {
			newest = max(newest, version)
			if version > applied.Int64 {
				n++
			}
		}
		if applied.Int64 > newest {
			return 0, s.newerSchema(m, applied.Int64, newest), nil
		}
	}
	return n, nil, nil
}

// versions lists the versions of the migrations.
func (m schema) versions() (all []int64, err error) {
	if m.files == nil {
		return nil, nil
	}
	names, err := fs.Glob(m.files, path.Join(m.folder, "*.sql"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		version, err := goose.NumericComponent(path.Base(name))
		if err != nil {
			return nil, fmt.Errorf("read %smigrations in %s: %w", m.owner(), m.folder, err)
		}
		all = append(all, version)
	}
	return all, nil
}

// tryWrite proves that the tables may be written, and that a write would last.
func (s *Store) tryWrite(ctx context.Context, databaseURL string, o Options) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE instances SET last_seen = last_seen WHERE id = ''`)
		return err
	})
	if err != nil || s.dialect.inMemory {
		return err
	}
	opened, err := Open(ctx, databaseURL, o) // nothing is pending: it migrates nothing
	if err != nil {
		return err
	}
	return errors.Join(opened.Ping(ctx), opened.Close())
}

// LastVisited returns the id of the installation that was visited last and is not removed, or
// "". It reads all rows.
func (s *Store) LastVisited(ctx context.Context) (id string, err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	err = s.read.QueryRowContext(ctx, `SELECT id FROM instances WHERE removed_at IS NULL ORDER BY last_seen DESC LIMIT 1`).Scan(&id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("look for an instance: %w", err)
	}
	return id, nil
}

// Target names the database, without its user and password.
func (s *Store) Target() string { return s.dialect.target }
