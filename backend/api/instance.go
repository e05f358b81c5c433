package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"nametag/backend/identity"
	"nametag/backend/instance"
)

// handlers answers api/* for one composition.
type handlers struct{ *Composition }

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
		start := time.Now()
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
		return next(call{c, who.Caller, who.At, identifyTiming(who, who.At.Sub(start))})
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
// own database by c.InstanceID here, and answer what that role may know. The caller's own
// browser may use the answer again for 30 seconds, unless it is told that it is not settled.
func (h handlers) getInstance(c call) error {
	row, err := h.visit(c)
	if err != nil {
		return err
	}
	if c.at.Sub(row.ProfileAt) > profileLives {
		h.Learner.Want(row.ID)
	}
	c.timing.write(c.Response().Header(), time.Since(c.at))
	settled := !row.ProfileAt.IsZero() // the site's name and plan are there
	return c.answer(instanceAnswer{"Success", row.Settings, row.ViewFor(c.Role)}, settled)
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
	if c.Role != instance.Owner {
		return c.JSON(http.StatusOK, visitorView(said))
	}
	return c.JSON(http.StatusOK, said)
}

// serverTiming tells a developer, in the browser's network panel, where the time
// of a request went (the Server-Timing header).
type serverTiming struct {
	how      string
	identify time.Duration
}

func identifyTiming(who identity.Identification, took time.Duration) serverTiming {
	if who.Cached {
		return serverTiming{"known", took}
	}
	return serverTiming{"asked Wix", took}
}

func (t serverTiming) write(h http.Header, store time.Duration) {
	b := make([]byte, 0, 80)
	b = append(b, `identify;desc="`...)
	b = append(b, t.how...)
	b = append(b, `";dur=`...)
	b = strconv.AppendFloat(b, milliseconds(t.identify), 'f', 3, 64)
	b = append(b, `, store;dur=`...)
	b = strconv.AppendFloat(b, milliseconds(store), 'f', 3, 64)
	h["Server-Timing"] = []string{string(b)}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
