package app

// What a server notices about its own set-up while it runs: it asks Wix about its credentials
// and fetches its own widget.js from the public URL, in the background, and it looks at what
// the tokens and webhooks that come show. What is wrong is logged once, with the variable to
// change; /install shows all of it.

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nametag-dev/nametag/backend/api"
	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/doctor"
	"github.com/nametag-dev/nametag/backend/wix"
	"github.com/nametag-dev/nametag/web"
)

const (
	// firstRetry is the pause after a probe that found a fault or no answer. It doubles up to
	// maxRetry.
	firstRetry = 5 * time.Second
	maxRetry   = 15 * time.Minute
	// probeTimeout bounds one probe.
	probeTimeout = 30 * time.Second
	// patience is how often in a row something may not answer before it is said: a balancer
	// may need a moment to find a new process.
	patience = 3
	// burst is how many refusals, with nothing accepted, are a fault of the set-up.
	burst = 3
	// glanceEvery is how exactly the times are known at which something came last.
	glanceEvery = 10 * time.Second
	// freshFor and settledFor are how old a probe may be that /install shows, while something
	// is wrong and while nothing is.
	freshFor   = time.Minute
	settledFor = 10 * time.Minute
)

// watchOptions are what a watch is made of.
type watchOptions struct {
	// wix and public are what is probed. lastVisited finds an installation for it.
	wix         doctor.WixOptions
	public      doctor.PublicOptions
	lastVisited func(context.Context) (string, error)
	basePath    string
	log         *slog.Logger
	// retry is firstRetry, or shorter in tests.
	retry time.Duration
}

// watch notices faults of the set-up.
type watch struct {
	o watchOptions
	// host, api, hook and script are where requests are expected: the public URL's host, the
	// path of the API with a slash at its end, the paths of webhooks and of widget.js.
	host, api, hook, script string

	// These are noted on the way of requests, without a lock.
	tokens, webhooks           sighting
	foreign, inactive, refused atomic.Int64
	// classic is set while the latest page that loaded widget.js did so as a classic script.
	classic atomic.Bool
	// refusedAt is when Wix last refused the app itself, in Unix seconds.
	refusedAt atomic.Int64
	// otherHost is a host that callers of the API use in place of the public URL's, and
	// astray the path of a webhook to which nothing answers. Only the first is noted.
	otherHost, astray atomic.Pointer[string]

	mu sync.Mutex // guards the fields below, and o.wix
	// answer and reached are what the latest probe found, at the time probed.
	answer  doctor.WixAnswer
	reached doctor.Finding
	probed  time.Time
	// away and unreached count the probes in a row without an answer.
	away, unreached int
	// said has the variables that were named last for each check.
	said map[string]string
	// withInstallation is set once the first token has led to another probe.
	withInstallation bool

	wake, look chan struct{}
	stop       context.CancelFunc
	done       chan struct{}
}

// sighting is something that comes often: noting it costs no time, which date knows.
type sighting struct {
	fresh  atomic.Bool
	latest atomic.Int64 // Unix seconds, or 0
}

// note reports whether it is the first since the last date.
func (s *sighting) note() bool { return !s.fresh.Load() && !s.fresh.Swap(true) }

func (s *sighting) date(now time.Time) {
	if s.fresh.Swap(false) {
		s.latest.Store(now.Unix())
	}
}

func (s *sighting) any() bool { return s.fresh.Load() || s.latest.Load() != 0 }

// ago says when it was last, after a date. The exact time is nobody's business.
func (s *sighting) ago(now time.Time) string {
	switch d := now.Sub(time.Unix(s.latest.Load(), 0)); {
	case d < time.Minute:
		return "less than a minute ago"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min ago", int(d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours ago", int(d/time.Hour))
	default:
		return fmt.Sprintf("%d days ago", int(d/(24*time.Hour)))
	}
}

