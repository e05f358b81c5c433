package app

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

// signer signs webhooks as Wix does.
type signer struct {
	key    *rsa.PrivateKey
	public string // for WIX_PUBLIC_KEY
}

func newSigner(t *testing.T) signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return signer{key, base64.StdEncoding.EncodeToString(block)}
}

// sign makes the JWT of an event, in the three layers of JSON.
func (s signer) sign(t *testing.T, instanceID, eventType string, at time.Time, event map[string]any) string {
	t.Helper()
	return s.signEvent(t, instanceID, eventType, at, at.Add(72*time.Hour), event)
}

// signUntil is sign with another end of the JWT.
func (s signer) signUntil(t *testing.T, instanceID, eventType string, at, end time.Time) string {
	t.Helper()
	return s.signEvent(t, instanceID, eventType, at, end, map[string]any{})
}

func (s signer) signEvent(t *testing.T, instanceID, eventType string, at, end time.Time, event map[string]any) string {
	t.Helper()
	text := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iat": at.Unix(), "exp": end.Unix(),
		"data": text(map[string]any{
			"data": text(event), "instanceId": instanceID, "eventType": eventType,
			"identity": `{"identityType":"WIX_USER","wixUserId":"u"}`,
		}),
	})
	signed, err := token.SignedString(s.key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func (s signer) plan(t *testing.T, instanceID, plan string, at time.Time) string {
	return s.sign(t, instanceID, "PaidPlanChanged", at, map[string]any{
		"operationTimeStamp": at.UTC().Format(time.RFC3339Nano), "vendorProductId": plan, "cycle": "MONTHLY",
	})
}

func (w *world) webhook(body string) reply {
	w.t.Helper()
	return w.ask("POST", "/webhooks/wix", body, "Content-Type: text/plain")
}

func TestServe_webhooks(t *testing.T) {
	s := newSigner(t)
	w := start(t, "WIX_PUBLIC_KEY="+s.public)
	id := w.install()
	visitor := w.mint(wixsim.TokenRequest{InstanceID: id})
	shows := func(part string) func() bool {
		return func() bool { return strings.Contains(w.as(visitor, "/api/get-instance").text, part) }
	}
	w.until("the plan is known", shows(`"plan":{"name":"gold","isFree":false}`))

	// Wix reports a new plan, and answers the same when asked.
	platinum := "platinum"
	if _, err := w.sim.SetPlan(id, wixsim.PlanRequest{Plan: &platinum, Silent: true}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if got := w.webhook(s.plan(t, id, "platinum", now)); got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.text)
	}
	w.until("the new plan shows", shows(`"name":"platinum"`))

	// An older event that comes late changes nothing, however often it comes.
	late := s.plan(t, id, "bronze", now.Add(-time.Hour))
	for range 3 {
		if got := w.webhook(late); got.status != 200 {
			t.Fatalf("got %d %s", got.status, got.text)
		}
	}
	w.until("Wix has been read again", func() bool { return w.wixCalls(instances) >= 2 })
	if !shows(`"name":"platinum"`)() {
		t.Errorf("a late event won: %s", w.as(visitor, "/api/get-instance").text)
	}

	// The plan does not fall back to free while Wix is down.
	if err := w.sim.SetFault(wixsim.Fault{Outage: true}); err != nil {
		t.Fatal(err)
	}
	if !shows(`"name":"platinum"`)() {
		t.Errorf("with Wix down: %s", w.as(visitor, "/api/get-instance").text)
	}
	w.sim.ClearFaults()

	// A removal is obeyed at once; a token that Wix issues later revives the instance.
	removed := w.sim.UninstallSilently(id)
	if got := w.webhook(s.sign(t, id, "AppRemoved", time.Now().Add(2*time.Second), map[string]any{"appId": appID})); got.status != 200 || !removed {
		t.Fatalf("got %d %s", got.status, got.text)
	}
	w.until("the removal is obeyed", func() bool {
		got := w.as(visitor, "/api/get-instance")
		return got.status == 401 && got.code() == "token_inactive"
	})
}

