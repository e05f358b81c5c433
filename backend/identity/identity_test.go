package identity

// Who is let in, and what everyone else is told.

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

func TestHeader(t *testing.T) {
	tests := []struct {
		name   string
		header []string
		token  string // what Wix is asked about
		code   instance.Code
	}{
		{"the bare token", []string{"tok"}, "tok", ""},
		{"Bearer before it", []string{"Bearer tok"}, "tok", ""},
		{"bearer in any case", []string{"bEaReR tok"}, "tok", ""},
		{"spaces and tabs around it", []string{" \tBearer  \t tok \t"}, "tok", ""},
		{"a token that begins like the scheme", []string{"bearertok"}, "bearertok", ""},
		{"8192 bytes", []string{strings.Repeat("x", 8192)}, strings.Repeat("x", 8192), ""},
		{"8192 bytes after Bearer", []string{"Bearer " + strings.Repeat("x", 8192)}, strings.Repeat("x", 8192), ""},
		{"text that is not ASCII is Wix's to judge", []string{"tökén"}, "tökén", ""},
		{"no header", nil, "", instance.CodeTokenMissing},
		{"an empty header", []string{""}, "", instance.CodeTokenMissing},
		{"a header of spaces", []string{"  "}, "", instance.CodeTokenMissing},
		{"Bearer and nothing", []string{"Bearer"}, "", instance.CodeTokenMissing},
		{"Bearer and a space", []string{"Bearer "}, "", instance.CodeTokenMissing},
		{"two headers", []string{"tok", "tok"}, "", instance.CodeTokenMalformed},
		{"two headers, one empty", []string{"tok", ""}, "", instance.CodeTokenMalformed},
		{"8193 bytes", []string{strings.Repeat("x", 8193)}, "", instance.CodeTokenMalformed},
		{"8193 bytes after Bearer", []string{"Bearer " + strings.Repeat("x", 8193)}, "", instance.CodeTokenMalformed},
		{"another scheme", []string{"Basic dG9rOnRvaw=="}, "", instance.CodeTokenMalformed},
		{"Bearer twice", []string{"Bearer Bearer tok"}, "", instance.CodeTokenMalformed},
		{"an inner space", []string{"to k"}, "", instance.CodeTokenMalformed},
		{"an inner tab", []string{"to\tk"}, "", instance.CodeTokenMalformed},
		{"an inner no-break space", []string{"to\u00a0k"}, "", instance.CodeTokenMalformed},
		{"NUL", []string{"to\x00k"}, "", instance.CodeTokenMalformed},
		{"a newline", []string{"tok\nX: y"}, "", instance.CodeTokenMalformed},
		{"DEL", []string{"tok\x7f"}, "", instance.CodeTokenMalformed},
		{"a C1 control character", []string{"to\u0085k"}, "", instance.CodeTokenMalformed},
		{"invalid UTF-8", []string{"to\xffk"}, "", instance.CodeTokenMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked := ""
			w := &fakeWix{answer: func(_ context.Context, token string) (wix.TokenInfo, error) {
				asked = token
				return good(time.Hour), nil
			}}
			_, err := newIdentifier(t, w).Identify(t.Context(), "192.0.2.1", tt.header)
			if code(err) != tt.code {
				t.Errorf("code %q, want %q", code(err), tt.code)
			}
			if asked != tt.token {
				t.Errorf("Wix was asked about %q, want %q", asked, tt.token)
			}
		})
	}
}

