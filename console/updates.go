package console

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

type updatesPage struct {
	Target   string
	Rows     []row
	More     int // devices that are not shown
	Releases []*ordered.Map
	Runs     []*ordered.Map
	Summary  *ordered.Map
	Asked    bool
}

func (c *Console) updates(r *request) (err error) {
	p := updatesPage{Target: cmp.Or(r.FormValue("q"), "*"), Asked: r.FormValue("asked") != ""}
	list, err := c.find(r)
	if err != nil {
		return err
	}
	if len(list) > pageSize {
		list, p.More = list[:pageSize], len(list)-pageSize
	}
	if p.Rows, err = c.withReleases(r, list); err != nil {
		return err
	}
	if p.Releases, err = c.maps(r, "runner", "release.list"); err != nil {
		return err
	}
	if p.Runs, err = c.maps(r, "runner", "release.runs", "limit", int64(pageSize)); err != nil {
		return err
	}
	if p.Summary, err = c.table(r, "runner", "release.summary"); err != nil {
		return err
	}
	return c.show(r, "updates", "Software updates", p)
}

// update asks devices to update themselves now; the answer is not waited for.
func (c *Console) update(r *request, tgt, tgtType any, option string) error {
	m, err := c.table(r, "local_async", "minionutil.update_release", "tgt", tgt, "tgt_type", tgtType, "kwarg", ordered.Pairs(option, true))
	if err == nil && m.String("jid") == "" {
		err = fmt.Errorf("no device matches %q", pyfmt.Str(tgt))
	}
	return err
}

// changeUpdates does what the buttons of the update pages say. The target is one device (id) or an expression (tgt).
func (c *Console) changeUpdates(r *request) error {
	tgt, tgtType, to := any(r.PostFormValue("tgt")), "compound", "updates?"
	if id := r.PostFormValue("id"); id != "" {
		tgt, tgtType, to = []any{id}, "list", "devices/"+url.PathEscape(id)+"?"
	} else if t := r.PostFormValue("tgt"); strings.ContainsAny(t, "*?@ []()") {
		to += "q=" + url.QueryEscape(t) + "&"
	}
	runner := func(fun string, kv ...any) error {
		v, err := c.low(r, "runner", fun, append([]any{"tgt", tgt, "tgt_type", tgtType}, kv...)...)
		if text, ok := v.(string); ok && err == nil {
			err = fmt.Errorf("%s", text[max(0, strings.Index(text, ": ")+2):])
		}
		return err
	}
	var err error
	said := ""
	switch action := r.PostFormValue("action"); action {
	case "queue":
		kv := []any{}
		if rel := r.PostFormValue("release"); rel != "" {
			kv = append(kv, "release", rel)
		}
		if when := r.PostFormValue("when"); when != "" {
			kv = append(kv, "when", when)
		}
		err, to = runner("release.queue", kv...), to+"asked=1"
		said = "The update is queued."
	case "cancel":
		err, said = runner("release.cancel"), "The queued update is taken back."
	case "policy":
		err, said = runner("release.policy", "automatic", r.PostFormValue("automatic")), "Automatic updates are set."
	case "now":
		err, said = c.update(r, tgt, tgtType, "demand"), "The update starts now."
	case "force":
		err, said = c.update(r, tgt, tgtType, "force"), "The update is forced and starts now."
	case "reset":
		err, said = c.update(r, tgt, tgtType, "reset_attempts"), "The attempts are counted from zero again."
	default:
		err = fmt.Errorf("there is no action %q", action)
	}
	if err != nil {
		return err
	}
	return c.back(r, strings.TrimRight(to, "?&"), said)
}

type runPage struct {
	Run   *ordered.Map
	Steps []step
}

// step is a part of a run: the update itself, its health checks, the way back.
type step struct {
	Title  string
	Groups []group
	Text   any // what came in the place of results
}

func (c *Console) run(r *request) error {
	m, err := c.table(r, "runner", "release.run", "name", r.PathValue("run"))
	if err != nil {
		return err
	}
	p := runPage{Run: m}
	for _, s := range []struct{ key, title string }{{"highstate", "Update"}, {"health", "Health check"}, {"rollback", "Rollback"}} {
		v := m.Value(s.key)
		if v == nil {
			continue
		}
		one := step{Title: s.title}
		if list, ok := results(v); ok {
			one.Groups = groups(list)
		} else {
			one.Text = v
		}
		p.Steps = append(p.Steps, one)
	}
	return c.show(r, "run", "Update of "+m.String("minion"), p)
}
