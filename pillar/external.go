package pillar

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"go.uber.org/zap"

	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyyaml"
)

// Bounds of external programs and of files that templates import.
const (
	externalTime = 60 * time.Second
	maxExternal  = 16 << 20
)

func readAll(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxExternal+1))
	if len(b) > maxExternal {
		return nil, fmt.Errorf("a file of more than %d MB", maxExternal>>20)
	}
	return b, err
}

// external joins what the programs of ext_pillar give.
func (c *Compiler) external(ctx context.Context, out *ordered.Map) *ordered.Map {
	for _, e := range c.Opts.List("ext_pillar") {
		m, ok := e.(*ordered.Map)
		if !ok {
			c.fail("The ext_pillar option is malformed: it needs to be a list of name: argument")
			continue
		}
		for k, arg := range m.All() {
			name := ordered.KeyText(k)
			got, err := c.program(ctx, name, arg)
			if err != nil {
				c.Log.Error("ext_pillar", zap.String("name", name), zap.String("minion", c.ID), zap.Error(err))
				c.fail("Failed to load ext_pillar %s: %v", name, err)
				continue
			}
			out = c.merge(out, got)
		}
	}
	return out
}

// program runs one: cmd_yaml and cmd_json are commands whose output is the data; %s stands for the id.
func (c *Compiler) program(ctx context.Context, name string, arg any) (*ordered.Map, error) {
	if name != "cmd_yaml" && name != "cmd_json" {
		return nil, fmt.Errorf("there is no such module: use cmd_yaml or cmd_json with a program of yours")
	}
	if c.Host == nil {
		return nil, fmt.Errorf("programs cannot be run here")
	}
	command := pyfmt.Str(arg)
	if m, ok := arg.(*ordered.Map); ok {
		command = pyfmt.Str(m.Value("command"))
	}
	command = strings.ReplaceAll(command, "%s", c.ID)
	r, err := c.Host.Run(ctx, host.Cmd{Argv: []string{"/bin/sh", "-c", command}, Env: os.Environ(), Dir: "/", Timeout: externalTime, MaxOutput: maxExternal})
	switch {
	case err != nil:
		return nil, err
	case r.TimedOut:
		return nil, fmt.Errorf("%q did not end within %s", command, externalTime)
	case r.Retcode != 0:
		return nil, fmt.Errorf("%q ended with %d: %s", command, r.Retcode, strings.TrimSpace(string(r.Stderr)))
	}
	v, err := pyyaml.Load(r.Stdout, pyyaml.Options{Name: name}) // JSON is YAML
	if name == "cmd_json" && err == nil {
		v, err = ordered.FromJSON(r.Stdout)
	}
	if err != nil {
		return nil, err
	}
	m, ok := v.(*ordered.Map)
	if !ok {
		if v == nil {
			return ordered.New(0), nil
		}
		return nil, fmt.Errorf("%q gave a %s and no map", command, pyfmt.Type(v))
	}
	return m, nil
}
