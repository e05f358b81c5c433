// Package identity tells who is calling: it turns the access token of a request
// into an instance.Caller by asking Wix, and elevates to the app's own identity
// to read an app instance. It asks as seldom as it safely can.
package identity

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

const (
	// ownerLife bounds how long an editor who lost access keeps it here.
	ownerLife = 5 * time.Minute
	// visitorLife bounds how long a token with a life far beyond Wix's four hours is
	// not asked about again.
	visitorLife = 24 * time.Hour
	refusedLife = 30 * time.Second
	defaultSize = 100_000
	// loadTimeout bounds one load: two attempts of wix.Client and the wait for a turn.
	loadTimeout = 10 * time.Second
)

// TokenInfoer is the one call to Wix that an Identifier makes. *wix.Client is one.
type TokenInfoer interface {
	TokenInfo(ctx context.Context, token string) (wix.TokenInfo, error)
}

// Options are what an Identifier needs. Wix and AppID are required.
type Options struct {
	Wix    TokenInfoer
	AppID  string
	Now    func() time.Time // time.Now
	Logger *slog.Logger     // none
	// Size bounds the verified tokens that are kept, at about 300 bytes each. Half as
	// many refused ones are kept. 100,000.
	Size int
}

// Identifier identifies callers. It is safe for concurrent use.
type Identifier struct {
	wix    TokenInfoer
	appID  string
	now    func() time.Time
	logger *slog.Logger

	known    *otter.Cache[tokenHash, facts]
	refused  *otter.Cache[tokenHash, instance.Code]
	refusals *refusals
	guard    *guard
	loads    *loads
	purges   atomic.Uint64
	close    sync.Once
}

// tokenHash is the SHA-256 of a token: tokens themselves are never kept.
type tokenHash [sha256.Size]byte

// facts is what Wix said of an active token.
type facts struct {
	clientID, instanceID, siteID string
	role                         instance.Role
	issued, expires              int64 // Unix seconds; issued is 0 when Wix did not tell
}

// New returns an Identifier. Close it.
func New(o Options) *Identifier {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Size <= 0 {
		o.Size = defaultSize
	}
	i := &Identifier{
		wix:      o.Wix,
		appID:    o.AppID,
		now:      o.Now,
		logger:   orDiscard(o.Logger),
		refusals: newRefusals(o.Now),
		loads:    newLoads(),
	}
	i.known = newCache[tokenHash](o.Size, o.Now, i.life)
	i.refused = newCache[tokenHash](max(o.Size/2, 1), o.Now, func(instance.Code) time.Duration { return refusedLife })
	i.guard = newGuard("token info", o.Now, i.logger)
	return i
}

func (i *Identifier) life(f facts) time.Duration {
	left := time.Unix(f.expires, 0).Sub(i.now())
	if f.role == instance.Owner {
		return min(left, ownerLife)
	}
	return min(left, visitorLife)
}

// Identification is the answer to "who is calling?".
type Identification struct {
	Caller instance.Caller
	// Cached says that Wix was not asked.
	Cached bool
	// Took is how long it took to ask Wix. It is 0 when Wix was not asked.
	Took time.Duration
	// At is when the caller was found to be who they are.
	At time.Time
}

// Identify says who the token of a request belongs to. authorization holds every
// value of the request's Authorization header; source is the client's IP address,
// whose refused tokens are counted.
//
// The Caller's InstanceID is "" when Wix names none; otherwise it has the form of
// a GUID. An error is an *instance.Error, or ctx's own context.Canceled.
func (i *Identifier) Identify(ctx context.Context, source string, authorization []string) (Identification, error) {
	token, malformed := bearer(authorization)
	if malformed != nil {
		return Identification{}, malformed
	}
	key := tokenHash(sha256.Sum256([]byte(token)))
	if f, ok := i.known.GetIfPresent(key); ok {
		return i.identification(f, true)
	}
	if code, ok := i.refused.GetIfPresent(key); ok {
		return Identification{}, refusedBefore(code)
	}
	if !wellFormed(token) {
		return Identification{}, &instance.Error{Code: instance.CodeTokenMalformed, Err: errors.New("not the characters of a token")}
	}
	now := i.now()
	if code := glance(token, i.appID, now); code != "" {
		return Identification{}, &instance.Error{Code: code, Err: errors.New("by its own unverified words")}
	}
	if wait := i.refusals.wait(source, now); wait > 0 {
		return Identification{}, &instance.Error{
			Code: instance.CodeRateLimited, RetryAfter: wait, Err: errors.New("too many refused tokens from this source"),
		}
	}
	f, err := i.load(ctx, source, key, token)
	if err != nil {
		return Identification{}, err
	}
	who, err := i.identification(f, false)
	if err == nil {
		who.Took = who.At.Sub(now)
	}
	return who, err
}

// Purge forgets the verified tokens of an instance, so that Wix is asked about each
// again. It walks through all that is kept, tens of milliseconds for a full cache:
// uninstalls are rare, and a hit pays nothing for them.
func (i *Identifier) Purge(instanceID string) {
	i.purges.Add(1)
	for key, f := range i.known.All() {
		if f.instanceID == instanceID {
			i.known.Invalidate(key)
		}
	}
}

