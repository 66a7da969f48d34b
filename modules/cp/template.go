package cp

import (
	"context"
	"os"

	"go.uber.org/zap"

	"brine/internal/fileops"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/rendering"
)

const getTemplateDoc = `Fetch a file, render it as a template and put the result at a path. The answer is the path, an empty text when it could not be done.

CLI Example:

    salt '*' cp.get_template salt://path/to/template /minion/dest`

type getTemplateArgs struct {
	Path     string         `arg:"path"`
	Dest     string         `arg:"dest"`
	Template string         `arg:"template" def:"'jinja'"`
	Saltenv  any            `arg:"saltenv" def:"None"`
	Makedirs bool           `arg:"makedirs" def:"False"`
	Kwargs   modules.Kwargs `arg:"**kwargs"`
}

func getTemplate(ctx context.Context, env *modules.Env, in getTemplateArgs) (any, error) {
	got, err := cacheFile(ctx, env, cacheFileArgs{Path: in.Path, Saltenv: in.Saltenv})
	if err != nil {
		return nil, err
	}
	source, ok := got.(string)
	if !ok {
		return "", nil
	}
	content, err := os.ReadFile(source)
	if err != nil {
		return "", nil
	}
	path, saltenv, isSalt := place(env, in.Path, in.Saltenv)
	if !isSalt {
		path, saltenv = "", saltenvOf(env, in.Saltenv)
	}
	o := rendering.Options{Saltenv: saltenv, Path: path, Vars: in.Kwargs.Clone()}
	if given, ok := in.Kwargs.Value("context").(*ordered.Map); ok {
		o.Vars.Delete("context")
		o.Vars.Update(given)
	}
	if o.Pillar, _ = in.Kwargs.Value("pillar").(*ordered.Map); o.Pillar != nil {
		o.Vars.Delete("pillar")
	}
	out, err := rendering.Text(ctx, env, in.Template, string(content), o)
	if err != nil {
		env.Log.Error("a template could not be rendered", zap.String("path", in.Path), zap.Error(err))
		return "", nil
	}
	makedirs := in.Makedirs
	if in.Dest == "" {
		in.Dest, makedirs = webCache(env, in.Path, saltenv), true
	}
	if ok, err := parent(in.Dest, makedirs); !ok {
		return "", err
	}
	return in.Dest, fileops.Put(in.Dest, []byte(out))
}

// renderNames renders an address and a path, when a template engine is named.
func renderNames(ctx context.Context, env *modules.Env, engine string, kwargs modules.Kwargs, names ...*string) error {
	if engine == "" {
		return nil
	}
	if !rendering.Known(engine) {
		return modules.Errorf("Attempted to render file paths with unavailable engine %s", engine)
	}
	var o rendering.Options
	if kwargs.Has("pillar") || kwargs.Has("pillarenv") {
		override, _ := kwargs.Value("pillar").(*ordered.Map)
		pillarenv := ""
		if v := kwargs.Value("pillarenv"); pyfmt.Truth(v) {
			pillarenv = pyfmt.Str(v)
		}
		var err error
		if o.Pillar, err = env.Pillar.Compile(ctx, pillarenv, override); err != nil {
			return err
		}
	}
	for _, n := range names {
		out, err := rendering.Text(ctx, env, engine, *n, o)
		if err != nil {
			return modules.Errorf("Failed to render file path with error: %v", err)
		}
		*n = out
	}
	return nil
}
