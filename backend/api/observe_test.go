package api

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nametag-dev/nametag/backend/kit"
)

func TestServer_observations(t *testing.T) {
	var got []Observation
	s, _ := newServer(t, setup{
		app: func(a *kit.App) {
			a.Routes = []kit.Route{{Method: "GET", Path: "teapot", Role: "visitor", Handle: func(context.Context, kit.Call) (any, error) {
				return kit.Reply{Status: 418, Body: "a status of the app, which is no error"}, nil
			}}}
		},
		options: func(o *Options) {
			o.Observe = func(o Observation) {
				if o.Took <= 0 {
					t.Errorf("%v took no time", o)
				}
				o.Took = 0
				got = append(got, o)
			}
		},
	})
	ask(s, "GET", "/api/get-instance", "", "Authorization: "+visitor)
	ask(s, "POST", "/api/get-instance", "nobody's token")
	ask(s, "PUT", "/api/settings", "{}", "Authorization: "+visitor)
	ask(s, "GET", "/no/such/page", "")
	ask(s, "DELETE", "/api/settings", "", "Authorization: "+visitor)
	ask(s, "GET", "/api/teapot", "", "Authorization: "+visitor)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(gone, "GET", "/api/get-instance-data", nil)
	r.Header.Set("Authorization", visitor)
	s.ServeHTTP(httptest.NewRecorder(), r)

	want := []Observation{
		{Method: "GET", Route: "/api/get-instance", Status: 200},
		{Method: "POST", Route: "/api/get-instance", Status: 401, Code: "token_missing"},
		{Method: "PUT", Route: "/api/settings", Status: 403, Code: "owner_required"},
		{Method: "GET", Route: "unmatched", Status: 404, Code: "not_found"},
		{Method: "DELETE", Route: "/api/settings", Status: 405, Code: "method_not_allowed"},
		{Method: "GET", Route: "/api/teapot", Status: 418},
		{Method: "GET", Route: "/api/get-instance-data", Status: 499, Code: "client_gone"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
