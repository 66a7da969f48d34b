package render

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brine/internal/dictupdate"
	"brine/internal/ordered"
	"brine/internal/pyjson"
	"brine/internal/pypath"
	"brine/internal/traverse"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// files is a Loader over the files of a test.
type files map[string]string

func (f files) Load(_ context.Context, _, path string) ([]byte, error) {
	if s, ok := f[path]; ok {
		return []byte(s), nil
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
}

// functions is a Caller with the few functions that the cases call.
type functions struct {
	grains, opts *ordered.Map
}

func (f functions) table() map[string]func(pos []any, kw *ordered.Map) (any, error) {
	return map[string]func(pos []any, kw *ordered.Map) (any, error){
		"test.ping": func([]any, *ordered.Map) (any, error) { return true, nil },
		"test.echo": func(pos []any, kw *ordered.Map) (any, error) {
			if len(pos) == 0 {
				return kw.Value("text"), nil
			}
			return pos[0], nil
		},
		"test.arg": func(pos []any, kw *ordered.Map) (any, error) {
			return ordered.Pairs("args", pos, "kwargs", kw), nil
		},
		"grains.get": func(pos []any, _ *ordered.Map) (any, error) { return traverse.Default(f.grains, pos[0], "", ":"), nil },
		"config.get": func(pos []any, _ *ordered.Map) (any, error) { return f.opts.Value(pos[0]), nil },
		"pillar.get": func(pos []any, _ *ordered.Map) (any, error) { return pos[1], nil },
		"cmd.run":    func([]any, *ordered.Map) (any, error) { return "shell-out", nil },
		"file.join": func(pos []any, _ *ordered.Map) (any, error) {
			return pypath.Join(pos[0].(string), pos[1].(string)), nil
		},
		"file.file_exists": func(pos []any, _ *ordered.Map) (any, error) {
			return pos[0] == "/etc/hostname", nil
		},
		"grains.filter_by": func(pos []any, kw *ordered.Map) (any, error) {
			return pos[0].(*ordered.Map).Value(f.grains.Value("os_family")), nil
		},
		"slsutil.merge": func(pos []any, _ *ordered.Map) (any, error) {
			return dictupdate.Merge(pos[0].(*ordered.Map), pos[1].(*ordered.Map), dictupdate.Options{Strategy: "smart"}), nil
		},
		"slsutil.serialize": func(pos []any, _ *ordered.Map) (any, error) { return pyjson.Dumps(pos[1], pyjson.Options{}), nil },
	}
}

func (f functions) Has(fun string) bool { return f.table()[fun] != nil }

func (f functions) Call(_ context.Context, fun string, pos []any, kw *ordered.Map) (any, error) {
	run := f.table()[fun]
	if run == nil {
		return nil, fmt.Errorf("'%s' is not available", fun)
	}
	return run(pos, kw)
}

func testEnv(t *testing.T, f files) *Env {
	t.Helper()
	data, err := os.ReadFile("testdata/grains.json")
	require.NoError(t, err)
	v, err := ordered.FromJSON(data)
	require.NoError(t, err)
	grains := v.(*ordered.Map)
	opts := ordered.Pairs("id", "m1", "file_client", "local")
	return &Env{
		Saltenv: "base", Grains: func() *ordered.Map { return grains }, Opts: opts, Loader: f,
		Salt: functions{grains, opts}, Cache: NewCache(),
	}
}

type saltCall struct {
	Fun    string
	Args   []any
	Kwargs map[string]string
}

// TestAsSalt runs recorded templates; each case holds what Salt 3006 answered.
func TestAsSalt(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/salt/*.txtar")
	require.NoError(t, err)
	require.Greater(t, len(cases), 20)
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			f, calls, want := files{}, []saltCall{}, []any{}
			for name, body := range archive(t, path) {
				switch name {
				case "calls.json":
					require.NoError(t, json.Unmarshal([]byte(body), &calls))
				case "want.json":
					v, err := ordered.FromJSON([]byte(body))
					require.NoError(t, err)
					want = v.([]any)
				default:
					f[strings.TrimPrefix(name, "srv/")] = body
				}
			}
			for i, c := range calls {
				checkCall(t, f, c, want[i])
			}
		})
	}
}

// archive reads the files of a txtar archive.
func archive(t *testing.T, path string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	out := map[string]string{}
	for _, part := range strings.Split("\n"+string(data), "\n-- ")[1:] {
		name, body, ok := strings.Cut(part, " --\n")
		require.True(t, ok)
		if !strings.HasSuffix(body, "\n") {
			body += "\n"
		}
		out[name] = body
	}
	return out
}

func checkCall(t *testing.T, f files, c saltCall, want any) {
	env := testEnv(t, f)
	if c.Fun != "slsutil.renderer" {
		sls := c.Args[0].(string)
		env.SLS, env.Path = sls, strings.ReplaceAll(sls, ".", "/")+".sls"
		if _, ok := f[env.Path]; !ok {
			env.Path = strings.ReplaceAll(sls, ".", "/") + "/init.sls"
		}
		got, err := Render(t.Context(), []byte(f[env.Path]), env, Options{})
		checkSLS(t, sls, got, err, want)
		return
	}
	src, o := c.Kwargs["string"], Options{Default: c.Kwargs["default_renderer"]}
	if len(c.Args) > 0 {
		env.Path = strings.TrimPrefix(c.Args[0].(string), "salt://")
		src = f[env.Path]
	}
	got, err := Render(t.Context(), []byte(src), env, o)
	if m, ok := want.(*ordered.Map); ok && m.Has("__error__") {
		assert.Error(t, err, "%s", src)
		return
	}
	if assert.NoError(t, err, "%s", src) && !ordered.Equal(want, got) {
		assert.Equal(t, pyjson.Dumps(want, pyjson.Options{Indent: 1}), pyjson.Dumps(got, pyjson.Options{Indent: 1}), "%s", src)
	}
}

func checkSLS(t *testing.T, sls string, got any, err error, want any) {
	refused, ok := want.([]any)
	if !ok {
		require.NoError(t, err)
		for id, body := range want.(*ordered.Map).All() { // the arguments of the state, in the order of the SLS
			args := got.(*ordered.Map).Map(id).List("test.nop")
			assert.True(t, ordered.Equal(body.(*ordered.Map).List("test")[:len(args)], args), pyjson.Dumps(args, pyjson.Options{}))
		}
		return
	}
	text, cut := strings.CutSuffix(refused[0].(string), " [...]")
	require.Error(t, err)
	said := fmt.Sprintf("Rendering SLS 'base:%s' failed: %s", sls, err)
	if cut {
		assert.Equal(t, text, said[:min(len(text), len(said))])
		return
	}
	assert.Equal(t, text, said)
}

func TestInfinityIsAFloat(t *testing.T) {
	t.Parallel()
	v, err := Render(t.Context(), []byte("a: .inf"), &Env{}, Options{})
	require.NoError(t, err)
	assert.Equal(t, math.Inf(1), v.(*ordered.Map).Value("a"))
}
