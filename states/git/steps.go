package git

import (
	"context"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/modules"
	"brine/states"
)

// update brings an existing checkout to the revision wished.
func (w *work) update(ctx context.Context) (*states.Result, error) {
	in, s := w.in, w.s
	old := s.rev
	if s.url != in.url() {
		if err := w.setRemote(ctx); err != nil {
			return nil, err
		}
	}
	if err := w.dropTags(ctx); err != nil {
		return nil, err
	}
	if !s.has || len(s.newTags) > 0 {
		got, err := w.fetch(ctx)
		if err != nil {
			return nil, err
		}
		if got.Len() > 0 {
			w.note(in.Name + " was fetched, resulting in updated refs")
		}
		if len(s.newTags) > 0 {
			w.changes.Set("new_tags", s.newTags)
		}
		here, err := s.ask(ctx, "rev_parse", modules.Pos(s.want+"^{commit}"))
		if err != nil {
			return nil, err
		}
		if here == "" {
			return failed("Fetch did not successfully retrieve rev '"+in.Rev+"' from "+in.Name, w.said, w.changes), nil
		}
		s.has = true
		if err := s.setForward(ctx); err != nil {
			return nil, err
		}
	}
	moving := in.Branch != "" && in.Branch != s.branch
	if !s.equal(s.rev) && !in.UpdateHead && !moving {
		return &states.Result{OK: states.True(), Comment: in.notUpdated(s), Changes: w.changes}, nil
	}
	if !s.equal(s.base) || s.dirty {
		if r := in.blocked(s, w.said, w.changes); r != nil && !(s.dirty && s.equal(s.rev)) {
			return r, nil
		}
	}
	if moving {
		if r, err := w.checkout(ctx); r != nil || err != nil {
			return r, err
		}
	}
	if err := w.move(ctx); err != nil {
		return nil, err
	}
	return w.finish(ctx, &old)
}

func (w *work) setRemote(ctx context.Context) error {
	in, s := w.in, w.s
	if _, err := w.env.Call(ctx, "git.remote_set", s.with(modules.Pos(s.target, in.Name, in.Remote), false, true)); err != nil {
		return err
	}
	if s.url == "" {
		w.note("Remote '" + in.Remote + "' set to " + redact(in.url()))
		w.changes.Set("new", in.Name+" => "+in.Remote)
		return nil
	}
	w.note("Remote '" + in.Remote + "' changed from " + redact(s.url) + " to " + redact(in.url()))
	w.changes.Set("url", ordered.Pairs("old", redact(s.url), "new", redact(in.url())))
	return nil
}

// dropTags removes the tags that the remote has not.
func (w *work) dropTags(ctx context.Context) error {
	if !w.in.SyncTags || len(w.s.goneTags) == 0 {
		return nil
	}
	for _, t := range w.s.goneTags {
		if _, err := w.s.call(ctx, "tag", modules.Pos(t).With("opts", "-d")); err != nil {
			return err
		}
	}
	w.changes.Set("deleted_tags", w.s.goneTags)
	w.note("The following tags were removed from the local checkout: " + strings.Join(texts(w.s.goneTags), ", "))
	return nil
}

// checkout goes to the local branch wished.
func (w *work) checkout(ctx context.Context) (*states.Result, error) {
	in, s := w.in, w.s
	if s.dirty && !in.ForceCheckout {
		return failed("Local branch '"+s.branch+"' has uncommitted changes. Set 'force_checkout' to True to discard them and proceed.", w.said, w.changes), nil
	}
	if !slices.Contains(s.branches, in.Branch) {
		if err := w.newBranch(ctx); err != nil {
			return nil, err
		}
		w.note("New branch '" + in.Branch + "' was checked out, with " + s.loc(in) + " as a starting point")
		return nil, nil
	}
	if _, err := s.call(ctx, "checkout", modules.Pos(in.Branch).With("force", in.ForceCheckout)); err != nil {
		return nil, err
	}
	w.note("'" + in.Branch + "' was checked out")
	return nil, nil
}

// move brings HEAD to the revision wished, and drops changes of files where that is allowed.
func (w *work) move(ctx context.Context) error {
	in, s := w.in, w.s
	if !s.forward || s.dirty {
		if _, err := s.call(ctx, "reset", modules.Args{}.With("opts", []any{"--hard", s.want})); err != nil {
			return err
		}
		w.changes.Set("forced update", true)
		if s.dirty {
			w.note("Uncommitted changes were discarded")
		}
		w.note("Repository was hard-reset to " + s.loc(in))
		return nil
	}
	if s.equal(s.base) {
		return nil
	}
	if s.kind != "branch" && in.Rev != "HEAD" {
		if _, err := s.call(ctx, "reset", modules.Args{}.With("opts", []any{"--hard", in.Rev})); err != nil {
			return err
		}
		w.note("Repository was reset to " + in.Rev + " (fast-forward)")
		return nil
	}
	on, err := s.ask(ctx, "symbolic_ref", modules.Pos("HEAD").With("opts", "--quiet"))
	if err != nil {
		return err
	}
	if on == "" {
		return modules.Errorf("Unable to fast-forward, HEAD is detached")
	}
	if _, err := s.call(ctx, "merge", modules.Pos(s.want).With("opts", "--ff-only")); err != nil {
		return err
	}
	w.note("Repository was fast-forwarded to " + s.loc(in))
	return nil
}

// finish sets the tracking branch and the submodules, and says what became of it. old is the revision before, nil for
// a clone.
func (w *work) finish(ctx context.Context, old *string) (*states.Result, error) {
	in, s := w.in, w.s
	tracking, err := s.ask(ctx, "rev_parse", modules.Pos("@{upstream}").With("opts", "--abbrev-ref"))
	if err != nil {
		return nil, err
	}
	s.tracking = tracking
	if t := s.tracked(); t != "" {
		opts := []any{"--set-upstream-to", s.upstream}
		if t == "unset" {
			opts = []any{"--unset-upstream"}
		}
		if _, err := s.call(ctx, "branch", modules.Args{}.With("opts", opts)); err != nil {
			return nil, err
		}
		w.note("Tracking branch was " + t)
		w.changes.Set("upstream", ordered.Pairs("old", orNone(tracking), "new", orNone(strings.Trim(s.upstream, "-"))))
	}
	if in.Submodules {
		w.doing = "Failed to update submodules: "
		a := modules.Pos(s.target, "update").With("opts", []any{"--init", "--recursive"})
		if _, err := w.env.Call(ctx, "git.submodule", s.with(a, true, false)); err != nil {
			return nil, err
		}
		w.doing = ""
	}
	now, err := s.ask(ctx, "revision", modules.Args{})
	if err != nil {
		return nil, err
	}
	if !s.equal(now) {
		return failed("Failed to update repository", w.said, w.changes), nil
	}
	r := &states.Result{OK: states.True(), Comment: joined(w.said), Changes: w.changes}
	switch {
	case old == nil:
		w.changes.Set("revision", ordered.Pairs("old", nil, "new", now))
	case *old != now:
		w.changes.Set("revision", ordered.Pairs("old", orNone(*old), "new", now))
	default:
		r.Comment = upToDate(s, false)
		if len(w.said) > 0 {
			r.Comment = upToDate(s, false) + "\n\nChanges made: " + joined(w.said)
		}
	}
	return r, nil
}
