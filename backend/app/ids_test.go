package app

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/wixsim"
)

// TestServe_idsInAnyCase has Wix write ids in capitals in every other answer, and everywhere
// else in another case: it is one instance all the same, and a removal ends all its tokens.
func TestServe_idsInAnyCase(t *testing.T) {
	sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: appSecret})
	if err != nil {
		t.Fatal(err)
	}
	ids := regexp.MustCompile(`"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"`)
	var shouts atomic.Bool
	shouting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		sim.REST().ServeHTTP(answer, r)
		body := answer.Body.Bytes()
		if shouts.Load() {
			body = ids.ReplaceAllFunc(body, bytes.ToUpper)
		}
		w.WriteHeader(answer.Code)
		_, _ = io.Copy(w, bytes.NewReader(body))
	}))
	t.Cleanup(shouting.Close)
	s := newSigner(t)
	w := startWith(t, sim, "WIX_API_URL="+shouting.URL, "WIX_APP_ID="+strings.ToUpper(appID), "WIX_PUBLIC_KEY="+s.public)
	id := w.install()
	var tokens []string
	for _, shout := range []bool{false, true} {
		shouts.Store(shout)
		token := w.mint(wixsim.TokenRequest{InstanceID: id})
		owner := w.mint(wixsim.TokenRequest{Subject: "USER", InstanceID: id})
		if got := w.as(token, "/api/get-instance"); got.status != 200 {
			t.Fatalf("got %d %s", got.status, got.text)
		}
		if got := w.as(owner, "/api/get-instance-data"); got.status != 200 {
			t.Errorf("got %d %s", got.status, got.text)
		}
		if got := w.as(owner, "/api/get-instance"); !strings.Contains(got.text, `"instanceId":"`+id+`"`) {
			t.Errorf("the owner sees %s", got.text)
		}
		tokens = append(tokens, token, owner)
	}
	event := map[string]any{"appId": strings.ToUpper(appID)}
	removal := s.sign(t, strings.ToUpper(id), "AppRemoved", time.Now().Add(2*time.Second), event)
	if got := w.webhook(removal); got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.text)
	}
	for n, token := range tokens {
		w.until("the removal ends every token", func() bool { return w.as(token, "/api/get-instance").status == 401 })
		if t.Failed() {
			t.Fatalf("token %d", n)
		}
	}
}
