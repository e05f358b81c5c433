package wixtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/nametag-dev/nametag/backend/wixsim"
	"github.com/nametag-dev/nametag/backend/wixtest"
)

// whoIs is the code under test: it asks Wix whom an access token belongs to.
func whoIs(wix *http.Client, token string) string {
	answer, err := wix.Post(wixtest.BaseURL+"/oauth2/token-info", "application/json",
		strings.NewReader(`{"token":"`+token+`"}`))
	if err != nil {
		return "Wix is away"
	}
	defer answer.Body.Close()
	var info struct {
		Active      bool
		SubjectType string
	}
	if err := json.NewDecoder(answer.Body).Decode(&info); err != nil || !info.Active {
		return "nobody"
	}
	return info.SubjectType
}

func ExampleRun() {
	t, end := startTest("TestWhoIs") // in a test: its t
	defer end()

	w := wixtest.Run(t)
	wix := &http.Client{Transport: w.Transport()}
	site := w.Install()

	fmt.Println(whoIs(wix, site.Visitor()))
	fmt.Println(whoIs(wix, site.Owner()))
	fmt.Println(whoIs(wix, site.Expired()))
	// Output:
	// VISITOR
	// USER
	// nobody
}

func ExampleWix_Advance() {
	t, end := startTest("TestExpiry")
	defer end()

	w := wixtest.Run(t)
	wix := &http.Client{Transport: w.Transport()}
	token := w.Install().Member()

	fmt.Println(whoIs(wix, token))
	w.Advance(4 * time.Hour)
	fmt.Println(whoIs(wix, token))
	// Output:
	// MEMBER
	// nobody
}

func ExampleWix_Fail() {
	t, end := startTest("TestOutage")
	defer end()

	w := wixtest.Run(t)
	wix := &http.Client{Transport: w.Transport()}
	token := w.Install().Visitor()

	w.Fail(wixsim.Fault{Endpoint: "token-info", Outage: true})
	fmt.Println(whoIs(wix, token))
	w.Heal()
	fmt.Println(whoIs(wix, token))
	for _, call := range w.Calls() {
		fmt.Println(call.Method, call.Path, call.Status)
	}
	// Output:
	// Wix is away
	// VISITOR
	// POST /oauth2/token-info 0
	// POST /oauth2/token-info 200
}

func ExampleWix_Settled() {
	t, end := startTest("TestWebhooks")
	defer end()

	status := http.StatusServiceUnavailable
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // a JWT, which w.PublicKey verifies
		w.WriteHeader(status)
	})
	w := wixtest.Run(t, wixtest.Webhooks(app))
	w.Install(wixtest.Plan("premium"))

	for _, delivery := range w.Settled() {
		fmt.Println(delivery.EventType, delivery.State)
	}
	status = http.StatusOK
	w.Advance(time.Minute) // Wix's first retry
	for _, delivery := range w.Settled() {
		fmt.Println(delivery.EventType, delivery.State)
	}
	// Output:
	// AppInstalled pending
	// AppInstalled delivered
}

func ExampleSite_SetPlan() {
	t, end := startTest("TestPlans")
	defer end()

	app := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	w := wixtest.Run(t, wixtest.Webhooks(app))
	site := w.Install(wixtest.Named("Corner Café"), wixtest.Silent())
	site.SetPlan("basic")
	w.Settled()
	site.SetPlan("premium")
	w.Settled()
	site.Remove()

	for _, delivery := range w.Settled() {
		fmt.Println(delivery.EventType)
	}
	// Output:
	// PaidPlanPurchased
	// PaidPlanChanged
	// AppRemoved
}
