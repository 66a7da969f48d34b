package file

import (
	"context"
	"io"
	"os"

	"brine/internal/atomicfile"
	"brine/internal/fileinfo"
	"brine/internal/fileops"
	"brine/internal/fileperm"
	"brine/internal/hashsum"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
	"brine/states"
)

func copyFuncs() []states.Func {
	return []states.Func{
		fn("touch", "Make an empty file, or set the times of one that is there.", touch),
		fn("copy", "Copy a file or folder of this machine.", copied),
		fn("rename", "Move a file or folder.", renamed),
		fn("mknod", "Make a device or a pipe.", mknod),
	}
}

type touchArgs struct {
	Name     string `arg:"name"`
	Atime    any    `arg:"atime" def:"None"`
	Mtime    any    `arg:"mtime" def:"None"`
	Makedirs any    `arg:"makedirs" def:"False"`
}

func touch(_ context.Context, env *states.Env, in touchArgs) (check, error) {
	if !pypath.IsAbs(in.Name) {
		return notAbsolute(in.Name)
	}
	if env.Test {
		return in.predict()
	}
	return check{Plan: func(ctx context.Context) (*states.Result, error) {
		if pyfmt.Truth(in.Makedirs) {
			if err := makeParent(ctx, env, in.Name, nil, nil, nil); err != nil {
				return nil, err
			}
		}
		if !pypath.IsDir(pypath.Dirname(in.Name)) {
			return states.Failed("Directory not present to touch file %s", in.Name), nil
		}
		there := pypath.Exists(in.Name)
		ok, err := states.Truth(call(ctx, env, "file.touch", in.Name, in.Atime, in.Mtime))
		if err != nil {
			return nil, err
		}
		r := &states.Result{OK: &ok, Comment: "Created empty file " + in.Name, Changes: ordered.Pairs("new", in.Name)}
		if there {
			kind := "file"
			if pypath.IsDir(in.Name) {
				kind = "directory"
			}
			r.Comment, r.Changes = "Updated times on "+kind+" "+in.Name, ordered.Pairs("touched", in.Name)
		}
		return r, nil
	}}, nil
}

func (in touchArgs) predict() (check, error) {
	have, err := fileinfo.Stat(in.Name, false)
	if err != nil || !pypath.Exists(in.Name) {
		return change(nil, "File "+in.Name+" is set to be created", ordered.Pairs("new", in.Name))
	}
	differs := func(wish any, is float64) bool { return wish != nil && pyfmt.Str(wish) != pyfmt.Str(is) }
	if differs(in.Atime, have.Atime) || differs(in.Mtime, have.Mtime) {
		return change(nil, "Times set to be updated on file "+in.Name, ordered.Pairs("touched", in.Name))
	}
	r := states.Fine("File " + in.Name + " exists and has the correct times")
	r.Changes = ordered.Pairs("new", in.Name)
	return final(r)
}

type copyArgs struct {
	Name     string         `arg:"name"`
	Source   string         `arg:"source"`
	Force    bool           `arg:"force" def:"False"`
	Makedirs bool           `arg:"makedirs" def:"False"`
	Preserve bool           `arg:"preserve" def:"False"`
	User     any            `arg:"user" def:"None"`
	Group    any            `arg:"group" def:"None"`
	Mode     any            `arg:"mode" def:"None"`
	Subdir   bool           `arg:"subdir" def:"False"`
	Kwargs   modules.Kwargs `arg:"**kwargs"`
}

