// Package business declares no settings.
package business

// Widget has none.
type Widget struct{}

// Site has none.
type Site struct{}
