package simulation

// A model of Wix: which sites have the app, with which plan, whose tokens are valid, and
// the webhooks that follow. It is the truth that the replicas are held to.

import (
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	appID     = "aaaaaaaa-0000-4000-8000-000000000001"
	appSecret = "bbbbbbbb-0000-4000-8000-000000000002"
	wixURL    = "http://wix.invalid"
	tokenLife = 4 * time.Hour
)

// siteID is the id of the instance on a site. It is the same in every run, so that a
// webhook has to be signed only once.
func siteID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// site is one site.
type site struct {
	n         int
	id        string
	installed bool
	removedAt time.Time // the last removal
	plan      string
	// silent is set while the plan is another one than the last event said.
	silent bool
	origin string
	events []*event
	tokens []token
}

// token is an access token of a visitor or of the owner.
type token struct {
	text, instance string
	owner          bool
	issued, ends   time.Time
}

// event is one of Wix's, and what became of it.
type event struct {
	instance, kind, plan, origin string
	at                           time.Time
	jwt                          string
	// lost is one that Wix never delivers, bad one that cannot be applied until it is mended.
	lost, bad bool
	// acknowledged is when a replica first answered 200.
	acknowledged time.Time
}

func (e *event) String() string { return fmt.Sprintf("%s of %s %s", e.kind, e.instance[35:], e.plan) }

// fakeWix is the model. Its way into the replicas is in steps_test.go.
type fakeWix struct {
	w *world

	mu    sync.Mutex
	sites []*site
	byID  map[string]*site
	known map[string]token
	// apps are the app's own tokens, by text.
	apps map[string]string
	// fault is what every call meets, until faultEnds.
	fault     string
	faultEnds time.Time
}

func newWix(w *world) *fakeWix {
	x := &fakeWix{w: w, byID: map[string]*site{}, known: map[string]token{}, apps: map[string]string{}}
	for n := range sites + copies {
		s := &site{n: n, id: siteID(n)}
		x.sites, x.byID[s.id] = append(x.sites, s), s
	}
	return x
}

// change changes a site and returns the event that reports it, or nil where there is none.
func (x *fakeWix) change(n int, what string, plan, origin string) *event {
	x.mu.Lock()
	defer x.mu.Unlock()
	s, now := x.sites[n], time.Now()
	e := &event{instance: s.id, at: now}
	switch what {
	case "install":
		if s.installed {
			return nil
		}
		s.installed, s.plan, s.silent = true, "", false
		if s.origin == "" {
			s.origin = origin
		}
		e.kind, e.origin = "AppInstalled", s.origin
	case "remove":
		if !s.installed {
			return nil
		}
		s.installed, s.removedAt = false, now
		e.kind = "AppRemoved"
	case "buy":
		if !s.installed || s.plan == plan {
			return nil
		}
		s.plan, s.silent = plan, plan == ""
		if plan == "" {
			return nil // Wix names no event for the end of a plan
		}
		e.kind, e.plan = "PaidPlanPurchased", plan
	case "cancel":
		if !s.installed || s.plan == "" {
			return nil
		}
		e.kind, e.plan = "PaidPlanAutoRenewalCancelled", s.plan
	}
	e.jwt = sign(e)
	s.events = append(s.events, e)
	return e
}

// mint makes a token, if the app is installed.
func (x *fakeWix) mint(n int, owner bool) (token, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.sites[n]
	if !s.installed {
		return token{}, false
	}
	issued := time.Now().Truncate(time.Second) // the precision of iat
	t := token{text: fmt.Sprintf("token-%d-%d", n, len(s.tokens)), instance: s.id, owner: owner, issued: issued, ends: issued.Add(tokenLife)}
	s.tokens = append(s.tokens, t)
	x.known[t.text] = t
	return t, true
}

// old returns one of the tokens that were made before, if there is one.
func (x *fakeWix) old(n int, pick uint64) (token, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := x.sites[n].tokens
	if len(all) == 0 {
		return token{}, false
	}
	return all[pick%uint64(len(all))], true
}

