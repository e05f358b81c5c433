package doctor

// What is wrong with the database.

import (
	"fmt"

	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
)

// littleSpace is how many bytes a file system should have left for a SQLite database.
const littleSpace = 100 << 20

// OfDatabase says what a diagnosis means.
func OfDatabase(d sqlstore.Diagnosis) Finding {
	switch {
	case d.Open != nil:
		return fault(Database, d.Open.Error(), "Mend what it says, or correct "+DatabaseURL, DatabaseURL)
	case d.Missing:
		return ok(Database, d.Target+" does not exist yet: the first start creates it")
	case d.Newer != nil:
		return fault(Database, d.Newer.Error(), "Start that program, or restore the backup from before the upgrade", DatabaseURL)
	case d.TransactionPooler:
		return fault(Database, "the connections to "+d.Target+" go through a pooler in transaction mode",
			"Let "+DatabaseURL+" lead to the server itself, or to a pooler in session mode: LISTEN and locks of a session need one", DatabaseURL)
	case d.Write != nil:
		return fault(Database, d.Target+" can be read, but not written: "+d.Write.Error(),
			"Look at free space, permissions of the file and its folder, and whether the server is a read-only replica", DatabaseURL)
	case d.Pending > 0:
		return ok(Database, fmt.Sprintf("%s can be read; the next start applies %d migrations (or %s migrate does)", d.Target, d.Pending, product.ID))
	case d.Free >= 0 && d.Free < littleSpace:
		return warning(Database, fmt.Sprintf("%s works, but its disk has %d MB left", d.Target, d.Free>>20), "Make room before writes fail")
	}
	return ok(Database, d.Target+" can be read and written, and its schema is current")
}
