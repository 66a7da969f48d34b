package states

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/builtin"
	"brine/modules/moduletest"
	"brine/states"
	statebuiltin "brine/states/builtin"
)

// suite is one state function in action.
type suite struct {
	// args are alternating names and values; $D is the scratch folder.
	args []any
	// files are made before: name and content; a name that ends in a slash is a folder.
	files map[string]string
	// always says that the function changes something every time, by its nature.
	always bool
	// silent says that a dry run does not tell of a change, or that there is none to tell.
	silent bool
	// setup does what files cannot.
	setup func(t *testing.T, b *moduletest.Bench)
}

// own tells why a family is not here: its functions change the whole machine and have tests of their own.
func own(family string) string {
	return map[string]string{
		"alternatives": "changes /etc/alternatives", "cron": "needs a crontab", "git": "needs repositories", "group": "changes accounts", "http": "needs a server",
		"pkg": "installs packages", "pkgrepo": "changes the sources of packages", "schedule": "needs the scheduler of a minion", "service": "starts services",
		"sysctl": "changes the kernel", "timezone": "changes the clock's zone", "user": "changes accounts", "mount": "mounts", "locale": "changes locales",
		"ssh_auth": "changes the keys of accounts", "ssh_known_hosts": "needs ssh-keygen",
	}[family]
}

func fill(v any, dir string) any {
	switch t := v.(type) {
	case string:
		return strings.ReplaceAll(t, "$D", dir)
	case []any:
		out := make([]any, len(t))
		for i := range t {
			out[i] = fill(t[i], dir)
		}
		return out
	case *ordered.Map:
		out := ordered.New(t.Len())
		for k, e := range t.All() {
			out.Set(fill(k, dir), fill(e, dir))
		}
		return out
	}
	return v
}

// snapshot is all that is in a folder: kinds, modes, targets of links and sums of content, and times of change.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		text := fmt.Sprint(fi.Mode(), fi.ModTime().UnixNano())
		switch {
		case fi.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink(p)
			if err != nil {
				return err
			}
			text += to
		case fi.Mode().IsRegular():
			body, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			text += fmt.Sprintf("%x", sha256.Sum256(body))
		}
		out[strings.TrimPrefix(p, dir)] = text
		return nil
	}))
	return out
}

func bench(t *testing.T, s suite) *moduletest.Bench {
	t.Helper()
	b := moduletest.New(t, builtin.Modules(builtin.Deps{})...)
	b.Opts.Set("hosts.file", b.Work("hosts"))
	b.Secrets.M = ordered.Pairs("a", ordered.Pairs("b", "text of the pillar"))
	require.NoError(t, os.MkdirAll(b.Roots+"/tree/sub", 0o755))
	for name, body := range map[string]string{"src": "one\ntwo\n", "t.j2": "{{ grains.id }} {{ x }}\n", "tree/a": "a", "tree/sub/b": "b",
		"p.patch": "--- f\n+++ f\n@@ -1,2 +1,2 @@\n one\n-two\n+TWO\n", "s.sh": "#!/bin/sh\necho hi\n"} {
		require.NoError(t, os.WriteFile(b.Roots+"/"+name, []byte(body), 0o600))
	}
	for name, body := range s.files {
		path := b.Work(name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		if strings.HasSuffix(name, "/") {
			require.NoError(t, os.MkdirAll(path, 0o755))
			continue
		}
		require.NoError(t, os.WriteFile(path, []byte(body), 0o600))
	}
	if s.setup != nil {
		s.setup(t, b)
	}
	return b
}

func (s suite) run(t *testing.T, family states.State, fun string) {
	b := bench(t, s)
	kw := ordered.New(len(s.args) / 2)
	for i := 0; i < len(s.args); i += 2 {
		kw.Set(s.args[i], fill(ordered.Of(s.args[i+1]), b.Dir+"/work"))
	}
	a := modules.Args{Kw: kw}
	said := func(r *ordered.Map) string { return pyfmt.Repr(r) }
	before := snapshot(t, b.Dir+"/work")

	b.Test = true
	dry := b.State(family, fun, a)
	if s.silent {
		assert.Equal(t, true, dry.Value("result"), said(dry))
	} else {
		assert.Nil(t, dry.Value("result"), said(dry))
	}
	assert.Equal(t, before, snapshot(t, b.Dir+"/work"), "a dry run changed something")

	b.Test = false
	real := b.State(family, fun, a)
	assert.Equal(t, true, real.Value("result"), said(real))
	if !s.silent {
		assert.NotZero(t, real.Map("changes").Len(), said(real))
	}
	if s.always {
		return
	}
	reached := snapshot(t, b.Dir+"/work")
	again := b.State(family, fun, a)
	assert.Equal(t, true, again.Value("result"), said(again))
	assert.Zero(t, again.Map("changes").Len(), said(again))
	after := snapshot(t, b.Dir+"/work")
	for p := range reached { // a run without changes may write the same again
		assert.Contains(t, after, p)
	}
	b.Test = true
	last := b.State(family, fun, a)
	assert.Equal(t, true, last.Value("result"), said(last))
	assert.Zero(t, last.Map("changes").Len(), said(last))
	assert.Equal(t, after, snapshot(t, b.Dir+"/work"), "a dry run after the real one changed something")
}

func TestEveryState(t *testing.T) {
	t.Parallel()
	all := suites()
	seen := map[string]bool{}
	for _, family := range statebuiltin.States() {
		if why := own(family.Name); why != "" {
			continue
		}
		for _, f := range family.Funcs {
			full := family.Name + "." + f.Name
			seen[full] = true
			list, ok := all[full]
			if !assert.True(t, ok, "%s has no case in this suite", full) {
				continue
			}
			for i, s := range list {
				t.Run(fmt.Sprint(full, i), func(t *testing.T) {
					t.Parallel()
					s.run(t, family, f.Name)
				})
			}
		}
	}
	for full := range all {
		assert.True(t, seen[full], "%s is in the suite and nowhere else", full)
	}
}
