package moduletest

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"brine/internal/host"
)

// AptRepo is a repository of packages in a folder, and an apt that knows no other: its lists, its cache and its sources
// are in the scratch folder too. What is installed is really installed.
type AptRepo struct {
	t testing.TB
	// Dir holds the packages, Etc what /etc/apt is else.
	Dir, Etc string
}

// NewAptRepo makes a repository without packages. It sets APT_CONFIG, so the test cannot be parallel.
func NewAptRepo(t *testing.T) *AptRepo {
	t.Helper()
	NeedRoot(t, "apt-get install apt dpkg dpkg-dev", "apt-get", "dpkg-deb", "dpkg-scanpackages")
	dir := t.TempDir()
	r := &AptRepo{t: t, Dir: dir + "/repo", Etc: dir + "/etc"}
	for _, d := range []string{r.Dir, r.Etc + "/sources.list.d", r.Etc + "/trusted.gpg.d", dir + "/lists/partial", dir + "/cache/archives/partial"} {
		require.NoError(t, os.MkdirAll(d, 0o755))
	}
	require.NoError(t, os.Chmod(dir, 0o755))
	conf := fmt.Sprintf("Dir::Etc::sourcelist \"%[1]s/sources.list\";\nDir::Etc::sourceparts \"%[1]s/sources.list.d\";\nDir::State::lists \"%[2]s/lists\";\n"+
		"Dir::Cache \"%[2]s/cache\";\nAPT::Sandbox::User \"root\";\nDir::Cache::pkgcache \"\";\nDir::Cache::srcpkgcache \"\";\n", r.Etc, dir)
	require.NoError(t, os.WriteFile(dir+"/apt.conf", []byte(conf), 0o600))
	t.Setenv("APT_CONFIG", dir+"/apt.conf")
	return r
}

// Line is the line of sources.list for the repository.
func (r *AptRepo) Line() string { return "deb [trusted=yes] file:" + r.Dir + " ./" }

// Use writes the line into sources.list.
func (r *AptRepo) Use() {
	require.NoError(r.t, os.WriteFile(r.Etc+"/sources.list", []byte(r.Line()+"\n"), 0o600))
}

// Add builds a package and puts it into the repository; the answer is the package's file. It is purged after the test.
func (r *AptRepo) Add(name, version string) string {
	r.t.Helper()
	tree := r.t.TempDir()
	require.NoError(r.t, os.Chmod(tree, 0o755))
	require.NoError(r.t, os.MkdirAll(tree+"/DEBIAN", 0o755))
	require.NoError(r.t, os.MkdirAll(tree+"/etc/"+name, 0o755))
	require.NoError(r.t, os.WriteFile(tree+"/etc/"+name+"/conf", []byte("x\n"), 0o600))
	require.NoError(r.t, os.WriteFile(tree+"/DEBIAN/conffiles", []byte("/etc/"+name+"/conf\n"), 0o600))
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: a package of a test\n", name, version)
	require.NoError(r.t, os.WriteFile(tree+"/DEBIAN/control", []byte(control), 0o600))
	file := fmt.Sprintf("%s/%s_%s_all.deb", r.Dir, name, version)
	r.run(host.Cmd{Argv: []string{"dpkg-deb", "--build", "--root-owner-group", "-Znone", tree, file}})
	out := r.run(host.Cmd{Argv: []string{"dpkg-scanpackages", "--multiversion", "."}, Dir: r.Dir})
	require.NoError(r.t, os.WriteFile(r.Dir+"/Packages", []byte(out+"\n"), 0o600))
	r.t.Cleanup(func() {
		_, _ = host.Exec(context.Background(), host.Real{}, host.Cmd{Argv: []string{"dpkg", "--purge", "--force-all", name}})
	})
	return file
}

func (r *AptRepo) run(c host.Cmd) string {
	r.t.Helper()
	out, err := host.Exec(context.Background(), host.Real{}, c)
	require.NoError(r.t, err)
	require.True(r.t, out.OK(), out.Said())
	return out.Stdout
}
