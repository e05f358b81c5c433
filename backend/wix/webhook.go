package wix

// Webhooks: the public keys, the signature and the three layers of JSON below it.

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// EventType is the name that Wix gives an event in the JWT.
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
	// PaidPlanAutoRenewalCancelled carries the plan, which stays paid for until the
	// end of its cycle.
	PaidPlanAutoRenewalCancelled EventType = "PaidPlanAutoRenewalCancelled"
	// PlanConvertedToPaid is a free trial that ended with a payment.
	PlanConvertedToPaid EventType = "PlanConvertedToPaid"
	// PlanReactivated is the renewal turned on again.
	PlanReactivated EventType = "PlanReactivated"
	// PlanTransferred is a plan that moved to another Wix account.
	PlanTransferred EventType = "PlanTransferred"
)

// InvoiceStatusUpdated is the payment state of an invoice. It has neither a plan
// nor a time of its own (@wix/auto_sdk_app-management_billing 1.0.46).
const InvoiceStatusUpdated EventType = "InvoiceStatusUpdated"

// Event is a webhook whose signature was verified. What Wix left out is the zero
// value, and so is a field below Data that has an odd type: Wix types all of them
// as optional.
type Event struct {
	// InstanceID is a GUID, spelt as Wix spelt it.
	InstanceID string
	// Type is 1 to 100 characters, not always one of the constants.
	Type EventType
	// Time is when it happened: operationTimeStamp, else IssuedAt. Deliveries come
	// late, twice and in any order.
	Time time.Time
	// IssuedAt is the JWT's iat.
	IssuedAt time.Time
	// Data is the event object as Wix wrote it. It may hold text by the site's
	// owner: keep it out of logs.
	Data json.RawMessage
	// Hash is the SHA-256 of the JWT. These events carry no id of their own.
	Hash [sha256.Size]byte
	// IdentityType is who caused it: WIX_USER, MEMBER, ANONYMOUS_VISITOR, APP, UNKNOWN.
	IdentityType string
	// SiteID is accountInfo.siteId, a GUID.
	SiteID string

	// AppID is the app that was given to NewWebhooks, or "".
	AppID string
	// OriginInstanceID is our instance (a GUID) on the site that this one was copied from.
	OriginInstanceID string
	// VendorProductID is the plan's id in the app dashboard (Billing.PackageName
	// elsewhere), at most 100 characters. "" is the free plan.
	VendorProductID string
	Cycle           BillingCycle
	// ExpiresOn is when the plan ends.
	ExpiresOn time.Time
}

// WebhookErrorKind sorts refusals by what they tell the sender.
type WebhookErrorKind string

const (
	// WebhookMalformed is a body that no version of Wix's documentation describes.
	WebhookMalformed WebhookErrorKind = "malformed"
	// WebhookBadSignature is a JWT that is not RS256 by one of the keys. The usual
	// cause is a key of another app.
	WebhookBadSignature WebhookErrorKind = "bad signature"
	// WebhookExpired is a JWT used outside the time that its exp and nbf allow.
	WebhookExpired WebhookErrorKind = "expired"
	// WebhookForeign is an event of another app.
	WebhookForeign WebhookErrorKind = "foreign"
)

// WebhookError is the refusal of a webhook. Its text never holds any of the body.
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

// Webhooks verifies what Wix posts to the app. It is safe for concurrent use.
type Webhooks struct {
	keys  []*rsa.PublicKey
	appID string
	now   func() time.Time
}

