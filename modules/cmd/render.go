package cmd

import (
	"context"

	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/rendering"
)

// render puts the command and the folder through the template engine that was asked for.
func (in *command) render(ctx context.Context, env *modules.Env, c *host.Cmd) error {
	engine := text(in.Template)
	if engine == "" {
		return nil
	}
	if !rendering.Known(engine) {
		return modules.Errorf("Attempted to render file paths with unavailable engine %s", engine)
	}
	o := rendering.Options{Saltenv: text(in.Saltenv)}
	override, _ := in.Kwargs.Value("pillar").(*ordered.Map)
	if pillarenv := text(in.Kwargs.Value("pillarenv")); override != nil || pillarenv != "" {
		var err error
		if o.Pillar, err = env.Pillar.Compile(ctx, pillarenv, override); err != nil {
			return err
		}
	}
	cmd, err := rendering.Text(ctx, env, engine, pyfmt.Str(in.Cmd), o)
	if err != nil {
		return modules.Errorf("Failed to execute cmd with error: %v", err)
	}
	if c.Dir, err = rendering.Text(ctx, env, engine, c.Dir, o); err != nil {
		return modules.Errorf("Failed to execute cmd with error: %v", err)
	}
	in.Cmd = cmd
	return nil
}
