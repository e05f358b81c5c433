// Package doctor tries whether a server is set up right: what Wix says to its credentials,
// what the world gets at its public address, whether its database can be used. A check
// changes nothing that lasts, and its finding says what to do. Nothing in a finding is
// secret, and what strangers sent is quoted in it.
package doctor

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nametag-dev/nametag/backend/product"
)

// State is the outcome of a check.
type State string

const (
	OK State = "ok"
	// Warning is doubtful, or right for development only.
	Warning State = "warning"
	// Fault keeps the app from working.
	Fault State = "fault"
	// Skipped could not be tried; the finding says why.
	Skipped State = "skipped"
)

// Finding is what one check has found.
type Finding struct {
	// Check is the name of the check, such as "credentials".
	Check string `json:"check"`
	State State  `json:"state"`
	// Saw is what was found: one sentence without a full stop.
	Saw string `json:"saw"`
	// Do is what a person can do about it, or "".
	Do string `json:"do,omitempty"`
	// Variables are those that are wrong or doubtful.
	Variables []string `json:"variables,omitempty"`
}

// The names of the checks.
const (
	Configuration = "configuration"
	Database      = "database"
	WixAPI        = "wix"
	Clock         = "clock"
	Credentials   = "credentials"
	Permission    = "permission"
	PublicAddress = "public address"
	Certificate   = "certificate"
	Script        = "widget.js"
	ScriptType    = "script type"
	Panel         = "panel"
	API           = "api"
	WebhookPath   = "webhook path"
	Tokens        = "tokens"
	Webhooks      = "webhooks"
)

// The variables that findings name.
const (
	AppID     = "WIX_APP_ID"
	AppSecret = "WIX_APP_SECRET"
	PublicKey = "WIX_PUBLIC_KEY"
	WixURL    = "WIX_API_URL"

	PublicURL      = product.EnvPrefix + "PUBLIC_URL"
	DatabaseURL    = product.EnvPrefix + "DATABASE_URL"
	FrameAncestors = product.EnvPrefix + "FRAME_ANCESTORS"
)

func ok(check, saw string) Finding { return Finding{Check: check, State: OK, Saw: saw} }

func warning(check, saw, do string, variables ...string) Finding {
	return Finding{check, Warning, saw, do, variables}
}

func fault(check, saw, do string, variables ...string) Finding {
	return Finding{check, Fault, saw, do, variables}
}

// Skip is the finding of a check that could not be tried.
func Skip(check, why string) Finding { return Finding{Check: check, State: Skipped, Saw: why} }

// quoted shows what a stranger sent: at most 100 characters, and none that a terminal obeys.
func quoted(text string) string { return strconv.QuoteToASCII(clipped(text, 100)) }

// clipped cuts a text to so many characters.
func clipped(text string, most int) string {
	if utf8.RuneCountInString(text) > most {
		return string([]rune(text)[:most]) + "…"
	}
	return text
}

// rounded is a time for people.
func rounded(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return strconv.Itoa(int(d/(24*time.Hour))) + " days"
	case d >= 2*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " hours"
	case d >= 2*time.Minute:
		return strconv.Itoa(int(d/time.Minute)) + " minutes"
	}
	return strconv.Itoa(int(d/time.Second)) + " s"
}

// and lists names: "A", "A and B", "A, B and C".
func and(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// variable matches the names of the variables that the server reads.
var variable = regexp.MustCompile(`\b(?:WIX|` + strings.TrimSuffix(product.EnvPrefix, "_") + `)_[A-Z0-9_]+\b`)

// VariablesIn lists the variables that a text names.
func VariablesIn(text string) []string {
	names := variable.FindAllString(text, -1)
	slices.Sort(names)
	return slices.Compact(names)
}
