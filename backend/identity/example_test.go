package identity_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/wix"
)

const (
	appID      = "11111111-1111-4111-8111-111111111111"
	instanceID = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
)

// A service for the widget of a Wix app: it knows which site asks, and calls Wix as the app.
func Example() {
	wixServer := startWix() // in place of https://www.wixapis.com, the default
	defer wixServer.Close()

	v, err := identity.New(identity.Options{AppID: appID, AppSecret: "the app's secret", WixURL: wixServer.URL})
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	mux := http.NewServeMux()
	mux.Handle("GET /orders", v.Require(identity.Visitor)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, _ := identity.CallerFrom(r.Context())
		resp, err := v.Client(caller.InstanceID).Get("https://www.wixapis.com/stores/v1/products")
		if err != nil {
			apierr.Write(w, apierr.As(err), "")
			return
		}
		defer resp.Body.Close()
		products, _ := io.ReadAll(resp.Body)
		fmt.Fprintf(w, "a %s of instance %s: %s", caller.Role, caller.InstanceID, products)
	})))
	service := httptest.NewServer(identity.CORS(mux))
	defer service.Close()

	for _, token := range []string{"a-visitors-token", "a-forged-token"} {
		r, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, service.URL+"/orders", http.NoBody)
		r.Header.Set("Authorization", token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			log.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		answer := string(body)
		if resp.StatusCode != http.StatusOK {
			_, answer, _ = strings.Cut(resp.Header.Get("WWW-Authenticate"), ", ") // after the realm
		}
		fmt.Println(resp.StatusCode, answer)
	}
	// Output:
	// 200 a visitor of instance aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa: ["a mug"]
	// 401 error="invalid_token"
}

// startWix is the least that a Wix can be: one visitor's token, one app, one API.
func startWix() *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth2/token-info", func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); string(body) != `{"token":"a-visitors-token"}` {
			fmt.Fprint(w, `{"active":false}`)
			return
		}
		fmt.Fprintf(w, `{"active":true,"subjectType":"VISITOR","clientId":%q,"instanceId":%q,"exp":%d}`,
			appID, instanceID, time.Now().Add(4*time.Hour).Unix())
	})
	mux.HandleFunc("POST /oauth2/token", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"access_token":"the-apps-token","expires_in":14400}`)
	})
	mux.HandleFunc("GET /apps/v1/instance", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"instance":{"instanceId":%q,"isFree":true},"site":{"siteDisplayName":"Mugs & more"}}`, instanceID)
	})
	mux.HandleFunc("GET /stores/v1/products", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "the-apps-token" {
			fmt.Fprint(w, `["a mug"]`)
		}
	})
	return httptest.NewServer(mux)
}

func ExampleNew_errors() {
	_, err := identity.New(identity.Options{AppID: "my-app", WixURL: "www.wixapis.com"})
	fmt.Println(err)
	// Output:
	// new verifier: option AppID is not a GUID: "my-app"
	// option AppSecret is missing
	// option WixURL is not an absolute http or https URL
}

func ExampleVerifier_Verify() {
	wixServer := startWix()
	defer wixServer.Close()
	v, err := identity.New(identity.Options{AppID: appID, AppSecret: "the app's secret", WixURL: wixServer.URL})
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()

	ctx := context.Background()
	for range 2 {
		found, err := v.Verify(ctx, "192.0.2.1", []string{"Bearer a-visitors-token"})
		fmt.Println(found.Caller.Role, found.Caller.InstanceID, found.Cached, err)
	}
	_, err = v.Verify(ctx, "192.0.2.1", []string{"a-forged-token"})
	refusal := apierr.As(err)
	fmt.Println(refusal.Code.Status, refusal.Code.Name, errors.Is(err, context.Canceled))
	// Output:
	// visitor aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa false <nil>
	// visitor aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa true <nil>
	// 401 token_inactive false
}

func ExampleVerifier_AppInstance() {
	wixServer := startWix()
	defer wixServer.Close()
	v, err := identity.New(identity.Options{AppID: appID, AppSecret: "the app's secret", WixURL: wixServer.URL})
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()

	app, err := v.AppInstance(context.Background(), instanceID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(app.Site.SiteDisplayName.Value, app.Instance.IsFree == wix.Some(true))
	// Output: Mugs & more true
}

// A handler behind Require is tested without a Wix: its caller is put into the context.
func ExampleWithCaller() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, _ := identity.CallerFrom(r.Context())
		fmt.Fprintf(w, "instance %s, %s", caller.InstanceID, caller.Role)
	})

	ctx := identity.WithCaller(context.Background(), identity.Caller{InstanceID: instanceID, Role: identity.Owner})
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/orders", http.NoBody))
	fmt.Println(w.Body)
	// Output: instance aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa, owner
}

func ExampleCORS() {
	handler := identity.CORS(http.NotFoundHandler())

	preflight := httptest.NewRequestWithContext(context.Background(), http.MethodOptions, "/orders", http.NoBody)
	preflight.Header.Set("Origin", "https://any.site.example")
	preflight.Header.Set("Access-Control-Request-Method", "DELETE")
	preflight.Header.Set("Access-Control-Request-Headers", "authorization")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, preflight)
	fmt.Println(w.Code, w.Header().Get("Access-Control-Allow-Origin"), w.Header().Get("Access-Control-Allow-Methods"))
	// Output: 204 * DELETE
}
