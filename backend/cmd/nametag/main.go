// This command serves a Wix site widget and its settings panel, and identifies the
// site that is asking.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	built "github.com/nametag-dev/nametag"
	"github.com/nametag-dev/nametag/backend/app"
	"github.com/nametag-dev/nametag/backend/business"
	"github.com/nametag-dev/nametag/backend/logging"
	"github.com/nametag-dev/nametag/backend/product"
)

// Exit codes: 1 when something failed, exitUsage when the command line or the
// configuration is wrong and nothing was started.
const exitUsage = 2

type commands struct {
	Serve     serveCmd     `cmd:"" help:"Serve the widget, the panel and the API. Configured by environment variables; see docs/operations.md."`
	Demo      demoCmd      `cmd:"" help:"Show it all on an offline Wix: no configuration, nothing stored."`
	Sim       simCommands  `cmd:"" help:"Run the offline Wix alone, for any self-hosted Wix app."`
	Instances instancesCmd `cmd:"" help:"Look at, export and purge what is stored on installations."`
	Doctor    doctorCmd    `cmd:"" help:"Try everything that serve needs, and say what to do for each fault."`
	Migrate   migrateCmd   `cmd:"" help:"Bring the database to this version's schema and list the migrations."`
	Health    healthCmd    `cmd:"" help:"Ask the server on this machine whether it is ready. Exit code 0 or 1: for health checks of containers."`
	Version   versionCmd   `cmd:"" help:"Print the version and the commit it was built from."`

	PrintVersion kong.VersionFlag `name:"version" help:"Print the version and the commit."`
}

// process is what the commands take from the outside.
type process struct {
	ctx     context.Context
	environ []string
	stdin   io.Reader
	stdout  io.Writer
	log     *slog.Logger
	drain   func() time.Duration
}

func main() { os.Exit(run(os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)) }

func run(args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var cli commands
	exited := -1
	parser, err := kong.New(&cli,
		kong.Name(product.ID), kong.Description(strings.ReplaceAll(product.Description, "$", "$$")),
		kong.Vars{"tag": product.Tag, "id": product.ID, "env": product.EnvPrefix, "version": versionLine()}, kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }))
	if err != nil {
		panic(err) // the commands struct is wrong
	}
	command, err := parser.Parse(args)
	if exited >= 0 {
		return exited // --help
	}
	if err != nil {
		fmt.Fprintf(stderr, "%[1]s: %[2]v\n%[1]s --help lists the commands.\n", product.ID, err)
		return exitUsage
	}
	ctx, drain, stop := untilSignal()
	defer stop()
	// A person at a terminal reads text, unless it is the log of a server.
	format := logging.JSON
	if isTerminal(stderr) && command.Command() != "serve" {
		format = logging.Text
	}
	log := app.NewLogger(environ, stderr, format)
	defer logging.Flush(log)
	p := &process{ctx, environ, stdin, stdout, log, drain}
	if err := command.Run(p); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", product.ID, err)
		var usage usageError
		if errors.As(err, &usage) {
			return exitUsage
		}
		return 1
	}
	return 0
}

// usageError is a fault of the configuration, or of what the app declares.
type usageError struct{ error }

// declared makes a fault of the app's declaration a usageError.
func declared(err error) error {
	var fault *app.DeclarationError
	if errors.As(err, &fault) {
		return usageError{err}
	}
	return err
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM, and how
// long to drain then: a person at a terminal is not made to wait, an orchestrator
// is given time to look elsewhere. A second signal ends the process at once.
func untilSignal() (context.Context, func() time.Duration, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	var terminated atomic.Bool
	go func() {
		select {
		case s := <-signals:
			terminated.Store(s == syscall.SIGTERM)
			signal.Stop(signals)
			cancel()
		case <-ctx.Done():
		}
	}()
	drain := func() time.Duration {
		if terminated.Load() {
			return app.DrainFor
		}
		return 0
	}
	return ctx, drain, func() { signal.Stop(signals); cancel() }
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

type serveCmd struct{}

func (serveCmd) Run(p *process) error {
	// Before anything else, because a SIGHUP that nobody takes ends the process.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	config, err := app.LoadConfig(p.environ)
	if err != nil {
		return usageError{fmt.Errorf("the configuration is not complete:\n%w", err)}
	}
	a, err := app.Serve(p.ctx, config, bundles(), business.New, p.log)
	if err != nil {
		return declared(err)
	}
	p.log.Info("listening", "url", a.URL(), "publicUrl", config.PublicURL, "install", config.PublicURL+"/install",
		"database", a.Database(), "version", version())
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for {
			select {
			case <-hangups:
				a.Reload(p.environ)
			case <-ended:
				return
			}
		}
	}()
	return a.Run(p.ctx, p.drain)
}

type demoCmd struct {
	Addr string `help:"Address to listen on. When it is not given and 8080 is taken, a free port is used." placeholder:"127.0.0.1:8080"`
}

func (c demoCmd) Run(p *process) error {
	addr := c.Addr
	if addr == "" {
		addr = "127.0.0.1:8080"
	}
	a, err := app.Demo(p.ctx, addr, bundles(), business.New, p.log)
	if c.Addr == "" && errors.Is(err, syscall.EADDRINUSE) {
		a, err = app.Demo(p.ctx, "127.0.0.1:0", bundles(), business.New, p.log)
	}
	if err != nil {
		return declared(err)
	}
	fmt.Fprintf(p.stdout, "\n  Open %s/\n\n  Ctrl-C ends it; nothing is stored.\n\n", a.URL())
	return a.Run(p.ctx, p.drain)
}

type migrateCmd struct{}

func (migrateCmd) Run(p *process) error {
	databaseURL, err := app.LoadDatabaseURL(p.environ)
	if err != nil {
		return usageError{err}
	}
	store, err := app.OpenStore(p.ctx, databaseURL, business.New, p.log)
	if err != nil {
		return declared(err)
	}
	defer store.Close()
	done, err := store.MigrationStatus(p.ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(p.stdout, 0, 4, 2, ' ', 0)
	for _, m := range done {
		owner := "base"
		if m.App {
			owner = "app"
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\n", owner, m.Version, m.Name, m.AppliedAt.UTC().Format(time.RFC3339))
	}
	return table.Flush()
}

func bundles() app.Bundles {
	return app.Bundles{Widget: built.Widget(), Panel: built.Panel(), Web: built.Web()}
}
