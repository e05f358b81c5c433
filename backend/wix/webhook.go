package wix

// Webhooks: the signature, and the three layers of JSON below it.

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// EventType is the name of an event in the JWT.
type EventType string

// The events of an app instance (@wix/auto_sdk_app-management_app-instances
// 1.0.49, the @eventType of each onAppInstance… function).
const (
	// AppInstalled carries AppID, and OriginInstanceID on a copied site.
	AppInstalled EventType = "AppInstalled"
	// AppRemoved carries AppID.
	AppRemoved EventType = "AppRemoved"
	// PaidPlanPurchased carries the plan, its cycle and, for some cycles, ExpiresOn.
	PaidPlanPurchased EventType = "PaidPlanPurchased"
	// PaidPlanChanged carries the new plan and its cycle.
	PaidPlanChanged EventType = "PaidPlanChanged"
	// PaidPlanAutoRenewalCancelled carries the plan, which is paid until the end of its
	// cycle.
	PaidPlanAutoRenewalCancelled EventType = "PaidPlanAutoRenewalCancelled"
	// PlanConvertedToPaid is a free trial that ended with a payment.
	PlanConvertedToPaid EventType = "PlanConvertedToPaid"
	// PlanReactivated means that the renewal was turned on again.
	PlanReactivated EventType = "PlanReactivated"
	// PlanTransferred is a plan that moved to another Wix account.
	PlanTransferred EventType = "PlanTransferred"
)

// InvoiceStatusUpdated carries the payment state of an invoice. It has neither a plan
// nor an operationTimeStamp (@wix/auto_sdk_app-management_billing 1.0.46).
const InvoiceStatusUpdated EventType = "InvoiceStatusUpdated"

const (
	// maxWebhookAge is how long after its signature a webhook is accepted. Wix repeats a
	// delivery 12 times and gives up after 47 hours ("Webhook Resend Policy"); whether it
	// signs a repeat again is not documented. What is older is a replay.
	maxWebhookAge = 72 * time.Hour
	// maxWebhookAhead is how far a webhook's times may lie in the future, for clocks that
	// differ. One from the future would outweigh every later event until then.
	maxWebhookAhead = 24 * time.Hour
)

// Event is a webhook whose signature was verified. A field that Wix left out is the zero
// value, and so is one of those below Data that has the wrong type: Wix declares all of
// them as optional. Ids are in lower case.
type Event struct {
	// InstanceID is a GUID. It is always present.
	InstanceID string
	// Type has 1 to 100 characters. It need not be one of the constants.
	Type EventType
	// Time is when the event happened: operationTimeStamp, or else IssuedAt. Wix delivers
	// late, repeatedly and in any order.
	Time time.Time
	// IssuedAt is the JWT's iat.
	IssuedAt time.Time
	// Data is the event object as Wix wrote it. It may contain text by the site's owner:
	// do not log it.
	Data json.RawMessage
	// Hash is the SHA-256 of the JWT. It serves as the id of the event, which has no other.
	Hash [sha256.Size]byte
	// IdentityType is the kind of identity that caused the event: WIX_USER, MEMBER,
	// ANONYMOUS_VISITOR, APP or UNKNOWN.
	IdentityType string
	// SiteID is accountInfo.siteId, a GUID.
	SiteID string

	// AppID is the app id that NewWebhooks was called with, or "" where Wix names no app.
	AppID string
	// OriginInstanceID is the app's instance (a GUID) on the site that this site was copied
	// from.
	OriginInstanceID string
	// VendorProductID is the plan's id in the app dashboard (Billing.PackageName in an
	// AppInstance), at most 100 characters. "" is the free plan.
	VendorProductID string
	Cycle           BillingCycle
	// ExpiresOn is when the plan ends.
	ExpiresOn time.Time
}

// WebhookErrorKind groups refusals by their cause.
type WebhookErrorKind string

const (
	// WebhookMalformed is a body that Wix's documentation does not describe.
	WebhookMalformed WebhookErrorKind = "malformed"
	// WebhookBadSignature is a JWT that is not signed with RS256 by one of the keys. The
	// usual cause is the key of another app.
	WebhookBadSignature WebhookErrorKind = "bad signature"
	// WebhookExpired is a JWT outside the time that its exp and nbf allow, one that is older
	// than any that Wix still sends, or one from the future.
	WebhookExpired WebhookErrorKind = "expired"
	// WebhookNoInstance is a genuine event that concerns no app instance, such as one of a
	// Wix account. It is of no use here, and Wix may be answered as if it were.
	WebhookNoInstance WebhookErrorKind = "no instance"
	// WebhookForeign is an event of another app.
	WebhookForeign WebhookErrorKind = "foreign"
)

