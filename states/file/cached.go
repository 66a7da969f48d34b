package file

import (
	"context"
	"os"

	"brine/internal/ordered"
	"brine/internal/pyerr"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pyurl"
	"brine/modules"
	"brine/states"
)

func cacheFuncs() []states.Func {
	return []states.Func{
		states.Opaque("cached", "See that a file is in the minion's cache.", cached),
		states.Opaque("not_cached", "See that a file is not in the minion's cache.", notCached),
	}
}

type cachedArgs struct {
	Name           string `arg:"name"`
	SourceHash     any    `arg:"source_hash" def:"''"`
	SourceHashName any    `arg:"source_hash_name" def:"None"`
	SkipVerify     bool   `arg:"skip_verify" def:"False"`
	Saltenv        any    `arg:"saltenv" def:"'base'"`
	UseEtag        bool   `arg:"use_etag" def:"False"`
}

func local(u pyurl.URL) bool { return u.Scheme == "" || u.Scheme == "file" }

// cached fills the minion's own cache and nothing else, in a dry run too: what comes after needs the file to tell what
// would change.
func cached(ctx context.Context, env *states.Env, in cachedArgs) (*states.Result, error) {
	u := pyurl.Parse(in.Name)
	if !in.SkipVerify && !pyfmt.Truth(in.SourceHash) && !in.UseEtag && pyurl.Remote(u.Scheme) {
		return states.Failed("Unable to verify upstream hash of source file %s, please set source_hash or set skip_verify or use_etag to True", pyurl.Redact(in.Name)), nil
	}
	want, kind := "", env.Opts.String("hash_type")
	if pyfmt.Truth(in.SourceHash) {
		sum, err := states.Dict(env.Call(ctx, "file.get_source_sum", modules.Args{Kw: ordered.Pairs("source", in.Name, "source_hash", in.SourceHash,
			"source_hash_name", in.SourceHashName, "saltenv", in.Saltenv)}))
		if r, err := states.Refused(err); r != nil || err != nil {
			return r, err
		}
		if sum.Len() == 0 {
			return states.Failed("Failed to get source hash from %s. This may be a bug. If this error persists, please report it and set skip_verify to True to work around it.",
				pyfmt.Str(in.SourceHash)), nil
		}
		want = sum.String("hsum")
		if s := sum.String("hash_type"); s != "" {
			kind = s
		}
	}
	if kind == "" {
		kind = "sha256"
	}
	if in.SkipVerify {
		want = ""
	}
	if local(u) {
		return onMinion(ctx, env, u.Path, want, kind)
	}
	return in.fetch(ctx, env, want, kind)
}

func hashOf(ctx context.Context, env *states.Env, path, kind string) (string, error) {
	v, err := call(ctx, env, "file.get_hash", path, kind)
	return text(v), err
}

func onMinion(ctx context.Context, env *states.Env, path, want, kind string) (*states.Result, error) {
	path = pypath.Realpath(pypath.Expanduser(path))
	switch {
	case !pypath.Exists(path):
		return states.Failed("File %s is not present on the minion", path), nil
	case want == "":
		return states.Fine("File " + path + " is present on the minion"), nil
	}
	have, err := hashOf(ctx, env, path, kind)
	switch {
	case err != nil:
		return nil, err
	case have == want:
		return states.Fine("File " + path + " is present on the minion and has hash " + have), nil
	}
	return states.Failed("File %s is present on the minion, but the hash (%s) does not match the specified hash (%s)", path, have, want), nil
}

func (in cachedArgs) fetch(ctx context.Context, env *states.Env, want, kind string) (*states.Result, error) {
	v, err := env.Call(ctx, "cp.is_cached", modules.Pos(in.Name).With("saltenv", in.Saltenv))
	if err != nil {
		return nil, err
	}
	var before any
	if path := text(v); path != "" {
		if before, err = hashOf(ctx, env, path, kind); err != nil {
			return nil, err
		}
	}
	var given any
	if want != "" {
		given = want
	}
	v, err = env.Call(ctx, "cp.cache_file", modules.Pos(in.Name).With("saltenv", in.Saltenv).With("source_hash", given).With("use_etag", in.UseEtag))
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return states.Failed("%s", pyurl.Redact(err.Error())), nil
	}
	path := text(v)
	if path == "" || v == false {
		return states.Failed("Failed to cache %s, check minion log for more information", pyurl.Redact(in.Name)), nil
	}
	after, err := hashOf(ctx, env, path, kind)
	if err != nil {
		return nil, err
	}
	r := states.Fine("File is cached to " + path)
	r.Changes = ordered.New(1)
	if before != after {
		r.Changes.Set("hash", ordered.Pairs("old", before, "new", after))
	}
	switch {
	case want == "":
	case after == want:
		r.Comment = "File is already cached to " + path + " with hash " + after
	default:
		r.OK, r.Comment = states.False(), "File is cached to "+path+", but the hash ("+after+") does not match the specified hash ("+want+")"
	}
	return r, nil
}

type notCachedArgs struct {
	Name    string `arg:"name"`
	Saltenv any    `arg:"saltenv" def:"'base'"`
}

// notCached removes from the minion's own cache; a dry run leaves the copy and says so.
func notCached(ctx context.Context, env *states.Env, in notCachedArgs) (*states.Result, error) {
	if u := pyurl.Parse(in.Name); local(u) {
		return states.Fine("File " + pypath.Realpath(pypath.Expanduser(u.Path)) + " is a local path, no action taken"), nil
	}
	v, err := env.Call(ctx, "cp.is_cached", modules.Pos(in.Name).With("saltenv", in.Saltenv))
	if err != nil {
		return nil, err
	}
	path := text(v)
	if path == "" {
		return states.Fine(in.Name + " is not cached"), nil
	}
	if env.Test {
		return &states.Result{Comment: path + " would be deleted", Changes: ordered.Pairs("deleted", true)}, nil
	}
	if err := os.Remove(path); err != nil {
		return states.Failed("Failed to delete %s: %s", path, pyerr.Text(err)), nil
	}
	return &states.Result{OK: states.True(), Comment: path + " was deleted", Changes: ordered.Pairs("deleted", true)}, nil
}