// Close ends what is under way with Wix and waits for it. Nothing may be identified
// from then on.
func (i *Identifier) Close() {
	i.close.Do(func() {
		i.loads.close()
		i.known.StopAllGoroutines()
		i.refused.StopAllGoroutines()
		i.refusals.limits.StopAllGoroutines()
	})
}

// load asks Wix, once for all who come with the same token meanwhile.
func (i *Identifier) load(ctx context.Context, source string, key tokenHash, token string) (facts, error) {
	f, err := await(ctx, i.loads, func() (facts, error) {
		var (
			asked  bool
			purges uint64
		)
		// Not with ctx: a load that fails after its first caller left would be made
		// again for each of the others.
		f, err := i.known.Get(i.loads.ctx, key, otter.LoaderFunc[tokenHash, facts](
			func(_ context.Context, key tokenHash) (facts, error) {
				// The load before this one may have ended with a refusal just now.
				if code, ok := i.refused.GetIfPresent(key); ok {
					return facts{}, refusedBefore(code)
				}
				asked, purges = true, i.purges.Load()
				return i.ask(ctx, source, key, token)
			}))
		// A purge did not see the entry if it came while Wix was being asked.
		if asked && purges != i.purges.Load() {
			i.known.Invalidate(key)
		}
		return f, err
	})
	if err == nil {
		return f, nil
	}
	if ctx.Err() != nil {
		return facts{}, callerGone(ctx.Err())
	}
	return facts{}, fault(err)
}

func refusedBefore(code instance.Code) *instance.Error {
	return &instance.Error{Code: code, Err: errors.New("refused a moment ago")}
}

// ask asks Wix, whether or not the caller stays, and keeps a refusal.
func (i *Identifier) ask(ctx context.Context, source string, key tokenHash, token string) (facts, error) {
	ctx, cancel := i.loads.detach(ctx, loadTimeout)
	defer cancel()
	var info wix.TokenInfo
	err := i.guard.call(ctx, func() (err error) {
		info, err = i.wix.TokenInfo(ctx, token)
		return err
	})
	if isRefused(err) {
		err = &instance.Error{Code: instance.CodeTokenInactive, Err: err}
	} else if err == nil {
		var f facts
		if f, err = read(info); err == nil {
			if err = i.judge(f, i.now()); err == nil {
				f.clientID = i.appID // one string for all, not one for each token
				return f, nil
			}
		}
	}
	failure := fault(err)
	switch failure.Code {
	case instance.CodeTokenInactive, instance.CodeTokenForeign, instance.CodeTokenExpired:
		i.refused.Set(key, failure.Code)
		i.refusals.charge(source, i.now())
		i.logger.DebugContext(ctx, "token refused", "code", failure.Code, "cause", failure.Err)
	}
	return facts{}, failure
}

// read takes the facts out of token-info's answer. An active token without an
// expiry is not accepted: nothing would ever end it.
func read(info wix.TokenInfo) (facts, error) {
	switch {
	case !info.Active:
		return facts{}, &instance.Error{Code: instance.CodeTokenInactive, Err: errors.New("token-info says inactive")}
	case info.Expires.IsZero():
		return facts{}, &instance.Error{Code: instance.CodeTokenInactive, Err: errors.New("token-info gave no exp")}
	case info.InstanceID != "" && !plausibleID(info.InstanceID):
		return facts{}, &instance.Error{Code: instance.CodeWixBadResponse, Err: errors.New("token-info's instanceId is not a GUID")}
	}
	f := facts{
		clientID:   info.ClientID,
		instanceID: info.InstanceID,
		role:       role(info.SubjectType),
		expires:    info.Expires.Unix(),
	}
	if !info.Issued.IsZero() {
		f.issued = info.Issued.Unix()
	}
	if plausibleID(info.SiteID) {
		f.siteID = info.SiteID
	}
	return f, nil
}

func role(subject wix.SubjectType) instance.Role {
	switch subject {
	case wix.SubjectUser:
		return instance.Owner
	case wix.SubjectApp:
		return instance.App
	default:
		return instance.Visitor
	}
}

// judge is the policy. It is applied to the facts of every request, cached or not.
func (i *Identifier) judge(f facts, now time.Time) error {
	if f.clientID != i.appID {
		return &instance.Error{Code: instance.CodeTokenForeign, Err: errors.New("token-info's clientId is not this app")}
	}
	if f.expires <= now.Unix() {
		return &instance.Error{Code: instance.CodeTokenExpired, Err: errors.New("token-info's exp is past")}
	}
	return nil
}

func (i *Identifier) identification(f facts, cached bool) (Identification, error) {
	now := i.now()
	if err := i.judge(f, now); err != nil {
		return Identification{}, err
	}
	who := Identification{
		Caller: instance.Caller{
			InstanceID: f.instanceID,
			SiteID:     f.siteID,
			Role:       f.role,
			Expires:    time.Unix(f.expires, 0).UTC(),
		},
		Cached: cached,
		At:     now,
	}
	if f.issued != 0 {
		who.Caller.IssuedAt = time.Unix(f.issued, 0).UTC()
	}
	return who, nil
}
