package wix

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// The values of Error.Op.
const (
	opTokenInfo   = "token info"
	opAppToken    = "app token"
	opAppInstance = "app instance"
	opRequest     = "request"
)

// Kind groups failures by what can be done about them.
type Kind string

const (
	// Refused is any 4xx but 408 and 429. See Error.Status.
	Refused Kind = "refused"
	// RateLimited is a 429.
	RateLimited Kind = "rate limited"
	// Unavailable is a connection that failed, or any 5xx but 504.
	Unavailable Kind = "unavailable"
	// Timeout is a 504, a 408, or a deadline of this side that passed.
	Timeout Kind = "timed out"
	// BadResponse is an answer that Wix does not document: another status, too long,
	// cut short, not JSON, or without a field that it must have.
	BadResponse Kind = "bad response"
	// Canceled means that the caller's context was canceled.
	Canceled Kind = "cancelled"
)

// Refusal is what a refusal of the app itself means. See Error.Refusal.
type Refusal string

const (
	// CredentialsRefused: Wix does not take the app's id with its secret.
	CredentialsRefused Refusal = "credentials refused"
	// PermissionMissing: the app lacks a permission.
	PermissionMissing Refusal = "permission missing"
	// InstanceUnknown: the app is not installed under that instance id, or no longer.
	InstanceUnknown Refusal = "instance unknown"
)

// Error is the failure of one call. Neither its text nor its cause ever contains a
// token, a secret or any part of a body.
type Error struct {
	// Op is the call: "token info", "app token", "app instance", or "request" for Do.
	Op   string
	Kind Kind
	// Status is the HTTP status, or 0 when there was no answer.
	Status int
	// RequestID is Wix's x-wix-request-id, or "". Wix's support needs it.
	RequestID string
	// RetryAfter is the delay that Wix asked for, at most a day, or 0.
	RetryAfter time.Duration
	// Code is details.applicationError.code, or the error of OAuth ("Create Access Token"
	// follows RFC 6749), or "".
	Code string
	// Err is the cause, or nil.
	Err error

	// retry is set if a second attempt may succeed and does no harm.
	retry bool
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "wix %s: %s", e.Op, e.Kind)
	if e.Status != 0 {
		fmt.Fprintf(&b, ", status %d", e.Status)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, ", code %s", e.Code)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, ", request id %s", e.RequestID)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Refusal returns what it means that Wix has refused an app token or an app instance, or ""
// where the answer does not show that, and for all other calls and failures.
//
// Wix documents no errors of /oauth2/token but by RFC 6749 §5.2: 401 or invalid_client for a
// client that failed to authenticate, invalid_grant for a grant that is not valid. For an
// instance that Wix does not know, 404 "app not found in any meta-site" has been reported;
// an answer without Wix's request id is another server's. A read is answered with 403, or
// with 401, where a permission is missing ("Errors" in Wix's REST documentation).
func (e *Error) Refusal() Refusal {
	token := e.Op == opAppToken
	if e.Kind != Refused || !token && e.Op != opAppInstance {
		return ""
	}
	switch {
	case token && (e.Status == http.StatusUnauthorized || e.Code == "invalid_client"):
		return CredentialsRefused
	case e.Status == http.StatusForbidden, e.Status == http.StatusUnauthorized:
		return PermissionMissing
	case token && e.Code == "invalid_grant", e.Status == http.StatusNotFound && e.RequestID != "":
		return InstanceUnknown
	}
	return ""
}

// connectionError is the failure of an attempt without an answer. The standard library's
// own texts are dropped: some quote what the other side sent.
func connectionError(ctx context.Context, op string, err error) *Error {
	e := &Error{Op: op, Kind: Unavailable, retry: true}
	var (
		timeout net.Error
		dial    *net.OpError
		errno   syscall.Errno
		dns     *net.DNSError
		cert    *tls.CertificateVerificationError
	)
	switch dialling := errors.As(err, &dial) && dial.Op == "dial"; {
	case errors.Is(ctx.Err(), context.Canceled):
		return &Error{Op: op, Kind: Canceled, Err: context.Canceled}
	case ctx.Err() != nil || errors.As(err, &timeout) && timeout.Timeout() && !dialling:
		return &Error{Op: op, Kind: Timeout, Err: context.DeadlineExceeded}
	case errors.As(err, &dns):
		e.Err = errors.New("host name not resolved")
	case errors.As(err, &cert):
		e.Err = errors.New("certificate not accepted")
	case errors.As(err, &errno):
		e.Err = errno
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.Err = errors.New("connection closed without an answer")
	default:
		e.Err = errors.New("connection failed")
	}
	return e
}

// identifier returns text that looks like an id or a code, and so is safe to log, or ""
// for any other.
func identifier(text string) string {
	if len(text) > 64 || strings.ContainsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune("._:-", r)
	}) {
		return ""
	}
	return text
}
