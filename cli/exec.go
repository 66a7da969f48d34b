package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"brine/internal/ordered"
	"brine/internal/saltargs"
	"brine/master"
)

// execOptions are those of the command without a name: brine TARGET FUN.
type execOptions struct {
	common
	target
	static, async, progress  bool
	verbose, showJID         bool
	hideTimeout, summary     bool
	doc, preview, outputDiff bool
	configDump               bool
	timeout, gather          string
	batch, batchWait         string
	safeLimit                int
	safeSize                 string
	failhard                 bool
	subset                   int
	ret, retConfig, retKw    string
	metadata, separator      string
	executors, executorOpts  string
	queue                    string
}

// target are the options that say of which kind a target is.
type target struct {
	pcre, list, grain, grainPCRE, pillar, pillarPCRE, nodegroup, ranged, compound, ipcidr bool
	delimiter                                                                             string
}

func (t *target) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVarP(&t.pcre, "pcre", "E", false, "the target is a regular expression on the id")
	f.BoolVarP(&t.list, "list", "L", false, "the target is a list of ids, separated by commas or blanks")
	f.BoolVarP(&t.grain, "grain", "G", false, "the target is a grain: key:glob")
	f.BoolVarP(&t.grainPCRE, "grain-pcre", "P", false, "the target is a grain: key:regular expression")
	f.BoolVarP(&t.nodegroup, "nodegroup", "N", false, "the target is a node group of the master's configuration")
	f.BoolVarP(&t.ranged, "range", "R", false, "not supported: needs a range server")
	f.StringVar(&t.delimiter, "delimiter", ":", "what separates the levels of a grain or pillar target")
	alias(f, "grain-pcre", "grain-p")
}

// addMore declares the kinds that brine cp uses the letters of for something else.
func (t *target) addMore(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVarP(&t.pillar, "pillar", "I", false, "the target is a pillar value: key:glob")
	f.BoolVarP(&t.pillarPCRE, "pillar-pcre", "J", false, "the target is a pillar value: key:regular expression")
	f.BoolVarP(&t.compound, "compound", "C", false, "the target is a compound expression: 'web* and G@os:Debian'")
	f.BoolVarP(&t.ipcidr, "ipcidr", "S", false, "the target is an address or a network")
}

// kind is the target's type by Salt's name.
func (t *target) kind() (string, error) {
	kinds := []struct {
		set        bool
		flag, name string
	}{
		{t.pcre, "pcre", "pcre"}, {t.list, "list", "list"}, {t.grain, "grain", "grain"}, {t.grainPCRE, "grain-pcre", "grain_pcre"},
		{t.pillar, "pillar", "pillar"}, {t.pillarPCRE, "pillar-pcre", "pillar_pcre"}, {t.nodegroup, "nodegroup", "nodegroup"},
		{t.ranged, "range", "range"}, {t.compound, "compound", "compound"}, {t.ipcidr, "ipcidr", "ipcidr"},
	}
	kind, flags := "glob", []string{}
	for _, k := range kinds {
		if k.set {
			kind = k.name
			flags = append(flags, "--"+k.flag)
		}
	}
	if len(flags) > 1 {
		return "", usagef("The options %s are mutually exclusive. Please only choose one of them", strings.Join(flags, "/"))
	}
	return kind, nil
}

// value is the target as jobs carry it: a list for -L.
func (t *target) value(text string) any {
	if !t.list {
		return text
	}
	out := []any{}
	for _, id := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' }) {
		out = append(out, id)
	}
	return out
}

func newExec(env *Env) *cobra.Command {
	o := &execOptions{}
	cmd := &cobra.Command{
		Use:   "brine [options] TARGET FUN [ARGS]",
		Short: "run commands, states and updates on a fleet",
		Long: `Run a function on the minions that a target means, and print what each returns.

The target is a glob on the id unless an option says otherwise. Other commands: see below.`,
		Example: `  brine '*' test.ping
  brine 'web*' cmd.run 'uptime'
  brine -G 'os:Debian' grains.item os kernel
  brine -C 'web* and not G@os:Windows' state.apply nginx test=True
  brine '*' test.ping,cmd.run , uptime
  brine --async --queue=8h 'car-*' minionutil.update_release`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, env, words(args)) },
	}
	addCommon(cmd, &o.common)
	addArgs(cmd, &o.common)
	o.target.add(cmd)
	o.target.addMore(cmd)
	o.add(cmd)
	cmd.ValidArgsFunction = completer(env, &o.common, []lister{minionIDs, functions})
	return cmd
}

