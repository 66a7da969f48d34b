package render

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyyaml"
	"brine/render/jinja"
	"brine/render/syntax"
)

// textOf is the input of a stage that needs text.
func textOf(in any, name string) (string, error) {
	s, ok := in.(string)
	if !ok {
		return "", fmt.Errorf("the renderer '%s' needs text, but the one before it made data", name)
	}
	return s, nil
}

func renderJinja(ctx context.Context, in any, env *Env, args string) (any, error) {
	src, err := textOf(in, "jinja")
	if err != nil {
		return nil, err
	}
	if args != "" && args != "-s" {
		return nil, fmt.Errorf("Unknown renderer option: %s", args)
	}
	if !strings.Contains(src, "{") { // nothing for Jinja to do but to settle on one kind of line break
		return strings.ReplaceAll(strings.ReplaceAll(src, "\r\n", "\n"), "\r", "\n"), nil
	}
	return jinja.Render(ctx, &jinja.Input{
		Source: src, Vars: env.variables(), Salt: env.Salt, Loader: env.loader(), Cache: env.Cache, Limits: env.Limits,
		Syntax: env.syntax(), AllowUndefined: env.Opts.Value("allow_undefined") == true,
	})
}

// syntax reads the options that change how templates are read: jinja_sls_env for an SLS, jinja_env for other files.
func (e *Env) syntax() syntax.Options {
	name := "jinja_env"
	if e.SLS != "" {
		name = "jinja_sls_env"
	}
	set := e.Opts.Map(name)
	flag := func(key, old string) bool {
		if v, ok := e.Opts.Value(old).(bool); ok && v && old != "" {
			return true
		}
		v, _ := set.Value(key).(bool)
		return v
	}
	return syntax.Options{
		TrimBlocks: flag("trim_blocks", "jinja_trim_blocks"), LstripBlocks: flag("lstrip_blocks", "jinja_lstrip_blocks"),
		KeepTrailingNewline: flag("keep_trailing_newline", ""),
	}
}

// bound is a Loader of one environment.
type bound struct {
	l       Loader
	saltenv string
}

// Load implements jinja.Loader.
func (b bound) Load(ctx context.Context, path string) ([]byte, error) {
	return b.l.Load(ctx, b.saltenv, path)
}

func (e *Env) loader() jinja.Loader {
	if e.Loader == nil {
		return nil
	}
	return bound{e.Loader, e.Saltenv}
}

// renderYAML reads YAML; what is empty or false is an empty map.
func renderYAML(_ context.Context, in any, _ *Env, _ string) (any, error) {
	src, err := textOf(in, "yaml")
	if err != nil {
		return nil, err
	}
	v, err := pyyaml.Load([]byte(src), pyyaml.Options{})
	if err != nil {
		return nil, yamlError(err, src)
	}
	switch t := v.(type) {
	case nil:
		return ordered.New(0), nil
	case bool:
		if !t {
			return ordered.New(0), nil
		}
	case string:
		if t == "" {
			return ordered.New(0), nil
		}
	case int64:
		if t == 0 {
			return ordered.New(0), nil
		}
	case []any:
		if len(t) == 0 {
			return ordered.New(0), nil
		}
	}
	return v, nil
}

// yamlError words an error of the scanner with the lines around it, as Salt does.
func yamlError(err error, src string) error {
	var e *pyyaml.Error
	if !errors.As(err, &e) || e.Stage != pyyaml.Scanner {
		return err
	}
	problem := e.Problem
	lines := strings.Split(src, "\n")
	if at := e.ProblemMark; at != nil && problem == "found character that cannot start any token" &&
		at.Line <= len(lines) && strings.HasPrefix(strings.TrimLeft(lines[at.Line-1], " "), "\t") {
		problem = "Illegal tab character"
	}
	return fmt.Errorf("%s; line %d\n\n%s%w", problem, e.Line(), jinja.Context(src, e.Line()), quiet{err})
}

// quiet keeps an error in the chain without repeating its text.
type quiet struct{ error }

func (quiet) Error() string   { return "" }
func (q quiet) Unwrap() error { return q.error }

func renderJSON(_ context.Context, in any, _ *Env, _ string) (any, error) {
	src, err := textOf(in, "json")
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(src, "#!") {
		_, src, _ = strings.Cut(src, "\n")
	}
	if strings.TrimSpace(src) == "" {
		return ordered.New(0), nil
	}
	v, err := ordered.FromJSON([]byte(src))
	if err != nil {
		return nil, jsonError(err, src)
	}
	return v, nil
}

func jsonError(err error, src string) error {
	var s *json.SyntaxError
	if !errors.As(err, &s) {
		return err
	}
	line := 1 + strings.Count(src[:min(int(s.Offset), len(src))], "\n")
	return fmt.Errorf("%w; line %d\n\n%s", err, line, jinja.Context(src, line))
}

var pgpMessage = regexp.MustCompile(`(?s)-----BEGIN PGP MESSAGE-----.*?-----END PGP MESSAGE-----`)

// renderGPG opens the PGP messages in text, or in all texts of data.
func renderGPG(ctx context.Context, in any, env *Env, _ string) (any, error) {
	switch t := in.(type) {
	case string:
		return decrypt(ctx, t, env)
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			v, err := renderGPG(ctx, e, env, "")
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	case *ordered.Map:
		out := ordered.New(t.Len())
		for k, e := range t.All() {
			v, err := renderGPG(ctx, e, env, "")
			if err != nil {
				return nil, err
			}
			out.Set(k, v)
		}
		return out, nil
	}
	return in, nil
}

func decrypt(ctx context.Context, s string, env *Env) (string, error) {
	if !pgpMessage.MatchString(s) {
		return s, nil
	}
	if env.Decrypt == nil {
		return "", errors.New("the gpg renderer has no key to open PGP messages with")
	}
	var failed error
	out := pgpMessage.ReplaceAllStringFunc(s, func(message string) string {
		plain, err := env.Decrypt(ctx, message)
		if err != nil && failed == nil {
			failed = fmt.Errorf("decrypt a PGP message: %w", err)
		}
		return plain
	})
	return strings.TrimRight(out, "\n"), failed // a YAML block leaves line ends that are no part of the secret
}
