// Package apierr holds the errors that cross the HTTP boundary: each has a code for
// programs, a status, and one sentence that is safe to show to anyone. The cause stays
// on the server, for the log.
//
// The variables below are the one table of codes. An app adds rows of its own by
// declaring further values of Code.
package apierr

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/nametag-dev/nametag/backend/product"
)

// Code is one row of the table of errors. Clients decide by Name.
type Code struct {
	// Name is lower case with underscores, such as "token_expired".
	Name string
	// Status is the HTTP status, 400 to 599.
	Status int
	// Message is one sentence for people. It must be safe to show to anyone.
	Message string
}

// String returns the name.
func (c Code) String() string { return c.Name }

// The codes of identity: who is calling, and whether Wix could be asked.
var (
	TokenMissing     = Code{"token_missing", http.StatusUnauthorized, "The request carries no access token."}
	TokenMalformed   = Code{"token_malformed", http.StatusUnauthorized, "The access token is malformed."}
	TokenInactive    = Code{"token_inactive", http.StatusUnauthorized, "Wix does not accept this access token."}
	TokenExpired     = Code{"token_expired", http.StatusUnauthorized, "The access token has expired."}
	TokenForeign     = Code{"token_foreign", http.StatusForbidden, "The access token was issued for another app."}
	InstanceRequired = Code{"instance_required", http.StatusForbidden, "The access token belongs to no app instance."}
	OwnerRequired    = Code{"owner_required", http.StatusForbidden, "Only someone who edits the site may do this."}
	AppRequired      = Code{"app_required", http.StatusForbidden, "Only the app itself may do this."}
	// An instance that Wix does not know is a fact about the client's site: no attempt helps.
	InstanceUnknown = Code{"instance_unknown", http.StatusNotFound, "Wix knows no such installation of the app."}
	RateLimited     = Code{"rate_limited", http.StatusTooManyRequests, "Too many requests. Try again shortly."}
	WixBadResponse  = Code{"wix_bad_response", http.StatusBadGateway, "Wix gave an answer that could not be understood."}
	// That Wix refuses the app itself is nothing that a client, or another attempt, can change:
	// 502 and no Retry-After. The app's operator has to act.
	AppCredentialsRefused = Code{"app_credentials_refused", http.StatusBadGateway, "Wix does not accept this app's id and secret. Its operator has to correct them."}
	AppPermissionMissing  = Code{"app_permission_missing", http.StatusBadGateway, "This app lacks a permission at Wix. Its operator has to add it."}
	WixUnavailable        = Code{"wix_unavailable", http.StatusServiceUnavailable, "Wix cannot be reached at the moment. Try again shortly."}
	WixTimeout            = Code{"wix_timeout", http.StatusGatewayTimeout, "Wix did not answer in time."}
)

// The codes of the HTTP API.
var (
	NotFound             = Code{"not_found", http.StatusNotFound, "There is nothing here."}
	MethodNotAllowed     = Code{"method_not_allowed", http.StatusMethodNotAllowed, "This method is not allowed here."}
	VersionConflict      = Code{"version_conflict", http.StatusPreconditionFailed, "The settings were changed by someone else."}
	VersionRequired      = Code{"version_required", http.StatusPreconditionRequired, "An If-Match header with the version being replaced is required."}
	BodyMalformed        = Code{"body_malformed", http.StatusBadRequest, "The request body cannot be read."}
	RequestTimeout       = Code{"request_timeout", http.StatusRequestTimeout, "The request body did not arrive in time."}
	BodyTooLarge         = Code{"body_too_large", http.StatusRequestEntityTooLarge, "The request body is too large."}
	UnsupportedMediaType = Code{"unsupported_media_type", http.StatusUnsupportedMediaType, "The request body must be application/json."}
	InvalidSettings      = Code{"invalid_settings", http.StatusUnprocessableEntity, "The settings are not valid."}
	InvalidBody          = Code{"invalid_body", http.StatusUnprocessableEntity, "The request body is not valid."}
	StoreUnavailable     = Code{"store_unavailable", http.StatusServiceUnavailable, "The database cannot be reached at the moment. Try again shortly."}
	Internal             = Code{"internal", http.StatusInternalServerError, "Failed to process request"}
)

