package git

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
	"brine/states"
)

type latestArgs struct {
	Name           string         `arg:"name"`
	Rev            string         `arg:"rev" def:"'HEAD'"`
	Target         any            `arg:"target" def:"None"`
	Branch         string         `arg:"branch" def:"''"`
	User           any            `arg:"user" def:"None"`
	Password       any            `arg:"password" def:"None"`
	UpdateHead     bool           `arg:"update_head" def:"True"`
	ForceCheckout  bool           `arg:"force_checkout" def:"False"`
	ForceClone     bool           `arg:"force_clone" def:"False"`
	ForceFetch     bool           `arg:"force_fetch" def:"False"`
	ForceReset     any            `arg:"force_reset" def:"False"`
	Submodules     bool           `arg:"submodules" def:"False"`
	Bare           bool           `arg:"bare" def:"False"`
	Mirror         bool           `arg:"mirror" def:"False"`
	Remote         string         `arg:"remote" def:"'origin'"`
	FetchTags      bool           `arg:"fetch_tags" def:"True"`
	SyncTags       bool           `arg:"sync_tags" def:"True"`
	Depth          any            `arg:"depth" def:"None"`
	Identity       any            `arg:"identity" def:"None"`
	HTTPSUser      any            `arg:"https_user" def:"None"`
	HTTPSPass      any            `arg:"https_pass" def:"None"`
	RefspecBranch  string         `arg:"refspec_branch" def:"'*'"`
	RefspecTag     string         `arg:"refspec_tag" def:"'*'"`
	OutputEncoding any            `arg:"output_encoding" def:"None"`
	Kwargs         modules.Kwargs `arg:"**kwargs"`
}

const latestDoc = `Make sure that a repository is cloned and up to date.

rev
    the branch, tag or revision of the remote; HEAD is the remote's own choice
target
    the folder
branch
    the local branch to have it on; without it whatever is checked out is brought up to rev
update_head
    False: only fetch
force_reset, force_checkout, force_clone, force_fetch
    go on where an update would lose something: True, or for force_reset remote-changes
submodules, bare, mirror, depth, fetch_tags, sync_tags
    as for git
remote, user, identity, https_user, https_pass
    how it is reached`

// state is what was found of the remote and of the checkout.
type state struct {
	repo
	exists bool
	// want is the revision wished; kind tells what rev is: branch, tag, sha1, or "" for an empty remote.
	want, kind string
	// upstream is the tracking branch wished: "" leaves it, "-" is none.
	upstream string
	rev      string // the local HEAD, "" for none
	branch   string
	branches []string
	// base is the revision that an update starts from.
	base string
	// dirty says that there are changes of files that are not committed.
	dirty bool
	// has says that the checkout has the revision wished; forward (with has) that going there loses nothing.
	has, forward bool
	// tracking is the branch that is tracked now, and url the remote's address.
	tracking, url string
	tags          []string
	newTags       []any
	goneTags      []any
}

var sha = regexp.MustCompile(`^[0-9a-fA-F]{1,40}$`)

func (in latestArgs) bare() bool { return in.Bare || in.Mirror }

// loc names the revision wished, as comments do.
func (s *state) loc(in latestArgs) string {
	switch {
	case s.kind == "sha1" && in.Rev == "HEAD":
		return "remote HEAD (" + short(s.want) + ")"
	case s.kind == "sha1":
		return short(s.want)
	case s.kind == "branch":
		return s.upstream + " (" + short(s.want) + ")"
	}
	return in.Rev + " (" + short(s.want) + ")"
}

// resolve finds out what rev is at the remote.
func (s *state) resolve(in latestArgs, refs *ordered.Map) {
	switch {
	case in.bare():
	case in.Rev == "HEAD":
		if s.want = refs.String("HEAD"); s.want != "" {
			s.kind = "sha1"
		}
	case refs.Has("refs/heads/" + in.Rev):
		s.want, s.kind, s.upstream = refs.String("refs/heads/"+in.Rev), "branch", in.Remote+"/"+in.Rev
	case refs.Has("refs/tags/" + in.Rev + "^{}"):
		s.want, s.kind, s.upstream = refs.String("refs/tags/"+in.Rev+"^{}"), "tag", "-"
	case refs.Has("refs/tags/" + in.Rev):
		s.want, s.kind, s.upstream = refs.String("refs/tags/"+in.Rev), "tag", "-"
	case sha.MatchString(in.Rev):
		s.want, s.kind, s.upstream = strings.ToLower(in.Rev), "sha1", "-"
	}
	for k := range refs.All() {
		if name, ok := strings.CutPrefix(pyfmt.Str(k), "refs/tags/"); ok && !strings.HasSuffix(name, "^{}") {
			s.tags = append(s.tags, name)
		}
	}
}

// equal compares a revision with the one wished, which may be short.
func (s *state) equal(rev string) bool {
	if s.kind == "sha1" {
		return rev != "" && strings.HasPrefix(rev, s.want)
	}
	return rev == s.want
}

