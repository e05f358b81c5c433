package lifecycle

// One job: how it is tried, and what becomes of it when that fails.

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// KindReading is the kind of a reading, beside the kinds of events.
const KindReading = "reading"

// What becomes of a try.
const (
	// OutcomeDone is a job that is done.
	OutcomeDone = "done"
	// OutcomeSkipped is a reading that nobody needs: the app is no longer on the site.
	OutcomeSkipped = "skipped"
	// OutcomeRetried is a failure after which the job is tried again later.
	OutcomeRetried = "retried"
	// OutcomeDead is the last failure of a job, which is a dead letter now.
	OutcomeDead = "dead"
)

// backoff is how long a job rests after its first failure, its second and so on. The
// failure after the last of them is final, two days after the first.
var backoff = [...]time.Duration{
	time.Minute, 5 * time.Minute, 30 * time.Minute,
	2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

func kindOf(j instance.Job) string {
	if j.Event == nil {
		return KindReading
	}
	return string(j.Event.Kind)
}

// try does a job once. It reports false when the store could not be told how it went:
// the job comes again when its lease ends.
func (w *Worker) try(j instance.Job) (told bool) {
	outcome, err := w.do(j)
	if err != nil {
		outcome, err = w.failed(j, err)
	}
	if err != nil {
		w.log.Error("the outcome of a job cannot be stored", "job", j.ID, "instanceId", j.InstanceID, "cause", err)
		return false
	}
	w.observe(kindOf(j), outcome)
	return true
}

func (w *Worker) do(j instance.Job) (outcome string, err error) {
	err = w.guard(j, func() (err error) {
		if j.Event == nil {
			outcome, err = w.read(j)
		} else {
			outcome, err = w.apply(j)
		}
		return err
	})
	return outcome, err
}

// guard turns a panic into an error.
func (w *Worker) guard(j instance.Job, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.log.Error("panic", "value", fmt.Sprint(p), "stack", string(debug.Stack()), "job", j.ID)
			err = errors.New("panic")
		}
	}()
	return f()
}

func (w *Worker) apply(j instance.Job) (outcome string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	e := *j.Event
	_, change, err := w.inbox.ApplyEvent(ctx, e, w.now())
	if err != nil {
		return "", err
	}
	// Whatever becomes of this, the job is done.
	_ = w.guard(j, func() error { w.changed(e.InstanceID, change); return nil })
	w.log.Info("event applied", "instanceId", e.InstanceID, "type", e.Type, "at", e.At,
		"removed", change.Removed, "revived", change.Revived, "plan", change.Plan)
	return OutcomeDone, nil
}

// read asks Wix for the app instance and writes down what it says. The news is from
// when Wix was asked: what an event tells of a later moment is newer.
func (w *Worker) read(j instance.Job) (outcome string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	row, err := w.store.Find(ctx, j.InstanceID)
	switch {
	case errors.Is(err, instance.ErrNotFound), err == nil && !row.RemovedAt.IsZero():
		return OutcomeSkipped, w.inbox.Finish(ctx, j)
	case err != nil:
		return "", err
	}
	at := w.now()
	said, err := w.elevator.Fresh(ctx, j.InstanceID)
	if err != nil {
		return "", err
	}
	if err := w.save(ctx, j.InstanceID, profileOf(said), at); err != nil {
		return "", err
	}
	return OutcomeDone, w.inbox.Finish(ctx, j)
}

// failed puts a job off, or buries it.
func (w *Worker) failed(j instance.Job, cause error) (outcome string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	log := w.log.With("job", j.ID, "instanceId", j.InstanceID, "kind", kindOf(j), "attempts", j.Attempts+1, "cause", cause)
	if j.Attempts >= len(backoff) {
		if err := w.inbox.Bury(ctx, j, cause.Error()); err != nil {
			return "", errors.Join(cause, err)
		}
		log.Error("a job has failed for good: it is a dead letter")
		return OutcomeDead, nil
	}
	delay := delayOf(j.Attempts, cause)
	if err := w.inbox.Retry(ctx, j, w.now().Add(delay), cause.Error()); err != nil {
		return "", errors.Join(cause, err)
	}
	log.Warn("a job has failed, and is tried again", "in", delay.Round(time.Second).String())
	return OutcomeRetried, nil
}

// delayOf is how long a job rests after a failure: at least what was asked of us, and
// up to a fifth longer, so that what failed together does not come again together.
func delayOf(attempts int, cause error) time.Duration {
	delay := backoff[attempts]
	var e *instance.Error
	if errors.As(cause, &e) {
		delay = max(delay, e.RetryAfter)
	}
	return delay + rand.N(delay/5)
}
