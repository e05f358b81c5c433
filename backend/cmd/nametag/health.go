package main

import (
	"fmt"

	"github.com/nametag-dev/nametag/backend/app"
)

type healthCmd struct {
	Live bool `help:"Ask only whether the process answers, not whether it is ready."`
}

func (c healthCmd) Run(p *process) error {
	url, err := app.HealthURL(p.environ, c.Live)
	if err != nil {
		return usageError{err}
	}
	status, err := app.AskHealth(p.ctx, url)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, status)
	return err
}
