// Package http holds the http states: a web server answers as it should.
package http

import (
	"context"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{Name: "http", Doc: "States that ask web servers.", Funcs: []states.Func{
		states.Opaque("query", queryDoc, query),
		states.Opaque("wait_for_successful_query", waitDoc, wait),
	}}
}

type queryArgs struct {
	Name       string         `arg:"name"`
	Match      any            `arg:"match" def:"None"`
	MatchType  string         `arg:"match_type" def:"'string'"`
	Status     any            `arg:"status" def:"None"`
	StatusType string         `arg:"status_type" def:"'string'"`
	WaitFor    any            `arg:"wait_for" def:"None"`
	Kwargs     modules.Kwargs `arg:"**kwargs"`
}

const queryDoc = `Ask a web server and compare its answer.

match, match_type
    a text that the body has to hold; string or pcre
status, status_type
    the code that it has to answer; string, pcre or list
wait_for
    seconds to try again while there is an error

What else is given goes to http.query.`

const waitDoc = `Ask a web server again and again until its answer is as it should be.

wait_for, request_interval
    seconds after which it is given up; seconds between two tries

What else is given is as in http.query.`

func query(ctx context.Context, env *states.Env, in queryArgs) (*states.Result, error) {
	if in.Match == nil && in.Status == nil {
		return states.Failed("Either match text (match) or a status code (status) is required."), nil
	}
	kw := in.Kwargs.Clone()
	if !kw.Has("decode") {
		kw.Set("decode", false)
	}
	kw.Set("text", true)
	kw.Set("status", true)
	if env.Test {
		kw.Set("test", true)
	}
	fun := "http.query"
	if pyfmt.Truth(in.WaitFor) {
		fun = "http.wait_for_successful_query"
		kw.Set("wait_for", in.WaitFor)
	}
	data, err := states.Dict(env.Call(ctx, fun, modules.Args{Pos: []any{in.Name}, Kw: kw}))
	if err != nil {
		return states.Refused(err)
	}
	r := &states.Result{}
	text, err := in.compare(r, data)
	if err != nil {
		return states.Failed("%s", err), nil
	}
	if env.Test {
		r.OK = nil
		text += " (TEST MODE"
		if u := kw.Value("test_url"); u != nil {
			text += ", TEST URL WAS: " + pyfmt.Str(u)
		}
		text += ")"
	}
	r.Comment = strings.TrimSpace(text)
	r.Extra = ordered.Pairs("data", data)
	return r, nil
}

// compare sets the result by the body and by the code, and says what was found.
func (in queryArgs) compare(r *states.Result, data *ordered.Map) (string, error) {
	var said []string
	note := func(ok bool, yes, no string) {
		if !ok {
			r.OK = states.False()
			said = append(said, no)
			return
		}
		if r.OK == nil {
			r.OK = states.True()
		}
		said = append(said, yes)
	}
	if in.Match != nil {
		want, body := pyfmt.Str(in.Match), pyfmt.Str(data.Value("text"))
		word, ok := "text", strings.Contains(body, want)
		if in.MatchType == "pcre" {
			word = "pattern"
			var err error
			if ok, err = search(want, body); err != nil {
				return "", err
			}
		}
		note(ok, "Match "+word+` "`+want+`" was found.`, "Match "+word+` "`+want+`" was not found.`)
	}
	if in.Status == nil {
		return strings.Join(said, " "), nil
	}
	got, want := "", pyfmt.Str(in.Status)
	if data.Has("status") {
		got = pyfmt.Str(data.Value("status"))
	}
	switch in.StatusType {
	case "list":
		list, _ := in.Status.([]any)
		for _, s := range list {
			if pyfmt.Str(s) == got {
				note(true, "Status "+got+" was found.", "")
				return strings.Join(said, " "), nil
			}
		}
		note(false, "", "Statuses "+want+" were not found.")
	case "pcre":
		ok, err := search(want, got)
		if err != nil {
			return "", err
		}
		note(ok, `Status pattern "`+want+`" was found.`, `Status pattern "`+want+`" was not found.`)
	default:
		note(got == want, "Status "+want+" was found.", "Status "+want+" was not found.")
	}
	return strings.Join(said, " "), nil
}