func TestServe_refusedWebhooks(t *testing.T) {
	s, stranger := newSigner(t), newSigner(t)
	w := start(t, "WIX_PUBLIC_KEY="+s.public)
	const id = "11111111-1111-4111-8111-111111111111"
	good := s.plan(t, id, "gold", time.Now())
	for _, tt := range []struct {
		name, body string
		status     int
		code       string
	}{
		{"no body", "", 400, "webhook_malformed"},
		{"a JSON-quoted JWT", `"` + good + `"`, 400, "webhook_malformed"},
		{"no JWT", "hello", 400, "webhook_malformed"},
		{"another key", stranger.plan(t, id, "gold", time.Now()), 401, "webhook_refused"},
		{"a tampered signature", good[:len(good)-6] + "AAAAAA", 401, "webhook_refused"},
		{"expired", s.plan(t, id, "gold", time.Now().Add(-73*time.Hour)), 401, "webhook_refused"},
		{"signed three days ago, and not expired", s.signUntil(t, id, "AppInstalled", time.Now().Add(-73*time.Hour), time.Now().Add(time.Hour)), 401, "webhook_refused"},
		{"signed more than a day ahead", s.plan(t, id, "gold", time.Now().Add(25*time.Hour)), 401, "webhook_refused"},
		{"a removal at the end of time", s.sign(t, id, "AppRemoved", time.Now(), map[string]any{"operationTimeStamp": "9999-12-31T00:00:00Z"}), 401, "webhook_refused"},
		{"signed two days ago", s.plan(t, id, "gold", time.Now().Add(-48*time.Hour)), 200, ""},
		{"an event of an account is acknowledged", s.sign(t, "", "AccountCreated", time.Now(), map[string]any{}), 200, ""},
		{"an instance id that is no GUID", s.plan(t, "me", "gold", time.Now()), 400, "webhook_malformed"},
		{"an event for another app", s.sign(t, id, "AppInstalled", time.Now(), map[string]any{"appId": foreignID}), 401, "webhook_refused"},
		{"257 KB", strings.Repeat("x", 257<<10), 413, "body_too_large"},
		{"an unknown type is stored and acknowledged", s.sign(t, id, "SiteTickled", time.Now(), map[string]any{"by": "someone"}), 200, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := w.webhook(tt.body); got.status != tt.status || got.code() != tt.code {
				t.Errorf("got %d %s, want %d %s", got.status, got.text, tt.status, tt.code)
			}
		})
	}
	if got := w.ask("GET", "/webhooks/wix", ""); got.status != 405 {
		t.Errorf("GET: %d", got.status)
	}
	if strings.Contains(w.log.String(), good[20:60]) {
		t.Error("a webhook is in the log")
	}
}

// TestServe_webhooksOfOfflineWix lets the offline Wix do the telling. It shares no code
// with package wix; the official packages judge it elsewhere.
func TestServe_webhooksOfOfflineWix(t *testing.T) {
	sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: appSecret, RetryFactor: 60000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	w := startWith(t, sim, "WIX_PUBLIC_KEY="+base64.StdEncoding.EncodeToString([]byte(sim.PublicKey())))
	if err := sim.SetWebhookURL(w.url + "/webhooks/wix"); err != nil {
		t.Fatal(err)
	}
	installed, err := sim.Install(wixsim.InstallRequest{})
	if err != nil {
		t.Fatal(err)
	}
	visitor := w.mint(wixsim.TokenRequest{InstanceID: installed.InstanceID})
	shows := func(part string) func() bool {
		return func() bool { return strings.Contains(w.as(visitor, "/api/get-instance").text, part) }
	}
	w.until("the free plan shows", shows(`"isFree":true`))
	silver := "silver"
	if _, err := sim.SetPlan(installed.InstanceID, wixsim.PlanRequest{Plan: &silver}); err != nil {
		t.Fatal(err)
	}
	w.until("the bought plan shows", shows(`"name":"silver"`))
	for _, d := range sim.Webhooks() {
		if d.State != "delivered" {
			t.Errorf("%s is %s", d.EventType, d.State)
		}
	}
}

