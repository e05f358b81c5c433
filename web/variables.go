package web

// The tables of the install guide and of the offline Wix's first page.

// Variable is one environment variable of the command serve.
type Variable struct {
	Name string
	// Default is "" for a variable without one.
	Default string
	// Meaning is one or two sentences for people.
	Meaning string
	// File says that Name+"_FILE", the path of a file with the value, can be set instead.
	File bool
}

// Variables returns all environment variables of the command serve, in the order of the
// install guide. A test of backend/app compares them with the fields of app.Config.
func (p Product) Variables() []Variable {
	return []Variable{
		{Name: "WIX_APP_ID", Meaning: "The app’s id. Required.", File: true},
		{Name: "WIX_APP_SECRET", Meaning: "The app’s secret. Required. While it is being changed, both, separated by a comma.", File: true},
		{Name: "WIX_PUBLIC_KEY", Meaning: "The key that verifies webhooks; without it they are refused. During a change of keys, both, separated by a comma.", File: true},
		{Name: p.EnvPrefix + "PUBLIC_URL", Default: "http://localhost:8080", Meaning: "The server’s public address. It may have a path: https://example.com/app."},
		{Name: p.EnvPrefix + "DATABASE_URL", Default: "sqlite:" + p.ID + ".db", Meaning: "An SQLite file or a postgres:// address. If it is not set, a postgres:// address in DATABASE_URL is used.", File: true},
		{Name: p.EnvPrefix + "ADDR", Default: ":8080", Meaning: "The address that the server listens on. If it is not set, the port in PORT is used."},
		{Name: p.EnvPrefix + "ADMIN_ADDR", Default: "127.0.0.1:9090", Meaning: "The address of metrics and profiles."},
		{Name: p.EnvPrefix + "ADMIN_EXPOSED", Default: "false", Meaning: "Whether that address may be one that other networks reach."},
		{Name: p.EnvPrefix + "TRUSTED_PROXIES", Meaning: "The networks whose X-Forwarded-For header is trusted, as CIDRs."},
		{Name: p.EnvPrefix + "DEMO", Default: "true", Meaning: "Whether the first page shows the demo."},
		{Name: p.EnvPrefix + "FRAME_ANCESTORS", Meaning: "The hosts that may show the settings panel in a frame. Any host, when it is not set."},
		{Name: p.EnvPrefix + "RETENTION", Default: "720h", Meaning: "How long the data of a removed installation is stored."},
		{Name: p.EnvPrefix + "LOG_LEVEL", Default: "info", Meaning: "The least grave lines of the log: debug, info, warn or error."},
		{Name: p.EnvPrefix + "LOG_FORMAT", Default: "json", Meaning: "The form of the log: json, or text for people."},
		{Name: "WIX_API_URL", Default: "https://www.wixapis.com", Meaning: "The address of Wix’s API; in development, the offline Wix’s."},
	}
}

// billingCycles are Wix's billing cycles and their labels, the most usual first.
func billingCycles() [][2]string {
	return [][2]string{
		{"MONTHLY", "Monthly"}, {"YEARLY", "Yearly"}, {"TWO_YEARS", "Every 2 years"}, {"THREE_YEARS", "Every 3 years"},
		{"FOUR_YEARS", "Every 4 years"}, {"FIVE_YEARS", "Every 5 years"}, {"ONE_TIME", "Once"}, {"NO_CYCLE", "No cycle"},
	}
}

// queryParameter is one parameter of the offline Wix's site page.
type queryParameter struct{ name, values, meaning string }

func siteQuery() []queryParameter {
	return []queryParameter{
		{"instance", "an instance id", "The site. The oldest installation by default."},
		{"viewer", "VISITOR, MEMBER", "The kind of visitor."},
		{"copies", "1 to 20", "How many widgets are on the page."},
		{"language", "such as en or pt-BR", "The page’s language."},
		{"dir", "ltr, rtl", "The page’s direction."},
		{"attr.NAME", "text", "An attribute of every widget: attr.display-name=Ada."},
		{"token", "expired, inactive, foreign, none", "A token that must be refused, or no token at all."},
		{"token", "kept", "The token of the tab’s first visit, as in a page that was left open, even after the app was removed."},
		{"csp", "strict", "A strict Content-Security-Policy with Trusted Types."},
	}
}

// behavior is one doubtful fact about Wix, as the offline Wix's control API names it. One
// without values is on or off.
type behavior struct {
	name, label      string
	values           []string
	meaning, initial string
}

func behaviors() []behavior {
	return []behavior{
		{"ownerSubject", "Subject of an owner’s token", []string{"USER", "APP", "MEMBER"}, "The subject type of the tokens that the editor and the dashboard page get.", "USER"},
		{"strict", "Strict field names", nil, "The token endpoint refuses instanceId and takes instance_id alone.", "off"},
		{"formRequests", "Form requests", nil, "Token info and the token endpoint take form-encoded bodies too.", "off"},
		{"stringFields", "Text in token info", nil, "Token info sends its numbers and booleans as text.", "off"},
		{"resignRetries", "Retries signed again", nil, "Each retry of a webhook has a new JWT, with the time of the retry.", "off"},
		{"stageToken", "Token on the stage", nil, "The widget on the stage of the editor and the preview gets an access token.", "off"},
		{"stageSandbox", "Sandboxed stage", nil, "The stage of the editor is an origin of its own, without storage.", "on"},
		{"classicScript", "Classic script", nil, "Pages load the widget’s script as a classic one and not as a module.", "off"},
		{"lockedPage", "Locked page", nil, "The site page replaces and locks fetch and XMLHttpRequest, and its cookies do nothing.", "on"},
	}
}
