package wix_test

// The instance parameter: real ones, and those that must be refused.

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/nametag-dev/nametag/backend/wix"
)

// Real instances that Wix signed in August 2012 for a test app, and its secret, as
// github.com/wix-incubator/wix-apps-ruby publishes them
// (spec/lib/wix-apps/signed_instance_spec.rb, spec/support/config.rb).
const (
	rubySecret = "d245bbf8-57eb-49d6-aeff-beff6d82cd39"
	rubySite   = "9f9c5c16-59c8-4708-8c25-855505daa954"
	rubyUser   = "29d8204a-3b82-4a98-8d86-2464a6b836da"

	rubyAnonymous = "naQKltLRVJwLVN90qQYpmmyzkVqFIH0hpvETYuivA1U.eyJpbnN0YW5jZUlkIjoiOWY5YzVjMTYtNTljOC00NzA4LThjMjUtODU1NTA1ZGFhOTU0Iiwic2lnbkRhdGUiOiIyMDEyLTA4LTA4VDE5OjQ3OjMxLjYyNFoiLCJ1aWQiOm51bGwsInBlcm1pc3Npb25zIjpudWxsfQ"
	rubyLoggedIn  = "K78r2uwAQbvA68u-bXxn2cdIUFMZIp8v9XfA_hd-iyo.eyJpbnN0YW5jZUlkIjoiOWY5YzVjMTYtNTljOC00NzA4LThjMjUtODU1NTA1ZGFhOTU0Iiwic2lnbkRhdGUiOiIyMDEyLTA4LTA4VDIyOjEwOjU2Ljg3NVoiLCJ1aWQiOiIyOWQ4MjA0YS0zYjgyLTRhOTgtOGQ4Ni0yNDY0YTZiODM2ZGEiLCJwZXJtaXNzaW9ucyI6bnVsbH0"
	rubyOwner     = "AjQ3BniGXfSOjKw4ej_V0kh4-WF5eB2IRnbvsak9kwc.eyJpbnN0YW5jZUlkIjoiOWY5YzVjMTYtNTljOC00NzA4LThjMjUtODU1NTA1ZGFhOTU0Iiwic2lnbkRhdGUiOiIyMDEyLTA4LTA4VDIyOjEyOjE2LjU4OVoiLCJ1aWQiOiIyOWQ4MjA0YS0zYjgyLTRhOTgtOGQ4Ni0yNDY0YTZiODM2ZGEiLCJwZXJtaXNzaW9ucyI6Ik9XTkVSIn0"
)

// signedAt is the signDate of everything that the tests sign.
var signedAt = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

const signedStart = `{"instanceId":"` + instanceID + `","signDate":"2026-11-22T10:00:00.000Z"`

// seal signs a text with the app secret.
func seal(payload string) string {
	mac := hmac.New(sha256.New, []byte(appSecret))
	mac.Write([]byte(payload))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) + "." + payload
}

