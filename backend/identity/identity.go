// Package identity verifies who calls an app server of Wix. It turns the access token of
// a request into a Caller by asking Wix, and calls Wix as the app itself on behalf of an
// app instance. It caches what it safely can, shares one call to Wix among all callers
// that wait for the same answer, and limits the calls that go out.
//
// Verifier.Require is net/http middleware; Verifier.Verify is the same without HTTP.
// Every error is an *apierr.Error, which has a code, a status and a sentence for the
// client.
package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

// defaultSize is the default of Options.Size.
const defaultSize = 100_000

// Options configure a Verifier. AppID and AppSecret are required.
type Options struct {
	// AppID is the app's id from the app dashboard, a GUID in any case.
	AppID string
	// AppSecret is the app's secret from the same page. It is sent to Wix and never logged.
	AppSecret wix.Secret
	// OldSecret is for the time in which the secret is being changed: Wix gets whichever of
	// the two it takes. See Verifier.SetSecrets. Default: none.
	OldSecret wix.Secret
	// WixURL is where Wix's REST API is served. Default: wix.DefaultBaseURL.
	WixURL string
	// Transport carries the requests to Wix. Default: wix.NewTransport().
	Transport http.RoundTripper
	// Logger logs refused requests (info level), refused tokens (debug level), what Wix
	// refuses to the app, and failures. A client appears by its network alone (/24, /48). No
	// token and no secret is ever logged. Lines are not sampled. Default: nothing is logged.
	Logger *slog.Logger
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Size is the largest number of verified tokens to cache, at about 300 bytes each.
	// Half as many refused tokens are cached, and a twentieth as many app instances of some
	// kilobytes each. Default: 100,000.
	Size int
	// ClientIP returns the IP address of the client for Require, which limits the refused
	// tokens of each client network. Behind a reverse proxy, read the header that the proxy
	// sets. Default: the host of Request.RemoteAddr.
	ClientIP func(*http.Request) string
}

// Verifier verifies callers and calls Wix as the app. It is safe for concurrent use.
type Verifier struct {
	logger   *slog.Logger
	clientIP func(*http.Request) string
	wix      *wix.Client
	tokens   *tokens
	elevator *elevator
	close    sync.Once
}

// New returns a Verifier. The caller closes it. The error has one line for each option
// that is missing or impossible.
func New(o Options) (*Verifier, error) {
	o, err := o.complete()
	if err != nil {
		return nil, fmt.Errorf("new verifier: %w", err)
	}
	client := wix.New(wix.Options{
		BaseURL: o.WixURL, AppID: o.AppID, AppSecret: o.AppSecret, OldSecret: o.OldSecret, Transport: o.Transport, Now: o.Now,
		SecretTaken: func(old bool) {
			if old {
				o.Logger.Warn("wix takes the old app secret, and refuses the new one")
			} else {
				o.Logger.Info("wix takes the new app secret: the old one is not needed")
			}
		},
	})
	return &Verifier{
		logger:   o.Logger,
		clientIP: o.ClientIP,
		wix:      client,
		tokens:   newTokens(client, o),
		elevator: newElevator(client, o),
	}, nil
}

// complete returns the options with the defaults filled in.
func (o Options) complete() (Options, error) {
	var errs []error
	appID, ok := wix.ParseGUID(o.AppID)
	switch {
	case o.AppID == "":
		errs = append(errs, errors.New("option AppID is missing"))
	case !ok:
		errs = append(errs, fmt.Errorf("option AppID is not a GUID: %q", o.AppID))
	}
	if o.AppSecret == "" {
		errs = append(errs, errors.New("option AppSecret is missing"))
	}
	if u, err := url.Parse(o.WixURL); o.WixURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		errs = append(errs, errors.New("option WixURL is not an absolute http or https URL"))
	}
	if o.Size < 0 {
		errs = append(errs, fmt.Errorf("option Size is negative: %d", o.Size))
	}
	o.AppID = appID
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Size == 0 {
		o.Size = defaultSize
	}
	if o.ClientIP == nil {
		o.ClientIP = remoteHost
	}
	return o, errors.Join(errs...)
}

// Identification is the result of verifying a token.
type Identification struct {
	Caller Caller
	// Cached is set if Wix was not asked.
	Cached bool
	// Took is how long it took to ask Wix, or 0 if Wix was not asked.
	Took time.Duration
	// At is when the token was verified.
	At time.Time
}

