package kit

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"regexp"
	"strings"
	"unicode/utf8"
)

// identifier is what a name in SQL may be in both databases without quotes.
var identifier = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// Owned declares the usual table of an app: one whose column names the instance that a
// row belongs to. Export returns the rows of the instance as a list of JSON objects, with
// all columns: text as strings, blobs in base64. Purge deletes them. A copy of a site starts
// without rows; set Copy to change that.
//
// Owned panics on a name that is not lower-case letters, digits and underscores: that is a
// fault of the program.
func Owned(table, column string) Table {
	for _, name := range []string{table, column} {
		if !identifier.MatchString(name) {
			panic(fmt.Sprintf("kit.Owned: %q is no name of a table or column", name))
		}
	}
	return Table{
		Name: table,
		Export: func(ctx context.Context, tx Tx, instanceID string) (any, error) {
			rows, err := tx.Query(ctx, `SELECT * FROM `+table+` WHERE `+column+` = ?`, instanceID)
			if err != nil {
				return nil, err
			}
			defer rows.Close()
			return objects(rows)
		},
		Purge: func(ctx context.Context, tx Tx, instanceID string) error {
			_, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE `+column+` = ?`, instanceID)
			return err
		},
	}
}

// objects reads rows as JSON objects by column. It is an empty list where there are none.
func objects(rows *sql.Rows) ([]map[string]any, error) {
	columns, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	all := []map[string]any{}
	for rows.Next() {
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		object := map[string]any{}
		for i, column := range columns {
			object[column.Name()] = jsonValue(values[i], column.DatabaseTypeName())
		}
		all = append(all, object)
	}
	return all, rows.Err()
}

// jsonValue returns a column's value as it appears in JSON. Drivers return text as bytes
// too, and encoding/json writes bytes in base64.
func jsonValue(value any, columnType string) any {
	switch v := value.(type) {
	case []byte:
		isBlob := strings.EqualFold(columnType, "BLOB") || strings.EqualFold(columnType, "BYTEA")
		if !isBlob && utf8.Valid(v) {
			return string(v)
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v)
		}
	}
	return value
}
