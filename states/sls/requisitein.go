package sls

import (
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// RequisiteIn turns the requisites that stand at the wrong end (require_in and the like), and use and prereq, into
// extensions of the states that they are about, and applies those.
func RequisiteIn(high *ordered.Map) []string {
	r := &reqIn{high: high, extend: ordered.New(0)}
	for k, v := range high.All() {
		body, ok := v.(*ordered.Map)
		if !ok {
			continue
		}
		for state, run := range body.All() {
			args, ok := run.([]any)
			if !ok || hidden(state) {
				continue
			}
			for _, a := range args {
				if arg, ok := a.(*ordered.Map); ok && arg.Len() > 0 {
					key, items := first(arg)
					r.argument(source{ordered.KeyText(k), ordered.KeyText(state), body}, key, items)
				}
			}
		}
	}
	var exts []any
	for k, v := range r.extend.All() {
		one := ordered.New(1)
		one.Set(k, v)
		exts = append(exts, one)
	}
	high.Set("__extend__", exts)
	return append(r.errs, Extend(high)...)
}

// source is the state that a requisite stands in.
type source struct {
	id, state string
	body      *ordered.Map
}

type reqIn struct {
	high   *ordered.Map
	extend *ordered.Map
	errs   []string
}

func (r *reqIn) argument(from source, key string, items any) {
	switch key {
	case "require_in", "watch_in", "onfail_in", "onchanges_in", "use", "use_in", "prereq", "prereq_in":
	default:
		return
	}
	switch t := items.(type) {
	case *ordered.Map:
		for k, name := range t.All() {
			r.add(from, strings.SplitN(key, "_", 2)[0], r.plain(from, key, ordered.KeyText(k), pyfmt.Str(name)), pyfmt.Str(name))
		}
	case []any:
		for _, item := range t {
			r.item(from, key, item)
		}
	}
}

// plain refuses a type with a dot in it, and goes on with what it must have meant.
func (r *reqIn) plain(from source, key, state, name string) string {
	mod, _, dotted := strings.Cut(state, ".")
	if dotted {
		r.errs = append(r.errs, errorf("Invalid requisite in %s: %s for %s, in SLS '%s'. Requisites must not contain dots, did you mean '%s'?",
			strings.SplitN(key, "_", 2)[0], state, name, text(from.body, "__sls__"), mod))
	}
	return mod
}

func (r *reqIn) item(from source, key string, item any) {
	req, ok := item.(*ordered.Map)
	if !ok {
		if req = r.byName(pyfmt.Str(item)); req == nil {
			return
		}
	}
	if req.Len() == 0 {
		return
	}
	state, value := first(req)
	name := pyfmt.Str(value)
	hinges := []found{{name, state}}
	if state == "sls" {
		hinges = findSLS(name, r.high)
	}
	plain := r.plain(from, key, state, name)
	for _, h := range hinges {
		if h.state == state {
			h.state = plain
		}
		r.hinge(from, key, h)
	}
}

// byName finds the state that a requisite without a type means.
func (r *reqIn) byName(name string) *ordered.Map {
	if body, ok := r.high.Value(name).(*ordered.Map); ok {
		if st := firstState(body); st != "" {
			return ordered.Pairs(st, name)
		}
		return nil
	}
	for k, v := range r.high.All() {
		body, ok := v.(*ordered.Map)
		if !ok || hidden(k) {
			continue
		}
		for state, run := range body.All() {
			args, _ := run.([]any)
			for _, a := range args {
				if m, ok := a.(*ordered.Map); ok && m.Value("name") == name && !hidden(state) {
					return ordered.Pairs(state, k)
				}
			}
		}
	}
	return nil
}

// hinge applies one requisite to one state.
func (r *reqIn) hinge(from source, key string, h found) {
	switch key {
	case "prereq_in":
		r.append(from.id, from.state, ordered.Pairs("prerequired", []any{ordered.Pairs(h.state, h.id)}))
		r.add(from, "prereq", h.state, h.id)
	case "prereq":
		for _, t := range findName(h.id, h.state, r.high) {
			r.append(t.id, t.state, ordered.Pairs("prerequired", []any{ordered.Pairs(from.state, from.id)}))
		}
	case "use_in":
		for _, t := range findName(h.id, h.state, r.high) {
			r.use(t, from.id, from.state)
		}
	case "use":
		for _, t := range findName(h.id, h.state, r.high) {
			r.use(found{from.id, from.state}, t.id, t.state)
		}
	default:
		r.add(from, strings.SplitN(key, "_", 2)[0], h.state, h.id)
	}
}

// use gives a state the arguments of another that it has not itself.
func (r *reqIn) use(to found, id, state string) {
	ignore := argNames(to.id, to.state, r.high)
	body, _ := r.high.Value(id).(*ordered.Map)
	for _, a := range body.List(state) {
		m, ok := a.(*ordered.Map)
		if !ok || m.Len() != 1 {
			continue
		}
		switch key, _ := first(m); {
		case slices.Contains(ignore, key), key == "name", key == "names":
		case strings.HasSuffix(key, "_in") && isRequisite(strings.TrimSuffix(key, "_in")), key == "use", key == "prereq", key == "require", key == "watch",
			key == "onfail", key == "onfail_stop", key == "onchanges":
		default:
			r.append(to.id, to.state, a)
		}
	}
}

func argNames(id, state string, high *ordered.Map) []string {
	var out []string
	body, _ := high.Value(id).(*ordered.Map)
	for _, a := range body.List(state) {
		if m, ok := a.(*ordered.Map); ok && m.Len() == 1 {
			key, _ := first(m)
			out = append(out, key)
		}
	}
	return out
}

// add extends the state name of a type by the requisite key on the state that it came from.
func (r *reqIn) add(from source, key, state, name string) {
	body := r.body(name)
	body.Set("__env__", from.body.Value("__env__"))
	body.Set("__sls__", from.body.Value("__sls__"))
	entry := ordered.Pairs(from.state, from.id)
	list := body.List(state)
	for i, a := range list {
		m, _ := a.(*ordered.Map)
		if k, v := first(m); k == key {
			have, _ := v.([]any)
			list[i] = ordered.Pairs(key, append(have, entry))
			body.Set(state, list)
			return
		}
	}
	body.Set(state, append(list, ordered.Pairs(key, []any{entry})))
}

func (r *reqIn) append(id, state string, arg any) {
	body := r.body(id)
	body.Set(state, append(body.List(state), arg))
}

func (r *reqIn) body(id string) *ordered.Map {
	body, ok := r.extend.Value(id).(*ordered.Map)
	if !ok {
		body = ordered.New(3)
		r.extend.Set(id, body)
	}
	return body
}

// Exclude takes out what the exclude sections name: whole SLS files, or ids.
func Exclude(high *ordered.Map) {
	list, ok := high.Get("__exclude__")
	if !ok {
		return
	}
	high.Delete("__exclude__")
	entries, _ := list.([]any)
	var files []string
	for _, e := range entries {
		switch t := e.(type) {
		case string:
			files = append(files, t)
		case *ordered.Map:
			switch key, v := first(t); {
			case t.Len() != 1:
			case key == "sls":
				files = append(files, pyfmt.Str(v))
			case key == "id":
				high.Delete(v)
			}
		}
	}
	for _, id := range slices.Clone(high.Keys()) {
		body, ok := high.Value(id).(*ordered.Map)
		if !ok || hidden(id) {
			continue
		}
		from := body.String("__sls__")
		if from != "" && slices.ContainsFunc(files, func(pattern string) bool { return glob(pattern, from) }) {
			high.Delete(id)
		}
	}
}
