package business

// The guests that the widgets of a site greeted on each day. Visits are counted in memory
// and written together, because a page view must not cost a transaction; a process that is
// killed loses what it counted since the last write.

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/nametag-dev/nametag/backend/kit"
)

const (
	// writeEvery is how often the counts are written.
	writeEvery = 5 * time.Second
	// maxCounts is how many counts of a shard may wait: at one more they are written at once.
	maxCounts = 2_000
	// mostCounts bounds the memory of a shard while the database is away: a guest of a
	// further instance is not counted then.
	mostCounts = 5 * maxCounts
	// batch is how many counts one transaction writes.
	batch = 500
	// daysShown is how many days the owner sees.
	daysShown = 7
)

type guests struct {
	tools kit.Tools

	// shards share the counts, so that requests do not wait for each other's.
	shards [16]shard

	full   chan struct{}
	cancel context.CancelFunc
	done   chan struct{}
}

type shard struct {
	mu     sync.Mutex
	counts map[day]int64
}

// day is one day (UTC, in days since 1970) of one instance.
type day struct {
	instanceID string
	number     int64
}

func newGuests(t kit.Tools) *guests {
	g := &guests{tools: t, full: make(chan struct{}, 1), done: make(chan struct{})}
	for i := range g.shards {
		g.shards[i].counts = map[day]int64{}
	}
	return g
}

const secondsPerDay = 24 * 60 * 60

func dayOf(at time.Time) int64 { return at.Unix() / secondsPerDay }

// greet counts one guest.
func (g *guests) greet(instanceID string, at time.Time) {
	today := day{instanceID, dayOf(at)}
	s := &g.shards[rand.IntN(len(g.shards))]
	s.mu.Lock()
	waiting := len(s.counts)
	if _, counted := s.counts[today]; counted || waiting < mostCounts {
		s.counts[today]++
	}
	s.mu.Unlock()
	if waiting >= maxCounts {
		select {
		case g.full <- struct{}{}:
		default: // a write is due already
		}
	}
}

// start begins to write what is counted.
func (g *guests) start(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	go func() {
		defer close(g.done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-g.full:
			case <-time.After(writeEvery):
			}
			if err := g.write(ctx); err != nil {
				g.tools.Log.Error("the guests that were counted could not be stored", "cause", err)
			}
		}
	}()
	return nil
}

// close writes what is left.
func (g *guests) close() error {
	if g.cancel == nil {
		return nil
	}
	g.cancel()
	<-g.done
	return g.write(context.Background())
}

const addGuests = `
INSERT INTO guest_days (instance_id, day, guests) VALUES (?, ?, ?)
ON CONFLICT (instance_id, day) DO UPDATE SET guests = guest_days.guests + excluded.guests`

// write stores what has been counted. Counts that could not be stored are counted again.
func (g *guests) write(ctx context.Context) error {
	counts := g.take()
	byInstance := map[string][]day{}
	for d := range counts {
		byInstance[d.instanceID] = append(byInstance[d.instanceID], d)
	}
	ids := make([]string, 0, len(byInstance))
	for id := range byInstance {
		ids = append(ids, id)
	}
	for some := range slices.Chunk(ids, batch) {
		err := g.tools.DB.WriteEach(ctx, some, func(tx kit.Tx, id string) error {
			for _, d := range byInstance[id] {
				if _, err := tx.Exec(ctx, addGuests, d.instanceID, d.number, counts[d]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			g.putBack(counts)
			return fmt.Errorf("write the guests per day: %w", err)
		}
		for _, id := range some {
			for _, d := range byInstance[id] {
				delete(counts, d)
			}
		}
	}
	return nil
}

// take returns what has been counted and begins again at zero.
func (g *guests) take() map[day]int64 {
	all := map[day]int64{}
	for i := range g.shards {
		s := &g.shards[i]
		s.mu.Lock()
		for d, n := range s.counts {
			all[d] += n
		}
		clear(s.counts)
		s.mu.Unlock()
	}
	return all
}

func (g *guests) putBack(counts map[day]int64) {
	s := &g.shards[0]
	s.mu.Lock()
	defer s.mu.Unlock()
	for d, n := range counts {
		s.counts[d] += n
	}
}

type guestsAnswer struct {
	Days []guestDay `json:"days"`
}

// guestDay is the number of guests on one day, in UTC.
type guestDay struct {
	Day    string `json:"day"` // 2026-11-25
	Guests int64  `json:"guests"`
}

// lastDays answers GET api/guests: the last days, today last, days without a guest
// included.
func (g *guests) lastDays(ctx context.Context, c kit.Call) (any, error) {
	today := dayOf(g.tools.Now())
	first := today - daysShown + 1
	found, err := g.stored(ctx, c.Instance.ID, first)
	if err != nil {
		return nil, err
	}
	for i := range g.shards {
		s := &g.shards[i]
		s.mu.Lock()
		for n := first; n <= today; n++ {
			found[n] += s.counts[day{c.Instance.ID, n}]
		}
		s.mu.Unlock()
	}
	var a guestsAnswer
	for n := first; n <= today; n++ {
		a.Days = append(a.Days, guestDay{time.Unix(n*secondsPerDay, 0).UTC().Format(time.DateOnly), found[n]})
	}
	return a, nil
}

func (g *guests) stored(ctx context.Context, instanceID string, first int64) (map[int64]int64, error) {
	rows, err := g.tools.DB.Query(ctx, `SELECT day, guests FROM guest_days WHERE instance_id = ? AND day >= ?`, instanceID, first)
	if err != nil {
		return nil, fmt.Errorf("read the guests per day: %w", err)
	}
	defer rows.Close()
	found := map[int64]int64{}
	for rows.Next() {
		var number, n int64
		if err := rows.Scan(&number, &n); err != nil {
			return nil, fmt.Errorf("read the guests per day: %w", err)
		}
		found[number] = n
	}
	return found, rows.Err()
}
