package instance

import (
	"context"
	"time"
)

// Job is work that survives a crash: to apply an event, or to read an app instance
// from Wix again.
type Job struct {
	// ID is Event.ID for an event, and "reread:" with the instance's id for a reading.
	ID         string `json:"id"`
	InstanceID string `json:"instanceId"`
	// Event is nil for a reading.
	Event *Event   `json:"event,omitempty"`
	State JobState `json:"state"`
	// Due is when the job may be tried next; while it is being tried, when its lease ends.
	Due time.Time `json:"due"`
	// Attempts counts the tries that failed.
	Attempts int `json:"attempts"`
	// LastError is the cause of the last failure, or "". It holds no token and no secret.
	LastError string `json:"lastError,omitempty"`
}

// JobState says how far a job is.
type JobState string

const (
	// JobPending waits for its due time, or is being tried.
	JobPending JobState = "pending"
	// JobDone is finished. Events are kept in it, so that repeats are recognised.
	JobDone JobState = "done"
	// JobDead has failed for good and waits for a person: the dead letter.
	JobDead JobState = "dead"
)

// Inbox keeps what Wix tells until it has been acted upon. It is the same storage
// as Store, and safe for concurrent use by several processes.
type Inbox interface {
	// Accept makes an event durable as a job that is due at once. It reports false,
	// and writes nothing, when an event with that ID is held already.
	Accept(ctx context.Context, e Event) (fresh bool, err error)

	// Claim leases at most n pending jobs that are due at now, the longest due first:
	// until now+lease nobody else is given them.
	Claim(ctx context.Context, now time.Time, lease time.Duration, n int) ([]Job, error)

	// ApplyEvent applies an event to its instance and ends its job, in one
	// transaction: the instance is created if it is not there (seen at
	// Event.ReceivedAt, with DefaultSettings), Instance.Apply changes it; with
	// Change.Copy, the settings of the origin, if it has saved any, become the
	// instance's at Version 1; with Change.Reread a reading is wanted at
	// now. A job that is done already changes nothing.
	ApplyEvent(ctx context.Context, e Event, now time.Time) (Instance, Change, error)

	// WantReading makes sure that a reading of the instance is pending and due no later than
	// the given time; a dead or done one starts anew with no attempts.
	WantReading(ctx context.Context, instanceID string, due time.Time) error

	// Finish ends a job. A reading that was wanted again since it was claimed (its
	// Due is no longer the lease that the job carries) stays pending.
	Finish(ctx context.Context, j Job) error

	// Retry counts a failed attempt and makes the job due again.
	Retry(ctx context.Context, j Job, due time.Time, cause string) error

	// Bury counts a failed attempt and makes the job a dead letter.
	Bury(ctx context.Context, j Job, cause string) error

	// Jobs returns all jobs of an instance, done ones included, events by their time.
	Jobs(ctx context.Context, instanceID string) ([]Job, error)

	// DeadLetters counts the dead jobs of all instances.
	DeadLetters(ctx context.Context) (int, error)

	// ForgetDone deletes the events that were received before a time and are done,
	// and returns how many.
	ForgetDone(ctx context.Context, before time.Time) (int, error)

	// PurgeRemoved deletes all that is held on the instances that were removed before
	// a time, and returns their ids.
	PurgeRemoved(ctx context.Context, before time.Time) ([]string, error)

	// List returns at most n instances whose id is greater than after, by id.
	List(ctx context.Context, after string, n int) ([]Instance, error)
}
