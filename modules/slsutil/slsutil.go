// Package slsutil holds the slsutil.* functions: tools for SLS files and templates.
package slsutil

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"brine/internal/dictupdate"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/serializers"
	"brine/modules"
	"brine/modules/rendering"
	"brine/proto"
	"brine/render"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "slsutil", Doc: "Tools for SLS files and templates.", Funcs: []modules.Func{
		modules.PureFn("banner", bannerDoc, banner),
		modules.PureFn("boolstr", boolstrDoc, boolstr),
		modules.PureFn("deserialize", deserializeDoc, deserialize),
		modules.PureFn("dir_exists", dirExistsDoc, dirExists),
		modules.PureFn("file_exists", fileExistsDoc, fileExists),
		modules.PureFn("findup", findupDoc, findup),
		modules.PureFn("merge", mergeDoc, merge),
		modules.PureFn("merge_all", mergeAllDoc, mergeAll),
		modules.PureFn("path_exists", pathExistsDoc, pathExists),
		modules.Fn("renderer", rendererDoc, renderer),
		modules.PureFn("serialize", serializeDoc, serialize),
		modules.PureFn("update", updateDoc, update),
	}}
}

const updateDoc = `Merge one map into another, maps in them too. With merge_lists=True lists are joined.

CLI Example:

    salt '*' slsutil.update '{foo: Foo}' '{bar: Bar}'`

type updateArgs struct {
	Dest       any  `arg:"dest"`
	Upd        any  `arg:"upd"`
	Recursive  bool `arg:"recursive_update" def:"True"`
	MergeLists bool `arg:"merge_lists" def:"False"`
}

func update(_ context.Context, _ *modules.Env, in updateArgs) (any, error) {
	dest, ok1 := in.Dest.(*ordered.Map)
	upd, ok2 := in.Upd.(*ordered.Map)
	if !ok1 || !ok2 {
		return nil, dictupdate.ErrNotDict
	}
	if !in.Recursive {
		return dictupdate.Shallow(dest, upd), nil
	}
	return dictupdate.Update(dest, upd, in.MergeLists), nil
}

const mergeDoc = `Merge two maps by a strategy: aggregate, list, overwrite, recurse or smart.

CLI Example:

    salt '*' slsutil.merge '{foo: Foo}' '{bar: Bar}'`

type mergeArgs struct {
	A          any    `arg:"obj_a"`
	B          any    `arg:"obj_b"`
	Strategy   string `arg:"strategy" def:"'smart'"`
	Renderer   string `arg:"renderer" def:"'yaml'"`
	MergeLists bool   `arg:"merge_lists" def:"False"`
}

func merge(_ context.Context, _ *modules.Env, in mergeArgs) (any, error) {
	a, ok1 := in.A.(*ordered.Map)
	b, ok2 := in.B.(*ordered.Map)
	if !ok1 || !ok2 {
		return nil, dictupdate.ErrNotDict
	}
	return dictupdate.Merge(a, b, dictupdate.Options{Strategy: in.Strategy, Renderer: in.Renderer, MergeLists: in.MergeLists}), nil
}

const mergeAllDoc = `Merge a list of maps, one after the other, by a strategy.

CLI Example:

    salt-call --output=txt slsutil.merge_all '[{foo: Foo}, {foo: Bar}]'`

type mergeAllArgs struct {
	List       []any  `arg:"lst"`
	Strategy   string `arg:"strategy" def:"'smart'"`
	Renderer   string `arg:"renderer" def:"'yaml'"`
	MergeLists bool   `arg:"merge_lists" def:"False"`
}

func mergeAll(_ context.Context, _ *modules.Env, in mergeAllArgs) (any, error) {
	out := ordered.New(0)
	for _, e := range in.List {
		m, ok := e.(*ordered.Map)
		if !ok {
			return nil, dictupdate.ErrNotDict
		}
		out = dictupdate.Merge(out, m, dictupdate.Options{Strategy: in.Strategy, Renderer: in.Renderer, MergeLists: in.MergeLists})
	}
	return out, nil
}

const rendererDoc = `Render a file or a text with a pipeline of renderers; the first line of the text may name another one.

CLI Example:

    salt '*' slsutil.renderer salt://path/to/file
    salt '*' slsutil.renderer /path/to/file.jinja default_renderer='jinja'
    salt '*' slsutil.renderer string='Hello, {{ name }}.' name='world'`

type rendererArgs struct {
	Path     any            `arg:"path" def:"None"`
	String   any            `arg:"string" def:"None"`
	Renderer string         `arg:"default_renderer" def:"'jinja|yaml'"`
	Kwargs   modules.Kwargs `arg:"**kwargs"`
}

func renderer(ctx context.Context, env *modules.Env, in rendererArgs) (any, error) {
	hasPath, hasText := pyfmt.Truth(in.Path), pyfmt.Truth(in.String)
	switch {
	case !hasPath && !hasText:
		return nil, modules.Invalidf("Must pass either path or string")
	case hasPath && hasText:
		return nil, modules.Invalidf("Must not pass both path and string")
	}
	o := rendering.Options{Saltenv: in.Kwargs.String("saltenv"), Vars: in.Kwargs}
	src := []byte(pyfmt.Str(in.String))
	if hasPath {
		path := pyfmt.Str(in.Path)
		saltenv := o.Saltenv
		if saltenv == "" {
			saltenv = "base"
		}
		got, err := env.Call(ctx, "cp.get_url", modules.Pos(path).With("saltenv", saltenv))
		if err != nil {
			return nil, err
		}
		local, ok := got.(string)
		if !ok || local == "" {
			return nil, modules.Errorf("Unable to fetch %s from saltenv %s", path, saltenv)
		}
		if src, err = os.ReadFile(local); err != nil {
			return nil, modules.Errorf("Unable to read %s: %v", path, err)
		}
		o.Path = strings.TrimPrefix(path, "salt://")
	}
	return render.Render(ctx, src, rendering.Env(ctx, env, o), render.Options{Default: in.Renderer})
}

