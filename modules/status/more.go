package status

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"syscall"
	"time"

	"github.com/ncruces/go-strftime"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// owner is the user name that a folder of /proc belongs to, or the number.
func owner(dir string) string {
	info, err := os.Stat(dir)
	if err != nil {
		return ""
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	id := fmt.Sprint(st.Uid)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

func pyTime(format string) (any, error) {
	return strftime.Format(format, time.Now().UTC()), nil
}

// parts are what all_status and custom put together, in Salt's order.
func parts() ([]string, map[string]func() (any, error)) {
	m := map[string]func() (any, error){
		"cpuinfo": cpuinfo, "cpustats": cpustats, "diskstats": diskstats, "loadavg": loadavg, "meminfo": meminfo, "netdev": netdev,
		"netstats": netstats, "uptime": uptime, "vmstats": vmstats, "w": w,
		"diskusage": func() (any, error) { return diskusage(context.Background(), nil, globsArgs{}) },
	}
	return []string{"cpuinfo", "cpustats", "diskstats", "diskusage", "loadavg", "meminfo", "netdev", "netstats", "uptime", "vmstats", "w"}, m
}

func all(context.Context, *modules.Env, none) (any, error) {
	names, funs := parts()
	out := ordered.New(len(names))
	for _, n := range names {
		v, err := funs[n]()
		if err != nil {
			return nil, err
		}
		out.Set(n, v)
	}
	return out, nil
}

func custom(_ context.Context, env *modules.Env, _ none) (any, error) {
	names, funs := parts()
	out := ordered.New(8)
	for _, n := range names {
		want := env.Opts.List("status." + n + ".custom")
		if len(want) == 0 {
			continue
		}
		v, err := funs[n]()
		if err != nil {
			return nil, err
		}
		m, ok := v.(*ordered.Map)
		for _, k := range want {
			if ok && m.Has(pyfmt.Str(k)) {
				out.Set(k, m.Value(pyfmt.Str(k)))
			}
		}
	}
	return out, nil
}
