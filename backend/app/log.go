package app

import (
	"errors"
	"io"
	"log/slog"
	"strings"

	"github.com/nametag-dev/nametag/backend/logging"
	"github.com/nametag-dev/nametag/backend/product"
)

const logFormat = product.EnvPrefix + "LOG_FORMAT"

// LogVariables are the variables of the log.
type LogVariables struct {
	LogLevel  slog.Level `env:"LOG_LEVEL" envDefault:"info"`
	LogFormat string     `env:"LOG_FORMAT" envDefault:"json"`
}

func (v *LogVariables) check(e *environment) {
	v.LogFormat = strings.ToLower(v.LogFormat)
	if v.LogFormat != logging.JSON && v.LogFormat != logging.Text && !e.faulty[logFormat] {
		e.fault(logFormat, "must be json or text")
	}
}

// NewLogger returns the logger that the environment asks for, in the given format if it asks
// for none. What is wrong with the variables is the first line of its log: only serve, whose
// LoadConfig reports it, refuses to start.
func NewLogger(environ []string, w io.Writer, format string) *slog.Logger {
	var v LogVariables
	e := readEnvironment(environ, namesOf(variablesOf(&v, product.EnvPrefix)))
	if e.values[logFormat] == "" {
		e.values[logFormat] = format
	}
	e.parse(&v, product.EnvPrefix)
	v.check(e)
	log := logging.New(w, v.LogLevel, v.LogFormat)
	if len(e.faults) > 0 {
		log.Warn("the log is not as configured", "cause", errors.Join(e.faults...))
	}
	return log
}
