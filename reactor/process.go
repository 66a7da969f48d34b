package reactor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// workflow lists the kinds of hooks that a message goes through, in order.
type workflow []string

var (
	simple   = workflow{"handler", "trigger", "filter", "returner"}
	extended = workflow{"validator", "handler", "converter", "trigger", "filter", "enricher", "returner"}
)

func truth(v any) bool { return pyfmt.Truth(v) }

// process brings one message through its workflow and gives the result of the chain. A message for a dedicated worker is
// handed over when mayHandOver is set.
func (e *Engine) process(ctx context.Context, msg *ordered.Map, def workflow, mayHandOver bool) (any, error) {
	if msg == nil {
		return nil, errors.New("a message is a map")
	}
	if w := msg.String("worker"); mayHandOver && w != "" && w != "shared" {
		return nil, e.handOver(w, msg)
	}
	flow := def
	switch msg.String("workflow") {
	case "":
	case "simple":
		flow = simple
	case "extended":
		flow = extended
	case "manage":
		return e.Manage(ctx, msg.List("args"), msg.Map("kwargs"))
	default:
		return nil, fmt.Errorf("there is no workflow %q", msg.String("workflow"))
	}
	own, _ := ordered.Copy(msg).(*ordered.Map) // the message is the configuration's, and hooks may keep what they get
	p := &passage{e: e, msg: own, args: own.List("args"), kwargs: own.Map("kwargs")}
	var v any
	for _, kind := range flow {
		next, done, err := p.stage(ctx, kind, v)
		if err != nil || done {
			return next, err
		}
		v = next
	}
	return v, nil
}

// passage is one message on its way.
type passage struct {
	e      *Engine
	msg    *ordered.Map
	args   []any
	kwargs *ordered.Map
}

// stage runs the hooks of one kind; done ends the chain with the value.
func (p *passage) stage(ctx context.Context, kind string, v any) (next any, done bool, err error) {
	hooks, err := p.hooks(kind)
	if err != nil {
		return nil, true, err
	}
	switch kind {
	case "validator":
		for _, h := range hooks {
			text, err := h.call(ctx, p, p.args, p.kwargs)
			if err != nil || truth(text) {
				return nil, true, errors.Join(err, textError(text))
			}
		}
	case "handler":
		return p.handle(ctx, hooks)
	case "converter", "filter", "enricher":
		if len(hooks) == 0 {
			return v, false, nil
		}
		out, err := p.first(ctx, hooks, v)
		if err != nil {
			return nil, true, err
		}
		// A converter that has nothing to say leaves the result; a filter that lets nothing through ends the chain.
		if kind == "converter" && out == nil {
			out = v
		}
		return out, kind != "converter" && !truth(out), nil
	case "trigger":
		p.trigger(ctx, hooks, v)
	case "returner":
		var errs []error
		for _, h := range hooks {
			if _, err := h.call(ctx, p, []any{v}, nil); err != nil {
				errs = append(errs, fmt.Errorf("returner %s: %w", h.name, err))
			}
		}
		return v, false, errors.Join(errs...)
	}
	return v, false, nil
}

func textError(v any) error {
	if !truth(v) {
		return nil
	}
	return errors.New(pyfmt.Str(v))
}

// handle runs the one handler. After a failure the triggers hear of it still.
func (p *passage) handle(ctx context.Context, hooks []*hook) (any, bool, error) {
	if len(hooks) != 1 {
		return nil, true, errors.New("a message has one handler")
	}
	v, err := hooks[0].call(ctx, p, p.args, p.kwargs)
	if err == nil {
		return v, false, nil
	}
	if triggers, terr := p.hooks("trigger"); terr == nil {
		p.trigger(ctx, triggers, ordered.Pairs("error", err.Error()))
	}
	return nil, true, fmt.Errorf("handler %s: %w", hooks[0].name, err)
}

// first gives each hook the same input and takes the first answer that says something.
func (p *passage) first(ctx context.Context, hooks []*hook, v any) (any, error) {
	for _, h := range hooks {
		out, err := h.call(ctx, p, []any{v}, nil)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", h.kind, h.name, err)
		}
		if out != nil {
			return out, nil
		}
	}
	return nil, nil
}

// trigger tells triggers of a result; their failures are logged and nothing more.
func (p *passage) trigger(ctx context.Context, hooks []*hook, v any) {
	for _, h := range hooks {
		if _, err := h.call(ctx, p, []any{v}, nil); err != nil {
			p.e.o.Log.Warn("trigger", zap.String("hook", h.name), zap.Error(err))
		}
	}
}

// hooks finds the hooks of one kind that the message names, separated by commas.
func (p *passage) hooks(kind string) ([]*hook, error) {
	var out []*hook
	names := p.msg.Value(kind)
	if names == nil {
		return nil, nil
	}
	p.e.mu.Lock()
	defer p.e.mu.Unlock()
	for _, name := range strings.Split(pyfmt.Str(names), ",") {
		name = strings.TrimSpace(name)
		h := p.e.hooks[name+"_"+kind]
		if h == nil {
			return nil, fmt.Errorf("there is no %s %q", kind, name)
		}
		out = append(out, h)
	}
	return out, nil
}
