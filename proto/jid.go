package proto

import (
	"fmt"
	"sync"
	"time"
)

const jidLayout = "20060102150405"

// JIDs makes job ids: 20 digits, UTC year to microsecond, each later than the one before. The zero value is ready.
type JIDs struct {
	// Now is the clock; nil is time.Now.
	Now func() time.Time

	mu   sync.Mutex
	last time.Time
}

// Next returns a new id; when the clock has not moved on, or went back, it is the last one plus a microsecond.
func (j *JIDs) Next() string {
	now := time.Now
	if j.Now != nil {
		now = j.Now
	}
	t := now().UTC().Truncate(time.Microsecond)
	j.mu.Lock()
	defer j.mu.Unlock()
	if !t.After(j.last) {
		t = j.last.Add(time.Microsecond)
	}
	j.last = t
	return FormatJID(t)
}

// Seen makes later ids come after jid, as a master does at start with the newest job of its store.
func (j *JIDs) Seen(jid string) {
	t, err := JIDTime(jid)
	if err != nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if t.After(j.last) {
		j.last = t
	}
}

// FormatJID is the job id of a moment.
func FormatJID(t time.Time) string {
	t = t.UTC()
	return t.Format(jidLayout) + fmt.Sprintf("%06d", t.Nanosecond()/1000)
}

// JIDTime is the moment that a job id stands for.
func JIDTime(jid string) (time.Time, error) {
	if len(jid) < 20 {
		return time.Time{}, fmt.Errorf("job id %q: want 20 digits", jid)
	}
	t, err := time.Parse(jidLayout+".000000", jid[:14]+"."+jid[14:20])
	if err != nil {
		return time.Time{}, fmt.Errorf("job id %q: %w", jid, err)
	}
	return t, nil
}

// StartTime is the text that Salt shows for a job's start: "2026, Nov 23 07:37:04.987460".
func StartTime(jid string) string {
	t, err := JIDTime(jid)
	if err != nil {
		return ""
	}
	return t.Format("2006, Jan 02 15:04:05.000000")
}

// IsJID tells whether text has the form of a job id.
func IsJID(text string) bool {
	_, err := JIDTime(text)
	return err == nil && len(text) == 20
}
