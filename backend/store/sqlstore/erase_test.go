package sqlstore

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
)

// marker stands in everything that fill stores about an instance.
func marker(n int) string { return fmt.Sprintf("marked-%04d.", n) }

// fill stores an instance with settings, a profile and events. Those with odd numbers are
// done: their ids begin with "1-" and "3-".
func fill(t testing.TB, s *Store, n int, removedAt time.Time, size int) {
	t.Helper()
	ctx, id := context.Background(), marker(n)
	long := id + strings.Repeat(" "+id, size)
	must(t)(s.Seen(ctx, visit(id, "site-"+id, noon())))
	for version := range int64(2) {
		must(t)(s.SaveSettings(ctx, id, greeting(long[:len(long)*int(version+1)/2]), version))
	}
	must(t)(s.SaveProfile(ctx, id, instance.Profile{SiteDisplayName: id}, noon()))
	for i := range 4 {
		e := instance.Event{
			ID: fmt.Sprint(i, "-", id), InstanceID: id, Kind: instance.EventOther, Type: "other", At: noon(),
			Payload: json.RawMessage(`{"reason":"` + long + `"}`), ReceivedAt: noon(),
		}
		if _, err := s.Accept(ctx, e); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			continue
		}
		if i == 3 && !removedAt.IsZero() {
			e.Kind, e.At = instance.EventRemoved, removedAt
		}
		if _, _, err := s.ApplyEvent(ctx, e, noon()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.RequestRefresh(ctx, id, noon()); err != nil {
		t.Fatal(err)
	}
}

// contents reads all files of a database.
func contents(t testing.TB, databaseURL string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(strings.TrimPrefix(databaseURL, "sqlite:") + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("files: %v, %v", files, err)
	}
	all := map[string][]byte{}
	for _, path := range files {
		if all[filepath.Base(path)], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// traces says where a text stands in the files of a database.
func traces(files map[string][]byte, text string) (found []string) {
	for name, content := range files {
		if n := bytes.Count(content, []byte(text)); n > 0 {
			found = append(found, fmt.Sprintf("%d times in %s", n, name))
		}
	}
	return found
}

func wantNoTrace(t testing.TB, files map[string][]byte, text string) {
	t.Helper()
	if found := traces(files, text); len(found) > 0 {
		t.Errorf("%s stands %v", text, found)
	}
}

// The instances are of many sizes and deleted in any order, so that SQLite joins and splits
// pages and moves rows: what it moves it leaves behind.
func TestStore_deletedLeavesNoTrace(t *testing.T) {
	const instances, stay, atOnce = 120, 10, 3
	random := rand.New(rand.NewPCG(5, 1))
	url := newURL(t)
	s, other := open(t, url), open(t, url)
	if _, err := s.write.Exec(`PRAGMA synchronous = OFF`); err != nil { // to be quick
		t.Fatal(err)
	}
	// Every other instance was removed from its site; the last of them are purged first.
	order := random.Perm(instances)
	for _, n := range random.Perm(instances) {
		var removedAt time.Time
		if n%2 == 0 {
			removedAt = noon().Add(-time.Duration(n) * time.Hour)
		}
		fill(t, s, n, removedAt, random.IntN(1+random.IntN(120)))
	}
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	readers.Go(func() {
		for ctx.Err() == nil {
			other.List(ctx, "", 20) // readers come and go
		}
	})
	gone := map[int]bool{}
	check := func() {
		t.Helper()
		files := contents(t, url)
		for n := range gone {
			wantNoTrace(t, files, marker(n))
		}
	}
	for len(order) > stay+atOnce {
		for _, n := range order[:atOnce] {
			if err := s.Delete(t.Context(), marker(n)); err != nil {
				t.Fatal(err)
			}
			gone[n] = true
		}
		order = order[atOnce:]
		check()
		purged, err := s.PurgeRemoved(t.Context(), noon().Add(-time.Duration(len(order))*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		order = slices.DeleteFunc(order, func(n int) bool {
			if slices.Contains(purged, marker(n)) {
				gone[n] = true
			}
			return gone[n]
		})
		check()
	}
	if n, err := s.DeleteDone(t.Context(), noon().Add(time.Minute)); err != nil || n == 0 {
		t.Errorf("DeleteDone = %d, %v", n, err)
	}
	stop()
	readers.Wait()
	check()
	files := contents(t, url)
	for _, n := range order {
		wantNoTrace(t, files, "1-"+marker(n))
		if len(traces(files, "2-"+marker(n))) == 0 {
			t.Errorf("the instance %d has lost an event that is not done", n)
		}
	}
	wantSound(t, s)
}

// A reader that stays keeps the log as it is. The deletion says so, and the next run of the
// clean-up makes up for it.
func TestStore_Delete_whileTheLogIsRead(t *testing.T) {
	url := newURL(t)
	s, other := open(t, url), open(t, url)
	fill(t, s, 1, time.Time{}, 10)
	reading, err := other.read.BeginTx(t.Context(), s.dialect.snapshot)
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Rollback()
	var n int
	if err := reading.QueryRow(`SELECT count(*) FROM jobs`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := s.Delete(short, marker(1)); err == nil || !strings.Contains(err.Error(), "not yet overwritten") {
		t.Errorf("Delete: %v", err)
	}
	must(t)(s.Seen(t.Context(), visit("others can write", "", noon())))
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.DeleteDone(t.Context(), noon()); err != nil {
		t.Errorf("DeleteDone: %v", err)
	}
	wantNoTrace(t, contents(t, url), marker(1))
}

// playDeleter deletes an instance and is killed before it overwrites anything.
func playDeleter(url string) error {
	s, err := Open(context.Background(), url, Options{})
	if err != nil {
		return err
	}
	if err := s.delete(context.Background(), marker(1)); err != nil {
		return err
	}
	fmt.Println("deleted")
	select {}
}

func TestStore_DeleteDone_erasesAfterAKill(t *testing.T) {
	url := newURL(t)
	s := open(t, url)
	for n := range 10 {
		fill(t, s, n, time.Time{}, 30)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	child := start(t, "deleter", url)
	if line := child.line(t); line != "deleted" {
		t.Fatal(line)
	}
	child.Process.Kill()
	child.Wait()
	if len(traces(contents(t, url), marker(1))) == 0 {
		t.Error("the test shows nothing: there were no traces")
	}
	s = open(t, url)
	if _, err := s.DeleteDone(t.Context(), noon()); err != nil {
		t.Fatal(err)
	}
	wantNoTrace(t, contents(t, url), marker(1))
	if len(traces(contents(t, url), marker(2))) == 0 {
		t.Error("another instance has gone")
	}
}

func TestUnused(t *testing.T) {
	page := func(number int, kind byte, cells, content int) []byte {
		at := 0
		page := bytes.Repeat([]byte{0xff}, 512)
		if number == 1 {
			at = 100
		}
		page[at], page[at+3], page[at+4], page[at+5], page[at+6] = kind, byte(cells>>8), byte(cells), byte(content>>8), byte(content)
		return page
	}
	for _, row := range []struct {
		name                  string
		number, cells         int
		kind                  byte
		content, length, from int
	}{
		{"a leaf of a table", 2, 3, 13, 400, 400 - 14, 14},
		{"a leaf of an index", 2, 0, 10, 512, 504, 8},
		{"an interior page of a table", 9, 1, 5, 500, 500 - 14, 14},
		{"an interior page of an index", 9, 2, 2, 16, 0, 16},
		{"the first page", 1, 1, 13, 300, 300 - 110, 110},
		{"an overflow page, or one of the freelist", 2, 1, 0, 300, 0, 0},
		{"a page without sense", 2, 300, 13, 10, 0, 0},
		{"a page whose cells are outside", 2, 1, 13, 600, 0, 0},
	} {
		p := page(row.number, row.kind, row.cells, row.content)
		free := unused(p, row.number)
		if len(free) != row.length || row.length > 0 && &free[0] != &p[row.from] {
			t.Errorf("%s: %d bytes are unused, want %d", row.name, len(free), row.length)
		}
	}
	if free := unused(nil, 1); free != nil {
		t.Error("no page has something unused")
	}
}

// However much there is to delete, no transaction takes more than a batch.
func TestStore_DeleteDone_inBatches(t *testing.T) {
	for name, url := range map[string]string{"SQLite": newURL(t), "memory": newMemoryURL(t)} {
		t.Run(name, func(t *testing.T) {
			s := open(t, url)
			if _, err := s.write.Exec(`PRAGMA synchronous = OFF`); err != nil {
				t.Fatal(err)
			}
			const all = 3*doneBatch + 7
			_, err := s.write.Exec(`
WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO jobs (id, instance_id, event, received_at, state, due, attempts, last_error)
SELECT 'event ' || i, 'a', '{}', ?, 'done', i, 0, '' FROM n`, all, noon().UnixMilli())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.write.Exec(`CREATE TABLE deleted (id TEXT); CREATE TRIGGER noted AFTER DELETE ON jobs BEGIN INSERT INTO deleted VALUES (old.id); END`); err != nil {
				t.Fatal(err)
			}
			found, deleted, err := s.deleteDone(t.Context(), noon().Add(time.Hour))
			var noted int
			if e := s.read.QueryRow(`SELECT count(*) FROM deleted`).Scan(&noted); err != nil || e != nil || found != doneBatch || deleted != doneBatch || noted != doneBatch {
				t.Errorf("one batch is %d, %d, %d: %v, %v", found, deleted, noted, err, e)
			}
			if n, err := s.DeleteDone(t.Context(), noon().Add(time.Hour)); err != nil || n != all-doneBatch {
				t.Errorf("DeleteDone = %d, %v; want %d", n, err, all-doneBatch)
			}
			gone, cancel := context.WithCancel(t.Context())
			cancel()
			if n, err := s.DeleteDone(gone, noon().Add(time.Hour)); err == nil || n != 0 {
				t.Errorf("DeleteDone of one who has gone = %d, %v", n, err)
			}
		})
	}
}
