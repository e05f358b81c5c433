package identity

// No token and no secret in any log line or error.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

// The test causes every failure there is and searches all log lines and errors.
func TestVerifier_logsNoTokens(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	synctest.Test(t, func(t *testing.T) {
		w := new(fakeTokenInfo)
		i := startTokens(t, w, Options{Logger: logger})
		answers := []error{
			nil, refusal(401), refusal(418), failure(wix.RateLimited, 429, 1), failure(wix.Unavailable, 503, 1), failure(wix.Timeout, 504, 0),
			failure(wix.BadResponse, 200, 0), errors.New("odd"), context.DeadlineExceeded,
		}
		infos := []wix.TokenInfo{{}, good(time.Hour), good(-1), with(good(time.Hour), func(i *wix.TokenInfo) { i.ClientID = otherApp })}
		n := 0
		try := func(token ...string) {
			n++
			_, err := i.verify(t.Context(), strconv.Itoa(n), token)
			logger.Error("verify", "cause", err, "printed", fmt.Sprintf("%+v", err))
		}
		for _, err := range answers {
			for _, info := range infos {
				w.always(info, err)
				for range 3 {
					try("OauthNG.JWS.TOKENPART" + strconv.Itoa(n))
				}
				try("Bearer TOKENPART" + strconv.Itoa(n))
			}
			for range breakerFailures {
				try("TOKENPART" + strconv.Itoa(n))
			}
			time.Sleep(breakerOpen)
		}
		try("TOKENPART", "TOKENPART")
		try("TOKENPART x")
		try("TOKENPART\x00")
		try("TOKENPART" + strings.Repeat("x", 9000))
		try(jws(t, claims("TOKENPART", 1)))
		try(jws(t, claims("TOKENPART", 1<<40)))

		e := newElevator(&fakeElevation{
			token:    wix.AppToken{AccessToken: "TOKENPART", ExpiresIn: time.Hour},
			tokenErr: nil,
			readErr:  refusal(401),
		}, complete(t, Options{Logger: logger}))
		defer e.close()
		_, err := e.load(t.Context(), idA, false)
		logger.Error("elevate", "cause", err, "printed", fmt.Sprintf("%v", err))
	})
	for _, must := range []string{"token_inactive", "token refused", "wix breaker changed", "wix refuses the app instance"} {
		if !strings.Contains(log.String(), must) {
			t.Errorf("%q was never logged: the test looks in the wrong place", must)
		}
	}
	for _, secret := range []string{"TOKENPART", "OauthNG", "secretsignature"} {
		if at := strings.Index(log.String(), secret); at >= 0 {
			t.Errorf("the log contains %q: %s", secret, log.String()[max(at-200, 0):at+50])
		}
	}
}

func FuzzClaimsOf(f *testing.F) {
	f.Add(jws(f, claims(app, 1)))
	f.Add(jws(f, claims(otherApp, "99999999999")))
	f.Add("OauthNG.JWS.a.e30.c")
	f.Add("OauthNG.JWS..bnVsbA.")
	f.Fuzz(func(t *testing.T, token string) {
		switch c, refused := claimsOf(token).refusal(app, time.Now()); c {
		case apierr.TokenExpired, apierr.TokenForeign, accepted:
			if refused == (c == accepted) {
				t.Errorf("refused %v with %q", refused, c)
			}
		default:
			t.Errorf("%q", c)
		}
	})
}

// secretWix is a Wix that knows the app by one secret.
type secretWix struct {
	*fakeWix
	secret string
}

func (w *secretWix) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != "/oauth2/token" {
		return w.fakeWix.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var known bool
	w.set(func() { known = strings.Contains(string(body), `"client_secret":"`+w.secret+`"`) })
	if !known {
		refused := httptest.NewRecorder()
		refused.WriteHeader(http.StatusUnauthorized)
		return refused.Result(), nil
	}
	return w.fakeWix.RoundTrip(r)
}

// The secret is changed at Wix and here, in either order, and nothing fails.
func TestVerifier_changeOfSecret(t *testing.T) {
	var log bytes.Buffer
	w := &secretWix{&fakeWix{appToken: "app-token-1", api: http.HandlerFunc(echoBody)}, "secret-one"}
	v, err := New(Options{AppID: app, AppSecret: "secret-two", OldSecret: "secret-one", Transport: w, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	call := func() (ok bool, logged string) {
		log.Reset()
		v.Purge(idA) // with its app token
		resp, err := v.Client(idA).Get("https://www.wixapis.com/anything")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil, log.String()
	}
	for _, step := range []struct {
		name   string
		do     func()
		ok     bool
		logged string
	}{
		{"Wix still has the old secret", func() {}, true, "wix takes the old app secret"},
		{"it is said once", func() {}, true, ""},
		{"Wix has the new one", func() { w.set(func() { w.secret = "secret-two" }) }, true, "wix takes the new app secret"},
		{"a third one, here first", func() { v.SetSecrets("secret-three", "secret-two") }, true, "wix takes the old app secret"},
		{"none is no secret", func() { v.SetSecrets("", "") }, true, ""},
		{"and then at Wix", func() { w.set(func() { w.secret = "secret-three" }) }, true, "wix takes the new app secret"},
		{"a wrong one", func() { v.SetSecrets("secret-four", "") }, false, ""},
		{"mended", func() { v.SetSecrets("secret-three", "") }, true, ""},
	} {
		step.do()
		ok, logged := call()
		if ok != step.ok || (step.logged == "") != (logged == "") || !strings.Contains(logged, step.logged) {
			t.Errorf("%s: %v, logged %q, want %v and %q", step.name, ok, logged, step.ok, step.logged)
		}
		if strings.Contains(logged, "secret-") {
			t.Errorf("%s: the log has a secret: %s", step.name, logged)
		}
	}
}