// WebhookError is the refusal of a webhook. Its text never contains any part of the body.
type WebhookError struct {
	Kind WebhookErrorKind
	Err  error
}

func (e *WebhookError) Error() string {
	return fmt.Sprintf("wix webhook: %s: %v", e.Kind, e.Err)
}

func (e *WebhookError) Unwrap() error { return e.Err }

func refuse(kind WebhookErrorKind, why string) error {
	return &WebhookError{Kind: kind, Err: errors.New(why)}
}

func malformed(why string) error { return refuse(WebhookMalformed, why) }

// Webhooks verifies the webhooks of one app. It is safe for concurrent use.
type Webhooks struct {
	keys  atomic.Pointer[[]*rsa.PublicKey]
	appID string
	now   func() time.Time
}

// NewWebhooks returns a verifier for an app id and the public key that the app's
// dashboard shows, or two keys while it is being changed. A key is the PEM text
// ("BEGIN PUBLIC KEY") or base64 of it, the two forms that @wix/sdk 1.21.16 accepts
// (parsePublicKeyIfEncoded), as people paste them: in quotes, without line breaks or with
// a literal \n instead, as in .env files. One text may hold both keys, with a comma or a
// line break between them. now is the clock; nil means time.Now.
//
// The error has one line for each fault and quotes no key.
func NewWebhooks(publicKeys []string, appID string, now func() time.Time) (*Webhooks, error) {
	w := &Webhooks{appID: strings.ToLower(appID), now: now}
	if w.now == nil {
		w.now = time.Now
	}
	var missing error
	if appID == "" {
		missing = errors.New("the app id is missing")
	}
	if err := errors.Join(missing, w.SetKeys(publicKeys)); err != nil {
		return nil, err
	}
	return w, nil
}

// SetKeys replaces the public keys by others, in the forms that NewWebhooks takes. After an
// error, those before it stay in use.
func (w *Webhooks) SetKeys(publicKeys []string) error {
	keys, err := parsePublicKeys(publicKeys)
	if err != nil {
		return err
	}
	w.keys.Store(&keys)
	return nil
}

// Verify verifies and reads the body of a webhook, which is the bare JWT; spaces around
// it are ignored. Only the header is parsed before the signature is verified. Each key is
// tried: kid does not select one, as in @wix/sdk. exp and nbf are checked where they are
// present, without leeway; iss and aud are ignored, since Wix sends neither. A webhook must
// have been signed (iat, or else operationTimeStamp) in the last three days, and neither time
// may be more than a day ahead of the clock.
//
// The caller limits the length of the body. The error is a *WebhookError.
func (w *Webhooks) Verify(body []byte) (Event, error) {
	body = bytes.TrimSpace(body)
	payload, err := w.open(string(body))
	if err != nil {
		return Event{}, err
	}
	e := Event{Hash: sha256.Sum256(body)}
	data, err := w.readClaims(&e, payload)
	if err != nil {
		return Event{}, err
	}
	if err := w.readEnvelope(&e, data); err != nil {
		return Event{}, err
	}
	return e, nil
}

// open verifies the signature of a JWT and returns its payload.
func (w *Webhooks) open(token string) ([]byte, error) {
	segments := strings.SplitN(token, ".", 4)
	// Go's base64 skips line breaks, so that one JWT would have many hashes.
	if len(segments) != 3 || strings.ContainsAny(token, "\r\n") {
		return nil, malformed("the body is not one JWT")
	}
	// Not jwt.Parser.Parse: it parses the claims before it verifies the signature, treats
	// an exp of 0 as absent, and lets a huge one overflow.
	parser := jwt.NewParser(jwt.WithStrictDecoding())
	header, errHeader := parser.DecodeSegment(segments[0])
	payload, errPayload := parser.DecodeSegment(segments[1])
	signature, errSignature := parser.DecodeSegment(segments[2])
	if errors.Join(errHeader, errPayload, errSignature) != nil {
		return nil, malformed("a part of the JWT is not base64url")
	}
	fields, ok := object(header)
	if !ok {
		return nil, malformed("the JWT's header is not a JSON object")
	}
	if alg, _ := text(fields["alg"]); alg != jwt.SigningMethodRS256.Alg() {
		return nil, refuse(WebhookBadSignature, "the JWT is not signed with RS256")
	}
	if _, present := fields["crit"]; present {
		return nil, refuse(WebhookBadSignature, "the JWT requires an unknown extension") // RFC 7515, 4.1.11
	}
	signed := segments[0] + "." + segments[1]
	for _, key := range *w.keys.Load() {
		if jwt.SigningMethodRS256.Verify(signed, signature, key) == nil {
			return payload, nil
		}
	}
	return nil, refuse(WebhookBadSignature, "no configured public key matches the signature")
}

