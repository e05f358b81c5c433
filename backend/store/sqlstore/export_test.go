package sqlstore

import "context"

// Status lists the steps as Migrate does, and applies none. A database that does not exist
// is an error.
func Status(ctx context.Context, databaseURL string, o Options) ([]Migration, error) {
	s, err := connect(ctx, databaseURL, o, false)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.MigrationStatus(ctx)
}

// Migrate brings the schema of the database up to date, as Open does, and returns
// the status after it.
func Migrate(ctx context.Context, databaseURL string, o Options) ([]Migration, error) {
	s, err := openMigrated(ctx, databaseURL, o)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.MigrationStatus(ctx)
}
