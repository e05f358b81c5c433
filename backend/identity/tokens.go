package identity

// From a token to a Caller: the caches, the policy, and the call to Wix.

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

const (
	// ownerLife is how long a verified token of an owner or of the app is cached: an editor who
	// loses access to the site has it here for at most as long.
	ownerLife = 5 * time.Minute
	// visitorLife is how long any other verified token is cached at most. Wix's tokens live
	// for four hours.
	visitorLife = 24 * time.Hour
	// refusedLife is how long a refusal is cached, and failedLife a failure of Wix, which may
	// be of the token's own making.
	refusedLife = 30 * time.Second
	failedLife  = time.Second
	// verifyTimeout bounds one verification: the wait in the gate's queue and two attempts of
	// wix.Client.
	verifyTimeout = queueTimeout + 12*time.Second
	// knownLife is how long an instance is known after the last verification of a token of
	// it, and maxKnown how many are.
	knownLife = 24 * time.Hour
	maxKnown  = 20_000
	// probeToken is what the breaker asks Wix about. It is nobody's: a healthy Wix refuses it.
	probeToken = "OauthNG.JWS.e30.e30.AAAA"
)

// tokenInfoer is the call to Wix that tokens makes. *wix.Client implements it.
type tokenInfoer interface {
	TokenInfo(ctx context.Context, token string) (wix.TokenInfo, error)
}

// tokens verifies access tokens.
type tokens struct {
	wix    tokenInfoer
	appID  string
	now    func() time.Time
	logger *slog.Logger

	verified  cache[tokenHash, facts]
	refused   cache[tokenHash, verdict]
	known     cache[string, struct{}] // instances that have been verified
	standings standings
	pauses    *pauses
	gate      *gate
	work      *background
	purges    atomic.Uint64
}

// tokenHash is the SHA-256 of a token. Tokens themselves are never stored.
type tokenHash [sha256.Size]byte

// facts are Wix's statements about an active token.
type facts struct {
	clientID, instanceID, siteID string
	subject                      wix.SubjectType
	issued, expires              int64 // Unix seconds; issued is 0 when Wix did not say
}

// verdict is why a token was refused, or that Wix failed when it was asked about it.
type verdict struct {
	code             apierr.Code
	retryAfter, life time.Duration
}

func newTokens(w tokenInfoer, o Options) *tokens {
	t := &tokens{
		wix:       w,
		appID:     o.AppID,
		now:       o.Now,
		logger:    o.Logger,
		known:     newCache(maxKnown, o.Now, otter.ExpiryAccessing[string, struct{}](knownLife)),
		standings: newStandings(o.Now),
		pauses:    newPauses(o.Now),
		work:      newBackground(),
	}
	t.gate = newGate("token info", t.work, t.probe, o.Now, o.Logger)
	t.verified = newCache(o.Size, o.Now, afterWrite[tokenHash](t.life))
	t.refused = newCache(o.Size/2, o.Now, afterWrite[tokenHash](func(v verdict) time.Duration { return v.life }))
	return t
}

// probe asks Wix about a token that no caller has chosen.
func (t *tokens) probe(ctx context.Context) error {
	_, err := t.wix.TokenInfo(ctx, probeToken)
	return err
}

// life returns how long facts are cached.
func (t *tokens) life(f facts) time.Duration {
	remaining := time.Unix(f.expires, 0).Sub(t.now())
	if roleOf(f.subject) != Visitor {
		return min(remaining, ownerLife)
	}
	return min(remaining, visitorLife)
}

// verify is Verifier.Verify.
func (t *tokens) verify(ctx context.Context, source string, authorization []string) (Identification, error) {
	token, malformed := bearer(authorization)
	if malformed != nil {
		return Identification{}, malformed
	}
	key := tokenHash(sha256.Sum256([]byte(token)))
	if f, ok := t.verified.GetIfPresent(key); ok {
		return t.identification(f, true)
	}
	if v, ok := t.refused.GetIfPresent(key); ok {
		return Identification{}, v.error()
	}
	start := t.now()
	p, err := t.present(token, source, start)
	if err != nil {
		return Identification{}, err
	}
	f, err := t.load(ctx, key, p)
	if err != nil {
		return Identification{}, err
	}
	found, err := t.identification(f, false)
	if err == nil {
		found.Took = found.At.Sub(start)
	}
	return found, err
}

