package wixsim_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/nametag-dev/nametag/backend/wixsim"
)

const (
	appID  = "7f58c233-72b6-4e45-889c-56aca8dbb2ba"
	secret = "5e3c1b1e-0f52-4a4c-9a67-6f3f1f7a3d21"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// newSim returns an offline Wix without a site, and a client that calls it without a socket.
func newSim() (*wixsim.Sim, *http.Client) {
	sim := must(wixsim.New(wixsim.Config{AppID: appID, AppSecret: secret, NoSites: true}))
	return sim, &http.Client{Transport: wixsim.Transport{Handler: sim.REST()}}
}

func tokenInfo(client *http.Client, baseURL, token string) map[string]any {
	answer := must(client.Post(baseURL+"/oauth2/token-info", "application/json", strings.NewReader(`{"token":"`+token+`"}`)))
	defer answer.Body.Close()
	info := map[string]any{"status": answer.StatusCode}
	if err := json.NewDecoder(answer.Body).Decode(&info); err != nil {
		panic(err)
	}
	return info
}

// An offline Wix on a socket, for a server in any language.
func ExampleNew() {
	sim := must(wixsim.New(wixsim.Config{AppID: appID, AppSecret: secret}))
	defer sim.Close()
	server := httptest.NewServer(sim.Handler())
	defer server.Close()

	site, _ := sim.First() // one site has the app from the start
	token, _, err := sim.Mint(wixsim.TokenRequest{Subject: wixsim.Visitor, InstanceID: site.InstanceID})
	if err != nil {
		panic(err)
	}
	info := tokenInfo(http.DefaultClient, server.URL, token)
	fmt.Println(info["active"], info["subjectType"], info["instanceId"] == site.InstanceID)
	// Output: true VISITOR true
}

func ExampleSim_Install() {
	sim, wix := newSim()
	site := must(sim.Install(wixsim.InstallRequest{SiteDisplayName: "Corner Café", Plan: "premium"}))
	token, _, err := sim.Mint(wixsim.TokenRequest{Subject: wixsim.App, InstanceID: site.InstanceID})
	if err != nil {
		panic(err)
	}

	r := must(http.NewRequest("GET", "http://wix.invalid/apps/v1/instance", nil))
	r.Header.Set("Authorization", token)
	answer := must(wix.Do(r))
	defer answer.Body.Close()
	var document struct {
		Instance struct{ Billing struct{ PackageName string } }
		Site     struct{ SiteDisplayName string }
	}
	if err := json.NewDecoder(answer.Body).Decode(&document); err != nil {
		panic(err)
	}
	fmt.Println(document.Site.SiteDisplayName, document.Instance.Billing.PackageName)
	// Output: Corner Café premium
}

func ExampleSim_SetFault() {
	sim, wix := newSim()
	err := sim.SetFault(wixsim.Fault{Endpoint: "token-info", Status: 429, RetryAfter: 2 * time.Second, Count: 1})
	if err != nil {
		panic(err)
	}
	for range 2 {
		info := tokenInfo(wix, "http://wix.invalid", "unknown")
		fmt.Println(info["status"], info["active"])
	}
	for _, call := range sim.Calls() {
		fmt.Println(call.Method, call.Path, call.Status)
	}
	// Output:
	// 429 <nil>
	// 200 false
	// POST /oauth2/token-info 429
	// POST /oauth2/token-info 200
}

func ExampleSim_Advance() {
	sim, wix := newSim()
	must(sim.Install(wixsim.InstallRequest{}))
	token, _, err := sim.Mint(wixsim.TokenRequest{Subject: wixsim.Visitor})
	if err != nil {
		panic(err)
	}
	fmt.Println(tokenInfo(wix, "http://wix.invalid", token)["active"])
	if err := sim.Advance(4 * time.Hour); err != nil {
		panic(err)
	}
	fmt.Println(tokenInfo(wix, "http://wix.invalid", token)["active"])
	// Output:
	// true
	// false
}

func ExampleSim_Send() {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		jwt := must(io.ReadAll(r.Body)) // verify it with sim.PublicKey
		fmt.Println(r.Method, r.URL.Path, strings.Count(string(jwt), "."))
	})
	sim := must(wixsim.New(wixsim.Config{
		AppID: appID, AppSecret: secret,
		WebhookURL: "http://app.invalid/webhooks/wix", Transport: wixsim.Transport{Handler: app},
	}))
	defer sim.Close()
	must(sim.Send(wixsim.Webhook{EventType: wixsim.PaidPlanPurchased}))
	sim.WaitIdle()
	for _, delivery := range sim.Webhooks() {
		fmt.Println(delivery.EventType, delivery.State)
	}
	// Output:
	// POST /webhooks/wix 2
	// PaidPlanPurchased delivered
}

func ExampleTransport() {
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello from %s", r.URL.Path)
	})
	client := &http.Client{Transport: wixsim.Transport{Handler: hello}}
	answer := must(client.Get("http://anywhere.invalid/here"))
	defer answer.Body.Close()
	fmt.Println(answer.Status, string(must(io.ReadAll(answer.Body))))
	// Output: 200 OK Hello from /here
}
