package schedule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// moment is a time as users write it: a date with a time, a weekday with a time, or a time of every day.
type moment struct {
	date             time.Time // zero: none
	weekday          time.Weekday
	hasDay           bool
	hour, minute, se int
}

var (
	isoDate   = regexp.MustCompile(`^(\d{4})[-/](\d{1,2})[-/](\d{1,2})$`)
	usDate    = regexp.MustCompile(`^(\d{1,2})/(\d{1,2})/(\d{4})$`)
	clockTime = regexp.MustCompile(`^(\d{1,2})(?::(\d{2}))?(?::(\d{2})(?:\.\d+)?)?(am|pm)?$`)
	joined    = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})[tT](\d{2}:\d{2})`)
)

// parseMoment reads forms such as 2031-05-04T10:00:00, 05/04/2031 3:00pm, May 4 2031 15:00, Monday 5pm and 17:30.
func parseMoment(text string, loc *time.Location) (moment, error) {
	var m moment
	bad := fmt.Errorf("%q is no time that is understood here", text)
	src := strings.TrimSuffix(joined.ReplaceAllString(strings.TrimSpace(text), "$1 $2"), "Z")
	fields := strings.Fields(strings.ToLower(strings.ReplaceAll(src, ",", " ")))
	if n := len(fields); n > 1 && (fields[n-1] == "am" || fields[n-1] == "pm") {
		fields = append(fields[:n-2], fields[n-2]+fields[n-1])
	}
	var month time.Month
	var day, year int
	for _, f := range fields {
		num, err := strconv.Atoi(f)
		isNumber := err == nil
		switch {
		case isoDate.MatchString(f):
			g := isoDate.FindStringSubmatch(f)
			year, month, day = atoi(g[1]), time.Month(atoi(g[2])), atoi(g[3])
		case usDate.MatchString(f):
			g := usDate.FindStringSubmatch(f)
			month, day, year = time.Month(atoi(g[1])), atoi(g[2]), atoi(g[3])
		case weekday(f) >= 0:
			m.weekday, m.hasDay = time.Weekday(weekday(f)), true
		case monthOf(f) > 0:
			month = monthOf(f)
		case isNumber && num > 31:
			year = num
		case isNumber && month > 0 || isNumber && len(fields) > 2:
			day = num
		case clockTime.MatchString(f) && !isNumber:
			if !m.clock(clockTime.FindStringSubmatch(f)) {
				return m, bad
			}
		default:
			return m, bad
		}
	}
	if len(fields) == 0 || (year != 0 || month != 0 || day != 0) && (year == 0 || month == 0 || day == 0) {
		return m, bad
	}
	if year != 0 {
		m.date = time.Date(year, month, day, m.hour, m.minute, m.se, 0, loc)
		if m.date.Month() != month || m.date.Day() != day {
			return m, bad
		}
		m.hasDay = false // the date says it
	}
	return m, nil
}

func (m *moment) clock(g []string) bool {
	m.hour, m.minute, m.se = atoi(g[1]), atoi(g[2]), atoi(g[3])
	if g[4] != "" && (m.hour < 1 || m.hour > 12) {
		return false
	}
	switch {
	case g[4] == "pm" && m.hour < 12:
		m.hour += 12
	case g[4] == "am" && m.hour == 12:
		m.hour = 0
	}
	return m.hour < 24 && m.minute < 60 && m.se < 61
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

func weekday(s string) int {
	for d := time.Sunday; d <= time.Saturday; d++ {
		name := strings.ToLower(d.String())
		if s == name || s == name[:3] {
			return int(d)
		}
	}
	return -1
}

func monthOf(s string) time.Month {
	for m := time.January; m <= time.December; m++ {
		name := strings.ToLower(m.String())
		if s == name || s == name[:3] {
			return m
		}
	}
	return 0
}

// after is the first time at or after t; ok is false for a date that is past.
func (m moment) after(t time.Time) (time.Time, bool) {
	if !m.date.IsZero() {
		return m.date, !m.date.Before(t)
	}
	next := m.on(t)
	for next.Before(t) || m.hasDay && next.Weekday() != m.weekday {
		next = m.on(next.AddDate(0, 0, 1))
	}
	return next, true
}

// on is the time on the day of t, or on the date.
func (m moment) on(t time.Time) time.Time {
	if !m.date.IsZero() {
		return m.date
	}
	return time.Date(t.Year(), t.Month(), t.Day(), m.hour, m.minute, m.se, 0, t.Location())
}