// presented is a token that Wix is to be asked about.
type presented struct {
	token    string
	networks networks // of the client
	// instanceID is the one that the token claims to be for, or "".
	instanceID string
	// group is whom the token shares the calls to Wix with: the instance if it is known, all
	// unknown ones, or "" for a token without readable claims.
	group string
}

const unknownInstances = "unknown"

// present refuses what Wix need not be asked about.
func (t *tokens) present(token, source string, now time.Time) (presented, error) {
	if !wellFormed(token) {
		return presented{}, &apierr.Error{Code: apierr.TokenMalformed, Err: errors.New("the token has characters that no token has")}
	}
	claims := claimsOf(token)
	if code, refused := claims.refusal(t.appID, now); refused {
		return presented{}, &apierr.Error{Code: code, Err: errors.New("by the token's own claims, which are not verified")}
	}
	p := presented{token: token, networks: networksOf(source), instanceID: claims.instanceID}
	if _, known := t.known.GetIfPresent(p.instanceID); known {
		p.group = p.instanceID
	} else if p.instanceID != "" {
		p.group = unknownInstances
	}
	if wait := t.pauses.remaining(p.instanceID, p.networks[0], now); wait > 0 {
		return presented{}, &apierr.Error{Code: apierr.RateLimited, RetryAfter: wait, Err: errPaused}
	}
	return p, nil
}

// cause is on whose behalf Wix is asked.
func (p presented) cause(suspect bool) cause {
	by := cause{lane: laneKnown, path: []any{p.group, p.networks[0], p.networks[1], p.networks[2]}}
	switch {
	case suspect:
		by.lane = laneSuspect
	case p.group == "" || p.group == unknownInstances:
		by.lane = laneUnknown
	}
	return by
}

// purge removes the verified tokens of an instance, so that Wix is asked about each again.
// It scans the whole cache: uninstalls are rare, and a lookup costs nothing extra.
func (t *tokens) purge(instanceID string) {
	instanceID = strings.ToLower(instanceID)
	t.known.Invalidate(instanceID)
	t.purges.Add(1)
	for key, f := range t.verified.All() {
		if f.instanceID == instanceID {
			t.verified.Invalidate(key)
		}
	}
}

func (t *tokens) close() {
	t.work.close()
	t.verified.StopAllGoroutines()
	t.refused.StopAllGoroutines()
	t.known.StopAllGoroutines()
	t.standings.of.StopAllGoroutines()
	t.pauses.of.StopAllGoroutines()
}

// load asks Wix, once for all callers that wait for the same token.
func (t *tokens) load(ctx context.Context, key tokenHash, p presented) (facts, error) {
	f, err := launch(t.work, func() (facts, error) {
		var (
			asked  bool
			purges uint64
		)
		// Not with ctx: if the first caller left, the load would fail and would be repeated
		// for each of the others.
		f, err := t.verified.Get(t.work.ctx, key, otter.LoaderFunc[tokenHash, facts](
			func(_ context.Context, key tokenHash) (facts, error) {
				// The load before this one may have ended with a refusal just now.
				if v, ok := t.refused.GetIfPresent(key); ok {
					return facts{}, v.error()
				}
				asked, purges = true, t.purges.Load()
				return t.ask(ctx, key, p)
			}))
		// A purge while Wix was asked did not find this entry.
		if asked && purges != t.purges.Load() {
			t.verified.Invalidate(key)
		}
		return f, err
	}).wait(ctx)
	switch {
	case err == nil:
		return f, nil
	case ctx.Err() != nil:
		return facts{}, callerGone(ctx.Err())
	default:
		return facts{}, asAPIError(err)
	}
}

func (v verdict) error() *apierr.Error {
	return &apierr.Error{Code: v.code, RetryAfter: v.retryAfter, Err: errors.New("the refusal is cached")}
}

