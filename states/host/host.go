// Package host holds the host.* states: names of addresses in /etc/hosts. Comments and changes are Salt's:
// https://docs.saltproject.io/en/3006/ref/states/all/salt.states.host.html.
package host

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{Name: "host", Doc: "States for the file of host names.", Funcs: []states.Func{
		states.Fn("present", "See that a host has its addresses; with clean=True no others.", lookPresent, func(ctx context.Context, env *states.Env, _ presentArgs, p *plan) (*states.Result, error) {
			return p.run(ctx, env)
		}),
		states.Fn("absent", "Take a host away from addresses.", lookAbsent, absent),
		states.Fn("only", "Give an address these names and no others.", lookOnly, only),
	}}
}

type presentArgs struct {
	Name    string `arg:"name"`
	IP      []any  `arg:"ip"`
	Comment string `arg:"comment" def:"''"`
	Clean   bool   `arg:"clean" def:"False"`
}

// plan is what present is to add and to remove, by address.
type plan struct {
	name, note       string
	add, remove, set []string
	comments         []string
	warnings         []string
	failed           bool
}

func lookPresent(ctx context.Context, env *states.Env, in presentArgs) (states.Check[*plan], error) {
	all, err := states.Dict(env.Call(ctx, "hosts.list_hosts", modules.Args{}))
	if err != nil {
		return states.Check[*plan]{}, err
	}
	p := &plan{name: in.Name, note: in.Comment}
	var wish []string
	for _, ip := range in.IP {
		s := pyfmt.Str(ip)
		wish = append(wish, s)
		if !all.Has(s) && !slices.Contains(p.add, s) {
			p.add = append(p.add, s)
			if in.Comment != "" {
				p.set = append(p.set, s)
			}
		}
	}
	for k, v := range all.All() {
		ip := pyfmt.Str(k)
		e, ok := v.(*ordered.Map)
		if !ok {
			continue
		}
		has := slices.Contains(e.List("aliases"), any(in.Name))
		if slices.Contains(wish, ip) && in.Comment != "" && e.String("comment") != in.Comment {
			p.set = append(p.set, ip)
		}
		switch {
		case !slices.Contains(wish, ip) && has && in.Clean:
			p.remove = append(p.remove, ip)
		case !slices.Contains(wish, ip) && has:
			p.warnings = append(p.warnings, "Host "+in.Name+" present for IP address "+ip+". To get rid of this warning, either run this state with 'clean' set to True to remove "+
				in.Name+" from "+ip+", or add "+ip+" to the 'ip' argument.")
		case !slices.Contains(wish, ip):
		case has:
			p.comments = append(p.comments, "Host "+in.Name+" ("+ip+") already present")
		default:
			if _, err := netip.ParseAddr(ip); err != nil {
				p.failed = true
				p.comments = append(p.comments, "Invalid IP Address for "+in.Name+" ("+ip+")")
			} else {
				p.add = append(p.add, ip)
			}
		}
	}
	if env.Test || len(p.add)+len(p.remove)+len(p.set) == 0 {
		return p.predict(), nil
	}
	return states.Check[*plan]{Plan: p}, nil
}

func (p *plan) said(verb, ip string) { p.comments = append(p.comments, verb+" "+p.name+" ("+ip+")") }

func noted(changes *ordered.Map, what, ip, name string) {
	if !changes.Has(what) {
		changes.Set(what, ordered.New(1))
	}
	m := changes.Map(what)
	m.Set(ip, append(m.List(ip), name))
}

func (p *plan) result(changes *ordered.Map) *states.Result {
	ok := !p.failed
	return &states.Result{OK: &ok, Comment: strings.Join(p.comments, "\n"), Changes: changes, Warnings: p.warnings}
}

func (p *plan) predict() states.Check[*plan] {
	changes := ordered.New(2)
	for _, ip := range p.add {
		p.comments = append(p.comments, "Host "+p.name+" ("+ip+") would be added")
		noted(changes, "added", ip, p.name)
	}
	for _, ip := range p.set {
		p.comments = append(p.comments, "Comment for "+ip+" ("+p.note+") would be added")
		noted(changes, "comment_added", ip, p.note)
	}
	for _, ip := range p.remove {
		p.comments = append(p.comments, "Host "+p.name+" ("+ip+") would be removed")
		noted(changes, "removed", ip, p.name)
	}
	r := p.result(changes)
	if changes.Len() == 0 {
		return states.Done[*plan](r)
	}
	r.OK = nil
	return states.Check[*plan]{Would: r}
}