func copied(ctx context.Context, env *states.Env, in copyArgs) (check, error) {
	in.Source = pypath.Expanduser(in.Source)
	comment := `Copied "` + in.Source + `" to "` + in.Name + `"`
	if !pypath.IsAbs(in.Name) {
		return notAbsolute(in.Name)
	}
	from, err := fileinfo.Stat(in.Source, true)
	if err != nil || !pypath.Exists(in.Source) {
		return refuse(`Source file "%s" is not present`, in.Source)
	}
	if in.Preserve {
		in.User, in.Group, in.Mode = from.User, from.Group, from.Mode
	} else {
		if in.User, in.Group, err = ourOwner(ctx, env, owner(in.User, in.Kwargs), in.Group); err != nil {
			return check{}, err
		}
		if unknown := unknownOwner(in.User, in.Group); unknown != "" {
			return refuse("%s", unknown)
		}
		if in.Mode == nil {
			in.Mode = from.Mode
		}
	}
	shown := in.Name
	if in.Subdir && pypath.IsDir(in.Name) {
		in.Name = pypath.Join(in.Name, pypath.Basename(in.Source))
	}
	stay := states.Fine(`The target file "` + in.Name + `" exists and will not be overwritten`)
	if pypath.Lexists(in.Name) {
		if !in.Force {
			stay.Name = shown
			return final(stay)
		}
		if pypath.IsFile(in.Name) && sameContent(in.Name, in.Source) {
			comment += " - files are identical but force flag is set"
		}
	}
	return change(func(ctx context.Context) (*states.Result, error) {
		r, err := in.apply(ctx, env, comment)
		if r != nil {
			r.Name = shown
		}
		return r, err
	}, `File "`+in.Source+`" is set to be copied to "`+in.Name+`"`, nil)
}

func sameContent(a, b string) bool {
	x, err := hashsum.File(a, "sha256")
	if err != nil {
		return false
	}
	y, err := hashsum.File(b, "sha256")
	return err == nil && x == y
}

func (in copyArgs) apply(ctx context.Context, env *states.Env, comment string) (*states.Result, error) {
	if dir := pypath.Dirname(in.Name); !pypath.IsDir(dir) {
		if !in.Makedirs {
			return states.Failed("The target directory %s is not present", dir), nil
		}
		if err := makeParent(ctx, env, in.Name, in.User, in.Group, in.Mode); err != nil {
			return nil, err
		}
	}
	if err := in.copy(); err != nil {
		return states.Failed(`Failed to copy "%s" to "%s"`, in.Source, in.Name), nil
	}
	ret := ordered.Pairs("name", in.Name, "changes", ordered.Pairs(in.Name, in.Source), "comment", comment, "result", true)
	if in.Preserve {
		return resultOf(ret), nil
	}
	v, err := call(ctx, env, "file.check_perms", in.Name, ret, in.User, in.Group, in.Mode)
	if err != nil {
		return nil, err
	}
	pair, _ := v.([]any)
	return resultOf(pair[0]), nil
}

func (in copyArgs) copy() error {
	fi, err := os.Stat(in.Source)
	if err != nil {
		return err
	}
	if !fi.IsDir() {
		if pypath.IsDir(in.Name) {
			if _, err := fileops.Remove(in.Name); err != nil {
				return err
			}
		}
		src, err := os.Open(in.Source)
		if err != nil {
			return err
		}
		defer src.Close()
		return atomicfile.WriteFrom(in.Name, fi.Mode(), func(w io.Writer) error {
			_, err := io.Copy(w, src)
			return err
		})
	}
	if _, err := fileops.Remove(in.Name); err != nil {
		return err
	}
	if err := fileops.CopyTree(in.Source, in.Name); err != nil {
		return err
	}
	if err := os.Chmod(in.Name, fi.Mode()); err != nil {
		return err
	}
	pypath.Walk(in.Name, func(dir string, dirs, files []string) []string {
		for _, list := range [][]string{dirs, files} {
			for _, n := range list {
				_, _ = fileperm.Chown(pypath.Join(dir, n), in.User, in.Group, false) // Salt does not look either
			}
		}
		return dirs
	})
	return nil
}

type renameArgs struct {
	Name     string         `arg:"name"`
	Source   string         `arg:"source"`
	Force    bool           `arg:"force" def:"False"`
	Makedirs bool           `arg:"makedirs" def:"False"`
	Kwargs   modules.Kwargs `arg:"**kwargs"`
}

