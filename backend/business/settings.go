package business

// Site is what a site's owner sets for every widget on the site. What belongs to a single
// widget is an attribute of the element, in the Wix page itself.
type Site struct {
	// Greeting stands before the widget's display name.
	Greeting string `json:"greeting" setting:"text" default:"Hello" min:"1" max:"80"`
}