// active reports whether a token is valid: the app was on the site all the time since.
func (x *fakeWix) active(t token) bool {
	s := x.byID[t.instance]
	return s.installed && t.issued.After(s.removedAt) && time.Now().Before(t.ends)
}

func (x *fakeWix) installed(n int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.sites[n].installed
}

// delivered returns the events of a site that Wix delivers.
func (x *fakeWix) delivered(n int) (all []*event) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range x.sites[n].events {
		if !e.lost {
			all = append(all, e)
		}
	}
	return all
}

// mark says what becomes of an event.
func (x *fakeWix) mark(e *event, lost, bad bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e.lost, e.bad = lost, bad
}

// bad returns the events that cannot be applied and may have reached a replica.
func (x *fakeWix) bad() (all []*event) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, s := range x.sites {
		for _, e := range s.events {
			if e.bad && !e.lost {
				all = append(all, e)
			}
		}
	}
	return all
}

func (x *fakeWix) setFault(kind string, lasts time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.fault, x.faultEnds = kind, time.Now().Add(lasts)
}

// transport is a replica's way to Wix.
type transport struct {
	x *fakeWix
	r *replica
}

// RoundTrip is one call. A client waits a random time before it tries again, so a call is
// answered in the second after the one in which it was made, at a moment that follows from
// the seed; an answer that may be followed by another try comes early in its second.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body) // it is in memory
		r.Body.Close()
	}
	if t.r.dead.Load() {
		return nil, errDead
	}
	instance, about := t.x.about(r, body)
	begun := time.Now()
	wait := begun.Truncate(time.Second).Add(time.Second).Sub(begun) +
		t.x.w.spread(600*time.Millisecond, "wix", t.r.n, t.r.life, r.URL.Path, about)
	if err := pause(r, wait); err != nil {
		return nil, err
	}
	resp, err := t.x.answer(r, body)
	if t.r.dead.Load() {
		return nil, errDead
	}
	if r.URL.Path != "/oauth2/token-info" {
		t.x.w.checks.called(t.r, instance, begun, err == nil && resp.StatusCode < 500)
	}
	return resp, err
}

// about returns the instance that a call is about, and what makes it different from others.
func (x *fakeWix) about(r *http.Request, body []byte) (instance, about string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var in struct {
		Token      string
		InstanceID string `json:"instance_id"`
	}
	_ = json.Unmarshal(body, &in) // it is empty in other calls
	if in.Token != "" {
		return "", in.Token
	}
	if in.InstanceID == "" {
		in.InstanceID = x.apps[r.Header.Get("Authorization")]
	}
	return in.InstanceID, in.InstanceID
}

func pause(r *http.Request, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-r.Context().Done():
		return r.Context().Err()
	}
}

var errCut = errors.New("the connection was cut")