func TestParseSignedInstance_accepted(t *testing.T) {
	august := func(clock string) time.Time {
		at, err := time.Parse(time.RFC3339, "2012-08-08T"+clock+"Z")
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	type signedInstance = wix.SignedInstance
	for _, tt := range []struct {
		name, raw string
		secret    wix.Secret
		now       time.Time
		maxAge    time.Duration
		want      wix.SignedInstance
		owner     bool
	}{
		{"a real one of an anonymous visitor", rubyAnonymous, rubySecret, august("20:00:00"), 0,
			signedInstance{InstanceID: rubySite, SignDate: august("19:47:31.624")}, false},
		{"a real one of a logged-in member", rubyLoggedIn, rubySecret, august("22:10:57"), 0,
			signedInstance{InstanceID: rubySite, SignDate: august("22:10:56.875"), UID: wix.Some(rubyUser)}, false},
		{"a real one of the owner", rubyOwner, rubySecret, august("22:13:00"), 0,
			signedInstance{InstanceID: rubySite, SignDate: august("22:12:16.589"), UID: wix.Some(rubyUser), Permissions: wix.Some("OWNER")}, true},
		{"every field", seal(b64(signedStart + `,"appDefId":"d","expirationDate":"2026-11-22T14:00:00.000Z","uid":"u","aid":"a",
			"permissions":"OWNER","demoMode":false,"siteOwnerId":"so","siteMemberId":"sm","loginAccountId":"la","vendorProductId":"gold",
			"originInstanceId":"` + originID + `","pai":"p","lpai":"l","ipAndPort":"::1/1","new":{}}`)), appSecret, signedAt, time.Hour,
			signedInstance{InstanceID: instanceID, SignDate: signedAt, AppDefID: wix.Some("d"), ExpirationDate: signedAt.Add(4 * time.Hour), UID: wix.Some("u"),
				AnonymousID: wix.Some("a"), Permissions: wix.Some("OWNER"), DemoMode: wix.Some(false), SiteOwnerID: wix.Some("so"), SiteMemberID: wix.Some("sm"),
				LoginAccountID: wix.Some("la"), VendorProductID: wix.Some("gold"), OriginInstanceID: wix.Some(originID), PAI: wix.Some("p"), LPAI: wix.Some("l")}, true},
		{"no permissions", seal(b64(signedStart + `,"permissions":""}`)), appSecret, signedAt, 0,
			signedInstance{InstanceID: instanceID, SignDate: signedAt, Permissions: wix.Some("")}, false},
		{"other permissions are not the owner's", seal(b64(signedStart + `,"permissions":"owner"}`)), appSecret, signedAt, 0,
			signedInstance{InstanceID: instanceID, SignDate: signedAt, Permissions: wix.Some("owner")}, false},
		{"permissions of an odd type are none", seal(b64(signedStart + `,"permissions":["OWNER"],"uid":7}`)), appSecret, signedAt, 0,
			signedInstance{InstanceID: instanceID, SignDate: signedAt}, false},
		{"a day less a moment old", seal(b64(signedStart + `}`)), appSecret, signedAt.Add(24*time.Hour - 1), 0,
			signedInstance{InstanceID: instanceID, SignDate: signedAt}, false},
		{"a week old when that is allowed", seal(b64(signedStart + `}`)), appSecret, signedAt.Add(7 * 24 * time.Hour), 30 * 24 * time.Hour,
			signedInstance{InstanceID: instanceID, SignDate: signedAt}, false},
		{"signed by a clock that is a minute ahead", seal(b64(signedStart + `}`)), appSecret, signedAt.Add(-time.Minute), 0,
			signedInstance{InstanceID: instanceID, SignDate: signedAt}, false},
		{"a moment before it expires", seal(b64(signedStart + `,"expirationDate":"2026-11-22T11:00:00Z"}`)), appSecret, signedAt.Add(time.Hour - 1), 0,
			signedInstance{InstanceID: instanceID, SignDate: signedAt, ExpirationDate: signedAt.Add(time.Hour)}, false},
		{"ids in capitals", seal(b64(`{"instanceId":"` + strings.ToUpper(instanceID) + `","signDate":"2026-11-22T10:00:00Z","appDefId":"D","originInstanceId":"` + strings.ToUpper(originID) + `"}`)),
			appSecret, signedAt, 0, signedInstance{InstanceID: instanceID, SignDate: signedAt, AppDefID: wix.Some("d"), OriginInstanceID: wix.Some(originID)}, false},
		{"no expirationDate", seal(b64(signedStart + `,"expirationDate":null}`)), appSecret, signedAt, 0,
			signedInstance{InstanceID: instanceID, SignDate: signedAt}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := wix.ParseSignedInstance(tt.raw, tt.secret, tt.now, tt.maxAge)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if got.Owner() != tt.owner {
				t.Errorf("Owner() is %v", got.Owner())
			}
		})
	}
}

