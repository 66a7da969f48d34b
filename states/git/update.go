package git

import (
	"context"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
	"brine/states"
)

// forcing tells whether force_reset is given at all.
func (in latestArgs) forcing() bool { return in.ForceReset != false }

// blocked is the failure for an update that would lose something; nil where it may go on.
func (in latestArgs) blocked(s *state, comments []string, changes *ordered.Map) *states.Result {
	if in.forcing() || s.forward && !s.dirty {
		return nil
	}
	text := "Repository would be updated "
	if s.dirty && s.base != s.want {
		text += "from " + short(s.base) + " to " + short(s.want)
	} else {
		text += "to " + short(s.want)
	}
	if in.Branch != "" && in.Branch != s.branch {
		text += " (after checking out local branch '" + in.Branch + "')"
	}
	if s.dirty {
		text += ", but there are uncommitted changes. Set 'force_reset' to True (or 'remote-changes') to force this update and discard these changes."
	} else {
		text += ", but this is not a fast-forward merge. Set 'force_reset' to True to force this update."
	}
	if in.Branch == "" && in.Rev != "HEAD" && s.branch != in.Rev {
		text += " The desired rev (" + in.Rev + ") differs from the name of the local branch (" + s.branch + "), if the desired rev is a branch name " +
			"then a forced update could possibly be avoided by setting the 'branch' argument to '" + in.Rev + "' instead."
	}
	return failed(text, comments, changes)
}

func upToDate(s *state, dirty bool) string {
	text := "Repository " + s.target + " is up-to-date"
	if dirty {
		text += ", but with uncommitted changes. Set 'force_reset' to True to purge uncommitted changes."
	}
	return text
}

// tracked tells what is to become of the tracking branch: "", "set to", "updated to" or "unset".
func (s *state) tracked() string {
	switch {
	case s.upstream == "-" && s.tracking != "":
		return "unset"
	case s.upstream == "" || s.upstream == "-" || s.tracking == s.upstream:
		return ""
	case s.tracking == "":
		return "set to " + s.upstream
	}
	return "updated to " + s.upstream
}

// checkUpdate says what an existing checkout needs.
func (in latestArgs) checkUpdate(s *state) (states.Check[*state], error) {
	done := func(r *states.Result) (states.Check[*state], error) { return states.Done[*state](r), nil }
	if s.want == "" {
		if s.rev != "" {
			return done(states.Failed("Remote repository is empty, cannot update from a non-empty to an empty repository"))
		}
		return done(states.Fine(upToDate(s, false)))
	}
	match, moving := s.equal(s.rev), in.Branch != "" && in.Branch != s.branch
	changes, actions := ordered.New(2), []string{}
	switch {
	case s.dirty && match && in.ForceReset != true:
		return done(states.Fine(upToDate(s, true)))
	case s.dirty && match:
		changes.Set("forced update", true)
		actions = append(actions, s.target+" is up-to-date, but with uncommitted changes. Since 'force_reset' is set to True, these local changes would be reset. "+
			"To only reset when there are changes in the remote repository, set 'force_reset' to 'remote-changes'.")
	case s.has && !match && !in.UpdateHead && !moving:
		return done(states.Fine(in.notUpdated(s)))
	case s.has || s.dirty:
		if r := in.blocked(s, nil, nil); r != nil {
			return done(r)
		}
	}
	if s.url != in.url() {
		actions = append(actions, "Remote '"+in.Remote+"' would be changed from "+redact(s.url)+" to "+redact(in.Name))
	}
	if !s.has {
		actions = append(actions, "Remote '"+in.Remote+"' would be fetched")
	}
	if !match && (in.UpdateHead || moving) {
		changes.Set("revision", ordered.Pairs("old", orNone(s.rev), "new", s.want))
	}
	actions = append(actions, in.moves(s, match, moving)...)
	if t := s.tracked(); t != "" && !(moving && !slices.Contains(s.branches, in.Branch)) {
		actions = append(actions, "Tracking branch would be "+t)
	}
	if len(s.newTags) > 0 {
		changes.Set("new_tags", s.newTags)
	}
	if len(s.goneTags) > 0 && in.SyncTags {
		changes.Set("deleted_tags", s.goneTags)
		actions = append(actions, "The following tags would be removed from the local checkout: "+strings.Join(texts(s.goneTags), ", "))
	}
	if len(actions) == 0 && changes.Len() == 0 {
		return done(states.Fine(upToDate(s, false)))
	}
	return states.Change(s, joined(actions), changes), nil
}

func texts(list []any) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = pyfmt.Str(v)
	}
	return out
}

