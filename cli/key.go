package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"brine/internal/ordered"
	"brine/internal/rpc"
	"brine/master"
	"brine/proto"
)

type keyOptions struct {
	common
	list                            string
	listAll, acceptAll, rejectAll   bool
	deleteAll, printAll, fingerAll  bool
	accept, reject, del             string
	print, finger                   string
	all, accepted, rejected, denied bool
	yes, quiet                      bool
	token                           string
	tokenFor                        string
	genKeys, genDir                 string

	env    *Env
	p      *printer
	socket string
}

func newKey(env *Env) *cobra.Command {
	o := &keyOptions{env: env}
	cmd := &cobra.Command{
		Use:   "key [options]",
		Short: "list and decide about the keys of minions",
		Long:  "List and decide about the keys that minions offer. Without an option all keys are listed.",
		Example: `  brine key -L
  brine key -a 'web*'
  brine key -d old-device -y
  brine key --token=24h --token-for=car-17`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	addCommonWith(cmd, &o.common, "")
	o.flags(cmd)
	return cmd
}

func (o *keyOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.list, "list", "l", "", "list keys: acc, pre (un), rej, den or all")
	f.BoolVarP(&o.listAll, "list-all", "L", false, "list all keys")
	f.StringVarP(&o.accept, "accept", "a", "", "accept pending keys: globs, separated by commas")
	f.BoolVarP(&o.acceptAll, "accept-all", "A", false, "accept all pending keys")
	f.StringVarP(&o.reject, "reject", "r", "", "reject pending keys")
	f.BoolVarP(&o.rejectAll, "reject-all", "R", false, "reject all pending keys")
	f.StringVarP(&o.del, "delete", "d", "", "delete keys of any state")
	f.BoolVarP(&o.deleteAll, "delete-all", "D", false, "delete all keys")
	f.StringVarP(&o.print, "print", "p", "", "print public keys")
	f.BoolVarP(&o.printAll, "print-all", "P", false, "print all public keys")
	f.StringVarP(&o.finger, "finger", "f", "", "print fingerprints")
	f.BoolVarP(&o.fingerAll, "finger-all", "F", false, "print all fingerprints, the master's too")
	f.BoolVar(&o.all, "include-all", false, "accept or reject keys of any state")
	f.BoolVar(&o.accepted, "include-accepted", false, "reject accepted keys too")
	f.BoolVar(&o.rejected, "include-rejected", false, "accept rejected keys too")
	f.BoolVar(&o.denied, "include-denied", false, "accept or reject denied keys too")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but errors")
	f.StringVar(&o.token, "token", "", "make a single-use join token that is valid so long: 1h, 7d")
	f.StringVar(&o.tokenFor, "token-for", "", "the only id that the token is for")
	f.StringVar(&o.genKeys, "gen-keys", "", "make a key pair with this name")
	f.StringVar(&o.genDir, "gen-keys-dir", ".", "folder for --gen-keys")
}

func (o *keyOptions) run(ctx context.Context) error {
	log, err := o.logger(o.env)
	if err != nil {
		return err
	}
	opts, loaded, err := master.Load(o.env.configDir(o.configDir, "master"))
	if err != nil {
		return err
	}
	warn(log, loaded)
	if o.p, err = o.printer(o.env, log); err != nil {
		return err
	}
	defer o.p.close()
	o.socket = opts.SocketPath()
	switch {
	case o.genKeys != "":
		return o.generate()
	case o.token != "":
		return o.newToken(ctx)
	case o.accept != "" || o.acceptAll:
		return o.decide(ctx, "accept", orAll(o.accept, o.acceptAll))
	case o.reject != "" || o.rejectAll:
		return o.decide(ctx, "reject", orAll(o.reject, o.rejectAll))
	case o.del != "" || o.deleteAll:
		return o.decide(ctx, "delete", orAll(o.del, o.deleteAll))
	case o.print != "" || o.printAll:
		return o.show(ctx, "key.print", orAll(o.print, o.printAll))
	case o.finger != "" || o.fingerAll:
		return o.show(ctx, "key.finger", orAll(o.finger, o.fingerAll))
	case o.list != "" && o.list != "all":
		m, err := o.wheel(ctx, "key.list", "match", o.list)
		if err != nil {
			return err
		}
		o.p.print(m, "key")
		return nil
	}
	m, err := o.wheel(ctx, "key.list_all")
	if err != nil {
		return err
	}
	m.Delete("local")
	o.p.print(m, "key")
	return nil
}

