package api

import (
	"time"

	"github.com/maypok86/otter/v2"

	"nametag/backend/instance"
)

// memo keeps the last body that was encoded for an instance and a role, with what it was
// made of, so that a body is encoded again only when that has changed.
type memo[From any] struct {
	tell func(From, instance.Role) any
	same func(From, From) bool
	kept *otter.Cache[asked, told[From]]
}

type asked struct {
	instanceID string
	role       instance.Role
}

type told[From any] struct {
	from From
	body encoded
}

const (
	// memoSize is how many bodies are kept, of about a kilobyte with what they were made of.
	memoSize = 10_000
	// memoLife bounds how long a body outlives what it tells of, in memory and unasked for.
	memoLife = time.Hour
)

// newMemo returns a memo of what tell makes. tell is given nothing else than what same
// compares, so that no body can be older than what it tells of.
func newMemo[From any](tell func(From, instance.Role) any, same func(From, From) bool) *memo[From] {
	return &memo[From]{tell, same, otter.Must(&otter.Options[asked, told[From]]{
		MaximumSize: memoSize, Logger: &otter.NoopLogger{},
		ExpiryCalculator: otter.ExpiryWriting[asked, told[From]](memoLife),
	})}
}

func (m *memo[From]) of(instanceID string, role instance.Role, from From) (encoded, error) {
	key := asked{instanceID, role}
	if t, ok := m.kept.GetIfPresent(key); ok && m.same(t.from, from) {
		return t.body, nil
	}
	body, err := encode(m.tell(from, role))
	if err == nil {
		m.kept.Set(key, told[From]{from, body})
	}
	return body, err
}
