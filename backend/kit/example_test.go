package kit_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
)

type review struct {
	Stars int `json:"stars"`
}

// A route with a decoded body. Nametag calls it with the installation that asks.
func ExampleBody() {
	route := kit.Route{
		Method: "POST", Path: "reviews", Role: identity.Visitor,
		Handle: kit.Body(func(_ context.Context, c kit.Call, r review) (any, error) {
			if r.Stars > 5 {
				return nil, kit.Invalid(apierr.Field{Name: "stars", Reason: "must be 1 to 5"})
			}
			return fmt.Sprintf("%d stars for %s", r.Stars, c.Instance.Profile.SiteDisplayName), nil
		}),
	}
	site := &instance.Instance{Profile: instance.Profile{SiteDisplayName: "Corner Café"}}
	for _, body := range []string{`{"stars":4}`, `{"stars":6}`, `{"stars":"4"}`} {
		answer, err := route.Handle(context.Background(), kit.Call{Instance: site, Body: json.RawMessage(body)})
		if err != nil {
			fmt.Println(apierr.As(err).Code, apierr.As(err).Fields)
			continue
		}
		fmt.Println(answer)
	}
	// Output:
	// 4 stars for Corner Café
	// invalid_body [{stars must be 1 to 5}]
	// invalid_body [{stars must be of type integer}]
}
