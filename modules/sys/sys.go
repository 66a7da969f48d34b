// Package sys holds the sys.* functions: they tell which functions there are, what they do and what they take.
package sys

import (
	"context"

	"brine/modules"
	"brine/states"
)

// States is where state functions are looked up; *states.Registry is one.
type States interface {
	Functions(env *modules.Env, pattern string) []string
	Lookup(env *modules.Env, full string) (*states.State, *states.Func, error)
}

// Entry describes one function of a further kind: a runner, a returner or a renderer.
type Entry struct {
	Name, Doc string
	Spec      *modules.Spec
}

// Deps are the registries beside that of the execution functions. Each may be nil: then that kind has no functions.
type Deps struct {
	States    func() States
	Runners   func() []Entry
	Returners func() []Entry
	Renderers func() []Entry
}

// Module is the family.
func Module(d Deps) modules.Module {
	return modules.Module{Name: "sys", Doc: "Functions that describe functions.", Funcs: []modules.Func{
		modules.PureFn("argspec", argspecDoc, d.report(functions)),
		modules.PureFn("doc", docDoc, d.docs(functions, anyModule)),
		modules.PureFn("list_functions", listFunctionsDoc, d.names(functions)),
		modules.PureFn("list_modules", listModulesDoc, d.families(functions)),
		modules.PureFn("list_renderers", listRenderersDoc, d.listRenderers),
		modules.PureFn("list_returner_functions", listReturnerFunctionsDoc, d.names(d.returners)),
		modules.PureFn("list_returners", listReturnersDoc, d.families(d.returners)),
		modules.PureFn("list_runner_functions", listRunnerFunctionsDoc, d.names(d.runners)),
		modules.PureFn("list_runners", listRunnersDoc, d.families(d.runners)),
		modules.PureFn("list_state_functions", listStateFunctionsDoc, d.names(d.states)),
		modules.PureFn("list_state_modules", listStateModulesDoc, d.families(d.states)),
		modules.PureFn("reload_modules", reloadDoc, reload),
		modules.PureFn("renderer_doc", rendererDocDoc, d.rendererDocs),
		modules.PureFn("returner_argspec", returnerArgspecDoc, d.report(d.returners)),
		modules.PureFn("returner_doc", returnerDocDoc, d.docs(d.returners, anyModule)),
		modules.PureFn("runner_argspec", runnerArgspecDoc, d.report(d.runners)),
		modules.PureFn("runner_doc", runnerDocDoc, d.docs(d.runners, anyModule)),
		modules.PureFn("state_argspec", stateArgspecDoc, d.report(d.states)),
		modules.PureFn("state_doc", stateDocDoc, d.docs(d.states, d.familyDoc)),
		modules.PureFn("state_schema", stateSchemaDoc, d.stateSchema),
	}}
}

// source lists the functions of one kind, sorted by name.
type source func(env *modules.Env) []Entry

func functions(env *modules.Env) []Entry {
	var out []Entry
	for _, name := range env.Mods.Functions(env, "") {
		if f, err := env.Mods.Lookup(env, name); err == nil {
			out = append(out, Entry{Name: name, Doc: f.Doc, Spec: f.Spec()})
		}
	}
	return out
}

func (d Deps) states(env *modules.Env) []Entry {
	if d.States == nil {
		return nil
	}
	reg := d.States()
	var out []Entry
	for _, name := range reg.Functions(env, "") {
		if _, f, err := reg.Lookup(env, name); err == nil {
			out = append(out, Entry{Name: name, Doc: f.Doc, Spec: f.Spec()})
		}
	}
	return out
}

func entries(f func() []Entry) []Entry {
	if f == nil {
		return nil
	}
	return f()
}

func (d Deps) runners(*modules.Env) []Entry   { return entries(d.Runners) }
func (d Deps) returners(*modules.Env) []Entry { return entries(d.Returners) }
func (d Deps) renderers(*modules.Env) []Entry { return entries(d.Renderers) }

