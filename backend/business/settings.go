package business

import "github.com/nametag-dev/nametag/backend/settings"

// Widget is what belongs to one widget: attributes of the element, in the Wix page itself.
type Widget struct {
	// DisplayName is the name after the greeting.
	DisplayName     string        `json:"displayName" setting:"text" default:"friend" max:"80" group:"Text"`
	Font            settings.Font `json:"font" setting:"font" default:"" placeholder:"System font" group:"Text"`
	Align           string        `json:"align" setting:"choice" default:"start" of:"start,center,end" labels:"Start,Center,End" also:"left,right" label:"Alignment" group:"Text"`
	TextColor       string        `json:"textColor" setting:"color" default:"#1b2440" on:"backgroundColor" group:"Colors"`
	BackgroundColor string        `json:"backgroundColor" setting:"color" default:"#ffffff" group:"Colors"`
	ShowStatus      bool          `json:"showStatus" setting:"toggle" default:"true" label:"Show status line" group:"Status"`
}

// Site is what a site's owner sets for every widget on the site.
type Site struct {
	// Greeting stands before the widget's display name.
	Greeting string `json:"greeting" setting:"text" default:"Hello" min:"1" max:"80" help:"Stands before the name in every widget."`
}
