package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/wixsim"
	"github.com/nametag-dev/nametag/backend/wixtest"
)

// start returns the service on an offline Wix, and what sends it a request.
func start(t *testing.T) (w *wixtest.Wix, send func(method, path, token, body string) (int, string)) {
	w = wixtest.Run(t)
	verifier, err := identity.New(w.Options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(verifier.Close)
	s := newService(verifier)
	return w, func(method, path, token, body string) (int, string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		if token != "" {
			r.Header.Set("Authorization", token)
		}
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, r)
		return answer.Code, strings.TrimSpace(answer.Body.String())
	}
}

func TestService(t *testing.T) {
	wix, send := start(t)
	mugs, plates := wix.Install(wixtest.Named("Mugs & more")), wix.Install(wixtest.Named("Plates"))
	for _, tt := range []struct {
		name, method, path, token, body string
		status                          int
		want                            string // part of the answer
	}{
		{"a visitor orders", "POST", "/orders", mugs.Visitor(), `{"item":"blue","mugs":2}`, 200, `{"item":"blue","mugs":2}`},
		{"too many mugs", "POST", "/orders", mugs.Visitor(), `{"mugs":101}`, 422, `"error":"Order 1 to 100 mugs.","code":"mug_limit"`},
		{"no JSON", "POST", "/orders", mugs.Visitor(), `mugs`, 400, `"code":"body_malformed"`},
		{"the owner sees the orders", "GET", "/orders", mugs.Owner(), "", 200, `[{"item":"blue","mugs":2}]`},
		{"the owner of another site does not", "GET", "/orders", plates.Owner(), "", 200, `[]`},
		{"nor does the app there", "GET", "/orders", plates.App(), "", 200, `[]`},
		{"the app may what the owner may", "GET", "/orders", mugs.App(), "", 200, `[{"item":"blue","mugs":2}]`},
		{"a visitor does not", "GET", "/orders", mugs.Visitor(), "", 403, `"code":"owner_required"`},
		{"nor does a stranger", "GET", "/orders", "", "", 401, `"code":"token_missing"`},
		{"a token of another app", "POST", "/orders", mugs.Foreign(), `{"mugs":1}`, 403, `"code":"token_foreign"`},
		{"the site's name, from Wix", "GET", "/site", mugs.Owner(), "", 200, `{"site":"Mugs \u0026 more"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body := send(tt.method, tt.path, tt.token, tt.body)
			if status != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("got %d %s, want %d %s", status, body, tt.status, tt.want)
			}
		})
	}
}

func TestService_whileWixIsAway(t *testing.T) {
	wix, send := start(t)
	site := wix.Install()
	token := site.Owner()
	if status, body := send("GET", "/orders", token, ""); status != http.StatusOK {
		t.Fatal(status, body)
	}
	wix.Fail(wixsim.Fault{Outage: true})
	if status, body := send("GET", "/orders", token, ""); status != http.StatusOK {
		t.Errorf("a verified token: %d %s", status, body)
	}
	if status, body := send("GET", "/orders", wix.Install().Owner(), ""); status != http.StatusServiceUnavailable {
		t.Errorf("a new token: %d %s", status, body)
	}
	if status, body := send("GET", "/site", token, ""); status != http.StatusServiceUnavailable || !strings.Contains(body, "wix_unavailable") {
		t.Errorf("a call as the app: %d %s", status, body)
	}
}
