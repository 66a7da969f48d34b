package pkg

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"brine/internal/debversion"
	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pypath"
	"brine/modules"
)

// apt drives apt-get(8), apt-cache(8) and dpkg-query(1), never asking anybody anything.
type apt struct{ env *modules.Env }

func newApt(env *modules.Env) (*apt, error) {
	if pypath.Which("apt-get") == "" || pypath.Which("dpkg-query") == "" {
		return nil, errors.New("apt-get and dpkg-query are not installed")
	}
	return &apt{env}, nil
}

// quiet is the environment in which nothing asks.
func quiet() []string {
	return []string{"DEBIAN_FRONTEND=noninteractive", "APT_LISTBUGS_FRONTEND=none", "APT_LISTCHANGES_FRONTEND=none", "UCF_FORCE_CONFFOLD=1"}
}

func (a *apt) tool(ctx context.Context, argv ...string) (host.Text, error) {
	return host.Exec(ctx, a.env.Host, host.Cmd{Argv: argv, Env: quiet()})
}

// get runs apt-get; it waits a minute for another that holds the lock.
func (a *apt) get(ctx context.Context, args ...string) (host.Text, error) {
	return a.tool(ctx, append([]string{"apt-get", "-q", "-o", "DPkg::Lock::Timeout=60", "-o", "DPkg::Options::=--force-confold",
		"-o", "DPkg::Options::=--force-confdef"}, args...)...)
}

// failure is the error of a command that failed, as Salt shows it.
func failure(r host.Text, err error, text string) error {
	if err != nil || r.OK() {
		return err
	}
	said := strings.ReplaceAll(r.Said(), "\n", "\n      ")
	return modules.Errorf("%s. Additional info follows:\n\nerrors:\n    - %s", text, said)
}

func (a *apt) compare(x, y string) int { return debversion.Compare(x, y) }

func (a *apt) list(ctx context.Context, removed bool) (*ordered.Map, error) {
	r, err := a.tool(ctx, "dpkg-query", "--showformat", "${Status} ${Package} ${Version} ${Architecture}\n", "-W")
	if err != nil {
		return nil, err
	}
	if r.Retcode > 1 { // 1: there is no package at all
		return nil, modules.Errorf("dpkg-query: %s", r.Said())
	}
	arch := a.env.Grains.Items(ctx).String("osarch")
	out := ordered.New(512)
	for line := range strings.Lines(r.Stdout) {
		f := strings.Fields(line)
		if len(f) < 6 {
			continue
		}
		name := f[3]
		if f[5] != "all" && arch != "" && f[5] != arch {
			name += ":" + f[5]
		}
		want := f[2] == "installed" && (f[0] == "install" || f[0] == "hold")
		if removed {
			want = f[2] == "config-files"
		}
		if want {
			out.Set(name, f[4])
		}
	}
	return out, nil
}

var size = regexp.MustCompile(` \[.+B\]$`)

func (a *apt) refresh(ctx context.Context) (*ordered.Map, error) {
	r, err := a.get(ctx, "update")
	if err != nil {
		return nil, err
	}
	if !r.OK() {
		return nil, modules.Errorf("%s", r.Said())
	}
	out := ordered.New(8)
	for line := range strings.Lines(r.Stdout) {
		kind, ident, ok := strings.Cut(strings.TrimSpace(line), " ")
		kind, _, _ = strings.Cut(kind, ":")
		switch {
		case !ok:
		case kind == "Get":
			out.Set(size.ReplaceAllString(ident, ""), true)
		case kind == "Ign", kind == "Err":
			out.Set(ident, false)
		case kind == "Hit":
			out.Set(ident, nil)
		}
	}
	return out, nil
}

func (a *apt) install(ctx context.Context, r request) error {
	args := []string{"--assume-yes"}
	for _, o := range []struct {
		on   bool
		flag string
	}{
		{r.skipVerify, "--allow-unauthenticated"}, {r.reinstall, "--reinstall"}, {r.downloadOnly, "--download-only"},
		{r.noRecommends, "--no-install-recommends"}, {r.onlyUpgrade, "--only-upgrade"}, {r.allowHeld, "--allow-change-held-packages"},
	} {
		if o.on {
			args = append(args, o.flag)
		}
	}
	if r.fromrepo != "" {
		args = append(args, "-t", r.fromrepo)
	}
	if r.upgradeAll {
		verb := "upgrade"
		if r.dist {
			verb = "dist-upgrade"
		}
		t, err := a.get(ctx, append(args, verb)...)
		return failure(t, err, "Problem encountered upgrading packages")
	}
	words, older, err := a.words(ctx, r)
	if err != nil {
		return err
	}
	if older {
		args = append(args, "--allow-downgrades")
	}
	held, err := a.heldOf(ctx, r)
	if err != nil {
		return err
	}
	t, err := a.get(ctx, append(append(args, "install"), words...)...)
	failed := failure(t, err, "Problem encountered installing package(s)")
	if err := a.selectAs(ctx, "hold", held); err != nil && failed == nil {
		return err
	}
	return failed
}