func renamed(ctx context.Context, env *states.Env, in renameArgs) (check, error) {
	in.Name, in.Source = pypath.Expandvars(in.Name), pypath.Expandvars(pypath.Expanduser(in.Source))
	switch {
	case !pypath.IsAbs(in.Name):
		return notAbsolute(in.Name)
	case !pypath.Lexists(in.Source):
		return final(states.Fine(`Source file "` + in.Source + `" has already been moved out of place`))
	case pypath.Lexists(in.Name) && !in.Force:
		return final(states.Fine(`The target file "` + in.Name + `" exists and will not be overwritten`))
	}
	return change(func(ctx context.Context) (*states.Result, error) {
		if dir := pypath.Dirname(in.Name); !pypath.IsDir(dir) {
			if !in.Makedirs {
				return states.Failed("The target directory %s is not present", dir), nil
			}
			if err := makeParent(ctx, env, in.Name, nil, nil, nil); err != nil {
				return nil, err
			}
		}
		if pypath.IsDir(in.Name) || pypath.IsDir(in.Source) { // a file is replaced in one step
			if _, err := fileops.Remove(in.Name); err != nil {
				return states.Failed(`Failed to delete "%s" in preparation for forced move`, in.Name), nil
			}
		}
		if err := fileops.Move(in.Source, in.Name); err != nil {
			return states.Failed(`Failed to move "%s" to "%s"`, in.Source, in.Name), nil
		}
		return &states.Result{OK: states.True(), Comment: `Moved "` + in.Source + `" to "` + in.Name + `"`, Changes: ordered.Pairs(in.Name, in.Source)}, nil
	}, `File "`+in.Source+`" is set to be moved to "`+in.Name+`"`, nil)
}

type mknodArgs struct {
	Name  string `arg:"name"`
	Type  string `arg:"ntype"`
	Major any    `arg:"major" def:"0"`
	Minor any    `arg:"minor" def:"0"`
	User  any    `arg:"user" def:"None"`
	Group any    `arg:"group" def:"None"`
	Mode  any    `arg:"mode" def:"'0600'"`
}

func mknod(ctx context.Context, env *states.Env, in mknodArgs) (check, error) {
	kinds := map[string][2]string{"c": {"character device", "file.is_chrdev"}, "b": {"block device", "file.is_blkdev"}, "p": {"fifo pipe", "file.is_fifo"}}
	kind, ok := kinds[in.Type]
	if !ok {
		return refuse("Node type unavailable: '%s'. Available node types are character ('c'), block ('b'), and pipe ('p')", in.Type)
	}
	what := map[string]string{"c": "Character device", "b": "Block device", "p": "Fifo pipe"}[in.Type]
	if pypath.IsFile(in.Name) {
		return refuse("File %s exists and is not a %s. Refusing to continue", in.Name, kind[0])
	}
	there, err := states.Truth(call(ctx, env, kind[1], in.Name))
	if !pypath.Exists(in.Name) {
		there, err = false, nil
	}
	if err != nil {
		return check{}, err
	}
	if !there {
		return change(func(ctx context.Context) (*states.Result, error) {
			v, err := call(ctx, env, "file.mknod", in.Name, in.Type, in.Major, in.Minor, in.User, in.Group, in.Mode)
			if err != nil {
				return nil, err
			}
			return resultOf(v), nil
		}, what+" "+in.Name+" is set to be created", nil)
	}
	if in.Type != "p" {
		v, err := call(ctx, env, "file.get_devmm", in.Name)
		if err != nil {
			return check{}, err
		}
		if mm, _ := v.([]any); len(mm) != 2 || !ordered.Equal(mm[0], in.Major) || !ordered.Equal(mm[1], in.Minor) {
			return refuse("%s %s exists and has a different major/minor %s/%s. Refusing to continue", what, in.Name, pyfmt.Str(mm[0]), pyfmt.Str(mm[1]))
		}
	}
	return either(ctx, env, func(ctx context.Context) (*states.Result, error) {
		v, err := call(ctx, env, "file.check_perms", in.Name, nil, in.User, in.Group, in.Mode)
		if err != nil {
			return nil, err
		}
		pair, _ := v.([]any)
		r := resultOf(pair[0])
		if r.Changes.Len() == 0 {
			r.Comment = what + " " + in.Name + " is in the correct state"
		}
		return r, nil
	})
}
