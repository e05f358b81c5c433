package app

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wix"
)

// Config is what the command serve reads from the environment.
type Config struct {
	OwnVariables
	WixVariables

	basePath string
	proxies  []netip.Prefix
	webhooks *wix.Webhooks // nil without a public key
	traces   bool
}

// OwnVariables have names that begin with product.EnvPrefix.
type OwnVariables struct {
	Addr           string        `env:"ADDR" envDefault:":8080"`
	AdminAddr      string        `env:"ADMIN_ADDR" envDefault:"127.0.0.1:9090"`
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

// fileForms are the variables that may be given as <NAME>_FILE, the path of a file
// that holds the value, as container platforms hand out secrets.
var fileForms = []string{"WIX_APP_ID", "WIX_APP_SECRET", "WIX_PUBLIC_KEY", databaseURL}

const (
	databaseURL     = product.EnvPrefix + "DATABASE_URL"
	defaultDatabase = "sqlite:" + product.ID + ".db"
)

// LoadConfig reads and checks the configuration. Its error names every fault at
// once, a line each.
func LoadConfig(environ []string) (Config, error) {
	vars := env.ToMap(environ)
	var faults []error
	for _, name := range fileForms {
		if err := readFileForm(vars, name); err != nil {
			faults = append(faults, err)
		}
	}
	var c Config
	faults = append(faults, parse(&c.OwnVariables, product.EnvPrefix, vars)...)
	faults = append(faults, parse(&c.WixVariables, "", vars)...)
	c.DatabaseURL = cmp.Or(c.DatabaseURL, defaultDatabase)
	faults = append(faults, c.check()...)
	traces, wrong := wantsTraces(vars)
	c.traces = traces
	faults = append(faults, wrong...)
	return c, errors.Join(faults...)
}

// LoadDatabaseURL reads the one variable that the database commands need.
func LoadDatabaseURL(environ []string) (string, error) {
	vars := env.ToMap(environ)
	if err := readFileForm(vars, databaseURL); err != nil {
		return "", err
	}
	return cmp.Or(vars[databaseURL], defaultDatabase), nil
}

// parse reads the variables of a struct. Its errors name the variables, where env's name
// the fields.
func parse(into any, prefix string, vars map[string]string) (faults []error) {
	err := env.ParseWithOptions(into, env.Options{Environment: vars, Prefix: prefix})
	var all env.AggregateError
	if err != nil && !errors.As(err, &all) {
		return []error{err}
	}
	for _, err := range all.Errors {
		var fault env.ParseError
		if errors.As(err, &fault) {
			field, _ := reflect.TypeOf(into).Elem().FieldByName(fault.Name)
			err = fmt.Errorf("%s%s: %w", prefix, field.Tag.Get("env"), fault.Err)
		}
		faults = append(faults, err)
	}
	return faults
}

func readFileForm(vars map[string]string, name string) error {
	path, ok := vars[name+"_FILE"]
	if !ok {
		return nil
	}
	if vars[name] != "" {
		return fmt.Errorf("%s and %s_FILE are both set: keep one", name, name)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s_FILE: %w", name, err)
	}
	vars[name] = strings.TrimSpace(string(content))
	return nil
}

// check returns the faults of values that parsed, and fills in what follows from them.
func (c *Config) check() []error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if id, ok := wix.ParseGUID(c.AppID); ok {
		c.AppID = id
	} else if c.AppID == "" {
		fault("WIX_APP_ID is missing: the app's id, from the app dashboard's OAuth page")
	} else {
		fault("WIX_APP_ID is %q: it must be a GUID, such as 6f0c1f8e-2f0a-4a6e-9d5a-0d8f3b7a1c11", c.AppID)
	}
	if c.AppSecret == "" {
		fault("WIX_APP_SECRET is missing: the app's secret key, from the app dashboard's OAuth page")
	}
	if keys := splitKeys(c.PublicKeys); len(keys) > 0 {
		var err error
		if c.webhooks, err = wix.NewWebhooks(keys, c.AppID, nil); err != nil {
			fault("WIX_PUBLIC_KEY: %w", err)
		}
	}
	if c.Retention <= 0 {
		fault(product.EnvPrefix+"RETENTION is %s: it must be a time such as 720h", c.Retention)
	}
	if u, err := webURL(c.PublicURL); err != nil {
		fault(product.EnvPrefix+"PUBLIC_URL %w", err)
	} else {
		c.basePath = strings.TrimRight(u.Path, "/")
		if !plainPath.MatchString(c.basePath) {
			fault(product.EnvPrefix + "PUBLIC_URL: its path may hold letters, digits, '-', '.', '_' and '~' between single slashes")
		}
		c.PublicURL = u.Scheme + "://" + u.Host + c.basePath
	}
	if u, err := webURL(c.WixURL); err != nil {
		fault("WIX_API_URL %w", err)
	} else {
		c.WixURL = strings.TrimRight(u.String(), "/")
	}
	for name, addr := range map[string]string{"ADDR": c.Addr, "ADMIN_ADDR": c.AdminAddr} {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			fault(product.EnvPrefix+"%s is %q: it must be host:port, such as 127.0.0.1:8080 or :8080", name, addr)
		}
	}
	faults = append(faults, c.LogVariables.faults()...)
	for _, cidr := range c.TrustedProxies {
		prefix, err := netip.ParsePrefix(strings.TrimSpace(cidr))
		if err != nil {
			fault(product.EnvPrefix+"TRUSTED_PROXIES: %q is not a network such as 10.0.0.0/8", cidr)
			continue
		}
		c.proxies = append(c.proxies, prefix)
	}
	for _, host := range c.FrameAncestors {
		// A space or a semicolon would let a value write further CSP directives.
		if host == "" || strings.ContainsAny(host, " \t\r\n;,'\"") && host != "'self'" && host != "'none'" {
			fault(product.EnvPrefix+"FRAME_ANCESTORS: %q is not a host such as https://*.wix.com", host)
		}
	}
	return faults
}

// plainPath keeps out what the router would read as a pattern and what would have
// to be escaped in every link.
var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*$`)

// splitKeys separates the one or two public keys of a value: by a comma, or, in a
// file of PEM blocks, by where one ends.
func splitKeys(value string) []string {
	const end = "-----END PUBLIC KEY-----"
	var keys []string
	for part := range strings.SplitSeq(strings.ReplaceAll(value, end, end+","), ",") {
		if part = strings.TrimSpace(part); part != "" {
			keys = append(keys, part)
		}
	}
	return keys
}

func webURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || !slices.Contains([]string{"http", "https"}, u.Scheme) || u.Host == "":
		return nil, fmt.Errorf("is %q: it must be a URL such as https://app.example.com", raw)
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return nil, fmt.Errorf("must have neither a user, a query nor a fragment")
	}
	return u, nil
}