func newWatch(o watchOptions) *watch {
	o.retry = cmp.Or(o.retry, firstRetry)
	w := &watch{
		o: o, api: o.basePath + "/api/", hook: o.basePath + "/webhooks/wix", script: o.basePath + "/widget.js", said: map[string]string{},
		wake: make(chan struct{}, 1), look: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if u, err := url.Parse(o.public.URL); err == nil {
		w.host = u.Host
	}
	return w
}

// start probes in the background until close.
func (w *watch) start() {
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	go func() {
		defer close(w.done)
		w.run(ctx)
	}()
}

func (w *watch) close() error {
	w.stop()
	<-w.done
	return nil
}

// reloaded takes the secrets of a configuration that has been read again, and lets the
// webhooks show whether the public keys are right now.
func (w *watch) reloaded(secret, old wix.Secret) {
	w.mu.Lock()
	w.o.wix.AppSecret, w.o.wix.OldSecret = secret, old
	delete(w.said, doctor.Webhooks)
	w.mu.Unlock()
	w.refused.Store(0)
	nudge(w.wake)
}

// nudge wakes the goroutine at the other end, if it is not awake anyway.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run probes until there is nothing wrong, and then when it is asked to.
func (w *watch) run(ctx context.Context) {
	glance := time.NewTicker(glanceEvery)
	defer glance.Stop()
	next := time.NewTimer(0)
	defer next.Stop()
	pause := w.o.retry
	for {
		select {
		case <-ctx.Done():
			return
		case <-glance.C:
			w.glance(time.Now())
			continue
		case <-w.look:
			w.glance(time.Now())
			continue
		case <-w.wake:
		case <-next.C:
		}
		if settled := w.probe(ctx); settled {
			next.Stop()
			pause = w.o.retry
			continue
		}
		next.Reset(pause)
		pause = min(2*pause, maxRetry)
	}
}

// probe asks Wix and the public URL, and reports whether nothing is wrong.
func (w *watch) probe(ctx context.Context) (settled bool) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	w.mu.Lock()
	o := w.o.wix
	w.mu.Unlock()
	o.InstanceID, _ = w.o.lastVisited(ctx) // without one, less is tried
	answer, reached := doctor.AskWix(ctx, o), doctor.Reach(ctx, w.o.public)
	if ctx.Err() != nil {
		return false
	}
	w.mu.Lock()
	w.answer, w.reached, w.probed = answer, reached, time.Now()
	w.away, w.unreached = w.away+1, w.unreached+1
	if answer.Pair != doctor.PairAway {
		w.away = 0
	}
	if reached.State != doctor.Fault {
		w.unreached = 0
	}
	settled = w.away == 0 && w.unreached == 0
	w.mu.Unlock()
	w.glance(time.Now())
	return settled
}

// glance notes the time of what came, and logs what is wrong.
func (w *watch) glance(now time.Time) {
	w.tokens.date(now)
	w.webhooks.date(now)
	w.mu.Lock()
	defer w.mu.Unlock()
	credentials := doctor.Finding{State: doctor.Skipped}
	if !w.probed.IsZero() {
		credentials = w.answer.Credentials(w.seen())
		w.say(credentials, true)
		w.say(w.answer.Permission(), true)
		w.say(w.answer.Clock(), true)
		w.say(w.answer.Reached(), w.away >= patience)
		w.say(w.publicAddress(), w.unreached >= patience || w.otherHost.Load() != nil)
		// The first token shows an installation, with which more can be tried.
		if w.tokens.any() && w.answer.Access == doctor.AccessUnknown && !w.withInstallation {
			w.withInstallation = true
			nudge(w.wake)
		}
	}
	if credentials.State != doctor.Fault { // or it is said already
		w.say(w.ofTokens(now), w.foreign.Load()+w.inactive.Load() >= burst)
	}
	webhooks := w.ofWebhooks(now)
	if path := w.astray.Load(); path != nil {
		webhooks.Saw += fmt.Sprintf(" (%q)", *path)
	}
	if !slices.Equal(webhooks.Variables, []string{doctor.AppID}) { // or it is said already
		w.say(webhooks, w.refused.Load() >= burst || w.astray.Load() != nil)
	}
}

// say logs a fault when it is time to, once until other variables are to blame, and its end.
// The caller has locked the watch.
func (w *watch) say(f doctor.Finding, time bool) {
	variables := cmp.Or(strings.Join(f.Variables, ", "), "none")
	switch before := w.said[f.Check]; {
	case f.State == doctor.Fault && time && before != variables:
		w.said[f.Check] = variables
		level := slog.LevelWarn
		if f.Check == doctor.Credentials || f.Check == doctor.Permission {
			level = slog.LevelError
		}
		w.o.log.Log(context.Background(), level, "the set-up is wrong", "check", f.Check, "variable", variables, "saw", f.Saw, "do", f.Do)
	case f.State == doctor.OK && before != "":
		delete(w.said, f.Check)
		w.o.log.Info("the set-up is right again", "check", f.Check, "saw", f.Saw)
	}
}

func (w *watch) seen() doctor.TokensSeen {
	return doctor.TokensSeen{Accepted: w.tokens.any(), Foreign: w.foreign.Load() > 0}
}

// publicAddress is what the probe found, with what callers show of it. The caller has locked
// the watch.
func (w *watch) publicAddress() doctor.Finding {
	f := w.reached
	if host := w.otherHost.Load(); host != nil && f.State == doctor.Fault {
		f.Saw += "; callers of the API use the host " + *host
	}
	return f
}

