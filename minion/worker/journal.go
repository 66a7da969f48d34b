package worker

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"brine/internal/journal"
	"brine/proto"
)

// journaled is the job journal: which jobs were accepted, what came of them, what the master has stored.
type journaled struct {
	j *journal.Journal

	mu       sync.Mutex
	accepted map[string]*proto.Job    // without a return
	returned map[string]*proto.Return // not stored by the master
	over     []string                 // stored: their ids are remembered
}

// record is one entry: exactly one field is set.
type record struct {
	Accept *proto.Job    `msgpack:"a,omitempty"`
	Return *proto.Return `msgpack:"r,omitempty"`
	Done   []string      `msgpack:"d,omitempty"`
}

// rewriteAt is the size from which on the journal is rewritten without what is over.
const rewriteAt = 4 << 20

func openJournal(path string) (*journaled, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("job journal: %w", err)
	}
	w := &journaled{accepted: map[string]*proto.Job{}, returned: map[string]*proto.Return{}}
	var err error
	w.j, err = journal.Open(path, func(rec []byte) error {
		var r record
		if err := proto.Decode(rec, &r); err != nil {
			return err
		}
		w.apply(&r)
		return nil
	})
	return w, err
}

func (w *journaled) apply(r *record) {
	switch {
	case r.Accept != nil:
		w.accepted[r.Accept.JID] = r.Accept
	case r.Return != nil:
		delete(w.accepted, r.Return.JID)
		w.returned[r.Return.JID] = r.Return
	default:
		for _, jid := range r.Done {
			delete(w.accepted, jid)
			delete(w.returned, jid)
			w.over = append(w.over, jid)
		}
		if n := len(w.over) - recentJobs; n > 0 {
			w.over = append([]string(nil), w.over[n:]...)
		}
	}
}

// accept is durable when it returns.
func (w *journaled) accept(j *proto.Job) error { return w.write(&record{Accept: j}, true) }

// result is durable when it returns.
func (w *journaled) result(r *proto.Return) error { return w.write(&record{Return: r}, true) }

// done need not be durable at once: a return that is sent again is stored already.
func (w *journaled) done(jids []string) error {
	if len(jids) == 0 {
		return nil
	}
	return w.write(&record{Done: jids}, false)
}

func (w *journaled) write(r *record, durable bool) error {
	b, err := proto.Encode(r)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.apply(r)
	if w.j.Size() > rewriteAt && r.Done != nil {
		defer w.mu.Unlock()
		return w.rewrite()
	}
	w.mu.Unlock()
	if durable {
		return w.j.Append(b)
	}
	return w.j.Note(b)
}

// rewrite keeps what is not over; the lock is held. Records that others are about to append are part of it already, and
// reading one twice changes nothing.
func (w *journaled) rewrite() error {
	var failed error
	err := w.j.Rewrite(func(yield func([]byte) bool) {
		put := func(r record) bool {
			b, err := proto.Encode(&r)
			if err != nil {
				failed = err
				return false
			}
			return yield(b)
		}
		if len(w.over) > 0 && !put(record{Done: w.over}) {
			return
		}
		for _, j := range w.accepted {
			if !put(record{Accept: j}) {
				return
			}
		}
		for _, r := range w.returned {
			if !put(record{Return: r}) {
				return
			}
		}
	})
	if err == nil {
		err = failed
	}
	return err
}

func (w *journaled) close() error { return w.j.Close() }

// ring remembers the last n ids.
type ring struct {
	list []string
	next int
	set  map[string]struct{}
}

func newRing(n int) *ring { return &ring{list: make([]string, n), set: make(map[string]struct{}, n)} }

func (r *ring) add(id string) {
	if _, have := r.set[id]; have {
		return
	}
	delete(r.set, r.list[r.next])
	r.list[r.next] = id
	r.set[id] = struct{}{}
	r.next = (r.next + 1) % len(r.list)
}

func (r *ring) has(id string) bool {
	_, ok := r.set[id]
	return ok
}
