// Package business declares a setting of every kind. It does not compile, and need not.
package business

import (
	"fmt"

	declare "example.com/badge/backend/settings"
)

var stars = notDeclaredYet

// Widget is what belongs to one widget.
type Widget struct {
	Heading  string       `json:"heading" setting:"text" default:"Say \"hi\"" max:"80" label:"Heading" label.de:"Überschrift" label.pt-BR:"Título" help:"Stands above the reviews, in the language of the page, and may have eighty characters." help.de:"Steht über den Bewertungen." group:"Text" group.de:"Schrift"`
	Intro    string       `json:"intro" setting:"text" default:"" placeholder:"None" placeholder.ja:"何もない場合はこのまま空にしておいてください、説明文は表示されません、よろしくお願いします" group:"Text"`
	Ink      string       `json:"ink" setting:"color" default:"var(--wst-color-text, #1b2440)" on:"paper" group:"Colors"`
	Paper    string       `json:"paper" setting:"color" default:"#ffffff" group:"Colors"`
	Face     declare.Font `json:"face" setting:"font" default:"" placeholder:"System font"`
	Corner   string       `json:"corner" setting:"choice" default:"top-right" of:"top-left,top-right,bottom-left,bottom-right" also:"left,right,top,bottom" labels.de:"Oben links,Oben rechts,Unten links,Unten rechts"`
	Shadow   bool         `json:"shadow" setting:"toggle" default:"false"`
	Stars    int          `json:"stars" setting:"number" default:"5" min:"1" max:"10" step:"1"`
	Opacity  float64      `json:"opacity" setting:"number" default:"0.5" max:"1" step:"0.25"`
	Offset   float64      `json:"offset" setting:"number" default:"0" unit:"px"`
	LongerAs string       `json:"aNameThatIsLongerThanAnyLineNeeds" setting:"text" default:"A default that alone would go far beyond the hundred columns of a line, so that it stands below"`
	Homepage string       `json:"homepage" setting:"link" default:"https://example.com/"`
}

// Site is what belongs to the site.
type Site struct {
	Title     string         `json:"title" setting:"text" default:"Reviews" min:"1" max:"40" was:"caption"`
	Subtitle  string         `json:"subtitle" setting:"text" default:"What guests say"`
	Accent    string         `json:"accent" setting:"color" default:"rebeccapurple"`
	Text      declare.Font   `json:"text" setting:"font" default:""`
	Order     string         `json:"order" setting:"choice" default:"newest" of:"newest,best" labels:"Newest first,Best | only"`
	Moderated bool           `json:"moderated" setting:"toggle" default:"true"`
	Most      int            `json:"most" setting:"number" default:"20" min:"10" max:"100" step:"10" unit:"reviews"`
	Imprint   string         `json:"imprint" setting:"link" default:""`
	Help      string         `json:"help" setting:"link" default:"mailto:help@example.com" min:"1"`
	APIKey    declare.Secret `json:"apiKey" setting:"secret" max:"100" help:"From your account with the review service."`
}

func (Site) String() string { return fmt.Sprint(stars) }
