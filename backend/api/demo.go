package api

import (
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/nametag-dev/nametag/backend/apierr"
)

// DemoSession is one onlooker's own instance in the demo.
type DemoSession struct {
	ID         string    `json:"session"`
	InstanceID string    `json:"instanceId"`
	SiteID     string    `json:"siteId"`
	AppID      string    `json:"appId"`
	Tag        string    `json:"tag"`
	WidgetURL  string    `json:"widgetUrl"`
	PanelURL   string    `json:"panelUrl"`
	ExpiresAt  time.Time `json:"expiresAt"`
}

// DemoToken is an access token of the demo's offline Wix. Production, which asks
// the real Wix, does not accept it.
type DemoToken struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// DemoCall is one call that reached the demo's offline Wix.
type DemoCall struct {
	Method     string    `json:"method"`
	Path       string    `json:"path"`
	Status     int       `json:"status"`
	At         time.Time `json:"at"`
	DurationMs float64   `json:"durationMs"`
}

// DemoSessions plays Wix to the demo page. Its errors are the domain's: not_found
// for a session that has ended, rate_limited when there are too many.
type DemoSessions interface {
	// Create starts a session for a client. The zero Addr is a client without an address.
	Create(client netip.Addr) (DemoSession, error)
	// Token mints a token for the session's instance; the subject is VISITOR or USER.
	Token(session, subject string) (DemoToken, error)
	// Calls lists what the session's instance caused at the offline Wix.
	Calls(session string) ([]DemoCall, error)
}

func (s *Server) mountDemoSessions(g *echo.Group) {
	sessions := s.opts.DemoSessions
	own := s.ownPages()
	g.POST("/sessions", func(c echo.Context) error {
		client, _ := netip.ParseAddr(c.RealIP())
		session, err := sessions.Create(client)
		if err != nil {
			return err
		}
		return demoAnswer(c, http.StatusCreated, session)
	}, own)
	g.POST("/sessions/:session/tokens", func(c echo.Context) error {
		var ask struct {
			Subject string `json:"subject"`
		}
		body, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, 1<<10))
		if err != nil {
			return bodyError(err)
		}
		if json.Unmarshal(body, &ask) != nil || (ask.Subject != "VISITOR" && ask.Subject != "USER") {
			return &apierr.Error{Code: apierr.NotFound}
		}
		token, err := sessions.Token(c.Param("session"), ask.Subject)
		if err != nil {
			return err
		}
		return demoAnswer(c, http.StatusOK, token)
	}, own)
	get(g, "/sessions/:session/calls", func(c echo.Context) error {
		calls, err := sessions.Calls(c.Param("session"))
		if err != nil {
			return err
		}
		return demoAnswer(c, http.StatusOK, map[string][]DemoCall{"calls": calls})
	})
}

// ownPages refuses what a page of another origin sends. It could not read the answer, but
// would use up its reader's sessions.
func (s *Server) ownPages() echo.MiddlewareFunc {
	protection := http.NewCrossOriginProtection()
	// A proxy may change the Host, with which the Origin is compared.
	_ = protection.AddTrustedOrigin(s.opts.Install.Origin())
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := protection.Check(c.Request()); err != nil {
				return &apierr.Error{Code: apierr.NotFound, Err: err}
			}
			return next(c)
		}
	}
}

func demoAnswer(c echo.Context, status int, body any) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSON(status, body)
}
