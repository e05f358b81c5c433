// Package simulation is a test. It runs several replicas of the server over one database
// and a model of Wix, in a bubble of testing/synctest, through everything that goes wrong:
// webhooks that come late, twice and out of order, replicas that die between two calls of
// the store, notifications that are lost, clocks that jump, a Wix and a database that fail.
//
// One seed is one run. The same seed does the same again, because each call of the store,
// of Wix and of a replica takes a time that follows from the seed, so that no two things
// happen at once. What holds in every run is in invariants_test.go; mutants_test.go takes
// one guard after the other away and requires that some seed notices.
//
//	go test ./backend/simulation -run Replicas -seed 42    one run, with its trace
//	go test ./backend/simulation -run Replicas -seeds 9999 more than usual
package simulation
