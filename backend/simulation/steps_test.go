package simulation

// What happens in a run: the plan, which follows from the seed alone, and how it is carried
// out.

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// step is one thing that is begun at a moment of the run.
type step struct {
	at            time.Duration
	what          string
	site, replica int
	// n is for everything else that has to be chosen.
	n uint64
}

// kinds are the steps, each as often as it is likely.
func kinds() []string {
	var all []string
	for _, k := range []struct {
		what string
		of   int
	}{
		{"visit", 34}, {"data", 5}, {"save", 6}, {"repeat", 4},
		{"change", 18}, {"buy", 8}, {"copy", 1},
		{"die", 5}, {"stop", 1}, {"lose", 6}, {"regain", 4}, {"clock", 3}, {"database", 4}, {"wix", 4}, {"burst", 1},
	} {
		all = append(all, slices.Repeat([]string{k.what}, k.of)...)
	}
	return all
}

// plan is what happens, by time. What Wix reports happens in whole tens of seconds, so that
// there are few different webhooks, and some events at the same moment.
func (w *world) plan() []step {
	all := kinds()
	plan := []step{{0, "change", 0, 0, 1}, {0, "change", 1, 0, 2}}
	for range steps {
		s := step{
			at:   time.Duration(w.random.Int64N(int64(chaos))),
			what: all[w.random.IntN(len(all))],
			site: w.random.IntN(sites), replica: w.random.IntN(replicas), n: w.random.Uint64(),
		}
		switch s.what {
		case "change", "buy", "copy":
			s.at = s.at.Truncate(10 * time.Second)
		}
		plan = append(plan, s)
	}
	slices.SortStableFunc(plan, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	return plan
}

// live carries out the plan.
func (w *world) live(plan []step) {
	for _, s := range plan {
		time.Sleep(s.at - w.since(time.Now()))
		if w.failed() {
			return
		}
		r := w.replica(s.replica)
		switch s.what {
		case "change":
			what := "install"
			if w.wix.installed(s.site) {
				what = "remove"
			}
			w.report(w.wix.change(s.site, what, "", ""), s.n)
		case "buy":
			what, plan := "buy", []string{"", "gold", "silver"}[s.n%3]
			if s.n%7 == 0 {
				what = "cancel"
			}
			w.report(w.wix.change(s.site, what, plan, ""), s.n)
		case "copy":
			w.report(w.wix.change(sites+int(s.n%copies), "install", "", siteID(s.site)), s.n)
		case "visit", "data", "save":
			w.tasks.Go(func() { w.call(r, s) })
		case "burst":
			w.tasks.Go(func() { w.burst(r, s) })
		case "repeat":
			w.tasks.Go(func() { w.repeat(r, s) })
		case "die":
			r.mu.Lock()
			r.dies = []string{"before", "after"}[s.n%2]
			r.mu.Unlock()
			w.restartLater(s.replica, time.Duration(s.n%20)*time.Second)
		case "stop":
			w.tasks.Go(func() { w.log("replica %s stops", r); r.close() })
			w.restartLater(s.replica, time.Duration(s.n%20)*time.Second)
		case "lose":
			r.lose(time.Duration(s.n % uint64(4*time.Second)))
		case "regain":
			r.regain()
		case "clock":
			ahead := time.Duration(s.n%uint64(4*time.Hour)) - 2*time.Hour
			if s.n%3 == 0 {
				ahead /= 1000
			}
			w.log("the clock of replica %s is set %v ahead", r, ahead)
			r.ahead.Store(int64(ahead))
		case "database":
			r.mu.Lock()
			r.fault, r.faultEnds = []string{"down", "down", "unheard"}[s.n%3], time.Now().Add(time.Duration(s.n/3%15)*time.Second)
			w.log("replica %s finds the database %s for %v", r, r.fault, time.Until(r.faultEnds))
			r.mu.Unlock()
		case "wix":
			fault, lasts := []string{"500", "503", "429", "cut", "hang", "html"}[s.n%6], time.Duration(s.n/6%30)*time.Second
			w.log("Wix fails with %s for %v", fault, lasts)
			w.wix.setFault(fault, lasts)
		}
	}
	time.Sleep(chaos - w.since(time.Now()))
}

// restartLater starts another replica in the place of one that is dead by then, or that is
// to die and has not found an occasion.
func (w *world) restartLater(n int, after time.Duration) {
	time.AfterFunc(after+time.Millisecond+w.spread(time.Second, "restart", n), func() {
		w.replica(n).kill()
		w.startReplica(n)
	})
}

// report lets Wix deliver an event.
func (w *world) report(e *event, n uint64) {
	if e == nil {
		return
	}
	lost, bad := n%11 == 0, n%11 == 1 && n%5 == 0
	w.wix.mark(e, lost, bad)
	w.log("Wix: %v, lost: %t, bad: %t", e, lost, bad)
	if lost {
		return
	}
	delay := time.Duration(n % uint64(3*time.Second))
	switch n / 100 % 5 {
	case 0:
		delay = time.Duration(n % uint64(chaos)) // late
	case 1:
		delay = chaos + time.Duration(n%uint64(10*time.Second)) // after everything else
	}
	w.tasks.Go(func() {
		for try := 0; ; try++ {
			time.Sleep(delay)
			if w.deliver(w.replica(int(w.spread(replicas, "to", e.instance, e.kind))), e) || try > 200 {
				return
			}
			delay = 10*time.Second + w.spread(20*time.Second, "retry", e.instance, e.kind)
		}
	})
}

// deliver sends an event to a replica and reports whether it was acknowledged.
func (w *world) deliver(r *replica, e *event) bool {
	status, _ := r.ask(1250*time.Millisecond, "POST", "/webhooks/wix", e.jwt)
	w.log("delivered to %s: %v: %d", r, e, status)
	if status != 200 {
		return false
	}
	w.checks.acknowledged(e)
	return true
}

// repeat delivers an event of a site once more.
func (w *world) repeat(r *replica, s step) {
	if all := w.wix.delivered(s.site); len(all) > 0 {
		w.deliver(r, all[s.n%uint64(len(all))])
	}
}

// tokenFor is a new token, or one that was made before.
func (w *world) tokenFor(s step) (token, bool) {
	owner := s.what == "save" || s.n%4 == 0
	if s.what != "save" && s.n/10%5 < 3 {
		if t, found := w.wix.old(s.site, s.n/1000); found {
			return t, true
		}
	}
	return w.wix.mint(s.site, owner)
}

// patience is how long a browser waits.
const patience = 60 * time.Second

// call is the call of a browser: a visit, the relay of Wix's app instance, or a setting.
func (w *world) call(r *replica, s step) {
	t, found := w.tokenFor(s)
	if !found {
		return
	}
	switch s.what {
	case "visit":
		w.visit(r, t)
	case "data":
		begun := time.Now()
		status, text := r.ask(patience, "GET", "/api/get-instance-data", "", "Authorization", t.text)
		w.log("data of %s by %s at %s: %d", t.instance[35:], t.text, r, status)
		if status == 200 {
			w.checks.admitted(r, t, begun)
			w.checks.relayed(t, text)
		}
	case "save":
		w.save(r, t)
	}
}

// visit is a call of get-instance.
func (w *world) visit(r *replica, t token) int {
	begun, bound := time.Now(), r.bound()
	status, text := r.ask(patience, "GET", "/api/get-instance", "", "Authorization", t.text)
	shown := ""
	if status == 200 {
		shown = text
	}
	w.log("visit of %s by %s, issued %s, at %s: %d %s", t.instance[35:], t.text, w.shortly(t.issued), r, status, shown)
	if status == 200 {
		w.checks.admitted(r, t, begun)
		w.checks.shown(r, t, text, begun, bound)
	}
	return status
}

// save changes the settings of a site.
func (w *world) save(r *replica, t token) {
	status, text := r.ask(patience, "GET", "/api/settings", "", "Authorization", t.text)
	if status != 200 {
		return
	}
	var now struct {
		Settings siteSettings
		Version  int64
	}
	if err := json.Unmarshal([]byte(text), &now); err != nil {
		w.fail("the settings of %s are %s", t.instance, text)
		return
	}
	title := fmt.Sprintf("%s %d at %s", t.instance[35:], now.Version+1, r)
	body := encode(siteSettings{title})
	status, _ = r.ask(patience, "PUT", "/api/settings", body, "Authorization", t.text,
		"Content-Type", "application/json", "If-Match", fmt.Sprintf(`"%d"`, now.Version))
	w.log("save of %q by %s at %s: %d", title, t.text, r, status)
	if status == 200 {
		w.checks.saved(t.instance, now.Version+1, title)
	}
}

// burst is an app that calls Wix far more often than it may.
func (w *world) burst(r *replica, s step) {
	if !w.wix.installed(s.site) {
		return
	}
	id := siteID(s.site)
	client := r.verifier.Client(id)
	w.log("replica %s calls Wix for %s without end", r, id[35:])
	for n := range 150 {
		if r.dead.Load() {
			return
		}
		w.tasks.Go(func() {
			if w.mutant == forgetsBudget {
				defer w.forgotten(r, s)()
			}
			resp, err := client.Get(fmt.Sprintf("%s/stores/v1/products/%d", wixURL, n))
			if err == nil {
				_, _ = io.Copy(io.Discard, resp.Body) // it is in memory
				resp.Body.Close()
			}
		})
		time.Sleep(150 * time.Millisecond)
	}
}

// calm lets everything be as it should be.
func (w *world) calm() {
	w.log("calm")
	w.wix.setFault("", 0)
	time.Sleep(25 * time.Second) // all that die have died, and are there again
	for _, r := range w.all() {
		r.mu.Lock()
		r.faultEnds, r.dies = time.Time{}, ""
		r.mu.Unlock()
		r.ahead.Store(0)
		r.regain()
	}
}

// settle waits until what has come is done, and compares the end with the truth.
func (w *world) settle() {
	w.stop()
	if w.failed() {
		return
	}
	// A clock may have been two hours ahead, and a failure rests up to an hour.
	for range 3 {
		time.Sleep(100 * time.Minute)
		w.awake(func(*replica) {})
	}
	w.mend()
	w.checks.settled()
	w.awake(func(r *replica) {
		for _, s := range w.wix.sites {
			if t, installed := w.wix.mint(s.n, false); installed {
				if status := w.visit(r, t); status != 200 {
					w.fail("at the end, a new token of %s gets %d", s.id, status)
				}
			}
			for _, t := range s.tokens {
				if !w.wix.active(t) {
					w.visit(r, t)
				}
			}
		}
	})
	time.Sleep(25 * time.Hour) // what no event reported is read once a day
	w.awake(func(r *replica) {
		for _, s := range w.wix.sites {
			if t, installed := w.wix.mint(s.n, false); installed {
				w.visit(r, t)
			}
		}
	})
	w.checks.ended()
}

// mend waits until the events that cannot be applied are dead letters, and mends them. They
// start again as the command instances retry does it.
func (w *world) mend() {
	bad := w.wix.bad()
	if len(bad) == 0 {
		return
	}
	for _, rest := range []time.Duration{5 * time.Hour, 15 * time.Hour, 25 * time.Hour, 35 * time.Hour} {
		time.Sleep(rest)
		w.awake(func(*replica) {})
	}
	w.checks.buried(bad)
	for _, e := range bad {
		w.wix.mark(e, false, false)
	}
	if again, err := w.db.Rearm(context.Background(), "", time.Now(), 100); err != nil || len(again) < len(bad) {
		w.fail("of %d dead letters %d start again, %v", len(bad), len(again), err)
	}
	w.awake(func(*replica) {})
}

// awake has one replica for a while. In the hours between there is none, because an idle
// one wakes up each second.
func (w *world) awake(f func(*replica)) {
	f(w.startReplica(0))
	time.Sleep(20 * time.Second)
	w.stop()
}

// stop ends all replicas in good order, when nothing is about to begin. It ends at a full
// minute, however long the replicas took.
func (w *world) stop() {
	w.tasks.Wait()
	time.Sleep(time.Second)
	for _, r := range w.all() {
		if !r.dead.Load() {
			r.close()
		}
	}
	w.tasks.Wait()
	time.Sleep(time.Minute - w.since(time.Now())%time.Minute)
}

// list is a list, for a fault.
func list[T any](all []T) string {
	var b strings.Builder
	for _, v := range all {
		b.WriteString("\n\t\t" + encode(v))
	}
	return b.String()
}