// NewWebhooks takes the one public key of the app's dashboard, or two while it is
// being changed. Each is the PEM text ("BEGIN PUBLIC KEY") or base64 of it, the two
// forms that @wix/sdk 1.21.16 takes (parsePublicKeyIfEncoded); line breaks may also
// be lost, or written as a literal \n as in .env files. now may be nil.
//
// The error has one line for each fault and quotes no key.
func NewWebhooks(publicKeys []string, appID string, now func() time.Time) (*Webhooks, error) {
	w := &Webhooks{appID: appID, now: now}
	if w.now == nil {
		w.now = time.Now
	}
	var faults []error
	if appID == "" {
		faults = append(faults, errors.New("the app id is missing"))
	}
	switch n := len(publicKeys); {
	case n == 0:
		faults = append(faults, errors.New("the public key for webhooks is missing"))
	case n > 2:
		faults = append(faults, fmt.Errorf("there are %d public keys for webhooks: give the current one, and at most one other while it is being changed", n))
	}
	for i, text := range publicKeys {
		key, err := parsePublicKey(text)
		if err != nil {
			faults = append(faults, fmt.Errorf("public key %d %w", i+1, err))
		}
		w.keys = append(w.keys, key)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return w, nil
}

// Verify reads the body of a webhook, which is the bare JWT; spaces around it are
// dropped. Nothing but the header is parsed until the signature is found good. Any
// of the keys may have made it: kid does not choose one, as it does not in @wix/sdk.
// exp and nbf are obeyed, with no leeway, where they are there; iss and aud are not
// looked at, as Wix sends neither.
//
// The caller bounds the body's length. The error is a *WebhookError.
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

// open returns the payload of a JWT with a good signature.
func (w *Webhooks) open(token string) ([]byte, error) {
	segments := strings.SplitN(token, ".", 4)
	// Go's base64 skips line breaks, which would give one JWT many hashes.
	if len(segments) != 3 || strings.ContainsAny(token, "\r\n") {
		return nil, malformed("the body is not one JWT")
	}
	// Not jwt.Parser.Parse: it parses the claims before it looks at the signature,
	// takes an exp of 0 for none, and lets a huge one overflow.
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
		return nil, refuse(WebhookBadSignature, "the JWT needs an extension that is not known") // RFC 7515, 4.1.11
	}
	signed := segments[0] + "." + segments[1]
	for _, key := range w.keys {
		if jwt.SigningMethodRS256.Verify(signed, signature, key) == nil {
			return payload, nil
		}
	}
	return nil, refuse(WebhookBadSignature, "no configured public key fits the signature")
}

// readClaims is the first layer: {"data":"<JSON>","iat":…,"exp":…}. It returns the second.
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
		e.IssuedAt = sinceEpoch(*iat * 1000)
	}
	data, ok := text(claims["data"])
	if !ok {
		return "", malformed("data is not a string")
	}
	return data, nil
}

// readEnvelope is the second layer, and the third in its data:
// {"data":"<JSON>","instanceId":…,"eventType":…,"identity":"<JSON>","accountInfo":{…}}.
// An event without any data is refused: @wix/sdk cannot parse one either.
func (w *Webhooks) readEnvelope(e *Event, data string) error {
	envelope, ok := object([]byte(data))
	if !ok {
		return malformed("data does not hold a JSON object")
	}
	if e.InstanceID = guid(envelope["instanceId"]); e.InstanceID == "" {
		return malformed("instanceId is not a GUID")
	}
	if e.Type = EventType(label(envelope["eventType"])); e.Type == "" {
		return malformed("eventType is not a text of 1 to 100 characters")
	}
	inner, ok := text(envelope["data"])
	if !ok {
		return malformed("the event's data is not a string")
	}
	event, ok := object([]byte(inner))
	if !ok {
		return malformed("the event's data does not hold a JSON object")
	}
	e.Data = json.RawMessage(inner)

	if raw := envelope["identity"]; !none(raw) {
		encoded, _ := text(raw)
		identity, ok := object([]byte(encoded))
		if !ok {
			return malformed("identity is not a string that holds a JSON object")
		}
		e.IdentityType = label(identity["identityType"])
	}
	if raw := envelope["accountInfo"]; !none(raw) {
		account, ok := object(raw)
		if !ok {
			return malformed("accountInfo is not an object")
		}
		e.SiteID = guid(account["siteId"])
	}
	if raw := event["appId"]; !none(raw) {
		if id, ok := text(raw); !ok || !strings.EqualFold(id, w.appID) {
			return refuse(WebhookForeign, "appId is not this app's")
		}
		e.AppID = w.appID
	}
	e.OriginInstanceID = guid(event["originInstanceId"])
	e.VendorProductID = label(event["vendorProductId"])
	e.Cycle = BillingCycle(label(event["cycle"]))
	e.ExpiresOn = moment(event["expiresOn"])
	if e.Time = moment(event["operationTimeStamp"]); e.Time.IsZero() {
		e.Time = e.IssuedAt
	}
	return nil
}
