package app

import (
	"flag"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

// outage is for measuring. The figures are in the log of TestServe_postgresAway.
var outage = flag.Duration("outage", 0, "how long the database is away in TestServe_postgresAway, or longer until all is refused")

// TestServe_postgresAway stops and kills the database under requests of every kind. None is
// answered by anything but its answer or 503, and all of them work again afterwards.
func TestServe_postgresAway(t *testing.T) {
	cluster := pgtest.New(t)
	s := newSigner(t)
	w := start(t, product.EnvPrefix+"DATABASE_URL="+cluster.URL, "WIX_PUBLIC_KEY="+s.public)
	known, owner := w.mint(wixsim.TokenRequest{}), w.mint(wixsim.TokenRequest{Subject: "USER"})
	requests := map[string]func() reply{
		"get-instance":                   func() reply { return w.as(known, "/api/get-instance") },
		"get-instance by POST":           func() reply { return w.ask("POST", "/api/get-instance", known) },
		"get-instance-data":              func() reply { return w.as(known, "/api/get-instance-data") },
		"get-instance of a new instance": func() reply { return w.as(w.mint(wixsim.TokenRequest{InstanceID: w.install()}), "/api/get-instance") },
		"GET settings":                   func() reply { return w.as(owner, "/api/settings") },
		"PUT settings": func() reply {
			return w.ask("PUT", "/api/settings", `{"greeting":"Hi"}`, "Authorization: "+owner, "Content-Type: application/json", `If-Match: "0"`)
		},
		"PATCH settings": func() reply {
			return w.ask("PATCH", "/api/settings", `{}`, "Authorization: "+owner, "Content-Type: application/json", `If-Match: "0"`)
		},
		"a webhook": func() reply { return w.webhook(s.plan(t, guid(), "gold", time.Now())) },
		"readyz":    func() reply { return w.ask("GET", "/readyz", "") },
	}
	works := func(got reply) bool { return got.status == 200 || got.code() == "version_conflict" }
	for name, request := range requests {
		if got := request(); !works(got) {
			t.Fatalf("before: %s: %d %s", name, got.status, got.text)
		}
	}
	for round, end := range []func(testing.TB){cluster.Stop, cluster.Kill} {
		var (
			all, refused sync.WaitGroup
			done         = make(chan struct{})
			mu           sync.Mutex
			figures      []string
		)
		began := time.Now()
		for name, request := range requests {
			refused.Add(1)
			all.Go(func() {
				var (
					once        sync.Once
					served, not int
					last        time.Duration
				)
				for {
					select {
					case <-done:
						once.Do(refused.Done)
						mu.Lock()
						defer mu.Unlock()
						figures = append(figures, fmt.Sprintf("%s: %d served, the last of them after %v, %d refused", name, served, last.Round(time.Millisecond), not))
						return
					default:
					}
					got := request()
					if works(got) {
						served++
						last = time.Since(began)
						time.Sleep(5 * time.Millisecond) // so that the kinds of requests leave room for each other
						continue
					}
					not++
					if got.status != 503 || got.header.Get("Retry-After") == "" && name != "readyz" || got.code() != "store_unavailable" && name != "readyz" {
						t.Errorf("%s: %d %s %v", name, got.status, got.text, got.header)
					}
					once.Do(refused.Done)
					time.Sleep(10 * time.Millisecond) // as a client does that was refused
				}
			})
		}
		end(t)
		refused.Wait() // all of them, a known visitor's after the grace
		time.Sleep(time.Until(began.Add(*outage)))
		close(done)
		all.Wait()
		slices.Sort(figures)
		t.Logf("round %d, away for %v:\n%s", round, time.Since(began).Round(time.Millisecond), strings.Join(figures, "\n"))
		cluster.Start(t)
		back := time.Now()
		w.until("the first write", func() bool { return requests["a webhook"]().status == 200 })
		t.Logf("the first write %v after the start", time.Since(back).Round(time.Millisecond))
		for name, request := range requests {
			w.until(fmt.Sprintf("round %d: %s works again", round, name), func() bool { return works(request()) })
		}
	}
	if log := w.log.String(); strings.Contains(log, `"code":"internal"`) {
		t.Error("an outage is a fault of the program's own in the log")
	}
}

// A server that begins beside another on one file says so, and serves all the same.
func TestServe_twoOnOneFile(t *testing.T) {
	database := product.EnvPrefix + "DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "app.db")
	first, second := start(t, database), start(t, database)
	const said = "another server uses the same SQLite file"
	if strings.Contains(first.log.String(), said) || !strings.Contains(second.log.String(), said) {
		t.Errorf("the first says: %s\nthe second: %s", first.log, second.log)
	}
	for _, w := range []*world{first, second} {
		if got := w.as(w.mint(wixsim.TokenRequest{}), "/api/get-instance"); got.status != http.StatusOK {
			t.Errorf("got %d %s", got.status, got.text)
		}
	}
}
