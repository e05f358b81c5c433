package app

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/caarlos0/env/v11"

	"github.com/nametag-dev/nametag/backend/logging"
	"github.com/nametag-dev/nametag/backend/product"
)

// LogVariables are the variables of the log.
type LogVariables struct {
	LogLevel  string `env:"LOG_LEVEL" envDefault:"info"`
	LogFormat string `env:"LOG_FORMAT" envDefault:"json"`
}

func (v *LogVariables) faults() (faults []error) {
	v.LogLevel = cmp.Or(v.LogLevel, "info")
	v.LogFormat = strings.ToLower(cmp.Or(v.LogFormat, logging.JSON))
	if _, err := logging.ParseLevel(v.LogLevel); err != nil {
		faults = append(faults, fmt.Errorf(product.EnvPrefix+"LOG_LEVEL %w", err))
	}
	if v.LogFormat != logging.JSON && v.LogFormat != logging.Text {
		faults = append(faults, fmt.Errorf(product.EnvPrefix+"LOG_FORMAT is %q: it must be json or text", v.LogFormat))
	}
	return faults
}

// NewLogger returns the logger that the environment asks for, in a format of its own if it
// asks for none. What is wrong with the variables is the first line of its log: only serve,
// whose LoadConfig reports it, refuses to start.
func NewLogger(environ []string, w io.Writer, format string) *slog.Logger {
	vars := env.ToMap(environ)
	if name := product.EnvPrefix + "LOG_FORMAT"; vars[name] == "" {
		vars[name] = format
	}
	var v LogVariables
	faults := append(parse(&v, product.EnvPrefix, vars), v.faults()...)
	level, _ := logging.ParseLevel(v.LogLevel) // info, if that is wrong
	log := logging.New(w, level, v.LogFormat)
	if len(faults) > 0 {
		log.Warn("the log is not as configured", "cause", errors.Join(faults...))
	}
	return log
}
