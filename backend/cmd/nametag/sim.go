package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/nametag-dev/nametag/backend/app"
	"github.com/nametag-dev/nametag/backend/pasted"
	"github.com/nametag-dev/nametag/backend/product"
)

// simCommands are the command that runs the offline Wix and those that steer one.
type simCommands struct {
	Run     simCmd     `cmd:"" default:"withargs" help:"Run it. It is what sim does without a command."`
	Trigger triggerCmd `cmd:"" help:"Make a running one send a webhook, and print the id of the delivery. It changes no site."`
	Token   tokenCmd   `cmd:"" help:"Print a token of a running one."`
	Fault   faultCmd   `cmd:"" help:"Make calls to a running one fail, and print the faults that are set, one a line."`
	Advance advanceCmd `cmd:"" help:"Move the clock of a running one forward, and print its time."`
}

type simCmd struct {
	Addr         string        `help:"Loopback address to listen on, or any with --allow-network." default:"127.0.0.1:8081"`
	AppID        string        `help:"The app's id. That of the state, or made up, when not given."`
	AppSecret    string        `help:"The app's secret key. That of the state, or made up, when not given. A real one is better given as WIX_APP_SECRET: everyone on a machine sees its command lines." env:"WIX_APP_SECRET"`
	AppURL       string        `help:"Where the app under test is." default:"http://127.0.0.1:8080"`
	Tag          string        `help:"The widget's tag name." default:"${tag}"`
	WidgetURL    string        `help:"The widget's script. Default: <app-url>/widget.js."`
	PanelURL     string        `help:"The settings panel. Default: <app-url>/panel/."`
	DashboardURL string        `help:"The app's page in the dashboard. Default: <app-url>/open."`
	WebhookURL   string        `help:"Where webhooks go. Default: <app-url>/webhooks/wix."`
	PrivateKey   string        `help:"File with the RSA key (PEM) that signs webhooks. That of the state, or made up, when not given." type:"existingfile"`
	TokenTTL     time.Duration `name:"token-ttl" help:"Lifetime of the tokens, in whole seconds." default:"4h"`
	RetryFactor  float64       `help:"Divides the waits between deliveries that fail (1 min, 10 min, 1 h, …)." default:"1"`
	Data         string        `help:"File that keeps the state from one start to the next: credentials, keys, sites, plans, pages, pending webhooks. none keeps none." default:"${id}-sim.json"`
	Seed         string        `help:"JSON file with the first sites, for a state that has none yet."`
	IDSeed       string        `help:"Text from which the ids follow that are made up, so that they are the same at each start."`

	AllowNetwork bool     `help:"Listen on an address that others can reach, for containers. Needs a password."`
	Password     string   `help:"Password of at least 12 characters for the control API and the pages: of the user sim, or as a Bearer token. Better given by the variable." env:"${env}SIM_PASSWORD"`
	Host         []string `help:"Further host name under which the control API and the pages answer, with a password."`

	recordFlags   `group:"Recording:"`
	behaviorFlags `group:"Where the behavior of Wix is not known for sure:"`
}

func (c simCmd) Run(p *process) error {
	key := []byte(nil)
	if c.PrivateKey != "" {
		var err error
		if key, err = os.ReadFile(c.PrivateKey); err != nil {
			return err
		}
	}
	secret := "" // serve reads the same variable, which may hold two
	if secrets := pasted.List(c.AppSecret); len(secrets) > 0 {
		secret = secrets[0]
	}
	recording, err := c.recording()
	if err != nil {
		return err
	}
	config := app.SimConfig{
		Addr: c.Addr, AppID: pasted.Clean(c.AppID), AppSecret: secret, AppURL: c.AppURL, Tag: c.Tag,
		WidgetURL: c.WidgetURL, PanelURL: c.PanelURL, DashboardURL: c.DashboardURL, WebhookURL: c.WebhookURL,
		PrivateKey: string(key), RetryFactor: c.RetryFactor, TokenTTL: c.TokenTTL, Seed: c.Seed, IDSeed: c.IDSeed,
		AllowNetwork: c.AllowNetwork, Password: c.Password, Hosts: c.Host,
		Behavior: c.change(), Recording: recording,
	}
	if c.Data != "none" {
		config.Data = c.Data
	}
	a, sim, err := app.Sim(config, bundles(), p.log)
	if err != nil {
		return err
	}
	if c.AllowNetwork {
		p.log.Warn("the offline Wix is open to the network: the password gives anyone's tokens, and Wix's API asks for none")
	}
	state := "none: nothing is stored (--data=none)"
	if config.Data != "" {
		state = config.Data + "  (--data=none stores nothing)"
	}
	if c.Seed != "" && !sim.Seeded {
		state += "\n               It has sites already: those of " + c.Seed + " are not loaded."
	}
	fmt.Fprintf(p.stdout, `
  The offline Wix is at %[1]s/
  Site page    %[1]s/site
  Editor page  %[1]s/editor
  State        %[10]s

  Start your app with its credentials; for %[8]s:

    WIX_API_URL=%[1]s WIX_APP_ID=%[2]s WIX_APP_SECRET=%[3]s \
    WIX_PUBLIC_KEY=%[6]s \
    %[7]sADDR=%[4]s %[7]sPUBLIC_URL=%[5]s %[9]s serve

`, a.URL(), sim.AppID, sim.AppSecret, config.AppAddr(), strings.TrimRight(config.AppURL, "/"), sim.PublicKey,
		product.EnvPrefix, product.Name, product.ID, state)
	// No load balancer stands before it.
	return a.Run(p.ctx, func() time.Duration { return 0 })
}
