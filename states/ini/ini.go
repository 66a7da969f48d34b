// Package ini holds the ini.* states: options and sections of ini files. Comments and changes are Salt's:
// https://docs.saltproject.io/en/3006/ref/states/all/salt.states.ini_manage.html.
package ini

import (
	"context"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{Name: "ini", Doc: "States for ini files.", Funcs: []states.Func{
		states.Fn("options_present", "Give options of an ini file their values; with strict=True remove all others.", lookPresent, present),
		states.Fn("options_absent", "Remove options of an ini file.", lookAbsent, absent),
		states.Fn("sections_present", "See that sections are in an ini file.", lookSections, addSections),
		states.Fn("sections_absent", "Remove sections of an ini file.", lookNoSections, removeSections),
	}}
}

type args struct {
	Name     string `arg:"name"`
	Sections any    `arg:"sections" def:"None"`
	Sep      string `arg:"separator" def:"'='"`
	Encoding any    `arg:"encoding" def:"None"`
	NoSpaces bool   `arg:"no_spaces" def:"False"`
}

type presentArgs struct {
	Name     string       `arg:"name"`
	Sections *ordered.Map `arg:"sections" def:"None"`
	Sep      string       `arg:"separator" def:"'='"`
	Strict   bool         `arg:"strict" def:"False"`
	Encoding any          `arg:"encoding" def:"None"`
	NoSpaces bool         `arg:"no_spaces" def:"False"`
}

func (in presentArgs) args() args {
	return args{in.Name, in.Sections, in.Sep, in.Encoding, in.NoSpaces}
}

type none struct{}

const unchanged = "No anomaly detected"

func (in args) call(ctx context.Context, env *states.Env, fun string, pos ...any) (any, error) {
	return env.Call(ctx, "ini."+fun, modules.Pos(append([]any{in.Name}, pos...)...).With("separator", in.Sep).With("encoding", in.Encoding).With("no_spaces", in.NoSpaces))
}

// data is what the file holds.
func (in args) data(ctx context.Context, env *states.Env) (*ordered.Map, error) {
	return states.Dict(in.call(ctx, env, "get_ini"))
}

// foretold is the answer of a dry run: a line for each key.
type foretold struct {
	comment string
	change  bool
}

func (f *foretold) note(change bool, line string) {
	f.comment += line + "\n"
	f.change = f.change || change
}

func (f *foretold) check() (states.Check[none], error) {
	if f.comment == "" {
		f.comment = "No changes detected."
	}
	r := &states.Result{Comment: f.comment}
	if !f.change {
		r.OK = states.True()
	}
	return states.Check[none]{Would: r}, nil
}

func where(section string) string {
	if section == "" {
		return ""
	}
	return " in section " + section
}

// names of what was given as a list, or as the keys of a map.
func names(v any) []any {
	if m, ok := v.(*ordered.Map); ok {
		return m.Keys()
	}
	if l, ok := v.([]any); ok {
		return l
	}
	if v == nil {
		return nil
	}
	return []any{v}
}

func lookPresent(ctx context.Context, env *states.Env, in presentArgs) (states.Check[none], error) {
	if !env.Test {
		return states.Check[none]{}, nil
	}
	have, err := in.args().data(ctx, env)
	if r, err := states.Refused(err); r != nil || err != nil {
		return states.Done[none](r), err
	}
	var f foretold
	one := func(is *ordered.Map, key, want any, section string) {
		v, ok := is.Get(key)
		if ok && ordered.Equal(v, pyfmt.Str(want)) {
			f.note(false, "Key "+pyfmt.Str(key)+where(section)+" unchanged.")
		} else {
			f.note(true, "Changed key "+pyfmt.Str(key)+where(section)+".")
		}
	}
	for k, v := range in.Sections.All() {
		section, ok := v.(*ordered.Map)
		if !ok {
			one(have, k, v, "")
			continue
		}
		is := have.Map(k)
		for key, want := range section.All() {
			one(is, key, want, pyfmt.Str(k))
		}
		if in.Strict {
			for key := range is.All() {
				if !section.Has(key) {
					f.note(true, "Deleted key "+pyfmt.Str(key)+where(pyfmt.Str(k))+".")
				}
			}
		}
	}
	return f.check()
}

func present(ctx context.Context, env *states.Env, in presentArgs, _ none) (*states.Result, error) {
	changes := ordered.New(0)
	have, err := in.args().data(ctx, env)
	if err == nil {
		err = in.top(ctx, env, have, changes)
	}
	for k, v := range in.Sections.All() {
		section, ok := v.(*ordered.Map)
		if !ok || err != nil {
			continue
		}
		err = in.section(ctx, env, ordered.Pairs(k, section), have, changes)
	}
	if r, err := states.Refused(err); r != nil || err != nil {
		return r, err
	}
	if changes.Len() == 0 {
		return states.Fine(unchanged), nil
	}
	return &states.Result{OK: states.True(), Comment: "Changes take effect", Changes: changes}, nil
}

// top sets, and with strict removes, the options before the first section.
func (in presentArgs) top(ctx context.Context, env *states.Env, have, changes *ordered.Map) error {
	options := ordered.New(0)
	for k, v := range in.Sections.All() {
		if _, isSection := v.(*ordered.Map); !isSection {
			options.Set(k, v)
		}
	}
	if options.Len() > 0 {
		got, err := states.Dict(in.args().call(ctx, env, "set_option", options))
		if err != nil {
			return err
		}
		changes.Update(got)
	}
	if !in.Strict || in.Sections.Len() == 0 {
		return nil
	}
	for k, v := range have.All() {
		if _, isSection := v.(*ordered.Map); isSection || options.Has(k) {
			continue
		}
		if _, err := in.args().call(ctx, env, "remove_option", nil, k); err != nil {
			return err
		}
		changes.Set(k, ordered.Pairs("before", v, "after", nil))
	}
	return nil
}

