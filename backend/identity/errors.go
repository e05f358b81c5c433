package identity

// What the failures of calls to Wix mean for a client.

import (
	"context"
	"errors"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

// defaultRetryAfter is the Retry-After for a client where Wix sent none.
const defaultRetryAfter = 5 * time.Second

// asAPIError returns the failure of a call to Wix as an error for the client.
func asAPIError(err error) *apierr.Error {
	var (
		ours *apierr.Error
		w    *wix.Error
	)
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.As(err, &w):
		return fromWix(w)
	case errors.Is(err, context.Canceled): // by Close: a caller's own context is handled before
		return unavailable(defaultRetryAfter, err)
	case errors.Is(err, context.DeadlineExceeded):
		return &apierr.Error{Code: apierr.WixTimeout, Err: err}
	default:
		return &apierr.Error{Code: apierr.Internal, Err: err}
	}
}

func fromWix(w *wix.Error) *apierr.Error {
	retryAfter := w.RetryAfter
	if retryAfter == 0 {
		retryAfter = defaultRetryAfter
	}
	switch w.Kind {
	case wix.RateLimited:
		return &apierr.Error{Code: apierr.RateLimited, RetryAfter: retryAfter, Err: w}
	case wix.Timeout:
		return &apierr.Error{Code: apierr.WixTimeout, Err: w}
	case wix.Unavailable, wix.Canceled:
		return unavailable(retryAfter, w)
	}
	switch w.Refusal() {
	case wix.CredentialsRefused:
		return &apierr.Error{Code: apierr.AppCredentialsRefused, Err: w}
	case wix.PermissionMissing:
		return &apierr.Error{Code: apierr.AppPermissionMissing, Err: w}
	case wix.InstanceUnknown:
		return &apierr.Error{Code: apierr.InstanceUnknown, Err: w}
	}
	return &apierr.Error{Code: apierr.WixBadResponse, Err: w}
}

// remedy says what can be done about a refusal of the app itself.
func remedy(err error) string {
	var w *wix.Error
	if !errors.As(err, &w) {
		return ""
	}
	switch w.Refusal() {
	case wix.CredentialsRefused:
		return "copy WIX_APP_ID and WIX_APP_SECRET from the OAuth page of the app dashboard again"
	case wix.PermissionMissing:
		return "give the app the permission Manage Your App in the app dashboard; a site that has the app must accept it"
	case wix.InstanceUnknown:
		return "nothing, if the app was removed from that site"
	}
	return ""
}

// callerGone returns the error for a caller whose own context has ended: context.Canceled
// unchanged, a deadline as wix_timeout.
func callerGone(err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return &apierr.Error{Code: apierr.WixTimeout, Err: err}
}

func isKind(err error, kind wix.Kind) bool {
	var w *wix.Error
	return errors.As(err, &w) && w.Kind == kind
}

// isRefused reports whether Wix refuses the token or the instance of a call: 400, 401, 403
// or 404. Wix documents no other 4xx for its calls.
func isRefused(err error) bool {
	switch refusedStatus(err) {
	case 400, 401, 403, 404:
		return true
	}
	return false
}

// refusedStatus returns the status of a refusal, or 0 for any other error.
func refusedStatus(err error) int {
	var w *wix.Error
	if errors.As(err, &w) && w.Kind == wix.Refused {
		return w.Status
	}
	return 0
}
