package console

import (
	"encoding/csv"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// pageSize is how many rows a list shows at a time.
const pageSize = 100

type overviewPage struct {
	Devices, Online, Asleep, Missing int
	Release                          *ordered.Map
	Summary                          *ordered.Map
	Runs                             []*ordered.Map
	Events                           []*ordered.Map
	Pending                          int // keys that wait for a decision
}

func (c *Console) overview(r *request) (err error) {
	p := overviewPage{}
	for _, d := range c.Backend.Devices() {
		p.Devices++
		switch d.State {
		case "online":
			p.Online++
		case "asleep":
			p.Asleep++
		default:
			p.Missing++
		}
	}
	if p.Summary, err = c.table(r, "runner", "release.summary"); err != nil {
		return err
	}
	releases, err := c.maps(r, "runner", "release.list", "limit", int64(1))
	if err != nil {
		return err
	}
	if len(releases) > 0 {
		p.Release = releases[0]
	}
	if p.Runs, err = c.maps(r, "runner", "release.runs", "limit", int64(5)); err != nil {
		return err
	}
	if p.Events, err = c.maps(r, "runner", "event.list", "limit", int64(10)); err != nil {
		return err
	}
	keys, err := c.keyList(r)
	if err != nil {
		return err
	}
	p.Pending = len(keys.List("minions_pre"))
	return c.show(r, "overview", "Overview", p)
}

// row is a device in a list.
type row struct {
	Device
	Release *ordered.Map
}

type devicesPage struct {
	Query, State  string
	Rows          []row
	Found         int
	Columns       []string // grains shown beside the fixed ones
	Grains        string
	Page, Of      int
	Next, Prev    string
	CSV           string
	NoneConnected bool
}

// find are the devices that a query and a state choose. A query is a part of a name, or a target when it looks like one.
func (c *Console) find(r *request) ([]Device, error) {
	list := c.Backend.Devices()
	q := strings.TrimSpace(r.FormValue("q"))
	if strings.ContainsAny(q, "*?@ []()") {
		v, err := c.low(r, "runner", "manage.find", "tgt", q)
		if err != nil {
			return nil, err
		}
		ids, isList := v.([]any)
		if !isList {
			return nil, errors.New(pyfmt.Str(v))
		}
		list = slices.DeleteFunc(list, func(d Device) bool { return !slices.Contains(ids, any(d.ID)) })
	} else if q != "" {
		list = slices.DeleteFunc(list, func(d Device) bool { return !strings.Contains(d.ID, q) })
	}
	if s := r.FormValue("state"); s != "" {
		list = slices.DeleteFunc(list, func(d Device) bool { return d.State != s })
	}
	return list, nil
}

// withReleases adds what is known of the devices' releases.
func (c *Console) withReleases(r *request, list []Device) ([]row, error) {
	if len(list) == 0 {
		return nil, nil
	}
	ids := make([]any, len(list))
	for i, d := range list {
		ids[i] = d.ID
	}
	m, err := c.table(r, "runner", "release.devices", "tgt", ids, "tgt_type", "list")
	rows := make([]row, len(list))
	for i, d := range list {
		rows[i] = row{d, m.Map(d.ID)}
	}
	return rows, err
}

func columns(r *request) []string {
	return strings.FieldsFunc(r.FormValue("grains"), func(c rune) bool { return c == ',' || c == ' ' })
}

func (c *Console) devices(r *request) error {
	list, err := c.find(r)
	if err != nil {
		return err
	}
	q := url.Values{"q": {r.FormValue("q")}, "state": {r.FormValue("state")}, "grains": {r.FormValue("grains")}}
	p := devicesPage{Query: q.Get("q"), State: q.Get("state"), Found: len(list), Columns: columns(r), Grains: q.Get("grains"), CSV: "devices.csv?" + q.Encode(), NoneConnected: len(c.Backend.Devices()) == 0}
	p.Of = max(1, (len(list)+pageSize-1)/pageSize)
	n, _ := strconv.Atoi(r.FormValue("page"))
	p.Page = min(max(n, 1), p.Of)
	at := func(n int) string { q.Set("page", strconv.Itoa(n)); return "devices?" + q.Encode() }
	if p.Page > 1 {
		p.Prev = at(p.Page - 1)
	}
	if p.Page < p.Of {
		p.Next = at(p.Page + 1)
	}
	p.Rows, err = c.withReleases(r, list[(p.Page-1)*pageSize:min(len(list), p.Page*pageSize)])
	if err != nil {
		return err
	}
	return c.show(r, "devices", "Devices", p)
}

// Grain is one grain of the device as text.
func (d Device) Grain(name string) string {
	if v, ok := d.Grains.Get(name); ok {
		return strings.ReplaceAll(yamlText(v), "\n", ", ")
	}
	return ""
}

func (c *Console) devicesCSV(r *request) error {
	list, err := c.find(r)
	if err != nil {
		return err
	}
	rows, err := c.withReleases(r, list)
	if err != nil {
		return err
	}
	h := r.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="devices.csv"`)
	w := csv.NewWriter(r.w)
	cols := columns(r)
	if err := w.Write(append([]string{"id", "state", "last seen", "brine", "release", "update"}, cols...)); err != nil {
		return err
	}
	for _, d := range rows {
		line := []string{d.ID, d.State, moment(d.Seen).ISO, d.Version, d.Release.String("version"), d.Release.Map("last").String("state")}
		for _, g := range cols {
			line = append(line, d.Grain(g))
		}
		for i, s := range line {
			if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
				line[i] = "'" + s // spreadsheets would take it for a formula
			}
		}
		if err := w.Write(line); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

type devicePage struct {
	row
	Runs     []*ordered.Map
	Jobs     []jobRow
	Releases []*ordered.Map
	Asked    bool // an update was queued just now: ask whether to start it
	Parts    []string
}

func (c *Console) device(r *request) error {
	id := r.PathValue("id")
	list := c.Backend.Devices()
	i := slices.IndexFunc(list, func(d Device) bool { return d.ID == id })
	if i < 0 {
		return fmt.Errorf("there is no device %q with an accepted key", id)
	}
	rows, err := c.withReleases(r, list[i:i+1])
	if err != nil {
		return err
	}
	p := devicePage{row: rows[0], Asked: r.FormValue("asked") != "", Parts: []string{"schedule"}}
	if r.user.May(Admin) {
		p.Parts = append(p.Parts, "pillar") // keys may tell secrets: the values stay where they are
	}
	if !r.user.May(Operator) {
		p.Parts = nil
	}
	if p.Runs, err = c.maps(r, "runner", "release.runs", "minion", id); err != nil {
		return err
	}
	if p.Releases, err = c.maps(r, "runner", "release.list"); err != nil {
		return err
	}
	if p.Jobs, err = c.jobRows(r, "minion", id, "limit", int64(20)); err != nil {
		return err
	}
	return c.show(r, "device", id, p)
}

// devicePart asks the device for something.
func (c *Console) devicePart(r *request) error {
	fun := map[string]string{"schedule": "schedule.list", "pillar": "pillar.ls"}[r.PathValue("part")]
	if fun == "" {
		return fmt.Errorf("a device has no part %q", r.PathValue("part"))
	}
	if fun == "pillar.ls" && !r.user.May(Admin) {
		return errors.New("pillar keys are for admins")
	}
	id := r.PathValue("id")
	m, err := c.table(r, "local", fun, "tgt", []any{id}, "tgt_type", "list", "timeout", int64(15))
	if err != nil {
		return err
	}
	v, ok := m.Get(id)
	if !ok || v == false {
		return errors.New("the device does not answer now")
	}
	return c.part(r, "device", "text", v)
}
