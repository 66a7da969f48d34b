package cron

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"brine/internal/crontab"
	"brine/internal/pyfmt"
	"brine/modules"
)

const setJobDoc = `Set a job in a user's crontab: new, updated or present.

A time that is random is chosen once; a:b is a random number from a to b.

CLI Example:

    salt '*' cron.set_job root '*' '*' '*' '*' 1 /usr/local/weekly`

type setJobArgs struct {
	User       string `arg:"user"`
	Minute     any    `arg:"minute"`
	Hour       any    `arg:"hour"`
	Daymonth   any    `arg:"daymonth"`
	Month      any    `arg:"month"`
	Dayweek    any    `arg:"dayweek"`
	Cmd        string `arg:"cmd"`
	Commented  bool   `arg:"commented" def:"False"`
	Comment    any    `arg:"comment" def:"None"`
	Identifier any    `arg:"identifier" def:"None"`
}

const setSpecialDoc = `Set a job for a time such as @hourly in a user's crontab: new, updated or present.

CLI Example:

    salt '*' cron.set_special root @hourly 'echo foobar'`

type setSpecialArgs struct {
	User       string `arg:"user"`
	Special    string `arg:"special"`
	Cmd        string `arg:"cmd"`
	Commented  bool   `arg:"commented" def:"False"`
	Comment    any    `arg:"comment" def:"None"`
	Identifier any    `arg:"identifier" def:"None"`
}