// heldOf picks the targets whose hold is to be kept although they are installed in spite of it.
func (a *apt) heldOf(ctx context.Context, r request) ([]string, error) {
	if !r.allowHeld || len(r.targets) == 0 {
		return nil, nil
	}
	names := make([]string, len(r.targets))
	for i, t := range r.targets {
		names[i] = t.name
	}
	s, err := a.selections(ctx, names)
	return s["hold"], err
}

// words are the arguments of apt-get install; older tells that one goes back to an older version.
func (a *apt) words(ctx context.Context, r request) (words []string, older bool, err error) {
	have, err := a.list(ctx, false)
	if err != nil {
		return nil, false, err
	}
	for _, f := range r.files {
		words = append(words, f)
		older = true // a file may be of an older version, and it is what is asked for
	}
	for _, t := range r.targets {
		op, v := comparison(t.version)
		if v == "" || v == "latest" {
			words = append(words, t.name)
			continue
		}
		if op != "==" {
			if v, err = a.choose(ctx, t, op, v); err != nil {
				return nil, false, err
			}
		}
		words = append(words, t.name+"="+v)
		if now := have.String(t.name); now != "" && !strings.Contains(v, "*") && a.compare(v, now) < 0 {
			older = true
		}
	}
	return words, older, nil
}

// choose picks the newest version that the sources have and that fulfils a comparison.
func (a *apt) choose(ctx context.Context, t target, op, want string) (string, error) {
	r, err := a.tool(ctx, "apt-cache", "madison", t.name)
	if err != nil {
		return "", err
	}
	best, all := "", []string{}
	for line := range strings.Lines(r.Stdout) {
		f := strings.Split(line, "|")
		if len(f) < 2 {
			continue
		}
		v := strings.TrimSpace(f[1])
		all = append(all, v)
		if fulfils(a, v, op, want) && (best == "" || a.compare(v, best) > 0) {
			best = v
		}
	}
	if best == "" {
		return "", noVersion(t, all)
	}
	return best, nil
}

func (a *apt) remove(ctx context.Context, names []string, purge bool) error {
	verb := "remove"
	if purge {
		verb = "purge"
	}
	r, err := a.get(ctx, append([]string{"--assume-yes", verb}, names...)...)
	return failure(r, err, "Problem encountered removing package(s)")
}

func (a *apt) candidates(ctx context.Context, names []string, fromrepo string) (map[string]string, error) {
	out := map[string]string{}
	for _, n := range names {
		if strings.HasPrefix(n, "-") {
			return nil, modules.Invalidf("no package is called %s", n)
		}
		out[n] = ""
	}
	argv := []string{"apt-cache", "-q", "policy"}
	if fromrepo != "" {
		argv = append(argv, "-t", fromrepo)
	}
	r, err := a.tool(ctx, append(argv, names...)...)
	name := ""
	for line := range strings.Lines(r.Stdout) {
		line = strings.TrimRight(line, "\n")
		if !strings.HasPrefix(line, " ") {
			name = strings.TrimSuffix(line, ":")
			continue
		}
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "Candidate: "); ok && v != "(none)" {
			if _, asked := out[name]; asked {
				out[name] = v
			}
		}
	}
	return out, err
}

var instLine = regexp.MustCompile(`^Inst (\S+) (?:\[\S+\] )?\((\S+) `)

// upgrades are the packages that an upgrade would bring.
func (a *apt) upgrades(ctx context.Context, dist bool) (*ordered.Map, error) {
	verb := "upgrade"
	if dist {
		verb = "dist-upgrade"
	}
	r, err := a.get(ctx, "--just-print", verb)
	if err := failure(r, err, "Problem listing upgrades"); err != nil {
		return nil, err
	}
	out := ordered.New(8)
	for line := range strings.Lines(r.Stdout) {
		if m := instLine.FindStringSubmatch(line); m != nil {
			out.Set(m[1], m[2])
		}
	}
	return out, nil
}