// ofTokens is what the tokens that came show. The caller has locked the watch.
func (w *watch) ofTokens(now time.Time) doctor.Finding {
	f := doctor.Finding{Check: doctor.Tokens, State: doctor.Fault}
	switch foreign := w.foreign.Load(); {
	case w.tokens.any():
		f.State, f.Saw = doctor.OK, "the last one was accepted "+w.tokens.ago(now)
	case foreign > 0:
		f.Saw = fmt.Sprintf("all that came since the start (%d) are another app's", foreign)
		f.Variables = []string{doctor.AppID}
		if w.answer.Pair == doctor.PairAccepted {
			f.Variables = append(f.Variables, doctor.AppSecret)
		}
		f.Do = "Copy " + strings.Join(f.Variables, " and ") + " from the OAuth page of the app that the site has, and restart"
	case w.inactive.Load() >= burst && w.o.wix.BaseURL != wix.DefaultBaseURL:
		f.Saw = "Wix accepts none of those that came since the start"
		f.Variables = []string{doctor.WixURL}
		f.Do = "Check " + doctor.WixURL + ": the Wix that it names knows only tokens of its own"
	default:
		f.State, f.Saw = doctor.Skipped, "none has come since the start"
		f.Do = "Open a page with the widget, or its settings in the editor"
	}
	return f
}

// ofWebhooks is what the webhooks that came show.
func (w *watch) ofWebhooks(now time.Time) doctor.Finding {
	f := doctor.Finding{Check: doctor.Webhooks, State: doctor.Fault}
	path := w.astray.Load()
	switch refused := w.refused.Load(); {
	case w.webhooks.any():
		f.State, f.Saw = doctor.OK, "the last one was accepted "+w.webhooks.ago(now)
	case refused > 0 && w.foreign.Load() > 0 && !w.tokens.any():
		f.Saw = fmt.Sprintf("none was accepted since the start, and %d refused: they are another app's, as the tokens are", refused)
		f.Variables = []string{doctor.AppID}
		f.Do = "Correct " + doctor.AppID + " first"
	case refused > 0:
		f.Saw = fmt.Sprintf("none was accepted since the start, and %d refused: they are not signed for %s, or are old", refused, doctor.PublicKey)
		f.Variables = []string{doctor.PublicKey}
		f.Do = "Copy " + doctor.PublicKey + " from the Webhooks page of the app dashboard again (Get Public Key), and restart"
	case path != nil && strings.TrimSuffix(*path, "/") == w.hook:
		f.Saw = "they come, and are not taken, because " + doctor.PublicKey + " is not set"
		f.Variables = []string{doctor.PublicKey}
		f.Do = "Set " + doctor.PublicKey + " to the key on the Webhooks page of the app dashboard (Get Public Key), and restart"
	case path != nil:
		f.Saw, f.Do = "one came to a path where none is taken", "Enter "+w.o.public.URL+"/webhooks/wix at the webhook in the app dashboard"
	case !w.o.public.Webhooks:
		f.State, f.Saw = doctor.Warning, "they are not taken, because "+doctor.PublicKey+" is not set"
		f.Variables = []string{doctor.PublicKey}
		f.Do = "Create the webhook in the app dashboard, set " + doctor.PublicKey + " to the key that it shows, and restart"
	default:
		f.State, f.Saw = doctor.Skipped, "none has come since the start"
		f.Do = "Press Trigger test at the webhook in the app dashboard, or install the app on a site"
	}
	return f
}

// state is what /install shows to anyone: what strangers sent is not in it.
func (w *watch) state() web.InstallState {
	now := time.Now()
	w.glance(now)
	w.mu.Lock()
	defer w.mu.Unlock()
	age, limit := now.Sub(w.probed), settledFor
	if w.away+w.unreached > 0 || w.answer.Pair != doctor.PairAccepted {
		limit = freshFor
	}
	if !w.probed.IsZero() && age >= limit {
		nudge(w.wake)
	}
	findings := []doctor.Finding{doctor.Skip(doctor.Credentials, "Wix is being asked"), doctor.Skip(doctor.PublicAddress, "it is being tried")}
	if !w.probed.IsZero() {
		findings = []doctor.Finding{w.answer.Credentials(w.seen()), doctor.Usable(w.reached, w.o.public)}
		for _, f := range []doctor.Finding{w.answer.Reached(), w.answer.Clock(), w.answer.Permission()} {
			if f.State == doctor.Fault {
				findings = append(findings, f)
			}
		}
	}
	s := web.InstallState{AppID: w.o.wix.AppID}
	findings = append(findings, w.ofScript()...)
	for _, f := range append(findings, w.ofTokens(now), w.ofWebhooks(now)) {
		s.Findings = append(s.Findings, web.Finding{Check: f.Check, State: string(f.State), Saw: f.Saw, Do: f.Do, Variables: f.Variables})
	}
	return s
}

