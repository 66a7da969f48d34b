package sls

import (
	"math/big"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// Compile takes high data through all stages to low chunks in the order in which they run. The texts say why it cannot be.
func Compile(high *ordered.Map) (chunks []*ordered.Map, errs []string) {
	errs = append(Extend(high), Verify(high)...)
	if len(errs) > 0 {
		return nil, errs
	}
	if errs = RequisiteIn(high); len(errs) > 0 {
		return nil, errs
	}
	Exclude(high)
	return Chunks(high), nil
}

// Chunks makes low chunks of high data: one for each state, and for each of its names.
func Chunks(high *ordered.Map) []*ordered.Map {
	var out []*ordered.Map
	for k, v := range high.All() {
		body, ok := v.(*ordered.Map)
		if !ok || hidden(k) {
			continue
		}
		for state, run := range body.All() {
			if args, ok := run.([]any); ok && !hidden(state) {
				out = append(out, chunksOf(k, state, body, args)...)
			}
		}
	}
	return order(out)
}

func chunksOf(id, state any, body *ordered.Map, args []any) []*ordered.Map {
	chunk := ordered.Pairs("state", state, "name", id)
	for _, key := range []string{"__sls__", "__env__"} {
		if body.Has(key) {
			chunk.Set(key, body.Value(key))
		}
	}
	chunk.Set("__id__", id)
	var funs []string
	var names []any
	for _, a := range args {
		switch t := a.(type) {
		case string:
			if !slices.Contains(funs, t) {
				funs = append(funs, t)
			}
		case *ordered.Map:
			names = append(names, chunkArgs(chunk, t, id, names)...)
		}
	}
	var out []*ordered.Map
	add := func(live *ordered.Map) {
		for _, f := range funs {
			live.Set("fun", f)
			out = append(out, live)
		}
	}
	if len(names) == 0 {
		add(copied(chunk))
	}
	for i, entry := range names {
		live := copied(chunk)
		if m, ok := entry.(*ordered.Map); ok {
			name, over := first(m)
			live.Set("name", name)
			more, _ := over.([]any)
			for _, o := range more {
				if one, ok := o.(*ordered.Map); ok {
					live.Update(one)
				}
			}
		} else {
			live.Set("name", entry)
		}
		live.Set("name_order", int64(i+1))
		add(live)
	}
	return out
}

// chunkArgs puts arguments into a chunk and returns the names among them that are new.
func chunkArgs(chunk, arg *ordered.Map, id any, have []any) (names []any) {
	for k, v := range arg.All() {
		switch k {
		case "names":
			list, _ := v.([]any)
			for _, n := range list {
				if !slices.ContainsFunc(append(have, names...), func(o any) bool { return ordered.Equal(o, n) }) {
					names = append(names, n)
				}
			}
		case "state": // a state is what it is
		case "name":
			if _, ok := v.(string); !ok {
				v = id
			}
			chunk.Set(k, v)
		default:
			chunk.Set(k, v)
		}
	}
	return names
}

func copied(m *ordered.Map) *ordered.Map {
	out, _ := ordered.Copy(m).(*ordered.Map)
	return out
}

// order settles the order of chunks: numbers, first and last, names within a state.
func order(chunks []*ordered.Map) []*ordered.Map {
	limit := int64(1)
	for _, c := range chunks {
		if n, ok := c.Value("order").(int64); ok && n > limit-1 && n > 0 {
			limit = n + 100
		}
	}
	for _, c := range chunks {
		v, ok := c.Get("order")
		if !ok {
			c.Set("order", limit)
			continue
		}
		n := v
		switch t := v.(type) {
		case int64, float64:
		case string:
			switch t {
			case "last":
				n = limit + 1000000
			case "first":
				n = int64(0)
			default:
				n = limit
			}
		default:
			n = limit
		}
		if nth, ok := c.Value("name_order").(int64); ok {
			n = number(n) + float64(nth)/10000
			c.Delete("name_order")
		}
		if f := number(n); f < 0 {
			if _, whole := n.(int64); whole {
				n = limit + 1000000 + n.(int64)
			} else {
				n = float64(limit+1000000) + f
			}
		}
		c.Set("order", n)
	}
	slices.SortStableFunc(chunks, func(a, b *ordered.Map) int {
		x, y := number(a.Value("order")), number(b.Value("order"))
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return strings.Compare(sortKey(a), sortKey(b))
	})
	return chunks
}

func sortKey(c *ordered.Map) string { return text(c, "state") + text(c, "name") + text(c, "fun") }

func number(v any) float64 {
	switch t := v.(type) {
	case int64:
		return float64(t)
	case float64:
		return t
	case *big.Int:
		f, _ := new(big.Float).SetInt(t).Float64()
		return f
	}
	return 0
}

// Low makes job data of chunks.
func Low(chunks []*ordered.Map) []any {
	out := make([]any, len(chunks))
	for i, c := range chunks {
		out[i] = c
	}
	return out
}

// verifyLow checks a chunk against the function that it names.
func (c *Compiler) verifyLow(low *ordered.Map) []string {
	var errs []string
	for _, key := range []string{"state", "fun", "name"} {
		if !low.Has(key) {
			errs = append(errs, errorf(`Missing "%s" data`, key))
		}
	}
	if n := low.Value("name"); pyfmt.Truth(n) {
		if _, ok := n.(string); !ok {
			in := ""
			if low.Has("__sls__") {
				in = errorf("in SLS '%s' ", text(low, "__sls__"))
			}
			errs = append(errs, errorf("ID '%s' %sis not formed as a string, but is a %s", pyfmt.Str(n), in, pyfmt.Type(n)))
		}
	}
	if len(errs) > 0 {
		return errs
	}
	full := text(low, "state") + "." + text(low, "fun")
	if text(low, "fun") == "mod_watch" {
		if f := c.States.Family(text(low, "state")); f != nil && f.Watch != nil {
			return c.selfRequire(low)
		}
	}
	_, f, err := c.States.Lookup(c.Env, full)
	if err != nil {
		if !low.Has("__sls__") {
			return []string{errorf("Specified state '%s' was not found", full)}
		}
		errs = append(errs, errorf("State '%s' was not found in SLS '%s'", full, text(low, "__sls__")))
		return append(errs, "Reason: "+c.reason(full))
	}
	for _, p := range f.Spec().Params {
		if p.Required && !low.Has(p.Name) {
			errs = append(errs, errorf("Missing parameter %s for state %s", p.Name, full))
		}
	}
	return append(errs, c.selfRequire(low)...)
}

// reason says why a state function is not there.
func (c *Compiler) reason(full string) string {
	mod, _, _ := strings.Cut(full, ".")
	f := c.States.Family(mod)
	if f != nil && f.Virtual != nil {
		if err := f.Virtual(c.Env); err != nil {
			return errorf("'%s' __virtual__ returned False: %v", mod, err)
		}
	}
	return errorf("'%s' is not available.", full)
}

// watchOrRequire makes a watch a require where the state cannot react.
func (c *Compiler) watchOrRequire(low *ordered.Map) {
	for watch, require := range map[string]string{"watch": "require", "watch_any": "require_any"} {
		if !low.Has(watch) {
			continue
		}
		if f := c.States.Family(text(low, "state")); f == nil || f.Watch == nil {
			low.Set(require, append(slices.Clone(low.List(require)), low.List(watch)...))
			low.Delete(watch)
		}
	}
}

func (c *Compiler) selfRequire(low *ordered.Map) []string {
	c.watchOrRequire(low)
	var errs []string
	for _, kind := range []string{"require", "watch"} {
		for _, r := range low.List(kind) {
			req, ok := r.(*ordered.Map)
			if !ok || req.Len() == 0 {
				continue
			}
			key, v := first(req)
			name, isText := v.(string)
			if isText && key == text(low, "state") && (glob(name, text(low, "name")) || glob(name, text(low, "__id__"))) {
				errs = append(errs, errorf("Recursive require detected in SLS %s for require %s in ID %s", text(low, "__sls__"), pyfmt.Repr(req), text(low, "__id__")))
			}
		}
	}
	return errs
}
