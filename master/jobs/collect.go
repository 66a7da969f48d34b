package jobs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"brine/proto"
)

// Wait says how long to wait for the answers to a job.
type Wait struct {
	// Timeout is how long a minion may stay silent; Gather how much longer one that is connected but has not even
	// acknowledged.
	Timeout, Gather time.Duration
	// Away describes a minion that is not connected ("asleep until ...", "offline since ..."), and tells whether it has
	// been away for so long that it is not just reconnecting.
	Away func(id string) (reason string, long bool)
}

// Absent is a target that did not answer in time.
type Absent struct {
	ID string
	// Connected tells whether the minion has a session.
	Connected bool
	// Reason is what is known: "asleep until ...", "offline since ...", "still running", "no acknowledgement".
	Reason string
}

// Text is what stands in place of the result, Salt's words first.
func (a *Absent) Text(jid string) string {
	word := "No response"
	if !a.Connected {
		word = "Not connected"
	}
	text := "Minion did not return. [" + word + "]"
	if a.Reason != "" {
		text += "\nReason: " + a.Reason
	}
	return text + "\nThe minions may not have all finished running and any remaining minions will return upon completion. To look up the return data for this job later, run the following command:\n\nsalt-run jobs.lookup_jid " + jid
}

// pollTime is how often the clock is looked at while nothing comes in.
const pollTime = 50 * time.Millisecond

// Collect hands each answer to a job to each as it comes, and returns who is missing when waiting longer makes no sense:
// a job that a connected minion works on is waited for as long as it lives; a minion that is away, or does not even
// acknowledge, is given up. It ends early with ctx's error, or with the first error of each.
func (m *Manager) Collect(ctx context.Context, h *Handle, w Wait, each func(*proto.Return) error) ([]Absent, error) {
	last := time.Now()
	poll := time.NewTicker(pollTime)
	defer poll.Stop()
	for {
		list, over := h.Take()
		for _, r := range list {
			last = time.Now()
			if err := each(r); err != nil {
				return nil, err
			}
		}
		if over {
			return nil, nil
		}
		select {
		case <-h.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-poll.C:
			if absent := m.absent(h, w, time.Since(last)); absent != nil {
				return absent, nil
			}
		}
	}
}

// absent describes the targets that have not answered, nil while one of them is still worth waiting for.
func (m *Manager) absent(h *Handle, w Wait, silent time.Duration) []Absent {
	waiting := h.Waiting()
	if len(waiting) == 0 {
		return nil // the last answer is on its way to Next
	}
	out := make([]Absent, 0, len(waiting))
	for _, p := range waiting {
		_, online := m.sender.Online(p.ID)
		a := Absent{ID: p.ID, Connected: online}
		switch {
		case !online:
			var long bool
			if a.Reason, long = w.Away(p.ID); !long && silent < w.Timeout {
				return nil
			}
			if p.Acked {
				a.Reason += ", while running the job"
			}
		case p.Acked, silent < w.Timeout+w.Gather:
			return nil
		default:
			a.Reason = fmt.Sprintf("no acknowledgement after %d attempts", p.Sent)
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b Absent) int { return strings.Compare(a.ID, b.ID) })
	return out
}
