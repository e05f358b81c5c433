package main

import (
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/wix"
)

func main() {
	v, err := identity.New(identity.Options{AppID: os.Getenv("WIX_APP_ID"), AppSecret: wix.Secret(os.Getenv("WIX_APP_SECRET"))})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /orders", v.Require(identity.Visitor)(http.HandlerFunc(orders)))
	log.Fatal(http.ListenAndServe(":8080", identity.CORS(mux)))
}

func orders(w http.ResponseWriter, r *http.Request) {
	caller, _ := identity.CallerFrom(r.Context()) // behind Require there always is one
	fmt.Fprintf(w, "the orders of app instance %s, for its %s\n", caller.InstanceID, caller.Role)
}