func checkLatest(ctx context.Context, env *states.Env, in latestArgs) (states.Check[*state], error) {
	done := func(r *states.Result, err error) (states.Check[*state], error) { return states.Done[*state](r), err }
	if r := in.valid(); r != nil {
		return done(r, nil)
	}
	s := &state{repo: repo{env, pyfmt.Str(in.Target), access{in.User, in.Identity, in.HTTPSUser, in.HTTPSPass, env.Saltenv}}}
	refs, err := states.Dict(env.Call(ctx, "git.remote_refs", s.with(modules.Pos(in.Name).With("heads", false).With("tags", false), true, true)))
	if err != nil {
		text, err := why(err)
		return done(states.Failed("Failed to check remote refs: %s", text), err)
	}
	s.resolve(in, refs)
	if in.Depth != nil && s.kind != "branch" && s.kind != "tag" {
		return done(states.Failed("When 'depth' is used, 'rev' must be set to the name of a branch or tag on the remote repository"), nil)
	}
	if s.want == "" && !in.bare() && in.Rev != "HEAD" {
		return done(states.Failed("No revision matching '%s' exists in the remote repository", in.Rev), nil)
	}
	if s.exists = s.there(in.bare()); !s.exists {
		return in.checkClone(s)
	}
	if in.bare() {
		return states.Change(s, "Bare repository at "+s.target+" would be fetched", nil), nil
	}
	if err := s.look(ctx, in); err != nil {
		text, err := why(err)
		return done(states.Failed("%s", text), err)
	}
	return in.checkUpdate(s)
}

func (in latestArgs) valid() *states.Result {
	if r := refuseKwargs(in.Kwargs); r != nil {
		return r
	}
	switch {
	case in.Remote == "":
		return states.Failed("'remote' argument is required")
	case !pyfmt.Truth(in.Target):
		return states.Failed("'target' argument is required")
	case in.Rev == "":
		return states.Failed("'%s' is not a valid value for the 'rev' argument", in.Rev)
	case in.ForceReset != true && in.ForceReset != false && in.ForceReset != "remote-changes":
		return states.Failed("'force_reset' must be one of True, False, or 'remote-changes'")
	case !pypath.IsAbs(pyfmt.Str(in.Target)):
		return states.Failed("target '%s' is not an absolute path", pyfmt.Str(in.Target))
	case pypath.IsFile(pyfmt.Str(in.Target)):
		return states.Failed("Target '%s' exists and is a regular file, cannot proceed", pyfmt.Str(in.Target))
	case in.Rev != "HEAD" && in.bare():
		return states.Failed("'rev' is not compatible with the 'mirror' and 'bare' arguments")
	}
	return nil
}

func (in latestArgs) checkClone(s *state) (states.Check[*state], error) {
	changes := ordered.Pairs("new", in.Name+" => "+s.target)
	if list, err := pypath.Listdir(s.target); err == nil && len(list) > 0 {
		if !in.ForceClone {
			return states.Done[*state](states.Failed("Target '%s' exists, is non-empty and is not a git repository. Set the 'force_clone' option to True to "+
				"remove this directory's contents and proceed with cloning the remote repository", s.target)), nil
		}
		changes = ordered.Pairs("forced clone", true, "new", in.Name+" => "+s.target)
		return states.Change(s, "Target directory "+s.target+" exists. Since force_clone=True, the contents of "+s.target+" would be deleted, and "+in.Name+
			" would be cloned into this directory.", changes), nil
	}
	return states.Change(s, "Repository "+in.Name+" would be cloned to "+s.target, changes), nil
}

// look finds out how the checkout is.
func (s *state) look(ctx context.Context, in latestArgs) (err error) {
	if s.branches, err = s.list(ctx, "list_branches"); err != nil {
		return err
	}
	local, err := s.list(ctx, "list_tags")
	if err != nil {
		return err
	}
	s.compareTags(local)
	if s.rev, err = s.ask(ctx, "revision", modules.Args{}); err != nil {
		return err
	}
	if s.branch, err = s.ask(ctx, "current_branch", modules.Args{}); err != nil {
		return err
	}
	s.base = s.rev
	on := s.branch
	if in.Branch != "" && in.Branch != s.branch {
		s.base = s.want
		if slices.Contains(s.branches, in.Branch) {
			on = in.Branch
			if s.base, err = s.ask(ctx, "rev_parse", modules.Pos(in.Branch+"^{commit}")); err != nil {
				return err
			}
		}
	}
	changed, err := s.ask(ctx, "diff", modules.Pos("HEAD"))
	if err != nil {
		return err
	}
	s.dirty = changed != ""
	remotes, err := states.Dict(s.call(ctx, "remotes", modules.Args{}.With("redact_auth", false)))
	if err != nil {
		return err
	}
	s.url = remotes.Map(in.Remote).String("fetch")
	if s.tracking, err = s.ask(ctx, "rev_parse", modules.Pos(on+"@{upstream}").With("opts", "--abbrev-ref")); err != nil || on == "" {
		s.tracking = ""
	}
	if err != nil {
		return err
	}
	return s.findWant(ctx, in)
}

// compareTags finds the tags that only one side has.
func (s *state) compareTags(local []string) {
	for _, t := range s.tags {
		if !slices.Contains(local, t) {
			s.newTags = append(s.newTags, t)
		}
	}
	for _, t := range local {
		if !slices.Contains(s.tags, t) {
			s.goneTags = append(s.goneTags, t)
		}
	}
}

// findWant tells whether the checkout has the revision wished, and whether going there loses nothing.
func (s *state) findWant(ctx context.Context, in latestArgs) error {
	if s.want == "" {
		return nil
	}
	here, err := s.ask(ctx, "rev_parse", modules.Pos(s.want+"^{commit}"))
	if err != nil || here == "" {
		return err
	}
	s.has = true
	if s.kind == "branch" {
		known, err := s.ask(ctx, "rev_parse", modules.Pos(s.upstream))
		if err != nil {
			return err
		}
		s.has = known == s.want
	}
	return s.setForward(ctx)
}

func (s *state) setForward(ctx context.Context) error {
	s.forward = s.base == ""
	if s.forward {
		return nil
	}
	ok, err := states.Truth(s.call(ctx, "merge_base", modules.Args{}.With("refs", []any{s.base, s.want}).With("is_ancestor", true)))
	s.forward = ok
	return err
}
