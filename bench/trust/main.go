// Command trust measures how many visitors with new tokens a server serves while somebody
// misbehaves or Wix is slow: the program itself, over sockets, against a Wix that lies.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nametag-dev/nametag/backend/product"
)

const (
	appID = "11111111-1111-4111-8111-111111111111"
	site  = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
	other = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
	away  = "Wix answers 500 to all"
	// lead is how long a flood lasts before the visitors come, and visit how long they come.
	lead, visit = 3 * time.Second, 8 * time.Second
)

// crowd presents tokens of its own, each of them once: a number at once, or per second.
type crowd struct {
	perSecond, atOnce int
	address           func(n int) string
	token             func(n int) string
}

type row struct {
	name    string
	latency time.Duration // of Wix
	good    crowd
	bad     crowd // none if it has no tokens
	noProxy bool  // the server trusts no proxy
	fails   int   // the status with which Wix answers failing tokens; 0 for HTML
}

func everywhere(n int) string {
	n %= 100_000
	return fmt.Sprintf("%d.%d.%d.%d", 11+n%64, n/64%97, n%251, n/251%251)
}
func elsewhere(n int) string   { return fmt.Sprintf("198.%d.100.%d", n%256, n/256%256) }
func ipv6Network(n int) string { return fmt.Sprintf("2001:db8:7:%x::%x", n*7919%65536, n) }
func oneAddress(int) string    { return "203.0.113.7" }

// opaque tokens show nothing; those that claim have the form of Wix's. Wix accepts the good
// ones, fails at the failing ones and does not know the others.
func opaque(kind string) func(int) string {
	return func(n int) string { return fmt.Sprintf("%s-%d", kind, n) }
}

func claiming(kind, instanceID string) func(int) string {
	data := fmt.Sprintf(`{"instance":{"instanceId":%q,"appDefId":%q}}`, instanceID, appID)
	payload, _ := json.Marshal(map[string]any{"data": data, "exp": time.Now().Add(time.Hour).Unix()})
	token := "OauthNG.JWS.e30." + base64.RawURLEncoding.EncodeToString(payload) + "."
	return func(n int) string { return fmt.Sprintf("%s%s-%s-%d", token, kind, instanceID, n) }
}

