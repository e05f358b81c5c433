package api

// The routes that identify the caller: get-instance and get-instance-data.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
)

// handlers answers api/* for one composition.
type handlers struct {
	*Composition
	runner *runner
	relays *relays
}

// noInstance is Wix's own sentence (from its sample) for a verified token that was not
// issued for an app instance.
const noInstance = "No instance ID."

// call is an identified request.
type call struct {
	echo.Context
	identity.Caller
	// at is when the caller was identified.
	at     time.Time
	timing serverTiming
}

func (c call) ctx() context.Context { return c.Request().Context() }

// identified verifies the access token, and that the role may call, before the handler
// runs. A token without an app instance reads nothing from the built-in routes, which say
// so; everything else it is refused.
func (h handlers) identified(role identity.Role, builtIn bool, next func(call) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		c.Response().Header()[echo.HeaderCacheControl] = noStore
		c.Response().Header()[echo.HeaderVary] = varyAuthorization
		who, err := h.Identity.Verify(r.Context(), c.RealIP(), r.Header[echo.HeaderAuthorization])
		if err != nil {
			return err
		}
		return admit(c, who, role, builtIn, next)
	}
}

// admit applies the rules about roles and instances to a verified caller.
func admit(c echo.Context, who identity.Identification, role identity.Role, builtIn bool, next func(call) error) error {
	if builtIn && reads(c.Request()) && who.Caller.InstanceID == "" {
		return c.JSON(http.StatusOK, statusAnswer{noInstance})
	}
	err := who.Caller.Authorize(role)
	if err == nil {
		err = next(call{c, who.Caller, who.At, serverTiming{who.Cached, who.Took}})
	}
	return ofCaller(c, who.Caller, err)
}

// reads reports whether a request of a built-in route only reads. The one POST of those,
// of get-instance, does.
func reads(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodPost
}

type statusAnswer struct {
	Status string `json:"status"`
}

// maxTokenBody is far above any access token, in bytes.
const maxTokenBody = 16 << 10

// postGetInstance is get-instance for a token that comes as the request's body. A page of
// another origin can send it without a preflight, because the request is CORS-simple.
func (h handlers) postGetInstance(c echo.Context) error {
	c.Response().Header()[echo.HeaderCacheControl] = noStore
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, maxTokenBody))
	if err != nil {
		return bodyError(err)
	}
	who, err := h.Identity.VerifyToken(c.Request().Context(), c.RealIP(), string(body))
	if err != nil {
		return err
	}
	return admit(c, who, identity.Visitor, true, h.getInstance)
}

// getInstance queries our own record of the installation and lets the app answer.
func (h handlers) getInstance(c call) error {
	row, err := h.visit(c)
	if err != nil {
		return err
	}
	if c.at.Sub(row.ProfileAt) > profileLife {
		h.Refresher.RequestRefresh(row.ID)
	}
	k := h.kitCall(c, row)
	reply, err := h.runner.run(c, h.App.Answer, k)
	if err != nil {
		return err
	}
	c.timing.write(c.Response().Header(), c.at)
	if reply.OfInstance == nil && (reply.Status != 0 || reply.Body == nil) {
		return writeReply(c, reply.Status, reply.Body)
	}
	body, err := encodingOf(k, reply)
	if err != nil {
		return err
	}
	if c.Request().Method == http.MethodPost {
		return c.writeJSON(http.StatusOK, body.JSON)
	}
	// Until Wix has reported the site's name and plan, the answer is about to change.
	return c.answer(body, !reply.NoReuse && !row.ProfileAt.IsZero())
}

// visit records the visit and returns our own record of the instance. Where the app has
// been removed from the site, a token from before that is refused.
func (h handlers) visit(c call) (instance.Instance, error) {
	row, err := h.Store.Seen(c.ctx(), instance.Visit{
		InstanceID: c.InstanceID, SiteID: c.SiteID, IssuedAt: c.IssuedAt, At: c.at,
	})
	if err != nil {
		return row, storeError(c.ctx(), err)
	}
	if !row.Admits(c.IssuedAt) {
		return row, &apierr.Error{Code: apierr.TokenInactive, Err: errRemoved}
	}
	return row, nil
}

var errRemoved = errors.New("the app was removed from the site after Wix issued this token")

// profileLife is how old our copy of Wix's app instance may be before a visit requests a
// refresh.
const profileLife = 24 * time.Hour

// getInstanceData elevates to the app's identity, reads the app instance from Wix and
// relays what the caller's role may see of it, in Wix's own shape.
func (h handlers) getInstanceData(c call) error {
	if _, err := h.visit(c); err != nil {
		return err
	}
	app, err := h.Identity.AppInstance(c.ctx(), c.InstanceID)
	if err != nil {
		return err
	}
	if err := h.Refresher.Save(c.ctx(), c.InstanceID, app); err != nil && c.ctx().Err() == nil {
		// The answer is there, and the next request reports it again.
		h.Logger.WarnContext(c.ctx(), "what Wix reports of an instance could not be stored", "instanceId", c.InstanceID, "cause", err)
	}
	body, err := encode(h.relays.of(app), c.Owns(), func() any {
		if c.Owns() {
			return app
		}
		return visitorView(app)
	})
	if err != nil {
		return err
	}
	return c.writeJSON(http.StatusOK, body.JSON)
}

// serverTiming shows a developer, in the browser's network panel, whether Wix was asked,
// and how long that and the store took then (the Server-Timing header). A request that did
// not need Wix takes microseconds, which are not worth measuring.
type serverTiming struct {
	cached bool
	asked  time.Duration
}

// timingOfCached is a shared header value: net/http only reads it.
var timingOfCached = []string{`identify;desc="known", store`}

func (t serverTiming) write(h http.Header, identified time.Time) {
	if t.cached {
		h["Server-Timing"] = timingOfCached
		return
	}
	h["Server-Timing"] = []string{fmt.Sprintf(`identify;desc="asked Wix";dur=%.3f, store;dur=%.3f`,
		milliseconds(t.asked), milliseconds(time.Since(identified)))}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