func (x *fakeWix) answer(r *http.Request, body []byte) (*http.Response, error) {
	x.mu.Lock()
	fault := x.fault
	if !time.Now().Before(x.faultEnds) {
		fault = ""
	}
	x.mu.Unlock()
	switch fault {
	case "500", "503", "429":
		status, _ := strconv.Atoi(fault)
		resp := reply(r, status, `{}`)
		if status == 429 {
			resp.Header.Set("Retry-After", "7")
		}
		return resp, nil
	case "cut":
		return nil, errCut
	case "hang":
		<-r.Context().Done()
		return nil, r.Context().Err()
	case "html":
		return reply(r, 200, "<html>"), nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	switch r.URL.Path {
	case "/oauth2/token-info":
		return x.tokenInfo(r, body), nil
	case "/oauth2/token":
		return x.appToken(r, body), nil
	case "/apps/v1/instance":
		return x.appInstance(r), nil
	}
	return reply(r, 200, `{}`), nil
}

func (x *fakeWix) tokenInfo(r *http.Request, body []byte) *http.Response {
	var in struct{ Token string }
	_ = json.Unmarshal(body, &in) // an unknown token otherwise
	t, found := x.known[in.Token]
	if !found || !x.active(t) {
		return reply(r, 200, `{"active":false}`)
	}
	subject := "VISITOR"
	if t.owner {
		subject = "USER"
	}
	return reply(r, 200, encode(map[string]any{
		"active": true, "subjectType": subject, "clientId": appID, "instanceId": t.instance,
		"siteId": t.instance, "iat": t.issued.Unix(), "exp": t.ends.Unix(),
	}))
}

func (x *fakeWix) appToken(r *http.Request, body []byte) *http.Response {
	var in struct {
		InstanceID string `json:"instance_id"`
		Secret     string `json:"client_secret"`
	}
	_ = json.Unmarshal(body, &in) // an unknown instance otherwise
	s := x.byID[in.InstanceID]
	if s == nil || !s.installed || in.Secret != appSecret {
		return reply(r, 400, `{"error":"invalid_grant"}`)
	}
	text := fmt.Sprintf("app-%d-%d", s.n, len(x.apps))
	x.apps[text] = s.id
	return reply(r, 200, encode(map[string]any{"access_token": text, "expires_in": 14400}))
}

func (x *fakeWix) appInstance(r *http.Request) *http.Response {
	s := x.byID[x.apps[r.Header.Get("Authorization")]]
	if s == nil || !s.installed {
		return reply(r, 401, `{}`)
	}
	in := map[string]any{"instanceId": s.id, "isFree": s.plan == ""}
	if s.plan != "" {
		in["billing"] = map[string]any{"packageName": s.plan}
	}
	return reply(r, 200, encode(map[string]any{"instance": in, "site": map[string]any{"siteDisplayName": s.id, "locale": "en"}}))
}

func reply(r *http.Request, status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain data
	}
	return string(text)
}

// key signs the webhooks. It follows from a fixed seed, because the id of an event follows
// from its signature. rsa.GenerateKey makes another one each time.
var key = sync.OnceValue(func() *rsa.PrivateKey {
	random := rand.New(rand.NewPCG(1, 1))
	one := big.NewInt(1)
	for e := big.NewInt(65537); ; {
		p, q := prime(random), prime(random)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(e, phi)
		n := new(big.Int).Mul(p, q)
		if d == nil || n.BitLen() != 2048 {
			continue
		}
		k := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: 65537}, D: d, Primes: []*big.Int{p, q}}
		if err := k.Validate(); err != nil {
			panic(err)
		}
		k.Precompute()
		return k
	}
})

// prime returns a number of 1024 bits that is almost certainly prime.
func prime(random *rand.Rand) *big.Int {
	var b bytes.Buffer
	for range 1024 / 64 {
		fmt.Fprintf(&b, "%016x", random.Uint64())
	}
	p, _ := new(big.Int).SetString(b.String(), 16)
	p.SetBit(p, 1023, 1).SetBit(p, 1022, 1).SetBit(p, 0, 1)
	for !p.ProbablyPrime(20) {
		p.Add(p, big.NewInt(2))
	}
	return p
}

// signed are the webhooks that were signed already, by their content: signing is what takes
// the most time in a run.
var signed sync.Map

// sign returns an event's JWT, in Wix's three layers.
func sign(e *event) string {
	fields := map[string]any{}
	if e.kind == "AppInstalled" || e.kind == "AppRemoved" {
		fields["appId"] = appID
	} else {
		fields["operationTimeStamp"] = e.at.UTC().Format(time.RFC3339)
		fields["vendorProductId"] = e.plan
	}
	if e.origin != "" {
		fields["originInstanceId"] = e.origin
	}
	data := encode(map[string]any{"instanceId": e.instance, "eventType": e.kind, "data": encode(fields)})
	claims := jwt.MapClaims{"data": data, "iat": e.at.Unix(), "exp": e.at.Add(72 * time.Hour).Unix()}
	content := encode(claims)
	if known, found := signed.Load(content); found {
		return known.(string)
	}
	text, err := jwt.NewWithClaims(jwt.SigningMethodRS256, claims).SignedString(key())
	if err != nil {
		panic(err)
	}
	signed.Store(content, text)
	return text
}
