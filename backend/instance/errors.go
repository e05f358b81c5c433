package instance

import (
	"errors"
	"maps"
	"slices"
	"time"
)

// Code names a fault. It is part of the HTTP contract: clients decide by it.
type Code string

// The codes, in the order of the HTTP contract's table.
const (
	CodeTokenMissing         Code = "token_missing"
	CodeTokenMalformed       Code = "token_malformed"
	CodeTokenInactive        Code = "token_inactive"
	CodeTokenExpired         Code = "token_expired"
	CodeTokenForeign         Code = "token_foreign"
	CodeOwnerRequired        Code = "owner_required"
	CodeNotFound             Code = "not_found"
	CodeMethodNotAllowed     Code = "method_not_allowed"
	CodeVersionConflict      Code = "version_conflict"
	CodeVersionRequired      Code = "version_required"
	CodeBodyTooLarge         Code = "body_too_large"
	CodeUnsupportedMediaType Code = "unsupported_media_type"
	CodeInvalidSettings      Code = "invalid_settings"
	CodeRateLimited          Code = "rate_limited"
	CodeWixBadResponse       Code = "wix_bad_response"
	CodeWixUnavailable       Code = "wix_unavailable"
	CodeWixTimeout           Code = "wix_timeout"
	CodeInternal             Code = "internal"

	// Of the webhook route, whose only reader is Wix's log of deliveries.
	CodeWebhookMalformed Code = "webhook_malformed"
	CodeWebhookRefused   Code = "webhook_refused"
	CodeStoreUnavailable Code = "store_unavailable"
)

// messages are the sentences that a client may be shown.
var messages = map[Code]string{
	CodeTokenMissing:         "The request carries no access token.",
	CodeTokenMalformed:       "The access token is malformed.",
	CodeTokenInactive:        "Wix does not accept this access token.",
	CodeTokenExpired:         "The access token has expired.",
	CodeTokenForeign:         "The access token was issued for another app.",
	CodeOwnerRequired:        "Only someone who edits the site may do this.",
	CodeNotFound:             "There is nothing here.",
	CodeMethodNotAllowed:     "This method is not allowed here.",
	CodeVersionConflict:      "The settings have been changed by someone else meanwhile.",
	CodeVersionRequired:      "An If-Match header with the version being replaced is required.",
	CodeBodyTooLarge:         "The request body is too large.",
	CodeUnsupportedMediaType: "The request body must be application/json.",
	CodeInvalidSettings:      "The settings are not valid.",
	CodeRateLimited:          "Too many requests. Try again shortly.",
	CodeWixBadResponse:       "Wix gave an answer that could not be understood.",
	CodeWixUnavailable:       "Wix cannot be reached at the moment. Try again shortly.",
	CodeWixTimeout:           "Wix did not answer in time.",
	CodeInternal:             "Failed to process request",
	CodeWebhookMalformed:     "The body is not a webhook of Wix.",
	CodeWebhookRefused:       "The webhook is not signed for this app, or has expired.",
	CodeStoreUnavailable:     "The event could not be stored. Send it again.",
}

// Codes returns every code there is.
func Codes() []Code { return slices.Collect(maps.Keys(messages)) }

// FieldError is one fault in one field of a request body. Name is "" when the
// body as a whole is at fault.
type FieldError struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Error is a fault that a client is told of: by its code and its code's sentence,
// never by the cause, which is for the log.
type Error struct {
	Code Code
	// RetryAfter is how long the client should wait, or 0 when nothing is known.
	RetryAfter time.Duration
	Fields     []FieldError
	// Err is the cause, or nil. It must not contain a token or a secret.
	Err error
}

// Message returns the sentence that may be shown to anyone.
func (e *Error) Message() string { return messages[e.Code] }

func (e *Error) Error() string {
	if e.Err == nil {
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// AsError returns err as an *Error. Any other error becomes CodeInternal with err as its cause.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: CodeInternal, Err: err}
}
