package console

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"brine/internal/fnmatch"
	"brine/internal/ordered"
)

type eventsPage struct {
	Tag, Minion, From, To string
	Events                []eventRow
	Bars                  []bar
	Live                  string // what the page asks for new events; "" when its range ends in the past
	Older                 string
}

// eventRow is an event in a list; Late is set when it arrived long after it happened.
type eventRow struct {
	ID             int64
	Tag, Minion    string
	Data           *ordered.Map
	Time, Received string
	Late           bool
}

// bar is one of the histogram: X, Y and H in the units of its view box, 120 by 24.
type bar struct {
	X, Y, H int
	Title   string
}

// lateAfter is from when on an event counts as late: it waited on its device.
const lateAfter = time.Minute

func eventRows(list []*ordered.Map) []eventRow {
	out := make([]eventRow, len(list))
	for i, m := range list {
		id, _ := m.Value("id").(int64)
		e := eventRow{ID: id, Tag: m.String("tag"), Minion: m.String("minion"), Data: m.Map("data"), Time: m.String("time"), Received: m.String("received")}
		at, err1 := time.Parse(time.RFC3339Nano, e.Time)
		got, err2 := time.Parse(time.RFC3339Nano, e.Received)
		e.Late = err1 == nil && err2 == nil && got.Sub(at) > lateAfter
		out[i] = e
	}
	return out
}

func (c *Console) events(r *request) error {
	p := eventsPage{Tag: r.FormValue("tag"), Minion: r.FormValue("minion"), From: r.FormValue("from"), To: r.FormValue("to")}
	before, _ := strconv.ParseInt(r.FormValue("before"), 10, 64)
	kv := []any{"tag", cmp.Or(p.Tag, "*"), "minion", p.Minion, "since", p.From, "until", p.To}
	list, err := c.maps(r, "runner", "event.list", append(kv, "before", before, "limit", int64(pageSize))...)
	if err != nil {
		return err
	}
	p.Events = eventRows(list)
	if len(list) == pageSize {
		q := url.Values{"tag": {p.Tag}, "minion": {p.Minion}, "from": {p.From}, "to": {p.To}, "before": {fmt.Sprint(p.Events[pageSize-1].ID)}}
		p.Older = "events?" + q.Encode()
	}
	if p.To == "" && before == 0 {
		var newest int64
		for _, e := range p.Events {
			newest = max(newest, e.ID)
		}
		p.Live = liveQuery(p.Tag, p.Minion, newest)
	}
	counts, err := c.maps(r, "runner", "event.count", kv...)
	if err != nil {
		return err
	}
	p.Bars = bars(counts)
	return c.show(r, "events", "Events", p)
}

func liveQuery(tag, minion string, after int64) string {
	return "events/live?" + url.Values{"tag": {tag}, "minion": {minion}, "after": {fmt.Sprint(after)}}.Encode()
}

func bars(counts []*ordered.Map) []bar {
	var most int64 = 1
	for _, m := range counts {
		n, _ := m.Value("count").(int64)
		most = max(most, n)
	}
	out := make([]bar, len(counts))
	for i, m := range counts {
		n, _ := m.Value("count").(int64)
		h := int((n*24 + most - 1) / most)
		out[i] = bar{X: 2 * i, Y: 24 - h, H: h, Title: fmt.Sprintf("%d from %s", n, moment(m.String("from")).Text)}
	}
	return out
}

type livePage struct {
	Events []eventRow
	Live   string
}

// liveEvents answers with the events that are newer than those of the page.
func (c *Console) liveEvents(r *request) error {
	tag, minion := cmp.Or(r.FormValue("tag"), "*"), r.FormValue("minion")
	after, _ := strconv.ParseInt(r.FormValue("after"), 10, 64)
	after = max(after, 1) // 0 would be no lower end
	p := livePage{}
	err := c.await(r, func(t string) bool { return strings.Contains(tag, "[") || fnmatch.Match(tag, t) }, func() (bool, error) {
		list, err := c.maps(r, "runner", "event.list", "tag", tag, "minion", minion, "after", after, "limit", int64(pageSize))
		p.Events = eventRows(list)
		return len(list) > 0, err
	})
	if err != nil {
		return err
	}
	for _, e := range p.Events {
		after = max(after, e.ID)
	}
	sortBy(p.Events, func(e eventRow) int64 { return -e.ID })
	p.Live = liveQuery(r.FormValue("tag"), minion, after)
	return c.part(r, "events", "live", p)
}
