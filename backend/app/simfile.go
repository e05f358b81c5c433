package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/nametag-dev/nametag/backend/wixsim"
)

// simFile keeps the state of an offline Wix in a file: soon after each change, and at the
// end. A process that is killed loses the changes of its last moments.
type simFile struct {
	path string
	log  *slog.Logger
	// lock is on a file beside: the state's own is replaced with each save.
	lock    *flock.Flock
	changes chan struct{} // holds one when there is something to save
	stop    chan struct{}
	saver   sync.WaitGroup
	sim     *wixsim.Sim
}

const (
	// saveAfter is the time from a change to its save, so that changes that belong together
	// are saved together.
	saveAfter = 100 * time.Millisecond
	// saveRest is how many times as long as a save the saver rests after it: a large state
	// that changes all the time costs a tenth of one core.
	saveRest = 9
	// saveAgain is the time from a save that failed to the next one.
	saveAgain = 2 * time.Second
)

// openSimFile locks a state file and reads it. The state is nil where there is no file yet.
func openSimFile(path string, log *slog.Logger) (*simFile, *wixsim.State, error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // a link is not replaced by a file
	}
	f := &simFile{path: path, log: log, lock: flock.New(path + ".lock"), changes: make(chan struct{}, 1), stop: make(chan struct{})}
	locked, err := f.lock.TryLock()
	if err != nil {
		return nil, nil, fmt.Errorf("lock the state: %w", err)
	}
	if !locked {
		return nil, nil, fmt.Errorf("%s: another offline Wix has it open", path)
	}
	state, err := readSimFile(path)
	if err != nil {
		return nil, nil, errors.Join(err, f.lock.Unlock())
	}
	return f, state, nil
}

func readSimFile(path string) (*wixsim.State, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer file.Close()
	state, err := wixsim.ReadState(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w. It is left as it is: name another file, or move it away", path, err)
	}
	return &state, nil
}

// changed is called after each change of the state.
func (f *simFile) changed() {
	select {
	case f.changes <- struct{}{}:
	default: // one is due already
	}
}

// follow saves the state now, and soon after each change.
func (f *simFile) follow(sim *wixsim.Sim) error {
	f.sim = sim
	if err := f.save(); err != nil {
		return err
	}
	f.saver.Go(f.run)
	return nil
}

func (f *simFile) run() {
	wait := saveAfter
	for {
		select {
		case <-f.changes:
		case <-f.stop:
			return
		}
		select {
		case <-time.After(wait):
		case <-f.stop:
			return
		}
		select {
		case <-f.changes: // made during the wait
		default:
		}
		start := time.Now()
		if err := f.save(); err != nil {
			f.log.Warn("state not saved", "cause", err)
			f.changed()
			wait = saveAgain
			continue
		}
		wait = max(saveAfter, saveRest*time.Since(start))
	}
}

// end saves the state a last time.
func (f *simFile) end() error {
	close(f.stop)
	f.saver.Wait()
	return f.save()
}

// save replaces the file as a whole, so that it is never a part of a state. Only its owner
// can read it: it holds the app's secret and keys.
func (f *simFile) save() (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("save the state: %w", err)
		}
	}()
	name := f.path + ".tmp"
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a process that was killed
		return err
	}
	temp, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(temp)
	encoder.SetIndent("", "  ")
	if err := errors.Join(encoder.Encode(f.sim.State()), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(name, f.path)
}
