package app

import (
	"cmp"
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nametag-dev/nametag/backend/pasted"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
	"github.com/nametag-dev/nametag/backend/wix"
	"github.com/nametag-dev/nametag/web"
)

// Config is what the command serve reads from the environment.
type Config struct {
	OwnVariables
	WixVariables
	// OldSecret is the second secret of WIX_APP_SECRET, or "". AppSecret is then the first.
	OldSecret wix.Secret
	// Warnings are sentences on what is doubtful, but does not stop the start.
	Warnings []string

	// databaseFrom is the variable of DatabaseURL: ours, or the hosting platform's.
	databaseFrom string
	basePath     string
	proxies      []netip.Prefix
	webhooks     *wix.Webhooks    // nil without a public key
	now          func() time.Time // of the job queue; nil is time.Now
	traces       bool
	// unprobed keeps the server from asking Wix by itself, in tests that count its calls.
	unprobed bool
}

// development reports whether Wix is the offline Wix, with which nothing has to be public.
func (c *Config) development() bool {
	u, err := url.Parse(c.WixURL)
	return err == nil && privateHost(u.Hostname())
}

// OwnVariables have names that begin with product.EnvPrefix.
type OwnVariables struct {
	Addr           string        `env:"ADDR" envDefault:":8080"`
	AdminAddr      string        `env:"ADMIN_ADDR" envDefault:"127.0.0.1:9090"`
	AdminExposed   bool          `env:"ADMIN_EXPOSED" envDefault:"false"`
	PublicURL      string        `env:"PUBLIC_URL" envDefault:"http://localhost:8080"`
	DatabaseURL    string        `env:"DATABASE_URL"` // defaultDatabase by default
	TrustedProxies []string      `env:"TRUSTED_PROXIES"`
	Demo           bool          `env:"DEMO" envDefault:"true"`
	FrameAncestors []string      `env:"FRAME_ANCESTORS"`
	Retention      time.Duration `env:"RETENTION" envDefault:"720h"`
	LogVariables
}

// WixVariables have the same names in every product.
type WixVariables struct {
	AppID      string     `env:"WIX_APP_ID"`
	AppSecret  wix.Secret `env:"WIX_APP_SECRET"`
	PublicKeys string     `env:"WIX_PUBLIC_KEY"`
	WixURL     string     `env:"WIX_API_URL" envDefault:"https://www.wixapis.com"`
}

const (
	databaseURL     = product.EnvPrefix + "DATABASE_URL"
	defaultDatabase = "sqlite:" + product.ID + ".db"
)

// LoadConfig reads and checks the configuration. Its error names every fault at
// once, a line each, and shows no value.
func LoadConfig(environ []string) (Config, error) {
	var c Config
	names := slices.Concat(namesOf(variablesOf(&c.OwnVariables, product.EnvPrefix)), namesOf(variablesOf(&c.WixVariables, "")))
	e := readEnvironment(environ, names)
	e.parse(&c.OwnVariables, product.EnvPrefix)
	e.parse(&c.WixVariables, "")
	c.Warnings = unknown(environ, names)
	c.check(e)
	c.traces = wantsTraces(e)
	return c, errors.Join(e.faults...)
}

// LoadDatabaseURL reads the one variable that the database commands need.
func LoadDatabaseURL(environ []string) (string, error) {
	e := readEnvironment(environ, []string{databaseURL})
	url, _ := e.database()
	return url, errors.Join(e.faults...)
}

// check adds the faults of values that parsed, and fills in what follows from them.
func (c *Config) check(e *environment) {
	c.checkCredentials(e)
	c.DatabaseURL, c.databaseFrom = e.database()
	c.checkURLs(e)
	c.checkAddresses(e)
	c.LogVariables.check(e)
	if c.Retention <= 0 && !e.faulty[product.EnvPrefix+"RETENTION"] {
		e.fault(product.EnvPrefix+"RETENTION", "must be a time such as 720h (30 days)")
	}
	for i, text := range c.TrustedProxies {
		network, err := trustedNetwork(text)
		if err != nil {
			e.fault(product.EnvPrefix+"TRUSTED_PROXIES", "has a value (number %d) that %w", i+1, err)
			continue
		}
		c.proxies = append(c.proxies, network)
	}
	for i, host := range c.FrameAncestors {
		switch {
		case host == "self" || host == "none":
			c.FrameAncestors[i] = "'" + host + "'" // the quotes went when it was cleaned
		case !frameAncestor.MatchString(host):
			e.fault(product.EnvPrefix+"FRAME_ANCESTORS", "has a value (number %d) that is not a host such as https://*.wix.com", i+1)
		}
	}
}

// plainSecret is wider than the GUIDs that Wix's secrets are, and keeps out what a secret is
// pasted with.
var plainSecret = regexp.MustCompile(`^[A-Za-z0-9._~+/=-]+$`)

