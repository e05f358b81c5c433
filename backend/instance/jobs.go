package instance

import (
	"context"
	"time"
)

// Job is work that survives a crash: to apply an event, or to refresh the record of an
// instance from Wix.
type Job struct {
	// ID is Event.ID for an event, and RefreshJobID for a refresh.
	ID         string `json:"id"`
	InstanceID string `json:"instanceId"`
	// Event is nil for a refresh.
	Event *Event   `json:"event,omitempty"`
	State JobState `json:"state"`
	// Due is when the job may be tried next; while it is being tried, when its lease ends.
	Due time.Time `json:"due"`
	// Attempts counts the tries that failed.
	Attempts int `json:"attempts"`
	// LastError is the cause of the last failure, or "". It holds no token and no secret.
	LastError string `json:"lastError,omitempty"`
}

// RefreshJobID returns the id of the one refresh job of an instance.
func RefreshJobID(instanceID string) string { return "refresh:" + instanceID }

// JobState says how far a job is.
type JobState string

const (
	// JobPending waits for its due time, or is being tried.
	JobPending JobState = "pending"
	// JobDone is finished. Done events stay stored, so that repeats are recognized.
	JobDone JobState = "done"
	// JobDead has failed for good and needs a person: the dead letter.
	JobDead JobState = "dead"
)

// Jobs is the durable job queue: events from Wix that have to be applied, and instances
// whose record has to be refreshed. It shares its storage with Store, and is safe for
// concurrent use by several processes.
type Jobs interface {
	// Accept stores an event as a job that is due at once. It reports false, and writes
	// nothing, when an event with that ID is stored already.
	Accept(ctx context.Context, e Event) (fresh bool, err error)

	// Claim leases at most n pending jobs that are due at now, the longest due first:
	// until now+lease no other caller gets them.
	Claim(ctx context.Context, now time.Time, lease time.Duration, n int) ([]Job, error)

	// ApplyEvent applies an event to its instance and finishes its job, in one
	// transaction. It creates the instance if it does not exist (NewInstance, seen at
	// Event.ReceivedAt) and changes it by Instance.Apply; with Change.CopySettings it
	// takes over the origin's settings (Instance.CopySettings); with Change.Refresh it
	// requests a refresh that is due at now. An event whose job is done already changes
	// nothing.
	//
	// EventRevived and EventPlanRefreshed report changes that are stored already: they
	// only run what reacts to such a change, and never create an instance.
	ApplyEvent(ctx context.Context, e Event, now time.Time) (Instance, Change, error)

	// RequestRefresh makes sure that a refresh of the instance is pending and due no
	// later than the given time. A dead or done refresh starts again with no attempts.
	RequestRefresh(ctx context.Context, instanceID string, due time.Time) error

	// Finish ends a job. A refresh that was requested again since it was claimed (its
	// Due is no longer the lease that the job carries) stays pending.
	Finish(ctx context.Context, j Job) error

	// Retry counts a failed attempt and makes the job due again.
	Retry(ctx context.Context, j Job, due time.Time, cause string) error

	// Bury counts a failed attempt and makes the job a dead letter.
	Bury(ctx context.Context, j Job, cause string) error

	// JobsOf returns all jobs of an instance, done ones included, events by their time.
	JobsOf(ctx context.Context, instanceID string) ([]Job, error)

	// DeadLetters counts the dead jobs of all instances.
	DeadLetters(ctx context.Context) (int, error)

	// DeleteDone deletes the events that were received before a time and are done, and
	// returns how many.
	DeleteDone(ctx context.Context, before time.Time) (int, error)
}
