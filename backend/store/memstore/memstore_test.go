package memstore_test

import (
	"testing"

	"nametag/backend/instance"
	"nametag/backend/store/memstore"
	"nametag/backend/store/storetest"
)

func newStore(t *testing.T) instance.Store {
	s := memstore.New()
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T)            { storetest.Run(t, newStore) }
func TestStoreConcurrency(t *testing.T) { storetest.RunConcurrency(t, newStore) }
