package simulation

// What holds in every run:
//
//   - no acknowledged event is lost, and none is stored twice; one that cannot be applied is a
//     dead letter, and applied when it is started again after it was mended;
//   - what is stored in the end is what the newest event says, whatever came when;
//   - nobody sees another instance's data;
//   - Wix is called at most 100 times a minute for an instance by a replica;
//   - a token from before a removal is refused from 5 s after the removal was applied on, also
//     after the app was installed again, where the removal was notified;
//   - what a replica answers was stored a moment ago, or 5 s ago where it hears of no changes;
//   - no saved setting is lost.

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// checks records what the replicas have promised.
type checks struct {
	w *world

	mu sync.Mutex
	// calls are the calls of Wix of each replica for each instance.
	calls map[string][]call
	// titles are the saved ones, by instance and version.
	titles map[string]map[int64]string
}

type call struct {
	at time.Time
	ok bool
}

func newChecks(w *world) *checks {
	return &checks{w: w, calls: map[string][]call{}, titles: map[string]map[int64]string{}}
}

// called is a call of Wix for an instance. One that has failed may be repeated once, beside
// the budget.
func (c *checks) called(r *replica, instance string, at time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := r.String() + instance
	all := append(c.calls[key], call{at, ok})
	first := slices.IndexFunc(all, func(old call) bool { return at.Sub(old.at) < time.Minute })
	all = all[first:]
	c.calls[key] = all
	n := 0
	for _, one := range all {
		if one.ok {
			n++
		}
	}
	if n > 100 {
		c.w.fail("%s has called Wix %d times in a minute for %s", r, n, instance)
	}
}

// acknowledged is an event that a replica has answered 200.
func (c *checks) acknowledged(e *event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.acknowledged.IsZero() {
		e.acknowledged = time.Now()
	}
}

// admitted is a token that was admitted, by a request that began at a moment.
func (c *checks) admitted(r *replica, t token, begun time.Time) {
	c.w.db.mu.Lock()
	defer c.w.db.mu.Unlock()
	for _, gone := range c.w.db.removals[t.instance] {
		if t.issued.Before(gone.at.Truncate(time.Second)) && gone.applied.Add(trustedFor+notifiedWithin).Before(begun) {
			c.w.fail("%s admits %s, issued %s, although a removal at %s was applied %s", r, t.text,
				c.w.shortly(t.issued), c.w.shortly(gone.at), c.w.shortly(gone.applied))
		}
	}
}

// shown is an answer of get-instance, to a request that began at a moment, of a replica
// whose knowledge may be so old.
func (c *checks) shown(r *replica, t token, text string, begun time.Time, bound time.Duration) {
	var a answer
	if err := json.Unmarshal([]byte(text), &a); err != nil || a.ID != t.instance {
		c.w.fail("%s of %s gets %s", t.text, t.instance, text)
		return
	}
	c.w.db.mu.Lock()
	defer c.w.db.mu.Unlock()
	all := c.w.db.states[t.instance]
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].text == a.Text {
			return
		}
		if !all[i].from.After(begun.Add(-bound)) {
			c.w.fail("%s answers %q to a request at %s, %v after it was %q", r, a.Text, c.w.shortly(begun), begun.Sub(all[i].from), all[i].text)
			return
		}
	}
	c.w.fail("%s answers %q, which was never stored:%s", r, a.Text, list(all))
}

// relayed is an answer of get-instance-data.
func (c *checks) relayed(t token, text string) {
	if strings.Count(text, "00000000-0000-4000-8000-") != strings.Count(text, t.instance) || !strings.Contains(text, t.instance) {
		c.w.fail("%s of %s gets %s", t.text, t.instance, text)
	}
}

// saved is a setting whose saving was acknowledged.
func (c *checks) saved(id string, version int64, title string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.titles[id] == nil {
		c.titles[id] = map[int64]string{}
	}
	if before, twice := c.titles[id][version]; twice {
		c.w.fail("%s: version %d was saved as %q and as %q", id, version, before, title)
	}
	c.titles[id][version] = title
}

// buried holds the events that cannot be applied to being dead letters, and the only ones.
func (c *checks) buried(bad []*event) {
	for _, e := range bad {
		if !slices.ContainsFunc(c.w.db.jobs(e.instance), func(j instance.Job) bool {
			return j.Event != nil && isOf(*j.Event, e) && j.State == instance.JobDead
		}) {
			c.w.fail("%v is no dead letter: %s", e, list(c.w.db.jobs(e.instance)))
		}
	}
}

// settled compares what is stored with what Wix has reported, once all of that is done.
func (c *checks) settled() {
	for _, s := range c.w.wix.sites {
		c.jobsOf(s)
		c.statusOf(s)
		c.planOf(s)
		c.settingsOf(s)
	}
}