func (o *execOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVarP(&o.static, "static", "s", false, "print one combined result when all have answered")
	f.BoolVar(&o.async, "async", false, "print the job id and do not wait")
	f.BoolVarP(&o.progress, "progress", "p", false, "show how many have answered")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "announce the job id; name missing minions in the summary")
	f.BoolVar(&o.showJID, "show-jid", false, "print the job id first")
	f.BoolVar(&o.hideTimeout, "hide-timeout", false, "say nothing about minions that do not answer")
	f.BoolVar(&o.summary, "summary", false, "print counts at the end")
	f.BoolVarP(&o.doc, "doc", "d", false, "show the function's documentation")
	f.BoolVar(&o.preview, "preview-target", false, "list the minions that match and send nothing")
	f.BoolVar(&o.outputDiff, "output-diff", false, "show only states that changed")
	f.BoolVar(&o.configDump, "config-dump", false, "print the master's configuration")
	f.StringVarP(&o.timeout, "timeout", "t", "", "seconds to wait for a silent minion (default: the master's timeout)")
	f.StringVar(&o.gather, "gather-job-timeout", "", "seconds more for a connected minion that has not acknowledged")
	f.StringVarP(&o.batch, "batch", "b", "", "how many minions work at a time: 3, 10% or %10")
	f.StringVar(&o.batchWait, "batch-wait", "", "seconds before a finished minion's place is taken by the next")
	f.IntVar(&o.safeLimit, "batch-safe-limit", 0, "work in batches when at least so many minions match")
	f.StringVar(&o.safeSize, "batch-safe-size", "8", "size of those batches")
	f.BoolVar(&o.failhard, "failhard", false, "stop a batch at the first failure")
	f.IntVar(&o.subset, "subset", 0, "only so many minions of the target, chosen at random")
	f.StringVar(&o.ret, "return", "", "returner that the minions give the result to")
	f.StringVar(&o.retConfig, "return-config", "", "alternative configuration of the returner")
	f.StringVar(&o.retKw, "return-kwargs", "", "options of the returner, as YAML")
	f.StringVar(&o.metadata, "metadata", "", "data to keep with the job, as YAML")
	f.StringVar(&o.separator, "args-separator", ",", "separates the arguments of compound commands")
	f.StringVar(&o.executors, "module-executors", "", "accepted for compatibility")
	f.StringVar(&o.executorOpts, "executor-opts", "", "accepted for compatibility")
	f.StringVar(&o.queue, "queue", "", "let the job wait so long for minions that are asleep or away: 90s, 8h, 3d")
	alias(f, "batch", "batch-size")
	alias(f, "doc", "documentation")
	alias(f, "module-executors", "executors")
}

func (o *execOptions) run(cmd *cobra.Command, env *Env, args []string) error {
	log, err := o.logger(env)
	if err != nil {
		return err
	}
	opts, loaded, err := master.Load(env.configDir(o.configDir, "master"))
	if err != nil {
		return err
	}
	warn(log, loaded)
	if args, err = o.readArgs(env, args); err != nil {
		return err
	}
	switch {
	case o.configDump:
		p, err := o.printer(env, log)
		if err != nil {
			return err
		}
		defer p.close()
		p.print(opts.All, "yaml")
		return nil
	case o.doc && len(args) == 0:
		args = []string{"*", ""}
	case len(args) == 0:
		_ = cmd.Help()
		fmt.Fprintln(env.Stdout, "Cannot execute command without defining a target.")
		return exit(exitIncomplete)
	case len(args) == 1 && !o.preview && !o.doc:
		_ = cmd.Help()
		fmt.Fprintln(env.Stdout, "Incomplete options passed.")
		return exit(exitIncomplete)
	}
	req, err := o.request(env, args)
	if err != nil {
		return err
	}
	p, err := o.printer(env, log)
	if err != nil {
		return err
	}
	defer p.close()
	o.fromConfig(opts)
	p.stateDefaults(opts.StateOutput, opts.StateVerb, o.outputDiff)
	return (&session{o: o, env: env, p: p, socket: opts.SocketPath()}).run(cmd.Context(), req)
}

// fromConfig takes defaults from the master's configuration.
func (o *execOptions) fromConfig(opts *master.Options) {
	o.showJID = o.showJID || opts.ShowJID
	o.summary = o.summary || opts.CLISummary
	o.hideTimeout = o.hideTimeout || !opts.ShowTimeout
}

