package lifecycle

// One job: how it is tried, and what happens when that fails.

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
)

// KindRefresh is the kind of a refresh, beside the kinds of events.
const KindRefresh = "refresh"

// The outcomes of a try.
const (
	// OutcomeDone is a finished job.
	OutcomeDone = "done"
	// OutcomeSkipped is a refresh without a purpose: the app is no longer on the site, as far
	// as we or Wix know.
	OutcomeSkipped = "skipped"
	// OutcomeDeferred is a try that was refused on our own side, and will be made later.
	OutcomeDeferred = "deferred"
	// OutcomeRetried is a failure after which the job will be tried again.
	OutcomeRetried = "retried"
	// OutcomeDead is the last failure of a job, which is now a dead letter.
	OutcomeDead = "dead"
)

// backoff is how long a job rests after its first failure, its second and so on. The
// failure after the last of them is final, two days after the first.
var backoff = [...]time.Duration{
	time.Minute, 5 * time.Minute, 30 * time.Minute,
	2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// unknownTries is how often a refresh is tried while Wix does not know the instance: 36
// minutes, since the app may have been installed a moment ago. It has most likely been
// removed, and then nobody need look into it.
const unknownTries = 4

// deferred is how long a job rests at least that our own limit of calls to Wix has refused.
const deferred = 5 * time.Second

func kindOf(j instance.Job) string {
	if j.Event == nil {
		return KindRefresh
	}
	return string(j.Event.Kind)
}

// try does a job once. It reports false when the outcome could not be stored: the job
// comes again when its lease ends.
func (w *Worker) try(j instance.Job) (stored bool) {
	outcome, err := w.do(j)
	if err != nil {
		outcome, err = w.failed(j, err)
	}
	if err != nil {
		w.log.Error("the outcome of a job could not be stored", "job", j.ID, "instanceId", j.InstanceID, "cause", err)
		return false
	}
	w.observe(kindOf(j), outcome)
	return true
}

func (w *Worker) do(j instance.Job) (outcome string, err error) {
	err = w.recoverPanic(j, func() (err error) {
		if j.Event == nil {
			outcome, err = w.refresh(j)
		} else {
			outcome, err = w.apply(j)
		}
		return err
	})
	return outcome, err
}

// recoverPanic runs f and turns a panic into an error.
func (w *Worker) recoverPanic(j instance.Job, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.log.Error("panic", "value", fmt.Sprint(p), "stack", string(debug.Stack()), "job", j.ID, "instanceId", j.InstanceID)
			err = errors.New("panic")
		}
	}()
	return f()
}

func (w *Worker) apply(j instance.Job) (outcome string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	e := *j.Event
	_, change, err := w.jobs.ApplyEvent(ctx, e, w.now())
	if err != nil {
		return "", err
	}
	// The job is done, even if this panics.
	_ = w.recoverPanic(j, func() error { w.changed(e.InstanceID, change); return nil })
	if change.Refresh {
		w.reads.look()
	}
	w.log.Info("event applied", "instanceId", e.InstanceID, "type", e.Type, "at", e.At,
		"removed", change.Removed, "revived", change.Revived, "plan", change.Plan)
	return OutcomeDone, nil
}

// refresh reads the app instance from Wix and stores what it reports. The profile is as of
// the moment before Wix was asked: an event of a later moment is newer.
//
// It is newer than what was stored then, even where that was dated by a process whose clock
// is ahead of ours: or else everything that Wix reports would be old until our clock has
// caught up.
func (w *Worker) refresh(j instance.Job) (outcome string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), refreshTimeout)
	defer cancel()
	row, err := w.find(ctx, j.InstanceID)
	switch {
	case errors.Is(err, instance.ErrNotFound), err == nil && !row.RemovedAt.IsZero():
		return OutcomeSkipped, w.jobs.Finish(ctx, j)
	case err != nil:
		return "", err
	}
	at := latest(w.now(), row.ProfileAt, row.PlanAt)
	app, err := w.elevator.Refresh(ctx, j.InstanceID)
	if err != nil {
		return "", err
	}
	if err := w.saveProfile(ctx, j.InstanceID, profileOf(app), at); err != nil {
		return "", err
	}
	return OutcomeDone, w.jobs.Finish(ctx, j)
}

// failed makes a job due again later, gives it up or buries it. A refusal of our own limit is
// no attempt.
func (w *Worker) failed(j instance.Job, cause error) (outcome string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	log := w.log.With("job", j.ID, "instanceId", j.InstanceID, "kind", kindOf(j), "attempts", j.Attempts+1, "cause", cause)
	// A panic in the app's own functions, which the store has caught.
	var panicked interface{ Stack() string }
	if errors.As(cause, &panicked) {
		log = log.With("stack", panicked.Stack())
	}
	if errors.Is(cause, identity.ErrBudgetSpent) {
		delay := spread(max(deferred, retryAfter(cause)))
		if err := w.jobs.Defer(ctx, j, w.now(), delay, cause.Error()); err != nil {
			return "", errors.Join(cause, err)
		}
		log.Info("a job has to wait for the budget of calls to Wix", "in", delay.Round(time.Second).String())
		return OutcomeDeferred, nil
	}
	if j.Event == nil && j.Attempts+1 >= unknownTries && isUnknown(cause) {
		if err := w.jobs.Finish(ctx, j); err != nil {
			return "", errors.Join(cause, err)
		}
		log.Warn("wix does not know the instance: its refresh is given up until the next visit")
		return OutcomeSkipped, nil
	}
	if j.Attempts >= len(backoff) {
		if err := w.jobs.Bury(ctx, j, cause.Error()); err != nil {
			return "", errors.Join(cause, err)
		}
		log.Error("a job has failed for good: it is a dead letter")
		return OutcomeDead, nil
	}
	delay := spread(max(backoff[j.Attempts], retryAfter(cause)))
	if err := w.jobs.Retry(ctx, j, w.now(), delay, cause.Error()); err != nil {
		return "", errors.Join(cause, err)
	}
	log.Warn("a job has failed and will be tried again", "in", delay.Round(time.Second).String())
	return OutcomeRetried, nil
}

// isUnknown reports whether Wix says that it does not know the instance.
func isUnknown(cause error) bool {
	var e *apierr.Error
	return errors.As(cause, &e) && e.Code == apierr.InstanceUnknown
}

// retryAfter is how long an error asks to wait, at most as long as we would ourselves.
func retryAfter(cause error) time.Duration {
	var e *apierr.Error
	if !errors.As(cause, &e) {
		return 0
	}
	return min(e.RetryAfter, backoff[len(backoff)-1])
}

// spread returns a rest that is up to a fifth longer, so that jobs that failed together do
// not come back together.
func spread(rest time.Duration) time.Duration { return rest + rand.N(rest/5) }
