package pkg

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brine/internal/atomicfile"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// places tells where apt reads its sources: the main file and the folder.
func (a *apt) places(ctx context.Context) (list, parts string, err error) {
	r, err := a.tool(ctx, "apt-config", "shell", "L", "Dir::Etc::sourcelist/f", "P", "Dir::Etc::sourceparts/d")
	list, parts = "/etc/apt/sources.list", "/etc/apt/sources.list.d"
	for line := range strings.Lines(r.Stdout) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		v = strings.Trim(v, "'")
		switch {
		case k == "L" && v != "":
			list = v
		case k == "P" && v != "":
			parts = strings.TrimSuffix(v, "/")
		}
	}
	return list, parts, err
}

func (a *apt) sources(ctx context.Context) ([]source, error) {
	list, parts, err := a.places(ctx)
	if err != nil {
		return nil, err
	}
	more, err := filepath.Glob(filepath.Join(parts, "*.list"))
	if err != nil {
		return nil, err
	}
	slices.Sort(more)
	var out []source
	for _, file := range append([]string{list}, more...) {
		text, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			if s, ok := parseSource(line); ok {
				s.file = file
				out = append(out, s)
			}
		}
	}
	return out, nil
}

type reposArgs struct {
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

const listReposDoc = `List the repositories of sources.list and sources.list.d (their one-line form).

CLI Example:

    salt '*' pkg.list_repos`

func listRepos(ctx context.Context, env *modules.Env, _ reposArgs) (any, error) {
	a, err := pickApt(env)
	if err != nil {
		return nil, err
	}
	all, err := a.sources(ctx)
	out := ordered.New(len(all))
	for _, s := range all {
		out.Set(s.uri, append(out.List(s.uri), s.data()))
	}
	return out, err
}

type repoArgs struct {
	Repo   string         `arg:"repo"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

const getRepoDoc = `Tell of a repository, given by its line; an empty map when it is not there.

CLI Example:

    salt '*' pkg.get_repo "deb http://deb.example.org/debian stable main"`

func getRepo(ctx context.Context, env *modules.Env, in repoArgs) (any, error) {
	a, err := pickApt(env)
	if err != nil {
		return nil, err
	}
	want, ok := parseSource(in.Repo)
	if !ok {
		return nil, modules.Errorf("Error: repo '%s' is not a well formatted definition", in.Repo)
	}
	all, err := a.sources(ctx)
	for _, s := range all {
		if s.same(want) && contains(s.comps, want.comps) {
			return s.data(), err
		}
	}
	return ordered.New(0), err
}

func contains(all, some []string) bool {
	for _, s := range some {
		if !slices.Contains(all, s) {
			return false
		}
	}
	return true
}

const delRepoDoc = `Remove a repository, given by its line.

CLI Example:

    salt '*' pkg.del_repo "deb http://deb.example.org/debian stable main"`

func delRepo(ctx context.Context, env *modules.Env, in repoArgs) (any, error) {
	a, err := pickApt(env)
	if err != nil {
		return nil, err
	}
	want, ok := parseSource(in.Repo)
	if !ok {
		return nil, modules.Errorf("Error: repo '%s' is not a well formatted definition", in.Repo)
	}
	all, err := a.sources(ctx)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, s := range all {
		if s.same(want) && (len(want.comps) == 0 || contains(want.comps, s.comps) || contains(s.comps, want.comps)) {
			files = append(files, s.file)
		}
	}
	if len(files) == 0 {
		return nil, modules.Errorf("Repo %s doesn't exist in the sources.list(s)", in.Repo)
	}
	said := ""
	for _, file := range slices.Compact(files) {
		gone, err := dropLines(file, want)
		if err != nil {
			return nil, err
		}
		if gone {
			said += "File " + file + " containing repo '" + in.Repo + "' has been removed."
		} else {
			said += "Repo '" + in.Repo + "' has been removed from " + file + ".\n"
		}
	}
	if v, given := in.Kwargs.Get("refresh"); !given || modules.IsTrue(v) {
		_, err = a.refresh(ctx)
	}
	return said, err
}

// dropLines takes a repository's components out of a file; a file of sources.list.d without any source left is removed.
func dropLines(file string, want source) (gone bool, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	var kept strings.Builder
	left := 0
	for line := range strings.Lines(string(text)) {
		s, ok := parseSource(line)
		if ok && s.same(want) {
			if len(want.comps) == 0 || contains(want.comps, s.comps) {
				continue
			}
			s.comps = slices.DeleteFunc(s.comps, func(c string) bool { return slices.Contains(want.comps, c) })
			line = s.String() + "\n"
		}
		if ok {
			left++
		}
		kept.WriteString(line)
	}
	if left == 0 && filepath.Ext(file) == ".list" && filepath.Base(file) != "sources.list" {
		return true, atomicfile.Remove(file)
	}
	return false, atomicfile.Rewrite(file, []byte(kept.String()))
}

const modRepoDoc = `Add a repository, or change it.

repo
    its line
file
    the file that it stands in
comps, architectures, signedby, disabled
    what is to be set of it
key_url
    the key that its packages are signed with; it is put where signedby says, or into the folder of trusted keys
clean_file
    empty the file first
refresh
    fetch the lists of packages after it (default True)

CLI Example:

    salt '*' pkg.mod_repo 'deb http://deb.example.org/debian stable main' file=/etc/apt/sources.list.d/example.list`

func modRepo(ctx context.Context, env *modules.Env, in repoArgs) (any, error) {
	a, err := pickApt(env)
	if err != nil {
		return nil, err
	}
	want, err := wanted(in)
	if err != nil {
		return nil, err
	}
	if err := a.key(ctx, in.Kwargs, want); err != nil {
		return nil, err
	}
	list, _, err := a.places(ctx)
	if err != nil {
		return nil, err
	}
	all, err := a.sources(ctx)
	if err != nil {
		return nil, err
	}
	file := in.Kwargs.String("file")
	for _, s := range all {
		if s.same(want) && file == "" {
			file = s.file
		}
	}
	if file == "" {
		file = list
	}
	want.file = file
	if err := putLine(want, pyfmt.Truth(in.Kwargs.Value("clean_file"))); err != nil {
		return nil, err
	}
	for _, s := range all { // the repository stands in one file only
		if s.same(want) && s.file != file {
			if _, err := dropLines(s.file, source{kind: s.kind, uri: s.uri, dist: s.dist}); err != nil {
				return nil, err
			}
		}
	}
	refresh, given := in.Kwargs.Get("refresh")
	if db, ok := in.Kwargs.Get("refresh_db"); ok && !given {
		refresh, given = db, true
	}
	if !given || modules.IsTrue(refresh) {
		if _, err := a.refresh(ctx); err != nil {
			return nil, err
		}
	}
	return ordered.Pairs(in.Repo, ordered.Pairs("architectures", want.data().Value("architectures"), "comps", want.comps, "disabled", want.disabled,
		"file", want.file, "type", want.kind, "uri", want.uri, "line", want.String(), "signedby", want.option("signed-by"))), nil
}

// wanted is the line with what the arguments set of it.
func wanted(in repoArgs) (source, error) {
	want, ok := parseSource(in.Repo)
	if !ok {
		return want, modules.Errorf("Error: repo '%s' not a well formatted definition", in.Repo)
	}
	if comps := listOf(in.Kwargs.Value("comps")); comps != nil {
		want.comps = comps
	}
	set := func(name, value string) {
		want.options = slices.DeleteFunc(want.options, func(o string) bool { return strings.HasPrefix(o, name+"=") })
		want.options = append(want.options, name+"="+value)
	}
	if archs := listOf(in.Kwargs.Value("architectures")); len(archs) > 0 {
		set("arch", strings.Join(archs, ","))
	}
	if key := in.Kwargs.String("signedby"); key != "" {
		set("signed-by", key)
	}
	if v, ok := in.Kwargs.Get("disabled"); ok {
		want.disabled = modules.IsTrue(v)
	}
	if v, ok := in.Kwargs.Get("enabled"); ok {
		want.disabled = !modules.IsTrue(v)
	}
	return want, nil
}

func listOf(v any) []string {
	switch t := v.(type) {
	case []any:
		return texts(t)
	case string:
		return strings.FieldsFunc(t, func(r rune) bool { return r == ',' || r == ' ' })
	}
	return nil
}

// putLine writes the line in place of the repository's old one, or at the end of the file.
func putLine(want source, clean bool) error {
	text, err := os.ReadFile(want.file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if clean {
		text = nil
	}
	var out strings.Builder
	done := false
	for line := range strings.Lines(string(text)) {
		s, ok := parseSource(line)
		if !ok || !s.same(want) {
			out.WriteString(strings.TrimRight(line, "\n") + "\n")
			continue
		}
		if !done {
			out.WriteString(want.String() + "\n")
		}
		done = true
	}
	if !done {
		out.WriteString(want.String() + "\n")
	}
	if err := os.MkdirAll(filepath.Dir(want.file), 0o755); err != nil {
		return err
	}
	return atomicfile.Write(want.file, []byte(out.String()), 0o644)
}

// key puts the key of key_url where apt looks for it.
func (a *apt) key(ctx context.Context, kw modules.Kwargs, want source) error {
	url := kw.String("key_url")
	if url == "" {
		return nil
	}
	v, err := a.env.Call(ctx, "cp.cache_file", modules.Pos(url).With("saltenv", a.env.Saltenv))
	if err != nil || !pyfmt.Truth(v) {
		return errors.Join(modules.Errorf("Error: key from %s could not be fetched", url), err)
	}
	text, err := os.ReadFile(pyfmt.Str(v))
	if err != nil {
		return err
	}
	to := want.option("signed-by")
	if to == "" {
		_, parts, err := a.places(ctx)
		if err != nil {
			return err
		}
		ext := ".gpg"
		if strings.HasPrefix(string(text), "-----BEGIN") {
			ext = ".asc"
		}
		name := strings.TrimSuffix(filepath.Base(url), filepath.Ext(url))
		to = filepath.Join(filepath.Dir(parts), "trusted.gpg.d", name+ext)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return atomicfile.Write(to, text, 0o644)
}
