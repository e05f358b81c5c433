// Package product holds the names of the product, as app.json at the top of the repository
// gives them. `make generate` writes them; everything that shows or spells a name of the
// product takes it from here.
package product
