package wix_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/nametag-dev/nametag/backend/wix"
)

// The site behind an access token, as Wix knows it. (Package identity caches the answer,
// decides whether the token is accepted, and limits the calls.)
func ExampleClient_TokenInfo() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"active":true,"subjectType":"USER","clientId":"AAAAAAAA-2222-4333-8444-555555555555",`+
			`"instanceId":"9A1B2C3D-0000-4000-8000-00000000ABCD","exp":"1893456000"}`)
	}))
	defer server.Close()
	client := wix.New(wix.Options{BaseURL: server.URL, AppID: ourApp, AppSecret: "the app's secret"})
	defer client.Close()

	info, err := client.TokenInfo(context.Background(), "OauthNG.JWS.…")
	fmt.Println(info.Active, info.SubjectType, info.InstanceID, info.Expires.Format(time.DateOnly), err)
	// Output: true USER 9a1b2c3d-0000-4000-8000-00000000abcd 2030-01-01 <nil>
}

// A failure says what can be done about it, and never contains a token.
func ExampleError() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Wix-Request-Id", "1700000000.42")
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer server.Close()
	client := wix.New(wix.Options{BaseURL: server.URL, AppID: ourApp, AppSecret: "the app's secret"})
	defer client.Close()

	_, err := client.AppToken(context.Background(), instanceID)
	var failure *wix.Error
	if errors.As(err, &failure) && failure.Kind == wix.RateLimited {
		fmt.Println("wait for", failure.RetryAfter)
	}
	fmt.Println(err)
	// Output:
	// wait for 30s
	// wix app token: rate limited, status 429, request id 1700000000.42
}

func ExampleClient_Do() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s with %q", r.URL, r.Header.Get("Authorization"))
	}))
	defer server.Close()
	client := wix.New(wix.Options{BaseURL: server.URL, AppID: ourApp, AppSecret: "the app's secret"})
	defer client.Close()

	for _, url := range []string{"https://www.wixapis.com/stores/v1/products", "https://example.com/"} {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
		if err != nil {
			log.Fatal(err)
		}
		resp, err := client.Do(r, "the-apps-token")
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(resp.StatusCode)
		resp.Body.Close()
	}
	// Output:
	// 200
	// the URL does not belong to Wix's API, and the token is sent nowhere else
}

// A webhook's body is a JWT; the public key is the one that the app's dashboard shows.
func ExampleWebhooks_Verify() {
	publicKey := publicPEM(&wixKey().PublicKey)
	webhooks, err := wix.NewWebhooks([]string{publicKey}, ourApp, nil)
	if err != nil {
		log.Fatal(err)
	}
	body := signed(claims(envelope("AppInstalled", `{"appId":"`+ourApp+`"}`, ""), ""))

	event, err := webhooks.Verify([]byte(body))
	fmt.Println(event.Type, event.InstanceID, err)

	_, err = webhooks.Verify([]byte("e30.e30.Zm9yZ2Vk"))
	var refusal *wix.WebhookError
	fmt.Println(errors.As(err, &refusal), err)
	// Output:
	// AppInstalled 9a1b2c3d-0000-4000-8000-00000000abcd <nil>
	// true wix webhook: bad signature: the JWT is not signed with RS256
}

// The instance parameter of an app's page in Wix's dashboard.
func ExampleParseSignedInstance() {
	parameter := seal(b64(`{"instanceId":"` + instanceID + `","signDate":"2026-11-22T10:00:00Z","permissions":"OWNER"}`))
	opened := time.Date(2026, 11, 22, 10, 0, 5, 0, time.UTC)

	s, err := wix.ParseSignedInstance(parameter, appSecret, opened, 0)
	fmt.Println(s.InstanceID, s.Owner(), err)

	_, err = wix.ParseSignedInstance(parameter, "another app's secret", opened, 0)
	fmt.Println(err)
	// Output:
	// 9a1b2c3d-0000-4000-8000-00000000abcd true <nil>
	// wix signed instance: bad signature: it was not signed with this app's secret
}
