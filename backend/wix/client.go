// Package wix is a client of Wix's REST API for app servers. It makes the three calls
// that every app server needs (token info, app token, app instance), sends any other
// request to Wix, and verifies what Wix signs: webhooks and signed instances. It caches
// nothing and decides nothing; package identity does both. It is independent of the rest
// of Nametag.
package wix

import (
	"context"
	"errors"
	"net"
	"net/http"
	"reflect"
	"strings"
	"time"
)

// DefaultBaseURL is where Wix serves its REST API.
const DefaultBaseURL = "https://www.wixapis.com"

// Options configure a Client. AppID and AppSecret are required.
type Options struct {
	// BaseURL is where the REST API is served. Default: DefaultBaseURL.
	BaseURL string
	// AppID is the app's id, in any case.
	AppID     string
	AppSecret Secret
	// OldSecret is for the time in which the secret is being changed: Wix gets whichever of
	// the two it takes. See SetSecrets. None by default.
	OldSecret Secret
	// SecretTaken is called when Wix has taken the secret (old is false) or the old secret
	// (true), while there are both: the first time, and whenever it is another than before.
	// Default: nothing.
	SecretTaken func(old bool)
	// Timeout bounds one attempt, from dialling to the last byte. A call makes at
	// most two attempts. Default: 5 s.
	Timeout time.Duration
	// Transport carries the requests. Default: NewTransport().
	Transport http.RoundTripper
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Client calls Wix. It is safe for concurrent use. TokenInfo, AppToken and AppInstance
// change nothing at Wix, so that repeating one is harmless; each is repeated at most
// once, and only after no answer or a 502, 503 or 504. Each of their errors is an *Error.
type Client struct {
	baseURL string
	appID   string
	secrets *secrets
	timeout time.Duration
	now     func() time.Time
	http    http.Client
}

// New returns a Client. The caller closes it.
func New(o Options) *Client {
	c := &Client{
		baseURL: strings.TrimRight(o.BaseURL, "/"),
		appID:   strings.ToLower(o.AppID),
		timeout: o.Timeout,
		now:     o.Now,
		http: http.Client{
			Transport: o.Transport,
			// Wix redirects none of its calls, and following would send the token elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	c.secrets = &secrets{taken: o.SecretTaken}
	c.SetSecrets(o.AppSecret, o.OldSecret)
	if c.baseURL == "" {
		c.baseURL = DefaultBaseURL
	}
	if c.timeout <= 0 {
		c.timeout = 5 * time.Second
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.http.Transport == nil {
		c.http.Transport = NewTransport()
	}
	return c
}

// NewTransport returns the transport that a Client uses by default, for wrapping.
func NewTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    3 * time.Second,
		ResponseHeaderTimeout:  10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    512, // one host, many concurrent calls
		IdleConnTimeout:        90 * time.Second,
		ForceAttemptHTTP2:      true,
	}
}

// Close closes the idle connections, if the transport has a CloseIdleConnections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// TokenInfo asks Wix about an access token: POST /oauth2/token-info, without an
// Authorization header, as @wix/sdk does. For a token that Wix does not know, the result
// is either an answer with Active false or an *Error of kind Refused.
func (c *Client) TokenInfo(ctx context.Context, token string) (TokenInfo, error) {
	var info TokenInfo
	err := c.call(ctx, request{
		op: opTokenInfo, method: http.MethodPost, path: "/oauth2/token-info",
		body: struct {
			Token string `json:"token"`
		}{token},
	}, &info, nil)
	return info, err
}

// AppToken is an access token of the app's own identity on one site.
type AppToken struct {
	AccessToken Secret
	// ExpiresIn is the token's lifetime from the time of the answer. Wix gives four hours.
	ExpiresIn time.Duration
}

// AppToken elevates to the app's own identity: POST /oauth2/token with the client
// credentials and the instance ("Create Access Token" in Wix's API reference). The names
// in the body and their order are those of @wix/sdk 1.21.16, AppStrategy. Without an
// instance, the token is of the app alone, where Wix gives one ("Make Admin API Calls with
// Client Credentials"; that is for headless projects).
//
// While there is an old secret (SetSecrets), a refusal makes it ask once more, with the
// other secret.
func (c *Client) AppToken(ctx context.Context, instanceID string) (AppToken, error) {
	return c.secrets.try(func(secret string) (AppToken, error) { return c.appToken(ctx, instanceID, secret) })
}

func (c *Client) appToken(ctx context.Context, instanceID, secret string) (AppToken, error) {
	var answer struct {
		AccessToken Optional[string] `json:"access_token"`
		ExpiresIn   seconds          `json:"expires_in"`
	}
	err := c.call(ctx, request{
		op: opAppToken, method: http.MethodPost, path: "/oauth2/token",
		body: struct {
			InstanceID   string `json:"instance_id,omitempty"`
			ClientID     string `json:"client_id"`
			ClientSecret string `json:"client_secret"`
			GrantType    string `json:"grant_type"`
		}{instanceID, c.appID, secret, "client_credentials"},
	}, &answer, func() error {
		const month = 30 * 24 * 60 * 60
		switch {
		case !sendable(answer.AccessToken.Value):
			return errors.New("no usable access_token")
		case !(answer.ExpiresIn.value >= 1 && answer.ExpiresIn.value <= month):
			return errors.New("no usable expires_in")
		}
		return nil
	})
	if err != nil {
		return AppToken{}, err
	}
	return AppToken{
		AccessToken: Secret(answer.AccessToken.Value),
		ExpiresIn:   time.Duration(answer.ExpiresIn.value) * time.Second,
	}, nil
}

// sendable reports whether a token can be the value of a header.
func sendable(token string) bool {
	return token != "" && len(token) <= 8<<10 &&
		!strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// AppInstance reads the app instance that the app token was made for: GET
// /apps/v1/instance, the bare token in Authorization, as @wix/sdk does.
func (c *Client) AppInstance(ctx context.Context, accessToken Secret) (AppInstance, error) {
	var app AppInstance
	err := c.call(ctx, request{
		op: opAppInstance, method: http.MethodGet, path: "/apps/v1/instance", authorization: string(accessToken),
	}, &app, func() error {
		if app.Instance.InstanceID == "" {
			return errors.New("no instanceId")
		}
		return nil
	})
	if err != nil {
		return AppInstance{}, err
	}
	shorten(reflect.ValueOf(&app).Elem())
	return app, nil
}