func (c *checks) jobsOf(s *site) {
	jobs := c.w.db.jobs(s.id)
	stored := 0
	for _, j := range jobs {
		if j.Event != nil && !j.Event.Kind.Internal() {
			stored++
		}
		// Where Wix has lost the removal, it refuses every refresh.
		if j.State != instance.JobDone && (j.Event != nil || s.installed) {
			c.w.fail("a job is left: %s", encode(j))
		}
	}
	known, acknowledged := 0, 0
	for _, e := range s.events {
		if !e.lost {
			known++
		}
		if !e.acknowledged.IsZero() {
			acknowledged++
			if !slices.ContainsFunc(jobs, func(j instance.Job) bool { return j.Event != nil && isOf(*j.Event, e) }) {
				c.w.fail("%v was acknowledged and is lost; the jobs are%s", e, list(jobs))
			}
		}
	}
	if stored > known {
		c.w.fail("%s: %d events are stored of %d that Wix has sent%s", s.id, stored, known, list(jobs))
	}
}

// isOf reports whether a stored event is one of Wix's.
func isOf(stored instance.Event, e *event) bool {
	return stored.Type == e.kind && stored.Plan == e.planOf() && stored.At.Equal(e.at.Truncate(time.Second))
}

// planOf is the plan that an event changes to.
func (e *event) planOf() string {
	if e.kind == "PaidPlanPurchased" {
		return e.plan
	}
	return ""
}

// newest is the time of the newest acknowledged event of a kind.
func (s *site) newest(kind string) (at time.Time) {
	for _, e := range s.events {
		if e.kind == kind && !e.acknowledged.IsZero() && e.at.After(at) {
			at = e.at
		}
	}
	return at
}

// statusOf compares whether the app is installed with what Wix has reported.
func (c *checks) statusOf(s *site) {
	removed, installed := s.newest("AppRemoved"), s.newest("AppInstalled")
	var seen time.Time // each token shows that the app is installed
	for _, t := range s.tokens {
		seen = t.issued
	}
	row, found := c.w.db.stored(s.id)
	switch {
	case !found && removed.IsZero() && installed.IsZero():
	case !found:
		c.w.fail("%s is not stored", s.id)
	case removed.After(installed) && removed.After(seen):
		if !row.RemovedAt.Equal(removed) {
			c.w.fail("%s was removed at %s, and is %s", s.id, c.w.shortly(removed), textOf(row))
		}
	case installed.After(removed):
		if !row.RemovedAt.IsZero() {
			c.w.fail("%s was installed at %s, and is %s", s.id, c.w.shortly(installed), textOf(row))
		}
	}
}

// planOf compares the plan with the truth, where Wix has reported the last change of it.
func (c *checks) planOf(s *site) {
	if !s.installed || s.silent || s.events[len(s.events)-1].acknowledged.IsZero() {
		return
	}
	if !s.newest("AppInstalled").After(s.newest("AppRemoved")) {
		return // both at one moment: a removal counts
	}
	if row, _ := c.w.db.stored(s.id); row.Profile.Plan != instance.NewPlan(s.plan) {
		c.w.fail("%s has plan %q, and is %s, with the plan of %s and the profile of %s", s.id, s.plan, textOf(row), c.w.shortly(row.PlanAt), c.w.shortly(row.ProfileAt))
	}
}

// settingsOf compares the settings with what was saved.
func (c *checks) settingsOf(s *site) {
	row, _ := c.w.db.stored(s.id)
	var stored siteSettings
	_ = json.Unmarshal(row.Settings, &stored) // it is complete, or absent
	for version, title := range c.titles[s.id] {
		if version > row.Version || version == row.Version && stored.Title != title {
			c.w.fail("%s: %q was saved as version %d, and is %s", s.id, title, version, textOf(row))
		}
	}
	if row.Version > 0 && len(s.id) == 36 && !strings.HasPrefix(stored.Title, s.id[35:]+" ") && s.origin == "" && stored.Title != "new" {
		c.w.fail("%s has the settings of another: %s", s.id, textOf(row))
	}
}

// ended compares what is stored with the truth, after a day on which each site was visited.
func (c *checks) ended() {
	for _, s := range c.w.wix.sites {
		row, found := c.w.db.stored(s.id)
		if !s.installed {
			continue
		}
		if !found || !row.RemovedAt.IsZero() || row.Profile.Plan != instance.NewPlan(s.plan) {
			c.w.fail("%s is installed with plan %q, and is %s", s.id, s.plan, textOf(row))
		}
		if row.Profile.SiteDisplayName != s.id {
			c.w.fail("%s has the name %q", s.id, row.Profile.SiteDisplayName)
		}
	}
}

func (s state) String() string {
	return fmt.Sprintf("%s from %s", s.text, s.from.Format("15:04:05.000"))
}
