package memstore_test

import (
	"testing"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/store/memstore"
	"github.com/nametag-dev/nametag/backend/store/storetest"
)

func newStore(t *testing.T) instance.Store { return newWhole(t) }

func newWhole(t *testing.T) storetest.Whole {
	s := memstore.New()
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T)            { storetest.Run(t, newStore) }
func TestStoreConcurrency(t *testing.T) { storetest.RunConcurrency(t, newStore) }
func TestInbox(t *testing.T)            { storetest.RunInbox(t, newWhole) }
func TestInboxConcurrency(t *testing.T) { storetest.RunInboxConcurrency(t, newWhole) }
