package git_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
	module "brine/modules/git"
	"brine/modules/moduletest"
	"brine/states/git"
)

// bench has a repository with one commit on main.
func bench(t *testing.T) (*moduletest.Bench, string) {
	if pypath.Which("git") == "" {
		t.Skip("git is missing: apt-get install git")
	}
	b := moduletest.New(t, module.Module())
	repo := b.Dir + "/repo"
	b.Run("git.init", moduletest.KW([]any{repo}, "opts", "--initial-branch=main"))
	commit(b, repo, "1")
	return b, repo
}

func commit(b *moduletest.Bench, repo, text string) string {
	require.NoError(b.T, os.WriteFile(repo+"/f", []byte(text), 0o600))
	b.Run("git.add", modules.Pos(repo, "f"))
	b.Run("git.commit", moduletest.KW([]any{repo, "c" + text}, "git_opts", "-c user.name=A -c user.email=a@example.org"))
	return pyfmt.Str(b.Run("git.revision", modules.Pos(repo)))
}

func TestLatest(t *testing.T) {
	t.Parallel()
	b, repo := bench(t)
	s, target := git.State(), b.Dir+"/copy"
	first := pyfmt.Str(b.Run("git.revision", modules.Pos(repo)))
	a := moduletest.KW(nil, "name", repo, "target", target)
	b.Test = true
	b.WantState(s, "latest", a, "{'result': None, 'comment': 'Repository "+repo+" would be cloned to "+target+"', 'changes': {'new': '"+repo+" => "+target+"'}}")
	b.Test = false
	r := b.DryAndTwice(s, "latest", a)
	assert.Equal(t, "{'result': True, 'comment': '"+repo+" cloned to "+target+"', 'changes': {'new': '"+repo+" => "+target+"', 'revision': {'old': None, 'new': '"+first+"'}}}", pyfmt.Repr(r))
	b.WantState(s, "latest", a, "{'result': True, 'comment': 'Repository "+target+" is up-to-date', 'changes': {}}")

	second := commit(b, repo, "2")
	r = b.DryAndTwice(s, "latest", a)
	assert.Equal(t, repo+" was fetched, resulting in updated refs. Repository was fast-forwarded to remote HEAD ("+second[:7]+").", r.Value("comment"))
	assert.Equal(t, "{'revision': {'old': '"+first+"', 'new': '"+second+"'}}", pyfmt.Repr(r.Map("changes")))

	require.NoError(t, os.WriteFile(target+"/f", []byte("mine"), 0o600))
	b.WantState(s, "latest", a, "{'result': True, 'comment': \"Repository "+target+" is up-to-date, but with uncommitted changes. Set 'force_reset' to True to purge uncommitted changes.\", 'changes': {}}")
	third := commit(b, repo, "3")
	r = b.State(s, "latest", a)
	assert.Equal(t, "Repository would be updated from "+second[:7]+" to "+third[:7]+", but there are uncommitted changes. Set 'force_reset' to True (or 'remote-changes') "+
		"to force this update and discard these changes.", r.Value("comment"))
	assert.Equal(t, "mine", b.Read(target+"/f"))
	r = b.DryAndTwice(s, "latest", moduletest.KW(nil, "name", repo, "target", target, "force_reset", true))
	assert.Equal(t, true, r.Map("changes").Value("forced update"))
	assert.Equal(t, "3", b.Read(target+"/f"))

	b.Run("git.tag", modules.Pos(repo, "v1", first))
	r = b.State(s, "latest", moduletest.KW(nil, "name", repo, "target", target, "rev", "v1"))
	assert.Equal(t, false, r.Value("result"))
	assert.Contains(t, r.Value("comment"), "this is not a fast-forward merge")
	r = b.DryAndTwice(s, "latest", moduletest.KW(nil, "name", repo, "target", target, "rev", "v1", "branch", "old"))
	assert.Contains(t, r.Value("comment"), "New branch 'old' was checked out, with v1 ("+first[:7]+") as a starting point")
	assert.Equal(t, "1", b.Read(target+"/f"))
	r = b.DryAndTwice(s, "latest", moduletest.KW(nil, "name", repo, "target", target, "rev", "main", "branch", "main"))
	assert.Contains(t, r.Value("comment"), "'main' was checked out")
}

