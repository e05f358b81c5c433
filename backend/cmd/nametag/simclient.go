package main

// The commands that steer a running offline Wix: thin clients of its control API.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

// simClient is where the offline Wix is.
type simClient struct {
	URL      string `help:"Where the offline Wix is." default:"http://127.0.0.1:8081" env:"${env}SIM_URL"`
	Password string `help:"Its password, if it has one." env:"${env}SIM_PASSWORD"`
}

// answerWithin is how long an answer may take. The clock's takes as long as the webhooks do
// that fall due.
const answerWithin = 10 * time.Minute

// ask calls the control API and reads the answer into out, unless out is nil.
func (c simClient) ask(p *process, method, path string, body, out any) error {
	base, err := url.Parse(c.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return fmt.Errorf("--url %s: it must be a URL such as http://127.0.0.1:8081", c.URL)
	}
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(body); err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(p.ctx, method, strings.TrimRight(c.URL, "/")+"/_sim/"+path, &text)
	if err != nil {
		return err
	}
	if c.Password != "" {
		r.Header.Set("Authorization", "Bearer "+c.Password)
	}
	// No proxy: it is on this machine or next to it.
	client := http.Client{Timeout: answerWithin, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("no offline Wix answers at %s: start one with %s sim, or say with --url where it is (%w)", c.URL, product.ID, errors.Unwrap(err))
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(io.LimitReader(answer.Body, 64<<20))
	if err != nil {
		return fmt.Errorf("read the answer of the offline Wix: %w", err)
	}
	if answer.StatusCode >= 300 {
		var refusal struct{ Error string }
		if json.Unmarshal(content, &refusal) != nil || refusal.Error == "" {
			return fmt.Errorf("%s answers %s, which no offline Wix does", c.URL, answer.Status)
		}
		return errors.New(refusal.Error)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(content, out); err != nil {
		return fmt.Errorf("%s does not answer as an offline Wix does: %w", c.URL, err)
	}
	return nil
}

// object is a JSON object without the fields whose values are empty.
type object map[string]any

func (o object) with(name string, value any, given bool) object {
	if given {
		o[name] = value
	}
	return o
}

type triggerCmd struct {
	Event    string   `arg:"" help:"Type of the event: one of Wix's, such as PaidPlanPurchased or AppRemoved, or any other."`
	Instance string   `help:"Id of the instance that it is about. Default: the oldest."`
	Set      []string `help:"Field of the event: --set vendorProductId=gold. A value is JSON where it can be read as such, and else text; null removes the field." placeholder:"KEY=VALUE" sep:"none"`
	Forge    string   `help:"Make it one that every receiver must refuse: tampered, wrong-key, unsigned, hs256, rs512 or quoted."`

	simClient
}

func (c triggerCmd) Run(p *process) error {
	data := object{}
	for _, pair := range c.Set {
		name, text, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return usageError{fmt.Errorf("--set %s: it must be KEY=VALUE", pair)}
		}
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			value = text
		}
		data[name] = value
	}
	body := object{"eventType": c.Event}.with("instanceId", c.Instance, c.Instance != "").
		with("data", data, len(data) > 0).with("forge", c.Forge, c.Forge != "")
	var sent struct{ IDs []int64 }
	if err := c.ask(p, http.MethodPost, "webhooks", body, &sent); err != nil {
		return err
	}
	for _, id := range sent.IDs {
		fmt.Fprintln(p.stdout, id)
	}
	return nil
}

type tokenCmd struct {
	As       string        `help:"Whose: owner, visitor, member or app." enum:"owner,visitor,member,app" default:"visitor"`
	Instance string        `help:"Id of the instance. Default: the oldest."`
	Member   string        `help:"One of the site's members, with --as=member. Default: a new person."`
	TTL      time.Duration `help:"Lifetime, such as 5m; a negative one makes a token that has expired. Default: 4h."`

	simClient
}

func (c tokenCmd) Run(p *process) error {
	subject := map[string]string{"owner": wixsim.User, "visitor": wixsim.Visitor, "member": wixsim.Member, "app": wixsim.App}[c.As]
	body := object{"subject": subject}.with("instanceId", c.Instance, c.Instance != "").
		with("member", c.Member, c.Member != "").with("ttl", c.TTL.String(), c.TTL != 0)
	var minted struct{ Token string }
	if err := c.ask(p, http.MethodPost, "tokens", body, &minted); err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, minted.Token)
	return nil
}

type faultCmd struct {
	Endpoint   string        `arg:"" optional:"" help:"token-info, token, instance, or * for all. Without one and without a flag, nothing is changed."`
	Status     int           `help:"Status of the answer."`
	Latency    time.Duration `help:"Wait before the answer."`
	Body       string        `help:"Body of the answer."`
	RetryAfter time.Duration `help:"Header Retry-After of the answer."`
	HangUp     bool          `help:"Cut the connection within the answer."`
	Outage     bool          `help:"Cut the connection before the answer."`
	Count      int           `help:"Calls that fail. Default: all until --clear."`
	Clear      bool          `help:"End all faults."`

	simClient
}

func (c faultCmd) Run(p *process) error {
	if c.Clear {
		if err := c.ask(p, http.MethodDelete, "faults", object{}, nil); err != nil {
			return err
		}
	}
	flags := object{}.with("status", c.Status, c.Status != 0).with("latency", c.Latency.String(), c.Latency != 0).
		with("body", c.Body, c.Body != "").with("retryAfter", c.RetryAfter.String(), c.RetryAfter != 0).
		with("hangUp", true, c.HangUp).with("outage", true, c.Outage).with("count", c.Count, c.Count != 0)
	if c.Endpoint != "" || len(flags) > 0 {
		if err := c.ask(p, http.MethodPut, "faults", flags.with("endpoint", c.Endpoint, c.Endpoint != ""), nil); err != nil {
			return err
		}
	}
	var faults []json.RawMessage
	if err := c.ask(p, http.MethodGet, "faults", object{}, &faults); err != nil {
		return err
	}
	for _, fault := range faults {
		fmt.Fprintf(p.stdout, "%s\n", fault)
	}
	return nil
}

type advanceCmd struct {
	By time.Duration `arg:"" help:"How far, such as 5h."`

	simClient
}

func (c advanceCmd) Run(p *process) error {
	var clock struct{ Now string }
	if err := c.ask(p, http.MethodPut, "clock", object{"advance": c.By.String()}, &clock); err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, clock.Now)
	return nil
}
