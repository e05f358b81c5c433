package identity

// No token and no secret in any log line or error.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
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
