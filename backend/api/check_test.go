package api

import (
	"context"
	"strings"
	"testing"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/kit"
)

func TestCheck(t *testing.T) {
	handle := func(context.Context, kit.Call) (any, error) { return nil, nil }
	route := func(method, path string) kit.Route {
		return kit.Route{Method: method, Path: path, Role: identity.Visitor, Handle: handle}
	}
	good := kit.App{
		Answer: handle,
		Routes: []kit.Route{route("GET", "reviews"), route("POST", "reviews"), route("DELETE", "reviews/:id"), route("GET", "reviews.csv")},
		Errors: []apierr.Code{{Name: "review_limit", Status: 402, Message: "Too many."}},
	}
	if err := Check(good); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*kit.App)
		want   string
	}{
		{"no answer", func(a *kit.App) { a.Answer = nil }, "the app has no Answer"},
		{"a route twice", func(a *kit.App) { a.Routes = append(a.Routes, route("GET", "reviews")) }, "route GET api/reviews is declared twice"},
		{"a route twice under another parameter", func(a *kit.App) { a.Routes = append(a.Routes, route("DELETE", "reviews/:other")) }, "route DELETE api/reviews/:other is declared twice"},
		{"a route of Nametag's", func(a *kit.App) { a.Routes = []kit.Route{route("GET", "settings")} }, "route GET api/settings shadows a route of Nametag"},
		{"another method on a path of Nametag's", func(a *kit.App) { a.Routes = []kit.Route{route("DELETE", "get-instance")} }, "route DELETE api/get-instance shadows"},
		{"an unknown method", func(a *kit.App) { a.Routes = []kit.Route{route("get", "reviews")} }, "its method must be GET, POST, PUT, PATCH or DELETE"},
		{"a slash in front", func(a *kit.App) { a.Routes = []kit.Route{route("GET", "/reviews")} }, "its path must be such as reviews"},
		{"a wildcard", func(a *kit.App) { a.Routes = []kit.Route{route("GET", "*")} }, "its path must be such as reviews"},
		{"a way up", func(a *kit.App) { a.Routes = []kit.Route{route("GET", "a/../settings")} }, "its path must be such as reviews"},
		{"no path", func(a *kit.App) { a.Routes = []kit.Route{route("GET", "")} }, "its path must be such as reviews"},
		{"no role", func(a *kit.App) { a.Routes = []kit.Route{{Method: "GET", Path: "reviews", Handle: handle}} }, "its role must be"},
		{"no handler", func(a *kit.App) {
			a.Routes = []kit.Route{{Method: "GET", Path: "reviews", Role: identity.Owner}}
		}, "route GET api/reviews has no Handle"},
		{"a code of Nametag's", func(a *kit.App) { a.Errors = []apierr.Code{apierr.NotFound} }, `error code "not_found" is declared twice`},
		{"a code twice", func(a *kit.App) { a.Errors = append(a.Errors, a.Errors...) }, `error code "review_limit" is declared twice`},
		{"a code in capitals", func(a *kit.App) { a.Errors = []apierr.Code{{Name: "Limit", Status: 402, Message: "x"}} }, "it must be lower case"},
		{"a code with a good status", func(a *kit.App) { a.Errors = []apierr.Code{{Name: "limit", Status: 200, Message: "x"}} }, "its status is 200"},
		{"a plan twice", func(a *kit.App) { a.Plans = []string{"gold", "gold"} }, `plan "gold": the plans must be different ids`},
		{"a plan without an id", func(a *kit.App) { a.Plans = []string{" "} }, `plan " ": the plans must be different ids`},
		{"a code without a sentence", func(a *kit.App) { a.Errors = []apierr.Code{{Name: "limit", Status: 402}} }, "has no sentence"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			app := good
			app.Routes, app.Errors = append([]kit.Route(nil), good.Routes...), append([]apierr.Code(nil), good.Errors...)
			tt.change(&app)
			if err := Check(app); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	bad := kit.App{Routes: []kit.Route{{Method: "x", Path: "/", Role: "y"}}, Errors: []apierr.Code{{}}}
	if err := Check(bad); err == nil || strings.Count(err.Error(), "\n") < 4 {
		t.Errorf("not every fault at once: %v", err)
	}
}
