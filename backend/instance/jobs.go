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
	// Due is when the job may be tried next, and the zero time means at once, whatever the
	// clock says. While the job is being tried, it is when the lease ends.
	Due time.Time `json:"due,omitzero"`
	// Attempts counts the tries that failed, since the job became pending or, of a refresh,
	// since it was last requested.
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

// RefreshRest is how long a refresh that has failed rests at most after it is requested
// again, and at least where it was to rest for longer.
const RefreshRest = time.Minute

// Backlog is the work that is due and that nobody has begun.
type Backlog struct {
	Jobs int
	// Oldest is since when the job that waits longest has been due, or zero.
	Oldest time.Time
}

// Jobs is the durable job queue: events from Wix that have to be applied, and instances
// whose record has to be refreshed. It shares its storage with Store, and is safe for
// concurrent use by several processes.
//
// Times are the caller's, and the clocks of processes differ or are set back: what is due at
// once is so by every clock, and a rest or a lease that began in the future counts from now.
type Jobs interface {
	// Accept stores an event as a job that is due at once. An event with that ID that is
	// stored already stays as it is, except that a dead one starts again. It reports whether
	// there is something to do. An event from before its instance was purged is not stored.
	Accept(ctx context.Context, e Event) (fresh bool, err error)

	// Claim leases at most n events that are due at now: until now+lease no other caller gets
	// them, nor any other event of their instances. Removals come before all others; then
	// instances take turns, with one event each. Only where there are fewer instances does one
	// come with several events, in the order in which they were received: apply them one
	// after the other.
	Claim(ctx context.Context, now time.Time, lease time.Duration, n int) ([]Job, error)

	// ClaimRefreshes leases at most n refreshes that are due at now, the longest due first.
	ClaimRefreshes(ctx context.Context, now time.Time, lease time.Duration, n int) ([]Job, error)

	// ApplyEvent applies an event to its instance and finishes its job, in one
	// transaction. It creates the instance if it does not exist (NewInstance, seen at
	// Event.ReceivedAt) and changes it by Instance.Apply; with Change.CopySettings it
	// takes over the origin's settings (Instance.CopySettings); with Change.Refresh it
	// requests a refresh. Dead events of the instance start again. An event whose job is
	// done already changes nothing, and neither does one from before the instance was purged.
	//
	// EventRevived and EventPlanRefreshed report changes that are stored already: they
	// only run what reacts to such a change, and never create an instance.
	ApplyEvent(ctx context.Context, e Event, now time.Time) (Instance, Change, error)

	// RequestRefresh makes sure that a refresh of the instance is done after now. It is due
	// at once; one that is just being done is due again when that has ended; one that rests
	// after a failure is due within RefreshRest. In every case its attempts start again.
	RequestRefresh(ctx context.Context, instanceID string, now time.Time) error

	// Finish ends a claimed job. A refresh that was requested again since it was claimed
	// stays pending.
	Finish(ctx context.Context, j Job) error

	// Retry counts a failed attempt at a claimed job and lets it rest from now on. Of a
	// refresh that was requested again since it was claimed the rest is RefreshRest at most.
	Retry(ctx context.Context, j Job, now time.Time, rest time.Duration, cause string) error

	// Defer is Retry for a try that was none: it counts no attempt.
	Defer(ctx context.Context, j Job, now time.Time, rest time.Duration, cause string) error

	// Bury counts a failed attempt at a claimed job and makes it a dead letter, but for a
	// refresh that was requested again since it was claimed.
	Bury(ctx context.Context, j Job, cause string) error

	// Rearm lets at most n dead jobs of an instance start again at now, or of all instances
	// where the id is "", and returns them.
	Rearm(ctx context.Context, instanceID string, now time.Time, n int) ([]Job, error)

	// JobsOf returns all jobs of an instance, done ones included, events by their time.
	JobsOf(ctx context.Context, instanceID string) ([]Job, error)

	// DeadLetters counts the dead jobs of all instances.
	DeadLetters(ctx context.Context) (int, error)

	// Backlog returns what is due at now.
	Backlog(ctx context.Context, now time.Time) (Backlog, error)

	// DeleteDone deletes the events that were received before a time and are done, and
	// returns how many. It also forgets the purges of instances that nothing more recent
	// is known of.
	DeleteDone(ctx context.Context, before time.Time) (int, error)
}
