package doctor

// What Wix says to the app id and the secret.

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wix"
)

// WixOptions say whom to ask for what.
type WixOptions struct {
	// BaseURL is where Wix's REST API is served.
	BaseURL   string
	AppID     string
	AppSecret wix.Secret
	// OldSecret is the other secret while it is being changed, or "".
	OldSecret wix.Secret
	// Transport carries the calls. Default: wix.NewTransport().
	Transport http.RoundTripper
	// InstanceID is an installation of the app, or "" when none is known. With one, the
	// permission to read it is tried, too.
	InstanceID string
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Pair is what Wix says to an app id with a secret.
type Pair int

const (
	// PairUnknown means that Wix's answer shows neither.
	PairUnknown Pair = iota
	// PairAway means that Wix did not answer, or not as Wix does.
	PairAway
	PairAccepted
	PairRefused
	// PairSwapped means that Wix accepts the two the other way round.
	PairSwapped
)

// Access is whether the app may read an app instance.
type Access int

const (
	AccessUnknown Access = iota
	AccessGranted
	AccessDenied
	// AccessGone means that Wix does not know the installation.
	AccessGone
)

// WixAnswer is what AskWix learned.
type WixAnswer struct {
	Pair   Pair
	Access Access
	// Ahead is how far this machine's clock is ahead of Wix's, to the second, if Dated.
	Ahead time.Duration
	Dated bool

	baseURL   string
	instance  bool
	old       bool  // Wix takes the old secret
	cause     error // why Pair is PairUnknown or PairAway
	readCause error // why Access is not AccessGranted
}

// AskWix tries the credentials with at most four calls, each of which reads.
//
// Wix documents no errors of /oauth2/token beyond "the conventions of the IETF" ("Create
// Access Token"): RFC 6749 §5.2 has 401 or invalid_client for a client that failed to
// authenticate, and that is the refusal of the pair. A token without an instance is documented
// for headless projects ("Make Admin API Calls with Client Credentials"), so that an app may
// be refused it for another reason, and an installation may have been removed a moment ago (404
// has been reported, RFC 6749 has invalid_grant). Such an answer is compared with the one to
// a made-up secret: if Wix treats that differently, it has accepted ours.
func AskWix(ctx context.Context, o WixOptions) (a WixAnswer) {
	if o.Transport == nil {
		transport := wix.NewTransport()
		defer transport.CloseIdleConnections()
		o.Transport = transport
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	clock := &clockReader{next: o.Transport, now: o.Now}
	client := func(id string, secret, old wix.Secret) *wix.Client {
		return wix.New(wix.Options{
			BaseURL: o.BaseURL, AppID: id, AppSecret: secret, OldSecret: old, Transport: clock, Now: o.Now,
			SecretTaken: func(old bool) { a.old = old },
		})
	}
	a = WixAnswer{baseURL: o.BaseURL, instance: o.InstanceID != ""}
	defer func() { a.Ahead, a.Dated = clock.read() }()

	app := client(o.AppID, o.AppSecret, o.OldSecret)
	a.Pair, a.cause = pair(app.AppToken(ctx, ""))
	if a.Pair == PairUnknown {
		_, err := client(o.AppID, wix.Secret(uuid.NewString()), "").AppToken(ctx, "")
		if p, _ := pair(wix.AppToken{}, err); p == PairRefused || p == PairUnknown && !sameAnswer(err, a.cause) {
			a.Pair, a.cause = PairAccepted, nil
		}
	}
	switch a.Pair {
	case PairAway:
		return a
	case PairRefused:
		// The app's id has been sent as such already, whichever of the two it is.
		if swapped, isGUID := wix.ParseGUID(string(o.AppSecret)); isGUID {
			if p, _ := pair(client(swapped, wix.Secret(o.AppID), "").AppToken(ctx, "")); p == PairAccepted {
				a.Pair = PairSwapped
			}
		}
		return a
	}
	if o.InstanceID == "" {
		return a
	}
	token, err := app.AppToken(ctx, o.InstanceID)
	if p, cause := pair(token, err); p != PairUnknown && p != PairAway {
		a.Pair, a.cause = p, cause
	}
	if err == nil {
		_, err = app.AppInstance(ctx, token.AccessToken)
	}
	a.Access, a.readCause = access(err), err
	return a
}

// pair reads the answer to a request for an app token.
func pair(_ wix.AppToken, err error) (Pair, error) {
	var e *wix.Error
	switch {
	case err == nil:
		return PairAccepted, nil
	case !errors.As(err, &e) || e.Kind != wix.Refused:
		return PairAway, err
	case e.RequestID == "" && (e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed):
		return PairAway, err // another server: Wix names each of its answers
	case e.Status == http.StatusUnauthorized, e.Code == "invalid_client":
		return PairRefused, err
	}
	return PairUnknown, err
}

// sameAnswer compares two refusals.
func sameAnswer(a, b error) bool {
	var x, y *wix.Error
	return errors.As(a, &x) && errors.As(b, &y) && x.Status == y.Status && x.Code == y.Code
}

// access reads the answer to a read of the app instance, or to the request for its token.
func access(err error) Access {
	var e *wix.Error
	switch {
	case err == nil:
		return AccessGranted
	case !errors.As(err, &e):
		return AccessUnknown
	}
	switch e.Refusal() {
	case wix.PermissionMissing:
		return AccessDenied
	case wix.InstanceUnknown:
		return AccessGone
	}
	return AccessUnknown
}

// TokensSeen is what the tokens of visitors have shown about the app id.
type TokensSeen struct {
	// Accepted is set if a token was issued for this app id, Foreign if one was for another.
	Accepted, Foreign bool
}

const oauthPage = "the OAuth page of the app dashboard"

// Credentials is the finding about the app id and the secret. Tokens show which of the two is
// wrong, where Wix does not.
func (a WixAnswer) Credentials(tokens TokensSeen) Finding {
	copyAgain := func(names ...string) string {
		return "Copy " + and(names) + " from " + oauthPage + " again, of the app whose extensions point to this server, and restart"
	}
	switch {
	case a.Pair == PairAccepted && a.old:
		return ok(Credentials, "Wix accepts the app id with the second secret, and not with the first")
	case a.Pair == PairAccepted:
		return ok(Credentials, "Wix accepts the app id with the secret")
	case a.Pair == PairSwapped:
		return fault(Credentials, AppID+" and "+AppSecret+" are swapped: Wix accepts them the other way round",
			"Swap the two values and restart", AppID, AppSecret)
	case a.Pair == PairRefused && tokens.Accepted:
		return fault(Credentials, "Wix refuses "+AppSecret+"; the app id is right, because tokens are accepted", copyAgain(AppSecret), AppSecret)
	case a.Pair == PairRefused && tokens.Foreign:
		return fault(Credentials, "Wix refuses "+AppID+" with the secret, and all tokens so far are another app's", copyAgain(AppID), AppID)
	case a.Pair == PairRefused:
		return fault(Credentials, "Wix refuses "+AppID+" with "+AppSecret+": one of the two is wrong, or they are of two apps",
			copyAgain(AppID, AppSecret), AppID, AppSecret)
	case a.Pair == PairAway:
		return Skip(Credentials, "Wix does not answer")
	case a.instance:
		return warning(Credentials, "Wix's answer does not show whether the secret is right: "+text(a.cause),
			"Open a page with the widget, then try again: an installation that is in use decides it", AppSecret)
	}
	return Skip(Credentials, "before the first installation Wix does not say whether the secret is right: "+text(a.cause))
}

// Reached is the finding about Wix's API as such.
func (a WixAnswer) Reached() Finding {
	switch {
	case a.Pair != PairAway:
		return ok(WixAPI, a.baseURL+" answers")
	case a.baseURL == wix.DefaultBaseURL:
		return fault(WixAPI, "Wix's API at "+a.baseURL+" cannot be used: "+text(a.cause),
			"Let this machine reach it (firewall, DNS, HTTPS_PROXY); status.wix.com says whether Wix itself has an outage")
	}
	return fault(WixAPI, "no API of Wix answers at "+a.baseURL+": "+text(a.cause),
		"Start the offline Wix ("+product.ID+" sim) there, or correct "+WixURL+"; without it, Wix's own address is used", WixURL)
}

// A clock that is further away than doubtful is said, one further than wrong makes tokens
// expire too soon or live too long, and webhooks look old or new.
const (
	doubtfulClock = 30 * time.Second
	wrongClock    = 5 * time.Minute
)

// Clock is the finding about this machine's clock.
func (a WixAnswer) Clock() Finding {
	if !a.Dated {
		return Skip(Clock, "Wix's answer has no date")
	}
	way := "ahead of"
	if a.Ahead < 0 {
		way = "behind"
	}
	saw := "this machine's clock is " + rounded(a.Ahead.Abs()) + " " + way + " Wix's"
	const do = "Let the machine set its clock by NTP: tokens and webhooks are judged by it"
	switch d := a.Ahead.Abs(); {
	case d >= wrongClock:
		return fault(Clock, saw, do)
	case d >= doubtfulClock:
		return warning(Clock, saw, do)
	}
	return ok(Clock, "this machine's clock agrees with Wix's")
}

// Permission is the finding about reading an app instance.
func (a WixAnswer) Permission() Finding {
	switch {
	case a.Access == AccessGranted:
		return ok(Permission, "the app may read its app instance (Manage Your App)")
	case a.Access == AccessDenied:
		return fault(Permission, "Wix refuses to show the app instance: "+text(a.readCause),
			"Give the app the permission Manage Your App, on the Permissions page of the app dashboard; a site that has the app already must accept it")
	case a.Pair == PairAway:
		return Skip(Permission, "Wix does not answer")
	case a.Pair == PairRefused || a.Pair == PairSwapped:
		return Skip(Permission, "Wix refuses the credentials")
	case a.Access == AccessGone:
		return Skip(Permission, "Wix does not know the newest installation that is stored; most likely the app was removed from that site")
	case a.instance:
		return Skip(Permission, "Wix does not show the newest installation that is stored: "+text(a.readCause))
	}
	return Skip(Permission, "no installation is known yet")
}

// text is the failure of a call to Wix, without the name of the package.
func text(err error) string {
	if err == nil {
		return "no reason is known"
	}
	return strings.TrimPrefix(err.Error(), "wix ")
}

// clockReader compares the dates of answers with our clock.
type clockReader struct {
	next http.RoundTripper
	now  func() time.Time

	mu    sync.Mutex
	ahead time.Duration
	dated bool
}

func (c *clockReader) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := c.now()
	res, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		received := c.now()
		// The date was written between the two, and has lost its fraction of a second.
		ahead := sent.Add(received.Sub(sent) / 2).Sub(date.Add(time.Second / 2)).Round(time.Second)
		c.mu.Lock()
		c.ahead, c.dated = ahead, true
		c.mu.Unlock()
	}
	return res, nil
}

func (c *clockReader) read() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ahead, c.dated
}