// TestGlance covers what a token says of itself: it can shut the door, never open it.
func TestGlance(t *testing.T) {
	future, past := time.Now().Add(time.Hour).Unix(), time.Now().Add(-time.Second).Unix()
	valid := jws(t, claims(app, future))
	parts := strings.Split(valid, ".")
	tests := []struct {
		name, token string
		asked       bool
		code        instance.Code
	}{
		{"our own and in time: Wix is asked", valid, true, ""},
		{"our app id in capitals: Wix is asked", jws(t, claims(strings.ToUpper(app), future)), true, ""},
		{"no exp: Wix is asked", jws(t, claims(app, nil)), true, ""},
		{"exp of nonsense: Wix is asked", jws(t, claims(app, "soon")), true, ""},
		{"exp NaN: Wix is asked", jws(t, claims(app, "NaN")), true, ""},
		{"no data: Wix is asked", jws(t, map[string]any{"exp": future}), true, ""},
		{"data that is no JSON: Wix is asked", jws(t, map[string]any{"exp": future, "data": "{"}), true, ""},
		{"data that is no string: Wix is asked", jws(t, map[string]any{"exp": past, "data": 5}), true, ""},
		{"no app id: Wix is asked", jws(t, claims("", future)), true, ""},
		{"a payload that is not base64: Wix is asked", strings.Join([]string{parts[0], parts[1], parts[2], "%%%", parts[4]}, "."), true, ""},
		{"another prefix: Wix is asked", "X" + jws(t, claims(otherApp, past)), true, ""},
		{"six parts: Wix is asked", jws(t, claims(otherApp, past)) + ".x", true, ""},
		{"expired", jws(t, claims(app, past)), false, instance.CodeTokenExpired},
		{"expired, as a string", jws(t, claims(app, "1000")), false, instance.CodeTokenExpired},
		{"expired, with padding", strings.Join([]string{parts[0], parts[1], parts[2], strings.Split(jws(t, claims(app, past)), ".")[3] + "==", parts[4]}, "."), false, instance.CodeTokenExpired},
		{"another app's", jws(t, claims(otherApp, future)), false, instance.CodeTokenForeign},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := new(fakeWix)
			w.always(good(time.Hour), nil)
			_, err := newIdentifier(t, w).Identify(t.Context(), "192.0.2.1", []string{tt.token})
			if code(err) != tt.code {
				t.Errorf("code %q, want %q", code(err), tt.code)
			}
			if asked := w.count() == 1; asked != tt.asked {
				t.Errorf("asked: %v", asked)
			}
		})
	}
	t.Run("a token that praises itself is still refused by Wix", func(t *testing.T) {
		w := new(fakeWix)
		w.always(wix.TokenInfo{}, nil)
		if _, err := newIdentifier(t, w).Identify(t.Context(), "192.0.2.1", []string{valid}); code(err) != instance.CodeTokenInactive {
			t.Errorf("got %v", err)
		}
	})
}

func TestVerdict(t *testing.T) {
	tests := []struct {
		name  string
		info  wix.TokenInfo
		err   error
		code  instance.Code
		retry time.Duration
	}{
		{"inactive", wix.TokenInfo{}, nil, instance.CodeTokenInactive, 0},
		{"inactive, all else in order", with(good(time.Hour), func(i *wix.TokenInfo) { i.Active = false }), nil, instance.CodeTokenInactive, 0},
		{"400", wix.TokenInfo{}, refusal(400), instance.CodeTokenInactive, 0},
		{"401", wix.TokenInfo{}, refusal(401), instance.CodeTokenInactive, 0},
		{"403", wix.TokenInfo{}, refusal(403), instance.CodeTokenInactive, 0},
		{"404", wix.TokenInfo{}, refusal(404), instance.CodeTokenInactive, 0},
		{"no exp: nothing would ever end it", with(good(0), func(i *wix.TokenInfo) { i.Expires = time.Time{} }), nil, instance.CodeTokenInactive, 0},
		{"exp now", good(0), nil, instance.CodeTokenExpired, 0},
		{"exp past", good(-time.Hour), nil, instance.CodeTokenExpired, 0},
		{"exp 1970", with(good(0), func(i *wix.TokenInfo) { i.Expires = time.Unix(0, 0) }), nil, instance.CodeTokenExpired, 0},
		{"another app's", with(good(time.Hour), func(i *wix.TokenInfo) { i.ClientID = otherApp }), nil, instance.CodeTokenForeign, 0},
		{"no clientId", with(good(time.Hour), func(i *wix.TokenInfo) { i.ClientID = "" }), nil, instance.CodeTokenForeign, 0},
		{"another app's owner", with(good(time.Hour), func(i *wix.TokenInfo) { i.ClientID, i.SubjectType = otherApp, wix.SubjectUser }), nil, instance.CodeTokenForeign, 0},
		{"an instance id that is none", with(good(time.Hour), func(i *wix.TokenInfo) { i.InstanceID = "../../etc" }), nil, instance.CodeWixBadResponse, 0},
		{"an instance id of the right length", with(good(time.Hour), func(i *wix.TokenInfo) { i.InstanceID = strings.Repeat("g", 36) }), nil, instance.CodeWixBadResponse, 0},
		{"an undocumented 4xx", wix.TokenInfo{}, refusal(418), instance.CodeWixBadResponse, 0},
		{"428", wix.TokenInfo{}, refusal(428), instance.CodeWixBadResponse, 0},
		{"Wix's rate limit with its delay", wix.TokenInfo{}, failure(wix.RateLimited, 429, 17*time.Second), instance.CodeRateLimited, 17 * time.Second},
		{"Wix's rate limit without one", wix.TokenInfo{}, failure(wix.RateLimited, 429, 0), instance.CodeRateLimited, 5 * time.Second},
		{"Wix down", wix.TokenInfo{}, failure(wix.Unavailable, 500, 0), instance.CodeWixUnavailable, 5 * time.Second},
		{"Wix down for a while", wix.TokenInfo{}, failure(wix.Unavailable, 503, time.Minute), instance.CodeWixUnavailable, time.Minute},
		{"Wix too slow", wix.TokenInfo{}, failure(wix.Timeout, 504, 0), instance.CodeWixTimeout, 0},
		{"Wix talking nonsense", wix.TokenInfo{}, failure(wix.BadResponse, 200, 0), instance.CodeWixBadResponse, 0},
		{"a deadline of ours", wix.TokenInfo{}, context.DeadlineExceeded, instance.CodeWixTimeout, 0},
		{"anything else", wix.TokenInfo{}, errors.New("odd"), instance.CodeInternal, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := new(fakeWix)
			w.always(tt.info, tt.err)
			got, err := newIdentifier(t, w).Identify(t.Context(), "192.0.2.1", []string{"tok"})
			var e *instance.Error
			if !errors.As(err, &e) || e.Code != tt.code || e.RetryAfter != tt.retry {
				t.Fatalf("got %v, retry after %v", err, instance.AsError(err).RetryAfter)
			}
			if got != (Identification{}) {
				t.Errorf("an error, and yet %+v", got)
			}
			if tt.err != nil && !errors.Is(err, tt.err) {
				t.Error("the cause is lost")
			}
		})
	}
}

