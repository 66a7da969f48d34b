package release

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"brine/internal/atomicfile"
)

// Phase is how far an attempt is.
type Phase string

// The phases of an attempt, in order.
const (
	Prepare  Phase = "prepare" // fetch and check everything; the device is as it was
	Apply    Phase = "apply"   // states change the device
	Check    Phase = "check"   // health checks
	Rollback Phase = "rollback"
)

// Attempt is one run of an update.
type Attempt struct {
	// Run identifies it, in events and in the report.
	Run    string `json:"run"`
	Number int    `json:"number"`
	Limit  int    `json:"limit"`
	State  State  `json:"state"` // pending, forcing or retrying
	ID     string `json:"id"`
	// Version is the target's.
	Version string    `json:"version,omitempty"`
	Cause   string    `json:"cause,omitempty"` // the job that started it
	Started time.Time `json:"started"`
	Phase   Phase     `json:"phase"`
}

// Good is a release that went through on this device.
type Good struct {
	ID       string `json:"id"`
	Version  string `json:"version,omitempty"`
	Sequence int64  `json:"sequence,omitempty"`
	// Pinned tells that it has a manifest: it can be installed again as it was.
	Pinned bool `json:"pinned,omitempty"`
}

// Message is an event that has to leave the device, exactly once.
type Message struct {
	Key  string          `json:"key"`
	Tag  string          `json:"tag"`
	Data json.RawMessage `json:"data"` // JSON with ordered keys
}

// File is the whole state of the life cycle on a device. It is written in one piece, so that a power cut finds either
// the step before or the step after.
type File struct {
	Record Record `json:"record"`
	// Attempt is the one under way, nil when none is.
	Attempt *Attempt `json:"attempt,omitempty"`
	// Good is the last release that went through; nil when none has.
	Good *Good `json:"good,omitempty"`
	// Outbox holds the terminal events and reports that are not yet in the event queue.
	Outbox []Message `json:"outbox,omitempty"`
	// Key is the public release key that this device trusts, as PEM; "" for none.
	Key string `json:"key,omitempty"`
	// Sequence is the highest that was installed: an older release is refused.
	Sequence int64 `json:"sequence,omitempty"`
}

// Journal keeps the File of a device. Safe for concurrent use.
type Journal struct {
	path string
	mu   sync.Mutex
	file File
}

// OpenJournal reads the journal; one that is not there is that of a fresh device. A damaged one is an error that names
// the file: it is never guessed at.
func OpenJournal(path string) (*Journal, error) {
	j := &Journal{path: path}
	src, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return j, os.MkdirAll(filepath.Dir(path), 0o700)
	case err != nil:
		return nil, fmt.Errorf("release journal: %w", err)
	}
	if err := json.Unmarshal(src, &j.file); err != nil {
		return nil, fmt.Errorf("release journal %s is damaged: %w: move it away to begin anew", path, err)
	}
	return j, nil
}

// Get returns a copy.
func (j *Journal) Get() File {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.copy()
}

func (j *Journal) copy() File {
	f := j.file
	if f.Attempt != nil {
		a := *f.Attempt
		f.Attempt = &a
	}
	if f.Good != nil {
		g := *f.Good
		f.Good = &g
	}
	f.Outbox = append([]Message(nil), f.Outbox...)
	return f
}

// Change applies one step: when it returns without an error, the step is on the disk; with one, nothing has changed.
func (j *Journal) Change(step func(*File)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	next := j.copy()
	step(&next)
	src, err := json.MarshalIndent(next, "", " ")
	if err != nil {
		return fmt.Errorf("release journal: %w", err)
	}
	if err := atomicfile.Write(j.path, append(src, '\n'), 0o600); err != nil {
		return fmt.Errorf("release journal: %w", err)
	}
	j.file = next
	return nil
}
