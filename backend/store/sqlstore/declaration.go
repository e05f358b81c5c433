package sqlstore

// What an app declares about its tables, and whether it is true.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/nametag-dev/nametag/backend/kit"
)

// DataError is a fault in an app's declaration of its share of the database: one of
// CheckData, which needs no database, or a table that Open finds in the database and not in
// the declaration, or the other way round.
type DataError struct {
	// Table is the table at fault, or "".
	Table string
	// Reason is a sentence without its subject, such as "needs a Purge function".
	Reason string
}

func (e *DataError) Error() string {
	if e.Table == "" {
		return "the app's data " + e.Reason
	}
	return fmt.Sprintf("the app's table %q %s", e.Table, e.Reason)
}

// reservedPrefix begins the name of every table that Nametag will add, so that no later
// migration of it collides with an app's table.
const reservedPrefix = "nametag_"

// reservedTables are Nametag's own.
var reservedTables = [...]string{"instances", "jobs", versionTable, appVersionTable}

// CheckData returns the faults of a declaration that need no database to be found, each a
// *DataError: a table without the functions that the promises about data need, a name that
// is used twice or is Nametag's, and migrations that one database has and the other not.
func CheckData(data kit.Data) error {
	var faults []error
	fault := func(table, reason string) { faults = append(faults, &DataError{table, reason}) }
	names := map[string]bool{}
	for _, t := range data.Tables {
		name := strings.ToLower(t.Name)
		switch {
		case name == "":
			fault("", "has a table without a name")
		case isReserved(name):
			fault(t.Name, "has a name that Nametag keeps for itself")
		case names[name]:
			fault(t.Name, "is declared twice")
		}
		names[name] = true
		if !t.Shared && t.Export == nil {
			fault(t.Name, "needs an Export function, or to be Shared")
		}
		if !t.Shared && t.Purge == nil {
			fault(t.Name, "needs a Purge function, or to be Shared")
		}
		if t.Shared && (t.Export != nil || t.Purge != nil || t.Copy != nil) {
			fault(t.Name, "is Shared, so that its functions would never be called")
		}
	}
	if data.Migrations != nil {
		sqlite, postgres := migrationNames(data.Migrations, "sqlite"), migrationNames(data.Migrations, "postgres")
		if len(sqlite) == 0 && len(postgres) == 0 {
			fault("", "has migrations without a file sqlite/*.sql or postgres/*.sql")
		} else if !slices.Equal(sqlite, postgres) {
			fault("", fmt.Sprintf("has other migrations for SQLite (%s) than for Postgres (%s)", list(sqlite), list(postgres)))
		}
	} else if len(data.Tables) > 0 {
		fault("", "has tables and no migrations to create them")
	}
	return errors.Join(faults...)
}

func isReserved(name string) bool {
	return slices.Contains(reservedTables[:], name) || strings.HasPrefix(name, reservedPrefix)
}

func migrationNames(files fs.FS, folder string) []string {
	found, _ := fs.Glob(files, folder+"/*.sql") // an error means a bad pattern
	for i := range found {
		found[i] = path.Base(found[i])
	}
	return found
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// checkTables compares the declared tables with those of the database that the app's
// migrations mention.
func (s *Store) checkTables(ctx context.Context) error {
	if s.app.Migrations == nil {
		return nil
	}
	text, err := migrationText(s.app.Migrations, s.dialect.name)
	if err != nil {
		return err
	}
	found, err := s.tables(ctx)
	if err != nil {
		return err
	}
	declared := func(name string) bool {
		return slices.ContainsFunc(s.app.Tables, func(t kit.Table) bool { return strings.EqualFold(t.Name, name) })
	}
	exists := func(name string) bool {
		return slices.ContainsFunc(found, func(f string) bool { return strings.EqualFold(f, name) })
	}
	var faults []error
	for _, name := range found {
		if !isReserved(strings.ToLower(name)) && !declared(name) && mentions(text, name) {
			faults = append(faults, &DataError{name, "is made by the app's migrations, but not declared in kit.Data.Tables: nothing would export or purge it"})
		}
	}
	for _, t := range s.app.Tables {
		if !exists(t.Name) {
			faults = append(faults, &DataError{t.Name, "is declared in kit.Data.Tables, but no migration makes it"})
		}
	}
	return errors.Join(faults...)
}

func migrationText(files fs.FS, folder string) (string, error) {
	var text strings.Builder
	for _, name := range migrationNames(files, folder) {
		content, err := fs.ReadFile(files, path.Join(folder, name))
		if err != nil {
			return "", fmt.Errorf("read the app's migrations: %w", err)
		}
		text.Write(content)
		text.WriteByte('\n')
	}
	return text.String(), nil
}

// mentions reports whether a table's name stands in the text as a word.
func mentions(text, table string) bool {
	return regexp.MustCompile(`(?i)(^|\W)` + regexp.QuoteMeta(table) + `(\W|$)`).MatchString(text)
}