// ask asks Wix about a token, whether or not the caller stays, and remembers what the
// answer says about the token and about the networks that it came from.
func (t *tokens) ask(ctx context.Context, key tokenHash, p presented) (facts, error) {
	ctx, cancel := t.work.detach(ctx, verifyTimeout)
	defer cancel()
	var (
		info  wix.TokenInfo
		asked bool
		wait  = t.standings.suspect(p.group, p.networks, t.now())
	)
	err := t.gate.call(ctx, p.cause(wait > 0), func() (err error) {
		asked = true
		info, err = t.wix.TokenInfo(ctx, p.token)
		return err
	})
	now := t.now()
	if err == nil {
		var f facts
		if f, err = t.accept(info); err == nil {
			t.standings.accepted(p.group, p.networks, now)
			if f.instanceID != "" {
				t.known.Set(f.instanceID, struct{}{})
			}
			return f, nil
		}
	}
	if isRefused(err) {
		err = &apierr.Error{Code: apierr.TokenInactive, Err: err}
	}
	failure := asAPIError(err)
	switch {
	case wait > 0 && errors.Is(err, errCrowded):
		return facts{}, &apierr.Error{
			Code: apierr.RateLimited, RetryAfter: min(wait, defaultRetryAfter), Err: errors.New("too many refused tokens from this network"),
		}
	case !asked, failure.Code == apierr.Internal, isKind(err, wix.Canceled):
	case isKind(err, wix.RateLimited):
		t.pauses.pause(p.instanceID, p.networks[0], failure.RetryAfter, now)
	default:
		// A failure may be of the token's own making, so it is held against the token and its
		// source like a refusal, only not for as long.
		v := verdict{failure.Code, failure.RetryAfter, failedLife}
		if failure.Code.Status < 500 || refusedStatus(err) != 0 {
			v.life = refusedLife
		}
		t.refused.Set(key, v)
		t.standings.refused(p.group, p.networks, now)
		t.logger.DebugContext(ctx, "token refused", "code", failure.Code.Name, "cause", failure.Err)
	}
	return facts{}, failure
}

// accept returns the facts about a token that meets the policy.
func (t *tokens) accept(info wix.TokenInfo) (facts, error) {
	f, err := factsFrom(info)
	if err != nil {
		return facts{}, err
	}
	if err := t.checkPolicy(f, t.now()); err != nil {
		return facts{}, err
	}
	f.clientID = t.appID // one string for all tokens
	return f, nil
}

// factsFrom reads token-info's answer. An active token without an expiry is not accepted, as
// it would be valid for ever, and it is Wix's answer that is odd.
func factsFrom(info wix.TokenInfo) (facts, error) {
	instanceID, ok := wix.ParseGUID(info.InstanceID)
	switch {
	case !info.Active:
		return facts{}, &apierr.Error{Code: apierr.TokenInactive, Err: errors.New("token-info says that the token is not active")}
	case info.Expires.IsZero():
		return facts{}, &apierr.Error{Code: apierr.WixBadResponse, Err: errors.New("token-info says that the token is active, and has no exp")}
	case info.InstanceID != "" && !ok:
		return facts{}, &apierr.Error{Code: apierr.WixBadResponse, Err: errors.New("token-info's instanceId is not a GUID")}
	}
	f := facts{
		clientID:   strings.ToLower(info.ClientID),
		instanceID: instanceID,
		subject:    info.SubjectType,
		expires:    info.Expires.Unix(),
	}
	f.siteID, _ = wix.ParseGUID(info.SiteID)
	if !info.Issued.IsZero() {
		f.issued = info.Issued.Unix()
	}
	return f, nil
}

func roleOf(subject wix.SubjectType) Role {
	switch subject {
	case wix.SubjectUser:
		return Owner
	case wix.SubjectApp:
		return App
	default:
		return Visitor
	}
}

// checkPolicy decides whether a token is accepted. It is applied to the facts of every
// request, cached or not.
func (t *tokens) checkPolicy(f facts, now time.Time) error {
	if f.clientID != t.appID {
		return &apierr.Error{Code: apierr.TokenForeign, Err: errors.New("token-info's clientId is another app's")}
	}
	if f.expires <= now.Unix() {
		return &apierr.Error{Code: apierr.TokenExpired, Err: errors.New("token-info's exp is past")}
	}
	return nil
}

func (t *tokens) identification(f facts, cached bool) (Identification, error) {
	now := t.now()
	if err := t.checkPolicy(f, now); err != nil {
		return Identification{}, err
	}
	found := Identification{
		Caller: Caller{
			InstanceID: f.instanceID,
			SiteID:     f.siteID,
			Role:       roleOf(f.subject),
			Subject:    f.subject,
			Expires:    time.Unix(f.expires, 0).UTC(),
		},
		Cached: cached,
		At:     now,
	}
	if f.issued != 0 {
		found.Caller.IssuedAt = time.Unix(f.issued, 0).UTC()
	}
	return found, nil
}