func rows() []row {
	const second = time.Second
	good := func(address, token func(int) string) crowd { return crowd{25, 0, address, token} }
	flood := func(perSecond int, address, token func(int) string) crowd {
		return crowd{perSecond, 0, address, token}
	}
	ofSite, ofOther := claiming("good", site), claiming("good", other)
	return []row{
		{name: "no flood", latency: second / 10, good: good(elsewhere, opaque("good"))},
		{name: "1,000/s, 100,000 IPv4", latency: second / 10, good: good(elsewhere, opaque("good")), bad: flood(1000, everywhere, opaque("junk"))},
		{name: "the same, tokens of Wix's form", latency: second / 10, good: good(elsewhere, ofOther), bad: flood(1000, everywhere, claiming("junk", site))},
		{name: "1,000/s, 100,000 IPv4", latency: 3 * second / 10, good: good(elsewhere, opaque("good")), bad: flood(1000, everywhere, opaque("junk"))},
		{name: "1,000/s, one IPv6 /48", latency: second / 10, good: good(elsewhere, opaque("good")), bad: flood(1000, ipv6Network, opaque("junk"))},
		{name: "1,000/s, one IPv4", latency: second / 10, good: good(elsewhere, opaque("good")), bad: flood(1000, oneAddress, opaque("junk"))},
		{name: "1,000/s, one IPv4", latency: 2 * second, good: good(elsewhere, opaque("good")), bad: flood(1000, oneAddress, opaque("junk"))},
		{name: "1/s, same address", latency: second / 10, good: good(oneAddress, opaque("good")), bad: flood(1, oneAddress, opaque("junk"))},
		{name: "100/s, same address", latency: second / 10, good: good(oneAddress, opaque("good")), bad: flood(100, oneAddress, opaque("junk"))},
		{name: "1/s, no trusted proxy", latency: second / 10, noProxy: true, good: good(elsewhere, opaque("good")), bad: flood(1, everywhere, opaque("junk"))},
		{name: "100/s, no trusted proxy", latency: second / 10, noProxy: true, good: good(elsewhere, opaque("good")), bad: flood(100, everywhere, opaque("junk"))},
		{name: "1,000/s, no trusted proxy, a known site", latency: second / 10, noProxy: true, good: good(elsewhere, ofSite), bad: flood(1000, everywhere, opaque("junk"))},
		{name: "4/s at which Wix answers 500", latency: second / 10, fails: 500, good: good(elsewhere, opaque("good")), bad: flood(4, oneAddress, opaque("fail"))},
		{name: "4/s at which Wix answers 302", latency: second / 10, fails: 302, good: good(elsewhere, opaque("good")), bad: flood(4, oneAddress, opaque("fail"))},
		{name: "4/s at which Wix answers HTML", latency: second / 10, good: good(elsewhere, opaque("good")), bad: flood(4, oneAddress, opaque("fail"))},
		{name: "1,000/s at which Wix answers 500", latency: second / 10, fails: 500, good: good(elsewhere, opaque("good")), bad: flood(1000, everywhere, opaque("fail"))},
		{name: "500 at once", latency: 3 * second, good: crowd{0, 500, elsewhere, opaque("good")}},
		{name: "500 at once, one address", latency: 3 * second, good: crowd{0, 500, oneAddress, ofSite}},
		{name: "2,000 at once", latency: second / 20, good: crowd{0, 2000, elsewhere, opaque("good")}},
		{name: "200 tokens, Wix answers 429, Retry-After: 7", latency: second / 10, fails: 429, good: crowd{25, 0, oneAddress, claiming("fail", site)}},
		{name: away, latency: second / 10, fails: 500, good: good(elsewhere, opaque("good"))},
	}
}

// liar is a Wix that answers as the row says.
type liar struct {
	row   row
	calls atomic.Int64
	away  atomic.Bool // every token fails
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.calls.Add(1)
	time.Sleep(l.row.latency)
	var body struct{ Token string }
	_ = json.NewDecoder(r.Body).Decode(&body)
	switch {
	case strings.Contains(body.Token, "good") && !l.away.Load():
		instanceID := site
		if strings.Contains(body.Token, other) {
			instanceID = other
		}
		fmt.Fprintf(w, `{"active":true,"subjectType":"VISITOR","clientId":%q,"instanceId":%q,"exp":%d}`, appID, instanceID, time.Now().Add(time.Hour).Unix())
	case strings.Contains(body.Token, "fail"), l.away.Load():
		w.Header().Set("Retry-After", "7")
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(max(l.row.fails, http.StatusOK))
		fmt.Fprint(w, "<html>")
	default:
		fmt.Fprint(w, `{"active":false}`)
	}
}

func main() {
	program := flag.String("program", "bin/"+product.ID, "the program to measure")
	only := flag.String("only", "", "measure the rows whose name contains this")
	flag.Parse()
	fmt.Println("| Flood | Wix | New visitors | p50 | slowest | Calls to Wix | The flood got |\n|---|---|---|---|---|---|---|")
	for _, r := range rows() {
		if !strings.Contains(r.name, *only) {
			continue
		}
		if err := measure(r, *program); err != nil {
			log.Fatalf("%s: %v", r.name, err)
		}
	}
}

