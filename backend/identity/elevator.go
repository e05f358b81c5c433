package identity

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

const (
	// freshLife is how long an app instance is served without asking Wix again.
	freshLife = 60 * time.Second
	// staleLife is how long after it was read an app instance is still better than none.
	staleLife = 24 * time.Hour
	// staleAgain is how long a stale one is served before Wix is tried again.
	staleAgain = 10 * time.Second
	// tokenMargin is how long before its end an app token is no longer used.
	tokenMargin = 5 * time.Minute
	// Wix allows 200 calls a minute per instance ("Rate Limits" in Wix's REST
	// documentation). At most 20 + 80 are begun here in any minute, and each may be
	// repeated once; token-info's share comes on top.
	budgetBurst = 20
	budgetEvery = time.Minute / 80
	// defaultInstances bounds the app instances that are kept, some kilobytes each.
	defaultInstances = 5_000
	// elevateTimeout bounds one load: a token and a read, both perhaps twice.
	elevateTimeout = 15 * time.Second
)

// AppReader makes the calls to Wix that an Elevator makes. *wix.Client is one.
type AppReader interface {
	AppToken(ctx context.Context, instanceID string) (wix.AppToken, error)
	AppInstance(ctx context.Context, accessToken wix.Secret) (wix.AppInstance, error)
}

// ElevatorOptions are what an Elevator needs. Wix is required.
type ElevatorOptions struct {
	Wix    AppReader
	Now    func() time.Time // time.Now
	Logger *slog.Logger     // none
	// Size bounds the instances that are kept. 5,000.
	Size int
}

// Elevator reads app instances with the app's own identity. It is safe for
// concurrent use.
type Elevator struct {
	wix    AppReader
	now    func() time.Time
	logger *slog.Logger

	tokens *otter.Cache[string, appToken]
	// documents holds what is answered at once; stale holds the last good one of each.
	documents *otter.Cache[string, document]
	stale     *otter.Cache[string, *wix.AppInstance]
	budgets   *otter.Cache[string, *rate.Limiter]
	guard     *guard
	loads     *loads
	purges    atomic.Uint64
	close     sync.Once
}

type appToken struct {
	secret wix.Secret
	life   time.Duration
}

// document is an app instance, or Wix's refusal to give it.
type document struct {
	app     *wix.AppInstance
	refusal *instance.Error
	life    time.Duration
}

// NewElevator returns an Elevator. Close it.
func NewElevator(o ElevatorOptions) *Elevator {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Size <= 0 {
		o.Size = defaultInstances
	}
	e := &Elevator{wix: o.Wix, now: o.Now, logger: orDiscard(o.Logger), loads: newLoads()}
	e.tokens = newCache[string](o.Size, o.Now, func(t appToken) time.Duration { return t.life })
	e.documents = newCache[string](o.Size, o.Now, func(d document) time.Duration { return d.life })
	e.stale = newCache[string](o.Size, o.Now, func(*wix.AppInstance) time.Duration { return staleLife })
	e.budgets = otter.Must(&otter.Options[string, *rate.Limiter]{
		MaximumSize:      o.Size,
		Clock:            clock{o.Now},
		Logger:           &otter.NoopLogger{},
		ExpiryCalculator: otter.ExpiryAccessing[string, *rate.Limiter](time.Minute), // full again by then
	})
	e.guard = newGuard("app instance", o.Now, e.logger)
	return e
}

// AppInstance returns Wix's app instance, at most a minute old while Wix can be
// asked. While Wix cannot answer, or the instance's budget of calls is spent, the
// last one read is served for up to 24 hours. The result is shared with
// other callers: it must not be written to.
//
// When Wix refuses to elevate for the instance (it may have been uninstalled, or
// the app's secret may be wrong: Wix's answer does not tell which) the error is
// wix_bad_response, nothing stale is served, and Wix is asked again after 30 s.
// An error is an *instance.Error, or ctx's own context.Canceled.
func (e *Elevator) AppInstance(ctx context.Context, instanceID string) (*wix.AppInstance, error) {
	if !plausibleID(instanceID) {
		return nil, &instance.Error{Code: instance.CodeInternal, Err: errors.New("the instance id is not a GUID")}
	}
	d, ok := e.documents.GetIfPresent(instanceID)
	if !ok {
		var err error
		d, err = await(ctx, e.loads, func() (document, error) {
			return e.documents.Get(e.loads.ctx, instanceID, otter.LoaderFunc[string, document](
				func(_ context.Context, instanceID string) (document, error) { return e.load(ctx, instanceID) }))
		})
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return nil, callerGone(ctx.Err())
		default:
			return nil, fault(err)
		}
	}
	if d.refusal != nil {
		return nil, d.refusal
	}
	return d.app, nil
}

