package identity

// Which tokens are accepted, and the error of each refusal.

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

func TestTokens_verify_authorizationHeader(t *testing.T) {
	tests := []struct {
		name   string
		header []string
		token  string // what Wix is asked about
		code   apierr.Code
	}{
		{"the bare token", []string{"tok"}, "tok", accepted},
		{"Bearer before it", []string{"Bearer tok"}, "tok", accepted},
		{"bearer in any case", []string{"bEaReR tok"}, "tok", accepted},
		{"spaces and tabs around it", []string{" \tBearer  \t tok \t"}, "tok", accepted},
		{"a token that begins like the scheme", []string{"bearertok"}, "bearertok", accepted},
		{"8192 bytes", []string{strings.Repeat("x", 8192)}, strings.Repeat("x", 8192), accepted},
		{"8192 bytes after Bearer", []string{"Bearer " + strings.Repeat("x", 8192)}, strings.Repeat("x", 8192), accepted},
		{"text that is not ASCII is left to Wix", []string{"tökén"}, "tökén", accepted},
		{"no header", nil, "", apierr.TokenMissing},
		{"an empty header", []string{""}, "", apierr.TokenMissing},
		{"a header of spaces", []string{"  "}, "", apierr.TokenMissing},
		{"Bearer and nothing", []string{"Bearer"}, "", apierr.TokenMissing},
		{"Bearer and a space", []string{"Bearer "}, "", apierr.TokenMissing},
		{"two headers", []string{"tok", "tok"}, "", apierr.TokenMalformed},
		{"two headers, one empty", []string{"tok", ""}, "", apierr.TokenMalformed},
		{"8193 bytes", []string{strings.Repeat("x", 8193)}, "", apierr.TokenMalformed},
		{"8193 bytes after Bearer", []string{"Bearer " + strings.Repeat("x", 8193)}, "", apierr.TokenMalformed},
		{"another scheme", []string{"Basic dG9rOnRvaw=="}, "", apierr.TokenMalformed},
		{"Bearer twice", []string{"Bearer Bearer tok"}, "", apierr.TokenMalformed},
		{"an inner space", []string{"to k"}, "", apierr.TokenMalformed},
		{"an inner tab", []string{"to\tk"}, "", apierr.TokenMalformed},
		{"an inner no-break space", []string{"to\u00a0k"}, "", apierr.TokenMalformed},
		{"NUL", []string{"to\x00k"}, "", apierr.TokenMalformed},
		{"a newline", []string{"tok\nX: y"}, "", apierr.TokenMalformed},
		{"DEL", []string{"tok\x7f"}, "", apierr.TokenMalformed},
		{"a C1 control character", []string{"to\u0085k"}, "", apierr.TokenMalformed},
		{"invalid UTF-8", []string{"to\xffk"}, "", apierr.TokenMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked := ""
			w := &fakeTokenInfo{answer: func(_ context.Context, token string) (wix.TokenInfo, error) {
				asked = token
				return good(time.Hour), nil
			}}
			_, err := startTokens(t, w, Options{}).verify(t.Context(), "192.0.2.1", tt.header)
			if code(err) != tt.code {
				t.Errorf("code %q, want %q", code(err), tt.code)
			}
			if asked != tt.token {
				t.Errorf("Wix was asked about %q, want %q", asked, tt.token)
			}
		})
	}
}

