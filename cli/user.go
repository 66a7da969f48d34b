package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"brine/internal/ordered"
	"brine/internal/rpc"
	"brine/master"
)

type userOptions struct {
	common
	role  string
	stdin bool
	env   *Env
}

func newUser(env *Env) *cobra.Command {
	o := &userOptions{env: env}
	cmd := &cobra.Command{
		Use: "user COMMAND", Short: "manage the users of the console and the HTTP interface",
		Long: "Manage the users of the console and the HTTP interface. There is none at first, and no default password.",
		Example: `  brine user add alice --role admin
  echo "$PASSWORD" | brine user add robot --role operator --password-stdin
  brine user link alice
  brine user list`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	add := &cobra.Command{Use: "add NAME", Short: "make a user, or give one another password", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		password, err := o.password()
		if err != nil {
			return err
		}
		return o.call(cmd.Context(), "user.add", ordered.Pairs("name", args[0], "password", password, "role", o.role))
	}}
	add.Flags().StringVar(&o.role, "role", "operator", "viewer, operator or admin")
	add.Flags().BoolVar(&o.stdin, "password-stdin", false, "read the password from standard input")
	list := &cobra.Command{Use: "list", Short: "list the users", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return o.call(cmd.Context(), "user.list", nil)
	}}
	del := &cobra.Command{Use: "delete NAME", Short: "remove a user and end its sessions", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return o.call(cmd.Context(), "user.delete", ordered.Pairs("name", args[0]))
	}}
	link := &cobra.Command{Use: "link NAME", Short: "make a link that logs a user in to the console, once", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return o.call(cmd.Context(), "user.link", ordered.Pairs("name", args[0]))
	}}
	for _, c := range []*cobra.Command{add, list, del, link} {
		addCommon(c, &o.common)
		cmd.AddCommand(c)
	}
	return cmd
}

// password asks for the password, twice, or reads it from standard input.
func (o *userOptions) password() (string, error) {
	if o.stdin {
		var line string
		_, err := fmt.Fscanln(o.env.Stdin, &line)
		return strings.TrimSpace(line), err
	}
	in, ok := o.env.Stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", errors.New("no terminal to ask for the password on: use --password-stdin")
	}
	var got [2]string
	for i, text := range []string{"Password: ", "Again: "} {
		fmt.Fprint(o.env.Stderr, text)
		b, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(o.env.Stderr)
		if err != nil {
			return "", err
		}
		got[i] = string(b)
	}
	if got[0] != got[1] {
		return "", errors.New("the two are not the same")
	}
	return got[0], nil
}

func (o *userOptions) call(ctx context.Context, fun string, kw *ordered.Map) error {
	log, err := o.logger(o.env)
	if err != nil {
		return err
	}
	opts, loaded, err := master.Load(o.env.configDir(o.configDir, "master"))
	if err != nil {
		return err
	}
	warn(log, loaded)
	p, err := o.printer(o.env, log)
	if err != nil {
		return err
	}
	defer p.close()
	var f master.Frame
	if err := rpc.One(ctx, opts.SocketPath(), "runner", master.FunRequest{Fun: fun, Kwargs: kw, User: userName(o.env)}, &f); err != nil {
		return reach(err, opts.SocketPath())
	}
	if !empty(f.Value.Value) {
		p.print(f.Value.Value, "")
	}
	return nil
}
