package app

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/nametag-dev/nametag/backend/instance"
)

// TestTheREADMEListsWhatThereIs holds the README's tables to the code.
func TestTheREADMEListsWhatThereIs(t *testing.T) {
	content, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(content)
	config := reflect.TypeFor[Config]()
	for i := range config.NumField() {
		name := config.Field(i).Tag.Get("env")
		if name != "" && !strings.Contains(readme, "`"+name+"`") {
			t.Errorf("the variable %s is missing", name)
		}
		if value := config.Field(i).Tag.Get("envDefault"); value != "" && !strings.Contains(readme, "`"+value+"`") {
			t.Errorf("the default of %s, %s, is missing", name, value)
		}
	}
	for _, name := range []string{metricRequests, metricDuration, metricWixCalls, metricJobs, metricDeadLetters} {
		if !strings.Contains(readme, "`"+name+"`") {
			t.Errorf("the metric %s is missing", name)
		}
	}
	for _, code := range instance.Codes() {
		if !strings.Contains(readme, "`"+string(code)+"`") {
			t.Errorf("the code %s is missing", code)
		}
	}
}
