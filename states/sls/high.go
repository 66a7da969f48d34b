package sls

import (
	"fmt"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// requisites are the keywords that name other states; how Salt reads them: what stands behind each is a list.
func isRequisite(key string) bool {
	switch key {
	case "onchanges", "onchanges_any", "onfail", "onfail_all", "onfail_any", "onfail_stop", "prereq", "prerequired", "watch", "watch_any", "require", "require_any", "listen":
		return true
	}
	return false
}

// Extend applies the extensions of high data and takes them out of it.
func Extend(high *ordered.Map) []string {
	var errs []string
	exts := high.List("__extend__")
	if !high.Has("__extend__") {
		return nil
	}
	high.Delete("__extend__")
	for _, e := range exts {
		chunk, _ := e.(*ordered.Map)
		for k, v := range chunk.All() {
			body, _ := v.(*ordered.Map)
			name := ordered.KeyText(k)
			if !high.Has(k) {
				ids := findName(name, firstState(body), high)
				if len(ids) != 1 {
					env, sls := orBase(body, "__env__"), orBase(body, "__sls__")
					errs = append(errs, errorf("Cannot extend ID '%[1]s' in '%[2]s:%[3]s'. It is not part of the high state.\nThis is likely due to a missing include statement or an incorrectly typed ID.\n"+
						"Ensure that a state with an ID of '%[1]s' is available\nin environment '%[2]s' and to SLS '%[3]s'", name, env, sls))
					continue
				}
				name = ids[0].id
			}
			target, ok := high.Value(name).(*ordered.Map)
			if !ok {
				continue // the check of the high data says so
			}
			extendBody(target, body)
		}
	}
	return errs
}

func orBase(body *ordered.Map, key string) string {
	if s := body.String(key); s != "" {
		return s
	}
	return "base"
}

func firstState(body *ordered.Map) string {
	for k := range body.All() {
		if !hidden(k) {
			return ordered.KeyText(k)
		}
	}
	return ""
}

// extendBody adds the arguments of one body to another: requisites are joined, other arguments replaced.
func extendBody(target, body *ordered.Map) {
	for state, v := range body.All() {
		if hidden(state) {
			continue
		}
		run, ok := v.([]any)
		if !ok {
			continue
		}
		have, ok := target.Value(state).([]any)
		if !ok {
			target.Set(state, run)
			continue
		}
		have = append([]any{}, have...)
		for _, arg := range run {
			have = extendArg(have, arg)
		}
		target.Set(state, have)
	}
}

func extendArg(have []any, arg any) []any {
	update := false
	for i, val := range have {
		switch a := arg.(type) {
		case string:
			if _, isFun := val.(string); isFun {
				have[i] = a
				update = true
			}
		case *ordered.Map:
			one, ok := val.(*ordered.Map)
			if !ok || a.Len() == 0 || one.Len() == 0 {
				continue
			}
			key, add := first(a)
			old, was := first(one)
			if key == old {
				more, isList := add.([]any)
				prior, wasList := was.([]any)
				if isRequisite(key) && isList && wasList {
					have[i] = ordered.Pairs(key, append(append([]any{}, prior...), more...))
				} else {
					have[i] = a
				}
				update = true
			}
			if key == "name" && old == "names" {
				have[i] = a
			}
		}
	}
	if !update {
		have = append(have, arg)
	}
	return have
}

// found is a state that a name means.
type found struct{ id, state string }

// findName finds the ids whose state of a type has a name: the id itself, else those with that name argument, or all of
// an SLS.
func findName(name, state string, high *ordered.Map) []found {
	if high.Has(name) {
		return []found{{name, state}}
	}
	if state == "sls" {
		return findSLS(name, high)
	}
	var out []found
	for k, v := range high.All() {
		body, ok := v.(*ordered.Map)
		if !ok || hidden(k) {
			continue
		}
		for _, a := range body.List(state) {
			if m, ok := a.(*ordered.Map); ok && m.Len() == 1 && m.Value("name") == name {
				out = append(out, found{ordered.KeyText(k), state})
			}
		}
	}
	return out
}

// findSLS finds all states of an SLS.
func findSLS(sls string, high *ordered.Map) []found {
	var out []found
	for k, v := range high.All() {
		body, ok := v.(*ordered.Map)
		if !ok || hidden(k) {
			continue
		}
		if body.String("__sls__") != sls {
			continue
		}
		if st := firstState(body); st != "" {
			out = append(out, found{ordered.KeyText(k), st})
		}
	}
	return out
}

// Verify checks the shape of high data. The texts are Salt's.
func Verify(high *ordered.Map) []string {
	v := &verifier{seen: map[string]map[string]string{}}
	for k, b := range high.All() {
		if hidden(k) {
			continue
		}
		body, ok := b.(*ordered.Map)
		id, isText := k.(string)
		if !isText {
			v.add("ID '%s' in SLS '%s' is not formed as a string, but is a %s. It may need to be quoted.", pyfmt.Str(k), text(body, "__sls__"), pyfmt.Type(k))
			id = pyfmt.Str(k)
		}
		if !ok {
			v.add("The type %s in %s is not formatted as a dictionary", id, pyfmt.Str(b))
			continue
		}
		for state, run := range body.All() {
			if !hidden(state) {
				v.state(id, ordered.KeyText(state), run, text(body, "__sls__"))
			}
		}
	}
	return v.errs
}

type verifier struct {
	errs []string
	// seen holds, by id, what it requires: name to type, and under "state" its own type.
	seen map[string]map[string]string
}

func (v *verifier) add(format string, a ...any) { v.errs = append(v.errs, fmt.Sprintf(format, a...)) }

func (v *verifier) state(id, state string, run any, sls string) {
	if run == nil {
		v.add("ID '%s' in SLS '%s' contains a short declaration (%s) with a trailing colon. When not passing any arguments to a state, the colon must be omitted.", id, sls, state)
		return
	}
	args, ok := run.([]any)
	if !ok {
		v.add("State '%s' in SLS '%s' is not formed as a list", id, sls)
		return
	}
	funs := 0
	if strings.Contains(state, ".") {
		funs++
	}
	for _, a := range args {
		switch t := a.(type) {
		case string:
			funs++
			if strings.Contains(strings.TrimSpace(t), " ") {
				v.add(`The function "%s" in state "%s" in SLS "%s" has whitespace, a function with whitespace is not supported, perhaps this is an argument that is missing a ":"`, t, id, sls)
			}
		case *ordered.Map:
			v.argument(id, state, t, sls)
		}
	}
	switch {
	case funs == 0 && state != "require" && state != "watch":
		v.add("No function declared in state '%s' in SLS '%s'", state, sls)
	case funs > 1:
		v.add("Too many functions declared in state '%s' in SLS '%s'", state, sls)
	}
}

func (v *verifier) argument(id, state string, arg *ordered.Map, sls string) {
	if arg.Len() == 0 {
		return
	}
	key, value := first(arg)
	reqs, isList := value.([]any)
	switch key {
	case "names":
		if !isList {
			v.add("The 'names' argument in state '%s' in SLS '%s' needs to be formed as a list", id, sls)
		}
	case "require", "watch", "prereq", "onchanges":
		if !isList {
			v.add("The %s statement in state '%s' in SLS '%s' needs to be formed as a list", key, id, sls)
			break
		}
		mine := map[string]string{"state": state}
		v.seen[id] = mine
		for _, r := range reqs {
			v.requisite(id, state, r, sls, mine)
		}
	}
	if arg.Len() != 1 {
		v.add("Multiple dictionaries defined in argument of state '%s' in SLS '%s'", id, sls)
	}
}

func (v *verifier) requisite(id, state string, r any, sls string, mine map[string]string) {
	if s, ok := r.(string); ok {
		r = ordered.Pairs("id", s)
	}
	req, ok := r.(*ordered.Map)
	if !ok || req.Len() == 0 {
		v.add("Requisite declaration %s in SLS %s is not formed as a single key dictionary", pyfmt.Str(r), sls)
		return
	}
	key, value := first(req)
	if kind, _, dotted := strings.Cut(key, "."); dotted {
		v.add("Invalid requisite type '%s' in state '%s', in SLS '%s'. Requisite types must not contain dots, did you mean '%s'?", key, id, sls, kind)
	}
	switch value.(type) {
	case []any, *ordered.Map:
		v.add("Illegal requisite \"%s\", please check your syntax.\n", pyfmt.Str(value))
		return
	}
	name := pyfmt.Str(value)
	mine[name] = key
	if theirs := v.seen[name]; theirs != nil && theirs[id] == state && theirs["state"] == mine[name] {
		v.add(`A recursive requisite was found, SLS "%s" ID "%s" ID "%s"`, sls, id, name)
	}
}