// Fresh asks Wix for the app instance now, whatever it said before, and what it says
// is what AppInstance returns from then on. Nothing stale is returned. Errors are as
// AppInstance's.
func (e *Elevator) Fresh(ctx context.Context, instanceID string) (*wix.AppInstance, error) {
	if !plausibleID(instanceID) {
		return nil, &instance.Error{Code: instance.CodeInternal, Err: errors.New("the instance id is not a GUID")}
	}
	app, err := await(ctx, e.loads, func() (*wix.AppInstance, error) {
		ctx, cancel := e.loads.detach(ctx, elevateTimeout)
		defer cancel()
		purges := e.purges.Load()
		app, err := e.read(ctx, instanceID)
		if err != nil {
			return nil, err
		}
		e.stale.Set(instanceID, app)
		e.documents.Set(instanceID, document{app: app, life: freshLife})
		if purges != e.purges.Load() { // it may be from before the purge
			e.stale.Invalidate(instanceID)
			e.documents.Invalidate(instanceID)
		}
		return app, nil
	})
	switch {
	case err == nil:
		return app, nil
	case ctx.Err() != nil:
		return nil, callerGone(ctx.Err())
	default:
		return nil, fault(err)
	}
}

// Expire makes the next AppInstance ask Wix, for an instance of which there is news.
// Should Wix not answer then, what it said last is still served.
func (e *Elevator) Expire(instanceID string) { e.documents.Invalidate(instanceID) }

// Purge forgets what Wix said of an instance, the stale answer included, and its
// app token. A load that is under way is made again.
func (e *Elevator) Purge(instanceID string) {
	e.purges.Add(1)
	e.stale.Invalidate(instanceID)
	e.tokens.Invalidate(instanceID)
	e.documents.Invalidate(instanceID)
}

// Close ends what is under way with Wix and waits for it. Nothing may be read from
// then on.
func (e *Elevator) Close() {
	e.close.Do(func() {
		e.loads.close()
		e.tokens.StopAllGoroutines()
		e.documents.StopAllGoroutines()
		e.stale.StopAllGoroutines()
		e.budgets.StopAllGoroutines()
	})
}

func (e *Elevator) load(ctx context.Context, instanceID string) (document, error) {
	ctx, cancel := e.loads.detach(ctx, elevateTimeout)
	defer cancel()
	purges := e.purges.Load()
	app, err := e.read(ctx, instanceID)
	switch {
	case err == nil:
		e.stale.Set(instanceID, app)
		if purges != e.purges.Load() { // it may be from before the purge
			e.stale.Invalidate(instanceID)
		}
		return document{app: app, life: freshLife}, nil
	case isRefused(err):
		e.logger.WarnContext(ctx, "wix refuses the app instance", "instance", instanceID, "cause", err)
		e.stale.Invalidate(instanceID)
		return document{refusal: &instance.Error{Code: instance.CodeWixBadResponse, Err: err}, life: refusedLife}, nil
	}
	if app, ok := e.stale.GetIfPresent(instanceID); ok {
		e.logger.WarnContext(ctx, "stale app instance served", "instance", instanceID, "cause", err)
		return document{app: app, life: staleAgain}, nil
	}
	return document{}, err
}

// read asks Wix for the app instance. An app token that Wix no longer takes is
// replaced, once.
func (e *Elevator) read(ctx context.Context, instanceID string) (*wix.AppInstance, error) {
	token, kept, err := e.token(ctx, instanceID)
	if err != nil {
		return nil, err
	}
	app, err := e.readWith(ctx, instanceID, token)
	var w *wix.Error
	if kept && errors.As(err, &w) && w.Kind == wix.Refused && w.Status == 401 {
		e.tokens.Invalidate(instanceID)
		if token, _, err = e.token(ctx, instanceID); err != nil {
			return nil, err
		}
		app, err = e.readWith(ctx, instanceID, token)
	}
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(app.Instance.InstanceID, instanceID) {
		return nil, &instance.Error{Code: instance.CodeWixBadResponse, Err: errors.New("another instance than the one asked for")}
	}
	return &app, nil
}

func (e *Elevator) readWith(ctx context.Context, instanceID string, token wix.Secret) (app wix.AppInstance, err error) {
	err = e.spend(ctx, instanceID, func() (err error) {
		app, err = e.wix.AppInstance(ctx, token)
		return err
	})
	return app, err
}

// token returns the instance's app token, and whether it was kept from before.
func (e *Elevator) token(ctx context.Context, instanceID string) (secret wix.Secret, kept bool, err error) {
	kept = true
	t, err := e.tokens.Get(ctx, instanceID, otter.LoaderFunc[string, appToken](
		func(ctx context.Context, instanceID string) (appToken, error) {
			kept = false
			var t wix.AppToken
			err := e.spend(ctx, instanceID, func() (err error) {
				t, err = e.wix.AppToken(ctx, instanceID)
				return err
			})
			// A life too short for the margin is used by half.
			return appToken{t.AccessToken, max(t.ExpiresIn-tokenMargin, t.ExpiresIn/2)}, err
		}))
	return t.secret, kept, err
}

// spend makes one call out of the instance's budget.
func (e *Elevator) spend(ctx context.Context, instanceID string, call func() error) error {
	budget, _ := e.budgets.ComputeIfAbsent(instanceID, func() (*rate.Limiter, bool) {
		return rate.NewLimiter(rate.Every(budgetEvery), budgetBurst), false
	})
	now := e.now()
	if budget != nil && !budget.AllowN(now, 1) {
		wait := time.Duration((1 - budget.TokensAt(now)) * float64(budgetEvery))
		return &instance.Error{
			Code: instance.CodeRateLimited, RetryAfter: max(wait, time.Second), Err: errors.New("the instance's budget of calls to Wix is spent"),
		}
	}
	return e.guard.call(ctx, call)
}
