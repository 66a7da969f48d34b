// Package release is the life cycle of a release on a device, and what master and device say to each other about it: the
// record of what is installed, the decision whether to update, the journal of attempts, the lock that updates, state runs
// and power share, and the signed manifest that pins what a release installs.
//
// Nothing here touches a device: minion/update drives it there, master/release keeps the fleet's side.
package release

import (
	"brine/internal/ordered"
)

// State is where a device is with its release.
type State string

// The states of a record, and the decisions of Decide. Suspended is never stored: a device that gave up stays Failed.
const (
	None      State = ""
	Pending   State = "pending"
	Forcing   State = "forcing"
	Retrying  State = "retrying"
	Updated   State = "updated"
	Failed    State = "failed"
	Suspended State = "suspended"
)

// DefaultLimit is how many attempts at one release may fail (option update_release_attempts_limit).
const DefaultLimit = 5

// Record is what a device keeps of its release: the grain "release".
type Record struct {
	ID      string `json:"id"`
	State   State  `json:"state"`
	Version string `json:"version,omitempty"`
	// Attempts counts the attempts at ID that did not go through.
	Attempts int `json:"attempts,omitempty"`
}

// Map is the record in the shape that users know; attempts is there only when some failed.
func (r Record) Map() *ordered.Map {
	m := ordered.Pairs("id", orNil(r.ID), "state", orNil(string(r.State)), "version", orNil(r.Version))
	if r.Attempts > 0 {
		m.Set("attempts", int64(r.Attempts))
	}
	return m
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// Target is the release that a device should have.
type Target struct{ ID, Version string }

// Options are the arguments of minionutil.update_release.
type Options struct {
	Force, Demand, DryRun, OnlyRetry, ResetAttempts bool
	// Limit of failed attempts; below 0 is DefaultLimit.
	Limit int
}

func (o Options) limit() int {
	if o.Limit < 0 {
		return DefaultLimit
	}
	return o.Limit
}

// Decision is what to do.
type Decision struct {
	// State is the event that the attempt starts with; Updated: nothing to do; Suspended: refused.
	State State
	// Attempt is the number of this attempt, from 1; for Suspended and Updated how many have failed.
	Attempt int
	Limit   int
	// Run tells whether to go on; Tell whether there is an event even so (suspended).
	Run, Tell bool
	// Old is the record with its counter as this decision sees it: reset when the target is another, or asked for.
	Old Record
}

// Decide is the decision table of an update: what a device with this record does about the target.
//
//	record is    target   force or demand    then
//	updated      same     no                 updated: nothing to install
//	updated      same     yes                forcing
//	updated      another                     pending
//	none                                     pending
//	any other                                retrying
func Decide(r Record, t Target, o Options) Decision {
	d := Decision{Old: r, Limit: o.limit()}
	switch {
	case r.State == Updated && r.ID == t.ID && (o.Force || o.Demand):
		d.State = Forcing
	case r.State == Updated && r.ID == t.ID:
		d.State = Updated
	case r.State == Updated || r.State == None:
		d.State = Pending
	default:
		d.State = Retrying
	}
	if o.ResetAttempts || t.ID != r.ID {
		d.Old.Attempts = 0
	}
	d.Attempt = d.Old.Attempts
	switch {
	case o.DryRun, o.OnlyRetry && d.State != Retrying, d.State == Updated:
		return d
	case !o.Force && d.Old.Attempts >= d.Limit:
		d.State, d.Tell = Suspended, true
		return d
	}
	d.Run = true
	d.Attempt++
	return d
}

// EventTag is the tag of the event for a state.
func EventTag(s State) string { return "system/release/" + string(s) }

// Outcome counts how the states of a run went.
type Outcome struct{ Successful, Changed, Failed int }

// Count classifies the results of a highstate: failed ones, those that changed something, and the others. ok is false
// when v is not a map of results.
func Count(v any) (o Outcome, ok bool) {
	m, isMap := v.(*ordered.Map)
	if !isMap || m.Len() == 0 {
		return o, false
	}
	for _, one := range m.All() {
		r, isMap := one.(*ordered.Map)
		if !isMap || !r.Has("result") {
			return o, false
		}
		changes, _ := r.Value("changes").(*ordered.Map)
		switch {
		case r.Value("result") == false:
			o.Failed++
		case changes.Len() > 0:
			o.Changed++
		default:
			o.Successful++
		}
	}
	return o, true
}

// FailedIDs lists the ids of the states that failed, in order, at most max.
func FailedIDs(v any, max int) []any {
	out := []any{}
	m, _ := v.(*ordered.Map)
	for _, one := range m.All() {
		r, _ := one.(*ordered.Map)
		if r != nil && r.Value("result") == false && len(out) < max {
			out = append(out, r.Value("__id__"))
		}
	}
	return out
}
