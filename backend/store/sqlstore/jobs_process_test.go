package sqlstore

// What becomes of events when the process that has them dies, or the disk is full.

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
)

var receiverIDs = []string{"a", "b", "c"}

// playReceiver accepts events of several instances without end, applies them beside
// that, and prints each that was accepted.
func playReceiver(url string) error {
	ctx := context.Background()
	s, err := Open(ctx, url, Options{})
	if err != nil {
		return err
	}
	failed := make(chan error)
	var count atomic.Int64
	for _, id := range receiverIDs {
		go func() {
			for {
				n, now := count.Add(1), time.Now()
				e := instance.Event{
					ID: fmt.Sprint(os.Getpid(), "-", n), InstanceID: id, At: now, ReceivedAt: now,
					Kind: []instance.EventKind{instance.EventPlan, instance.EventRemoved, instance.EventInstalled}[rand.IntN(3)],
				}
				if e.Kind == instance.EventPlan {
					e.Plan = fmt.Sprint("plan ", n)
				}
				if fresh, err := s.Accept(ctx, e); err != nil || !fresh {
					failed <- fmt.Errorf("Accept = %v, %w", fresh, err)
				}
				os.Stdout.WriteString(fmt.Sprintln(e.ID, id))
			}
		}()
	}
	for range 2 {
		go func() {
			for {
				jobs, err := s.Claim(ctx, time.Now(), 50*time.Millisecond, 5)
				for _, j := range jobs {
					if err == nil && j.Event != nil {
						_, _, err = s.ApplyEvent(ctx, *j.Event, time.Now())
					}
				}
				if err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

func TestStore_Accept_survivesKill(t *testing.T) {
	for name, url := range map[string]string{"SQLite": newURL(t), "Postgres": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) { killReceivers(t, url, 25) })
	}
}

func killReceivers(t *testing.T, url string, kills int) {
	accepted := map[string]string{} // the instance of each event
	hear := func(line string) {
		t.Helper()
		event, id, found := strings.Cut(line, " ")
		if !found || event == "error:" {
			t.Fatalf("the receiver printed %q", line)
		}
		accepted[event] = id
	}
	for range kills {
		child := start(t, "receiver", url)
		for range 1 + rand.IntN(100) {
			hear(child.line(t))
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		// What it printed before it died counts too.
		for child.lines.Scan() {
			hear(child.lines.Text())
		}
		child.Wait()
		s := open(t, url)
		wantApplied(t, s, accepted)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}

	s := open(t, url)
	for now := time.Now().Add(time.Hour); ; {
		jobs, err := s.Claim(t.Context(), now, time.Hour, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(jobs) == 0 {
			break
		}
		for _, j := range jobs {
			if j.Event == nil {
				continue
			}
			if _, _, err := s.ApplyEvent(t.Context(), *j.Event, now); err != nil {
				t.Fatal(err)
			}
		}
	}
	for event, job := range wantApplied(t, s, accepted) {
		if job.State != instance.JobDone {
			t.Errorf("event %s is %s in the end", event, job.State)
		}
	}
	for event, id := range accepted {
		repeat := instance.Event{ID: event, InstanceID: id, Kind: instance.EventOther, At: time.Now()}
		if fresh, err := s.Accept(t.Context(), repeat); err != nil || fresh {
			t.Fatalf("Accept of a repeat = %v, %v", fresh, err)
		}
	}
}

// wantApplied checks that every accepted event is stored, and that each row is what its
// done events, and no others, make of it.
func wantApplied(t *testing.T, s *Store, accepted map[string]string) map[string]instance.Job {
	t.Helper()
	stored := map[string]instance.Job{}
	for _, id := range receiverIDs {
		row, jobs := settled(t, s, id)
		want := instance.NewInstance(id, row.FirstSeen)
		requested, found := false, false
		for _, j := range jobs {
			if j.Event == nil {
				found = true
				continue
			}
			stored[j.ID] = j
			if j.State == instance.JobDone {
				requested = want.Apply(*j.Event).Refresh || requested
			}
		}
		if found != requested {
			t.Errorf("a refresh of %s is stored: %v, want %v", id, found, requested)
		}
		want.Settings = json.RawMessage(`{}`)
		if want.StatusAt.IsZero() && want.PlanAt.IsZero() {
			want = instance.Instance{}
		}
		if !reflect.DeepEqual(row, want) {
			t.Errorf("the row of %s is\n%+v, but its %d jobs make\n%+v", id, row, len(jobs), want)
		}
	}
	for event, id := range accepted {
		if job, found := stored[event]; !found || job.InstanceID != id {
			t.Errorf("event %s of %s was accepted and is lost", event, id)
		}
	}
	return stored
}

// settled reads a row and its jobs as they are together. A server may still be at work
// for a process that is dead.
func settled(t *testing.T, s *Store, id string) (instance.Instance, []instance.Job) {
	t.Helper()
	for {
		before, err := s.JobsOf(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := s.List(t.Context(), "", 10)
		if err != nil {
			t.Fatal(err)
		}
		after, err := s.JobsOf(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(before, after) {
			continue
		}
		for _, row := range rows {
			if row.ID == id {
				return row, after
			}
		}
		return instance.Instance{}, after
	}
}

// playFullReceiver accepts events until a file may not grow any more, tries what else
// a webhook needs, and then goes on with room again.
func playFullReceiver(url string) error {
	signal.Ignore(syscall.SIGXFSZ)
	ctx := context.Background()
	s, err := Open(ctx, url, Options{})
	if err != nil {
		return err
	}
	var room syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &room); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 300_000, Max: room.Max}); err != nil {
		return err
	}
	n := 0
	for err == nil {
		n++
		var fresh bool
		if fresh, err = s.Accept(ctx, delivery(n)); err == nil {
			fmt.Println("accepted", n, fresh)
		}
	}
	fmt.Println("refused:", err)
	_, _, err = s.ApplyEvent(ctx, delivery(1), noon())
	fmt.Println("refused:", err)
	jobs, err := s.JobsOf(ctx, delivery(1).InstanceID)
	fmt.Println("read:", len(jobs) > 0, err)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &room); err != nil {
		return err
	}
	fresh, err := s.Accept(ctx, delivery(n))
	fmt.Println("with room:", fresh, err)
	_, change, err := s.ApplyEvent(ctx, delivery(1), noon())
	fmt.Println("with room:", change.Plan, err)
	return s.Close()
}

func TestStore_Accept_fullDisk(t *testing.T) {
	url := newURL(t)
	child := start(t, "receiver on a full disk", url)
	accepted := 0
	line := child.line(t)
	for ; line == fmt.Sprint("accepted ", accepted+1, " true"); line = child.line(t) {
		accepted++
	}
	if accepted == 0 {
		t.Fatalf("the receiver printed %q", line)
	}
	for _, want := range []string{"refused: accept an event: ", "refused: apply an event: ", "read: true <nil>", "with room: true <nil>"} {
		if !strings.HasPrefix(line, want) {
			t.Errorf("the receiver printed %q, want %q", line, want)
		}
		line = child.line(t)
	}
	if line != "with room: true <nil>" {
		t.Errorf("the receiver printed %q at last", line)
	}
	if err := child.Wait(); err != nil {
		t.Error(err)
	}
	s := open(t, url)
	wantSound(t, s)
	stored := map[string]instance.JobState{}
	for n := range 3 {
		jobs, err := s.JobsOf(t.Context(), delivery(n).InstanceID)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			stored[j.ID] = j.State
		}
	}
	delete(stored, "refresh:"+delivery(1).InstanceID)
	if len(stored) != accepted+1 {
		t.Errorf("%d events are stored, but %d were accepted", len(stored), accepted+1)
	}
	for n := 1; n <= accepted+1; n++ {
		want := instance.JobPending
		if n == 1 {
			want = instance.JobDone
		}
		if state := stored[delivery(n).ID]; state != want {
			t.Errorf("event %d is %q, want %q", n, state, want)
		}
	}
}
