package sqlstore

// What the app does about an event, in the transaction that applies it.

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
)

// HookPanic is a panic of one of the app's functions.
type HookPanic struct {
	Value any
	stack string
}

func (e *HookPanic) Error() string { return fmt.Sprint("panic: ", e.Value) }

// Stack returns the stack of the goroutine that panicked.
func (e *HookPanic) Stack() string { return e.stack }

// HookTimeout bounds each call of one of the app's functions. It is shorter than
// CallTimeout, so that one that blocks does not make the writers behind it fail, too.
const HookTimeout = 5 * time.Second

// runHook calls a function of the app and waits for it until its context ends. It runs in a
// goroutine of its own, so that one that ignores its context keeps neither the caller nor,
// since the caller then rolls back, the database.
func runHook(ctx context.Context, name string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, HookTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		err := errors.New("it ended its goroutine")
		defer func() {
			if p := recover(); p != nil {
				err = &HookPanic{p, string(debug.Stack())}
			}
			done <- err
		}()
		err = f(ctx)
	}()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("run the app's %s: %w", name, err)
	}
	return nil
}

// react calls the app's functions for an applied event: Copy of each table for a new copy
// of a site, and OnEvent for each thing that has happened.
func (s *Store) react(ctx context.Context, tx *sql.Tx, e instance.Event, change instance.Change, row instance.Instance) error {
	if change.Copied {
		for _, t := range slices.Backward(s.app.Tables) {
			if t.Copy == nil {
				continue
			}
			err := runHook(ctx, "Copy of the table "+t.Name, func(ctx context.Context) error {
				return t.Copy(ctx, s.appTx(ctx, tx), row.OriginID, row.ID)
			})
			if err != nil {
				return err
			}
		}
	}
	if s.app.OnEvent == nil {
		return nil
	}
	for _, event := range kitEvents(e, change, row) {
		err := runHook(ctx, "OnEvent for "+string(event.Kind), func(ctx context.Context) error {
			return s.app.OnEvent(ctx, s.appTx(ctx, tx), event)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// kitEvents returns what an applied event amounts to for the app. The plan is the one that
// the instance has now: an event that is applied late reports no outdated one. For the same
// reason a revival is not reported if the app has been removed again since.
func kitEvents(e instance.Event, change instance.Change, row instance.Instance) (events []kit.Event) {
	for _, possible := range []struct {
		kind     kit.EventKind
		happened bool
	}{
		{kit.Installed, change.Installed},
		{kit.Copied, change.Copied},
		{kit.Removed, change.Removed},
		{kit.Revived, change.Revived || e.Kind == instance.EventRevived && row.RemovedAt.IsZero()},
		{kit.PlanChanged, change.Plan || e.Kind == instance.EventPlanRefreshed},
	} {
		if !possible.happened {
			continue
		}
		event := kit.Event{Kind: possible.kind, InstanceID: row.ID, At: e.At}
		switch possible.kind {
		case kit.Copied:
			event.OriginID = row.OriginID
		case kit.PlanChanged:
			event.Plan, event.Paid = row.Profile.Plan.Name, row.Paid()
		}
		events = append(events, event)
	}
	return events
}

// addInternalEvent queues a change that no event has reported, so that OnEvent runs for
// it from the job queue: at least once, and not at the expense of the request that found
// the change.
func (s *Store) addInternalEvent(ctx context.Context, tx *sql.Tx, kind instance.EventKind, row instance.Instance, at, now time.Time) error {
	if s.app.OnEvent == nil {
		return nil
	}
	args, err := acceptArgs(instance.Event{
		ID:         string(kind) + ":" + row.ID + ":" + strconv.FormatInt(at.UnixMilli(), 10) + ":" + rand.Text(),
		InstanceID: row.ID, Kind: kind, Type: "nametag." + string(kind), At: at, ReceivedAt: now,
	})
	if err != nil {
		return err
	}
	return s.exec(ctx, tx, acceptSQL, args...)
}
