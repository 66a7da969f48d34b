package file

import (
	"context"
	"slices"
	"strings"

	"brine/internal/dictupdate"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/serializers"
	"brine/internal/traverse"
	"brine/modules"
	"brine/states"
)

func serializeFuncs() []states.Func {
	return []states.Func{fn("serialize", "Bring a file to data in a format such as json or yaml.", serialize)}
}

type serializeArgs struct {
	Name           string         `arg:"name"`
	Dataset        any            `arg:"dataset" def:"None"`
	DatasetPillar  any            `arg:"dataset_pillar" def:"None"`
	User           any            `arg:"user" def:"None"`
	Group          any            `arg:"group" def:"None"`
	Mode           any            `arg:"mode" def:"None"`
	Backup         any            `arg:"backup" def:"''"`
	Makedirs       bool           `arg:"makedirs" def:"False"`
	ShowChanges    bool           `arg:"show_changes" def:"True"`
	Create         bool           `arg:"create" def:"True"`
	Merge          bool           `arg:"merge_if_exists" def:"False"`
	Encoding       any            `arg:"encoding" def:"None"`
	EncodingErrors any            `arg:"encoding_errors" def:"'strict'"`
	Serializer     any            `arg:"serializer" def:"None"`
	Opts           *ordered.Map   `arg:"serializer_opts" def:"None"`
	ReadOpts       *ordered.Map   `arg:"deserializer_opts" def:"None"`
	Kwargs         modules.Kwargs `arg:"**kwargs"`
}

func serialize(ctx context.Context, env *states.Env, in serializeArgs) (check, error) {
	if !in.Create && !pypath.IsFile(in.Name) {
		return final(states.Fine("File " + in.Name + " is not present and is not set for creation"))
	}
	formatter := in.Kwargs.Value("formatter")
	in.Kwargs.Delete("formatter")
	kind := "yaml"
	switch {
	case pyfmt.Truth(in.Serializer) && pyfmt.Truth(formatter):
		return refuse("Only one of serializer and formatter are allowed")
	case pyfmt.Truth(in.Serializer):
		kind = strings.ToLower(pyfmt.Str(in.Serializer))
	case pyfmt.Truth(formatter):
		kind = strings.ToLower(pyfmt.Str(formatter))
	}
	if r, err := in.dataset(ctx, env); r != nil || err != nil {
		return states.Done[work](r), err
	}
	if !slices.Contains(serializers.Names(), kind) {
		return refuse("The %s serializer could not be found. It either does not exist or its prerequisites are not installed.", kind)
	}
	if r, err := in.merged(kind); r != nil || err != nil {
		return states.Done[work](r), err
	}
	contents, err := serializers.Serialize(kind, in.Dataset, in.options(kind))
	if err != nil {
		return check{}, err
	}
	contents += "\n"
	if env.Test {
		return in.predict(ctx, env, contents)
	}
	return check{Plan: func(ctx context.Context) (*states.Result, error) {
		ret := ordered.Pairs("changes", ordered.New(0), "comment", "", "name", in.Name, "result", true)
		v, err := env.Call(ctx, "file.manage_file", modules.Pos(in.Name, "", ret, nil, ordered.New(0), in.User, in.Group, modeOf(in.Mode), nil, env.Saltenv, in.Backup,
			in.Makedirs, nil, in.ShowChanges, contents).With("encoding", in.Encoding).With("encoding_errors", in.EncodingErrors))
		if err != nil {
			return nil, err
		}
		return in.warned(resultOf(v)), nil
	}}, nil
}

// warned adds that options are of no use.
func (in serializeArgs) warned(r *states.Result) *states.Result {
	if !in.Merge && in.ReadOpts.Len() > 0 {
		r.Warnings = append(r.Warnings, "The 'deserializer_opts' option is ignored unless merge_if_exists is set to True.")
	}
	return r
}

// dataset takes the data out of the pillar, when it is there.
func (in *serializeArgs) dataset(ctx context.Context, env *states.Env) (*states.Result, error) {
	if pyfmt.Truth(in.DatasetPillar) {
		if pyfmt.Truth(in.Dataset) {
			return states.Failed("Only one of 'dataset' and 'dataset_pillar' is permitted"), nil
		}
		data, err := env.Pillar.Items(ctx)
		if err != nil {
			return nil, err
		}
		in.Dataset = traverse.Default(data, in.DatasetPillar, "", ":")
	}
	if in.Dataset == nil {
		return states.Failed("Neither 'dataset' nor 'dataset_pillar' was defined"), nil
	}
	return nil, nil
}