func TestParseSignedInstance_refused(t *testing.T) {
	text := b64(signedStart + `}`)
	good := seal(text)
	signature := strings.TrimSuffix(good, "."+text)
	owner := b64(signedStart + `,"permissions":"OWNER"}`)
	plain := sha256.Sum256([]byte(appSecret + text))
	decodedMAC := hmac.New(sha256.New, []byte(appSecret))
	decodedMAC.Write([]byte(signedStart + `}`))
	// respelt is the same signature: the lowest bits of the last character are not used.
	respelt := func() string {
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		last := len(signature) - 1
		return signature[:last] + string(alphabet[strings.IndexByte(alphabet, signature[last])|1]) + "." + text
	}()
	sealed := func(payload string) string { return seal(b64(payload)) }

	for _, tt := range []struct {
		name, raw string
		secret    wix.Secret
		now       time.Time
		want      wix.SignedInstanceErrorKind
	}{
		{"nothing", "", appSecret, signedAt, wix.SignedInstanceMalformed},
		{"no dot", signature + text, appSecret, signedAt, wix.SignedInstanceMalformed},
		{"two dots", good + ".", appSecret, signedAt, wix.SignedInstanceMalformed},
		{"a third part", good + "." + text, appSecret, signedAt, wix.SignedInstanceMalformed},
		{"an access token", "OauthNG.JWS." + good, appSecret, signedAt, wix.SignedInstanceMalformed},
		{"a dot alone", ".", appSecret, signedAt, wix.SignedInstanceMalformed},
		{"no signature", "." + text, appSecret, signedAt, wix.SignedInstanceMalformed},
		{"no payload", signature + ".", appSecret, signedAt, wix.SignedInstanceMalformed},

		{"another secret", good, "another-secret", signedAt, wix.SignedInstanceBadSignature},
		{"an empty secret", good, "", signedAt, wix.SignedInstanceBadSignature},
		{"signed with an empty secret, verified with one", func() string {
			mac := hmac.New(sha256.New, nil)
			mac.Write([]byte(text))
			return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) + "." + text
		}(), "", signedAt, wix.SignedInstanceBadSignature},
		{"a visitor's signature on an owner's payload", signature + "." + owner, appSecret, signedAt, wix.SignedInstanceBadSignature},
		{"the two parts swapped", text + "." + signature, appSecret, signedAt, wix.SignedInstanceBadSignature},
		{"half a signature", signature[:20] + "." + text, appSecret, signedAt, wix.SignedInstanceBadSignature},
		{"a signature and more", signature + "A." + text, appSecret, signedAt, wix.SignedInstanceBadSignature},
		{"the same signature in another spelling", respelt, appSecret, signedAt, wix.SignedInstanceBadSignature},
		{"a padded signature", signature + "=." + text, appSecret, signedAt, wix.SignedInstanceBadSignature},
		{"a newline inside the signature", signature[:9] + "\n" + signature[9:] + "." + text, appSecret, signedAt, wix.SignedInstanceBadSignature},
		{"a space before it", " " + good, appSecret, signedAt, wix.SignedInstanceBadSignature},
		{"padding behind the payload", good + "=", appSecret, signedAt, wix.SignedInstanceBadSignature},
		{"SHA-256 without HMAC", base64.RawURLEncoding.EncodeToString(plain[:]) + "." + text, appSecret, signedAt, wix.SignedInstanceBadSignature},
		{"the HMAC of the decoded JSON", base64.RawURLEncoding.EncodeToString(decodedMAC.Sum(nil)) + "." + text, appSecret, signedAt, wix.SignedInstanceBadSignature},
		{"the payload is not read before the signature is verified", signature + ".!", appSecret, signedAt, wix.SignedInstanceBadSignature},

		{"a payload with padding that is signed too", seal(base64.URLEncoding.EncodeToString([]byte(signedStart + `} `))), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"a payload that is not base64url", seal("a+/b"), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"a payload that is not JSON", sealed("hello"), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"a payload that is a list", sealed("[]"), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"a payload that is null", sealed("null"), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"half a payload", sealed(signedStart), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"two payloads", sealed(signedStart + "}" + signedStart + "}"), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"a payload that is not UTF-8", sealed(signedStart + ",\"uid\":\"\xff\"}"), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"a payload deeper than any parser should go", sealed(strings.Repeat(`{"a":`, 20_000)), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"no instance id", sealed(`{"signDate":"2026-11-22T10:00:00Z"}`), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"an instance id that is not a GUID", sealed(signedStart + `,"instanceId":"x"}`), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"an instance id that is a number", sealed(`{"instanceId":7,"signDate":"2026-11-22T10:00:00Z"}`), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"an instance id without dashes", sealed(signedStart + `,"instanceId":"` + strings.ReplaceAll(instanceID, "-", "") + `"}`), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"no signDate", sealed(`{"instanceId":"` + instanceID + `"}`), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"signDate null", sealed(`{"instanceId":"` + instanceID + `","signDate":null}`), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"signDate a number", sealed(`{"instanceId":"` + instanceID + `","signDate":1795341600000}`), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"signDate no date", sealed(`{"instanceId":"` + instanceID + `","signDate":"today"}`), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"expirationDate no date", sealed(signedStart + `,"expirationDate":"never"}`), appSecret, signedAt, wix.SignedInstanceMalformed},
		{"expirationDate a number", sealed(signedStart + `,"expirationDate":0}`), appSecret, signedAt, wix.SignedInstanceMalformed},

		{"a day old", good, appSecret, signedAt.Add(24 * time.Hour), wix.SignedInstanceExpired},
		{"real, but of 2012", rubyOwner, rubySecret, signedAt, wix.SignedInstanceExpired},
		{"dated more than a minute ahead", good, appSecret, signedAt.Add(-time.Minute - 1), wix.SignedInstanceExpired},
		{"expired this moment", sealed(signedStart + `,"expirationDate":"2026-11-22T11:00:00Z"}`), appSecret, signedAt.Add(time.Hour), wix.SignedInstanceExpired},
		{"expired before it was signed", sealed(signedStart + `,"expirationDate":"2026-11-22T09:00:00Z"}`), appSecret, signedAt, wix.SignedInstanceExpired},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := wix.ParseSignedInstance(tt.raw, tt.secret, tt.now, 0)
			var refusal *wix.SignedInstanceError
			if !errors.As(err, &refusal) || refusal.Kind != tt.want {
				t.Fatalf("got %v, want %s", err, tt.want)
			}
			if got != (wix.SignedInstance{}) {
				t.Errorf("something was returned all the same: %+v", got)
			}
			if repeats(err.Error(), tt.raw) || tt.secret != "" && strings.Contains(err.Error(), string(tt.secret)) {
				t.Errorf("the error repeats the instance or the secret: %v", err)
			}
		})
	}
}

// FuzzSignedInstance uses its input as a parameter, or as the payload to sign. Nothing may
// be accepted that the secret did not sign, or that is outside its time.
func FuzzSignedInstance(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw string, sign bool) {
		if sign {
			raw = seal(b64(raw))
		}
		s, err := wix.ParseSignedInstance(raw, appSecret, signedAt, 0)
		if err != nil {
			var refusal *wix.SignedInstanceError
			if !errors.As(err, &refusal) || len(err.Error()) > 200 || s != (wix.SignedInstance{}) {
				t.Fatalf("got %+v, %v", s, err)
			}
			return
		}
		_, payload, _ := strings.Cut(raw, ".")
		switch {
		case raw != seal(payload):
			t.Fatal("accepted, but not signed")
		case uuid.Validate(s.InstanceID) != nil || s.InstanceID != strings.ToLower(s.InstanceID):
			t.Fatalf("instance id %q", s.InstanceID)
		case s.SignDate.Sub(signedAt).Abs() > 24*time.Hour:
			t.Fatalf("signed at %v", s.SignDate)
		}
	})
}
