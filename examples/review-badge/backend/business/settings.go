package business

// Widget is what belongs to one badge: attributes of the element in the page.
type Widget struct {
	StarColor       string `json:"starColor" setting:"color" default:"#b45309" on:"backgroundColor" group:"Colors"`
	TextColor       string `json:"textColor" setting:"color" default:"#1f2937" on:"backgroundColor" group:"Colors"`
	BackgroundColor string `json:"backgroundColor" setting:"color" default:"#ffffff" group:"Colors"`
}

// Site is what the owner sets for every badge on the site.
type Site struct {
	Title      string `json:"title" setting:"text" default:"Our reviews" min:"1" max:"60"`
	Invitation string `json:"invitation" setting:"text" default:"How was your visit?" max:"80" help:"Stands below the stars, which visitors can give."`
}
