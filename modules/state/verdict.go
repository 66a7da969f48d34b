package state

import (
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// Good tells whether a run went well: every state did, or what failed was caught by a state of the tree with onfail and
// onfail_stop: False, which went well itself. high is the tree, nil when there is none.
func Good(results, high *ordered.Map) bool {
	for tag, v := range results.All() {
		res, ok := v.(*ordered.Map)
		if !ok {
			return false
		}
		if res.Value("result") == false && !caught(ordered.KeyText(tag), results, high) {
			return false
		}
	}
	return true
}

// caught tells whether all states that take over from a failed one went well.
func caught(tag string, results, high *ordered.Map) bool {
	parts := strings.Split(tag, "_|-")
	if len(parts) != 4 {
		return false
	}
	found := false
	for id, v := range high.All() {
		body, _ := v.(*ordered.Map)
		for mod, run := range body.All() {
			args, _ := run.([]any)
			if !catches(args, parts) {
				continue
			}
			for t, r := range results.All() {
				p := strings.Split(ordered.KeyText(t), "_|-")
				res, _ := r.(*ordered.Map)
				if len(p) == 4 && p[0] == ordered.KeyText(mod) && p[1] == ordered.KeyText(id) {
					if res.Value("result") != true {
						return false
					}
					found = true
				}
			}
		}
	}
	return found
}

// catches tells whether a state has onfail on another and says that the run may go on as good.
func catches(args []any, failed []string) bool {
	stop, on := true, false
	for _, a := range args {
		m, _ := a.(*ordered.Map)
		if v, ok := m.Get("onfail_stop"); ok {
			stop = pyfmt.Truth(v)
		}
		for _, r := range m.List("onfail") {
			req, ok := r.(*ordered.Map)
			if !ok {
				on = on || pyfmt.Str(r) == failed[1] || pyfmt.Str(r) == failed[2]
				continue
			}
			for k, v := range req.All() {
				on = on || ordered.KeyText(k) == failed[0] && (pyfmt.Str(v) == failed[1] || pyfmt.Str(v) == failed[2])
			}
		}
	}
	return on && !stop
}
