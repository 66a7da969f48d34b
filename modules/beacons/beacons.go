// Package beacons holds the beacons.* functions: they list and change what the minion watches. Texts are Salt's
// (https://docs.saltproject.io/en/3006/ref/modules/all/salt.modules.beacons.html).
package beacons

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"brine/internal/atomicfile"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyyaml"
	"brine/modules"
)

// Manager is what watches for the running minion.
type Manager interface {
	// List gives the beacons that are configured. The map is the caller's.
	List(includeOpts, includePillar bool) *ordered.Map
	// Available lists the names that can be configured.
	Available() []string
	// Check tells what is wrong with an entry.
	Check(name string, data any) error
	// Set adds or replaces an entry; nil removes it.
	Set(name string, data any)
	Replace(config *ordered.Map)
}

// Module is the family. m may be nil: alone, without a minion, nothing is watched.
func Module(m Manager) modules.Module {
	b := &beacons{m}
	return modules.Module{
		Name: "beacons", Doc: "Functions for what the minion watches.",
		Virtual: func(*modules.Env) error {
			if m == nil {
				return modules.Errorf("there are no beacons here: ask the running minion, without --local")
			}
			return nil
		},
		Funcs: []modules.Func{
			modules.Fn("add", doc("Watch something more. The data is checked first.", "beacons.add ps \"[{'processes': {'salt-master': 'stopped'}}]\""), b.add),
			modules.Fn("delete", doc("Watch something no longer.", "beacons.delete ps"), b.delete),
			modules.Fn("disable", doc("Stop watching.", "beacons.disable"), b.switchAll(false)),
			modules.Fn("disable_beacon", doc("Stop one beacon.", "beacons.disable_beacon ps"), b.switchOne(false)),
			modules.Fn("enable", doc("Watch again.", "beacons.enable"), b.switchAll(true)),
			modules.Fn("enable_beacon", doc("Let one beacon watch again.", "beacons.enable_beacon ps"), b.switchOne(true)),
			modules.PureFn("list", doc("List what is watched.", "beacons.list"), b.list),
			modules.PureFn("list_available", doc("List the beacons that can be configured.", "beacons.list_available"), b.available),
			modules.Fn("modify", doc("Change what a beacon watches.", "beacons.modify ps \"[{'processes': {'salt-master': 'stopped'}}]\""), b.modify),
			modules.Fn("reset", doc("Forget all beacons of the configuration.", "beacons.reset"), b.reset),
			modules.Fn("save", doc("Write the beacons, but for those of the pillar, to the minion's configuration.", "beacons.save"), b.save),
		},
	}
}

func doc(text, example string) string {
	return text + "\n\nCLI Example:\n\n    salt '*' " + example
}

type beacons struct{ Manager }

type listArgs struct {
	ReturnYAML    bool           `arg:"return_yaml" def:"True"`
	IncludePillar bool           `arg:"include_pillar" def:"True"`
	IncludeOpts   bool           `arg:"include_opts" def:"True"`
	Kwargs        modules.Kwargs `arg:"**kwargs"`
}

func (b *beacons) list(_ context.Context, _ *modules.Env, in listArgs) (any, error) {
	m := b.List(in.IncludeOpts, in.IncludePillar)
	if m.Len() == 0 {
		return ordered.Pairs("beacons", ordered.New(0)), nil
	}
	if in.ReturnYAML {
		return text(m), nil
	}
	return m, nil
}

func text(m *ordered.Map) string {
	return pyyaml.Dump(ordered.Pairs("beacons", m), pyyaml.DumpOptions{DefaultFlowStyle: pyyaml.Block()})
}

type availableArgs struct {
	ReturnYAML bool `arg:"return_yaml" def:"True"`
}

func (b *beacons) available(_ context.Context, _ *modules.Env, in availableArgs) (any, error) {
	names := ordered.Of(b.Available())
	if in.ReturnYAML {
		return pyyaml.Dump(ordered.Pairs("beacons", names), pyyaml.DumpOptions{DefaultFlowStyle: pyyaml.Block()}), nil
	}
	return names, nil
}

func answer(ok bool, changes *ordered.Map, format string, a ...any) *ordered.Map {
	m := ordered.Pairs("comment", fmt.Sprintf(format, a...), "result", ok)
	if changes != nil {
		m.Set("changes", changes)
	}
	return m
}

