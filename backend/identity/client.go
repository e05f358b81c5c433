package identity

// An http.Client that calls Wix as the app.

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

// apiTimeout bounds one request of Client, from the app token to the last byte of the
// response.
const apiTimeout = 30 * time.Second

// Client returns an HTTP client that calls Wix's API as the app, for one instance: the
// elevation of Wix's documentation (auth.elevate). Requests to https://www.wixapis.com go
// to Options.WixURL; a request to any other host is refused, since the host would get the
// app token. The client sets Authorization; it fetches, caches and renews the app token,
// and does not follow redirects. A 401 for a cached token renews it, and the request is
// repeated once if its body can be replayed (Request.GetBody).
//
// All requests for an instance, those of AppInstance included, share its budget: a burst
// of 20, and 80 a minute. After a 429 of Wix none is sent until the time that Wix named, ten
// minutes at most. A request takes at most 30 s, including the reading of the response.
// After repeated failures (5xx or no connection) of several instances requests are refused
// for 5 s.
//
// A response of any status is returned unchanged. The error is a *url.Error around an
// *apierr.Error, or around context.Canceled if the request's context was canceled.
func (v *Verifier) Client(instanceID string) *http.Client {
	return &http.Client{
		Transport: &elevated{wix: v.wix, elevator: v.elevator, instanceID: instanceID},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}

// elevated is the RoundTripper of Client.
type elevated struct {
	wix        *wix.Client
	elevator   *elevator
	instanceID string
}

// RoundTrip implements http.RoundTripper.
func (c *elevated) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := c.elevator.work.attach(r.Context(), apiTimeout)
	s := &sending{elevated: c, request: r, ctx: ctx}
	resp, err := s.send()
	if err != nil {
		cancel()
		if r.Context().Err() != nil {
			return nil, callerGone(r.Context().Err())
		}
		return nil, asAPIError(err)
	}
	resp.Body = &boundBody{resp.Body, cancel}
	return resp, nil
}

// boundBody is the body of a response; the request's context ends when it is closed.
type boundBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *boundBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// sending is one request of a Client, which is attempted at most twice.
type sending struct {
	*elevated
	request  *http.Request
	ctx      context.Context
	attempts int
	response *http.Response
}

func (s *sending) send() (*http.Response, error) {
	// Before anything is spent on it.
	instanceID, ok := wix.ParseGUID(s.instanceID)
	err := s.wix.CheckURL(s.request.URL)
	switch {
	case !ok:
		err = errNoGUID()
	case err == nil:
		en := s.elevator.entry(instanceID)
		err = s.elevator.withToken(s.ctx, en, instanceID, func(token wix.Secret) error {
			return s.elevator.spend(s.ctx, en, s.elevator.apiGate, func() error { return s.attempt(en, token) })
		})
	}
	if s.attempts == 0 && s.request.Body != nil {
		_ = s.request.Body.Close() // as every RoundTripper must
	}
	var status statusError
	if err == nil || errors.As(err, &status) {
		return s.response, nil
	}
	s.discardResponse()
	return nil, err
}

// statusError is a response with a status that matters to the breaker, the budget or the
// token. It is not returned to the caller of Client, who gets the response.
type statusError struct{ cause *wix.Error }

func (e statusError) Error() string { return e.cause.Error() }
func (e statusError) Unwrap() error { return e.cause }

// attempt sends the request once.
func (s *sending) attempt(en *entry, token wix.Secret) error {
	s.discardResponse()
	r := s.request.WithContext(s.ctx)
	if s.attempts++; s.attempts > 1 && r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return &apierr.Error{Code: apierr.Internal, Err: err}
		}
		r.Body = body
	}
	resp, err := s.wix.Do(r, token)
	if err != nil {
		if cause := s.request.Context().Err(); cause != nil {
			return &wix.Error{Op: "request", Kind: wix.Canceled, Err: cause} // not a failure of Wix
		}
		return err
	}
	s.response = resp
	switch {
	case resp.StatusCode >= http.StatusInternalServerError:
		return statusError{&wix.Error{Op: "request", Kind: wix.Unavailable, Status: resp.StatusCode}}
	case resp.StatusCode == http.StatusTooManyRequests:
		wait := wix.RetryAfter(resp.Header, s.elevator.now())
		return statusError{&wix.Error{Op: "request", Kind: wix.RateLimited, Status: resp.StatusCode, RetryAfter: wait}}
	case resp.StatusCode == http.StatusUnauthorized && s.replayable():
		return statusError{&wix.Error{Op: "request", Kind: wix.Refused, Status: resp.StatusCode}}
	case resp.StatusCode == http.StatusUnauthorized:
		en.dropToken(token)
	}
	return nil
}

func (s *sending) replayable() bool {
	return s.request.Body == nil || s.request.Body == http.NoBody || s.request.GetBody != nil
}

// discardResponse closes the response of an earlier attempt.
func (s *sending) discardResponse() {
	if s.response != nil {
		_ = s.response.Body.Close()
		s.response = nil
	}
}
