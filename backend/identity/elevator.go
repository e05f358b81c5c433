package identity

// Elevation: the app token of each instance, the app instance read with it, and the
// instance's budget of calls.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

const (
	// freshLife is how long an app instance is returned without asking Wix again.
	freshLife = 60 * time.Second
	// staleLife is how old an app instance may be that is returned while Wix is away.
	staleLife = 24 * time.Hour
	// staleRetry is how long a stale one is returned before Wix is asked again.
	staleRetry = 10 * time.Second
	// tokenMargin is how long before its end an app token is no longer used.
	tokenMargin = 5 * time.Minute
	// Wix allows 200 calls a minute per instance ("Rate Limits" in Wix's REST
	// documentation). At most 20 + 80 are begun here in any minute; app tokens and app
	// instances may be repeated once each, and token-info's calls are added to that.
	budgetBurst = 20
	budgetEvery = time.Minute / 80
	// instanceShare is how many cached tokens there are to one cached instance.
	instanceShare = 20
	// elevateTimeout bounds one load: a token and a read, each perhaps twice.
	elevateTimeout = 15 * time.Second
)

// ErrBudgetSpent is the cause of a refusal to call Wix because the instance's own budget of
// calls is spent. Wix was not asked.
var ErrBudgetSpent = errors.New("the instance's budget of calls to Wix is spent")

// appReader makes the calls to Wix that an elevator makes. *wix.Client implements it.
type appReader interface {
	AppToken(ctx context.Context, instanceID string) (wix.AppToken, error)
	AppInstance(ctx context.Context, accessToken wix.Secret) (wix.AppInstance, error)
}

// budget is what an instance may ask of Wix.
type budget struct {
	instanceID string
	calls      *rate.Limiter
	paused     atomic.Int64 // until when Wix has asked to wait, in Unix nanoseconds
}

// elevator calls Wix with the app's own identity.
type elevator struct {
	wix     appReader
	now     func() time.Time
	logger  *slog.Logger
	entries cache[string, *entry]
	gate    *gate
	apiGate *gate // of Client's requests
	work    *background
}

// entry is everything that is remembered of one instance.
type entry struct {
	budget *budget

	mu sync.Mutex // guards the fields below

	token    wix.Secret
	tokenEnd time.Time           // from when on the token is not used
	fetching *flight[wix.Secret] // the request for a token in progress, or nil

	app      *wix.AppInstance // the last one read, or nil
	readAt   time.Time        // when app was read
	refusal  *apierr.Error    // set if Wix refused the last read
	nextRead time.Time        // until then, app or refusal is returned without asking Wix
	reading  *flight[*wix.AppInstance]
	purged   bool // another entry has replaced this one
}

func newElevator(w appReader, o Options) *elevator {
	work := newBackground()
	return &elevator{
		wix:     w,
		now:     o.Now,
		logger:  o.Logger,
		entries: newCache(o.Size/instanceShare, o.Now, otter.ExpiryAccessing[string, *entry](staleLife)),
		gate:    newGate("app instance", work, nil, o.Now, o.Logger),
		apiGate: newGate("api requests", work, nil, o.Now, o.Logger),
		work:    work,
	}
}

// entry returns the entry of an instance, a new one if there is none.
func (e *elevator) entry(instanceID string) *entry {
	en, _ := e.entries.ComputeIfAbsent(instanceID, func() (*entry, bool) {
		return &entry{budget: &budget{instanceID: instanceID, calls: rate.NewLimiter(rate.Every(budgetEvery), budgetBurst)}}, false
	})
	return en
}

