package cmd

import (
	"os"
	"os/user"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// variables are those of the environment, in order.
type variables struct{ m *ordered.Map }

func (v variables) get(name string) string { return v.m.String(name) }

func (v variables) def(name, val string) {
	if !v.m.Has(name) {
		v.m.Set(name, val)
	}
}

func (v variables) list() []string {
	out := make([]string, 0, v.m.Len())
	for k, val := range v.m.All() {
		out = append(out, pyfmt.Str(k)+"="+pyfmt.Str(val))
	}
	return out
}

// environment is what the command will see: ours, then that of another user, then what was asked for, last the C locale
// for what is not set.
func (in *command) environment(env *modules.Env) (variables, error) {
	given := parseEnv(env, in.Env)
	own := variables{ordered.New(0)}
	if name := text(in.Runas); name != "" {
		if err := login(own, name); err != nil {
			return own, err
		}
	}
	own.m.Update(given)
	if in.ResetLocale {
		for _, name := range strings.Fields("CTYPE NUMERIC TIME COLLATE MONETARY MESSAGES PAPER NAME ADDRESS TELEPHONE MEASUREMENT IDENTIFICATION") {
			own.def("LC_"+name, "C")
		}
		own.def("LANGUAGE", "C")
	}
	all := own
	if !in.CleanEnv {
		all = variables{ordered.New(0)}
		for _, kv := range os.Environ() {
			k, val, _ := strings.Cut(kv, "=")
			all.m.Set(k, val)
		}
		all.m.Update(own.m)
	}
	if p := text(in.PrependPath); p != "" {
		all.m.Set("PATH", p+":"+all.get("PATH"))
	}
	if !given.Has("NOTIFY_SOCKET") {
		all.m.Delete("NOTIFY_SOCKET") // a child must not speak for the service
	}
	return all, nil
}

// login is what a login of the user would set.
func login(v variables, name string) error {
	u, err := user.Lookup(name)
	if err != nil {
		return modules.Errorf("User '%s' is not available", name)
	}
	path := "/usr/local/bin:/usr/bin:/bin"
	if u.Uid == "0" {
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	for k, val := range ordered.Pairs("HOME", u.HomeDir, "USER", u.Username, "LOGNAME", u.Username, "PATH", path).All() {
		v.m.Set(k, val)
	}
	return nil
}

// parseEnv reads the env argument: a map, or a list of maps with one pair each. Texts stand for values.
func parseEnv(env *modules.Env, v any) *ordered.Map {
	out := ordered.New(0)
	add := func(m *ordered.Map) {
		for k, val := range m.All() {
			if val == nil {
				env.Log.Error("an environment variable was given without a value, it becomes empty")
				val = ""
			}
			out.Set(pyfmt.Str(k), pyfmt.Str(val))
		}
	}
	switch t := v.(type) {
	case *ordered.Map:
		add(t)
	case []any:
		for _, e := range t {
			m, ok := e.(*ordered.Map)
			switch {
			case ok && m.Len() == 1:
				add(m)
			case ok:
				return ordered.New(0) // Salt refuses the whole list then
			default:
				out.Set(pyfmt.Str(e), "")
			}
		}
	}
	return out
}