// observe learns of each answered request.
func (w *watch) observe(o api.Observation) {
	if o.Code == "" && o.Status < http.StatusBadRequest {
		switch {
		case strings.HasPrefix(o.Route, w.api) && o.Method != http.MethodOptions:
			if w.tokens.note() && w.tokens.latest.Load() == 0 {
				nudge(w.look)
			}
		case o.Method == http.MethodPost && strings.HasPrefix(o.Route, w.hook):
			w.webhooks.note()
		}
		return
	}
	var count *atomic.Int64
	switch o.Code {
	case apierr.AppCredentialsRefused.Name, apierr.AppPermissionMissing.Name:
		w.askAgain(time.Now())
		return
	case apierr.TokenForeign.Name:
		count = &w.foreign
	case apierr.TokenInactive.Name:
		count = &w.inactive
	case apierr.WebhookRefused.Name:
		count = &w.refused
	default:
		return
	}
	if !strings.HasPrefix(o.Route, w.api) && !strings.HasPrefix(o.Route, w.hook) {
		return // the demo's
	}
	if n := count.Add(1); n == 1 || n == burst {
		nudge(w.look)
	}
}

// askAgain has Wix asked again, once in a while, since it has refused the app itself.
func (w *watch) askAgain(now time.Time) {
	last := w.refusedAt.Load()
	if now.Unix()-last >= int64(freshFor/time.Second) && w.refusedAt.CompareAndSwap(last, now.Unix()) {
		nudge(w.wake)
	}
}

// requests looks at where requests are sent to, before next answers them.
func (w *watch) requests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Host != w.host && w.otherHost.Load() == nil {
			w.lookAtHost(r)
		}
		if r.Method == http.MethodPost && !strings.HasPrefix(r.URL.Path, w.api) && w.astray.Load() == nil {
			w.lookForWebhook(r)
		}
		if r.URL.Path == w.script {
			w.lookAtScript(r)
		}
		next.ServeHTTP(rw, r)
	})
}

// lookAtHost notes the host of a request for the API. Through a proxy that writes its own, it
// says nothing; so the public URL is tried.
func (w *watch) lookAtHost(r *http.Request) {
	host := r.Host
	if strings.EqualFold(host, w.host) || !strings.HasPrefix(r.URL.Path, w.api) || r.Header.Get("Authorization") == "" || !plain(host) {
		return
	}
	if w.otherHost.CompareAndSwap(nil, &host) {
		nudge(w.wake)
	}
}

// lookForWebhook notes a webhook of Wix at a path that takes none. Its body is a bare JWT;
// strangers who try out paths send other things.
func (w *watch) lookForWebhook(r *http.Request) {
	path := r.URL.Path
	taken := w.o.public.Webhooks && strings.TrimSuffix(path, "/") == w.hook
	if taken || !strings.Contains(strings.ToLower(path), "webhook") || !plain(path) {
		return
	}
	body := bufio.NewReaderSize(r.Body, 16)
	start, _ := body.Peek(len("eyJ"))
	r.Body = struct {
		io.Reader
		io.Closer
	}{body, r.Body}
	if string(start) == "eyJ" && w.astray.CompareAndSwap(nil, &path) {
		nudge(w.look)
	}
}

// lookAtScript notes how a page loads widget.js: browsers fetch a module with CORS, and a
// classic script without, unless it has the attribute crossorigin.
func (w *watch) lookAtScript(r *http.Request) {
	if r.Header.Get("Sec-Fetch-Dest") != "script" {
		return
	}
	if classic := r.Header.Get("Sec-Fetch-Mode") == "no-cors"; w.classic.Load() != classic {
		w.classic.Store(classic)
	}
}

// ofScript is what the loads of widget.js show, if anything is wrong with them.
func (w *watch) ofScript() []doctor.Finding {
	if !w.classic.Load() {
		return nil
	}
	return []doctor.Finding{{
		Check: doctor.ScriptType, State: doctor.Warning,
		Saw: "the latest page that loaded widget.js did so as a classic script, as which it does not run: the widget stays blank",
		Do:  "Choose ES module as the script type of the site widget in the app dashboard",
	}}
}

// plain reports whether text of a stranger is short and has nothing odd in it.
func plain(text string) bool {
	return len(text) <= 100 && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/._~-:[]", r)
	})
}
