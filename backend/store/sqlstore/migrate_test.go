package sqlstore

import (
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestStatus_missingDatabase(t *testing.T) {
	url := newURL(t)
	if status, err := Status(t.Context(), url, Options{}); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("Status = %v, %v", status, err)
	}
	if _, err := os.Stat(strings.TrimPrefix(url, "sqlite:")); err == nil {
		t.Error("Status made the file")
	}
}

func TestMigrate_appliesEveryStepOnce(t *testing.T) {
	url := newURL(t)
	if err := os.WriteFile(strings.TrimPrefix(url, "sqlite:"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want, err := fs.Glob(migrations, "migrations/sqlite/*.sql")
	if err != nil || len(want) == 0 {
		t.Fatalf("migrations: %v, %v", want, err)
	}
	pending, err := Status(t.Context(), url, Options{})
	if err != nil || len(pending) != len(want) {
		t.Fatalf("Status = %v, %v; want %d steps", pending, err, len(want))
	}
	for i, step := range pending {
		if !step.AppliedAt.IsZero() || "migrations/sqlite/"+step.Name != want[i] || step.Version != int64(i)+1 {
			t.Errorf("before migrating, step %d is %+v", i, step)
		}
	}
	first, err := Migrate(t.Context(), url, Options{})
	if err != nil || len(first) != len(want) {
		t.Fatalf("Migrate = %v, %v", first, err)
	}
	for i, step := range first {
		if age := time.Since(step.AppliedAt); age < -time.Minute || age > time.Minute || step.AppliedAt.Location() != time.UTC {
			t.Errorf("after migrating, step %d was applied at %v", i, step.AppliedAt)
		}
	}
	s := open(t, url)
	for name, again := range map[string]func() ([]Migration, error){
		"Migrate":               func() ([]Migration, error) { return Migrate(t.Context(), url, Options{}) },
		"Status":                func() ([]Migration, error) { return Status(t.Context(), url, Options{}) },
		"Store.MigrationStatus": func() ([]Migration, error) { return s.MigrationStatus(t.Context()) },
	} {
		status, err := again()
		if err != nil || len(status) != len(first) || status[0] != first[0] {
			t.Errorf("%s = %v, %v; want %v", name, status, err, first)
		}
	}
	wantVersionsOnce(t, s, len(want))
}

func TestOpen_manyAtOnceOnANewFile(t *testing.T) {
	for range 5 {
		url := newURL(t)
		var all sync.WaitGroup
		start := make(chan struct{})
		for range 8 {
			all.Go(func() {
				<-start
				s, err := Open(t.Context(), url, Options{})
				if err != nil {
					t.Errorf("Open: %v", err)
					return
				}
				s.Close()
			})
		}
		close(start)
		all.Wait()
		wantVersionsOnce(t, open(t, url), steps(t))
	}
}

func TestOpen_failedMigration(t *testing.T) {
	url := newURL(t)
	s, err := connect(t.Context(), url, Options{}, true)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.write.Exec(`CREATE TABLE instances (belongs_to_someone_else TEXT)`); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), url, Options{}); err == nil || !strings.Contains(err.Error(), "migrations") {
		t.Errorf("Open: %v", err)
	}
	wantVersionsOnce(t, s, 0)
}

// wantVersionsOnce checks goose's table: version 0, which it makes itself, and the steps.
func wantVersionsOnce(t *testing.T, s *Store, steps int) {
	t.Helper()
	var rows, versions, newest int
	err := s.write.QueryRow(`SELECT count(*), count(DISTINCT version_id), max(version_id) FROM goose_db_version`).Scan(&rows, &versions, &newest)
	if err != nil || rows != steps+1 || versions != steps+1 || newest != steps {
		t.Errorf("the version table has %d rows, %d versions, newest %d (%v); want %d steps", rows, versions, newest, err, steps)
	}
}

// steps is how many migrations there are.
func steps(t *testing.T) int {
	t.Helper()
	files, err := fs.Glob(migrations, "migrations/sqlite/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("migrations: %v, %v", files, err)
	}
	return len(files)
}
