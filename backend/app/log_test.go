package app

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nametag-dev/nametag/backend/logging"
	"github.com/nametag-dev/nametag/backend/product"
)

func TestNewLogger(t *testing.T) {
	const level, format = product.EnvPrefix + "LOG_LEVEL=", product.EnvPrefix + "LOG_FORMAT="
	for _, tt := range []struct {
		name       string
		environ    []string
		byDefault  string
		want, lack string
	}{
		{"JSON from info by default", nil, logging.JSON, `"level":"INFO","msg":"an info"`, "a debug"},
		{"text where a person reads", nil, logging.Text, "INFO  an info", "a debug"},
		{"JSON where it is asked for", []string{format + "JSON"}, logging.Text, `"msg":"an info"`, "a debug"},
		{"text where it is asked for", []string{format + "Text"}, logging.JSON, "INFO  an info", "a debug"},
		{"a level in capitals", []string{level + "DEBUG"}, logging.JSON, `"msg":"a debug"`, "cause"},
		{"another level", []string{level + "Warn"}, logging.JSON, `"msg":"a warning"`, "an info"},
		{"variables that are empty", []string{level, format}, logging.Text, "INFO  an info", "a debug"},
		{"variables that are wrong", []string{level + "loud", format + "xml"}, logging.Text, "LOG_LEVEL must be debug, info, warn or error", "loud"},
		{"variables in quotes", []string{level + `"debug" `, format + "'text'"}, logging.JSON, "DEBUG a debug", "cause"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			log := NewLogger(tt.environ, &out, tt.byDefault)
			log.Debug("a debug")
			log.Info("an info")
			log.Warn("a warning")
			if got := out.String(); !strings.Contains(got, tt.want) || strings.Contains(got, tt.lack) {
				t.Errorf("got\n%s", got)
			}
		})
	}
}
