// Package config holds the config.* functions: they look values up in the configuration, the grains and the pillar.
package config

import (
	"context"
	"strings"

	"brine/internal/dictupdate"
	"brine/internal/fileinfo"
	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyurl"
	"brine/internal/traverse"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "config", Doc: "Functions for values of the configuration.", Funcs: []modules.Func{
		modules.PureFn("backup_mode", backupModeDoc, backupMode),
		modules.PureFn("dot_vals", dotValsDoc, dotVals),
		modules.PureFn("get", getDoc, get),
		modules.PureFn("items", itemsDoc, items),
		modules.PureFn("manage_mode", manageModeDoc, manageMode),
		modules.PureFn("merge", mergeDoc, merge),
		modules.PureFn("option", optionDoc, option),
		modules.PureFn("valid_fileproto", validProtoDoc, validProto),
	}}
}

// defaults are values that hold where nothing is configured.
func defaults() *ordered.Map {
	return ordered.Pairs(
		"mongo.db", "salt", "mongo.password", "", "mongo.port", 27017, "mongo.user", "",
		"redis.db", "0", "redis.host", "salt", "redis.port", 6379, "test.foo", "unconfigured", "ca.cert_base_path", "/etc/pki",
		"solr.cores", []any{}, "solr.host", "localhost", "solr.port", "8983", "solr.baseurl", "/solr", "solr.type", "master",
		"solr.request_timeout", nil, "solr.init_script", "/etc/rc.d/solr",
		"solr.dih.import_options", ordered.Pairs("clean", false, "optimize", true, "commit", true, "verbose", false),
		"solr.backup_path", nil, "solr.num_backups", 1,
		"poudriere.config", "/usr/local/etc/poudriere.conf", "poudriere.config_dir", "/usr/local/etc/poudriere.d",
		"ldap.uri", "", "ldap.server", "localhost", "ldap.port", "389", "ldap.tls", false, "ldap.no_verify", false, "ldap.anonymous", true,
		"ldap.scope", 2, "ldap.attrs", nil, "ldap.binddn", "", "ldap.bindpw", "",
		"hosts.file", "/etc/hosts", "aliases.file", "/etc/aliases",
		"virt", ordered.Pairs("tunnel", false, "images", "/srv/salt-images"), "docker.exec_driver", "docker-exec",
		"docker.compare_container_networks", ordered.Pairs("static", []any{"Aliases", "Links", "IPAMConfig"},
			"automatic", []any{"IPAddress", "Gateway", "GlobalIPv6Address", "IPv6Gateway"}))
}

// layers are the places where values are looked up, first wins: configuration, grains, pillar, the master's options.
func layers(ctx context.Context, env *modules.Env, omit [4]bool) ([]*ordered.Map, error) {
	var pillar *ordered.Map
	if env.Pillar != nil {
		var err error
		if pillar, err = env.Pillar.Items(ctx); err != nil {
			return nil, err
		}
	}
	all := []*ordered.Map{env.Opts, env.Grains.Items(ctx), pillar, pillar.Map("master")}
	var out []*ordered.Map
	for i, m := range all {
		if !omit[i] && m != nil {
			out = append(out, m)
		}
	}
	return out, nil
}

const backupModeDoc = `Tell the backup mode: the one given, else the configured one.

CLI Example:

    salt '*' config.backup_mode`

type backupArgs struct {
	Backup any `arg:"backup" def:"''"`
}

func backupMode(ctx context.Context, env *modules.Env, in backupArgs) (any, error) {
	if pyfmt.Truth(in.Backup) {
		return in.Backup, nil
	}
	return option(ctx, env, optionArgs{Value: "backup_mode"})
}

const manageModeDoc = `Write a file mode with four digits.

CLI Example:

    salt '*' config.manage_mode 644`

type modeArgs struct {
	Mode any `arg:"mode"`
}

func manageMode(_ context.Context, _ *modules.Env, in modeArgs) (any, error) {
	if mode, ok := fileinfo.ModeOf(in.Mode); ok {
		return mode, nil
	}
	return nil, nil
}

const validProtoDoc = `Tell whether an address has a protocol from which files can be fetched.

CLI Example:

    salt '*' config.valid_fileproto salt://path/to/file`

type uriArgs struct {
	URI string `arg:"uri"`
}

func validProto(_ context.Context, _ *modules.Env, in uriArgs) (any, error) {
	return pyurl.Known(pyurl.Parse(in.URI).Scheme), nil
}

const itemsDoc = `Tell the whole configuration of the minion, defaults included.

CLI Example:

    salt '*' config.items`

func items(_ context.Context, env *modules.Env, _ struct{}) (any, error) {
	return ordered.Copy(env.Opts), nil
}

const dotValsDoc = `Tell the options whose names begin with a word and a dot.

CLI Example:

    salt '*' config.dot_vals host`

type valueArgs struct {
	Value string `arg:"value"`
}

func dotVals(ctx context.Context, env *modules.Env, in valueArgs) (any, error) {
	out := ordered.New(0)
	sources, err := layers(ctx, env, [4]bool{true, true, true, false})
	if err != nil {
		return nil, err
	}
	for _, m := range append(sources, env.Opts) {
		for k, v := range m.All() {
			if strings.HasPrefix(pyfmt.Str(k), in.Value+".") {
				out.Set(k, ordered.Copy(v))
			}
		}
	}
	return out, nil
}