func TestCaller(t *testing.T) {
	expires := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	visitor := instance.Caller{InstanceID: idA, SiteID: site, Role: instance.Visitor, Expires: expires}
	caller := func(change func(*instance.Caller)) instance.Caller {
		c := visitor
		change(&c)
		return c
	}
	tests := []struct {
		name   string
		change func(*wix.TokenInfo)
		want   instance.Caller
	}{
		{"VISITOR", func(i *wix.TokenInfo) {}, visitor},
		{"MEMBER sees what a visitor sees", func(i *wix.TokenInfo) { i.SubjectType = wix.SubjectMember }, visitor},
		{"UNKNOWN sees what a visitor sees", func(i *wix.TokenInfo) { i.SubjectType = wix.SubjectUnknown }, visitor},
		{"no subject type", func(i *wix.TokenInfo) { i.SubjectType = "" }, visitor},
		{"a subject type of tomorrow", func(i *wix.TokenInfo) { i.SubjectType = "ADMIN" }, visitor},
		{"user in lower case is not USER", func(i *wix.TokenInfo) { i.SubjectType = "user" }, visitor},
		{"USER owns", func(i *wix.TokenInfo) { i.SubjectType = wix.SubjectUser }, caller(func(c *instance.Caller) { c.Role = instance.Owner })},
		{"APP is the app", func(i *wix.TokenInfo) { i.SubjectType = wix.SubjectApp }, caller(func(c *instance.Caller) { c.Role = instance.App })},
		{"when Wix issued the token", func(i *wix.TokenInfo) { i.Issued = expires.Add(-2 * time.Hour) }, caller(func(c *instance.Caller) { c.IssuedAt = expires.Add(-2 * time.Hour) })},
		{"no instance", func(i *wix.TokenInfo) { i.InstanceID = "" }, caller(func(c *instance.Caller) { c.InstanceID = "" })},
		{"no site", func(i *wix.TokenInfo) { i.SiteID = "" }, caller(func(c *instance.Caller) { c.SiteID = "" })},
		{"a site id that is none is left out", func(i *wix.TokenInfo) { i.SiteID = strings.Repeat("x", 1<<20) }, caller(func(c *instance.Caller) { c.SiteID = "" })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := new(fakeWix)
			w.always(with(with(good(0), func(i *wix.TokenInfo) { i.Expires = expires }), tt.change), nil)
			i := newIdentifier(t, w)
			for _, cached := range []bool{false, true} {
				before := time.Now()
				got, err := i.Identify(t.Context(), "192.0.2.1", []string{"tok"})
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
