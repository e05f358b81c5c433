package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPublish publishes a project to a git repository, and imports it from another module as
// anybody would: with go get. Git is made to find the repository on this machine, and Go the
// other modules in its cache, so that nothing needs a network.
func TestPublish(t *testing.T) {
	project := starterFolder(t)
	published := filepath.Join(t.TempDir(), "cafe.git")
	sh(t, project, `git clone --quiet --bare . "$TO" && git -C "$TO" tag v0.1.0`, "TO="+published)

	service := t.TempDir()
	for name, source := range map[string]string{"main.go": "", "service.go": "", "service_test.go": ""} {
		content, err := os.ReadFile(filepath.Join(root, "examples/orders", name))
		if err != nil {
			t.Fatal(err)
		}
		source = string(content)
		put(t, service, map[string]string{name: source})
	}
	sh(t, service, `
sed -i "s#github.com/nametag-dev/nametag/#github.com/Acme/cafe/#" *.go
proxy="file://$(go env GOMODCACHE)/cache/download"
export GOPROXY="$proxy" GOMODCACHE="$NEW_CACHE" GOFLAGS=-modcacherw GOPRIVATE=github.com/Acme GONOSUMDB="*" GOTOOLCHAIN=local
go mod init example.com/orders
go get github.com/Acme/cafe@v0.1.0
go mod tidy
go vet ./...
go test ./...`,
		"NEW_CACHE="+t.TempDir(),
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url.file://"+published+".insteadOf", "GIT_CONFIG_VALUE_0=https://github.com/Acme/cafe")
}
