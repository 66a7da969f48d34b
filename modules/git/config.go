package git

import (
	"context"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// scope is the configuration of the repository or, with global=True, of the user.
func (in *args) scope() (string, error) {
	if pyfmt.Truth(in.Kwargs.Value("global")) {
		in.Cwd = ""
		return "config --global", nil
	}
	if in.Cwd == "" {
		return "", modules.Invalidf("'cwd' argument required unless global=True")
	}
	return "config --local", nil
}

// flag is a keyword argument that is true or not.
func (in *args) flag(name string) bool { return pyfmt.Truth(in.Kwargs.Value(name)) }

func configGet(ctx context.Context, env *modules.Env, in args) (any, error) {
	v, err := in.values(ctx, env)
	if err != nil || len(v) == 0 {
		return nil, err
	}
	if in.flag("all") {
		return v, nil
	}
	return v[len(v)-1], nil
}

// values are all values of a key, none for one that is not set.
func (in *args) values(ctx context.Context, env *modules.Env) ([]any, error) {
	sub, err := in.scope()
	if err != nil {
		return nil, err
	}
	r, shown, err := in.try(ctx, env, sub+" --null --get-all", in.Key)
	if err != nil || r.Retcode == 1 { // 1: the key is not set
		return nil, err
	}
	if !r.OK() {
		return nil, modules.Errorf("Command '%s' failed: %s", shown, r.Said())
	}
	out := []any{}
	for _, v := range strings.Split(strings.TrimSuffix(r.Stdout, "\x00"), "\x00") {
		out = append(out, v)
	}
	return out, nil
}

func configGetRegexp(ctx context.Context, env *modules.Env, in args) (any, error) {
	sub, err := in.scope()
	if err != nil {
		return nil, err
	}
	r, shown, err := in.try(ctx, env, sub+" --null --get-regexp", append([]string{in.Key}, given(in.ValueRegex)...)...)
	if err != nil {
		return nil, err
	}
	if r.Retcode > 1 {
		return nil, modules.Errorf("Command '%s' failed: %s", shown, r.Said())
	}
	out := ordered.New(4)
	for _, e := range strings.Split(strings.TrimSuffix(r.Stdout, "\x00"), "\x00") {
		if k, v, ok := strings.Cut(e, "\n"); ok {
			out.Set(k, append(out.List(k), v))
		}
	}
	return out, nil
}

func configSet(ctx context.Context, env *modules.Env, in args) (any, error) {
	if (in.Value != nil) == (in.Multivar != nil) {
		return nil, modules.Invalidf("Exactly one of 'value' and 'multivar' is required")
	}
	sub, err := in.scope()
	if err != nil {
		return nil, err
	}
	list := []any{in.Value}
	if in.Multivar != nil {
		var ok bool
		if list, ok = in.Multivar.([]any); !ok {
			list, _ = ordered.Of(strings.Split(text(in.Multivar), ",")).([]any)
		}
	}
	for i, v := range list {
		how := " --add"
		if i == 0 && !in.flag("add") {
			how = " --replace-all"
		}
		if _, err := in.run(ctx, env, sub+how, in.Key, text(v)); err != nil {
			return nil, err
		}
	}
	return in.values(ctx, env)
}

func configUnset(ctx context.Context, env *modules.Env, in args) (any, error) {
	sub, err := in.scope()
	if err != nil {
		return nil, err
	}
	how := " --unset"
	if in.flag("all") {
		how = " --unset-all"
	}
	r, shown, err := in.try(ctx, env, sub+how, append([]string{in.Key}, given(in.ValueRegex)...)...)
	if err != nil || r.OK() {
		return err == nil, err
	}
	if r.Retcode != 1 && r.Retcode != 5 {
		return nil, modules.Errorf("Command '%s' failed: %s", shown, r.Said())
	}
	if now, err := in.values(ctx, env); err != nil || len(now) > 1 {
		return nil, modules.Errorf("Multiple matches found for key '%s'", in.Key)
	}
	return nil, modules.Errorf("Key '%s' is not set", in.Key)
}
