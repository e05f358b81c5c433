package settings_test

import (
	"fmt"
	"log"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/settings"
)

// Badge is what the owner of a site sets.
type Badge struct {
	Title string `json:"title" setting:"text" default:"Reviews" min:"1" max:"40"`
	Stars int    `json:"stars" setting:"number" default:"5" min:"1" max:"10"`
}

func Example() {
	schema, err := settings.For[Badge]()
	if err != nil {
		log.Fatal(err)
	}
	saved, err := schema.Parse([]byte(`{"title":"What guests say","stars":7}`))
	fmt.Println(string(saved), err)

	_, err = schema.Parse([]byte(`{"title":"","stars":11}`))
	for _, field := range apierr.As(err).Fields {
		fmt.Println(field.Name, field.Reason)
	}

	// What an older program stored lacks the stars.
	values, _ := schema.Complete([]byte(`{"title":"Hi"}`))
	badge, err := settings.Decode[Badge](values)
	fmt.Println(badge.Title, badge.Stars, err)
	// Output:
	// {"title":"What guests say","stars":7} <nil>
	// stars must be at most 10
	// title must not be empty
	// Hi 5 <nil>
}
