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
	"brine/modules/git"
	"brine/modules/moduletest"
)

func TestGit(t *testing.T) {
	t.Parallel()
	if pypath.Which("git") == "" {
		t.Skip("git is missing: apt-get install git")
	}
	b := moduletest.New(t, git.Module())
	repo, copied := b.Dir+"/repo", b.Dir+"/copy"
	b.Run("git.init", moduletest.KW([]any{repo}, "opts", "--initial-branch=main"))
	set := func(k string, v any) any { return b.Run("git.config_set", moduletest.KW([]any{k, v}, "cwd", repo)) }
	assert.Equal(t, "['A']", pyfmt.Repr(set("user.name", "A")))
	set("user.email", "a@example.org")
	require.NoError(t, os.WriteFile(repo+"/f", []byte("1\n"), 0o600))
	b.Want("{'untracked': ['f']}", "git.status", repo)
	b.Run("git.add", modules.Pos(repo, "f"))
	b.Want("{'new': ['f']}", "git.status", repo)
	b.Run("git.commit", modules.Pos(repo, "first"))
	b.Want("True", "git.clone", copied, repo)
	b.Want("'main'", "git.current_branch", copied)
	sha := b.Run("git.revision", modules.Pos(copied))
	assert.Equal(t, sha, b.Run("git.rev_parse", modules.Pos(copied, "origin/main")))
	b.Run("git.tag", modules.Pos(repo, "v1"))
	require.NoError(t, os.WriteFile(repo+"/f", []byte("2\n"), 0o600))
	b.Run("git.commit", moduletest.KW([]any{repo, "second"}, "filename", "f"))
	got := b.Run("git.fetch", modules.Pos(copied, "origin")).(*ordered.Map)
	assert.Equal(t, "['v1']", pyfmt.Repr(got.Value("new_tags")))
	assert.True(t, got.Map("updated_branches").Has("origin/main"), pyfmt.Repr(got))
	b.Want("['v1']", "git.list_tags", copied)
	b.Want("['main']", "git.list_branches", copied)
	b.WantArgs("True", "git.merge_base", moduletest.KW([]any{copied, []any{"main", "origin/main"}}, "is_ancestor", true))
	b.WantArgs("False", "git.merge_base", moduletest.KW([]any{copied, []any{"origin/main", "main"}}, "is_ancestor", true))
	b.Run("git.merge", moduletest.KW([]any{copied, "origin/main"}, "opts", "--ff-only"))
	assert.Equal(t, "2\n", b.Read(copied+"/f"))
	assert.Equal(t, []any{"HEAD", "refs/heads/main", "refs/tags/v1"}, b.Run("git.remote_refs", moduletest.KW([]any{repo}, "heads", false, "tags", false)).(*ordered.Map).Keys())
	b.Want("{'origin': {'fetch': '"+repo+"', 'push': '"+repo+"'}}", "git.remotes", copied)
	b.Want("{'fetch': 'https://<redacted>@example.org/x', 'push': 'https://<redacted>@example.org/x'}", "git.remote_set", copied, "https://u:p@example.org/x", "o2")
	b.Run("git.checkout", moduletest.KW([]any{copied, "v1"}))
	b.Want("''", "git.current_branch", copied)
	_, err := b.Call(t.Context(), "git.rev_parse", modules.Pos(copied, "no-such"))
	require.Error(t, err)
	assert.Contains(t, err.Error(), "Command 'git rev-parse no-such' failed: ")
	b.Fails("Path 'x' is not absolute", "git.status", modules.Pos("x"))
}

func TestConfig(t *testing.T) {
	t.Parallel()
	if pypath.Which("git") == "" {
		t.Skip("git is missing: apt-get install git")
	}
	b := moduletest.New(t, git.Module())
	repo := b.Dir + "/repo"
	b.Run("git.init", moduletest.KW([]any{repo}, "bare", true))
	b.WantArgs("None", "git.config_get", moduletest.KW([]any{"a.b"}, "cwd", repo))
	b.WantArgs("['x', 'y']", "git.config_set", moduletest.KW([]any{"a.b"}, "multivar", []any{"x", "y"}, "cwd", repo))
	b.WantArgs("'y'", "git.config_get", moduletest.KW([]any{"a.b"}, "cwd", repo))
	b.WantArgs("{'a.b': ['x', 'y']}", "git.config_get_regexp", moduletest.KW([]any{"^a"}, "cwd", repo))
	b.Fails("Multiple matches found for key 'a.b'", "git.config_unset", moduletest.KW([]any{"a.b"}, "cwd", repo))
	b.WantArgs("True", "git.config_unset", moduletest.KW([]any{"a.b"}, "cwd", repo, "all", true))
	b.Fails("Key 'a.b' is not set", "git.config_unset", moduletest.KW([]any{"a.b"}, "cwd", repo))
	b.Fails("'cwd' argument required unless global=True", "git.config_get", modules.Pos("a.b"))
}
