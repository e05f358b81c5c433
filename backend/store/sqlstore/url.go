package sqlstore

// Database URLs, before anything is opened.

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// CheckURL returns the error with which Open would refuse a database URL for its form, or
// nil. It connects to nothing. The error does not repeat the URL, which may have a password.
func CheckURL(databaseURL string) error {
	_, err := newDialect(databaseURL)
	return err
}

// IsPostgres reports whether a database URL is for Postgres.
func IsPostgres(databaseURL string) bool { return isPostgres(databaseURL) }

// foreignParameters are parameters of other clients of Postgres, which URLs are copied with,
// and what to do with them. The server would refuse each as an unknown setting.
var foreignParameters = map[string]string{
	"pgbouncer":                "remove it",
	"schema":                   "write search_path instead",
	"currentSchema":            "write search_path instead",
	"ApplicationName":          "write application_name instead",
	"connection_limit":         "remove it",
	"pool_max_conns":           "remove it",
	"max_pool_size":            "remove it",
	"pool_timeout":             "remove it",
	"single_use_connections":   "remove it",
	"socket_timeout":           "write statement_timeout instead",
	"statement_cache_size":     "write statement_cache_capacity instead",
	"prepareThreshold":         "remove it",
	"sslaccept":                "write sslmode instead",
	"ssl":                      "write sslmode instead",
	"uselibpqcompat":           "remove it",
	"workaround":               "remove it",
	"supa":                     "remove it",
	"createDatabaseIfNotExist": "remove it",
}

// checkParameters refuses the parameters of other clients.
func checkParameters(parameters map[string]string) error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if do, foreign := foreignParameters[name]; foreign {
			faults = append(faults, fmt.Errorf("the database URL has the parameter %s, which is another program's: %s", name, do))
		}
	}
	return errors.Join(faults...)
}

// connectError is the error of a failed connection without what misleads: that the server
// has no TLS, when the driver then asked without and got another answer.
type connectError struct{ error }

func (e connectError) Error() string {
	lines := strings.Split(e.error.Error(), "\n\t")
	said := slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
		return strings.Contains(line, "server refused TLS connection")
	})
	if len(said) < 2 { // that line is the only answer
		said = lines
	}
	return strings.Join(said, " ")
}

func (e connectError) Unwrap() error { return e.error }
