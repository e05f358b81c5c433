package storetest

import (
	"os"
	"path/filepath"
	"testing"
)

// Files returns a function that returns the URL of a new SQLite file, which is as prepare
// has left one: it gets the URL of a file that does not exist, once, and must close it.
func Files(t testing.TB, prepare func(databaseURL string)) func(t testing.TB) string {
	t.Helper()
	template := filepath.Join(t.TempDir(), "nametag.db")
	prepare("sqlite:" + template)
	content, err := os.ReadFile(template)
	if err != nil {
		t.Fatal(err)
	}
	return func(t testing.TB) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "nametag.db")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return "sqlite:" + path
	}
}
