// Code generated from app.json by make generate. DO NOT EDIT.

package product

const (
	// Name is the product's name for people.
	Name = "Nametag"
	// ID is its name for machines: the program's, and that of its database file, its
	// realm, its events and custom properties.
	ID = "nametag"
	// Tag is the name of the custom element, which the pages of sites hold.
	Tag = "nametag-widget"
	// Description is one sentence for people.
	Description = "A Wix site widget that knows which site it is on."
	// EnvPrefix begins the names of its environment variables.
	EnvPrefix = "NAMETAG_"
	// MetricPrefix begins the names of its metrics.
	MetricPrefix = "nametag_"
)
