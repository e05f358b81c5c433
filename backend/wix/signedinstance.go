package wix

// The signed instance, with which Wix opens a page of the app inside its dashboard.

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// SignedInstanceMaxAge is how old a signed instance may be when it is used to save
// something ("Security and Privacy Best Practice" in Wix's documentation: 1 day).
const SignedInstanceMaxAge = 24 * time.Hour

// signedInstanceSkew is how far Wix's clock may be ahead of this one.
const signedInstanceSkew = time.Minute

// SignedInstance is the instance parameter that Wix adds to the address of an
// app's dashboard page in an iframe ("Parse the App Instance Query Parameter" in
// Wix's documentation). Only InstanceID and SignDate are always present. The ids of
// instances and apps are in lower case.
//
// It is the older way to identify a site; the present one is an access token with
// Client.TokenInfo.
type SignedInstance struct {
	// InstanceID is a GUID.
	InstanceID string           `json:"instanceId"`
	AppDefID   Optional[string] `json:"appDefId,omitzero"`
	// SignDate is when Wix signed it: when the page was opened.
	SignDate time.Time `json:"signDate"`
	// ExpirationDate is the zero time where Wix set none.
	ExpirationDate time.Time `json:"expirationDate,omitzero"`
	// UID is the id of the logged-in Wix user or site member.
	UID Optional[string] `json:"uid,omitzero"`
	// AnonymousID is the id of an anonymous visitor. A dashboard must refuse one.
	AnonymousID Optional[string] `json:"aid,omitzero"`
	// Permissions is "OWNER" or "". See Owner.
	Permissions    Optional[string] `json:"permissions,omitzero"`
	DemoMode       Optional[bool]   `json:"demoMode,omitzero"`
	SiteOwnerID    Optional[string] `json:"siteOwnerId,omitzero"`
	SiteMemberID   Optional[string] `json:"siteMemberId,omitzero"`
	LoginAccountID Optional[string] `json:"loginAccountId,omitzero"`
	// VendorProductID is the plan's id in the app dashboard, absent on the free plan.
	VendorProductID Optional[string] `json:"vendorProductId,omitzero"`
	// OriginInstanceID is the instance on the site that this site was copied from.
	OriginInstanceID Optional[string] `json:"originInstanceId,omitzero"`
	// PAI and LPAI are undocumented. Every instance seen so far had them as null.
	PAI  Optional[string] `json:"pai,omitzero"`
	LPAI Optional[string] `json:"lpai,omitzero"`
}

// Owner reports whether the bearer may change things on the site.
func (s SignedInstance) Owner() bool { return s.Permissions.Value == "OWNER" }

// SignedInstanceErrorKind sorts refusals by what can be done about them.
type SignedInstanceErrorKind string

const (
	// SignedInstanceMalformed is text that does not have Wix's form.
	SignedInstanceMalformed SignedInstanceErrorKind = "malformed"
	// SignedInstanceBadSignature is text that is not signed with this app's secret.
	SignedInstanceBadSignature SignedInstanceErrorKind = "bad signature"
	// SignedInstanceExpired is text with a good signature that is too old, or dated in the
	// future. Opening the page again makes a new one.
	SignedInstanceExpired SignedInstanceErrorKind = "expired"
)

// SignedInstanceError is the refusal of a signed instance. Its text never contains
// any part of it.
type SignedInstanceError struct {
	Kind SignedInstanceErrorKind
	Err  error
}

func (e *SignedInstanceError) Error() string {
	return fmt.Sprintf("wix signed instance: %s: %v", e.Kind, e.Err)
}

func (e *SignedInstanceError) Unwrap() error { return e.Err }

// ParseSignedInstance verifies the value of an instance parameter with the app
// secret: <HMAC-SHA256>.<JSON>, both base64url without padding, the HMAC over the text
// of the second part. It is refused from maxAge after its SignDate on
// (SignedInstanceMaxAge when maxAge is not positive), from its ExpirationDate on, and
// more than a minute before its SignDate. oldSecrets are for the time in which the secret
// is being changed: a signature by one of them is as good. The error is a
// *SignedInstanceError.
func ParseSignedInstance(raw string, secret Secret, now time.Time, maxAge time.Duration, oldSecrets ...Secret) (SignedInstance, error) {
	refuse := func(kind SignedInstanceErrorKind, why string) (SignedInstance, error) {
		return SignedInstance{}, &SignedInstanceError{Kind: kind, Err: errors.New(why)}
	}
	signature, payload, ok := strings.Cut(raw, ".")
	if !ok || signature == "" || payload == "" || strings.Contains(payload, ".") {
		return refuse(SignedInstanceMalformed, "it does not consist of two parts with one dot between them")
	}
	if secret == "" {
		return refuse(SignedInstanceBadSignature, "there is no app secret to verify it with")
	}
	signedBy := func(secret Secret) bool {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(payload))
		// The encoded texts are compared, since base64 can spell the same bytes in several ways.
		return secret != "" && hmac.Equal([]byte(signature), []byte(base64.RawURLEncoding.EncodeToString(mac.Sum(nil))))
	}
	if !signedBy(secret) && !slices.ContainsFunc(oldSecrets, signedBy) {
		return refuse(SignedInstanceBadSignature, "it was not signed with this app's secret")
	}

	content, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return refuse(SignedInstanceMalformed, "the payload is not base64url without padding")
	}
	var s SignedInstance
	if !utf8.Valid(content) || decode(content, &s) != nil {
		return refuse(SignedInstanceMalformed, "the payload is not a JSON object with dates in RFC 3339")
	}
	if s.InstanceID, ok = ParseGUID(s.InstanceID); !ok {
		return refuse(SignedInstanceMalformed, "instanceId is not a GUID")
	}
	s.AppDefID.Value = strings.ToLower(s.AppDefID.Value)
	s.OriginInstanceID.Value = strings.ToLower(s.OriginInstanceID.Value)
	if s.SignDate.IsZero() {
		return refuse(SignedInstanceMalformed, "signDate is missing, so that its age is not known")
	}
	if maxAge <= 0 {
		maxAge = SignedInstanceMaxAge
	}
	switch {
	case s.SignDate.After(now.Add(signedInstanceSkew)):
		return refuse(SignedInstanceExpired, "signDate is in the future")
	case !now.Before(s.SignDate.Add(maxAge)):
		return refuse(SignedInstanceExpired, "signDate is too long ago")
	case !s.ExpirationDate.IsZero() && !now.Before(s.ExpirationDate):
		return refuse(SignedInstanceExpired, "expirationDate is past")
	}
	return s, nil
}
