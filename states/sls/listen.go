package sls

import (
	"context"
	"slices"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// listener is a state that reacts at the end of the run.
type listener struct {
	state, id string
	name      any // nil: any state of that id or name
	to        []any
}

// listen runs mod_watch of the states that listen to others that have changed.
func (r *runner) listen(ctx context.Context, chunks []*ordered.Map, results *ordered.Map) error {
	var all []listener
	for _, c := range chunks {
		if l, ok := c.Value("listen").([]any); ok {
			all = append(all, listener{text(c, "state"), text(c, "__id__"), c.Value("name"), l})
		}
		for _, in := range c.List("listen_in") {
			m, _ := in.(*ordered.Map)
			for k, v := range m.All() {
				all = append(all, listener{ordered.KeyText(k), pyfmt.Str(v), nil, []any{ordered.Pairs(c.Value("state"), c.Value("__id__"))}})
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	var watchers []*ordered.Map
	lost := ordered.New(0)
	for _, l := range all {
		for _, to := range l.to {
			watchers = append(watchers, listened(chunks, results, l, to, lost)...)
		}
	}
	more, err := r.all(ctx, watchers, "")
	if err != nil {
		return err
	}
	results.Update(more)
	for k, v := range lost.All() {
		res, _ := v.(*ordered.Map)
		res.Set("__run_num__", r.next())
		results.Set(k, res)
	}
	return nil
}

// means tells whether a state and a name mean a chunk.
func means(c *ordered.Map, state, name string) bool {
	return text(c, "state") == state && (text(c, "__id__") == name || text(c, "name") == name || text(c, "state") == name)
}

// listened makes the chunks that react to one entry of a listen.
func listened(chunks []*ordered.Map, results *ordered.Map, l listener, to any, lost *ordered.Map) (out []*ordered.Map) {
	m, ok := to.(*ordered.Map)
	if !ok {
		name := pyfmt.Str(to)
		for _, c := range chunks {
			if text(c, "__id__") == name || text(c, "name") == name || text(c, "sls") == name {
				m = ordered.Pairs(c.Value("state"), c.Value("__id__"))
			}
		}
	}
	for k, v := range m.All() {
		state, name := ordered.KeyText(k), pyfmt.Str(v)
		heard := func(c *ordered.Map) bool { return means(c, state, name) }
		if !slices.ContainsFunc(chunks, heard) {
			missing(lost, state, name)
			continue
		}
		for _, c := range chunks {
			res, _ := results.Value(tag(c)).(*ordered.Map)
			if !heard(c) || !pyfmt.Truth(res.Value("changes")) {
				continue
			}
			found := false
			for _, own := range chunks {
				if !means(own, l.state, l.id) {
					continue
				}
				found = true
				out = append(out, watcher(own))
			}
			if !found {
				missing(lost, l.state, l.id)
			}
		}
	}
	return out
}

func missing(lost *ordered.Map, state, name string) {
	key := "Listen_Error_|-listen_" + name + "_|-listen_" + state + "_|-Listen_Error"
	lost.Set(key, ordered.Pairs("comment", errorf("Referenced state %s: %s does not exist", state, name), "name", errorf("listen_%s:%s", state, name), "result", false, "changes", ordered.New(0)))
}

// watcher is the chunk that reacts: the state's own, as mod_watch and without requisites.
func watcher(c *ordered.Map) *ordered.Map {
	low := copied(c)
	low.Set("sfun", c.Value("fun"))
	low.Set("fun", "mod_watch")
	low.Set("__id__", "listener_"+text(c, "__id__"))
	for _, k := range slices.Clone(low.Keys()) {
		if isRequisite(ordered.KeyText(k)) {
			low.Delete(k)
		}
	}
	return low
}
