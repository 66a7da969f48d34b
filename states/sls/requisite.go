package sls

import (
	"fmt"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// status is what the requisites of a chunk say about it.
type status string

const (
	met       status = "met"
	unmet     status = "unmet"
	fail      status = "fail"
	change    status = "change"
	pre       status = "pre"
	onfail    status = "onfail"
	onchanges status = "onchanges"
	skipReq   status = "skip_req"
)

// kinds are the requisites in the order in which they are looked at.
func kinds() []string {
	return []string{"require", "require_any", "watch", "watch_any", "prereq", "onfail", "onfail_any", "onfail_all", "onchanges", "onchanges_any", "prerequired"}
}

// trim reads one entry of a requisite: a type and a name; a bare name is of any type.
func trim(req any) (key string, value any) {
	if s, ok := req.(string); ok {
		return "id", s
	}
	m, _ := req.(*ordered.Map)
	key, value = first(m)
	key, _, _ = strings.Cut(key, ".")
	return key, value
}

// matches tells whether a chunk is one that a requisite names.
func matches(key, name string, chunk *ordered.Map) bool {
	if key == "sls" {
		return glob(name, text(chunk, "__sls__"))
	}
	return (key == "id" || text(chunk, "state") == key) && (glob(name, text(chunk, "name")) || glob(name, text(chunk, "__id__")))
}

// requisites finds what a chunk requires and what has become of it. withPre includes prerequired.
func (r *runner) requisites(low *ordered.Map, withPre bool) (status, map[string][]*ordered.Map, error) {
	r.watchOrRequire(low)
	reqs := map[string][]*ordered.Map{}
	present := false
	for _, kind := range kinds() {
		if kind == "prerequired" && !withPre {
			continue
		}
		v, ok := low.Get(kind)
		if !ok || v == nil {
			continue
		}
		present = true
		entries, _ := v.([]any)
		for _, e := range entries {
			key, value := trim(e)
			if value == nil {
				return unmet, nil, nil
			}
			name, ok := value.(string)
			if !ok {
				if _, scalar := value.(int64); !scalar {
					return "", nil, fmt.Errorf("Could not locate requisite of [%s] present in state with name [%s]", key, text(low, "name"))
				}
				name = pyfmt.Str(value)
			}
			n := len(reqs[kind])
			for _, c := range r.chunks {
				if matches(key, name, c) {
					reqs[kind] = append(reqs[kind], c)
				}
			}
			if len(reqs[kind]) == n {
				return unmet, nil, nil
			}
		}
	}
	if !present {
		return met, nil, nil
	}
	return r.judge(reqs), reqs, nil
}

// stats is a set of what was found.
type stats map[string]bool

// judge reads the results of the requisites.
func (r *runner) judge(reqs map[string][]*ordered.Map) status {
	all := stats{}
	for _, kind := range kinds() {
		if len(reqs[kind]) == 0 {
			continue
		}
		one := stats{}
		for _, c := range reqs[kind] {
			r.await(tag(c))
			r.one(kind, tag(c), one)
		}
		one.settle(kind)
		for k := range one {
			all[k] = true
		}
	}
	switch {
	case all["unmet"]:
		return unmet
	case all["fail"]:
		return fail
	case all["skip_req"] && (all["onchangesmet"] || all["premet"]):
		return skipReq
	case all["pre"] && all["premet"]:
		return met
	case all["pre"]:
		return pre
	case all["onfail"] && !all["onchangesmet"]:
		return onfail
	case all["onchanges"] && !all["onchangesmet"]:
		return onchanges
	case all["change"]:
		return change
	}
	return met
}

// one adds what one requisite says.
func (r *runner) one(kind, t string, out stats) {
	var res *ordered.Map
	if kind == "prereq" {
		res = r.pre[t]
	} else {
		res, _ = r.running.Value(t).(*ordered.Map)
	}
	if res == nil {
		out["unmet"] = true
		return
	}
	result, changed := res.Value("result"), pyfmt.Truth(res.Value("changes"))
	if pyfmt.Truth(res.Value("skip_req")) {
		out["skip_req"] = true
		return
	}
	if strings.HasPrefix(kind, "onfail") {
		if result == true {
			out["onfail"] = true
			return
		}
	} else if result == false {
		out["fail"] = true
		return
	}
	switch {
	case strings.HasPrefix(kind, "onchanges") && changed:
		out["onchangesmet"] = true
	case strings.HasPrefix(kind, "onchanges"):
		out["onchanges"] = true
	case strings.HasPrefix(kind, "watch") && changed:
		out["change"] = true
	case kind == "prereq" && result == nil:
		out["premet"] = true
	case kind == "prereq":
		out["pre"] = true
	default:
		if ran, ok := res.Get("__state_ran__"); !ok || pyfmt.Truth(ran) {
			out["met"] = true
		}
	}
}

// settle weighs what the entries of one requisite say against each other: for any, for all.
func (s stats) settle(kind string) {
	if strings.HasSuffix(kind, "_any") || kind == "onfail" {
		if s["met"] || s["change"] {
			delete(s, "fail")
		}
		if s["onchangesmet"] {
			delete(s, "onchanges")
			delete(s, "fail")
		}
		if s["onfail"] && s["met"] { // met means here that one has failed
			delete(s, "onfail")
		}
	}
	if strings.HasSuffix(kind, "_all") && s["onfail"] {
		delete(s, "met")
	}
}

// find lists the chunks that a chunk requires, and says what is not there.
func (r *runner) find(low *ordered.Map) (reqs []*ordered.Map, lost string) {
	pre := !pyfmt.Truth(low.Value("__prereq__"))
	for _, kind := range kinds() {
		if kind == "prerequired" && !pre {
			continue
		}
		missing := ""
		for _, e := range low.List(kind) {
			key, value := trim(e)
			n := len(reqs)
			for _, c := range r.chunks {
				name, ok := value.(string)
				if !ok || !matches(key, name, c) {
					continue
				}
				switch kind {
				case "prereq":
					c.Set("__prereq__", true)
				case "prerequired":
					if key != "sls" {
						c.Set("__prerequired__", true)
					}
				}
				reqs = append(reqs, c)
			}
			if len(reqs) == n {
				missing += errorf("%s%s: %s\n", strings.Repeat(" ", 23), key, pyfmt.Str(value))
			}
		}
		if missing != "" {
			lost += errorf("%s%s:\n%s", strings.Repeat(" ", 19), kind, missing)
		}
	}
	if lost != "" {
		lost = "The following requisites were not found:\n" + lost
	}
	return reqs, lost
}
