package archive

import (
	"context"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pytext"
	"brine/internal/shlex"
	"brine/modules"
)

const tarDoc = `Run tar: options such as xzf, the archive, and the files to pack.

CLI Example:

    salt '*' archive.tar cjvf /tmp/tarfile.tar.bz2 /tmp/file_1,/tmp/file_2
    salt '*' archive.tar xf foo.tar dest=/target/directory`

type tarArgs struct {
	Options  any    `arg:"options"`
	File     string `arg:"tarfile"`
	Sources  any    `arg:"sources" def:"None"`
	Dest     any    `arg:"dest" def:"None"`
	Cwd      any    `arg:"cwd" def:"None"`
	Template any    `arg:"template" def:"None"`
	Runas    any    `arg:"runas" def:"None"`
}

func tar(ctx context.Context, env *modules.Env, in tarArgs) (any, error) {
	if !pyfmt.Truth(in.Options) {
		return nil, modules.Errorf("Tar options can not be empty")
	}
	cmd := append([]string{"tar"}, strings.Fields(pyfmt.Str(in.Options))...)
	cmd = append(append(cmd, in.File), sources(in.Sources)...)
	if in.Dest != nil {
		cmd = append(cmd, "-C", pyfmt.Str(in.Dest))
	}
	return lines(ctx, env, cmd, how{in.Cwd, in.Template, in.Runas})
}

const gzipDoc = `Pack a file with gzip.

CLI Example:

    salt '*' archive.gzip /tmp/sourcefile.txt`

type gzipArgs struct {
	File     string `arg:"sourcefile"`
	Template any    `arg:"template" def:"None"`
	Runas    any    `arg:"runas" def:"None"`
	Options  any    `arg:"options" def:"None"`
}

type gunzipArgs struct {
	File     string `arg:"gzipfile"`
	Template any    `arg:"template" def:"None"`
	Runas    any    `arg:"runas" def:"None"`
	Options  any    `arg:"options" def:"None"`
}

func gzip(ctx context.Context, env *modules.Env, in gzipArgs) (any, error) {
	return lines(ctx, env, append(with("gzip", in.Options), in.File), how{nil, in.Template, in.Runas})
}

func with(program string, options any) []string {
	if options == nil {
		return []string{program}
	}
	return []string{program, pyfmt.Str(options)}
}

const gunzipDoc = `Unpack a file with gunzip.

CLI Example:

    salt '*' archive.gunzip /tmp/sourcefile.txt.gz`

func gunzip(ctx context.Context, env *modules.Env, in gunzipArgs) (any, error) {
	return lines(ctx, env, append(with("gunzip", in.Options), in.File), how{nil, in.Template, in.Runas})
}

const cmdZipDoc = `Pack files with the program zip.

CLI Example:

    salt '*' archive.cmd_zip /tmp/zipfile.zip /tmp/sourcefile1,/tmp/sourcefile2`

type cmdZipArgs struct {
	File     string `arg:"zip_file"`
	Sources  any    `arg:"sources"`
	Template any    `arg:"template" def:"None"`
	Cwd      any    `arg:"cwd" def:"None"`
	Runas    any    `arg:"runas" def:"None"`
}

func cmdZip(ctx context.Context, env *modules.Env, in cmdZipArgs) (any, error) {
	return lines(ctx, env, append([]string{"zip", "-r", in.File}, sources(in.Sources)...), how{in.Cwd, in.Template, in.Runas})
}

const cmdUnzipDoc = `Unpack a zip archive with the program unzip.

CLI Example:

    salt '*' archive.cmd_unzip /tmp/zipfile.zip /home/strongbad/ excludes=file_1,file_2`

type cmdUnzipArgs struct {
	File     string `arg:"zip_file"`
	Dest     string `arg:"dest"`
	Excludes any    `arg:"excludes" def:"None"`
	Options  any    `arg:"options" def:"None"`
	Template any    `arg:"template" def:"None"`
	Runas    any    `arg:"runas" def:"None"`
	Trim     any    `arg:"trim_output" def:"False"`
	Password any    `arg:"password" def:"None"`
}

func cmdUnzip(ctx context.Context, env *modules.Env, in cmdUnzipArgs) (any, error) {
	cmd := []string{"unzip"}
	if pyfmt.Truth(in.Password) {
		cmd = append(cmd, "-P", pyfmt.Str(in.Password))
	}
	if pyfmt.Truth(in.Options) {
		more, err := shlex.Split(pyfmt.Str(in.Options))
		if err != nil {
			return nil, err
		}
		cmd = append(cmd, more...)
	}
	cmd = append(cmd, in.File, "-d", in.Dest)
	if in.Excludes != nil {
		cmd = append(append(cmd, "-x"), words(in.Excludes)...)
	}
	v, err := env.Call(ctx, "cmd.run_all", modules.Args{Pos: []any{ordered.Of(cmd)}, Kw: ordered.Pairs("template", in.Template, "runas", in.Runas, "python_shell", false,
		"redirect_stderr", true, "output_loglevel", "quiet")})
	if err != nil {
		return nil, err
	}
	res, _ := v.(*ordered.Map)
	if res.Value("retcode") != int64(0) {
		return nil, modules.Errorf("%s", res.String("stdout"))
	}
	return trimmed(pytext.Splitlines(res.String("stdout"), false), in.Trim), nil
}

const unrarDoc = `Unpack a rar archive with the program unrar.

CLI Example:

    salt '*' archive.unrar /tmp/rarfile.rar /home/strongbad/ excludes=file_1,file_2`

type unrarArgs struct {
	File     string `arg:"rarfile"`
	Dest     string `arg:"dest"`
	Excludes any    `arg:"excludes" def:"None"`
	Template any    `arg:"template" def:"None"`
	Runas    any    `arg:"runas" def:"None"`
	Trim     any    `arg:"trim_output" def:"False"`
}

func unrar(ctx context.Context, env *modules.Env, in unrarArgs) (any, error) {
	program := pypath.Which("unrar")
	if program == "" {
		return nil, modules.Errorf("unrar not found")
	}
	cmd := []string{program, "x", "-idp", in.File}
	for _, e := range words(in.Excludes) {
		cmd = append(cmd, "-x", e)
	}
	out, err := lines(ctx, env, append(cmd, in.Dest), how{nil, in.Template, in.Runas})
	if err != nil {
		return nil, err
	}
	return trimmed(out, in.Trim), nil
}
