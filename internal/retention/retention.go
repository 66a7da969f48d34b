// Package retention chooses the backups that a schedule keeps: the first of each of the newest hours, days, weeks, months
// and years, and the most recent, by the rules of Salt's file.retention_schedule.
package retention

import (
	"cmp"
	"slices"
	"time"
)

// Item is a backup and when it was made.
type Item struct {
	Name string
	Time time.Time
}

// Keep gives the names that a rule keeps: most_recent, first_of_hour, first_of_day, first_of_week, first_of_month or
// first_of_year, for the n newest periods. ok is false for a rule that there is not.
func Keep(list []Item, rule string, n int64) (names []string, ok bool) {
	depth := slices.Index([]string{"", "first_of_year", "first_of_month", "first_of_day", "first_of_hour", "most_recent"}, rule)
	key := date
	if rule == "first_of_week" {
		depth, key = 2, week
		n = max(n, n+1) // the week that has begun does not count
	}
	if depth < 1 {
		return nil, false
	}
	all := make([]dated, len(list))
	for i, it := range list {
		all[i] = dated{it.Name, key(it.Time)}
	}
	return newest(all, 0, depth, n), true
}

// dated is a backup and the parts of its date, the largest first.
type dated struct {
	name string
	key  []int64
}

func date(t time.Time) []int64 {
	return []int64{int64(t.Year()), int64(t.Month()), int64(t.Day()), int64(t.Hour()), t.UnixNano()}
}

func week(t time.Time) []int64 {
	_, n := t.ISOWeek()
	return []int64{int64(t.Year()), int64(n), int64((t.Weekday() + 6) % 7), t.UnixNano()}
}

// newest gives the first backup of each of the n newest periods: years at depth 1, months of years at 2 and so on.
func newest(list []dated, level, depth int, n int64) []string {
	if len(list) == 0 {
		return nil
	}
	if level >= depth {
		return []string{slices.MinFunc(list, func(a, b dated) int { return slices.Compare(a.key[level:], b.key[level:]) }).name}
	}
	groups := map[int64][]dated{}
	var periods []int64
	for _, d := range list {
		p := d.key[level]
		if groups[p] == nil {
			periods = append(periods, p)
		}
		groups[p] = append(groups[p], d)
	}
	slices.SortFunc(periods, func(a, b int64) int { return cmp.Compare(b, a) })
	var out []string
	for _, p := range periods {
		needed := n - int64(len(out))
		if needed < 1 {
			break
		}
		out = append(out, newest(groups[p], level+1, depth, needed)...)
	}
	return out
}