// given is a value as text, nil for none.
func given(v any) *string {
	if v == nil || v == false {
		return nil
	}
	s := pyfmt.Str(v)
	return &s
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// renewed is what becomes of a field: the old value stays where the new one does not ask for another.
func renewed(old, wish string, changed *bool) string {
	if old == wish || wish == "random" && old != "*" {
		return old
	}
	*changed = true
	return wish
}

// merge puts a wished job over one that is there and tells whether it changes.
func merge(old, wish crontab.Job) (crontab.Job, bool) {
	changed := false
	out := wish
	out.Minute = renewed(old.Minute, wish.Minute, &changed)
	out.Hour = renewed(old.Hour, wish.Hour, &changed)
	out.Daymonth = renewed(old.Daymonth, wish.Daymonth, &changed)
	out.Month = renewed(old.Month, wish.Month, &changed)
	out.Dayweek = renewed(old.Dayweek, wish.Dayweek, &changed)
	out.Special = renewed(old.Special, wish.Special, &changed)
	out.Cmd = renewed(old.Cmd, wish.Cmd, &changed)
	if wish.Comment == nil {
		out.Comment = old.Comment
	} else if old.Comment == nil || *old.Comment != *wish.Comment {
		changed = true
	}
	changed = changed || old.Commented != wish.Commented
	if deref(wish.ID) == "" {
		out.ID = old.ID
	} else if old.IDText() != *wish.ID {
		changed = true
	}
	return out, changed
}

// set puts a job into a list.
func set(list []crontab.Job, wish crontab.Job) (out []crontab.Job, done string) {
	for i, j := range list {
		if !j.Matches(wish.Cmd, deref(wish.ID)) {
			continue
		}
		now, changed := merge(j, wish)
		if !changed {
			return list, "present"
		}
		return append(slices.Delete(list, i, i+1), drawn(now)), "updated"
	}
	return append(list, drawn(wish)), "new"
}

// drawn replaces random times with numbers.
func drawn(j crontab.Job) crontab.Job {
	if j.Special != "" {
		return j
	}
	j.Minute, j.Hour = draw(j.Minute, 0, 59), draw(j.Hour, 0, 23)
	j.Month, j.Dayweek = draw(j.Month, 1, 12), draw(j.Dayweek, 0, 6)
	last := 28 // for February, and for every month
	switch j.Month {
	case "1", "3", "5", "7", "8", "10", "12":
		last = 31
	case "4", "6", "9", "11":
		last = 30
	}
	if j.Daymonth == "random" {
		j.Daymonth = draw(j.Daymonth, 1, last)
	}
	return j
}

func draw(v string, low, high int) string {
	if v == "random" {
		return strconv.Itoa(low + rand.IntN(high-low+1))
	}
	a, b, ok := strings.Cut(v, ":")
	from, err := strconv.Atoi(a)
	to, err2 := strconv.Atoi(b)
	if !ok || err != nil || err2 != nil {
		return v
	}
	from, to = min(from, to), max(from, to)
	return strconv.Itoa(from + rand.IntN(to-from+1))
}

func lower(v any) string { return strings.ToLower(pyfmt.Str(v)) }

func setJob(ctx context.Context, env *modules.Env, in setJobArgs) (any, error) {
	t, err := read(ctx, env, in.User)
	if err != nil {
		return nil, err
	}
	var done string
	t.Jobs, done = set(t.Jobs, crontab.Job{Minute: lower(in.Minute), Hour: lower(in.Hour), Daymonth: lower(in.Daymonth), Month: lower(in.Month), Dayweek: lower(in.Dayweek),
		Cmd: in.Cmd, Commented: in.Commented, Comment: given(in.Comment), ID: given(in.Identifier)})
	if done == "present" {
		return done, nil
	}
	return committed(ctx, env, in.User, t, done)
}

func setSpecial(ctx context.Context, env *modules.Env, in setSpecialArgs) (any, error) {
	t, err := read(ctx, env, in.User)
	if err != nil {
		return nil, err
	}
	var done string
	t.Special, done = set(t.Special, crontab.Job{Special: in.Special, Cmd: in.Cmd, Commented: in.Commented, Comment: given(in.Comment), ID: given(in.Identifier)})
	if done == "present" {
		return done, nil
	}
	return committed(ctx, env, in.User, t, done)
}

const rmJobDoc = `Remove a job from a user's crontab; where times are given, only one with these.

CLI Example:

    salt '*' cron.rm_job root /usr/local/weekly
    salt '*' cron.rm_job root /usr/bin/foo dayweek=1`

type rmJobArgs struct {
	User       string `arg:"user"`
	Cmd        string `arg:"cmd"`
	Minute     any    `arg:"minute" def:"None"`
	Hour       any    `arg:"hour" def:"None"`
	Daymonth   any    `arg:"daymonth" def:"None"`
	Month      any    `arg:"month" def:"None"`
	Dayweek    any    `arg:"dayweek" def:"None"`
	Identifier any    `arg:"identifier" def:"None"`
}

// at tells whether a job is at the times that are given.
func (in rmJobArgs) at(j crontab.Job) bool {
	for _, c := range []struct {
		wish any
		is   string
	}{{in.Minute, j.Minute}, {in.Hour, j.Hour}, {in.Daymonth, j.Daymonth}, {in.Month, j.Month}, {in.Dayweek, j.Dayweek}} {
		if c.wish != nil && pyfmt.Str(c.wish) != c.is && (lower(c.wish) != "random" || c.is == "*") {
			return false
		}
	}
	return true
}

func rmJob(ctx context.Context, env *modules.Env, in rmJobArgs) (any, error) {
	t, err := read(ctx, env, in.User)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(t.Jobs, func(j crontab.Job) bool { return j.Matches(in.Cmd, deref(given(in.Identifier))) && in.at(j) })
	if i < 0 {
		return "absent", nil
	}
	t.Jobs = slices.Delete(t.Jobs, i, i+1)
	return committed(ctx, env, in.User, t, "removed")
}

const rmSpecialDoc = `Remove a job for a time such as @hourly from a user's crontab.

CLI Example:

    salt '*' cron.rm_special root /usr/bin/foo`

type rmSpecialArgs struct {
	User       string `arg:"user"`
	Cmd        string `arg:"cmd"`
	Special    any    `arg:"special" def:"None"`
	Identifier any    `arg:"identifier" def:"None"`
}

func rmSpecial(ctx context.Context, env *modules.Env, in rmSpecialArgs) (any, error) {
	t, err := read(ctx, env, in.User)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(t.Special, func(j crontab.Job) bool {
		return j.Matches(in.Cmd, deref(given(in.Identifier))) && (in.Special == nil || j.Special == pyfmt.Str(in.Special))
	})
	if i < 0 {
		return "absent", nil
	}
	t.Special = slices.Delete(t.Special, i, i+1)
	return committed(ctx, env, in.User, t, "removed")
}