const serializeDoc = `Write data in a format: json, yaml, configparser, python or msgpack.

CLI Example:

    salt '*' --no-parse=obj slsutil.serialize 'json' obj="{'foo': 'Foo!'}"`

type serializeArgs struct {
	Serializer string         `arg:"serializer"`
	Obj        any            `arg:"obj"`
	Kwargs     modules.Kwargs `arg:"**mod_kwargs"`
}

func serialize(_ context.Context, _ *modules.Env, in serializeArgs) (any, error) {
	if in.Serializer == "msgpack" {
		return proto.Encode(ordered.Of(in.Obj))
	}
	out, err := serializers.Serialize(in.Serializer, in.Obj, in.Kwargs)
	var unknown *serializers.UnknownError
	if errors.As(err, &unknown) {
		return nil, modules.Errorf("%v", err)
	}
	return out, err
}

const deserializeDoc = `Read data in a format: json, yaml, configparser or msgpack.

CLI Example:

    salt '*' slsutil.deserialize 'json' '{"foo": "Foo!"}'`

type deserializeArgs struct {
	Serializer string         `arg:"serializer"`
	Text       any            `arg:"stream_or_string"`
	Kwargs     modules.Kwargs `arg:"**mod_kwargs"`
}

func deserialize(_ context.Context, _ *modules.Env, in deserializeArgs) (any, error) {
	raw, ok := in.Text.([]byte)
	if !ok {
		text, ok := in.Text.(string)
		if !ok {
			return nil, errors.New("the JSON object must be str, bytes or bytearray, not " + pyfmt.Type(in.Text))
		}
		raw = []byte(text)
	}
	if in.Serializer == "msgpack" {
		return proto.DecodeAny(raw)
	}
	out, err := serializers.Deserialize(in.Serializer, string(raw))
	var unknown *serializers.UnknownError
	if errors.As(err, &unknown) {
		return nil, modules.Errorf("%v", err)
	}
	return out, err
}

const boolstrDoc = `Tell one of two texts, by whether a value is true.

CLI Example:

    salt '*' slsutil.boolstr True yes no`

type boolstrArgs struct {
	Value any `arg:"value"`
	True  any `arg:"true" def:"'true'"`
	False any `arg:"false" def:"'false'"`
}

func boolstr(_ context.Context, _ *modules.Env, in boolstrArgs) (any, error) {
	if pyfmt.Truth(in.Value) {
		return in.True, nil
	}
	return in.False, nil
}

type existsArgs struct {
	Path    string `arg:"path"`
	Saltenv string `arg:"saltenv" def:"'base'"`
}

const fileExistsDoc = `Tell whether the master has a file.

CLI Example:

    salt '*' slsutil.file_exists nginx/defaults.yaml`

func fileExists(ctx context.Context, env *modules.Env, in existsArgs) (any, error) {
	return listed(ctx, env, in, env.Files.List)
}

const dirExistsDoc = `Tell whether the master has a folder.

CLI Example:

    salt '*' slsutil.dir_exists nginx/files`

func dirExists(ctx context.Context, env *modules.Env, in existsArgs) (any, error) {
	return listed(ctx, env, in, env.Files.Dirs)
}

func listed(ctx context.Context, _ *modules.Env, in existsArgs, list func(context.Context, string, string) ([]string, error)) (bool, error) {
	all, err := list(ctx, in.Saltenv, "")
	return slices.Contains(all, in.Path), err
}

const pathExistsDoc = `Tell whether the master has a file or folder.

CLI Example:

    salt '*' slsutil.path_exists nginx/defaults.yaml`

func pathExists(ctx context.Context, env *modules.Env, in existsArgs) (any, error) {
	ok, err := listed(ctx, env, in, env.Files.List)
	if ok || err != nil {
		return ok, err
	}
	return listed(ctx, env, in, env.Files.Dirs)
}

const findupDoc = `Find a file of the master in a folder or the nearest one above it that has it.

CLI Example:

    salt '*' slsutil.findup formulas/shared/nginx map.jinja`

type findupArgs struct {
	Start     string `arg:"startpath"`
	Filenames any    `arg:"filenames"`
	Saltenv   string `arg:"saltenv" def:"'base'"`
}

func findup(ctx context.Context, env *modules.Env, in findupArgs) (any, error) {
	there := func(path string) (bool, error) {
		v, err := pathExists(ctx, env, existsArgs{path, in.Saltenv})
		return v == true, err
	}
	start := in.Start
	if start != "" {
		start = pypath.Normpath(start)
		if ok, err := there(start); !ok {
			return nil, errors.Join(err, modules.Invalidf("Starting path not found in the state tree: %s", start))
		}
	}
	names, ok := in.Filenames.([]any)
	if one, isText := in.Filenames.(string); isText {
		names, ok = []any{one}, true
	}
	if !ok {
		return nil, modules.Invalidf("Filenames argument must be a string or list of strings")
	}
	for {
		for _, n := range names {
			full := pypath.Normpath(pypath.Join(start, pyfmt.Str(n)))
			if ok, err := there(full); ok || err != nil {
				return full, err
			}
		}
		if start == "" {
			return nil, modules.Errorf("File pattern(s) not found in path ancestry")
		}
		start = pypath.Dirname(start)
	}
}
