package web

// variable is one row of the install guide's table of environment variables.
type variable struct{ name, preset, meaning string }

func variables() []variable {
	return []variable{
		{"WIX_APP_ID", "", "The app’s id. Required."},
		{"WIX_APP_SECRET", "", "The app’s secret. Required."},
		{"WIX_PUBLIC_KEY", "", "The key that webhooks are verified with. Two may be given while Wix changes it."},
		{"NAMETAG_PUBLIC_URL", "http://localhost:8080", "Where the world reaches this server. A path is kept: https://example.com/app."},
		{"NAMETAG_DATABASE_URL", "sqlite:nametag.db", "An SQLite file or a postgres:// address."},
		{"NAMETAG_ADDR", ":8080", "Where the server listens."},
		{"NAMETAG_ADMIN_ADDR", "127.0.0.1:9090", "Where metrics and profiles are served."},
		{"NAMETAG_TRUSTED_PROXIES", "", "Networks whose X-Forwarded-For is believed, as CIDRs."},
		{"NAMETAG_DEMO", "true", "Whether the demo is shown."},
		{"NAMETAG_FRAME_ANCESTORS", "", "Hosts that may frame the settings panel. Anyone may, when it is not set."},
		{"NAMETAG_RETENTION", "720h", "How long the data of a removed installation is kept."},
		{"WIX_API_URL", "https://www.wixapis.com", "Where Wix’s API is. The offline Wix’s address in development."},
		{"WIX_APP_ID_FILE, …", "", "Each of the three Wix credentials may stand in a file instead."},
	}
}

// billingCycles are Wix's, the usual ones first, with how they are said.
func billingCycles() [][2]string {
	return [][2]string{
		{"MONTHLY", "Monthly"}, {"YEARLY", "Yearly"}, {"TWO_YEARS", "Every 2 years"}, {"THREE_YEARS", "Every 3 years"},
		{"FOUR_YEARS", "Every 4 years"}, {"FIVE_YEARS", "Every 5 years"}, {"ONE_TIME", "Once"}, {"NO_CYCLE", "No cycle"},
	}
}

// siteQuery is the table of what /site of the offline Wix takes.
func siteQuery() []variable {
	return []variable{
		{"instance", "an instance id", "The site. The oldest installation by default."},
		{"viewer", "VISITOR, MEMBER", "Who looks at it."},
		{"copies", "1 to 20", "How many widgets are on the page."},
		{"language", "such as en or pt-BR", "The page’s language."},
		{"dir", "ltr, rtl", "The page’s direction."},
		{"attr.NAME", "text", "An attribute of every widget: attr.display-name=Ada."},
		{"token", "expired, inactive, foreign, none", "A token that must be refused, or no token at all."},
		{"token", "kept", "The token of the tab’s first visit, as a page that was left open has it: also after the app was removed."},
		{"csp", "strict", "A strict Content-Security-Policy with Trusted Types."},
	}
}
