// Package cli is the command line: one program whose subcommands, and whose other names (salt, salt-call, salt-run,
// salt-key, salt-cp), behave as Salt's programs do.
//
// All state of the process (arguments, environment, streams, folder) enters through Env, so that tests run the whole
// program in-process, as many at a time as they like.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// Env is what the process gives to the program.
type Env struct {
	// Name is the name that the program was called by, without folders.
	Name   string
	Args   []string
	Getenv func(string) string
	// Dir is the working folder.
	Dir            string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Terminal tells whether Stdout is a terminal: then there are colours.
	Terminal bool
	// Self is the path of this program, for starting it again.
	Self string
}

// Exit codes besides those that results make; see docs/reference/exit-codes.md.
const (
	exitError      = 1
	exitNoReturn   = 2
	exitIncomplete = 42
	exitUsage      = 64
	exitNoFunction = 255
)

// exitErr ends the program with a code. A nil err has printed what there is to say.
type exitErr struct {
	code int
	err  error
}

func (e *exitErr) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitErr) Unwrap() error { return e.err }

func exit(code int) error { return &exitErr{code: code} }

// usageErr is a mistake in the use of a command: it is shown with the command's usage line.
type usageErr struct{ msg string }

func (e *usageErr) Error() string { return e.msg }

func usagef(format string, a ...any) error { return &usageErr{fmt.Sprintf(format, a...)} }

// Main runs the program and returns its exit code.
func Main(ctx context.Context, env *Env) int {
	args := personality(env.Name, env.Args)
	root := newRoot(env)
	cmd, rest := find(root, args)
	normal, err := rest, error(nil)
	if len(args) == 0 || !strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) { // what is half typed stays as it is
		normal, err = normalize(cmd, rest)
	}
	if err == nil {
		root.SetArgs(append(args[:len(args)-len(rest):len(args)-len(rest)], normal...))
		cmd, err = root.ExecuteContextC(ctx)
	}
	return report(env, cmd, err)
}

// personality lets the program's other names stand for subcommands.
func personality(name string, args []string) []string {
	switch strings.TrimSuffix(filepath.Base(name), ".exe") {
	case "salt-call":
		return append([]string{"call"}, args...)
	case "salt-run":
		return append([]string{"run"}, args...)
	case "salt-key":
		return append([]string{"key"}, args...)
	case "salt-cp":
		return append([]string{"cp"}, args...)
	case "salt-master":
		return append([]string{"master"}, args...)
	case "salt-minion":
		return append([]string{"minion"}, args...)
	}
	return args
}

// find tells which command the arguments are for: the subcommand that the first of them names, else the root, which
// takes a target. Options never come before a subcommand's name.
func find(root *cobra.Command, args []string) (*cobra.Command, []string) {
	cmd := root
	for len(args) > 0 {
		next := child(cmd, args[0])
		if next == nil {
			break
		}
		cmd, args = next, args[1:]
	}
	return cmd, args
}

func child(cmd *cobra.Command, name string) *cobra.Command {
	for _, c := range cmd.Commands() {
		if c.Name() == name || c.HasAlias(name) {
			return c
		}
	}
	return nil
}

// report prints an error in Salt's form and gives the exit code.
func report(env *Env, cmd *cobra.Command, err error) int {
	var (
		ex    *exitErr
		usage *usageErr
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(env.Stderr, "Usage: %s\n\n%s: error: %s\n", cmd.UseLine(), cmd.CommandPath(), usage)
		return exitUsage
	case errors.As(err, &ex):
		if ex.err != nil {
			fmt.Fprintln(env.Stderr, ex.err)
		}
		return ex.code
	case errors.Is(err, context.Canceled):
		return 130
	}
	fmt.Fprintf(env.Stderr, "[ERROR   ] %v\n", err)
	return exitError
}

func newRoot(env *Env) *cobra.Command {
	root := newExec(env)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	root.SetHelpCommand(&cobra.Command{Use: "no-help", Hidden: true, Run: func(*cobra.Command, []string) {}})
	root.AddCommand(
		newCall(env), newRun(env), newKey(env), newCp(env), newEvent(env), newJob(env), newRelease(env), newUser(env), newMaster(env), newMinion(env), newDev(env), newVersion(env),
	)
	return root
}

// configDir is the folder of the configuration: -c, $BRINE_CONFIG_DIR, what a development master keeps below the working
// folder, else /etc/brine. role is master or minion.
func (env *Env) configDir(flag, role string) string {
	for _, dir := range []string{flag, env.Getenv("BRINE_CONFIG_DIR")} {
		if dir == "" {
			continue
		}
		dir = env.abs(dir)
		if _, err := os.Stat(filepath.Join(dir, "master", "master")); err == nil && role == "master" {
			return filepath.Join(dir, "master") // the folder of brine dev
		}
		return dir
	}
	if role == "master" {
		dir := filepath.Join(env.Dir, ".brine", "master")
		if _, err := os.Stat(filepath.Join(dir, "master")); err == nil {
			return dir
		}
	}
	return "/etc/brine"
}

func (env *Env) abs(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(env.Dir, path)
}
