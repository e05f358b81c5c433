package app

// The command doctor: everything that can be tried of a configuration.

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nametag-dev/nametag/backend/doctor"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
	"github.com/nametag-dev/nametag/web"
)

// ErrConfiguration says that the configuration cannot be read.
var ErrConfiguration = errors.New("the configuration is not complete")

// Doctor tries everything: the configuration, the database, Wix, the public URL. It works
// whether or not the server runs, and changes nothing. With ErrConfiguration, no more than the
// database was tried. No finding holds a secret.
func Doctor(ctx context.Context, environ []string, b Bundles, business kit.New) ([]doctor.Finding, error) {
	c, err := LoadConfig(environ)
	if _, noBundles := indexBundles(b); noBundles != nil {
		return nil, noBundles
	}
	findings := configurationFindings(c, err)
	instance := ""
	if url, noURL := LoadDatabaseURL(environ); noURL != nil {
		findings = append(findings, doctor.Skip(doctor.Database, ErrConfiguration.Error()))
	} else {
		var found doctor.Finding
		found, instance = databaseFinding(ctx, url, business)
		findings = append(findings, found)
	}
	if err != nil {
		return append(findings, doctor.Skip(doctor.Credentials, ErrConfiguration.Error()),
			doctor.Skip(doctor.PublicAddress, ErrConfiguration.Error())), ErrConfiguration
	}
	public := publicOptions(&c, b)
	noticed := doctor.Server(ctx, public)
	answer := doctor.AskWix(ctx, doctor.WixOptions{
		BaseURL: c.WixURL, AppID: c.AppID, AppSecret: c.AppSecret, OldSecret: c.OldSecret, InstanceID: instance,
	})
	findings = append(findings, answer.Reached(), answer.Clock(), answer.Credentials(doctor.Seen(noticed)), answer.Permission())
	findings = append(findings, doctor.Public(ctx, public)...)
	return append(findings, noticed...), nil
}

// configurationFindings has a row for each fault and each warning.
func configurationFindings(c Config, err error) (findings []doctor.Finding) {
	add := func(state doctor.State, saw string) {
		findings = append(findings, doctor.Finding{
			Check: doctor.Configuration, State: state, Saw: strings.TrimSuffix(saw, "."), Variables: doctor.VariablesIn(saw),
		})
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, fault := range joined.Unwrap() {
			add(doctor.Fault, fault.Error())
		}
	} else if err != nil {
		add(doctor.Fault, err.Error())
	}
	for _, text := range c.Warnings {
		if !strings.HasPrefix(text, doctor.PublicURL) { // which has rows of its own
			add(doctor.Warning, text)
		}
	}
	if findings == nil {
		add(doctor.OK, "all variables can be read")
	}
	return findings
}

// databaseFinding tries the database, and returns an installation in it or "".
func databaseFinding(ctx context.Context, databaseURL string, business kit.New) (doctor.Finding, string) {
	app, err := declare(business, kit.Tools{
		DB: new(database), Wix: noWix, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Now: time.Now,
	})
	if err != nil {
		return doctor.Finding{Check: doctor.Database, State: doctor.Fault, Saw: err.Error(), Do: "Mend what the app declares"}, ""
	}
	d := sqlstore.Diagnose(ctx, databaseURL, sqlstore.Options{App: app.Data, Settings: app.Settings.Complete})
	return doctor.OfDatabase(d), d.Instance
}

// publicOptions are what should be at the public URL.
func publicOptions(c *Config, b Bundles) doctor.PublicOptions {
	has := func(name string) bool { _, err := fs.Stat(b.Widget, name); return err == nil }
	o := doctor.PublicOptions{
		URL: c.PublicURL, AppID: c.AppID, Webhooks: c.webhooks != nil,
		FrameAncestors: slices.Clone(c.FrameAncestors), Development: c.development(),
	}
	if !o.Development {
		o.Unusable = web.InstallData{PublicURL: c.PublicURL}.Warnings()
	}
	o.Widget, _ = fs.ReadFile(b.Widget, "widget.js") // indexBundles has found it
	for encoding, suffix := range map[string]string{"br": ".br", "gzip": ".gz"} {
		if has("widget.js" + suffix) {
			o.Encodings = append(o.Encodings, encoding)
		}
	}
	slices.Sort(o.Encodings)
	return o
}
