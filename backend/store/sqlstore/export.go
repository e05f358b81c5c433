package sqlstore

// Everything that is stored about one instance.

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nametag-dev/nametag/backend/instance"
)

// Export is everything that is stored about an instance. Its JSON is the format of
// the command `instances export`.
type Export struct {
	// Instance is nil where only jobs or rows of the app are stored, which is so until
	// the first event of an instance is applied.
	Instance *instance.Instance `json:"instance"`
	// Secrets are the names of the secret settings that are set. Their values are not
	// exported: they open accounts elsewhere.
	Secrets []string       `json:"secrets,omitempty"`
	Work    []instance.Job `json:"work"`
	// Tables are the app's tables by name, except the shared ones.
	Tables map[string]json.RawMessage `json:"tables,omitempty"`
}

// Export reads everything that is stored about an instance, in one transaction. Where
// there is neither an instance nor a job, the error is instance.ErrNotFound.
func (s *Store) Export(ctx context.Context, instanceID string) (Export, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	tx, err := s.read.BeginTx(ctx, s.dialect.snapshot)
	if err != nil {
		return Export{}, fmt.Errorf("export an instance: %w", err)
	}
	defer tx.Rollback()
	export, err := s.export(ctx, tx, instanceID)
	if err != nil && !errors.Is(err, instance.ErrNotFound) {
		err = fmt.Errorf("export an instance: %w", err)
	}
	return export, err
}

func (s *Store) export(ctx context.Context, tx *sql.Tx, id string) (e Export, err error) {
	row, err := s.scanOne(tx.QueryContext(ctx, s.dialect.rebind(findSQL), id))
	switch {
	case err == nil:
		e.Instance, e.Secrets = &row, row.Secrets.Names()
	case !errors.Is(err, instance.ErrNotFound):
		return Export{}, err
	}
	if e.Work, err = scanJobs(tx.QueryContext(ctx, s.dialect.rebind(jobsSQL), id)); err != nil {
		return Export{}, err
	}
	if e.Instance == nil && len(e.Work) == 0 {
		return Export{}, instance.ErrNotFound
	}
	for _, t := range s.app.Tables {
		if t.Shared {
			continue
		}
		var text []byte
		err := runHook(ctx, "Export of the table "+t.Name, func(ctx context.Context) error {
			content, err := t.Export(ctx, s.appTx(ctx, tx), id)
			if err != nil {
				return err
			}
			encoded, err := json.Marshal(content)
			text = encoded
			return err
		})
		if err != nil {
			return Export{}, err
		}
		if e.Tables == nil {
			e.Tables = map[string]json.RawMessage{}
		}
		e.Tables[t.Name] = text
	}
	return e, nil
}
