package wixtest_test

// The *testing.T of the examples, which have none.

import (
	"fmt"
	"os"
	"testing"
)

// exampleT stands for a test's own t.
type exampleT struct {
	testing.TB
	name     string
	cleanups []func()
}

// startTest returns the t of a test, and the function that ends it.
func startTest(name string) (t testing.TB, end func()) {
	e := &exampleT{name: name}
	return e, func() {
		for i := len(e.cleanups) - 1; i >= 0; i-- {
			e.cleanups[i]()
		}
	}
}

func (e *exampleT) Name() string           { return e.name }
func (e *exampleT) Helper()                {}
func (e *exampleT) Cleanup(cleanup func()) { e.cleanups = append(e.cleanups, cleanup) }
func (e *exampleT) Fatalf(format string, args ...any) {
	fmt.Printf(format+"\n", args...)
	os.Exit(1)
}