// databases are the kinds of database on which the whole program must keep its word.
func databases(t *testing.T) map[string]string {
	return map[string]string{
		"SQLite":   "sqlite:" + filepath.Join(t.TempDir(), "app.db"),
		"Postgres": pgtest.URL(t),
	}
}

// TestServe_acknowledgedEventsSurviveKills kills the server fifty times at random moments
// under a load of webhooks. Every event that was answered 200 is applied in the end.
func TestServe_acknowledgedEventsSurviveKills(t *testing.T) {
	const kills = 50
	s := newSigner(t)
	for name, database := range databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of the time goes by waiting for the leases of the killed
			environ := wixEnviron(t, s, database)
			var acknowledged sync.Map // instance id → plan
			count := 0
			for round := range kills {
				server := spawn(t, environ...)
				done, first := make(chan struct{}), make(chan struct{})
				var once sync.Once
				var wg sync.WaitGroup
				for range 4 {
					wg.Go(func() {
						for {
							select {
							case <-done:
								return
							default:
							}
							id, plan := guid(), fmt.Sprintf("plan-%d-%d", round, mathrand.IntN(1000))
							if post(server.url, s.plan(t, id, plan, time.Now())) == 200 {
								acknowledged.Store(id, plan)
								once.Do(func() { close(first) })
							}
						}
					})
				}
				select {
				case <-first: // a kill before it would prove nothing
				case <-time.After(time.Minute):
					close(done)
					t.Fatal("no event is acknowledged")
				}
				time.Sleep(time.Duration(mathrand.IntN(60)) * time.Millisecond) // the random moment
				server.kill()
				close(done)
				wg.Wait()
			}
			server := spawn(t, environ...)
			defer server.kill()
			acknowledged.Range(func(id, plan any) bool {
				count++
				eventually(t, database, id.(string), func(i instance.Instance) bool { return i.Profile.Plan.Name == plan })
				return !t.Failed()
			})
			t.Logf("%d acknowledged events survived %d kills", count, kills)
		})
	}
}

func TestServe_fullDisk(t *testing.T) {
	s := newSigner(t)
	database := "sqlite:" + filepath.Join(t.TempDir(), "app.db")
	sim, environ := wixWithEnviron(t, s, database)
	server := spawn(t, environ...)
	w := &world{t: t, sim: sim, url: server.url, log: &lockedBuffer{}}
	known := w.mint(wixsim.TokenRequest{})
	if got := w.as(known, "/api/get-instance"); got.status != 200 {
		t.Fatalf("before: %d %s", got.status, got.text)
	}
	signal := func(s syscall.Signal) {
		if err := server.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	id := guid()
	send := func() reply { return w.webhook(s.plan(t, id, "gold", time.Now())) }

	signal(syscall.SIGUSR1)
	w.until("the disk is full", func() bool { return send().status != 200 })
	if got := send(); got.status != 503 || got.code() != "store_unavailable" || got.header.Get("Retry-After") == "" {
		t.Errorf("on a full disk: %d %s", got.status, got.text)
	}
	if got := w.as(known, "/api/get-instance"); got.status != 200 {
		t.Errorf("a known caller on a full disk: %d %s", got.status, got.text)
	}

	signal(syscall.SIGUSR2)
	w.until("there is room again", func() bool { return send().status == 200 })
	eventually(t, database, id, func(i instance.Instance) bool { return i.Profile.Plan.Name == "gold" })
}

// TestServe_replicas runs three servers on one Postgres.
func TestServe_replicas(t *testing.T) {
	s := newSigner(t)
	database := pgtest.URL(t)
	sim, environ := wixWithEnviron(t, s, database)
	var servers [3]*child
	var wg sync.WaitGroup
	for i := range servers {
		wg.Go(func() { servers[i] = spawn(t, environ...) })
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	at := func(i int) *world {
		return &world{t: t, sim: sim, url: servers[i].url, log: &lockedBuffer{}}
	}
	a, b, c := at(0), at(1), at(2)
	id := a.install()
	visitor := a.mint(wixsim.TokenRequest{InstanceID: id})
	for _, w := range []*world{a, b, c} { // every replica has it in its caches
		if got := w.as(visitor, "/api/get-instance"); got.status != 200 {
			t.Fatalf("got %d %s", got.status, got.text)
		}
	}

	owner := a.mint(wixsim.TokenRequest{Subject: "USER", InstanceID: id})
	if got := a.ask("PUT", "/api/settings", `{"greeting":"Ahoy"}`, "Authorization: "+owner, "Content-Type: application/json", `If-Match: "0"`); got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.text)
	}
	for _, w := range []*world{b, c} {
		w.until("a setting saved at A is read here", func() bool {
			return strings.Contains(w.as(visitor, "/api/get-instance").text, "Ahoy")
		})
	}

	if got := a.webhook(s.sign(t, id, "AppRemoved", time.Now().Add(2*time.Second), map[string]any{"appId": appID})); got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.text)
	}
	for _, w := range []*world{a, b, c} {
		w.until("a removal reported to A is obeyed here", func() bool { return w.as(visitor, "/api/get-instance").status == 401 })
	}

	// One of the three dies under 5,000 webhooks. None that was answered 200 is lost.
	const many = 5000
	plans := make([]string, many)
	ids := make([]string, many)
	acknowledged := make([]bool, many)
	next := make(chan int)
	for range 12 {
		wg.Go(func() {
			for n := range next {
				ids[n], plans[n] = guid(), fmt.Sprintf("plan-%d", n)
				acknowledged[n] = post(servers[n%3].url, s.plan(t, ids[n], plans[n], time.Now())) == 200
			}
		})
	}
	for n := range many {
		if n == many/2 {
			servers[2].kill()
		}
		next <- n
	}
	close(next)
	wg.Wait()
	count := 0
	for n, ok := range acknowledged {
		if !ok {
			continue
		}
		count++
		eventually(t, database, ids[n], func(i instance.Instance) bool { return i.Profile.Plan.Name == plans[n] })
		if t.Failed() {
			return
		}
	}
	if count < many/2 {
		t.Errorf("only %d of %d were acknowledged", count, many)
	}
	t.Logf("%d of %d were acknowledged, all were applied", count, many)
}

