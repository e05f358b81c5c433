package wix

import (
	"strings"

	"github.com/google/uuid"
)

// ParseGUID returns a GUID of 36 characters in lower case. Wix's ids are GUIDs, and
// their case carries no meaning: bring each id to this form where it enters a program,
// and compare plainly from then on.
func ParseGUID(text string) (id string, ok bool) {
	// uuid.Validate also accepts braces, a URN and no dashes.
	if len(text) != 36 || uuid.Validate(text) != nil {
		return "", false
	}
	return strings.ToLower(text), true
}
