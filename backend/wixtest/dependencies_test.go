package wixtest_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/nametag-dev/nametag/"

// dependenciesOf returns everything that a package imports, directly or not.
func dependenciesOf(t *testing.T, pkg string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", module+pkg)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list -deps %s: %v", pkg, err)
	}
	return strings.Fields(string(out))
}

// A program that imports these packages gets neither a web framework nor a database driver.
func TestDependencies_ofTheImportablePackages(t *testing.T) {
	heavy := []string{"github.com/labstack/echo", "github.com/a-h/templ", "modernc.org/sqlite",
		"github.com/jackc/pgx", "github.com/pressly/goose"}
	for _, pkg := range []string{"backend/identity", "backend/wix", "backend/wixsim", "backend/wixtest"} {
		t.Run(pkg, func(t *testing.T) {
			dependencies := dependenciesOf(t, pkg)
			if !slices.Contains(dependencies, module+pkg) {
				t.Fatalf("go list -deps names no %s: %v", pkg, dependencies)
			}
			for _, dependency := range dependencies {
				if slices.ContainsFunc(heavy, func(prefix string) bool { return strings.HasPrefix(dependency, prefix) }) {
					t.Errorf("it depends on %s", dependency)
				}
			}
		})
	}
}

// The offline Wix shares no code with the packages that it is the test of.
func TestDependencies_wixsimAndTheClientsAreApart(t *testing.T) {
	apart := func(pkg string, others ...string) {
		dependencies := dependenciesOf(t, pkg)
		for _, other := range others {
			if slices.Contains(dependencies, module+other) {
				t.Errorf("%s depends on %s", pkg, other)
			}
		}
	}
	apart("backend/wixsim", "backend/wix", "backend/identity", "backend/api")
	for _, pkg := range []string{"backend/wix", "backend/identity", "backend/api"} {
		apart(pkg, "backend/wixsim")
	}
}