// readClaims reads the first layer, {"data":"<JSON>","iat":…,"exp":…}, and returns the
// second.
func (w *Webhooks) readClaims(e *Event, payload []byte) (string, error) {
	claims, ok := object(payload)
	if !ok {
		return "", malformed("the JWT's payload is not a JSON object")
	}
	exp, okExp := number(claims["exp"])
	nbf, okNbf := number(claims["nbf"])
	iat, okIat := number(claims["iat"])
	if !okExp || !okNbf || !okIat {
		return "", malformed("exp, nbf or iat is not a number")
	}
	now := float64(w.now().UnixMilli()) / 1000
	if exp != nil && *exp <= now {
		return "", refuse(WebhookExpired, "exp is past")
	}
	if nbf != nil && *nbf > now {
		return "", refuse(WebhookExpired, "nbf is not reached yet")
	}
	if iat != nil {
		if err := checkAge(now - *iat); err != nil {
			return "", err
		}
		e.IssuedAt = sinceEpoch(*iat * 1000)
	}
	data, ok := text(claims["data"])
	if !ok {
		return "", malformed("data is not a string")
	}
	return data, nil
}

// checkAge checks how old a webhook is, in seconds.
func checkAge(age float64) error {
	switch {
	case age > maxWebhookAge.Seconds():
		return refuse(WebhookExpired, "it is more than three days old, and Wix gives up after two")
	case age < -maxWebhookAhead.Seconds():
		return refuse(WebhookExpired, "it is from more than a day ahead of this machine's clock")
	}
	return nil
}

// readEnvelope reads the second layer, and the third in its data:
// {"data":"<JSON>","instanceId":…,"eventType":…,"identity":"<JSON>","accountInfo":{…}}.
// An event without data, which @wix/sdk cannot parse, is read as an empty one, and so are
// identity and accountInfo in any other form: a removal must not be lost for these.
func (w *Webhooks) readEnvelope(e *Event, data string) error {
	envelope, ok := object([]byte(data))
	if !ok {
		return malformed("data does not contain a JSON object")
	}
	if e.Type = EventType(label(envelope["eventType"])); e.Type == "" {
		return malformed("eventType is not a text of 1 to 100 characters")
	}
	if none(envelope["instanceId"]) {
		return refuse(WebhookNoInstance, "the event names no app instance")
	}
	if e.InstanceID = guid(envelope["instanceId"]); e.InstanceID == "" {
		return malformed("instanceId is not a GUID")
	}
	inner, ok := text(envelope["data"])
	if none(envelope["data"]) {
		inner, ok = "{}", true
	}
	if !ok {
		return malformed("the event's data is not a string")
	}
	event, ok := object([]byte(inner))
	if !ok {
		return malformed("the event's data does not contain a JSON object")
	}
	e.Data = json.RawMessage(inner)

	encoded, _ := text(envelope["identity"])
	identity, _ := object([]byte(encoded))
	e.IdentityType = label(identity["identityType"])
	account, _ := object(envelope["accountInfo"])
	e.SiteID = guid(account["siteId"])
	if raw := event["appId"]; !none(raw) {
		if id, ok := text(raw); !ok || !strings.EqualFold(id, w.appID) {
			return refuse(WebhookForeign, "appId is another app's")
		}
		e.AppID = w.appID
	}
	e.OriginInstanceID = guid(event["originInstanceId"])
	e.VendorProductID = label(event["vendorProductId"])
	e.Cycle = BillingCycle(label(event["cycle"]))
	e.ExpiresOn = moment(event["expiresOn"])
	if e.Time = moment(event["operationTimeStamp"]); e.Time.IsZero() {
		e.Time = e.IssuedAt
		return nil
	}
	age := w.now().Sub(e.Time).Seconds()
	if !e.IssuedAt.IsZero() {
		age = min(age, 0) // it may have been sent late
	}
	return checkAge(age)
}
