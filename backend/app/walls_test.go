package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/nametag-dev/nametag/"

// TestWalls holds the packages to the map in docs/architecture.md: which of ours each may
// import.
func TestWalls(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	may := map[string][]string{
		"backend/product":                       {},
		"backend/apierr":                        {},
		"backend/etag":                          {},
		"backend/clientaddr":                    {},
		"backend/terminal":                      {},
		"backend/logging":                       {"backend/terminal"},
		"backend/instance":                      {},
		"backend/pasted":                        {},
		"backend/wix":                           {"backend/pasted"},
		"backend/wixsim":                        {},
		"backend/settings":                      {"backend/apierr", "backend/settings/internal/declaration"},
		"backend/settings/generate":             {"backend/settings/internal/declaration"},
		"backend/settings/internal/declaration": {},
		"backend/identity":                      {"backend/apierr", "backend/clientaddr", "backend/wix"},
		"backend/kit":                           {"backend/apierr", "backend/identity", "backend/instance", "backend/settings"},
		"backend/business":                      {"backend/apierr", "backend/identity", "backend/instance", "backend/kit", "backend/settings"},
		"backend/doctor":                        {"backend/store/sqlstore", "backend/wix"},
		"backend/wixtest":                       {"backend/identity", "backend/wix", "backend/wixsim"},
		"backend/wixpages":                      {"backend/product/appjson", "backend/wixsim", "web"},
	}
	const names = "backend/product" // which any package may import
	// A library, and the packages that may import it.
	only := map[string][]string{
		"github.com/labstack/echo/v4":   {"backend/api", "bench/bare"},
		"go.opentelemetry.io":           {"backend/app"},
		"github.com/a-h/templ":          {"backend/api", "backend/wixpages", "web"},
		"modernc.org/sqlite":            {"backend/store/sqlstore", "bench/seed"},
		"github.com/jackc/pgx/v5":       {"backend/store/sqlstore", "backend/store/pgtest", "bench/seed"},
		module + "backend/business":     {"backend/app", "backend/cmd"},
		module + "backend/app":          {"backend/cmd"},
		module + "backend/store/pgtest": {"bench/postgres"},
	}
	seen := map[string]bool{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, module)
		if path.Dir(name) == "backend/cmd" {
			name = "backend/cmd" // the program has the product's name
		}
		seen[name] = true
		allowed, limited := may[name]
		for _, imported := range p.Imports {
			if ours, ok := strings.CutPrefix(imported, module); ok && limited && ours != names && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s", name, ours)
			}
			for library, users := range only {
				if (imported == library || strings.HasPrefix(imported, library+"/")) && !slices.Contains(users, name) {
					t.Errorf("%s imports %s", name, imported)
				}
			}
		}
	}
	for name := range may {
		if !seen[name] {
			t.Errorf("there is no package %s", name)
		}
	}
}
