package file

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/ncruces/go-strftime"

	"brine/internal/fileops"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/retention"
	"brine/modules"
	"brine/states"
)

func retentionFuncs() []states.Func {
	return []states.Func{fn("retention_schedule", "Keep some backups of a folder by a schedule and remove the others.", retained)}
}

type retentionArgs struct {
	Name     string       `arg:"name"`
	Retain   *ordered.Map `arg:"retain"`
	Strptime any          `arg:"strptime_format" def:"None"`
	Timezone any          `arg:"timezone" def:"None"`
}

func retained(_ context.Context, env *states.Env, in retentionArgs) (check, error) {
	if !pypath.IsDir(in.Name) {
		return refuse("Name provided to file.retention must be a directory")
	}
	names, err := pypath.Listdir(in.Name)
	if err != nil {
		return check{}, err
	}
	var all []retention.Item
	ignored := []string{}
	for _, n := range append([]string{".", ".."}, names...) {
		if t, ok := in.moment(n); ok {
			all = append(all, retention.Item{Name: n, Time: t})
		} else {
			ignored = append(ignored, n)
		}
	}
	kept, err := in.kept(all)
	if err != nil {
		return check{}, err
	}
	deleted, keep := []string{}, []string{}
	for _, b := range all {
		if kept[b.Name] {
			keep = append(keep, b.Name)
		} else {
			deleted = append(deleted, b.Name)
		}
	}
	for _, l := range [][]string{deleted, keep, ignored} {
		slices.SortFunc(l, func(a, b string) int { return cmp.Compare(b, a) })
	}
	changes := ordered.Pairs("retained", keep, "deleted", deleted, "ignored", ignored)
	would := &states.Result{Comment: fmt.Sprintf("%d backups would have been removed from %s.\n", len(deleted), in.Name), Changes: changes}
	if len(deleted) == 0 {
		would.OK = states.True()
	}
	return check{Would: would, Plan: func(context.Context) (*states.Result, error) {
		for _, n := range deleted {
			if _, err := fileops.Remove(pypath.Join(in.Name, n)); err != nil {
				return nil, err
			}
		}
		return &states.Result{OK: states.True(), Comment: fmt.Sprintf("%d backups were removed from %s.\n", len(deleted), in.Name), Changes: changes}, nil
	}}, nil
}

// moment is when a backup was made, by its name or by its change; false for what is no backup.
func (in retentionArgs) moment(name string) (time.Time, bool) {
	if pyfmt.Truth(in.Strptime) {
		t, err := strftime.Parse(pyfmt.Str(in.Strptime), name)
		return t, err == nil
	}
	if name == "." || name == ".." {
		return time.Time{}, false
	}
	fi, err := os.Lstat(pypath.Join(in.Name, name))
	if err != nil {
		return time.Time{}, false
	}
	return fi.ModTime().Local(), true
}

// kept are the backups that a rule keeps.
func (in retentionArgs) kept(all []retention.Item) (map[string]bool, error) {
	out := map[string]bool{}
	for rule, v := range in.Retain.All() {
		n := int64(math.MaxInt64)
		if v != "all" {
			var err error
			if n, err = modules.Int(v); err != nil {
				return nil, err
			}
		}
		names, ok := retention.Keep(all, pyfmt.Str(rule), n)
		if !ok {
			return nil, fmt.Errorf("'%s'", pyfmt.Str(rule))
		}
		for _, name := range names {
			out[name] = true
		}
	}
	return out, nil
}
