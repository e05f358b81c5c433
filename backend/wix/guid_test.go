package wix_test

import (
	"strings"
	"testing"

	"github.com/nametag-dev/nametag/backend/wix"
)

func TestParseGUID(t *testing.T) {
	for text, want := range map[string]string{
		instanceID:                                  instanceID,
		strings.ToUpper(instanceID):                 instanceID,
		"":                                          "",
		"../../etc":                                 "",
		instanceID + "a":                            "",
		" " + instanceID[1:]:                        "",
		"{" + instanceID + "}":                      "",
		"urn:uuid:" + instanceID:                    "",
		strings.ReplaceAll(instanceID, "-", ""):     "",
		strings.Repeat("g", 36):                     "",
		strings.Repeat("-", 36):                     "",
		"9a1b2c3d00004000800000000000abcd----":      "",
		strings.Replace(instanceID, "9", "\x00", 1): "",
	} {
		if id, ok := wix.ParseGUID(text); id != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v", text, id, ok)
		}
	}
}
