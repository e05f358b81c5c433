// Command postgres prints the URL of a Postgres server to measure with: the one that
// the environment names, or a throw-away one, which ends with this command.
package main

import (
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/nametag-dev/nametag/backend/store/pgtest"
)

func main() {
	url, err := pgtest.Server()
	if err != nil {
		log.Fatal(err)
	}
	interrupt := make(chan os.Signal, 1)
	signal.Notify(interrupt, os.Interrupt)
	fmt.Println(url)
	<-interrupt
}