func (c *Config) checkCredentials(e *environment) {
	if id, ok := wix.ParseGUID(c.AppID); ok {
		c.AppID = id
	} else if c.AppID != "" {
		e.fault("WIX_APP_ID", "must be a GUID, such as 6f0c1f8e-2f0a-4a6e-9d5a-0d8f3b7a1c11; the value has %d characters", len(c.AppID))
	} else if !e.faulty["WIX_APP_ID"] {
		e.fault("WIX_APP_ID", "is missing: the app's id, from the app dashboard's OAuth page")
	}
	secrets := pasted.List(string(c.AppSecret))
	switch {
	case e.faulty["WIX_APP_SECRET"]:
	case len(secrets) == 0:
		e.fault("WIX_APP_SECRET", "is missing: the app's secret key, from the app dashboard's OAuth page")
	case len(secrets) > 2:
		e.fault("WIX_APP_SECRET", "holds %d values: give the app's secret alone, or two with a comma between them while it is being changed", len(secrets))
	case slices.ContainsFunc(secrets, func(s string) bool { return !plainSecret.MatchString(s) }):
		e.fault("WIX_APP_SECRET", "has a character that no secret of Wix has: copy it again from the app dashboard's OAuth page")
	case slices.ContainsFunc(secrets, func(s string) bool { return c.AppID != "" && strings.EqualFold(s, c.AppID) }):
		e.fault("WIX_APP_SECRET", "is the app's id: the secret key is beside it on the app dashboard's OAuth page")
	default:
		c.AppSecret = wix.Secret(secrets[0])
		if len(secrets) == 2 && secrets[1] != secrets[0] {
			c.OldSecret = wix.Secret(secrets[1])
		}
	}
	if c.PublicKeys != "" {
		var err error
		// The app id has its own fault.
		if c.webhooks, err = wix.NewWebhooks([]string{c.PublicKeys}, cmp.Or(c.AppID, "none"), nil); err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				e.fault("WIX_PUBLIC_KEY", "cannot be used: %s", line)
			}
		}
	}
}

// database returns the URL of the database and the variable that it is from. That of the
// hosting platform is taken if it is for Postgres: any other is of a program that we do not
// know.
func (e *environment) database() (url, name string) {
	name, url = databaseURL, cmp.Or(e.values[databaseURL], defaultDatabase)
	if value, found := e.platform(platformDatabase, databaseURL, sqlstore.IsPostgres); found {
		name, url = platformDatabase, value
	}
	if err := sqlstore.CheckURL(url); err != nil {
		e.fault(name, "cannot be used: %w", err)
	}
	return url, name
}

func (c *Config) checkURLs(e *environment) {
	public, err := webURL(c.PublicURL)
	if err != nil {
		e.fault(product.EnvPrefix+"PUBLIC_URL", "%w", err)
	} else {
		c.basePath, c.PublicURL = public.Path, public.String()
	}
	api, err := webURL(c.WixURL)
	switch {
	case err != nil:
		e.fault("WIX_API_URL", "%w", err)
		return
	case api.Scheme == "http" && !privateHost(api.Hostname()):
		e.fault("WIX_API_URL", "must begin with https: the app's secret and the visitors' tokens would travel in clear text")
		return
	}
	c.WixURL = api.String()
	if c.development() {
		return
	}
	if host := api.Hostname(); host != "wixapis.com" && !strings.HasSuffix(host, ".wixapis.com") {
		c.warn("WIX_API_URL", "is not Wix's own address, and gets the app's secret")
	}
	if public != nil {
		for _, why := range (web.InstallData{PublicURL: c.PublicURL}).Warnings() {
			c.warn(product.EnvPrefix+"PUBLIC_URL", "cannot be used by Wix: "+why)
		}
	}
}

func (c *Config) warn(name, sentence string) { c.Warnings = append(c.Warnings, name+" "+sentence) }

func (c *Config) checkAddresses(e *environment) {
	const addrName, adminName = product.EnvPrefix + "ADDR", product.EnvPrefix + "ADMIN_ADDR"
	name := addrName
	if port, found := e.platform(platformPort, addrName, func(string) bool { return true }); found {
		name, c.Addr = platformPort, ":"+port
	}
	if err := checkAddress(c.Addr); err != nil && name == platformPort {
		e.fault(name, "must be a port, such as 8080 (it is read because %s is not set)", addrName)
	} else if err != nil {
		e.fault(name, "%w", err)
	}
	switch err := checkAddress(c.AdminAddr); {
	case err != nil:
		e.fault(adminName, "%w", err)
	case isExposed(c.AdminAddr) && !c.AdminExposed:
		e.fault(adminName, "lets other machines read metrics, and profiles of this program's memory: set %sADMIN_EXPOSED=true if only a scraper can reach the address, or use 127.0.0.1", product.EnvPrefix)
	case collide(c.Addr, c.AdminAddr):
		e.fault(adminName, "and %s are the same address: give each its own port", name)
	}
}