const optionDoc = `Tell a value by its whole name: from the configuration, the grains, the pillar, the master's options or the built-in defaults,
whichever has it first.

omit_opts, omit_grains, omit_pillar, omit_master, omit_all
    places not to look in
wildcard
    take the name as a glob and answer all that matches

CLI Example:

    salt '*' config.option redis.host
    salt '*' config.option '*' omit_all=True wildcard=True`

type optionArgs struct {
	Value      string `arg:"value"`
	Default    any    `arg:"default" def:"None"`
	OmitOpts   bool   `arg:"omit_opts" def:"False"`
	OmitGrains bool   `arg:"omit_grains" def:"False"`
	OmitPillar bool   `arg:"omit_pillar" def:"False"`
	OmitMaster bool   `arg:"omit_master" def:"False"`
	OmitAll    bool   `arg:"omit_all" def:"False"`
	Wildcard   bool   `arg:"wildcard" def:"False"`
}

func option(ctx context.Context, env *modules.Env, in optionArgs) (any, error) {
	omit := [4]bool{in.OmitOpts, in.OmitGrains, in.OmitPillar, in.OmitMaster}
	if in.OmitAll {
		omit = [4]bool{true, true, true, true}
	}
	sources, err := layers(ctx, env, omit)
	if err != nil {
		return nil, err
	}
	sources = append(sources, defaults())
	if in.Wildcard {
		return wildcard(sources, in), nil
	}
	for _, m := range sources {
		if v, ok := m.Get(in.Value); ok {
			return ordered.Copy(v), nil
		}
	}
	if in.Default == nil {
		return "", nil
	}
	return in.Default, nil
}

func wildcard(sources []*ordered.Map, in optionArgs) any {
	out := ordered.New(0)
	for _, m := range sources {
		for k, v := range m.All() {
			if fnmatch.Match(in.Value, pyfmt.Str(k)) && !out.Has(k) {
				out.Set(k, ordered.Copy(v))
			}
		}
	}
	if out.Len() == 0 && in.Default != nil {
		return in.Default
	}
	return out
}

const mergeDoc = `Tell a value by its whole name with what the configuration, the master's options and the pillar have of it put together.

CLI Example:

    salt '*' config.merge schedule`

type mergeArgs struct {
	Value      string `arg:"value"`
	Default    any    `arg:"default" def:"''"`
	OmitOpts   bool   `arg:"omit_opts" def:"False"`
	OmitMaster bool   `arg:"omit_master" def:"False"`
	OmitPillar bool   `arg:"omit_pillar" def:"False"`
}

func merge(ctx context.Context, env *modules.Env, in mergeArgs) (any, error) {
	opts, err := layers(ctx, env, [4]bool{in.OmitOpts, true, true, true})
	if err != nil {
		return nil, err
	}
	master, err := layers(ctx, env, [4]bool{true, true, true, in.OmitMaster})
	if err != nil {
		return nil, err
	}
	pillar, err := layers(ctx, env, [4]bool{true, true, in.OmitPillar, true})
	if err != nil {
		return nil, err
	}
	var ret any
	for _, m := range append(append(opts, master...), pillar...) {
		v, ok := m.Get(in.Value)
		if !ok {
			continue
		}
		ret = together(ret, ordered.Copy(v))
		if text, ok := ret.(string); ok {
			return text, nil
		}
	}
	if ret != nil {
		return ret, nil
	}
	if v, ok := defaults().Get(in.Value); ok {
		return v, nil
	}
	return in.Default, nil
}

// together puts a value of a later place under what there is.
func together(have, more any) any {
	switch h := have.(type) {
	case nil:
		return more
	case *ordered.Map:
		if m, ok := more.(*ordered.Map); ok {
			m.Update(h)
			return m
		}
	case []any:
		if l, ok := more.([]any); ok {
			return append(h, l...)
		}
	}
	return have
}

const getDoc = `Tell a value, nested ones too: from the configuration, the grains, the pillar, the master's options or the built-in defaults, whichever
has it first.

delimiter
    what stands between the parts of the name instead of a colon
merge
    "recurse" or "overwrite": put the places together first, then look

CLI Example:

    salt '*' config.get pkg:apache
    salt '*' config.get lxc.container_profile:centos merge=recurse`

type getArgs struct {
	Key        any    `arg:"key"`
	Default    any    `arg:"default" def:"''"`
	Delimiter  string `arg:"delimiter" def:"':'"`
	Merge      any    `arg:"merge" def:"None"`
	OmitOpts   bool   `arg:"omit_opts" def:"False"`
	OmitPillar bool   `arg:"omit_pillar" def:"False"`
	OmitMaster bool   `arg:"omit_master" def:"False"`
	OmitGrains bool   `arg:"omit_grains" def:"False"`
}

func get(ctx context.Context, env *modules.Env, in getArgs) (any, error) {
	omit := [4]bool{in.OmitOpts, in.OmitGrains, in.OmitPillar, in.OmitMaster}
	if in.Merge != nil {
		omit = [4]bool{}
	}
	sources, err := layers(ctx, env, omit)
	if err != nil {
		return nil, err
	}
	sources = append(sources, defaults())
	if in.Merge != nil {
		all := ordered.New(0)
		for i := len(sources) - 1; i >= 0; i-- {
			all = dictupdate.Merge(all, sources[i], dictupdate.Options{Strategy: pyfmt.Str(in.Merge)})
		}
		sources = []*ordered.Map{all}
	}
	for _, m := range sources {
		if v, ok := traverse.Get(m, in.Key, in.Delimiter); ok {
			return ordered.Copy(v), nil
		}
	}
	return in.Default, nil
}
