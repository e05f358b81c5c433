package wixtest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/wixsim"
	"github.com/nametag-dev/nametag/backend/wixtest"
)

// whoami is a handler that answers the caller's role.
func whoami(t *testing.T, w *wixtest.Wix) (get func(token string) (int, string)) {
	t.Helper()
	verifier, err := identity.New(w.Options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(verifier.Close)
	h := verifier.Require(identity.Visitor)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, _ := identity.CallerFrom(r.Context())
		fmt.Fprint(w, caller.Role, " ", caller.InstanceID)
	}))
	return func(token string) (int, string) {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Header.Set("Authorization", token)
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		return answer.Code, answer.Body.String()
	}
}

func TestWix_Options_verify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := wixtest.Run(t)
		get := whoami(t, w)
		site := w.Install()
		for _, tt := range []struct {
			name, token string
			status      int
			body        string
		}{
			{"a visitor", site.Visitor(), 200, "visitor " + site.InstanceID},
			{"a member", site.Member(), 200, "visitor " + site.InstanceID},
			{"the owner", site.Owner(), 200, "owner " + site.InstanceID},
			{"the app", site.App(), 200, "app " + site.InstanceID},
			{"an expired token", site.Expired(), 401, ""},
			{"a revoked token", site.Revoked(), 401, ""},
			{"another app's", site.Foreign(), 403, ""},
			{"a token without an instance", w.NoInstance(), 403, ""},
		} {
			status, body := get(tt.token)
			if status != tt.status || tt.body != "" && body != tt.body {
				t.Errorf("%s: %d %q, want %d %q", tt.name, status, body, tt.status, tt.body)
			}
		}

		token := site.Visitor()
		if status, _ := get(token); status != 200 {
			t.Fatal(status)
		}
		w.Fail(wixsim.Fault{Outage: true})
		if status, _ := get(token); status != 200 {
			t.Errorf("a cached token while Wix is away: %d", status)
		}
		if status, _ := get(site.Visitor()); status != 503 {
			t.Errorf("a new token while Wix is away: %d", status)
		}
		w.Heal()
		w.Advance(5 * time.Hour)
		if status, _ := get(token); status != 401 {
			t.Errorf("a cached token after its end: %d", status)
		}
	})
}