// section does the same for one section.
func (in presentArgs) section(ctx context.Context, env *states.Env, wish, have, changes *ordered.Map) error {
	name := wish.Keys()[0]
	own := ordered.New(0)
	if in.Strict {
		for k, v := range have.Map(name).All() {
			if wish.Map(name).Has(k) {
				continue
			}
			if _, err := in.args().call(ctx, env, "remove_option", name, k); err != nil {
				return err
			}
			own.Set(k, ordered.Pairs("before", v, "after", nil))
		}
	}
	got, err := states.Dict(in.args().call(ctx, env, "set_option", wish))
	if err != nil {
		return err
	}
	own.Update(got.Map(pyfmt.Str(name)))
	if own.Len() > 0 {
		changes.Set(name, own)
	}
	return nil
}

// each calls f for the options to remove; the section is nil for those before the first one.
func (in args) each(f func(section, key any) error) error {
	m, ok := in.Sections.(*ordered.Map)
	if !ok {
		for _, k := range names(in.Sections) {
			if err := f(nil, k); err != nil {
				return err
			}
		}
		return nil
	}
	for section, keys := range m.All() {
		if keys == nil {
			if err := f(nil, section); err != nil {
				return err
			}
		}
		for _, k := range names(keys) {
			if err := f(section, k); err != nil {
				return err
			}
		}
	}
	return nil
}

func lookAbsent(ctx context.Context, env *states.Env, in args) (states.Check[none], error) {
	if !env.Test {
		return states.Check[none]{}, nil
	}
	have, err := in.data(ctx, env)
	if r, err := states.Refused(err); r != nil || err != nil {
		return states.Done[none](r), err
	}
	var f foretold
	err = in.each(func(section, key any) error {
		is, name := have, ""
		if section != nil {
			is, name = have.Map(section), pyfmt.Str(section)
		}
		if pyfmt.Truth(is.Value(key)) {
			f.note(true, "Deleted key "+pyfmt.Str(key)+where(name)+".")
		} else {
			f.note(false, "Key "+pyfmt.Str(key)+where(name)+" does not exist.")
		}
		return nil
	})
	if err != nil {
		return states.Check[none]{}, err
	}
	return f.check()
}

func absent(ctx context.Context, env *states.Env, in args, _ none) (*states.Result, error) {
	changes := ordered.New(0)
	err := in.each(func(section, key any) error {
		was, err := in.call(ctx, env, "remove_option", section, key)
		if err != nil || !pyfmt.Truth(was) {
			return err
		}
		if section == nil {
			changes.Set(key, was)
			return nil
		}
		if !changes.Has(section) {
			changes.Set(section, ordered.New(1))
		}
		changes.Map(section).Set(key, was)
		return nil
	})
	return taken(changes, err)
}

// taken is the result of a removal.
func taken(changes *ordered.Map, err error) (*states.Result, error) {
	if r, err := states.Refused(err); r != nil || err != nil {
		return r, err
	}
	if changes.Len() == 0 {
		return states.Fine(unchanged), nil
	}
	return &states.Result{OK: states.True(), Comment: "Changes take effect", Changes: changes}, nil
}

func lookSections(ctx context.Context, env *states.Env, in args) (states.Check[none], error) {
	return in.lookup(ctx, env, func(f *foretold, there bool, name string) {
		if there {
			f.note(false, "Section unchanged "+name+".")
		} else {
			f.note(true, "Created new section "+name+".")
		}
	})
}

func lookNoSections(ctx context.Context, env *states.Env, in args) (states.Check[none], error) {
	return in.lookup(ctx, env, func(f *foretold, there bool, name string) {
		if there {
			f.note(true, "Deleted section "+name+".")
		} else {
			f.note(false, "Section "+name+" does not exist.")
		}
	})
}

func (in args) lookup(ctx context.Context, env *states.Env, note func(f *foretold, there bool, name string)) (states.Check[none], error) {
	if !env.Test {
		return states.Check[none]{}, nil
	}
	have, err := in.data(ctx, env)
	if r, err := states.Refused(err); r != nil || err != nil {
		return states.Done[none](r), err
	}
	var f foretold
	for _, s := range names(in.Sections) {
		note(&f, have.Has(s), pyfmt.Str(s))
	}
	return f.check()
}

func addSections(ctx context.Context, env *states.Env, in args, _ none) (*states.Result, error) {
	wish := ordered.New(0)
	for _, s := range names(in.Sections) {
		wish.Set(s, ordered.New(0))
	}
	changes, err := states.Dict(in.call(ctx, env, "set_option", wish))
	if r, err := states.Refused(err); r != nil || err != nil {
		return r, err
	}
	return &states.Result{OK: states.True(), Comment: "Changes take effect", Changes: changes}, nil
}

func removeSections(ctx context.Context, env *states.Env, in args, _ none) (*states.Result, error) {
	changes := ordered.New(0)
	var failed error
	for _, s := range names(in.Sections) {
		was, err := in.call(ctx, env, "remove_section", s)
		if err != nil {
			failed = err
			break
		}
		if was != nil {
			changes.Set(s, was)
		}
	}
	return taken(changes, failed)
}
