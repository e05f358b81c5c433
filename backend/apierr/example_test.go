package apierr_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/nametag-dev/nametag/backend/apierr"
)

// An app declares a code of its own, returns it from its logic, and answers with it at the
// edge. The cause stays on the server.
func Example() {
	soldOut := apierr.Code{Name: "sold_out", Status: http.StatusConflict, Message: "The last one has just been sold."}
	order := func() error {
		return fmt.Errorf("place the order: %w", &apierr.Error{Code: soldOut, Err: errors.New("stock of 7f3a is 0")})
	}

	w := httptest.NewRecorder()
	apierr.Write(w, apierr.As(order()), "request-1")
	fmt.Print(w.Code, " ", w.Body)
	// Output: 409 {"error":"The last one has just been sold.","code":"sold_out","requestId":"request-1"}
}

func ExampleAs() {
	for _, err := range []error{&apierr.Error{Code: apierr.OwnerRequired}, errors.New("the disk is full")} {
		e := apierr.As(err)
		fmt.Println(e.Code.Status, e)
	}
	// Output:
	// 403 owner_required
	// 500 internal: the disk is full
}
