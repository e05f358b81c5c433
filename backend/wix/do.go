package wix

// A request to any of Wix's APIs, and the rule that keeps the token from going elsewhere.

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// ErrForeignURL is the refusal of a URL that does not belong to Wix's API.
var ErrForeignURL = errors.New("the URL does not belong to Wix's API, and the token is sent nowhere else")

// Do sends a request to any of Wix's APIs, with the bare access token in Authorization,
// and returns the response whatever its status is. The URL is below DefaultBaseURL or
// below the Client's base URL; either is sent to the base URL. Any other is refused with
// ErrForeignURL. Redirects are not followed, nothing is repeated, and Options.Timeout
// does not apply: the request's context bounds the call and the reading of the body.
//
// The request is not changed; its body is always closed. The caller closes the
// response's body. Any error but ErrForeignURL is an *Error.
func (c *Client) Do(r *http.Request, accessToken Secret) (*http.Response, error) {
	target, err := c.target(r.URL)
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	sent := r.Clone(r.Context())
	sent.URL, sent.Host = target, ""
	if sent.Header == nil {
		sent.Header = make(http.Header)
	}
	sent.Header.Set("Authorization", string(accessToken))
	resp, err := c.http.Do(sent)
	if err != nil {
		return nil, connectionError(r.Context(), opRequest, err)
	}
	return resp, nil
}

// CheckURL returns the error with which Do would refuse the URL, or nil.
func (c *Client) CheckURL(u *url.URL) error {
	_, err := c.target(u)
	return err
}

// target returns the URL below the base URL that a request for u is sent to.
func (c *Client) target(u *url.URL) (*url.URL, error) {
	base, err := url.Parse(c.baseURL)
	if err != nil {
		return nil, &Error{Op: opRequest, Kind: Unavailable, Err: errors.New("the base URL is not valid")}
	}
	from := base
	if !below(u, from) {
		if from, err = url.Parse(DefaultBaseURL); err != nil || !below(u, from) {
			return nil, ErrForeignURL
		}
	}
	to := *u
	to.Scheme, to.Host = base.Scheme, base.Host
	to.Path = base.Path + strings.TrimPrefix(u.Path, from.Path)
	to.RawPath = base.EscapedPath() + strings.TrimPrefix(u.EscapedPath(), from.EscapedPath())
	return &to, nil
}

// below reports whether u is at or below base on the same origin. A path with ".." is
// not, since the server may resolve it to a place outside.
func below(u, base *url.URL) bool {
	return u.Scheme == base.Scheme && strings.EqualFold(u.Host, base.Host) && u.User == nil && u.Opaque == "" &&
		strings.HasPrefix(u.Path+"/", base.Path+"/") && !slices.Contains(strings.Split(u.Path, "/"), "..")
}