func (p *plan) run(ctx context.Context, env *states.Env) (*states.Result, error) {
	changes := ordered.New(2)
	each := func(list []string, fun, what, done, failed string) error {
		for _, ip := range list {
			ok, err := states.Truth(env.Call(ctx, "hosts."+fun, modules.Pos(ip, p.name)))
			if err != nil {
				return err
			}
			if !ok {
				p.failed = true
				p.said(failed, ip)
				continue
			}
			p.said(done, ip)
			noted(changes, what, ip, p.name)
		}
		return nil
	}
	if err := each(p.add, "add_host", "added", "Added host", "Failed to add host"); err != nil {
		return nil, err
	}
	for _, ip := range p.set {
		ok, err := states.Truth(env.Call(ctx, "hosts.set_comment", modules.Pos(ip, p.note)))
		if err != nil {
			return nil, err
		}
		if !ok {
			p.failed = true
			p.comments = append(p.comments, "Failed to add comment for "+ip+" ("+p.note+")")
			continue
		}
		p.comments = append(p.comments, "Set comment for host "+ip+" ("+p.note+")")
		noted(changes, "comment_added", ip, p.note)
	}
	if err := each(p.remove, "rm_host", "removed", "Removed host", "Failed to remove host"); err != nil {
		return nil, err
	}
	return p.result(changes), nil
}

type absentArgs struct {
	Name string `arg:"name"`
	IP   []any  `arg:"ip"`
}

func lookAbsent(ctx context.Context, env *states.Env, in absentArgs) (states.Check[[]any], error) {
	var there []any
	var comments []string
	for _, ip := range in.IP {
		has, err := states.Truth(env.Call(ctx, "hosts.has_pair", modules.Pos(ip, in.Name)))
		if err != nil {
			return states.Check[[]any]{}, err
		}
		if has {
			there = append(there, ip)
			comments = append(comments, "Host "+in.Name+" ("+pyfmt.Str(ip)+") needs to be removed")
		} else {
			comments = append(comments, "Host "+in.Name+" ("+pyfmt.Str(ip)+") already absent")
		}
	}
	if len(there) == 0 {
		return states.Done[[]any](states.Fine(strings.Join(comments, "\n"))), nil
	}
	return states.Change(there, strings.Join(comments, "\n"), nil), nil
}

func absent(ctx context.Context, env *states.Env, in absentArgs, there []any) (*states.Result, error) {
	r := &states.Result{OK: states.True(), Changes: ordered.New(1)}
	var comments []string
	for _, ip := range in.IP {
		s := pyfmt.Str(ip)
		if !slices.Contains(there, ip) {
			comments = append(comments, "Host "+in.Name+" ("+s+") already absent")
			continue
		}
		ok, err := states.Truth(env.Call(ctx, "hosts.rm_host", modules.Pos(ip, in.Name)))
		if err != nil {
			return nil, err
		}
		if !ok {
			r.OK = states.False()
			comments = append(comments, "Failed to remove host  "+in.Name+" ("+s+")")
			continue
		}
		r.Changes.Set("host", in.Name)
		comments = append(comments, "Removed host "+in.Name+" ("+s+")")
	}
	r.Comment = strings.Join(comments, "\n")
	return r, nil
}

type onlyArgs struct {
	Name      string `arg:"name"`
	Hostnames []any  `arg:"hostnames"`
}

// names are those that the address has, and those wished, as texts.
type names struct{ was, wish string }

func joined(list []any) string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = strings.TrimSpace(pyfmt.Str(e))
	}
	return strings.Join(out, " ")
}

func lookOnly(ctx context.Context, env *states.Env, in onlyArgs) (states.Check[names], error) {
	v, err := env.Call(ctx, "hosts.get_alias", modules.Pos(in.Name))
	if err != nil {
		return states.Check[names]{}, err
	}
	list, _ := v.([]any)
	n := names{joined(list), joined(in.Hostnames)}
	if n.was == n.wish {
		return states.Done[names](states.Fine("IP address " + in.Name + ` already set to "` + n.wish + `"`)), nil
	}
	return states.Change(n, "Would change "+in.Name+` from "`+n.was+`" to "`+n.wish+`"`, nil), nil
}

func only(ctx context.Context, env *states.Env, in onlyArgs, n names) (*states.Result, error) {
	ok, err := states.Truth(env.Call(ctx, "hosts.set_host", modules.Pos(in.Name, n.wish)))
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return states.Failed(`hosts.set_host failed to change %s from "%s" to "%s"`, in.Name, n.was, n.wish), nil
	}
	return &states.Result{OK: states.True(), Comment: "successfully changed " + in.Name + ` from "` + n.was + `" to "` + n.wish + `"`,
		Changes: ordered.Pairs(in.Name, ordered.Pairs("old", n.was, "new", n.wish))}, nil
}