func TestLatestRefuses(t *testing.T) {
	t.Parallel()
	b, repo := bench(t)
	s, target := git.State(), b.Dir+"/copy"
	b.WantState(s, "latest", moduletest.KW(nil, "name", repo), "{'result': False, 'comment': \"'target' argument is required\", 'changes': {}}")
	b.WantState(s, "latest", moduletest.KW(nil, "name", repo, "target", "x"), "{'result': False, 'comment': \"target 'x' is not an absolute path\", 'changes': {}}")
	b.WantState(s, "latest", moduletest.KW(nil, "name", repo, "target", target, "rev", "nope"),
		"{'result': False, 'comment': \"No revision matching 'nope' exists in the remote repository\", 'changes': {}}")
	b.WantState(s, "latest", moduletest.KW(nil, "name", repo, "target", target, "bogus", 1),
		"{'result': False, 'comment': 'The following keyword arguments are not valid: bogus=1', 'changes': {}}")
	require.NoError(t, os.MkdirAll(target+"/x", 0o755))
	r := b.State(s, "latest", moduletest.KW(nil, "name", repo, "target", target))
	assert.Contains(t, r.Value("comment"), "exists, is non-empty and is not a git repository. Set the 'force_clone' option to True")
	r = b.DryAndTwice(s, "latest", moduletest.KW(nil, "name", repo, "target", target, "force_clone", true))
	assert.Equal(t, true, r.Map("changes").Value("forced clone"))
	r = b.State(s, "latest", moduletest.KW(nil, "name", b.Dir+"/none", "target", target))
	assert.Contains(t, r.Value("comment"), "Failed to check remote refs: ")
	r = b.State(s, "latest", moduletest.KW(nil, "name", repo, "target", b.Dir+"/mirror", "mirror", true))
	assert.Contains(t, r.Value("comment"), "cloned to "+b.Dir+"/mirror as mirror")
	b.WantState(s, "latest", moduletest.KW(nil, "name", repo, "target", b.Dir+"/mirror", "mirror", true),
		"{'result': True, 'comment': 'Repository "+b.Dir+"/mirror is up-to-date\\n\\nChanges made: Bare repository at "+b.Dir+"/mirror was fetched', 'changes': {}}")
}

func TestOthers(t *testing.T) {
	t.Parallel()
	b, repo := bench(t)
	s := git.State()
	first := pyfmt.Str(b.Run("git.revision", modules.Pos(repo)))
	r := b.DryAndTwice(s, "present", modules.Pos(b.Dir+"/bare.git"))
	assert.Equal(t, "{'result': True, 'comment': 'Initialized bare repository in "+b.Dir+"/bare.git', 'changes': {'new': '"+b.Dir+"/bare.git'}}", pyfmt.Repr(r))

	b.Run("git.branch", modules.Pos(repo, "dev"))
	r = b.DryAndTwice(s, "cloned", moduletest.KW(nil, "name", repo, "target", b.Dir+"/c"))
	assert.Equal(t, repo+" cloned to "+b.Dir+"/c", r.Value("comment"))
	r = b.DryAndTwice(s, "cloned", moduletest.KW(nil, "name", repo, "target", b.Dir+"/c", "branch", "dev"))
	assert.Equal(t, "Branch changed to 'dev'", r.Value("comment"))

	second := commit(b, repo, "2")
	d := b.Dir + "/d"
	r = b.DryAndTwice(s, "detached", moduletest.KW(nil, "name", repo, "target", d, "rev", first))
	assert.Equal(t, repo+" cloned to "+d+". Commit ID "+first+" was checked out at "+d+".", r.Value("comment"))
	r = b.DryAndTwice(s, "detached", moduletest.KW(nil, "name", repo, "target", d, "rev", "main"))
	assert.Equal(t, "{'HEAD': {'old': '"+first+"', 'new': '"+second+"'}}", pyfmt.Repr(r.Map("changes")))

	set := func(kv ...any) modules.Args {
		m := ordered.Pairs("name", "a.b", "repo", repo)
		m.Update(ordered.Pairs(kv...))
		return modules.Args{Kw: m}
	}
	r = b.DryAndTwice(s, "config_set", set("value", 5))
	assert.Equal(t, "{'result': True, 'comment': \"'a.b' was added as '5'\", 'changes': {'a.b': {'old': None, 'new': ['5']}}}", pyfmt.Repr(r))
	r = b.DryAndTwice(s, "config_set", set("multivar", []any{"x", "y"}))
	assert.Equal(t, "'a.b' was set to ['x', 'y']", r.Value("comment"))
	b.WantState(s, "config_set", set("multivar", []any{"x", "y"}), "{'result': True, 'comment': \"'a.b' is already set to ['x', 'y']\", 'changes': {}}")
	b.WantState(s, "config_unset", set(), "{'result': False, 'comment': \"Multivar(s) matched by the key expression (set 'all' to True to force removal): a.b (x, y)\", 'changes': {}}")
	r = b.DryAndTwice(s, "config_unset", set("all", true))
	assert.Equal(t, "{'result': True, 'comment': 'Value(s) successfully unset', 'changes': {'a.b': ['x', 'y']}}", pyfmt.Repr(r))
	b.WantState(s, "config_unset", set(), "{'result': True, 'comment': 'No matching keys are set', 'changes': {}}")
	b.WantState(s, "config_set", moduletest.KW(nil, "name", "a.b", "value", 1), "{'result': False, 'comment': \"Non-global config options require the 'repo' argument to be set\", 'changes': {}}")
}