// Verify verifies the access token of a request. authorization has every value of the
// request's Authorization header: the token is bare, as Wix's SDKs send it, or follows
// "Bearer". source is the client's IP address, whose refused tokens are counted.
//
// The Caller's InstanceID is "" if Wix names none. The error is an *apierr.Error, or
// context.Canceled if ctx was canceled.
func (v *Verifier) Verify(ctx context.Context, source string, authorization []string) (Identification, error) {
	return v.tokens.verify(ctx, source, authorization)
}

// VerifyToken is Verify for a token from elsewhere than a header, such as a body.
func (v *Verifier) VerifyToken(ctx context.Context, source, token string) (Identification, error) {
	return v.tokens.verify(ctx, source, []string{token})
}

// SignedInstance verifies the parameter instance that Wix adds to the address of an app's
// page ("Open App" in a site's dashboard), without asking Wix. It is at most a day old,
// signed with either of the app's secrets, and for this app. Whether its bearer is the
// site's owner is the result's Owner, and an anonymous visitor is refused. That the app
// is still installed is not known from it.
//
// The error is an *apierr.Error: token_missing for "", token_malformed, token_inactive (of
// another signature), token_expired, token_foreign, owner_required.
func (v *Verifier) SignedInstance(raw string) (wix.SignedInstance, error) {
	if raw == "" {
		return wix.SignedInstance{}, &apierr.Error{Code: apierr.TokenMissing}
	}
	s, err := v.wix.SignedInstance(raw)
	var refusal *wix.SignedInstanceError
	code := apierr.TokenMalformed
	switch {
	case errors.As(err, &refusal) && refusal.Kind == wix.SignedInstanceExpired:
		code = apierr.TokenExpired
	case refusal != nil && refusal.Kind == wix.SignedInstanceBadSignature:
		code = apierr.TokenInactive
	case err != nil:
	case s.AppDefID.Value != "" && s.AppDefID.Value != v.tokens.appID:
		code, err = apierr.TokenForeign, errors.New("the signed instance is of another app")
	case s.AnonymousID.Value != "":
		code, err = apierr.OwnerRequired, errors.New("the signed instance is of an anonymous visitor")
	default:
		return s, nil
	}
	return wix.SignedInstance{}, &apierr.Error{Code: code, Err: err}
}

// AppInstance returns Wix's app instance, read within the last minute while Wix can be
// asked. While Wix cannot answer, or the instance's budget of calls is spent, the last
// one read is returned for up to 24 hours. The result is shared with other callers: do
// not write to it.
//
// If Wix refuses, nothing stale is returned, and Wix is asked again after 30 s. The error
// is then app_credentials_refused (the app id or secret is wrong), app_permission_missing,
// instance_unknown (the app was removed from the site, or was installed a moment ago), or
// wix_bad_response where Wix's answer does not say which.
// The error is an *apierr.Error, or context.Canceled if ctx was canceled.
func (v *Verifier) AppInstance(ctx context.Context, instanceID string) (*wix.AppInstance, error) {
	return v.elevator.load(ctx, instanceID, false)
}

// Refresh reads the app instance from Wix, whatever is cached, and caches it for
// AppInstance. It never returns a stale one. Errors are those of AppInstance.
func (v *Verifier) Refresh(ctx context.Context, instanceID string) (*wix.AppInstance, error) {
	return v.elevator.load(ctx, instanceID, true)
}

// Expire makes the next AppInstance ask Wix. Call it when an instance has changed. If
// Wix does not answer then, the cached app instance is still returned.
func (v *Verifier) Expire(instanceID string) { v.elevator.expire(instanceID) }

// Purge removes everything that is cached of an instance: its verified tokens, its app
// token and its app instance. Call it when the app was removed from a site. It scans all
// verified tokens, which takes tens of milliseconds for a full cache.
func (v *Verifier) Purge(instanceID string) {
	v.tokens.purge(instanceID)
	v.elevator.purge(instanceID)
}

// SetSecrets replaces the app's secret, and the old one ("" for none), without a restart.
// Calls that have begun end with the secret that they began with. An empty secret changes
// nothing.
func (v *Verifier) SetSecrets(secret, old wix.Secret) {
	if secret != "" {
		v.wix.SetSecrets(secret, old)
	}
}

// Close cancels the calls to Wix that are in progress and waits for them. The Verifier
// must not be used afterwards.
func (v *Verifier) Close() {
	v.close.Do(func() {
		v.elevator.close()
		v.tokens.close()
		v.wix.Close()
	})
}
