package identity

import (
	"testing"

	"github.com/nametag-dev/nametag/backend/apierr"
)

func TestCaller_Authorize(t *testing.T) {
	for _, tt := range []struct {
		caller, required Role
		want             apierr.Code
	}{
		{Visitor, Visitor, accepted}, {Owner, Visitor, accepted}, {App, Visitor, accepted},
		{Visitor, Owner, apierr.OwnerRequired}, {Owner, Owner, accepted}, {App, Owner, accepted},
		{Visitor, App, apierr.AppRequired}, {Owner, App, apierr.AppRequired}, {App, App, accepted},
	} {
		if err := (Caller{InstanceID: idA, Role: tt.caller}).Authorize(tt.required); code(err) != tt.want {
			t.Errorf("%s where %s is required: got %v", tt.caller, tt.required, err)
		}
		if err := (Caller{Role: tt.caller}).Authorize(tt.required); code(err) != apierr.InstanceRequired {
			t.Errorf("%s without an instance: got %v", tt.caller, err)
		}
	}
}
