package sys_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"brine/modules"
	"brine/modules/moduletest"
	"brine/modules/sys"
	"brine/states"
)

type in struct {
	Name   string         `arg:"name"`
	Mode   any            `arg:"mode" def:"None"`
	N      int            `arg:"n" def:"5"`
	Args   []any          `arg:"*args"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func nothing(context.Context, *modules.Env, in) (any, error) { return nil, nil }

func bench(t *testing.T) *moduletest.Bench {
	t.Helper()
	reg, err := states.NewRegistry(states.State{Name: "demo", Doc: "Demo states.", Funcs: []states.Func{
		states.Opaque("there", "Be there.", func(context.Context, *states.Env, struct {
			Name string `arg:"name"`
			Deep any    `arg:"deep" def:"True"`
		}) (*states.Result, error) {
			return nil, nil
		}),
	}})
	require.NoError(t, err)
	d := sys.Deps{
		States:    func() sys.States { return reg },
		Renderers: func() []sys.Entry { return []sys.Entry{{Name: "jinja", Doc: "J."}, {Name: "yaml", Doc: "Y."}} },
	}
	demo := modules.Module{Name: "demo", Funcs: []modules.Func{modules.Fn("run", "Run it.", nothing),
		modules.Fn("rest", "", func(context.Context, *modules.Env, struct{}) (any, error) { return nil, nil })}}
	return moduletest.New(t, sys.Module(d), demo, modules.Module{Name: "demon", Funcs: []modules.Func{modules.Fn("run", "", nothing)}})
}

func TestLists(t *testing.T) {
	t.Parallel()
	b := bench(t)
	b.Want("['demo.rest', 'demo.run']", "sys.list_functions", "demo")
	b.Want("['demo.run', 'demon.run']", "sys.list_functions", "demo*.run", "demon")
	b.Want("['demo.run']", "sys.list_functions", "demo.run")
	b.Want("[]", "sys.list_functions", "nope")
	b.Want("['demo', 'demon', 'sys']", "sys.list_modules")
	b.Want("['demo', 'demon']", "sys.list_modules", "d*")
	b.Want("['demo']", "sys.list_modules", "demo")
	b.Want("['demo.there']", "sys.list_state_functions")
	b.Want("['demo']", "sys.list_state_modules", "demo")
	b.Want("[]", "sys.list_runners")
	b.Want("['yaml']", "sys.list_renderers", "y*")
	b.Want("True", "sys.reload_modules")
}

func TestDescriptions(t *testing.T) {
	t.Parallel()
	b := bench(t)
	b.Want("{'demo.run': {'args': ['name', 'mode', 'n'], 'defaults': [None, 5], 'varargs': True, 'kwargs': True}}", "sys.argspec", "demo.run")
	b.Want("{'demo.rest': {'args': None, 'defaults': None, 'varargs': None, 'kwargs': None}}", "sys.argspec", "demo.re*")
	b.Want("{'demo.there': {'args': ['name', 'deep'], 'defaults': [True], 'varargs': None, 'kwargs': None}}", "sys.state_argspec")
	b.Want("{'demo.rest': '', 'demo.run': 'Run it.'}", "sys.doc", "demo.")
	b.Want("{'demo': 'Demo states.', 'demo.there': 'Be there.'}", "sys.state_doc", "demo")
	b.Want("{'jinja': 'J.'}", "sys.renderer_doc", "jinja")
	b.Want("{'demo.there': {'args': ['name', 'deep'], 'defaults': [True], 'varargs': None, 'kwargs': None}}", "sys.state_argspec", "demo.there")
	b.Want("{}", "sys.runner_doc")
	b.Want("[{'$schema': 'http://json-schema.org/draft-04/schema#', 'title': 'demo.there', 'description': 'demo.there', 'type': 'object', 'properties': "+
		"{'name': {'oneOf': [{'type': 'boolean', 'title': 'name', 'description': 'name'}, {'type': 'integer', 'title': 'name', 'description': 'name'}, "+
		"{'type': 'number', 'title': 'name', 'description': 'name'}, {'type': 'string', 'title': 'name', 'description': 'name'}]}, "+
		"'deep': {'oneOf': [{'type': 'boolean', 'title': 'deep', 'description': 'deep', 'default': True}, {'type': 'integer', 'title': 'deep', 'description': 'deep', 'default': True}, "+
		"{'type': 'number', 'title': 'deep', 'description': 'deep', 'default': True}, {'type': 'string', 'title': 'deep', 'description': 'deep', 'default': True}]}}, "+
		"'x-ordering': ['name', 'deep'], 'additionalProperties': False}]", "sys.state_schema", "demo")
}
