package identity

// Who has called: the result that the rest of a program works with.

import (
	"context"
	"time"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/wix"
)

// Role is what a verified caller may see and do.
type Role string

const (
	// Visitor is a visitor of the site: token-info's VISITOR, MEMBER, UNKNOWN, and any
	// subject type that Wix adds later.
	Visitor Role = "visitor"
	// Owner is a Wix user who edits the site: token-info's USER.
	Owner Role = "owner"
	// App is the app's own identity: token-info's APP. It may do all that an owner may: such a
	// token is had with the app's secret, or from one of Wix's own pages for those who run a
	// site. (Wix documents that its dashboard gives pages of the app "an app access token with
	// combined app and user permissions", and does not say which subject the settings panel's
	// token has.) No visitor gets one.
	App Role = "app"
)

// Caller is the identity behind a verified access token.
type Caller struct {
	// InstanceID is the app instance that the token was issued for, a GUID in lower
	// case, or "" when Wix named none.
	InstanceID string
	// SiteID is the site (metasite) id, a GUID in lower case, or "".
	SiteID string
	Role   Role
	// Subject is what the role follows from: token-info's subjectType, as Wix spells it, or ""
	// when Wix named none.
	Subject wix.SubjectType
	// IssuedAt is when Wix made the token, or zero when Wix did not say.
	IssuedAt time.Time
	// Expires is when the token stops being valid. It is never zero.
	Expires time.Time
}

// Owns reports whether the caller may see and do what the site's owner may: Owner or App.
func (c Caller) Owns() bool { return c.Role == Owner || c.Role == App }

// Authorize checks that the caller belongs to an app instance and may do what role may
// do: Visitor admits every role, Owner admits Owner and App, App only itself. The error is
// an *apierr.Error: instance_required, owner_required or app_required.
func (c Caller) Authorize(role Role) error {
	switch {
	case c.InstanceID == "":
		return &apierr.Error{Code: apierr.InstanceRequired}
	case role == Owner && !c.Owns():
		return &apierr.Error{Code: apierr.OwnerRequired}
	case role == App && c.Role != App:
		return &apierr.Error{Code: apierr.AppRequired}
	}
	return nil
}

// callerKey is the key of the Caller in a context.
type callerKey struct{}

// WithCaller returns a context with a caller, as Require makes it. It is for tests of
// handlers, and for middleware of one's own.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns the caller of a request. It is always present behind Require.
func CallerFrom(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}
