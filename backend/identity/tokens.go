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
	// ownerLife is how long a verified token of an owner is cached: an editor who loses
	// access to the site has it here for at most as long.
	ownerLife = 5 * time.Minute
	// visitorLife is how long any other verified token is cached at most. Wix's tokens live
	// for four hours.
	visitorLife = 24 * time.Hour
	// refusedLife is how long a refusal is cached.
	refusedLife = 30 * time.Second
	// verifyTimeout bounds one verification: two attempts of wix.Client and the wait in the
	// gate's queue.
	verifyTimeout = 10 * time.Second
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

	verified cache[tokenHash, facts]
	refused  cache[tokenHash, apierr.Code]
	limiter  *refusalLimiter
	gate     *gate
	work     *background
	purges   atomic.Uint64
}

// tokenHash is the SHA-256 of a token. Tokens themselves are never stored.
type tokenHash [sha256.Size]byte

// facts are Wix's statements about an active token.
type facts struct {
	clientID, instanceID, siteID string
	role                         Role
	issued, expires              int64 // Unix seconds; issued is 0 when Wix did not say
}

func newTokens(w tokenInfoer, o Options) *tokens {
	t := &tokens{
		wix:     w,
		appID:   o.AppID,
		now:     o.Now,
		logger:  o.Logger,
		limiter: newRefusalLimiter(o.Now),
		gate:    newGate("token info", o.Now, o.Logger),
		work:    newBackground(),
	}
	t.verified = newCache(o.Size, o.Now, afterWrite[tokenHash](t.life))
	t.refused = newCache(o.Size/2, o.Now, afterWrite[tokenHash](func(apierr.Code) time.Duration { return refusedLife }))
	return t
}

// life returns how long facts are cached.
func (t *tokens) life(f facts) time.Duration {
	remaining := time.Unix(f.expires, 0).Sub(t.now())
	if f.role == Owner {
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
	if code, ok := t.refused.GetIfPresent(key); ok {
		return Identification{}, cachedRefusal(code)
	}
	start := t.now()
	if err := t.precheck(token, source, start); err != nil {
		return Identification{}, err
	}
	f, err := t.load(ctx, source, key, token)
	if err != nil {
		return Identification{}, err
	}
	found, err := t.identification(f, false)
	if err == nil {
		found.Took = found.At.Sub(start)
	}
	return found, err
}

// precheck refuses what Wix need not be asked about.
func (t *tokens) precheck(token, source string, now time.Time) error {
	if !wellFormed(token) {
		return &apierr.Error{Code: apierr.TokenMalformed, Err: errors.New("the token has characters that no token has")}
	}
	if code, refused := refusedByClaims(token, t.appID, now); refused {
		return &apierr.Error{Code: code, Err: errors.New("by the token's own claims, which are not verified")}
	}
	if wait := t.limiter.RetryIn(source, now); wait > 0 {
		return &apierr.Error{
			Code: apierr.RateLimited, RetryAfter: wait, Err: errors.New("too many refused tokens from this source"),
		}
	}
	return nil
}

// purge removes the verified tokens of an instance, so that Wix is asked about each again.
// It scans the whole cache: uninstalls are rare, and a lookup costs nothing extra.
func (t *tokens) purge(instanceID string) {
	instanceID = strings.ToLower(instanceID)
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
	t.limiter.limiters.StopAllGoroutines()
}

// load asks Wix, once for all callers that wait for the same token.
func (t *tokens) load(ctx context.Context, source string, key tokenHash, token string) (facts, error) {
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
				if code, ok := t.refused.GetIfPresent(key); ok {
					return facts{}, cachedRefusal(code)
				}
				asked, purges = true, t.purges.Load()
				return t.ask(ctx, source, key, token)
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

func cachedRefusal(code apierr.Code) *apierr.Error {
	return &apierr.Error{Code: code, Err: errors.New("the refusal is cached")}
}

// ask asks Wix about a token, whether or not the caller stays, and caches a refusal.
func (t *tokens) ask(ctx context.Context, source string, key tokenHash, token string) (facts, error) {
	ctx, cancel := t.work.detach(ctx, verifyTimeout)
	defer cancel()
	var info wix.TokenInfo
	err := t.gate.call(ctx, func() (err error) {
		info, err = t.wix.TokenInfo(ctx, token)
		return err
	})
	if err == nil {
		var f facts
		if f, err = t.accept(info); err == nil {
			return f, nil
		}
	}
	if isRefused(err) {
		err = &apierr.Error{Code: apierr.TokenInactive, Err: err}
	}
	failure := asAPIError(err)
	switch failure.Code {
	case apierr.TokenInactive, apierr.TokenForeign, apierr.TokenExpired:
		t.refused.Set(key, failure.Code)
		t.limiter.Penalize(source, t.now())
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

// factsFrom reads token-info's answer. An active token without an expiry is refused: it
// would be valid for ever.
func factsFrom(info wix.TokenInfo) (facts, error) {
	instanceID, ok := wix.ParseGUID(info.InstanceID)
	switch {
	case !info.Active:
		return facts{}, &apierr.Error{Code: apierr.TokenInactive, Err: errors.New("token-info says that the token is not active")}
	case info.Expires.IsZero():
		return facts{}, &apierr.Error{Code: apierr.TokenInactive, Err: errors.New("token-info has no exp")}
	case info.InstanceID != "" && !ok:
		return facts{}, &apierr.Error{Code: apierr.WixBadResponse, Err: errors.New("token-info's instanceId is not a GUID")}
	}
	f := facts{
		clientID:   strings.ToLower(info.ClientID),
		instanceID: instanceID,
		role:       roleOf(info.SubjectType),
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
			Role:       f.role,
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
