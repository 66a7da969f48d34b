package cli

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"brine/internal/ordered"
	"brine/internal/rpc"
	"brine/master"
)

// cpOptions are those of brine cp.
type cpOptions struct {
	common
	target
	chunked, plain bool
	timeout        string
}

const (
	// cpWhole is up to which size a file travels in one job; larger ones go in parts without being asked.
	cpWhole = 256 << 10
	cpChunk = 96 << 10 // Salt's salt_cp_chunk_size
)

func newCp(env *Env) *cobra.Command {
	o := &cpOptions{}
	cmd := &cobra.Command{
		Use:   "cp [options] TARGET SOURCE... DEST",
		Short: "copy files from this machine to minions",
		Long: `Copy files to minions. Several sources need a destination that is a folder: one that exists, or one that ends in a slash.

Folders need --chunked. For files that many minions need, put them into the file roots and use cp.get_file.`,
		Example: `  brine cp 'web*' motd /etc/motd
  brine cp -L web1,db1 a.conf b.conf /etc/app/
  brine cp -C 'car-*' firmware/ /opt/firmware`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), env, words(args)) },
	}
	cmd.ValidArgsFunction = completer(env, &o.common, []lister{minionIDs})
	addCommon(cmd, &o.common)
	o.target.add(cmd)
	f := cmd.Flags()
	f.BoolVarP(&o.chunked, "chunked", "C", false, "copy in parts: for folders and large files")
	f.BoolVarP(&o.plain, "no-compression", "n", false, "do not compress the parts")
	f.StringVarP(&o.timeout, "timeout", "t", "", "seconds to wait for a silent minion")
	return cmd
}

// source is one file to copy.
type source struct {
	path string
	dest string // "" for the destination as given
	mode fs.FileMode
	size int64
	dir  bool // an empty folder
}

func (o *cpOptions) run(ctx context.Context, env *Env, args []string) error {
	if len(args) < 3 {
		return usagef("name a target, at least one file, and where it goes")
	}
	log, err := o.logger(env)
	if err != nil {
		return err
	}
	opts, loaded, err := master.Load(env.configDir(o.configDir, "master"))
	if err != nil {
		return err
	}
	warn(log, loaded)
	kind, err := o.kind()
	if err != nil {
		return err
	}
	sources, err := o.sources(env, args[1:len(args)-1], args[len(args)-1])
	if err != nil {
		return err
	}
	p, err := o.printer(env, log)
	if err != nil {
		return err
	}
	defer p.close()
	c := &copying{o: o, env: env, p: p, socket: opts.SocketPath(), dest: args[len(args)-1], out: ordered.New(0),
		req: master.LocalRequest{Tgt: o.value(args[0]), TgtType: kind, User: userName(env)}}
	if o.delimiter != ":" {
		c.req.Delimiter = o.delimiter
	}
	if o.timeout != "" {
		d, err := duration(o.timeout)
		if err != nil {
			return usagef("option -t: %v", err)
		}
		c.req.Timeout = d.Seconds()
	}
	return c.run(ctx, sources)
}

// sources lists the files to copy. In chunked mode each has its destination.
func (o *cpOptions) sources(env *Env, names []string, dest string) ([]source, error) {
	var out []source
	whole := int64(0)
	folders := false
	for _, n := range names {
		full := env.abs(n)
		st, err := os.Stat(full)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n, errors.Unwrap(err))
		}
		if !st.IsDir() {
			out = append(out, source{path: full, mode: st.Mode().Perm(), size: st.Size()})
			whole += st.Size()
			continue
		}
		if !o.chunked {
			return nil, &exitErr{exitError, fmt.Errorf("%s is a directory, only files are supported in non-chunked mode. Use \"--chunked\" command line argument.", full)}
		}
		folders = true
		inside, err := walk(full, path.Join(dest, filepath.Base(full)))
		if err != nil {
			return nil, err
		}
		out = append(out, inside...)
	}
	if whole > cpWhole {
		o.chunked = true
	}
	into := folders || len(out) > 1 || strings.HasSuffix(dest, "/")
	for i := range out {
		switch {
		case out[i].dest != "":
		case into:
			out[i].dest = path.Join(dest, filepath.Base(out[i].path))
		default:
			out[i].dest = dest
		}
	}
	return out, nil
}