func orAll(match string, all bool) string {
	if all {
		return "*"
	}
	return match
}

func (o *keyOptions) wheel(ctx context.Context, fun string, kv ...any) (*ordered.Map, error) {
	var f master.Frame
	err := rpc.One(ctx, o.socket, "wheel", master.FunRequest{Fun: fun, Kwargs: ordered.Pairs(kv...), User: userName(o.env)}, &f)
	if err != nil {
		return nil, reach(err, o.socket)
	}
	m, _ := f.Value.Value.(*ordered.Map)
	return m, nil
}

func (o *keyOptions) show(ctx context.Context, fun, match string) error {
	m, err := o.wheel(ctx, fun, "match", match)
	if err != nil {
		return err
	}
	if m.Len() > 0 {
		o.p.print(m, "key")
	}
	return nil
}

// dirs are the states that an action looks at, by Salt's names.
func (o *keyOptions) dirs(act string) []string {
	if act == "delete" {
		return []string{"minions", "minions_denied", "minions_pre", "minions_rejected"}
	}
	out := []string{"minions_pre"}
	if act == "reject" && (o.all || o.accepted) {
		out = append(out, "minions")
	}
	if act == "accept" && (o.all || o.rejected) {
		out = append(out, "minions_rejected")
	}
	if o.all || o.denied {
		out = append(out, "minions_denied")
	}
	return out
}

// decide accepts, rejects or deletes the keys that match, after asking.
func (o *keyOptions) decide(ctx context.Context, act, match string) error {
	all, err := o.wheel(ctx, "key.name_match", "match", match)
	if err != nil {
		return err
	}
	chosen := ordered.New(0)
	for _, d := range o.dirs(act) {
		if list := all.List(d); len(list) > 0 {
			chosen.Set(d, list)
		}
	}
	if chosen.Len() == 0 {
		o.say(fmt.Sprintf("The key glob '%s' does not match any %s keys.", match, o.kinds(act)))
		return nil
	}
	done := map[string]string{"accept": "accepted", "reject": "rejected", "delete": "deleted"}[act]
	if !o.yes {
		o.say(fmt.Sprintf("The following keys are going to be %s:", done))
		o.p.print(chosen, "key")
		if !o.confirm(act) {
			return nil
		}
	}
	kw := []any{"match", chosen}
	if _, err := o.wheel(ctx, "key."+act+"_dict", kw...); err != nil {
		return err
	}
	for _, d := range o.dirs(act) {
		for _, id := range chosen.List(d) {
			o.say(fmt.Sprintf("Key for minion %v %s.", id, done))
		}
	}
	return nil
}

func (o *keyOptions) kinds(act string) string {
	switch {
	case act == "delete":
		return "accepted, unaccepted or rejected"
	case act == "accept" && (o.all || o.rejected), act == "reject" && o.all:
		return "unaccepted or rejected"
	}
	return "unaccepted"
}

func (o *keyOptions) say(text string) {
	if !o.quiet {
		o.p.text(text)
	}
}

// confirm asks on the terminal. Enter alone means yes, for a deletion no.
func (o *keyOptions) confirm(act string) bool {
	prompt := "Proceed? [n/Y] "
	if act == "delete" {
		prompt = "Proceed? [N/y] "
	}
	fmt.Fprint(o.env.Stdout, prompt)
	line, err := bufio.NewReader(o.env.Stdin).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	switch {
	case err != nil && answer == "":
		fmt.Fprintln(o.env.Stdout)
		return false // nobody is there to ask
	case answer == "":
		return act != "delete"
	}
	return strings.HasPrefix(answer, "y")
}

func (o *keyOptions) newToken(ctx context.Context) error {
	d, err := duration(o.token)
	if err != nil || d == 0 {
		return usagef("option --token: '%s' is no time: use 1h or 7d", o.token)
	}
	var token string
	if err := rpc.One(ctx, o.socket, "token", master.TokenRequest{ID: o.tokenFor, Valid: d.Seconds()}, &token); err != nil {
		return reach(err, o.socket)
	}
	o.p.text(token)
	return nil
}

func (o *keyOptions) generate() error {
	dir := o.env.abs(o.genDir)
	path := filepath.Join(dir, o.genKeys+".pem")
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s exists already", path)
	}
	k, err := proto.LoadIdentity(dir, o.genKeys)
	if err != nil {
		return err
	}
	o.p.print(ordered.Pairs("return", proto.Finger(k.Public())), "")
	return nil
}
