// Command bare is the limit that get-instance is measured against: an Echo handler
// that writes the same JSON and knows nobody.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"

	"github.com/labstack/echo/v4"
)

type answer struct {
	Status   string            `json:"status"`
	Settings map[string]string `json:"settings"`
	Instance map[string]any    `json:"instance"`
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	e := echo.New()
	e.HideBanner, e.HidePort, e.Listener = true, true, listener
	body := answer{"Success", map[string]string{"greeting": "Hello"}, map[string]any{
		"plan": map[string]any{"name": "", "isFree": true}, "locale": "en", "currency": "USD",
		"siteDisplayName": "My Wix Site", "languages": []string{"en"},
	}}
	e.GET("/api/get-instance", func(c echo.Context) error { return c.JSON(http.StatusOK, body) })
	fmt.Printf("http://%s\n", listener.Addr())
	log.Fatal(e.Start(""))
}
