package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/user"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"brine/cli/output"
	"brine/internal/config"
	"brine/internal/logging"
	"brine/internal/ordered"
)

// common are the options that Salt's programs share.
type common struct {
	configDir         string
	logLevel, logFile string
	out               string
	outIndent         int
	outIndentSet      func() bool
	outFile           string
	outAppend         bool
	noColor, color    bool
	stateOutput       string
	stateVerbose      bool
	argsStdin         bool
	noParse           []string
	hardCrash         bool
}

// addCommon declares the shared options on a command.
func addCommon(cmd *cobra.Command, c *common) { addCommonWith(cmd, c, "l") }

// addCommonWith is addCommon for programs that have another use for -l.
func addCommonWith(cmd *cobra.Command, c *common, logLevel string) {
	f := cmd.Flags()
	f.StringVarP(&c.configDir, "config-dir", "c", "", "folder of the configuration (default: $BRINE_CONFIG_DIR, ./.brine, /etc/brine)")
	f.StringVarP(&c.logLevel, "log-level", logLevel, "warning", "console log level: "+strings.Join(logging.Levels(), ", "))
	f.StringVar(&c.logFile, "log-file", "", "log to this file too")
	f.StringVar(&c.out, "out", "", "outputter: "+strings.Join(output.Names(), ", "))
	f.IntVar(&c.outIndent, "out-indent", 0, "indent of json, yaml and pprint; negative for one line")
	f.StringVar(&c.outFile, "out-file", "", "write the output to this file")
	f.BoolVar(&c.outAppend, "out-file-append", false, "append to the file instead of replacing it")
	f.BoolVar(&c.noColor, "no-color", false, "no colours")
	f.BoolVar(&c.color, "force-color", false, "colours even when the output is no terminal")
	f.StringVar(&c.stateOutput, "state-output", "", "how states are shown: full, terse, mixed, changes, filter, each also with _id")
	f.Var(boolText{&c.stateVerbose}, "state-verbose", "show states that were fine without changes: True or False")
	f.BoolVar(&c.hardCrash, "hard-crash", false, "accepted for compatibility")
	alias(f, "out", "output")
	alias(f, "out-indent", "output-indent")
	alias(f, "out-file", "output-file")
	alias(f, "out-file-append", "output-file-append")
	alias(f, "no-color", "no-colour")
	alias(f, "force-color", "force-colour")
	c.stateVerbose = true
	c.outIndentSet = func() bool { return f.Changed("out-indent") || f.Changed("output-indent") }
}

// addArgs declares the options for reading arguments.
func addArgs(cmd *cobra.Command, c *common) {
	f := cmd.Flags()
	f.BoolVar(&c.argsStdin, "args-stdin", false, "read more arguments from standard input, one a line")
	f.StringSliceVar(&c.noParse, "no-parse", nil, "keyword arguments that stay text, separated by commas")
}

// logger makes the console log.
func (c *common) logger(env *Env) (*zap.Logger, error) {
	level, err := logging.Level(c.logLevel)
	if err != nil {
		return nil, usagef("option -l: invalid choice: %v", err)
	}
	return logging.New(env.Stderr, level), nil
}

// warn logs what a configuration has that is not right but does not stop us.
func warn(log *zap.Logger, loaded *config.Loaded) {
	for _, w := range loaded.Warnings {
		if strings.Contains(w.Msg, "no effect") {
			log.Debug(w.Error())
			continue
		}
		log.Warn(w.Error())
	}
}

// readArgs adds the arguments that come from standard input.
func (c *common) readArgs(env *Env, args []string) ([]string, error) {
	if !c.argsStdin {
		return args, nil
	}
	s := bufio.NewScanner(env.Stdin)
	s.Buffer(make([]byte, 64<<10), 16<<20)
	for s.Scan() {
		if line := s.Text(); strings.TrimSpace(line) != "" {
			args = append(args, line)
		}
	}
	return args, s.Err()
}

// printer prints results with the outputter that was asked for.
type printer struct {
	c    *common
	env  *Env
	log  *zap.Logger
	file io.WriteCloser

	retcodes map[string]int // of minions that failed: they are shown in red
	diff     bool           // only states that changed
}

func (c *common) printer(env *Env, log *zap.Logger) (*printer, error) {
	p := &printer{c: c, env: env, log: log}
	if c.outFile == "" {
		return p, nil
	}
	mode := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if c.outAppend {
		mode = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(env.abs(c.outFile), mode, 0o644)
	if err != nil {
		return nil, fmt.Errorf("option --out-file: %w", err)
	}
	p.file = f
	return p, nil
}

func (p *printer) close() {
	if p.file != nil {
		_ = p.file.Close()
	}
}

// print shows data; hint is the outputter that the data itself asks for.
func (p *printer) print(data any, hint string) {
	name := p.c.out
	if name == "" {
		name = hint
	}
	if name != "" && !output.Known(name) {
		p.log.Error("Invalid outputter " + name + " specified, fall back to nested")
		name = "nested"
	}
	if text := output.Text(name, data, p.options()); text != "" {
		p.text(text)
	}
}

// options are how results are laid out.
func (p *printer) options() output.Options {
	o := output.Options{
		Color: (p.env.Terminal && p.file == nil && p.env.Getenv("NO_COLOR") == "" || p.c.color) && !p.c.noColor, Retcodes: p.retcodes,
		State: output.StateOptions{Output: p.c.stateOutput, Quiet: !p.c.stateVerbose || p.diff},
	}
	if p.c.outIndentSet() {
		o.Indent = &p.c.outIndent
	}
	return o
}

// one prints the result of one minion.
func (p *printer) one(id string, v any, hint string, retcode int) {
	if retcode != 0 {
		if p.retcodes == nil {
			p.retcodes = map[string]int{}
		}
		p.retcodes[id] = retcode
	}
	p.print(ordered.Pairs(id, v), hint)
}

// stateDefaults takes how states are shown from the configuration where the command line says nothing.
func (p *printer) stateDefaults(output string, verbose, diff bool) {
	if p.c.stateOutput == "" {
		p.c.stateOutput = output
	}
	p.c.stateVerbose = p.c.stateVerbose && verbose
	p.diff = diff
}

// docs prints documentation: each name, and its text indented.
func (p *printer) docs(m *ordered.Map) {
	keys := m.Keys()
	slices.SortFunc(keys, func(a, b any) int { return strings.Compare(ordered.KeyText(a), ordered.KeyText(b)) })
	for _, k := range keys {
		text, _ := m.Value(k).(string)
		if text == "" {
			continue
		}
		lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
		for i, l := range lines {
			if l = strings.TrimRight(l, " "); l != "" && !strings.HasPrefix(l, "    ") {
				l = "    " + l
			}
			lines[i] = l
		}
		p.text(fmt.Sprintf("%s:\n\n%s\n\n", ordered.KeyText(k), strings.Join(lines, "\n")))
	}
}

// text prints a line, or several, where results go.
func (p *printer) text(s string) {
	w := p.env.Stdout
	if p.file != nil {
		w = p.file
	}
	fmt.Fprintln(w, s)
}

// userName is who runs the command, as jobs show it.
func userName(env *Env) string {
	if u, err := user.Current(); err == nil {
		if sudo := env.Getenv("SUDO_USER"); sudo != "" && u.Uid == "0" {
			return "sudo_" + sudo
		}
		return u.Username
	}
	return "unknown"
}