const reloadDoc = `Load the execution functions anew. They are always up to date, so there is nothing to do; it answers True.

CLI Example:

    salt '*' sys.reload_modules`

func reload(context.Context, *modules.Env, struct{}) (any, error) { return true, nil }

const listFunctionsDoc = `List the functions, all or those of the given families, names or globs.

CLI Example:

    salt '*' sys.list_functions
    salt '*' sys.list_functions sys user
    salt '*' sys.list_functions 'sys.list_*'`

const listModulesDoc = `List the families of functions, all or those that match.

CLI Example:

    salt '*' sys.list_modules
    salt '*' sys.list_modules 's*'`

const listStateFunctionsDoc = `List the state functions, all or those of the given families, names or globs.

CLI Example:

    salt '*' sys.list_state_functions
    salt '*' sys.list_state_functions 'file.s*'`

const listStateModulesDoc = `List the families of state functions, all or those that match.

CLI Example:

    salt '*' sys.list_state_modules
    salt '*' sys.list_state_modules 'mysql_*'`

const listRunnersDoc = `List the families of runner functions, all or those that match.

CLI Example:

    salt '*' sys.list_runners
    salt '*' sys.list_runners 'm*'`

const listRunnerFunctionsDoc = `List the runner functions, all or those of the given families, names or globs.

CLI Example:

    salt '*' sys.list_runner_functions
    salt '*' sys.list_runner_functions state`

const listReturnersDoc = `List the returners, all or those that match.

CLI Example:

    salt '*' sys.list_returners
    salt '*' sys.list_returners 's*'`

const listReturnerFunctionsDoc = `List the functions of the returners, all or those of the given returners, names or globs.

CLI Example:

    salt '*' sys.list_returner_functions
    salt '*' sys.list_returner_functions sqlite3`

const listRenderersDoc = `List the renderers, all or those that match.

CLI Example:

    salt '*' sys.list_renderers
    salt '*' sys.list_renderers 'yaml*'`

const argspecDoc = `Tell the parameters of functions: their names, the defaults of the last of them, and whether any others are taken.

CLI Example:

    salt '*' sys.argspec pkg.install
    salt '*' sys.argspec sys
    salt '*' sys.argspec 'pkg.*'`

const stateArgspecDoc = `Tell the parameters of state functions.

CLI Example:

    salt '*' sys.state_argspec pkg.installed
    salt '*' sys.state_argspec file`

const runnerArgspecDoc = `Tell the parameters of runner functions.

CLI Example:

    salt '*' sys.runner_argspec state`

const returnerArgspecDoc = `Tell the parameters of the functions of returners.

CLI Example:

    salt '*' sys.returner_argspec 'sqlite3.get_*'`

const docDoc = `Tell what functions do, all or those of the given families, names or globs.

CLI Example:

    salt '*' sys.doc
    salt '*' sys.doc sys.doc
    salt '*' sys.doc network.traceroute user.info
    salt '*' sys.doc 'sys.list_*'`

const stateDocDoc = `Tell what state functions do, all or those of the given families, names or globs.

CLI Example:

    salt '*' sys.state_doc
    salt '*' sys.state_doc service.running`

const runnerDocDoc = `Tell what runner functions do.

CLI Example:

    salt '*' sys.runner_doc
    salt '*' sys.runner_doc cache.grains`

const returnerDocDoc = `Tell what the functions of returners do.

CLI Example:

    salt '*' sys.returner_doc
    salt '*' sys.returner_doc sqlite3`

const rendererDocDoc = `Tell what renderers do.

CLI Example:

    salt '*' sys.renderer_doc
    salt '*' sys.renderer_doc jinja json`

const stateSchemaDoc = `Tell the parameters of state functions as JSON Schemas.

CLI Example:

    salt '*' sys.state_schema
    salt '*' sys.state_schema pkg.installed`