// merged puts the data over what is in the file already.
func (in *serializeArgs) merged(kind string) (*states.Result, error) {
	if !in.Merge || !pypath.IsFile(in.Name) {
		return nil, nil
	}
	if kind == "python" {
		return states.Failed("merge_if_exists is not supported for the %s serializer", kind), nil
	}
	content, err := readText(in.Name)
	if err != nil {
		return nil, err
	}
	have, err := serializers.Deserialize(kind, content)
	if err != nil {
		return states.Failed("Failed to deserialize existing data: %v", err), nil
	}
	if have == nil {
		return nil, nil
	}
	a, isMap := have.(*ordered.Map)
	b, isMap2 := in.Dataset.(*ordered.Map)
	if !isMap || !isMap2 {
		return nil, dictupdate.ErrNotDict
	}
	all := dictupdate.Merge(a, b, dictupdate.Options{Strategy: "recurse"})
	if ordered.Equal(a, all) {
		return states.Fine("The file " + in.Name + " is in the correct state"), nil
	}
	in.Dataset = all
	return nil, nil
}

func (in serializeArgs) options(kind string) *ordered.Map {
	o := ordered.New(4)
	switch kind {
	case "yaml":
		o.Set("default_flow_style", false)
	case "json":
		o.Update(ordered.Pairs("indent", 2, "sort_keys", true))
	}
	if pyfmt.Truth(in.Encoding) {
		o.Update(ordered.Pairs("allow_unicode", true, "ensure_ascii", false))
	}
	o.Update(in.Opts)
	return o
}

func (in serializeArgs) predict(ctx context.Context, env *states.Env, contents string) (check, error) {
	kw := ordered.Pairs("name", in.Name, "source", nil, "source_hash", ordered.New(0), "source_hash_name", nil, "user", in.User, "group", in.Group, "mode", modeOf(in.Mode),
		"attrs", nil, "template", nil, "context", nil, "defaults", nil, "saltenv", env.Saltenv, "contents", contents, "skip_verify", false)
	kw.Update(in.Kwargs)
	changes, err := states.Dict(env.Call(ctx, "file.check_managed_changes", modules.Args{Kw: kw}))
	if err != nil {
		return check{}, err
	}
	if changes.Len() == 0 {
		return final(in.warned(states.Fine("The file " + in.Name + " is in the correct state")))
	}
	if !in.ShowChanges {
		changes.Set("diff", "<show_changes=False>")
	}
	return states.Check[work]{Would: in.warned(&states.Result{Comment: "Dataset will be serialized and stored into " + in.Name, Changes: changes})}, nil
}

func decodeFuncs() []states.Func {
	return []states.Func{fn("decode", "Bring a file to content that is given encoded in base64.", decode)}
}

type decodeArgs struct {
	Name     string `arg:"name"`
	Data     any    `arg:"encoded_data" def:"None"`
	Pillar   any    `arg:"contents_pillar" def:"None"`
	Encoding any    `arg:"encoding_type" def:"'base64'"`
	Checksum any    `arg:"checksum" def:"'md5'"`
}

func (in decodeArgs) content(ctx context.Context, env *states.Env) (any, error) {
	switch data, pillar := pyfmt.Truth(in.Data), pyfmt.Truth(in.Pillar); {
	case !data && !pillar:
		return nil, modules.Errorf("Specify either the 'encoded_data' or 'contents_pillar' argument.")
	case data && pillar:
		return nil, modules.Errorf("Specify only one 'encoded_data' or 'contents_pillar' argument.")
	case data:
		return in.Data, nil
	}
	all, err := env.Pillar.Items(ctx)
	if err != nil {
		return nil, err
	}
	v, ok := traverse.Get(all, in.Pillar, ":")
	if !ok || v == false {
		return nil, modules.Errorf("Pillar data not found.")
	}
	return v, nil
}

func decode(ctx context.Context, env *states.Env, in decodeArgs) (check, error) {
	content, err := in.content(ctx, env)
	if err != nil {
		return check{}, err
	}
	changes := ordered.New(2)
	if pypath.IsFile(in.Name) {
		plain, err := call(ctx, env, "hashutil.base64_decodestring", content)
		if err != nil {
			return check{}, err
		}
		want, err := call(ctx, env, "hashutil.digest", plain, in.Checksum)
		if err != nil {
			return check{}, err
		}
		have, err := call(ctx, env, "hashutil.digest_file", in.Name, in.Checksum)
		if err != nil {
			return check{}, err
		}
		if ordered.Equal(want, have) {
			return final(states.Fine("File is in the correct state."))
		}
		changes = ordered.Pairs("old", have, "new", want)
	}
	return change(func(ctx context.Context) (*states.Result, error) {
		ok, err := states.Truth(call(ctx, env, "hashutil.base64_decodefile", content, in.Name))
		if err != nil {
			return nil, err
		}
		if changes.Len() == 0 {
			sum, err := call(ctx, env, "hashutil.digest_file", in.Name, in.Checksum)
			if err != nil {
				return nil, err
			}
			changes = ordered.Pairs("old", nil, "new", sum)
		}
		return &states.Result{OK: &ok, Comment: "File was updated.", Changes: changes}, nil
	}, "File is set to be updated.", changes)
}
