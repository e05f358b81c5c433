package business

// Widget is what belongs to one widget: attributes of the element in the page.
type Widget struct {
	Heading         string `json:"heading" setting:"text" default:"Welcome" max:"80"`
	TextColor       string `json:"textColor" setting:"color" default:"#1b2440" on:"backgroundColor" group:"Colors"`
	BackgroundColor string `json:"backgroundColor" setting:"color" default:"#ffffff" group:"Colors"`
}

// Site is what the owner sets for every widget on the site. The server stores it.
type Site struct {
	Message string `json:"message" setting:"text" default:"This is your new app." min:"1" max:"160" help:"Every widget on the site shows it."`
}
