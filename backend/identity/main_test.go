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

	"github.com/nametag-dev/nametag/backend/instance"
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

// fakeWix answers token-info with what the test says, and counts.
type fakeWix struct {
	mu     sync.Mutex
	calls  int
	answer func(ctx context.Context, token string) (wix.TokenInfo, error)
}

func (f *fakeWix) TokenInfo(ctx context.Context, token string) (wix.TokenInfo, error) {
	f.mu.Lock()
	f.calls++
	answer := f.answer
	f.mu.Unlock()
	return answer(ctx, token)
}

func (f *fakeWix) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

func (f *fakeWix) say(answer func(context.Context, string) (wix.TokenInfo, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

func (f *fakeWix) always(info wix.TokenInfo, err error) {
	f.say(func(context.Context, string) (wix.TokenInfo, error) { return info, err })
}

// good is what Wix says of a visitor's token that lives for another life.
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

func failure(kind wix.Kind, status int, retryAfter time.Duration) error {
	return &wix.Error{Op: "token info", Kind: kind, Status: status, RetryAfter: retryAfter}
}

func newIdentifier(t *testing.T, w *fakeWix) *Identifier {
	t.Helper()
	i := New(Options{Wix: w, AppID: app})
	t.Cleanup(i.Close)
	return i
}

// code is the code of an error, "" without one, and the error's text if it is none of ours.
func code(err error) instance.Code {
	var e *instance.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Code
	default:
		return instance.Code("not an *instance.Error: " + err.Error())
	}
}

// jws makes a token of Wix's form with these claims, signed by nobody.
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