func measure(r row, program string) error {
	l := &liar{row: r}
	wix := httptest.NewServer(l)
	defer wix.Close()
	address, stop, err := serve(program, wix.URL, r.noProxy)
	if err != nil {
		return err
	}
	defer stop()

	url := "http://" + address + "/api/get-instance"
	for _, instanceID := range []string{site, other} { // a visitor was here before
		if got := (crowd{0, 1, oneAddress, claiming("good", instanceID)}).present(url, 0); got.statuses[http.StatusOK] != 1 {
			return fmt.Errorf("the first visitor got %v", got)
		}
	}
	l.away.Store(r.name == away)
	var (
		bad   *outcome
		flood sync.WaitGroup
	)
	if r.bad.token != nil {
		flood.Go(func() { bad = r.bad.present(url, lead+visit) })
		time.Sleep(lead)
	}
	before := l.calls.Load()
	good := r.good.present(url, visit)
	calls := l.calls.Load() - before
	flood.Wait()
	slices.Sort(good.took)
	fmt.Printf("| %s | %v | %s | %d ms | %d ms | %d | %s |\n", r.name, r.latency, good,
		good.took[len(good.took)/2].Milliseconds(), good.took[len(good.took)-1].Milliseconds(), calls, bad)
	return nil
}

// outcome is what a crowd got.
type outcome struct {
	mu       sync.Mutex
	statuses map[int]int
	took     []time.Duration
}

func (o *outcome) String() string {
	if o == nil || o.statuses == nil {
		return ""
	}
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(o.statuses)) {
		parts = append(parts, fmt.Sprintf("%d × %d", o.statuses[status], status))
	}
	return strings.Join(parts, ", ")
}

// present lets a crowd come for a time. A status of 0 is a request without an answer.
func (c crowd) present(url string, during time.Duration) *outcome {
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 2000}}
	defer client.CloseIdleConnections()
	got := &outcome{statuses: map[int]int{}}
	all := c.atOnce + int(during/time.Second)*c.perSecond
	start := time.Now()
	var requests sync.WaitGroup
	for n := range all {
		if c.perSecond > 0 {
			time.Sleep(time.Until(start.Add(time.Duration(n) * time.Second / time.Duration(c.perSecond))))
		}
		requests.Go(func() {
			begun, status := time.Now(), 0
			req, err := http.NewRequest(http.MethodGet, url, http.NoBody)
			if err != nil {
				log.Fatal(err)
			}
			req.Header.Set("Authorization", c.token(n+1))
			req.Header.Set("X-Forwarded-For", c.address(n))
			if resp, err := client.Do(req); err == nil {
				status = resp.StatusCode
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			got.mu.Lock()
			defer got.mu.Unlock()
			got.statuses[status]++
			got.took = append(got.took, time.Since(begun))
		})
	}
	requests.Wait()
	return got
}

// serve starts the program on a database of its own.
func serve(program, wixURL string, noProxy bool) (address string, stop func(), err error) {
	dir, err := os.MkdirTemp("", "trust")
	if err != nil {
		return "", nil, err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	address = free.Addr().String()
	free.Close()
	errLog, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "serve")
	cmd.Stderr = errLog
	cmd.Env = append(os.Environ(), "WIX_APP_ID="+appID, "WIX_APP_SECRET=secret-of-the-bench", "WIX_API_URL="+wixURL)
	for name, value := range map[string]string{
		"ADDR": address, "ADMIN_ADDR": "127.0.0.1:0", "DATABASE_URL": "sqlite:" + filepath.Join(dir, "trust.db"), "DEMO": "false",
		"PUBLIC_URL": "http://" + address, "TRUSTED_PROXIES": "127.0.0.0/8",
	} {
		if name == "TRUSTED_PROXIES" && noProxy {
			continue
		}
		cmd.Env = append(cmd.Env, product.EnvPrefix+name+"="+value)
	}
	if err := cmd.Start(); err != nil {
		cancel()
		return "", nil, err
	}
	stop = func() {
		cancel()
		_ = cmd.Wait()
		errLog.Close()
		_ = os.RemoveAll(dir)
	}
	for range 100 {
		if resp, err := http.Get("http://" + address + "/healthz"); err == nil {
			resp.Body.Close()
			return address, stop, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	said, _ := os.ReadFile(errLog.Name())
	stop()
	return "", nil, errors.New("the program does not answer: " + string(said))
}