// The claims of a token can refuse it, never accept it.
func TestTokens_verify_claimsOfToken(t *testing.T) {
	future, past := time.Now().Add(time.Hour).Unix(), time.Now().Add(-time.Second).Unix()
	valid := jws(t, claims(app, future))
	parts := strings.Split(valid, ".")
	tests := []struct {
		name, token string
		asked       bool
		code        apierr.Code
	}{
		{"our own and in time: Wix is asked", valid, true, accepted},
		{"our app id in capitals: Wix is asked", jws(t, claims(strings.ToUpper(app), future)), true, accepted},
		{"no exp: Wix is asked", jws(t, claims(app, nil)), true, accepted},
		{"exp of nonsense: Wix is asked", jws(t, claims(app, "soon")), true, accepted},
		{"exp NaN: Wix is asked", jws(t, claims(app, "NaN")), true, accepted},
		{"no data: Wix is asked", jws(t, map[string]any{"exp": future}), true, accepted},
		{"data that is no JSON: Wix is asked", jws(t, map[string]any{"exp": future, "data": "{"}), true, accepted},
		{"data that is no string: Wix is asked", jws(t, map[string]any{"exp": past, "data": 5}), true, accepted},
		{"no app id: Wix is asked", jws(t, claims("", future)), true, accepted},
		{"a payload that is not base64: Wix is asked", strings.Join([]string{parts[0], parts[1], parts[2], "%%%", parts[4]}, "."), true, accepted},
		{"another prefix: Wix is asked", "X" + jws(t, claims(otherApp, past)), true, accepted},
		{"six parts: Wix is asked", jws(t, claims(otherApp, past)) + ".x", true, accepted},
		{"expired", jws(t, claims(app, past)), false, apierr.TokenExpired},
		{"expired, as a string", jws(t, claims(app, "1000")), false, apierr.TokenExpired},
		{"expired, with padding", strings.Join([]string{parts[0], parts[1], parts[2], strings.Split(jws(t, claims(app, past)), ".")[3] + "==", parts[4]}, "."), false, apierr.TokenExpired},
		{"another app's", jws(t, claims(otherApp, future)), false, apierr.TokenForeign},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := new(fakeTokenInfo)
			w.always(good(time.Hour), nil)
			_, err := startTokens(t, w, Options{}).verify(t.Context(), "192.0.2.1", []string{tt.token})
			if code(err) != tt.code {
				t.Errorf("code %q, want %q", code(err), tt.code)
			}
			if asked := w.count() == 1; asked != tt.asked {
				t.Errorf("asked: %v", asked)
			}
		})
	}
	t.Run("a token with good claims is still refused by Wix", func(t *testing.T) {
		w := new(fakeTokenInfo)
		w.always(wix.TokenInfo{}, nil)
		if _, err := startTokens(t, w, Options{}).verify(t.Context(), "192.0.2.1", []string{valid}); code(err) != apierr.TokenInactive {
			t.Errorf("got %v", err)
		}
	})
}

func TestTokens_verify_refusals(t *testing.T) {
	tests := []struct {
		name  string
		info  wix.TokenInfo
		err   error
		code  apierr.Code
		retry time.Duration
	}{
		{"inactive", wix.TokenInfo{}, nil, apierr.TokenInactive, 0},
		{"inactive, all else in order", with(good(time.Hour), func(i *wix.TokenInfo) { i.Active = false }), nil, apierr.TokenInactive, 0},
		{"400", wix.TokenInfo{}, refusal(400), apierr.TokenInactive, 0},
		{"401", wix.TokenInfo{}, refusal(401), apierr.TokenInactive, 0},
		{"403", wix.TokenInfo{}, refusal(403), apierr.TokenInactive, 0},
		{"404", wix.TokenInfo{}, refusal(404), apierr.TokenInactive, 0},
		{"no exp: it would be valid for ever", with(good(0), func(i *wix.TokenInfo) { i.Expires = time.Time{} }), nil, apierr.WixBadResponse, 0},
		{"exp now", good(0), nil, apierr.TokenExpired, 0},
		{"exp past", good(-time.Hour), nil, apierr.TokenExpired, 0},
		{"exp 1970", with(good(0), func(i *wix.TokenInfo) { i.Expires = time.Unix(0, 0) }), nil, apierr.TokenExpired, 0},
		{"another app's", with(good(time.Hour), func(i *wix.TokenInfo) { i.ClientID = otherApp }), nil, apierr.TokenForeign, 0},
		{"no clientId", with(good(time.Hour), func(i *wix.TokenInfo) { i.ClientID = "" }), nil, apierr.TokenForeign, 0},
		{"another app's owner", with(good(time.Hour), func(i *wix.TokenInfo) { i.ClientID, i.SubjectType = otherApp, wix.SubjectUser }), nil, apierr.TokenForeign, 0},
		{"an instance id that is not a GUID", with(good(time.Hour), func(i *wix.TokenInfo) { i.InstanceID = "../../etc" }), nil, apierr.WixBadResponse, 0},
		{"an instance id of the right length", with(good(time.Hour), func(i *wix.TokenInfo) { i.InstanceID = strings.Repeat("g", 36) }), nil, apierr.WixBadResponse, 0},
		{"an undocumented 4xx", wix.TokenInfo{}, refusal(418), apierr.WixBadResponse, 0},
		{"428", wix.TokenInfo{}, refusal(428), apierr.WixBadResponse, 0},
		{"Wix's rate limit with its delay", wix.TokenInfo{}, failure(wix.RateLimited, 429, 17*time.Second), apierr.RateLimited, 17 * time.Second},
		{"Wix's rate limit without one", wix.TokenInfo{}, failure(wix.RateLimited, 429, 0), apierr.RateLimited, 5 * time.Second},
		{"Wix down", wix.TokenInfo{}, failure(wix.Unavailable, 500, 0), apierr.WixUnavailable, 5 * time.Second},
		{"Wix down for a while", wix.TokenInfo{}, failure(wix.Unavailable, 503, time.Minute), apierr.WixUnavailable, time.Minute},
		{"Wix too slow", wix.TokenInfo{}, failure(wix.Timeout, 504, 0), apierr.WixTimeout, 0},
		{"Wix answers nonsense", wix.TokenInfo{}, failure(wix.BadResponse, 200, 0), apierr.WixBadResponse, 0},
		{"a deadline of this side", wix.TokenInfo{}, context.DeadlineExceeded, apierr.WixTimeout, 0},
		{"anything else", wix.TokenInfo{}, errors.New("odd"), apierr.Internal, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := new(fakeTokenInfo)
			w.always(tt.info, tt.err)
			got, err := startTokens(t, w, Options{}).verify(t.Context(), "192.0.2.1", []string{"tok"})
			var e *apierr.Error
			if !errors.As(err, &e) || e.Code != tt.code || e.RetryAfter != tt.retry {
				t.Fatalf("got %v, retry after %v", err, apierr.As(err).RetryAfter)
			}
			if got != (Identification{}) {
				t.Errorf("an error and a result: %+v", got)
			}
			if tt.err != nil && !errors.Is(err, tt.err) {
				t.Error("the cause is lost")
			}
		})
	}
}

