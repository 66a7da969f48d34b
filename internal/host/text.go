package host

import (
	"context"
	"os"
	"strings"
)

// Text is what a command said, as text without the white space at the end.
type Text struct {
	Retcode        int
	Stdout, Stderr string
}

// OK tells whether the command succeeded.
func (t Text) OK() bool { return t.Retcode == 0 }

// Said is what the command gave as a reason: its errors, else its output.
func (t Text) Said() string {
	if t.Stderr != "" {
		return t.Stderr
	}
	return t.Stdout
}

// Exec runs a system tool from the root folder, in the C locale so that its words can be read, and gives its output as
// text. Extra KEY=value pairs may be given in c.Env.
func Exec(ctx context.Context, r Runner, c Cmd) (Text, error) {
	if c.Dir == "" && c.User == "" {
		c.Dir = "/"
	}
	c.Env = append(append(os.Environ(), "LC_ALL=C", "LANG=C"), c.Env...)
	res, err := r.Run(ctx, c)
	if err != nil {
		return Text{}, err
	}
	return Text{
		Retcode: res.Retcode,
		Stdout:  strings.TrimRight(string(res.Stdout), " \t\r\n"),
		Stderr:  strings.TrimRight(string(res.Stderr), " \t\r\n"),
	}, ctx.Err()
}

// Tool is Exec for a command line alone.
func Tool(ctx context.Context, r Runner, argv ...string) (Text, error) {
	return Exec(ctx, r, Cmd{Argv: argv})
}
