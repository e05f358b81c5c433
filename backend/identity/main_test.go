package identity

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	app      = "11111111-1111-4111-8111-111111111111"
	otherApp = "22222222-2222-4222-8222-222222222222"
	site     = "33333333-3333-4333-8333-333333333333"
	idA      = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
	idB      = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
)

// fakeTokenInfo answers token-info as the test decides, and counts the calls.
type fakeTokenInfo struct {
	mu     sync.Mutex
	calls  int
	answer func(ctx context.Context, token string) (wix.TokenInfo, error)
}

func (f *fakeTokenInfo) TokenInfo(ctx context.Context, token string) (wix.TokenInfo, error) {
	f.mu.Lock()
	f.calls++
	answer := f.answer
	f.mu.Unlock()
	return answer(ctx, token)
}

func (f *fakeTokenInfo) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

func (f *fakeTokenInfo) answerWith(answer func(context.Context, string) (wix.TokenInfo, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

func (f *fakeTokenInfo) always(info wix.TokenInfo, err error) {
	f.answerWith(func(context.Context, string) (wix.TokenInfo, error) { return info, err })
}

// good is Wix's answer about a visitor's token that is valid for another life.
func good(life time.Duration) wix.TokenInfo {
	return wix.TokenInfo{
		Active: true, SubjectType: wix.SubjectVisitor, ClientID: app, InstanceID: idA, SiteID: site,
		Expires: time.Now().Add(life),
	}
}

func with(info wix.TokenInfo, change func(*wix.TokenInfo)) wix.TokenInfo {
	change(&info)
	return info
}

func refusal(status int) error {
	return &wix.Error{Op: "token info", Kind: wix.Refused, Status: status, RequestID: "req-1"}
}

// refusalOf is Wix's answer to a call of the app itself: "app token" or "app instance".
func refusalOf(op string, status int) error {
	return &wix.Error{Op: op, Kind: wix.Refused, Status: status, RequestID: "req-1"}
}

func failure(kind wix.Kind, status int, retryAfter time.Duration) error {
	return &wix.Error{Op: "token info", Kind: kind, Status: status, RetryAfter: retryAfter}
}

// complete returns options with everything that is required.
func complete(t testing.TB, o Options) Options {
	t.Helper()
	o.AppID, o.AppSecret = app, "app-secret"
	o, err := o.complete()
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func startTokens(t testing.TB, w *fakeTokenInfo, o Options) *tokens {
	t.Helper()
	i := newTokens(w, complete(t, o))
	t.Cleanup(i.close)
	return i
}

// accepted is the code of no error.
var accepted apierr.Code

// code returns the code of an error; one that is not an *apierr.Error has a code of its own.
func code(err error) apierr.Code {
	var e *apierr.Error
	switch {
	case err == nil:
		return accepted
	case errors.As(err, &e):
		return e.Code
	default:
		return apierr.Code{Name: "not an *apierr.Error: " + err.Error()}
	}
}

// jws makes a token of Wix's form with these claims and a false signature.
func jws(t testing.TB, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	return "OauthNG.JWS." + b64([]byte(`{"kid":"k","alg":"HS256"}`)) + "." + b64(payload) + "." + b64([]byte("secretsignature"))
}

func claims(appDefID string, exp any) map[string]any {
	return map[string]any{"data": `{"instance":{"instanceId":"` + idA + `","appDefId":"` + appDefID + `"}}`, "iat": 1, "exp": exp}
}