func wixWithEnviron(t *testing.T, s signer, database string) (*wixsim.Sim, []string) {
	t.Helper()
	sim, err := wixsim.New(wixsim.Config{AppID: appID, AppSecret: appSecret})
	if err != nil {
		t.Fatal(err)
	}
	upstream := httptest.NewServer(sim.REST())
	t.Cleanup(upstream.Close)
	return sim, []string{
		"WIX_API_URL=" + upstream.URL, "WIX_APP_ID=" + appID, "WIX_APP_SECRET=" + appSecret,
		"WIX_PUBLIC_KEY=" + s.public, product.EnvPrefix + "DATABASE_URL=" + database,
	}
}

func wixEnviron(t *testing.T, s signer, database string) []string {
	_, environ := wixWithEnviron(t, s, database)
	return environ
}

// post sends a webhook and returns the status, or 0 when no answer came.
func post(url, body string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "POST", url+"/webhooks/wix", strings.NewReader(body))
	if err != nil {
		return 0
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// stores keeps one open store per database for the whole of a test.
var stores sync.Map

// eventually waits until an instance in the database is as it should be.
func eventually(t *testing.T, database, id string, ok func(instance.Instance) bool) {
	t.Helper()
	opened, loaded := stores.Load(t.Name())
	if !loaded {
		store, err := OpenStore(t.Context(), database, newGreeter, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close(); stores.Delete(t.Name()) })
		stores.Store(t.Name(), store)
		opened = store
	}
	var last instance.Instance
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); {
		row, err := opened.(*sqlstore.Store).Find(t.Context(), id)
		if err != nil && !errors.Is(err, instance.ErrNotFound) {
			t.Fatal(err)
		}
		if err == nil && ok(row) {
			return
		}
		last = row
		time.Sleep(10 * time.Millisecond) // between two looks at the condition
	}
	t.Fatalf("the event for %s was acknowledged and is not applied: %+v", id, last)
}

func guid() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return fmt.Sprintf("%x-%x-4%03x-8%03x-%x", b[0:4], b[4:6], uint16(b[6])<<4&0xfff, uint16(b[8])<<4&0xfff, b[10:16])
}
