package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/nametag-dev/nametag/backend/api"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/store/cachestore"
	"github.com/nametag-dev/nametag/backend/store/memstore"
	"github.com/nametag-dev/nametag/backend/wix"
	"github.com/nametag-dev/nametag/backend/wixsim"
	"github.com/nametag-dev/nametag/web"
)

const (
	// maxDemoSessions bounds the demo's memory: beyond it, newcomers wait.
	maxDemoSessions = 1000
	// demoSessionLives is how long an onlooker's instance is kept.
	demoSessionLives = time.Hour
)

// addDemo puts a second, separate composition under demo/: an offline Wix that is
// reached without a socket, and a store that is gone with the process.
func (a *App) addDemo(o *api.Options) error {
	appID, secret := wixsim.NewCredentials()
	// The demo's traffic is of no interest to whoever reads the production log.
	quiet := slog.New(slog.DiscardHandler)
	sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: secret, Logger: quiet})
	if err != nil {
		return err
	}
	store := cachestore.New(memstore.New(), cachestore.Options{Logger: quiet})
	o.Demo, _ = a.compose(composition{
		wixURL: "http://offline-wix.invalid", appID: appID, appSecret: wix.Secret(secret),
		transport: inProcess{sim.REST()}, store: store, retention: demoSessionLives, log: quiet,
	})
	base := o.BasePath + "/demo"
	o.DemoSessions = &demoSessions{
		sim: sim, store: store, now: time.Now, byID: make(map[string]api.DemoSession),
		shape: api.DemoSession{AppID: appID, Tag: widgetTag, WidgetURL: base + "/widget.js", PanelURL: base + "/panel/"},
	}
	o.Home.Demo = &web.DemoData{}
	return nil
}

// demoSessions gives each onlooker an instance of their own, bounded in number and time.
type demoSessions struct {
	sim   *wixsim.Sim
	store instance.Store
	now   func() time.Time
	shape api.DemoSession

	mu   sync.Mutex
	byID map[string]api.DemoSession
}

func (d *demoSessions) Create() (api.DemoSession, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	d.forgetExpired(now)
	if len(d.byID) >= maxDemoSessions {
		return api.DemoSession{}, &instance.Error{Code: instance.CodeRateLimited, RetryAfter: time.Minute}
	}
	installed, err := d.sim.Install(wixsim.InstallRequest{SiteDisplayName: "Bramble & Thyme"})
	if err != nil {
		return api.DemoSession{}, err
	}
	session := d.shape
	session.ID = rand.Text()
	session.InstanceID, session.SiteID = installed.InstanceID, installed.SiteID
	session.ExpiresAt = now.Add(demoSessionLives).UTC().Truncate(time.Second)
	d.byID[session.ID] = session
	return session, nil
}

func (d *demoSessions) forgetExpired(now time.Time) {
	for id, session := range d.byID {
		if now.After(session.ExpiresAt) {
			delete(d.byID, id)
			d.sim.Uninstall(session.InstanceID)
			_ = d.store.Delete(context.Background(), session.InstanceID) // memory: cannot fail
		}
	}
}

func (d *demoSessions) find(id string) (api.DemoSession, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	session, ok := d.byID[id]
	if !ok || d.now().After(session.ExpiresAt) {
		return api.DemoSession{}, &instance.Error{Code: instance.CodeNotFound}
	}
	return session, nil
}

func (d *demoSessions) Token(id, subject string) (api.DemoToken, error) {
	session, err := d.find(id)
	if err != nil {
		return api.DemoToken{}, err
	}
	token, expires, err := d.sim.Mint(wixsim.TokenRequest{
		Subject: subject, InstanceID: session.InstanceID, TTL: session.ExpiresAt.Sub(d.now()),
	})
	if err != nil {
		return api.DemoToken{}, err
	}
	return api.DemoToken{Token: token, ExpiresAt: expires}, nil
}

func (d *demoSessions) Calls(id string) ([]api.DemoCall, error) {
	session, err := d.find(id)
	if err != nil {
		return nil, err
	}
	calls := []api.DemoCall{}
	for _, c := range d.sim.Calls() {
		if c.InstanceID == session.InstanceID {
			calls = append(calls, api.DemoCall{
				Method: c.Method, Path: c.Path, Status: c.Status, At: c.At,
				DurationMs: float64(c.Duration) / float64(time.Millisecond),
			})
		}
	}
	return calls, nil
}

// inProcess is an http.RoundTripper that calls a handler instead of the network.
type inProcess struct{ handler http.Handler }

func (t inProcess) RoundTrip(r *http.Request) (_ *http.Response, err error) {
	defer func() {
		if v := recover(); v == http.ErrAbortHandler {
			err = io.ErrUnexpectedEOF // what a cut connection is on a real network
		} else if v != nil {
			panic(v)
		}
	}()
	answer := &answer{header: make(http.Header), status: http.StatusOK}
	request := r.Clone(r.Context())
	if request.Body == nil {
		request.Body = http.NoBody
	}
	request.RequestURI = r.URL.RequestURI()
	t.handler.ServeHTTP(answer, request)
	return &http.Response{
		StatusCode: answer.status, Status: http.StatusText(answer.status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: answer.header, Body: io.NopCloser(&answer.body), ContentLength: int64(answer.body.Len()),
		Request: r,
	}, nil
}

// answer keeps what a handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