// walk lists a folder's files and empty folders with their places below dest.
func walk(root, dest string) ([]source, error) {
	var out []source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		s := source{path: p, dest: path.Join(dest, filepath.ToSlash(rel))}
		switch {
		case d.IsDir():
			if list, err := os.ReadDir(p); err != nil || len(list) > 0 {
				return err
			}
			s.dir = true
		default:
			st, err := os.Stat(p)
			if err != nil {
				return err
			}
			if !st.Mode().IsRegular() {
				return nil
			}
			s.mode, s.size = st.Mode().Perm(), st.Size()
		}
		out = append(out, s)
		return nil
	})
	return out, err
}

// copying is one run of brine cp.
type copying struct {
	o      *cpOptions
	env    *Env
	p      *printer
	socket string
	dest   string
	req    master.LocalRequest
	out    *ordered.Map // {minion: {file: True or why not}}
	failed bool
}

func (c *copying) run(ctx context.Context, list []source) error {
	var err error
	if c.o.chunked {
		for i := range list {
			if err = c.send(ctx, &list[i]); err != nil {
				break
			}
		}
	} else {
		err = c.whole(ctx, list)
	}
	switch {
	case rpc.ErrCode(err) == master.CodeNoMatch:
		fmt.Fprintln(c.env.Stdout, err.Error())
		return exit(exitNoReturn)
	case ctx.Err() != nil:
		fmt.Fprintln(c.env.Stderr, "Stopped: files that were on their way may be incomplete.")
		return exit(exitError)
	case err != nil:
		return reach(err, c.socket)
	}
	c.p.print(c.out, "")
	if c.failed {
		return exit(exitError)
	}
	return nil
}

// whole copies small files in one job.
func (c *copying) whole(ctx context.Context, list []source) error {
	files := ordered.New(len(list))
	for _, s := range list {
		data, err := os.ReadFile(s.path)
		if err != nil {
			return err
		}
		files.Set(s.path, data)
	}
	return c.call(ctx, "cp.recv", []any{files, c.dest}, func(id string, v any) {
		c.out.Set(id, v)
		m, ok := v.(*ordered.Map)
		for _, e := range m.All() {
			ok = ok && e == true
		}
		c.failed = c.failed || !ok
	})
}

// send copies one file in parts. A minion that fails one is still sent the others, which then fail too: what counts is
// that every part went through.
func (c *copying) send(ctx context.Context, s *source) error {
	note := func(id string, v any) {
		m, _ := c.out.Value(id).(*ordered.Map)
		if m == nil {
			m = ordered.New(1)
			c.out.Set(id, m)
		}
		if have, ok := m.Get(s.dest); !ok || have == true {
			m.Set(s.dest, v)
		}
		c.failed = c.failed || v != true
	}
	if s.dir {
		return c.call(ctx, "cp.recv_chunked", []any{s.dest, nil}, note)
	}
	f, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer f.Close()
	buf := make([]byte, cpChunk)
	for at := int64(0); ; {
		n, err := io.ReadFull(f, buf)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		if n == 0 && at > 0 {
			break
		}
		part, err := c.pack(buf[:n])
		if err != nil {
			return err
		}
		if err := c.call(ctx, "cp.recv_chunked", []any{s.dest, part, at > 0, !c.o.plain, int64(s.mode)}, note); err != nil {
			return err
		}
		if at += int64(n); n < cpChunk {
			break
		}
		c.progress(s, at)
	}
	return nil
}

func (c *copying) pack(data []byte) (string, error) {
	if c.o.plain {
		return base64.StdEncoding.EncodeToString(data), nil
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		return "", err
	}
	err := z.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes()), err
}

func (c *copying) progress(s *source, at int64) {
	if c.env.Terminal && s.size > 0 {
		fmt.Fprintf(c.env.Stderr, "\r%s: %d%%", filepath.Base(s.path), min(100, at*100/s.size))
		if at >= s.size {
			fmt.Fprintln(c.env.Stderr)
		}
	}
}

// call runs one job and notes what each minion answers.
func (c *copying) call(ctx context.Context, fun string, arg []any, note func(id string, v any)) error {
	q := c.req
	q.Fun, q.Arg = fun, arg
	return rpc.Call(ctx, c.socket, "local", q, func(b rpc.Body) error {
		var f master.Frame
		if err := b.Decode(&f); err != nil {
			return err
		}
		switch {
		case f.Return != nil:
			v, err := f.Return.Value()
			if err != nil {
				return err
			}
			note(f.Return.ID, v)
		case f.Absent != nil:
			note(f.Absent.ID, f.Absent.Text)
		}
		return nil
	})
}
