package kit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/settings"
)

// Handler answers one request with any value that encodes to JSON, with a Reply, or with
// an error: an *apierr.Error reaches the client as it is; instance.ErrNotFound and ErrRemoved
// are 401 token_inactive; an error of a database that is away is 503 store_unavailable; any
// other is 500 internal and goes to the log. nil is 204 without a body.
//
// A handler that panics, or has not returned after 10 s, costs its own request: 500
// internal.
type Handler func(ctx context.Context, c Call) (any, error)

// Call is one request of a verified caller.
type Call struct {
	// Caller is who asks. InstanceID is never empty.
	Caller identity.Caller
	// Instance is our record of the installation that asks, the call's own copy. Its Settings
	// are complete, for an answer that sends them on as they are. The function Settings makes
	// the typed value, with the secrets.
	Instance *instance.Instance
	// At is when the caller was verified, which is now as far as the request goes.
	At time.Time
	// Body is the JSON body of a POST, PUT or PATCH of an own route, or nil where there is
	// none. Body, the function, decodes it.
	Body json.RawMessage
	// Params are the parameters of Route.Path, by name.
	Params map[string]string
	// URL is the request's, for its query.
	URL *url.URL
	// UpgradePage is the URL of Wix's page with the app's plans, up to the id of the instance,
	// or "" where App.Plans is empty. See View.
	UpgradePage string
	// Logger is the app's logger, without the instance: see Log.
	Logger *slog.Logger
}

// Log returns the app's logger with the instance in it.
func (c Call) Log() *slog.Logger { return c.Logger.With("instanceId", c.Instance.ID) }

// View returns what the caller may see of the installation.
func (c Call) View() instance.View {
	if !c.Caller.Owns() {
		return c.Instance.VisitorView()
	}
	v := c.Instance.OwnerView()
	if c.UpgradePage != "" && !c.Instance.Paid() {
		v.UpgradeURL = c.UpgradePage + c.Instance.ID
	}
	return v
}

// Settings returns the site's settings as T, the struct that declares them, with its
// secrets. It never fails on that struct.
func Settings[T any](c Call) (T, error) {
	return settings.Decode[T](c.Instance.Settings, c.Instance.Secrets.Reveal())
}

// Body makes a Handler of a function that takes the decoded body. A body that is absent
// or not of T's form is 422 invalid_body with the field at fault; unknown fields are
// refused.
func Body[T any](f func(ctx context.Context, c Call, body T) (any, error)) Handler {
	return func(ctx context.Context, c Call) (any, error) {
		var body T
		if err := decodeBody(c.Body, &body); err != nil {
			return nil, err
		}
		return f(ctx, c, body)
	}
}

func decodeBody(raw json.RawMessage, into any) error {
	if len(raw) == 0 {
		return Invalid(apierr.Field{Reason: "is required"})
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrongType):
		return Invalid(apierr.Field{Name: wrongType.Field, Reason: "must be of type " + jsonType(wrongType.Type)})
	}
	if name, unknown := strings.CutPrefix(err.Error(), `json: unknown field "`); unknown {
		return Invalid(apierr.Field{Name: shorten(strings.TrimSuffix(name, `"`)), Reason: "is not a known field"})
	}
	return Invalid(apierr.Field{Reason: "cannot be read"})
}

// Invalid is 422 invalid_body, naming what is wrong with each field.
func Invalid(fields ...apierr.Field) error {
	return &apierr.Error{Code: apierr.InvalidBody, Fields: fields}
}

// jsonType is JSON's name for what a Go type is encoded as.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "integer"
	default:
		return "number"
	}
}

// shorten bounds a name that the client chose.
func shorten(name string) string {
	const most = 64
	if utf8.RuneCountInString(name) <= most {
		return name
	}
	return string([]rune(name)[:most]) + "…"
}

// Reply is an answer that is more than a JSON value.
type Reply struct {
	Body any
	// Status is the HTTP status; 0 is 200, or 204 without a Body.
	Status int
	// OfInstance makes the body, instead of Body, out of the instance's record and whether the
	// caller owns the site, and of nothing else. The encoding of what it returns for
	// get-instance, where the status is 200 then, is cached with the record.
	OfInstance func(c Call) any
	// NoReuse keeps a browser from using the answer of get-instance again within its 30
	// seconds. Answers of own routes are never used again.
	NoReuse bool
}

// BodyFor returns the body of the answer to a call: Body, or what OfInstance makes.
func (r Reply) BodyFor(c Call) any {
	if r.OfInstance != nil {
		return r.OfInstance(c)
	}
	return r.Body
}

// Route is one endpoint of the app.
type Route struct {
	// Method is GET (which answers HEAD too), POST, PUT, PATCH or DELETE.
	Method string
	// Path is below api/, such as "reviews" or "reviews/:id".
	Path string
	// Role is who may call: Visitor is any verified caller, Owner those who edit the site and
	// the app itself, App the app alone. Where Wix gives its dashboard's pages tokens of the
	// app (see identity.App), an owner's browser can call the routes for App, too.
	Role   identity.Role
	Handle Handler
}
