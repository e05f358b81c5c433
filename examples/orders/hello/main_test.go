package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/nametag-dev/nametag/backend/identity"
)

func TestOrders(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/orders", http.NoBody)
	r = r.WithContext(identity.WithCaller(r.Context(), identity.Caller{InstanceID: "i", Role: identity.Owner}))
	w := httptest.NewRecorder()
	orders(w, r)
	if got := w.Body.String(); got != "the orders of app instance i, for its owner\n" {
		t.Error(got)
	}
}

// TestLibraryGuide holds the first program of docs/library.md to this one.
func TestLibraryGuide(t *testing.T) {
	guide, err := os.ReadFile("../../../docs/library.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(guide), "```go\n")
	block, _, _ = strings.Cut(block, "```")
	if block != string(program) {
		t.Errorf("the first program of docs/library.md is not examples/orders/hello/main.go:\n%s", block)
	}
}
