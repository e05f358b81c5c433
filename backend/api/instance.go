package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/wix"
)

// handlers answers api/* for one composition.
type handlers struct {
	*Composition
	answers *memo[instance.Instance]
	relayed *memo[*wix.AppInstance]
}

func newHandlers(c *Composition) handlers {
	return handlers{
		Composition: c,
		answers:     newMemo(tell, instance.Instance.Equal),
		relayed:     newMemo(relay, func(a, b *wix.AppInstance) bool { return a == b }),
	}
}

// noInstance is Wix's own sentence (from its sample) for a verified token that
// was not issued for an app instance.
const noInstance = "No instance ID."

// call is an identified request.
type call struct {
	echo.Context
	instance.Caller
	// at is when the caller was identified.
	at     time.Time
	timing serverTiming
}

func (c call) ctx() context.Context { return c.Request().Context() }

// identified verifies the access token before the handler runs. A caller without
// an app instance has nothing here to read: the answer is the same on every route.
func (h handlers) identified(next func(call) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		c.Response().Header()[echo.HeaderCacheControl] = noStore
		c.Response().Header()[echo.HeaderVary] = varyAuthorization
		who, err := h.Identifier.Identify(r.Context(), c.RealIP(), r.Header[echo.HeaderAuthorization])
		if err != nil {
			return err
		}
		if who.Caller.InstanceID == "" {
			if r.Method == http.MethodPut {
				return &instance.Error{Code: instance.CodeOwnerRequired}
			}
			return c.JSON(http.StatusOK, statusAnswer{noInstance})
		}
		return next(call{c, who.Caller, who.At, serverTiming{who.Cached, who.Took}})
	}
}

type statusAnswer struct {
	Status string `json:"status"`
}

type instanceAnswer struct {
	Status   string            `json:"status"`
	Settings instance.Settings `json:"settings"`
	Instance instance.View     `json:"instance"`
}

// getInstance is the heart of Nametag, and the one place to put your own business
// logic. When it runs, Wix has vouched for the caller: c.InstanceID is the app
// instance (the site) that is asking, and c.Role is who is asking there. Query your
// own database by c.InstanceID here, encode what that role may know of it beside our own
// record, and answer that. The caller's own browser may use the answer again for 30
// seconds, unless it is told that it is not settled.
func (h handlers) getInstance(c call) error {
	row, err := h.visit(c)
	if err != nil {
		return err
	}
	if c.at.Sub(row.ProfileAt) > profileLives {
		h.Learner.Want(row.ID)
	}
	c.timing.write(c.Response().Header(), c.at)
	body, err := h.answers.of(row.ID, c.Role, row)
	if err != nil {
		return err
	}
	settled := !row.ProfileAt.IsZero() // the site's name and plan are there
	return c.answer(body, settled)
}

// tell is what a caller of that role is told of our own record. It is made of nothing
// else: the encoded body is kept for as long as the record is the same.
func tell(row instance.Instance, role instance.Role) any {
	return instanceAnswer{"Success", row.Settings, row.ViewFor(role)}
}

// visit records the visit and returns our own record of the instance. Where the app
// has been removed from the site, a token from before that speaks for nobody.
func (h handlers) visit(c call) (instance.Instance, error) {
	row, err := h.Store.Seen(c.ctx(), instance.Visit{
		InstanceID: c.InstanceID, SiteID: c.SiteID, IssuedAt: c.IssuedAt, At: c.at,
	})
	if err == nil && !row.RemovedAt.IsZero() {
		err = &instance.Error{Code: instance.CodeTokenInactive, Err: errRemoved}
	}
	return row, err
}

var errRemoved = errors.New("the app was removed from the site after Wix issued this token")

// profileLives is how old our record of what Wix says may be before a visit asks
// for it to be read again.
const profileLives = 24 * time.Hour

// getInstanceData elevates to the app's identity, reads the app instance from Wix
// and relays what the caller's role may see of it, in Wix's own shape.
func (h handlers) getInstanceData(c call) error {
	if _, err := h.visit(c); err != nil {
		return err
	}
	said, err := h.Elevator.AppInstance(c.ctx(), c.InstanceID)
	if err != nil {
		return err
	}
	if err := h.Learner.Record(c.ctx(), c.InstanceID, said); err != nil {
		return err
	}
	body, err := h.relayed.of(c.InstanceID, c.Role, said)
	if err != nil {
		return err
	}
	c.Response().Header()[echo.HeaderXContentTypeOptions] = noSniff
	return c.JSONBlob(http.StatusOK, body.json)
}

// relay is what a caller of that role may see of what Wix said, and nothing else.
func relay(said *wix.AppInstance, role instance.Role) any {
	if role != instance.Owner {
		return visitorView(said)
	}
	return said
}

// serverTiming tells a developer, in the browser's network panel, whether Wix was asked,
// and how long that and the store took then (the Server-Timing header). Without Wix it
// is a matter of microseconds, which are not worth their measuring.
type serverTiming struct {
	known bool
	asked time.Duration
}

// timingOfKnown is a shared header value: net/http only reads it.
var timingOfKnown = []string{`identify;desc="known", store`}

func (t serverTiming) write(h http.Header, identified time.Time) {
	if t.known {
		h["Server-Timing"] = timingOfKnown
		return
	}
	h["Server-Timing"] = []string{fmt.Sprintf(`identify;desc="asked Wix";dur=%.3f, store;dur=%.3f`,
		milliseconds(t.asked), milliseconds(time.Since(identified)))}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
