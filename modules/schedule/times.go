package schedule

import (
	"time"

	"github.com/ncruces/go-strftime"

	"brine/internal/pyfmt"
)

const defaultFormat = "%Y-%m-%dT%H:%M:%S"

func orDefault(layout string) string {
	if layout == "" {
		return defaultFormat
	}
	return layout
}

// parse reads a time in the local zone by a format as strptime's.
func parse(layout string, v any) (time.Time, error) {
	t, err := strftime.Parse(orDefault(layout), pyfmt.Str(v))
	if err != nil {
		return t, err
	}
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.Local), nil
}

func format(layout string, t time.Time) string { return strftime.Format(orDefault(layout), t) }
