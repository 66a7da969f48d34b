package retention

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestKeep(t *testing.T) {
	t.Parallel()
	var list []Item
	for _, s := range []string{"2030-12-31T23:00:00", "2031-01-01T01:00:00", "2031-01-01T01:30:00", "2031-01-01T05:00:00", "2031-01-02T00:10:00", "2031-02-03T04:05:06"} {
		at, err := time.Parse("2006-01-02T15:04:05", s)
		assert.NoError(t, err)
		list = append(list, Item{s, at})
	}
	for _, c := range []struct {
		rule string
		n    int64
		want []string
	}{
		{"most_recent", 2, []string{"2031-02-03T04:05:06", "2031-01-02T00:10:00"}},
		{"most_recent", 0, nil},
		{"first_of_hour", 4, []string{"2031-02-03T04:05:06", "2031-01-02T00:10:00", "2031-01-01T05:00:00", "2031-01-01T01:00:00"}},
		{"first_of_day", 3, []string{"2031-02-03T04:05:06", "2031-01-02T00:10:00", "2031-01-01T01:00:00"}},
		{"first_of_week", 1, []string{"2031-02-03T04:05:06", "2031-01-01T01:00:00"}},
		{"first_of_month", 9, []string{"2031-02-03T04:05:06", "2031-01-01T01:00:00", "2030-12-31T23:00:00"}},
		{"first_of_year", math.MaxInt64, []string{"2031-01-01T01:00:00", "2030-12-31T23:00:00"}},
	} {
		got, ok := Keep(list, c.rule, c.n)
		assert.True(t, ok)
		assert.Equal(t, c.want, got, "%s %d", c.rule, c.n)
	}
	_, ok := Keep(list, "first_of_century", 1)
	assert.False(t, ok)
	got, _ := Keep(nil, "most_recent", 1)
	assert.Empty(t, got)
}