type setArgs struct {
	Name   string         `arg:"name"`
	Data   any            `arg:"beacon_data"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func test(kw *ordered.Map) bool { return pyfmt.Truth(kw.Value("test")) }

func (b *beacons) add(_ context.Context, _ *modules.Env, in setArgs) (any, error) {
	if b.List(true, true).Has(in.Name) {
		return answer(false, nil, "Beacon %s is already configured.", in.Name), nil
	}
	if text := b.problem(in.Name, in.Data, "adding"); text != "" {
		return answer(false, nil, "%s", text), nil
	}
	if test(in.Kwargs) {
		return answer(true, nil, "Beacon: %s would be added.", in.Name), nil
	}
	b.Set(in.Name, in.Data)
	return answer(true, ordered.Pairs(in.Name, "added"), "Added beacon: %s.", in.Name), nil
}

// problem tells in Salt's words why an entry is refused, "" when it is good.
func (b *beacons) problem(name string, data any, doing string) string {
	err := b.Check(name, data)
	switch {
	case err == nil:
		return ""
	case b.unknown(name, data):
		return fmt.Sprintf(`Beacon "%s" is not available.`, name)
	}
	return fmt.Sprintf("Beacon %s configuration invalid, not %s.\n%v", name, doing, err)
}

func (b *beacons) unknown(name string, data any) bool {
	if list, ok := data.([]any); ok {
		for _, e := range list {
			if m, ok := e.(*ordered.Map); ok && m.String("beacon_module") != "" {
				name = m.String("beacon_module")
			}
		}
	}
	for _, n := range b.Available() {
		if n == name {
			return false
		}
	}
	return true
}

func (b *beacons) modify(_ context.Context, _ *modules.Env, in setArgs) (any, error) {
	old, ok := b.List(true, true).Get(in.Name)
	if !ok {
		return answer(false, nil, "Beacon %s is not configured.", in.Name), nil
	}
	if text := b.problem(in.Name, in.Data, "modifying"); text != "" {
		return answer(false, nil, "%s", text), nil
	}
	if ordered.Equal(old, in.Data) {
		return answer(true, nil, "Job %s in correct state", in.Name), nil
	}
	changes := ordered.Pairs("diff", "--- \n+++ \n-"+pyfmt.Str(old)+"\n+"+pyfmt.Str(in.Data)+"\n")
	if test(in.Kwargs) {
		return answer(true, changes, "Beacon: %s would be modified.", in.Name), nil
	}
	b.Set(in.Name, in.Data)
	return answer(true, changes, "Modified beacon: %s.", in.Name), nil
}

type nameArgs struct {
	Name   string         `arg:"name"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func (b *beacons) delete(_ context.Context, _ *modules.Env, in nameArgs) (any, error) {
	switch {
	case test(in.Kwargs):
		return answer(true, nil, "Beacon: %s would be deleted.", in.Name), nil
	case b.List(false, true).Has(in.Name):
		return answer(false, nil, "Cannot delete beacon item %s, it is configured in pillar.", in.Name), nil
	case !b.List(true, false).Has(in.Name):
		return answer(false, nil, "Beacon %s does not exist.", in.Name), nil
	}
	b.Set(in.Name, nil)
	return answer(true, ordered.Pairs(in.Name, "removed"), "Deleted beacon: %s.", in.Name), nil
}

type allArgs struct {
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func words(on bool) (past, upper string) {
	if on {
		return "enabled", "Enabled"
	}
	return "disabled", "Disabled"
}

func (b *beacons) switchAll(on bool) func(context.Context, *modules.Env, allArgs) (any, error) {
	past, upper := words(on)
	return func(_ context.Context, _ *modules.Env, in allArgs) (any, error) {
		if test(in.Kwargs) {
			return answer(true, nil, "Beacons would be %s.", past), nil
		}
		b.Set("enabled", on)
		return answer(true, ordered.Pairs("beacons", past), "%s beacons on minion.", upper), nil
	}
}

func (b *beacons) switchOne(on bool) func(context.Context, *modules.Env, nameArgs) (any, error) {
	past, upper := words(on)
	return func(_ context.Context, _ *modules.Env, in nameArgs) (any, error) {
		data, ok := b.List(true, false).Get(in.Name)
		switch {
		case test(in.Kwargs):
			return answer(true, nil, "Beacon %s would be %s.", in.Name, past), nil
		case !ok && b.List(false, true).Has(in.Name):
			return answer(false, nil, "Cannot modify beacon item %s, it is configured in pillar.", in.Name), nil
		case !ok:
			return answer(false, nil, "Beacon %s is not currently configured.", in.Name), nil
		}
		b.Set(in.Name, switched(data, on))
		return answer(true, ordered.Pairs(in.Name, past), "%s beacon %s on minion.", upper, in.Name), nil
	}
}

// switched is an entry with its switch set.
func switched(data any, on bool) any {
	if m, ok := data.(*ordered.Map); ok {
		m.Set("enabled", on)
		return m
	}
	list, _ := data.([]any)
	for _, e := range list {
		if m, ok := e.(*ordered.Map); ok && m.Has("enabled") {
			m.Set("enabled", on)
			return list
		}
	}
	return append(list, ordered.Pairs("enabled", on))
}

func (b *beacons) reset(_ context.Context, _ *modules.Env, in allArgs) (any, error) {
	if test(in.Kwargs) {
		return answer(true, nil, "Beacons would be reset."), nil
	}
	b.Replace(nil)
	return answer(true, nil, "Beacon configuration reset."), nil
}

func (b *beacons) save(_ context.Context, env *modules.Env, _ allArgs) (any, error) {
	path := filepath.Join(filepath.Dir(env.Opts.String("conf_file")), "minion.d", "beacons.conf")
	out := ""
	if m := b.List(true, false); m.Len() > 0 {
		out = text(m)
	}
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = atomicfile.Write(path, []byte(out), 0o600)
	}
	if err != nil {
		return answer(false, nil, "Unable to write to beacons file at %s. Check permissions.", path), nil
	}
	return answer(true, nil, "Beacons saved to %s.", path), nil
}