// The codes of the webhook route. Their only reader is Wix's log of deliveries.
var (
	WebhookMalformed = Code{"webhook_malformed", http.StatusBadRequest, "The body is not a webhook of Wix."}
	WebhookRefused   = Code{"webhook_refused", http.StatusUnauthorized, "The webhook is not signed for this app, or has expired."}
)

// Codes returns the whole table, in the order of the HTTP contract.
func Codes() []Code {
	return []Code{
		TokenMissing, TokenMalformed, TokenInactive, TokenExpired, TokenForeign, InstanceRequired, OwnerRequired, AppRequired,
		NotFound, InstanceUnknown, MethodNotAllowed, VersionConflict, VersionRequired, BodyMalformed, RequestTimeout, BodyTooLarge, UnsupportedMediaType,
		InvalidSettings, InvalidBody, RateLimited, WixBadResponse, AppCredentialsRefused, AppPermissionMissing, WixUnavailable, WixTimeout, StoreUnavailable, Internal,
		WebhookMalformed, WebhookRefused,
	}
}

// Field is one fault in one field of a request body. Name is "" when the body as a
// whole is at fault.
type Field struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Error is a failure that a client sees: by its code and the code's sentence, never by
// the cause.
type Error struct {
	Code Code
	// RetryAfter is how long the client should wait, or 0 when nothing is known.
	RetryAfter time.Duration
	Fields     []Field
	// Err is the cause, for the log, or nil. It must not contain a token or a secret.
	Err error
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Code.Name
	}
	return e.Code.Name + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// As returns the *Error in err's chain. Any other error becomes Internal with err as its
// cause.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: Internal, Err: err}
}

// The status, as in nginx, and the code of a request whose client disconnected before the
// answer. They are for the log and the metrics: no client sees them.
const (
	StatusClientGone = 499
	ClientGone       = "client_gone"
)

// defaultRetryAfter is sent where the contract promises a Retry-After and the error
// carries none.
const defaultRetryAfter = 5 * time.Second

// Body is the JSON of an error.
type Body struct {
	Error     string  `json:"error"`
	Code      string  `json:"code"`
	RequestID string  `json:"requestId"`
	Fields    []Field `json:"fields,omitempty"`
}

// Body returns what a client reads. requestID names the request in the log.
func (e *Error) Body(requestID string) Body {
	return Body{e.Code.Message, e.Code.Name, requestID, e.Fields}
}

// SetHeader writes the header lines that belong to the error: X-Request-Id, Cache-Control:
// no-store, WWW-Authenticate on 401 (RFC 6750 §3), and Retry-After on 429 and 503, in whole
// seconds, rounded up.
func (e *Error) SetHeader(h http.Header, requestID string) {
	h.Set("X-Request-Id", requestID)
	h.Set("Cache-Control", "no-store")
	switch e.Code.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="`+product.ID+`", error="`+e.bearerError()+`"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		wait := e.RetryAfter
		if wait <= 0 {
			wait = defaultRetryAfter
		}
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
}

// bearerError is RFC 6750's word for a refusal.
func (e *Error) bearerError() string {
	if e.Code == TokenMissing || e.Code == TokenMalformed {
		return "invalid_request"
	}
	return "invalid_token"
}

// Write answers a request with an error: header lines, status and JSON body. requestID
// names the request in the log; "" is replaced by a random one.
func Write(w http.ResponseWriter, err *Error, requestID string) {
	if requestID == "" {
		requestID = rand.Text()
	}
	h := w.Header()
	err.SetHeader(h, requestID)
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(err.Code.Status)
	// A failed write means that the client has gone.
	_ = json.NewEncoder(w).Encode(err.Body(requestID))
}