func orNone(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// url is the address that the remote is to have.
func (in latestArgs) url() string {
	if in.HTTPSUser == nil {
		return in.Name
	}
	auth := pyfmt.Str(in.HTTPSUser)
	if in.HTTPSPass != nil {
		auth += ":" + pyfmt.Str(in.HTTPSPass)
	}
	return strings.Replace(in.Name, "https://", "https://"+auth+"@", 1)
}

// redact hides names and passwords in addresses.
func redact(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if _, place, has := strings.Cut(rest, "@"); ok && has && strings.HasPrefix(scheme, "http") {
		return scheme + "://<redacted>@" + place
	}
	return url
}

func (in latestArgs) notUpdated(s *state) string {
	loc := s.loc(in)
	if in.Rev == "HEAD" {
		loc = "R" + loc[1:]
	}
	return loc + " is already present and local HEAD (" + short(s.rev) + ") does not match, but update_head=False. HEAD has not been updated locally."
}

// moves says how HEAD would move.
func (in latestArgs) moves(s *state, match, moving bool) []string {
	how := "updated"
	if s.has {
		if how = "fast-forwarded"; !s.forward {
			how = "hard-reset"
		}
	}
	switch {
	case moving && !slices.Contains(s.branches, in.Branch):
		return []string{"New branch '" + in.Branch + "' would be checked out, with " + s.loc(in) + " as a starting point"}
	case moving:
		return []string{"Branch '" + in.Branch + "' would be checked out and " + how + " to " + short(s.want)}
	case match:
		return nil
	case !in.UpdateHead:
		return []string{"Local HEAD (" + short(s.rev) + ") does not match " + s.loc(in) + " but update_head=False, HEAD would not be updated locally"}
	}
	return []string{"Repository would be " + how + " from " + short(s.rev) + " to " + short(s.want)}
}

func applyLatest(ctx context.Context, env *states.Env, in latestArgs, s *state) (*states.Result, error) {
	w := &work{in: in, s: s, env: env, changes: ordered.New(2)}
	r, err := w.run(ctx)
	if err != nil {
		text, err := why(err)
		return failed(w.doing+text, w.said, w.changes), err
	}
	return r, nil
}

// work is an update as it goes on.
type work struct {
	in      latestArgs
	s       *state
	env     *states.Env
	said    []string
	changes *ordered.Map
	// doing is the begin of the comment when the step under way fails.
	doing string
}

func (w *work) note(text string) { w.said = append(w.said, text) }

func (w *work) run(ctx context.Context) (*states.Result, error) {
	if !w.s.exists {
		return w.clone(ctx)
	}
	if w.in.bare() {
		return w.fetchBare(ctx)
	}
	return w.update(ctx)
}

func (w *work) fetch(ctx context.Context) (*ordered.Map, error) {
	a := modules.Pos(w.s.target, w.in.Remote).With("force", w.in.ForceFetch)
	if w.in.FetchTags && !w.in.bare() {
		a = a.With("refspecs", []any{"refs/heads/" + w.in.RefspecBranch + ":refs/remotes/" + w.in.Remote + "/" + w.in.RefspecBranch,
			"+refs/tags/" + w.in.RefspecTag + ":refs/tags/" + w.in.RefspecTag})
	}
	w.doing = "Fetch failed. Set 'force_fetch' to True to force the fetch if the failure was due to not being able to fast-forward. " +
		"Output of the fetch command follows:\n\n"
	got, err := states.Dict(w.env.Call(ctx, "git.fetch", w.s.with(a, true, false)))
	if err == nil {
		w.doing = ""
	}
	return got, err
}

func (w *work) fetchBare(ctx context.Context) (*states.Result, error) {
	got, err := w.fetch(ctx)
	if err != nil {
		return nil, err
	}
	text := "Bare repository at " + w.s.target + " was fetched"
	if got.Len() > 0 {
		text += ", resulting in updated refs"
		w.changes.Set("fetched", got)
	}
	return &states.Result{OK: states.True(), Comment: upToDate(w.s, false) + "\n\nChanges made: " + text, Changes: w.changes}, nil
}

func (w *work) clone(ctx context.Context) (*states.Result, error) {
	in, s := w.in, w.s
	if list, err := pypath.Listdir(s.target); err == nil && len(list) > 0 {
		if err := empty(s.target); err != nil {
			return states.Failed("Unable to remove\n%s", err), nil
		}
		w.changes.Set("forced clone", true)
	}
	opts, as := []any{}, ""
	switch {
	case in.Mirror:
		opts, as = append(opts, "--mirror"), " as mirror"
	case in.Bare:
		opts, as = append(opts, "--bare"), " as bare repository"
	}
	if in.Remote != "origin" {
		opts = append(opts, "--origin", in.Remote)
	}
	if in.Depth != nil {
		opts = append(opts, "--depth", pyfmt.Str(in.Depth), "--branch", in.Rev)
	}
	w.doing = "Clone failed: "
	if _, err := w.env.Call(ctx, "git.clone", s.with(modules.Pos(s.target, in.Name).With("opts", opts), true, true)); err != nil {
		return nil, err
	}
	w.doing = ""
	w.changes.Set("new", in.Name+" => "+s.target)
	w.note(in.Name + " cloned to " + s.target + as)
	if s.want == "" {
		return &states.Result{OK: states.True(), Comment: joined(w.said), Changes: w.changes}, nil
	}
	if err := s.look(ctx, in); err != nil {
		return nil, err
	}
	if in.Branch != "" && !slices.Contains(s.branches, in.Branch) {
		if err := w.newBranch(ctx); err != nil {
			return nil, err
		}
		w.note("Branch '" + in.Branch + "' checked out, with " + s.loc(in) + " as a starting point")
		if err := s.look(ctx, in); err != nil {
			return nil, err
		}
	}
	if !s.equal(s.rev) {
		if _, err := s.call(ctx, "reset", modules.Args{}.With("opts", []any{"--hard", s.want})); err != nil {
			return nil, err
		}
		w.note("Repository was reset to " + s.loc(in))
	}
	return w.finish(ctx, nil)
}

// newBranch checks out a new local branch at the revision wished.
func (w *work) newBranch(ctx context.Context) error {
	start := w.in.Rev
	switch {
	case w.in.Rev == "HEAD":
		start = w.s.want
	case w.s.upstream != "" && w.s.upstream != "-":
		start = w.s.upstream
	}
	_, err := w.s.call(ctx, "checkout", modules.Pos(start).With("force", w.in.ForceCheckout).With("opts", []any{"-b", w.in.Branch}))
	return err
}