func (o *execOptions) request(env *Env, args []string) (*master.LocalRequest, error) {
	kind, err := o.kind()
	if err != nil {
		return nil, err
	}
	q := &master.LocalRequest{
		Tgt: o.value(args[0]), TgtType: kind, User: userName(env), Async: o.async, Batch: o.batch, Failhard: o.failhard, Subset: o.subset,
		Preview: o.preview, Ret: o.ret, SafeLimit: o.safeLimit, SafeSize: o.safeSize,
	}
	if o.delimiter != ":" {
		q.Delimiter = o.delimiter
	}
	if err := o.times(q); err != nil {
		return nil, err
	}
	if err := o.extras(q); err != nil {
		return nil, err
	}
	if o.preview {
		return q, nil
	}
	if o.doc {
		q.Fun, q.Arg = "sys.doc", []any{}
		for _, a := range args[1:] {
			if a != "" {
				q.Arg = append(q.Arg, a)
			}
		}
		return q, nil
	}
	q.Fun, q.Arg, err = o.function(args[1], args[2:])
	return q, err
}

func (o *execOptions) times(q *master.LocalRequest) error {
	for _, t := range []struct {
		flag, text string
		dst        *float64
	}{{"-t", o.timeout, &q.Timeout}, {"--gather-job-timeout", o.gather, &q.Gather}, {"--batch-wait", o.batchWait, &q.BatchWait}, {"--queue", o.queue, &q.Queue}} {
		if t.text == "" {
			continue
		}
		d, err := duration(t.text)
		if err != nil {
			return usagef("option %s: %v", t.flag, err)
		}
		*t.dst = d.Seconds()
	}
	return nil
}

// duration reads seconds, or a time with a unit up to days.
func duration(text string) (time.Duration, error) {
	if f, err := strconv.ParseFloat(text, 64); err == nil && f >= 0 {
		return time.Duration(f * float64(time.Second)), nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if f, err := strconv.ParseFloat(days, 64); err == nil && f >= 0 {
			return time.Duration(f * 24 * float64(time.Hour)), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d, nil
	}
	return 0, fmt.Errorf("invalid time: '%s': use seconds, or a time such as 90s, 5m, 8h or 3d", text)
}

func (o *execOptions) extras(q *master.LocalRequest) error {
	extra := ordered.New(0)
	if o.retConfig != "" {
		extra.Set("ret_config", o.retConfig)
	}
	if o.delimiter != ":" {
		extra.Set("delimiter", o.delimiter)
	}
	for _, y := range []struct{ flag, text, key string }{{"--metadata", o.metadata, "metadata"}, {"--return-kwargs", o.retKw, "ret_kwargs"}} {
		if y.text == "" {
			continue
		}
		m, ok := saltargs.Value(y.text).(*ordered.Map)
		if !ok {
			return usagef("option %s: '%s' is no map: write it as '{key: value}'", y.flag, y.text)
		}
		if y.key == "metadata" {
			q.Meta = m
		} else {
			extra.Set(y.key, m)
		}
	}
	if extra.Len() > 0 {
		q.Extra = extra
	}
	return nil
}

// function reads the function and its arguments; one with commas is a compound command.
func (o *execOptions) function(fun string, args []string) (any, []any, error) {
	if !strings.Contains(fun, ",") {
		pos, kw := saltargs.Parse(args, o.noParse...)
		return fun, saltargs.ToJob(pos, kw), nil
	}
	funs := strings.Split(fun, ",")
	var lists [][]string
	if len(args) > 0 {
		lists = [][]string{{}}
	}
	for _, a := range args {
		if a == o.separator {
			lists = append(lists, []string{})
			continue
		}
		lists[len(lists)-1] = append(lists[len(lists)-1], a)
	}
	switch {
	case len(lists) > len(funs):
		return nil, nil, &exitErr{exitIncomplete, fmt.Errorf("Cannot execute compound command with more arguments than commands.")}
	case len(lists) != 0 && len(lists) != len(funs):
		return nil, nil, &exitErr{exitIncomplete, fmt.Errorf("Cannot execute compound command without defining all arguments.")}
	}
	names, all := []any{}, []any{}
	for i, f := range funs {
		names = append(names, strings.TrimSpace(f))
		one := []any{}
		if i < len(lists) {
			pos, kw := saltargs.Parse(lists[i], o.noParse...)
			one = saltargs.ToJob(pos, kw)
		}
		all = append(all, one)
	}
	return names, all, nil
}

// sorted returns a sorted copy.
func sorted(list []string) []string {
	out := slices.Clone(list)
	slices.Sort(out)
	return out
}
