// Command bare is the limit that Nametag is measured against: an Echo handler and a
// net/http one that write the same JSON as get-instance and know nobody, and one that
// writes the same bytes as Nametag does for a file, the header's included.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

type answer struct {
	Status   string   `json:"status"`
	Settings settings `json:"settings"`
	Instance view     `json:"instance"`
}

type settings struct {
	Greeting string `json:"greeting"`
}

type view struct {
	Plan            plan     `json:"plan"`
	Locale          string   `json:"locale"`
	Currency        string   `json:"currency"`
	SiteDisplayName string   `json:"siteDisplayName"`
	Languages       []string `json:"languages"`
}

type plan struct {
	Name   string `json:"name"`
	IsFree bool   `json:"isFree"`
}

func main() {
	plain := flag.Bool("net-http", false, "net/http alone, without Echo")
	file := flag.String("file", "", "a brotli file, which the net/http handler writes at /widget.js")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	body := answer{"Success", settings{"Hello"}, view{plan{"", true}, "en", "USD", "My Wix Site", []string{"en"}}}
	if *plain {
		log.Fatal(http.Serve(listener, netHTTP(body, *file)))
	}
	e := echo.New()
	e.HideBanner, e.HidePort, e.Listener = true, true, listener
	e.GET("/api/:route", func(c echo.Context) error { return c.JSON(http.StatusOK, body) })
	log.Fatal(e.Start(""))
}

func netHTTP(body answer, file string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/{route}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(body); err != nil {
			panic(http.ErrAbortHandler)
		}
	})
	if file == "" {
		return mux
	}
	script, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	length := strconv.Itoa(len(script))
	etag := `"` + strings.Repeat("0", 32) + `"`
	mux.HandleFunc("GET /widget.js", func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cache-Control", "public, no-cache")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("ETag", etag)
		h.Set("Vary", "Accept-Encoding")
		h.Set("X-Content-Type-Options", "nosniff")
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("Content-Encoding", "br")
		h.Set("Content-Length", length)
		w.Write(script)
	})
	return mux
}
