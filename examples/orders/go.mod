module example.com/orders

go 1.26.0

require github.com/nametag-dev/nametag v0.0.0

require (
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/maypok86/otter/v2 v2.4.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/time v0.16.0 // indirect
)

// The example is tested with the Nametag beside it. A service of your own has no such line.
replace github.com/nametag-dev/nametag => ../..
