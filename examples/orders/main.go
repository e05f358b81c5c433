// Command orders is an existing Go service that serves a Wix app: plain net/http, with
// Nametag's identity as its only addition. Visitors of a site order, and the site's owner
// sees the orders of that site alone.
//
//	WIX_APP_ID=… WIX_APP_SECRET=… go run .
//
// WIX_API_URL is the address of the offline Wix in development (`nametag sim`).
package main

import (
	"log"
	"net/http"
	"os"
	"time"

	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/wix"
)

func main() {
	verifier, err := identity.New(identity.Options{
		AppID:     os.Getenv("WIX_APP_ID"),
		AppSecret: wix.Secret(os.Getenv("WIX_APP_SECRET")),
		WixURL:    os.Getenv("WIX_API_URL"),
	})
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: ":8080", Handler: newService(verifier), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}