func TestTokens_verify_caller(t *testing.T) {
	expires := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	visitor := Caller{InstanceID: idA, SiteID: site, Role: Visitor, Subject: wix.SubjectVisitor, Expires: expires}
	caller := func(change func(*Caller)) Caller {
		c := visitor
		change(&c)
		return c
	}
	tests := []struct {
		name   string
		change func(*wix.TokenInfo)
		want   Caller
	}{
		{"VISITOR", func(i *wix.TokenInfo) {}, visitor},
		{"MEMBER sees what a visitor sees", func(i *wix.TokenInfo) { i.SubjectType = wix.SubjectMember }, caller(func(c *Caller) { c.Subject = wix.SubjectMember })},
		{"UNKNOWN sees what a visitor sees", func(i *wix.TokenInfo) { i.SubjectType = wix.SubjectUnknown }, caller(func(c *Caller) { c.Subject = wix.SubjectUnknown })},
		{"no subject type", func(i *wix.TokenInfo) { i.SubjectType = "" }, caller(func(c *Caller) { c.Subject = "" })},
		{"a subject type of tomorrow", func(i *wix.TokenInfo) { i.SubjectType = "ADMIN" }, caller(func(c *Caller) { c.Subject = "ADMIN" })},
		{"user in lower case is not USER", func(i *wix.TokenInfo) { i.SubjectType = "user" }, caller(func(c *Caller) { c.Subject = "user" })},
		{"USER owns", func(i *wix.TokenInfo) { i.SubjectType = wix.SubjectUser }, caller(func(c *Caller) { c.Role, c.Subject = Owner, wix.SubjectUser })},
		{"APP is the app", func(i *wix.TokenInfo) { i.SubjectType = wix.SubjectApp }, caller(func(c *Caller) { c.Role, c.Subject = App, wix.SubjectApp })},
		{"when Wix issued the token", func(i *wix.TokenInfo) { i.Issued = expires.Add(-2 * time.Hour) }, caller(func(c *Caller) { c.IssuedAt = expires.Add(-2 * time.Hour) })},
		{"ids in capitals", func(i *wix.TokenInfo) {
			i.InstanceID, i.SiteID, i.ClientID = strings.ToUpper(i.InstanceID), strings.ToUpper(i.SiteID), strings.ToUpper(i.ClientID)
		}, visitor},
		{"no instance", func(i *wix.TokenInfo) { i.InstanceID = "" }, caller(func(c *Caller) { c.InstanceID = "" })},
		{"no site", func(i *wix.TokenInfo) { i.SiteID = "" }, caller(func(c *Caller) { c.SiteID = "" })},
		{"a site id that is not a GUID is left out", func(i *wix.TokenInfo) { i.SiteID = strings.Repeat("x", 1<<20) }, caller(func(c *Caller) { c.SiteID = "" })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := new(fakeTokenInfo)
			w.always(with(with(good(0), func(i *wix.TokenInfo) { i.Expires = expires }), tt.change), nil)
			i := startTokens(t, w, Options{})
			for _, cached := range []bool{false, true} {
				before := time.Now()
				got, err := i.verify(t.Context(), "192.0.2.1", []string{"tok"})
				if err != nil {
					t.Fatal(err)
				}
				if (got.Took == 0) != cached {
					t.Errorf("asking Wix took %s", got.Took)
				}
				if got.At.Before(before) || got.At.After(time.Now()) {
					t.Errorf("identified at %v", got.At)
				}
				if diff := cmp.Diff(Identification{tt.want, cached, got.Took, got.At}, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}