// load is the one path to an app instance: Verifier.AppInstance, and Verifier.Refresh if
// mustBeFresh.
func (e *elevator) load(ctx context.Context, instanceID string, mustBeFresh bool) (*wix.AppInstance, error) {
	instanceID, ok := wix.ParseGUID(instanceID)
	if !ok {
		return nil, errNoGUID()
	}
	if mustBeFresh {
		e.expire(instanceID)
	}
	for {
		en := e.entry(instanceID)
		en.mu.Lock()
		if !mustBeFresh && e.now().Before(en.nextRead) {
			defer en.mu.Unlock()
			if en.refusal != nil {
				return nil, en.refusal
			}
			return en.app, nil
		}
		if en.reading == nil {
			en.reading = e.startReading(ctx, en, instanceID)
		}
		reading := en.reading
		en.mu.Unlock()

		app, err := reading.wait(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, callerGone(ctx.Err())
		case en.wasPurged():
			continue // the result is from before the purge
		case err == nil:
			return app, nil
		case !mustBeFresh && !isRefused(err):
			if app := en.stale(e.now()); app != nil {
				return app, nil
			}
		}
		return nil, asAPIError(err)
	}
}

func errNoGUID() *apierr.Error {
	return &apierr.Error{Code: apierr.Internal, Err: errors.New("the instance id is not a GUID")}
}

// startReading reads the app instance in the background. The caller has locked the entry.
func (e *elevator) startReading(ctx context.Context, en *entry, instanceID string) *flight[*wix.AppInstance] {
	var reading *flight[*wix.AppInstance]
	reading = launch(e.work, func() (*wix.AppInstance, error) {
		ctx, cancel := e.work.detach(ctx, elevateTimeout)
		defer cancel()
		app, err := recovered(func() (*wix.AppInstance, error) { return e.read(ctx, en, instanceID) })
		if warning := e.store(en, reading, app, err); warning != "" {
			log := e.logger.With("instanceId", instanceID, "cause", err)
			if do := remedy(err); do != "" {
				log = log.With("do", do)
			}
			log.WarnContext(ctx, warning)
		}
		return app, err
	})
	return reading
}

// store caches the outcome of a read, and returns what is to be logged. A read that began
// before the last expiry or purge is not cached: it may be outdated.
func (e *elevator) store(en *entry, reading *flight[*wix.AppInstance], app *wix.AppInstance, err error) (warning string) {
	en.mu.Lock()
	defer en.mu.Unlock()
	if en.reading != reading {
		return ""
	}
	en.reading = nil
	now := e.now()
	switch {
	case err == nil:
		en.app, en.readAt, en.refusal, en.nextRead = app, now, nil, now.Add(freshLife)
	case isRefused(err):
		en.app, en.refusal, en.nextRead = nil, asAPIError(err), now.Add(refusedLife)
		return "wix refuses the app instance"
	case en.staleAt(now) != nil:
		en.refusal, en.nextRead = nil, now.Add(staleRetry)
		return "stale app instance returned"
	}
	return ""
}

// staleAt returns the last app instance read, unless it is too old. The caller has locked
// the entry.
func (en *entry) staleAt(now time.Time) *wix.AppInstance {
	if en.app == nil || now.Sub(en.readAt) >= staleLife {
		return nil
	}
	return en.app
}

func (en *entry) stale(now time.Time) *wix.AppInstance {
	en.mu.Lock()
	defer en.mu.Unlock()
	return en.staleAt(now)
}

func (en *entry) wasPurged() bool {
	en.mu.Lock()
	defer en.mu.Unlock()
	return en.purged
}

// expire is Verifier.Expire. A read in progress is left to those who wait for it already.
func (e *elevator) expire(instanceID string) {
	en, ok := e.entries.GetIfPresent(strings.ToLower(instanceID))
	if !ok {
		return
	}
	en.mu.Lock()
	defer en.mu.Unlock()
	en.reading, en.nextRead = nil, time.Time{}
}

// purge removes everything of an instance but its budget. A read in progress is repeated.
func (e *elevator) purge(instanceID string) {
	instanceID = strings.ToLower(instanceID)
	en, ok := e.entries.GetIfPresent(instanceID)
	if !ok {
		return
	}
	e.entries.Set(instanceID, &entry{budget: en.budget})
	en.mu.Lock()
	defer en.mu.Unlock()
	en.purged, en.reading = true, nil
}

func (e *elevator) close() {
	e.work.close()
	e.entries.StopAllGoroutines()
}

