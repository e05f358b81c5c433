package api

import (
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/nametag-dev/nametag/backend/instance"
)

// memo keeps the last bodies that were encoded for an instance, one for its owner and one
// for all others, with what they were made of, so that a body is encoded again only when
// that has changed.
type memo[From any] struct {
	tell           func(From, instance.Role) any
	same           func(From, From) bool
	owners, others *otter.Cache[string, *told[From]]
}

type told[From any] struct {
	from From
	body encoded
}

const (
	// memoSize is how many bodies of each kind are kept, of about a kilobyte with what they
	// were made of.
	memoSize = 10_000
	// memoLife bounds how long a body outlives what it tells of, in memory and unasked for.
	memoLife = time.Hour
)

// newMemo returns a memo of what tell makes. tell is given nothing else than what same
// compares, so that no body can be older than what it tells of; its role is
// instance.Owner, or instance.Visitor for everyone else.
func newMemo[From any](tell func(From, instance.Role) any, same func(From, From) bool) *memo[From] {
	options := &otter.Options[string, *told[From]]{
		MaximumSize: memoSize, Logger: &otter.NoopLogger{},
		ExpiryCalculator: otter.ExpiryWriting[string, *told[From]](memoLife),
	}
	return &memo[From]{tell, same, otter.Must(options), otter.Must(options)}
}

func (m *memo[From]) of(instanceID string, role instance.Role, from From) (encoded, error) {
	kept := m.owners
	if role != instance.Owner {
		role, kept = instance.Visitor, m.others
	}
	if t, ok := kept.GetIfPresent(instanceID); ok && m.same(t.from, from) {
		return t.body, nil
	}
	body, err := encode(m.tell(from, role))
	if err == nil {
		kept.Set(instanceID, &told[From]{from, body})
	}
	return body, err
}
