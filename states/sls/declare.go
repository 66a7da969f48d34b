package sls

import (
	"slices"
	"strings"

	"brine/internal/ordered"
)

// declarations brings the states of a file into the form id: {module: [function, arguments]} and says where they are
// from.
func declarations(state *ordered.Map, name, saltenv string) []string {
	var errs []string
	for _, id := range slices.Clone(state.Keys()) {
		v := state.Value(id)
		body, ok := v.(*ordered.Map)
		if !ok {
			if id == "__extend__" || id == "__exclude__" {
				continue
			}
			if s, isText := v.(string); isText && strings.Contains(s, ".") { // the short form: id: module.function
				mod, fun, _ := strings.Cut(s, ".")
				state.Set(id, ordered.Pairs("__sls__", name, "__env__", saltenv, mod, []any{fun}))
				continue
			}
			errs = append(errs, errorf("ID %s in SLS %s is not a dictionary", ordered.KeyText(id), name))
			continue
		}
		errs = append(errs, split(body, ordered.KeyText(id), name)...)
		origin(body, name, saltenv)
	}
	return errs
}

func origin(body *ordered.Map, name, saltenv string) {
	if !body.Has("__sls__") {
		body.Set("__sls__", name)
	}
	if !body.Has("__env__") {
		body.Set("__env__", saltenv)
	}
}

// split takes module.function apart.
func split(body *ordered.Map, id, name string) []string {
	var errs []string
	seen := map[string]bool{}
	for _, k := range slices.Clone(body.Keys()) {
		key := ordered.KeyText(k)
		args, ok := body.Value(k).([]any)
		if !ok || strings.HasPrefix(key, "_") {
			continue
		}
		mod, fun, dotted := strings.Cut(key, ".")
		if !dotted {
			seen[key] = true
			continue
		}
		if seen[mod] {
			errs = append(errs, errorf("ID '%s' in SLS '%s' contains multiple state declarations of the same type", id, name))
			continue
		}
		body.Delete(k)
		body.Set(mod, append(slices.Clone(args), fun))
		seen[mod] = true
	}
	return errs
}

// takeExtend keeps the extend section of a file for later, with its origin.
func takeExtend(state *ordered.Map, name, saltenv string) []string {
	v, ok := state.Get("extend")
	if !ok {
		return nil
	}
	state.Delete("extend")
	ext, ok := v.(*ordered.Map)
	if !ok {
		return []string{errorf("Extension value in SLS '%s' is not a dictionary", name)}
	}
	var errs []string
	for id, v := range ext.All() {
		body, ok := v.(*ordered.Map)
		if !ok {
			errs = append(errs, errorf("Extension name '%s' in SLS '%s' is not a dictionary", ordered.KeyText(id), name))
			continue
		}
		origin(body, name, saltenv)
		split(body, ordered.KeyText(id), name)
	}
	state.Set("__extend__", append(state.List("__extend__"), ext))
	return errs
}

// takeExclude keeps the exclude section of a file for later.
func takeExclude(state *ordered.Map, name string) []string {
	v, ok := state.Get("exclude")
	if !ok {
		return nil
	}
	state.Delete("exclude")
	exc, ok := v.([]any)
	if !ok {
		return []string{errorf("Exclude Declaration in SLS %s is not formed as a list", name)}
	}
	state.Set("__exclude__", append(state.List("__exclude__"), exc...))
	return nil
}

// Pad brings high data that did not come from a file into the same form.
func Pad(high *ordered.Map) {
	for id, v := range high.All() {
		if body, ok := v.(*ordered.Map); ok {
			split(body, ordered.KeyText(id), "")
		} else if s, ok := v.(string); ok && strings.Contains(s, ".") && !hidden(id) {
			mod, fun, _ := strings.Cut(s, ".")
			high.Set(id, ordered.Pairs(mod, []any{fun}))
		}
	}
}