// read asks Wix for the app instance.
func (e *elevator) read(ctx context.Context, en *entry, instanceID string) (*wix.AppInstance, error) {
	var app wix.AppInstance
	err := e.withToken(ctx, en, instanceID, func(token wix.Secret) error {
		return e.spend(ctx, en, e.gate, func() (err error) {
			app, err = e.wix.AppInstance(ctx, token)
			return err
		})
	})
	switch {
	case err != nil:
		return nil, err
	case !strings.EqualFold(app.Instance.InstanceID, instanceID):
		return nil, &apierr.Error{Code: apierr.WixBadResponse, Err: errors.New("the answer is about another instance")}
	}
	return &app, nil
}

// withToken makes a call with the instance's app token. If Wix answers 401 to a token that
// was cached, the token is renewed and the call repeated once.
func (e *elevator) withToken(ctx context.Context, en *entry, instanceID string, call func(wix.Secret) error) error {
	token, cached, err := e.appToken(ctx, en, instanceID)
	if err != nil {
		return err
	}
	err = call(token)
	if !cached || refusedStatus(err) != 401 {
		return err
	}
	en.dropToken(token)
	if token, _, err = e.appToken(ctx, en, instanceID); err != nil {
		return err
	}
	return call(token)
}

// appToken returns the instance's app token, and whether it was cached.
func (e *elevator) appToken(ctx context.Context, en *entry, instanceID string) (token wix.Secret, cached bool, err error) {
	en.mu.Lock()
	if e.now().Before(en.tokenEnd) {
		defer en.mu.Unlock()
		return en.token, true, nil
	}
	if en.fetching == nil {
		en.fetching = e.startFetching(ctx, en, instanceID)
	}
	fetching := en.fetching
	en.mu.Unlock()
	token, err = fetching.wait(ctx)
	return token, false, err
}

// startFetching requests an app token in the background. The caller has locked the entry.
func (e *elevator) startFetching(ctx context.Context, en *entry, instanceID string) *flight[wix.Secret] {
	return launch(e.work, func() (wix.Secret, error) {
		ctx, cancel := e.work.detach(ctx, elevateTimeout)
		defer cancel()
		token, err := recovered(func() (token wix.AppToken, err error) {
			err = e.spend(ctx, en, e.gate, func() (err error) {
				token, err = e.wix.AppToken(ctx, instanceID)
				return err
			})
			return token, err
		})
		en.mu.Lock()
		defer en.mu.Unlock()
		en.fetching = nil
		if err != nil {
			return "", err
		}
		// Of a life too short for the margin, half is used.
		life := max(token.ExpiresIn-tokenMargin, token.ExpiresIn/2)
		en.token, en.tokenEnd = token.AccessToken, e.now().Add(life)
		return token.AccessToken, nil
	})
}

// dropToken removes the app token from the cache, unless it has been renewed already.
func (en *entry) dropToken(token wix.Secret) {
	en.mu.Lock()
	defer en.mu.Unlock()
	if en.token == token {
		en.token, en.tokenEnd = "", time.Time{}
	}
}

// spend makes one call out of the instance's budget, through a gate. While Wix itself limits
// the rate of the instance, none is made.
func (e *elevator) spend(ctx context.Context, en *entry, g *gate, call func() error) error {
	b, now := en.budget, e.now()
	if wait := time.Unix(0, b.paused.Load()).Sub(now); wait > 0 {
		return &apierr.Error{Code: apierr.RateLimited, RetryAfter: wait, Err: fmt.Errorf("%w: %w", ErrBudgetSpent, errPaused)}
	}
	if !b.calls.AllowN(now, 1) {
		wait := time.Duration((1 - b.calls.TokensAt(now)) * float64(budgetEvery))
		return &apierr.Error{
			Code: apierr.RateLimited, RetryAfter: max(wait, time.Second), Err: ErrBudgetSpent,
		}
	}
	err := g.call(ctx, cause{lane: laneKnown, path: []any{b.instanceID}}, call)
	if isKind(err, wix.RateLimited) {
		b.paused.Store(e.now().Add(min(asAPIError(err).RetryAfter, maxPause)).UnixNano())
	}
	return err
}
