package sqlstore

import (
	"testing"

	"github.com/nametag-dev/nametag/backend/store/storetest"
)

func newWhole(t *testing.T) storetest.Whole { return open(t, newURL(t)) }

func TestInbox(t *testing.T)            { storetest.RunInbox(t, newWhole) }
func TestInboxConcurrency(t *testing.T) { storetest.RunInboxConcurrency(t, newWhole) }
